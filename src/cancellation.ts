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
  private readonly signals = new Map<AbortSignal, AbortGroup>();
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
    if (signal !== undefined) {
      let group = this.signals.get(signal);
      if (group === undefined) {
        group = new AbortGroup(signal, this.canceller);
        this.signals.set(signal, group);
      }
      group.add(waiter);
      waiter.signal = signal;
    }
    const deadline = waiter.since + waiter.timeout;
    this.deadlines.add(waiter);
    if (this.alarm === undefined || deadline < this.alarmAt) {
      this.setAlarm(deadline);
    }
  }

  /** Forgets a waiter; one that is not tracked does not mind. */
  untrack(waiter: Waiter): void {
    if (!this.deadlines.remove(waiter)) return;
    const { signal } = waiter;
    if (signal !== undefined && this.signals.get(signal)!.remove(waiter)) {
      this.signals.delete(signal);
    }
    if (this.deadlines.size === 0) this.clearAlarm();
  }

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

/**
 * The waiters of one signal. Adding a listener costs time in proportion to
 * those a signal has: so the group is the one listener for all.
 */
class AbortGroup {
  private readonly signal: AbortSignal;
  private readonly canceller: Canceller;
  /** Most signals have one waiter; a set is made for the second. */
  private first: Waiter | undefined = undefined;
  private rest: Set<Waiter> | undefined = undefined;

  constructor(signal: AbortSignal, canceller: Canceller) {
    this.signal = signal;
    this.canceller = canceller;
    signal.addEventListener("abort", this);
  }

  add(waiter: Waiter): void {
    if (this.first === undefined) this.first = waiter;
    else (this.rest ??= new Set()).add(waiter);
  }

  /** Takes a waiter out; `true` if it was the last, which ends the group. */
  remove(waiter: Waiter): boolean {
    if (this.first === waiter) this.first = undefined;
    else this.rest?.delete(waiter);
    if (this.first !== undefined || this.rest?.size) return false;
    try {
      this.signal.removeEventListener("abort", this);
    } catch {
      // A signal of someone's own making; its waiter goes on all the same.
    }
    return true;
  }

  handleEvent(): void {
    const first = this.first === undefined ? [] : [this.first];
    this.canceller.abort([...first, ...this.rest ?? []], this.signal.reason);
  }
}
