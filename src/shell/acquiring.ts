import type { Entry } from "../core/entry.ts";
import type { Line } from "../core/line.ts";
import type { Partition } from "../core/partition.ts";
import { Lease, type Lessor, releaseFailed } from "../lease.ts";
import { withoutStack } from "../pool_error.ts";
import type { Time } from "../time.ts";
import { Cancellation, type Canceller } from "./cancellation.ts";
import type { Closing } from "./closing.ts";
import type { Context } from "./context.ts";
import type { Parts } from "./parts.ts";
import { Pending } from "./pending.ts";
import type { Stocking } from "./stocking.ts";
import type { Supply } from "./supply.ts";
import type { Tape } from "./tape.ts";
import { isThenable } from "./user_call.ts";
import type { Validating } from "./validating.ts";

/** Makes leases: at once, or for those who wait. */
export class Acquiring<T> implements Canceller<T> {
  // What each acquire reads is first, so that it lies together.
  /** Whether newcomers are refused: the pool closes. */
  refuses = false;
  readonly #time: Time;
  readonly #tape: Tape<T>;
  readonly #partition: Partition<T>;
  readonly #validates: boolean;
  /** Whether those who come now are told of. */
  isObserved = false;
  readonly #lessor: Lessor<T>;
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;
  readonly #supply: Supply<T>;
  readonly #stocking: Stocking<T>;
  readonly #validating: Validating<T>;
  readonly #cancellation: Cancellation<T>;

  constructor(
    parts: Parts<T>,
    context: Context,
    lessor: Lessor<T>,
    tape: Tape<T>,
    closing: Closing<T>,
    supply: Supply<T>,
    stocking: Stocking<T>,
    validating: Validating<T>,
  ) {
    this.#parts = parts;
    this.#partition = parts.partition;
    this.#time = parts.time;
    this.#lessor = lessor;
    this.#tape = tape;
    this.#closing = closing;
    this.#supply = supply;
    this.#stocking = stocking;
    this.#validating = validating;
    this.#cancellation = new Cancellation(parts.time, context, this);
    this.#validates = parts.settings.validate !== undefined;
  }

