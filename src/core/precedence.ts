import type { Waiter } from "./waiter.ts";
import { WaiterQueue } from "./waiter_queue.ts";

/** How much earlier, in ms, each step of priority makes a waiter seem to come. */
const HEAD_START = 1_000;

/**
 * Waiters in order of arrival, those with a priority some seconds ahead of it:
 * one queue for each priority, so that the head is found in O(1). Within one
 * priority nobody is overtaken, and nobody at all by one who comes more than
 * 3 `HEAD_START` later.
 */
export class Precedence {
  /** Invariant: how many waiters are in. */
  length = 0;
  /** By priority; those above 0 are made when one is used. */
  readonly #queues = [new WaiterQueue()];

  /** The one whose turn is next. */
  get first(): Waiter | undefined {
    const queues = this.#queues;
    return queues.length === 1 ? queues[0]!.first : this.#before(Infinity);
  }

  /** The one whose turn is next, of those whose place is below `order`. */
  firstBefore(order: number): Waiter | undefined {
    return this.#before(order);
  }

  /** When the one came who has waited longest; `Infinity` if nobody waits. */
  get oldest(): number {
    let oldest = Infinity;
    for (const { first } of this.#queues) {
      if (first !== undefined) oldest = Math.min(oldest, first.since);
    }
    return oldest;
  }

  /** Since when those wait who came first, of each priority `limit` at most. */
  arrivals(limit: number): number[] {
    return this.#queues.flatMap((queue) => queue.some(limit))
      .map(({ since }) => since).sort((a, b) => a - b);
  }

  /**
   * Since when one waits with so many before it; where there are priorities,
   * the first of all, and so where nobody is so far behind, the last.
   */
  sinceAt(place: number): number {
    const [queue, ...others] = this.#queues;
    const waiter = others.length > 0 ? this.first : queue!.at(place);
    return waiter?.since ?? Infinity;
  }

  push(waiter: Waiter): void {
    const { priority } = waiter;
    (this.#queues[priority] ?? this.#queue(priority)).push(waiter);
    this.length++;
  }

  putBack(waiter: Waiter): void {
    this.#queue(waiter.priority).putBack(waiter);
    this.length++;
  }

  /** Takes out a waiter that is in. */
  remove(waiter: Waiter): void {
    this.#queues[waiter.priority]!.remove(waiter);
    this.length--;
  }

  shift(): Waiter | undefined {
    const queues = this.#queues;
    const queue = queues.length === 1
      ? queues[0]!
      : queues[this.first?.priority ?? 0]!;
    const first = queue.shift();
    if (first !== undefined) this.length--;
    return first;
  }

  /**
   * How many of the first `limit` of each priority came at or before `time`, or
   * were put back, and when the next one of them came.
   */
  since(time: number, limit: number): { count: number; next: number } {
    let count = 0;
    let next = Infinity;
    for (const queue of this.#queues) {
      const found = queue.since(time, limit);
      count += found.count;
      next = Math.min(next, found.next);
    }
    return { count: Math.min(count, limit), next };
  }

  #before(order: number): Waiter | undefined {
    let first: Waiter | undefined = undefined;
    for (const { first: head } of this.#queues) {
      if (head === undefined || head.order >= order) continue;
      if (first === undefined || isAhead(head, first)) first = head;
    }
    return first;
  }

  #queue(priority: number): WaiterQueue {
    const queues = this.#queues;
    while (queues.length <= priority) queues.push(new WaiterQueue());
    return queues[priority]!;
  }
}

function isAhead(a: Waiter, b: Waiter): boolean {
  const lead = HEAD_START * (a.priority - b.priority) - (a.since - b.since);
  return lead > 0 || lead === 0 && a.order < b.order;
}
