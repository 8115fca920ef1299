import { type Clock, setTimer } from "./clock.ts";
import { DeadlineList } from "./deadline_list.ts";
import type { Waiter } from "./waiter_queue.ts";

/**
 * How many waiters time out in one go. More go on in the next turn of the
 * event loop, so that a million at once do not stop everything else.
 */
const BATCH = 1_024;

/** Cancels waiters; those that have settled meanwhile do not mind. */
export interface Canceller {
  abort(waiters: Waiter[], reason: unknown): void;
  expire(waiters: Waiter[]): void;
}

/**
 * What can cancel waiters: their deadlines, behind one timer, and their
 * signals, behind one listener each.
 */
export class Cancellation {
  private readonly clock: Clock;
  private readonly canceller: Canceller;
  private readonly deadlines = new DeadlineList();
  /**
   * Who waits on a signal; most have one waiter, and a set is made for the
   * second. Invariant: `onAbort` is the one listener on each.
   */
  private readonly signals = new Map<AbortSignal, Waiter | Set<Waiter>>();
  /** Set, and keeping the process alive, only while waiters are tracked. */
  private alarm: unknown = undefined;
  /** Invariant: no deadline is earlier while `alarm` is set. */
  private alarmAt = Infinity;

  constructor(clock: Clock, canceller: Canceller) {
    this.clock = clock;
    this.canceller = canceller;
  }

  /**
   * From now on a waiter can be cancelled; its signal has not aborted yet.
   *
   * @throws what the signal throws at a listener; then nothing is tracked
   */
  track(waiter: Waiter, signal: AbortSignal | undefined): void {
    if (signal !== undefined) this.listen(waiter, signal);
    const deadline = waiter.since + waiter.timeout;
    this.deadlines.add(waiter);
    if (this.alarm === undefined || deadline < this.alarmAt) {
      this.setAlarm(deadline);
    }
  }

  /** Forgets a waiter; one that is not tracked does not mind. */
  untrack(waiter: Waiter): void {
    if (!this.deadlines.remove(waiter)) return;
    if (waiter.signal !== undefined) this.unlisten(waiter, waiter.signal);
    if (this.deadlines.size === 0) this.clearAlarm();
  }

  private listen(waiter: Waiter, signal: AbortSignal): void {
    const others = this.signals.get(signal);
    if (others === undefined) {
      signal.addEventListener("abort", this.onAbort);
      this.signals.set(signal, waiter);
    } else if (others instanceof Set) others.add(waiter);
    else this.signals.set(signal, new Set([others, waiter]));
    waiter.signal = signal;
  }

  private unlisten(waiter: Waiter, signal: AbortSignal): void {
    const others = this.signals.get(signal);
    if (others instanceof Set) {
      others.delete(waiter);
      if (others.size > 0) return;
    }
    this.signals.delete(signal);
    try {
      signal.removeEventListener("abort", this.onAbort);
    } catch {
      // A signal of someone's own making; its waiter goes on all the same.
    }
  }

  /** One function for all signals, as each would else hold one of its own. */
  private readonly onAbort = (event?: Event): void => {
    const target = event?.target as AbortSignal;
    // A signal of someone's own making may not say that it is the target.
    const aborted = this.signals.has(target)
      ? [target]
      : [...this.signals.keys()].filter((signal) => signal.aborted);
    for (const signal of aborted) {
      const waiters = this.signals.get(signal);
      if (waiters === undefined) continue;
      const all = waiters instanceof Set ? [...waiters] : [waiters];
      this.canceller.abort(all, signal.reason);
    }
  };

  private setAlarm(at: number): void {
    this.clearAlarm();
    this.alarmAt = at;
    this.alarm = setTimer(this.clock, this.onAlarm, at - this.clock.now());
  }

  private clearAlarm(): void {
    if (this.alarm !== undefined) this.clock.clearTimeout(this.alarm);
    this.alarm = undefined;
  }

  /** Timers may be early or late: deadlines decide. */
  private readonly onAlarm = (): void => {
    this.alarm = undefined;
    const expired = this.deadlines.expired(this.clock.now(), BATCH);
    if (expired.length > 0) this.canceller.expire(expired);
    if (this.deadlines.size === 0) return;
    // Whoever came while these were cancelled knows only of its own deadline.
    this.setAlarm(this.deadlines.earliest());
  };
}
