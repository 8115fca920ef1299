import type { Clock } from "../../mod.ts";

/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** A pending timer, as Deno, Bun and Node hand it out. */
export class Timer {
  referenced = true;

  constructor(
    readonly time: number,
    readonly callback: () => void,
    /** Whether the pool set it; the others move the simulated world. */
    readonly ofPool: boolean,
  ) {}

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
 * A clock that the driver moves from timer to timer. Unlike the clock of the
 * other tests it leaves to its caller what happens between two timers. It is
 * always right; what the pool sees of it need not be.
 */
export class StepClock implements Clock {
  /** The time up to which all timers have fired; a jump leaves it behind. */
  fired = 0;
  /** A delay no runtime can keep, if the pool asked for one. */
  badDelay: number | undefined = undefined;
  #now = 0;
  /** In the order they were set, which decides among timers of one time. */
  readonly #timers: Set<Timer> = new Set();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    if (!(delay >= 0 && delay <= MAX_DELAY)) this.badDelay = delay;
    return this.#set(callback, delay, true);
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** Sets a timer of the world around the pool. */
  schedule(callback: () => void, delay: number): Timer {
    return this.#set(callback, delay, false);
  }

  /** How many timers the pool has pending. */
  get pending(): number {
    let count = 0;
    for (const timer of this.#timers) if (timer.ofPool) count++;
    return count;
  }

  /** Whether one of them would keep a process alive. */
  get keepsAlive(): boolean {
    for (const timer of this.#timers) {
      if (timer.ofPool && timer.referenced) return true;
    }
    return false;
  }

  /** The next timer to fire until `end`. */
  due(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.time > end) continue;
      if (first === undefined || timer.time < first.time) first = timer;
    }
    return first;
  }

  fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.fired = this.#now = Math.max(this.#now, timer.time);
    timer.callback();
  }

  /** Moves to a time before which no timer is due. */
  reach(time: number): void {
    this.fired = this.#now = time;
  }

  /** Moves on while no timer fires, as a frozen runtime does. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #set(callback: () => void, delay: number, ofPool: boolean): Timer {
    const timer = new Timer(this.#now + delay, callback, ofPool);
    this.#timers.add(timer);
    return timer;
  }
}
