import { Heap, type HeapNode } from "./heap.ts";
import type { Waiter } from "./waiter.ts";

/**
 * Waiters by order of arrival. A newcomer joins, and leaves from anywhere, in
 * O(1), memory and all; one who was offered a resource in vain is put back at
 * its old place, and leaves from there, in O(log n).
 */
export class WaiterQueue {
  /** Invariant: how many waiters are in. */
  length = 0;
  #head: Waiter | undefined = undefined;
  #tail: Waiter | undefined = undefined;
  /**
   * Those put back. Invariant: all came before those in the list, as offers
   * are made in order of arrival.
   */
  readonly #back = new Heap<Waiter>();

  /** The one who came first. */
  get first(): Waiter | undefined {
    return this.#back.first ?? this.#head;
  }

  /** The first `limit`; of those put back, if they are more, the first and some. */
  some(limit: number): Waiter[] {
    const some = this.#back.some(limit);
    let waiter = this.#head;
    for (; some.length < limit && waiter !== undefined; waiter = waiter.next) {
      some.push(waiter);
    }
    return some;
  }

  /**
   * How many of the first `limit` came at or before `time`, or were put back,
   * and when the next one of them came.
   */
  since(time: number, limit: number): { count: number; next: number } {
    let count = this.#back.size;
    let waiter = this.#head;
    for (; count < limit && waiter !== undefined; count++) {
      if (waiter.since > time) return { count, next: waiter.since };
      waiter = waiter.next;
    }
    return { count, next: Infinity };
  }

  /**
   * The one with so many before it, else the last; those put back count as one
   * with the first of them.
   */
  at(place: number): Waiter | undefined {
    let left = place - this.#back.size;
    if (left < 0) return this.first;
    let waiter = this.#head;
    while (left-- > 0 && waiter?.next !== undefined) waiter = waiter.next;
    return waiter ?? this.first;
  }

  push(waiter: Waiter): void {
    const tail = this.#tail;
    waiter.at = this;
    waiter.previous = tail;
    if (tail === undefined) this.#head = waiter;
    else tail.next = waiter;
    this.#tail = waiter;
    this.length++;
  }

  putBack(waiter: Waiter): void {
    waiter.at = this.#back.add(waiter.order, waiter);
    this.length++;
  }

  shift(): Waiter | undefined {
    const first = this.#back.first ?? this.#head;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out a waiter that is in. */
  remove(waiter: Waiter): void {
    const { at } = waiter;
    if (at === this) this.#unlink(waiter);
    else this.#back.remove(at as HeapNode<Waiter>);
    waiter.at = undefined;
    this.length--;
  }

  #unlink(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    waiter.previous = waiter.next = undefined;
  }
}
