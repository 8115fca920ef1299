import type { Entry } from "./entry.ts";

/** All idle entries of a pool, in the order in which they were released. */
export class IdleOrder<T> {
  /** The one released first. */
  first: Entry<T> | undefined = undefined;
  #last: Entry<T> | undefined = undefined;

  /** O(1) for one that has just been released; else it goes to its old place. */
  add(entry: Entry<T>): void {
    let before = this.#last;
    while (before !== undefined && before.releasedAt > entry.releasedAt) {
      before = before.before;
    }
    const after = before === undefined ? this.first : before.after;
    entry.before = before;
    entry.after = after;
    if (before === undefined) this.first = entry;
    else before.after = entry;
    if (after === undefined) this.#last = entry;
    else after.before = entry;
  }

  remove(entry: Entry<T>): void {
    const { before, after } = entry;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    entry.before = entry.after = undefined;
  }
}
