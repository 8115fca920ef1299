import type { Time } from "../time.ts";
import { Alarm, type Ringer } from "./alarm.ts";
import type { Context } from "./context.ts";
import { DeadlineList } from "./deadline_list.ts";
import { removeListener } from "./listener.ts";
import type { Pending } from "./pending.ts";

/**
 * How many waiters time out in one turn of the event loop, so that a million
 * at once do not stop everything else.
 */
const BATCH = 1_024;

/** Cancels waiters; those that have settled meanwhile do not mind. */
export interface Canceller<T> {
  abort(waiters: Iterable<Pending<T>>, reason: unknown): void;
  expire(waiters: Pending<T>[], now: number): void;
}

/**
 * What can cancel waiters: their deadlines, behind one timer, and their
 * signals, behind one listener each.
 */
export class Cancellation<T> implements Ringer {
  readonly #canceller: Canceller<T>;
  readonly #deadlines = new DeadlineList<Pending<T>>();
  /** Set, and keeping the process alive, only while waiters are tracked. */
  readonly #alarm: Alarm;
  /**
   * Who waits on a signal; most have one waiter, and a set is made for the
   * second. Invariant: each has one listener, `onAbort` or one of its own.
   */
  readonly #signals = new Map<AbortSignal, Pending<T> | Set<Pending<T>>>();
  /** The listeners of signals whose events may not say where they come from. */
  readonly #listeners = new Map<AbortSignal, () => void>();
  /** Those that such a listener is being added to right now. */
  readonly #adding = new Set<AbortSignal>();

  constructor(time: Time, context: Context, canceller: Canceller<T>) {
    this.#alarm = new Alarm(time, context, this, true);
    this.#canceller = canceller;
  }

  /** From now on a waiter can be cancelled; one that can be does not mind. */
  track(waiter: Pending<T>): void {
    if (waiter.later !== undefined) return;
    const { signal } = waiter;
    this.#deadlines.add(waiter);
    this.#alarm.advance(waiter.deadline);
    // Without a timer it has been told so.
    if (signal === undefined || waiter.at === undefined) return;
    this.#listen(waiter, signal);
  }

  /** Forgets a waiter; one that is not tracked does not mind. */
  untrack(waiter: Pending<T>): void {
    this.#deadlines.remove(waiter);
    if (waiter.signal !== undefined) this.#unlisten(waiter, waiter.signal);
    if (this.#deadlines.size === 0) this.#alarm.clear();
  }

  ring(now: number): void {
    const expired: Pending<T>[] = [];
    while (expired.length < BATCH) {
      const waiter = this.#deadlines.expired(now);
      if (waiter === undefined) break;
      expired.push(waiter);
    }
    if (expired.length > 0) this.#canceller.expire(expired, now);
    if (this.#deadlines.size > 0) this.#alarm.set(this.#deadlines.earliest());
  }

  /** Without a timer those that wait would never be told. */
  fail(error: unknown): void {
    const waiters: Pending<T>[] = [];
    for (
      let waiter;
      (waiter = this.#deadlines.expired(Infinity)) !== undefined;
    ) {
      waiters.push(waiter);
    }
    this.#canceller.abort(waiters, error);
  }

  #listen(waiter: Pending<T>, signal: AbortSignal): void {
    const others = this.#signals.get(signal);
    if (others instanceof Set) others.add(waiter);
    else if (others !== undefined) {
      this.#signals.set(signal, new Set([others, waiter]));
    } else {
      this.#signals.set(signal, waiter);
      try {
        if (!this.#adding.has(signal)) this.#addListener(signal);
        // User code may have aborted it since the acquire began.
        this.#abort(signal);
      } catch (error) {
        this.#canceller.abort(this.#waitersOn(signal), error);
      }
    }
  }

  /**
   * One function listens to all signals, as each would else hold one of its
   * own. Those with an `addEventListener` of someone's own making get one all
   * the same: their events need not name them, and adding it may run user code
   * that settles the waiter.
   */
  #addListener(signal: AbortSignal): void {
    if (signal.addEventListener === EventTarget.prototype.addEventListener) {
      return signal.addEventListener("abort", this.#onAbort);
    }
    const listener = () => this.#abort(signal);
    this.#listeners.set(signal, listener);
    this.#adding.add(signal);
    try {
      signal.addEventListener("abort", listener);
    } finally {
      this.#adding.delete(signal);
      if (!this.#signals.has(signal)) this.#removeListener(signal);
    }
  }

  #unlisten(waiter: Pending<T>, signal: AbortSignal): void {
    const others = this.#signals.get(signal);
    if (others instanceof Set) {
      others.delete(waiter);
      if (others.size > 0) return;
    } else if (others !== waiter) return;
    this.#signals.delete(signal);
    if (!this.#adding.has(signal)) this.#removeListener(signal);
  }

  #removeListener(signal: AbortSignal): void {
    const listener = this.#listeners.get(signal) ?? this.#onAbort;
    this.#listeners.delete(signal);
    removeListener(signal, listener);
  }

  readonly #onAbort = ({ target }: Event): void =>
    this.#abort(target as AbortSignal);

  /** An event may come from whoever dispatched it: the signal decides. */
  #abort(signal: AbortSignal): void {
    const waiters = this.#waitersOn(signal);
    if (waiters.length === 0 || !signal.aborted) return;
    this.#canceller.abort(waiters, signal.reason);
  }

  #waitersOn(signal: AbortSignal): Pending<T>[] {
    const waiters = this.#signals.get(signal);
    if (waiters === undefined) return [];
    return waiters instanceof Set ? [...waiters] : [waiters];
  }
}