  /** Leases an idle resource, or waits. `home` is a stripe's id, -1 for any. */
  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
  ): Promise<Lease<T>> {
    if (this.refuses || timeout === 0 || isAborted) {
      return this.#acquireNow(home, timeout, signal, isAborted);
    }
    const now = this.#time.now();
    const { end } = this.#tape;
    const entry = this.#partition.take(home, now);
    if (entry === undefined) {
      const { fault } = this.#time;
      if (fault === undefined) {
        return this.#wait(home, now, timeout, signal, priority);
      }
      this.#parts.play();
      return this.#refuse(fault);
    }
    if (this.#validates || this.#tape.end !== end) {
      return this.#takeUp(entry, home, now, timeout, signal, end, priority);
    }
    return this.#resolve(entry, now);
  }

  /** Leases an idle resource, if one can be had without waiting. */
  tryAcquire(home: number): Lease<T> | undefined {
    if (this.refuses) return undefined;
    const now = this.#time.now();
    const entry = this.#partition.take(home, now);
    // No user code has run since it was taken.
    return entry !== undefined && !this.#validates && this.#tape.end === 0
      ? this.#lease(entry, now)
      : this.#tryOn(entry, home, now);
  }

  async use<R>(
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
    isFatal: ((error: unknown) => boolean) | undefined,
  ): Promise<R> {
    const lease = await this.acquire(
      home,
      timeout,
      signal,
      isAborted,
      priority,
    );
    const { value } = lease;
    try {
      const result = await fn(value, lease);
      lease.release();
      return result;
    } catch (error) {
      // In a pool that closes the resource is destroyed whatever the verdict.
      const isLost = this.#closing.hasBegun || this.#isFatal(error, isFatal);
      if (isLost) lease.destroy();
      else releaseFailed(lease);
      throw error;
    }
  }

  // Acquiring.

  /** As `tryAcquire`: more is to be done before what was taken can be leased. */
  #tryOn(
    taken: Entry<T> | undefined,
    home: number,
    takenAt: number,
  ): Lease<T> | undefined {
    let entry = taken;
    let now = takenAt;
    for (;;) {
      // What is evicted is destroyed within the call: the caller cannot wait.
      if (this.#tape.end !== 0) this.#parts.playNow();
      if (entry === undefined) return undefined;
      const isOurs = this.#isOurs(entry);
      const { isLost } = entry;
      const line = this.#partition.lineOf(entry.stripe);
      const isSuspect = this.#validates && line.isSuspect(entry, now);
      if (!isSuspect && !isLost && isOurs) return this.#lease(entry, now);
      const verdict = !isOurs || !isLost && this.#validating.ask(entry, now);
      if (verdict === true && this.#isOurs(entry)) {
        return this.#lease(entry, now);
      }
      this.#validating.judge(entry, verdict);
      if (verdict !== false) return undefined;
      this.#parts.playNow();
      if (this.refuses) return undefined;
      now = this.#time.now();
      entry = this.#partition.take(home, now);
    }
  }

  /** An acquire that does not wait: it has no time to, or is refused. */
  #acquireNow(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
  ): Promise<Lease<T>> {
    if (this.refuses) return this.#refuseClosed(home);
    if (isAborted) return this.#refuse(signal!.reason);
    const lease = this.tryAcquire(home);
    if (lease !== undefined) return Promise.resolve(lease);
    const now = this.#time.now();
    if (this.refuses) return this.#refuseClosed(home);
    const line = this.#partition.lineOf(
      this.#partition.homeOf(home),
    );
    const errorOf = this.#parts.refusals.timeouts(line, now);
    return this.#refuse(errorOf({ since: now, timeout }));
  }

  /** An acquire joins the line. */
  #wait(
    home: number,
    now: number,
    timeout: number,
    signal: AbortSignal | undefined,
    priority: number,
  ): Promise<Lease<T>> {
    // Reading the clock may have closed the pool.
    if (this.refuses) return this.#refuseClosed(home);
    this.#stocking.begin();
    const preferred = this.#partition.homeOf(home);
    const line = this.#partition.lineOf(preferred);
    const { maxPending } = this.#parts.settings;
    const isFull = line.pending >= maxPending;
    if (isFull && !this.#canCreate(line, now)) {
      return this.#refuse(this.#parts.refusals.full(line, now));
    }
    const waiter = new Pending<T>(
      line.arrive(),
      preferred,
      now,
      timeout,
      priority,
    );
    const promise = this.#promise(waiter);
    this.#supply.join(line, waiter, isFull);
    return this.#track(waiter, signal, promise);
  }

  /** A gate may be due to open that no timer has opened. */
  #canCreate(line: Line<T>, now: number): boolean {
    this.#supply.look(line, now);
    if (line.canCreate) return true;
    this.#parts.play();
    return false;
  }

  /**
   * An acquire has taken an entry, and more is to be done before it gets it:
   * what was evicted on the way since `end` goes first, or a verdict is needed.
   */
  #takeUp(
    entry: Entry<T>,
    home: number,
    now: number,
    timeout: number,
    signal: AbortSignal | undefined,
    end: number,
    priority: number,
  ): Promise<Lease<T>> {
    const isAhead = this.#tape.end === end;
    const { stripe } = entry;
    const line = this.#partition.lineOf(stripe);
    // What user code acquires meanwhile comes after it.
    const order = line.arrive();
    const isSuspect = this.#validates && line.isSuspect(entry, now);
    const verdict = isAhead && (!isSuspect || this.#validating.ask(entry, now));
    if (!this.#isOurs(entry)) {
      this.#validating.judge(entry, verdict);
      return this.#refuseClosed(stripe);
    }
    if (verdict === true) return this.#resolve(entry, now);
    const preferred = this.#partition.lines.length === 1 ? home : stripe;
    const waiter = new Pending<T>(order, preferred, now, timeout, priority);
    const promise = this.#promise(waiter);
    if (isSuspect) line.judge(waiter, entry);
    if (isAhead) this.#validating.judge(entry, verdict);
    else if (isSuspect) this.#tape.validate(waiter, entry);
    else this.#tape.deliver(waiter, entry);
    return this.#track(waiter, signal, promise);
  }

  /** The caller's promise; with an observer it tells in the caller's context. */
  #promise(waiter: Pending<T>): Promise<Lease<T>> {
    if (this.#validates) void this.#validating.attend(waiter);
    return this.isObserved ? this.#told(waiter) : waiter.promise();
  }

  async #told(waiter: Pending<T>): Promise<Lease<T>> {
    const { since } = waiter;
    waiter.isTold = true;
    try {
      const entry = await waiter.promise<Entry<T>>();
      const lease = entry.place === "used"
        ? this.#lease(entry, since)
        : undefined;
      if (lease !== undefined) return lease;
      throw this.#closed(waiter, entry);
    } catch (error) {
      this.#parts.events.tell("acquireFailed", {
        error,
        wait: this.#parts.now() - since,
      });
      throw error;
    }
  }

  #track(
    waiter: Pending<T>,
    signal: AbortSignal | undefined,
    promise: Promise<Lease<T>>,
  ): Promise<Lease<T>> {
    waiter.signal = signal;
    this.#parts.play();
    if (waiter.at !== undefined) this.#cancellation.track(waiter);
    return promise;
  }

  /** Whether an entry was not taken back, and may be handed to a newcomer. */
  #isOurs(entry: Entry<T>): boolean {
    return entry.place === "used" && !this.#closing.hasBegun;
  }

  #resolve(entry: Entry<T>, since: number): Promise<Lease<T>> {
    const lease = this.#lease(entry, since);
    return lease !== undefined
      ? Promise.resolve(lease)
      : this.#refuseClosed(entry.stripe);
  }

  /** A lease, unless the observer has the pool take the entry back. */
  #lease(entry: Entry<T>, since: number): Lease<T> | undefined {
    return !this.isObserved || this.#isTold(entry, since)
      ? new Lease(entry, this.#lessor)
      : undefined;
  }

  #isTold(entry: Entry<T>, since: number): boolean {
    this.#parts.events.acquired(entry, this.#parts.now() - since);
    return entry.place === "used";
  }

  deliver(waiter: Pending<T>, entry: Entry<T>): void {
    // An aborted close took it back.
    if (entry.place !== "used") {
      return this.reject(waiter, this.#closed(waiter, entry));
    }
    this.#cancellation.untrack(waiter);
    // In a line that is closed it would wait for ever.
    if (entry.isLost && !this.#closing.hasBegun) {
      const line = this.#partition.lineOf(entry.stripe);
      line.handBack(waiter, entry, this.#parts.now());
      // What would have cancelled it on its way has not been heard.
      return this.#cancellation.track(waiter);
    }
    waiter.resolve(waiter.isTold ? entry : new Lease(entry, this.#lessor));
  }

  /** Its turn has come, and it has waited too long. */
  shed(waiter: Pending<T>): void {
    const line = this.#partition.lineOf(waiter.home);
    const now = this.#time.now();
    this.reject(
      waiter,
      withoutStack(() => this.#parts.refusals.overloaded(line, now, waiter)),
    );
  }

  reject(waiter: Pending<T>, error: unknown): void {
    this.#cancellation.untrack(waiter);
    this.#supply.left(this.#partition.lineOf(waiter.home), waiter);
    waiter.reject(error);
  }

  // Cancelling.

  abort(waiters: Iterable<Pending<T>>, reason: unknown): void {
    for (const waiter of waiters) {
      this.#partition.lineOf(waiter.home).cancel(waiter, reason);
    }
    this.#parts.play();
  }

  expire(waiters: Pending<T>[], now: number): void {
    // The counts are those from before anyone left.
    const errors = new Map<Line<T>, (waiter: Pending<T>) => Error>();
    for (const waiter of waiters) {
      const line = this.#partition.lineOf(waiter.home);
      if (errors.has(line)) continue;
      errors.set(line, this.#parts.refusals.timeouts(line, now, waiter));
    }
    withoutStack(() => {
      for (const waiter of waiters) {
        const line = this.#partition.lineOf(waiter.home);
        line.cancel(waiter, errors.get(line)!(waiter));
      }
    });
    const { timeout } = waiters.at(-1)!;
    for (const line of errors.keys()) this.#supply.timedOut(line, timeout, now);
    this.#parts.play();
  }

  #isFatal(
    error: unknown,
    own: ((error: unknown) => boolean) | undefined,
  ): boolean {
    const { isFatal, reset } = this.#parts.settings;
    try {
      const isAsked = own ?? isFatal;
      if (isAsked === undefined) return reset === undefined;
      const verdict: unknown = isAsked(error);
      if (!isThenable(verdict)) return Boolean(verdict);
      Promise.resolve(verdict).catch(() => {});
      return true;
    } catch {
      return true;
    }
  }

  /** One gets nothing any more: a close took back what it was to get. */
  #closed(waiter: Pending<T>, { stripe }: Entry<T>): Error {
    const line = this.#partition.lineOf(stripe);
    return this.#parts.refusals.closing(line, this.#time.now())(waiter);
  }

  #refuseClosed(home: number): Promise<never> {
    return this.#refuse(this.#parts.refusals.closed(home));
  }

  #refuse(error: unknown): Promise<never> {
    this.#parts.events.tell("acquireFailed", { error, wait: 0 });
    return Promise.reject(error);
  }
}
