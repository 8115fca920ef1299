/**
 * Where a pool gets the time and its timers. The default reads
 * `performance.now()` and uses the global timers; tests inject a virtual one.
 *
 * @example
 * ```ts
 * import { type Clock, Pool } from "@lease/pool";
 *
 * const clock: Clock = {
 *   now: () => performance.now(),
 *   setTimeout: (callback, delay) => setTimeout(callback, delay),
 *   clearTimeout: (handle) => clearTimeout(handle as number),
 * };
 * await using pool = new Pool({ create: () => ({}), max: 1, clock });
 * ```
 */
export interface Clock {
  /** A monotonic time in milliseconds. */
  now(): number;
  /**
   * Calls `callback` once after `delay` milliseconds, which is never above
   * 2^31 − 1. A handle with `ref` and `unref` methods lets the pool choose
   * whether the timer keeps the process alive.
   */
  setTimeout(callback: () => void, delay: number): unknown;
  /** Forgets a timer; one that has fired is ignored. */
  clearTimeout(handle: unknown): void;
}

/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** Readings that follow each other within this many milliseconds are dense. */
const DENSE = 0.1;
/** Dense readings in a row before one is reused. */
const DENSE_STREAK = 64;
/** How many times a dense reading is reused. */
const REUSES = 127;
/** Milliseconds after which readings are no longer reused without a new streak. */
const REUSE_PERIOD = 5;

/**
 * The clock of a pool that is given none. Reading `performance.now()` costs as
 * much as the rest of a release, so in a dense burst of acts one reading
 * serves for the next `REUSES` too. While the burst goes on its error stays
 * below `DENSE`; when it ends, a timer ends the reuse within `REUSE_PERIOD`.
 * Only if the thread stops inside a burst, for this timer and all else, can
 * the acts that come before the timer, `REUSES` at most, see an older time.
 */
export class SystemClock implements Clock {
  private reading = 0;
  private streak = 0;
  /** Invariant: above 0 only while `guard` is set. */
  private reuses = 0;
  private guard: unknown = undefined;

  now(): number {
    if (this.reuses === 0) return this.read();
    this.reuses--;
    return this.reading;
  }

  private read(): number {
    const reading = performance.now();
    if (reading - this.reading > DENSE) this.streak = 0;
    else if (this.streak < DENSE_STREAK) this.streak++;
    else this.reuse();
    this.reading = reading;
    return reading;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return globalThis.setTimeout(callback, delay);
  }

  clearTimeout(handle: unknown): void {
    globalThis.clearTimeout(handle as number);
  }

  /** Reuses no more, and leaves no timer. */
  readonly stop = (): void => {
    if (this.guard !== undefined) this.clearTimeout(this.guard);
    this.guard = undefined;
    this.streak = this.reuses = 0;
  };

  private reuse(): void {
    this.reuses = REUSES;
    if (this.guard !== undefined) return;
    this.guard = this.setTimeout(this.stop, REUSE_PERIOD);
    unref(this.guard);
  }
}

/** Sets a timer, its delay cut to what runtimes can wait for. */
export function setTimer(
  clock: Clock,
  callback: () => void,
  delay: number,
): unknown {
  return clock.setTimeout(callback, Math.min(Math.max(delay, 0), MAX_DELAY));
}

/** Keeps the process alive while this timer is pending. */
export function ref(handle: unknown): void {
  (handle as { ref?: () => void } | undefined)?.ref?.();
}

/** Lets the process end while this timer is pending, where the runtime can. */
export function unref(handle: unknown): void {
  (handle as { unref?: () => void } | undefined)?.unref?.();
}
