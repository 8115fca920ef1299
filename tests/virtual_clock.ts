/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** Ticks of the microtask queue that count as everything having settled. */
const SETTLE_TICKS = 64;

/** Timers run at one instant before it counts as an endless loop. */
const MAX_TIMERS_PER_INSTANT = 100_000;

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

/** A clock that stands still until the test moves it. */
export class VirtualClock {
  #now: number;
  /** In the order they were set, which decides among timers of one time. */
  #timers = new Set<VirtualTimer>();
  /** How many timers were ever set. */
  armed = 0;

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): VirtualTimer {
    const wait = delay > 0 && delay <= MAX_DELAY ? delay : 0;
    const timer = new VirtualTimer(this.#now + wait, callback);
    this.#timers.add(timer);
    this.armed++;
    return timer;
  }

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

  /** Moves on from timer to timer, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    let run = 0;
    for (let timer; (timer = this.#due(end)) !== undefined;) {
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
   * Moves on while no timer fires, as a frozen runtime does; the next
   * `advance` fires those overdue.
   */
  jump(ms: number): void {
    this.#now += ms;
  }

  #due(end: number): VirtualTimer | undefined {
    let first: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.time > end) continue;
      if (first === undefined || timer.time < first.time) first = timer;
    }
    return first;
  }
}

async function settle(): Promise<void> {
  for (let tick = 0; tick < SETTLE_TICKS; tick++) await undefined;
}
