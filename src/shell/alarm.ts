import type { Context, Task } from "./context.ts";
import { MAX_DELAY, type Time } from "../time.ts";

/** How often in a row a timer may fire early while the clock stands still. */
const MAX_EARLY = 3;

/** A timer that fires this many milliseconds after its due time is late. */
const LATE = 5;

/** Who is rung. */
export interface Ringer {
  /** The due time has come: `now` is at or past it. */
  ring?(now: number): void;
  /** No timer could be set. */
  fail(error: unknown): void;
}

/**
 * One timer for a due time that moves, set in the context of the pool. Timers
 * are not trusted. One that fires early is set again, but believed after a few
 * times in a row without the clock moving (fake timers beside a real clock). One
 * that fires late lets a turn of the event loop pass: in a process that was
 * blocked or frozen, what is waited for may lie ready in a socket.
 */
export class Alarm implements Task {
  readonly #time: Time;
  readonly #context: Context;
  readonly #ringer: Ringer;
  /** Whether a timer keeps the process alive. */
  #holds: boolean;
  #isSet = false;
  #due = Infinity;
  #timer: unknown = undefined;
  /** When the timer fires. Invariant: `Infinity` while there is none. */
  #firesAt = Infinity;
  /** What the clock read when it was set. */
  #setAt = 0;
  /** How long timers took, and how often, since the clock stands still. */
  #slept = 0;
  #early = 0;
  #isLate = false;

  constructor(time: Time, context: Context, ringer: Ringer, holds: boolean) {
    this.#time = time;
    this.#context = context;
    this.#ringer = ringer;
    this.#holds = holds;
  }

  /** Rings once, at `due`; one of `Infinity` only keeps the process alive. */
  set(due: number): void {
    this.#isSet = true;
    this.#due = due;
    if (this.#isNeeded) this.#context.do(this);
  }

  /** Rings at `due`, if it does not do so earlier. */
  advance(due: number): void {
    if (!this.#isSet || due < this.#due) this.set(due);
  }

  /** Rings no more. */
  clear(): void {
    this.#isSet = false;
    this.#due = Infinity;
    this.#stop();
  }

  /** From now on it keeps the process alive. */
  hold(): void {
    this.#holds = true;
    ref(this.#timer);
    this.advance(Infinity);
  }

  inContext(): void {
    if (!this.#isNeeded) return;
    const now = this.#time.now();
    // Reading the clock may have cleared it.
    if (this.#isNeeded) this.#start(now, this.#due);
  }

  /** Whether a timer has to be set. */
  get #isNeeded(): boolean {
    if (this.#timer === undefined) return this.#isSet;
    return this.#due < this.#firesAt;
  }

  #start(now: number, at: number): void {
    this.#stop();
    const delay = Math.min(Math.max(at - now, 0), MAX_DELAY);
    this.#setAt = now;
    this.#firesAt = now + delay;
    try {
      const timer = this.#time.setTimeout(this.#onTimer, delay);
      // A clock of someone's own making may have called it already.
      if (this.#firesAt !== now + delay) return;
      this.#timer = timer;
      if (!this.#holds) unref(timer);
    } catch (error) {
      this.clear();
      this.#ringer.fail(error);
    }
  }

  #stop(): void {
    if (this.#timer !== undefined) this.#time.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#firesAt = Infinity;
  }

  readonly #onTimer = (): void => {
    const delay = this.#firesAt - this.#setAt;
    this.#timer = undefined;
    this.#firesAt = Infinity;
    this.#context.enter(true, () => this.#fired(delay));
  };

  #fired(delay: number): void {
    const now = this.#time.now();
    const due = this.#due;
    // It may have been cleared, even by the reading of the clock.
    if (!this.#isSet) return;
    // Fake timers take no time of a real clock, or next to none.
    const stoodStill = now - this.#setAt < Math.max(delay / 2, 1);
    if (!stoodStill) this.#slept = this.#early = 0;
    else if (now < due) this.#slept += delay;
    if (now + this.#slept < due) {
      // With fake timers this one would be set without end.
      if (due === Infinity && ++this.#early > MAX_EARLY) return;
      return this.#start(now, due - this.#slept);
    }
    if (now < due && ++this.#early <= MAX_EARLY) return this.#start(now, now);
    if (now - due > LATE && !this.#isLate) {
      this.#isLate = true;
      return this.#start(now, now);
    }
    this.#slept = this.#early = 0;
    this.#isLate = this.#isSet = false;
    this.#due = Infinity;
    this.#ringer.ring?.(Math.max(now, due));
  }
}

/** Keeps the process alive while this timer is pending. */
function ref(timer: unknown): void {
  (timer as { ref?: () => void } | undefined)?.ref?.();
}

/** Lets the process end while this timer is pending, where the runtime can. */
function unref(timer: unknown): void {
  (timer as { unref?: () => void } | undefined)?.unref?.();
}
