import type { Clock } from "../../mod.ts";

/** A timer that waits to be fired by hand. */
export class ReplayTimer {
  /** Whether it would keep a process alive. */
  referenced = true;
  /** Whether it is known which call it limits. */
  isPaired = false;

  constructor(readonly callback: () => void, readonly delay: number) {}

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }
}

/**
 * A clock that neither moves nor fires a timer by itself: as no runtime
 * promises when or in what order timers fire, every order is replayed.
 */
export class ReplayClock implements Clock {
  time = 0;
  readonly timers = new Set<ReplayTimer>();
  #nextReading: number | undefined = undefined;

  now(): number {
    const reading = this.#nextReading ?? this.time;
    this.#nextReading = undefined;
    return reading;
  }

  setTimeout(callback: () => void, delay: number): ReplayTimer {
    const timer = new ReplayTimer(callback, delay);
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.timers.delete(handle as ReplayTimer);
  }

  /**
   * Fires a timer. What it reads first, to see whether it is due, is
   * `deadline`; yet no time passes, so that nothing idle ages by the way.
   */
  fire(timer: ReplayTimer, deadline: number): void {
    this.timers.delete(timer);
    this.#nextReading = deadline;
    timer.callback();
    this.#nextReading = undefined;
  }
}
