import type { Clock } from "./clock.ts";

/** Readings in a row that have to lie close together before one is reused. */
const STREAK = 64;
/** How many acts a reading then serves besides its own. */
const REUSES = 2 * STREAK - 1;
/** Milliseconds that a reused reading lags at most, at a steady pace of acts. */
const LAG = 0.5;

/**
 * The clock of a pool that is given none. Reading `performance.now()` costs as
 * much as the rest of a release, so once `STREAK` readings in a row span less
 * than half of `LAG`, one serves the next `REUSES` acts too, and again if those
 * took less than that. At a steady pace of acts the lag stays below `LAG`. When
 * the burst is over a timer ends the reuse in the next turn of the event loop.
 * Only acts that come before it, `REUSES` at most, see an older time, by as
 * much as the thread was busy, stopped or suspended since the reading.
 */
export class SystemClock implements Clock {
  /** Kept as the object that V8 makes of it: a double is made one at each act. */
  #reading: number | undefined = undefined;
  /** The first reading of the streak, or the last that was reused. */
  #start = -Infinity;
  #streak = 0;
  /** Invariant: above 0 only while `guard` is set. */
  #reuses = 0;
  #guard: unknown = undefined;

  now(): number {
    if (this.#reuses === 0) return this.#read();
    this.#reuses--;
    return this.#reading!;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return globalThis.setTimeout(callback, delay);
  }

  clearTimeout(handle: unknown): void {
    globalThis.clearTimeout(handle as number);
  }

  /** Reuses no more, and leaves no timer. */
  readonly stop = (): void => {
    if (this.#guard !== undefined) this.clearTimeout(this.#guard);
    this.#guard = undefined;
    this.#streak = this.#reuses = 0;
  };

  #read(): number {
    const reading = performance.now();
    if (reading - this.#start >= LAG / 2) {
      this.#start = reading;
      this.#streak = 1;
    } else if (this.#streak < STREAK) this.#streak++;
    else {
      this.#start = reading;
      this.#reuse();
    }
    return this.#reading = reading;
  }

  #reuse(): void {
    this.#reuses = REUSES;
    if (this.#guard !== undefined) return;
    this.#guard = this.setTimeout(this.stop, 0);
    (this.#guard as { unref?: () => void }).unref?.();
  }
}
