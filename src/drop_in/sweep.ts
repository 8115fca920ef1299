import type { Clock } from "../clock.ts";

/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** Looks at what is idle in equal steps, and keeps no process alive. */
export class Sweep {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #look: () => void;
  #due = 0;
  /** `null` while it rests. */
  timer: unknown = null;

  constructor(clock: Clock, interval: number, look: () => void) {
    this.#clock = clock;
    this.#interval = interval;
    this.#look = look;
  }

  /** The first look is in one step. */
  start(): void {
    this.#due = this.#clock.now();
    this.#next();
  }

  stop(): void {
    this.#clock.clearTimeout(this.timer);
    this.timer = null;
  }

  #next(): void {
    const now = this.#clock.now();
    this.#due = Math.max(this.#due + this.#interval, now);
    const delay = Math.min(this.#due - now, MAX_DELAY);
    const timer = this.#clock.setTimeout(() => {
      this.#look();
      // It may have been stopped by what it saw.
      if (this.timer === timer) this.#next();
    }, delay);
    (timer as { unref?: () => void }).unref?.();
    this.timer = timer;
  }
}
