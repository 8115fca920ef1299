import type { Clock } from "./clock.ts";
import { SystemClock } from "./system_clock.ts";

/** Runtimes fire a timer of 2^31 ms or more at once. */
export const MAX_DELAY: number = 2 ** 31 - 1;

/** A clock that may be of someone's own making, made sound. */
export class Time implements Clock {
  readonly #clock: Clock;
  /** The highest reading; NaN before the first. */
  #last = NaN;
  /** What is wrong with the last reading. */
  fault: unknown = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One is made sound once, for all pools that share it. */
  static of(clock: Clock): Time {
    return clock instanceof Time ? clock : new Time(clock);
  }

  /** Never throws and never goes back: a bad reading counts as the last. */
  now(): number {
    try {
      const reading: unknown = this.#clock.now();
      return reading === this.#last && this.fault === undefined
        ? reading
        : this.#read(reading);
    } catch (error) {
      return this.#misread(error);
    }
  }

  /**
   * Sets a timer, its delay cut to what runtimes can wait for.
   *
   * @throws what the clock throws
   */
  setTimeout(callback: () => void, delay: number): unknown {
    const wait = Math.min(Math.max(delay, 0), MAX_DELAY);
    return this.#clock.setTimeout(callback, wait);
  }

  clearTimeout(handle: unknown): void {
    try {
      this.#clock.clearTimeout(handle);
    } catch {
      // Whoever set it looks again when it fires.
    }
  }

  /** The pool is closed: nothing is left running. */
  stop(): void {
    if (this.#clock instanceof SystemClock) this.#clock.stop();
  }

  #read(reading: unknown): number {
    if (typeof reading !== "number" || !Number.isFinite(reading)) {
      return this.#misread(misreading(reading));
    }
    this.fault = undefined;
    if (!(reading <= this.#last)) this.#last = reading;
    return this.#last;
  }

  #misread(fault: unknown): number {
    this.fault = fault ?? misreading(fault);
    return Number.isNaN(this.#last) ? 0 : this.#last;
  }
}

function misreading(reading: unknown): TypeError {
  return new TypeError(
    `Cannot tell the time as 'clock.now' must return a finite number: ` +
      `received ${typeof reading === "number" ? reading : typeof reading}`,
  );
}
