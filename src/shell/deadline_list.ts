import { Heap, type HeapNode } from "../core/heap.ts";

/** What has a deadline; the links are those of the list it is in. */
export interface Timed {
  /** In ms of the clock; `Infinity` for never. */
  readonly deadline: number;
  /** Its neighbours, or its node in the heap; `undefined` while in no list. */
  later: Timed | HeapNode<Timed> | undefined;
  sooner: Timed | undefined;
}

/**
 * Deadlines in order. Those that ascend as they are added, as they do when all
 * have the same timeout, are linked, and come and go in O(1); the others, and
 * those without end, are in a heap, in O(log n).
 */
export class DeadlineList<W extends Timed> {
  /** Circular, through a sentinel. Invariant: deadlines ascend. */
  readonly #list = new Sentinel();
  /** Invariant: none in the list is later. */
  #latest = -Infinity;
  readonly #heap = new Heap<Timed>();
  /** Invariant: how many are in. */
  size = 0;

  add(timed: W): void {
    const { deadline } = timed;
    const last = this.#list.sooner;
    const isFirst = last === this.#list;
    if (deadline === Infinity || !isFirst && deadline < this.#latest) {
      timed.later = this.#heap.add(deadline, timed);
    } else {
      this.#latest = deadline;
      timed.sooner = last;
      timed.later = this.#list;
      last.later = this.#list.sooner = timed;
    }
    this.size++;
  }

  /** Takes one out; `false` if it is not in. */
  remove(timed: W): boolean {
    const { sooner, later } = timed;
    if (later === undefined) return false;
    if (sooner === undefined) this.#heap.remove(later as HeapNode<Timed>);
    else {
      sooner.later = later;
      (later as Timed).sooner = sooner;
    }
    timed.sooner = timed.later = undefined;
    this.size--;
    return true;
  }

  /** The earliest deadline, `Infinity` if there is none. */
  earliest(): number {
    return this.#first()?.deadline ?? Infinity;
  }

  /** Takes out the first whose deadline is at or before `now`, if any. */
  expired(now: number): W | undefined {
    const first = this.#first();
    if (first === undefined || first.deadline > now) return undefined;
    this.remove(first);
    return first;
  }

  #first(): W | undefined {
    const linked = this.#list.later;
    const { first } = this.#heap;
    if (linked === this.#list) return first as W | undefined;
    if (first === undefined || linked.deadline <= first.deadline) {
      return linked as W;
    }
    return first as W;
  }
}

class Sentinel implements Timed {
  readonly deadline = -Infinity;
  later: Timed = this;
  sooner: Timed = this;
}
