import type { Chore } from "./agenda.ts";
import type { Parts } from "./parts.ts";

/** How many stripes and idle entries one turn of the event loop looks at. */
const BATCH = 1_024;

/** The chore that evicts what has been idle for longer than `idleTimeout`. */
export class Eviction<T> implements Chore {
  readonly #parts: Parts<T>;
  readonly #idleTimeout: number;
  /** Where among the lines it is, and the earliest end it has seen. */
  #sweptTo = 0;
  #earliest = Infinity;
  /** Whether a sweep goes on in a later turn. */
  #isSweeping = false;
  /** Invariant: at most one ms after the end of anything idle. */
  due = Infinity;

  constructor(parts: Parts<T>) {
    this.#parts = parts;
    this.#idleTimeout = parts.settings.idleTimeout;
    parts.agenda.add(this);
  }

  /** Something has become idle. */
  watch(now: number): void {
    this.expect(now + this.#idleTimeout);
  }

  /** Something ends its life or its idle time after this time. */
  expect(end: number): void {
    // The sweep may have passed it already.
    if (this.#isSweeping) this.#earliest = Math.min(this.#earliest, end);
    // One more, as what is as old as its limit stays.
    if (end + 1 >= this.due) return;
    this.due = end + 1;
    this.#parts.agenda.advance(this.due);
  }

  work(now: number): void {
    this.due = this.#sweep(now);
    this.#parts.play();
  }

  /** Without a timer, expired ones leave when they are met. */
  fail(): void {
    this.due = Infinity;
    this.#parts.watches = true;
  }

  #sweep(now: number): number {
    const { lines } = this.#parts.partition;
    this.#isSweeping = true;
    for (let left = BATCH; this.#sweptTo < lines.length;) {
      if (left <= 0) return now;
      const line = lines[this.#sweptTo]!;
      const { idle } = line;
      const endsAt = line.expire(now, left);
      if (endsAt === undefined) return now;
      left -= 1 + idle - line.idle;
      this.#earliest = Math.min(this.#earliest, endsAt);
      this.#sweptTo++;
    }
    const earliest = this.#earliest;
    this.#sweptTo = 0;
    this.#earliest = Infinity;
    this.#isSweeping = false;
    const isEmpty = lines.every(({ idle }) => idle === 0);
    if (isEmpty) this.#parts.watches = true;
    const latest = isEmpty ? Infinity : now + this.#idleTimeout;
    return Math.min(earliest, latest) + 1;
  }
}
