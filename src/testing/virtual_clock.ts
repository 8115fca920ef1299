import { Check, FINITE, SPAN } from "../check.ts";
import type { Clock } from "../clock.ts";

/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** Ticks of the microtask queue that count as everything having settled. */
const SETTLE_TICKS = 64;

/** Timers run at one instant before it counts as an endless loop. */
const MAX_TIMERS_PER_INSTANT = 100_000;

const CHECK = new Check("Cannot move the clock");

/** A pending timer, as Deno, Bun and Node hand it out. */
class VirtualTimer {
  referenced = true;

  constructor(readonly time: number, readonly callback: () => void) {}

  ref(): this {
    this.referenced = true;
    return this;
  }

  unref(): this {
    this.referenced = false;
    return this;
  }
}

/**
 * A clock that stands still until the test moves it, in milliseconds. It lets
 * promises settle before it moves on and after each timer: 64 turns of the
 * microtask queue. What waits for the world outside is not waited for.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { VirtualClock } from "@lease/pool/testing";
 *
 * const clock = new VirtualClock();
 * await using pool = new Pool({ create: () => ({}), max: 1, clock });
 * using _held = await pool.acquire();
 * const waiting = pool.acquire({ timeout: 5_000 }).catch(({ name }) => name);
 * await clock.advance(5_000);
 * console.log(await waiting); // TimeoutError
 *
 * clock.setTimeout(() => console.log("called"), 60_000);
 * console.log(await clock.next()); // true
 * console.log(clock.now()); // 65000
 * ```
 */
export class VirtualClock implements Clock {
  #now: number;
  /** In the order they were set, which decides among timers of one time. */
  #timers = new Set<VirtualTimer>();
  #armed = 0;

  /** It shows `start`, in ms; 0 by default. */
  constructor(start = 0) {
    this.#now = start;
  }

  /** The time in ms. */
  now(): number {
    return this.#now;
  }

  /**
   * Sets a timer. As in all runtimes, one of 2^31 ms or more is due at once; its
   * handle has `ref` and `unref`.
   */
  setTimeout(callback: () => void, delay: number): unknown {
    const wait = delay > 0 && delay <= MAX_DELAY ? delay : 0;
    const timer = new VirtualTimer(this.#now + wait, callback);
    this.#timers.add(timer);
    this.#armed++;
    return timer;
  }

  /** Forgets a timer. */
  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as VirtualTimer);
  }

  /** How many timers are pending. */
  get timers(): number {
    return this.#timers.size;
  }

  /** How many pending timers would keep a process alive. */
  get referenced(): number {
    return [...this.#timers].filter((timer) => timer.referenced).length;
  }

  /** How many timers were ever set. */
  get armed(): number {
    return this.#armed;
  }

  /**
   * Moves on by so many ms, from timer to timer, and calls each. What one throws,
   * or that timers set each other at one instant without end, it rejects with; or
   * with a `RangeError` or `TypeError` if that is no time to move on by.
   */
  async advance(ms: number): Promise<void> {
    CHECK.that("ms", ms, SPAN);
    const end = this.#now + ms;
    await settle();
    let run = 0;
    for (let timer; (timer = this.#first(end)) !== undefined;) {
      run = timer.time > this.#now ? 0 : run + 1;
      if (run > MAX_TIMERS_PER_INSTANT) {
        throw new Error(`Timers at ${this.#now} ms set each other without end`);
      }
      this.#now = Math.max(this.#now, timer.time);
      this.#timers.delete(timer);
      timer.callback();
      await settle();
    }
    this.#now = end;
  }

  /**
   * Moves on to the next timer, and calls it and whatever is due then. Gives
   * whether there was one.
   */
  async next(): Promise<boolean> {
    await settle();
    const timer = this.#first(Infinity);
    if (timer === undefined) return false;
    await this.advance(Math.max(timer.time - this.#now, 0));
    return true;
  }

  /**
   * Moves on by so many ms while no timer fires, as a frozen runtime does; the
   * next `advance` or `next` calls those overdue. It may be less than 0, as where
   * a clock is set back.
   *
   * @throws {RangeError} if it is not finite
   */
  jump(ms: number): void {
    CHECK.that("ms", ms, FINITE);
    this.#now += ms;
  }

  /** The first of the timers due by a time. */
  #first(end: number): VirtualTimer | undefined {
    let first: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.time > end) continue;
      if (first === undefined || timer.time < first.time) first = timer;
    }
    return first;
  }
}

/** Lets everything settle that waits for no timer. */
export async function settle(): Promise<void> {
  for (let tick = 0; tick < SETTLE_TICKS; tick++) await undefined;
}
