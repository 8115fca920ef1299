import type { Shed } from "../pool_options.ts";

/**
 * Controlled delay, after Nichols and Jacobson, as DBConnection has it: a line
 * that dissolves within an interval is served whole, one that stands is cut to
 * those who have not waited for long. What tells the two apart is the shortest
 * wait of an interval.
 */
export class ControlledDelay implements Shed {
  readonly #target: number;
  readonly retryAfter: number;
  /** When the interval ends. */
  #end = -Infinity;
  /** The shortest wait in it so far; at its begin there is none. */
  #shortest = 0;
  /** Whether those who have waited for too long leave. */
  #isSlow = false;
  /** When somebody's turn came last. */
  #asked = -Infinity;

  constructor(target: number, interval: number) {
    this.#target = target;
    this.retryAfter = interval;
  }

  mustLeave(since: number, oldest: number, now: number): boolean {
    const target = this.#target;
    // All came after somebody was served last: then nobody waited.
    if (oldest > this.#asked) {
      this.#isSlow = false;
      this.#shortest = 0;
    }
    this.#asked = now;
    // Before it sheds, one short wait will do: the next interval can begin.
    const isDecided = !this.#isSlow && this.#shortest <= target;
    if (isDecided || now >= this.#end) {
      this.#isSlow = this.#shortest > target;
      this.#shortest = Infinity;
      this.#end = now + this.retryAfter;
    }
    if (this.#isSlow && now - since > 2 * target) return true;
    this.#shortest = Math.min(this.#shortest, now - oldest);
    return false;
  }
}
