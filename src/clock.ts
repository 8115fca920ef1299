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
  /**
   * A monotonic time in milliseconds. A reading below the one before counts as
   * that one; where a time is needed and this is no finite number, or throws,
   * the acquire that would have to wait rejects.
   */
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
