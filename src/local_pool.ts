import { AbortGroup } from "./abort_group.ts";
import { type Clock, ref, setTimer, unref } from "./clock.ts";
import { DeadlineList } from "./deadline_list.ts";
import type { Entry } from "./entry.ts";
import { Lease, type Lessor } from "./lease.ts";
import { split } from "./partition.ts";
import {
  AcquireTimeoutError,
  PoolClosedError,
  PoolFullError,
} from "./pool_error.ts";
import type { DestroyReason, PoolObserver } from "./pool_observer.ts";
import type { PoolSettings } from "./pool_options.ts";
import type { PoolStats } from "./pool_stats.ts";
import { Stripe } from "./stripe.ts";
import { NONE, type StripeEffect } from "./stripe_effect.ts";
import { StripeSet } from "./stripe_set.ts";
import { Line, Waiter } from "./waiter_queue.ts";

/** A call of user code under a time limit; exactly one callback is called. */
interface Work<R> {
  name: string;
  /** Milliseconds until it counts as failed. */
  limit: number;
  run: () => R | PromiseLike<R>;
  done: (result: R) => void;
  failed: (error: unknown) => void;
  /** What becomes of a result that comes after its limit. */
  late?: (result: R) => void;
  /** Aborted at the limit. */
  controller?: AbortController;
  /** Whether an aborted `close` stops waiting for it. */
  abandonable: boolean;
}

/** A `Work` in flight. */
interface Call<R> {
  readonly work: Work<R>;
  timer: unknown;
  /** Ends the wait for it; `false` if that is over already. */
  end(): boolean;
}

type Counts = Omit<PoolStats, "stripes">;

/** What a failed `destroy` failed with. */
interface Failure {
  error: unknown;
}

/** Resolving a promise with this rejects it, so a waiter holds one function. */
class Rejection implements PromiseLike<never> {
  constructor(readonly error: unknown) {}

  then<A, B>(_: unknown, reject?: ((error: unknown) => B) | null): Promise<A> {
    reject?.(this.error);
    return undefined as never;
  }
}

/**
 * Runs the effects of its stripes: the only place that waits, sets timers or
 * calls user code. There is one behind every `Pool`.
 */
export class LocalPool<T> implements Lessor<T> {
  readonly #settings: PoolSettings<T>;
  readonly #clock: Clock;
  readonly #observer: PoolObserver<T> | undefined;
  readonly #stripes: readonly Stripe<T>[];
  readonly #idle: StripeSet<Stripe<T>>;
  readonly #spare: StripeSet<Stripe<T>>;
  /** Whether an act needs the time even if nobody waits. */
  readonly #timed: boolean;
  /** Whose line the next acquire joins when no stripe can serve it. */
  #turn = 0;

  /** Effects committed while others run, or to run before the next. */
  readonly #backlog: StripeEffect<T>[] = [];
  #running = false;

  /** Acquires not settled yet. */
  #pending = 0;
  readonly #deadlines: DeadlineList = new DeadlineList();
  readonly #groups: Map<AbortSignal, AbortGroup> = new Map();
  /** Set only while something is pending; it keeps the process alive. */
  #alarm: unknown = undefined;
  /** Invariant: no deadline is earlier while `#alarm` is set. */
  #alarmAt = Infinity;
  /**
   * Set while something is idle, and never keeping the process alive. When the
   * last idle resource is taken it is left to run out, else a pool in use
   * would set and clear it for every lease.
   */
  #idleTimer: unknown = undefined;

  // deno-lint-ignore no-explicit-any -- each call has a result of its own
  readonly #calls: Set<Call<any>> = new Set();
  /** The last failure of `create`, unless one has succeeded since. */
  #createError: unknown = undefined;

  #closing: Promise<void> | undefined = undefined;
  /** Settles `#closing`; `undefined` before and after. */
  #settleClose: (() => void) | undefined = undefined;
  readonly #closeSignals: Set<AbortSignal> = new Set();
  readonly #destroyErrors: unknown[] = [];

  constructor(settings: PoolSettings<T>) {
    const { max, stripes, isolated, validate } = settings;
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#observer = settings.observer;
    this.#timed = settings.idleTimeout !== Infinity ||
      settings.observer !== undefined;
    this.#idle = new StripeSet(stripes);
    this.#spare = new StripeSet(stripes);
    const sets = { idle: this.#idle, spare: this.#spare };
    const shared = new Line(validate !== undefined);
    this.#stripes = split(max, stripes).map((share, id) => {
      const line = isolated ? new Line(validate !== undefined) : shared;
      return new Stripe(id, share, line, sets);
    });
    // The set gives its last: so the first stripe is the first to be filled.
    for (let i = stripes; i-- > 0;) this.#spare.add(this.#stripes[i]!);
  }

  /** Leases an idle resource, or waits. `home` is a stripe's id, -1 for any. */
  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease<T>> {
    if (this.#closing !== undefined) return this.#refuse(this.#closedError());
    if (signal?.aborted) return this.#refuse(signal.reason);
    if (timeout === 0) {
      const lease = this.tryAcquire(home);
      if (lease !== undefined) return Promise.resolve(lease);
      return this.#refuse(this.#timeoutError(timeout, this.#counts()));
    }
    const now = this.#timed || timeout !== Infinity ? this.#clock.now() : 0;
    const entry = this.#take(home, now);
    if (entry === undefined || this.#settings.validate !== undefined) {
      return this.#wait(entry, home, now, timeout, signal);
    }
    if (this.#backlog.length > 0) this.#run(NONE);
    return Promise.resolve(this.#lease(entry, now));
  }

  /** Leases an idle resource, if one can be had without waiting. */
  tryAcquire(home: number): Lease<T> | undefined {
    for (;;) {
      const now = this.#now();
      const entry = this.#take(home, now);
      if (this.#backlog.length > 0) this.#run(NONE);
      if (entry === undefined) return undefined;
      const verdict = this.#settings.validate === undefined ||
        this.#validateNow(entry);
      if (verdict === true) return this.#lease(entry, now);
      if (verdict === undefined) return undefined;
    }
  }

  async use<R>(
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    const lease = await this.acquire(home, timeout, signal);
    try {
      const result = await fn(lease.value, lease);
      lease.release();
      return result;
    } catch (error) {
      if (this.#isFatal(error)) lease.destroy();
      else lease.release();
      throw error;
    }
  }

  release(entry: Entry<T>): void {
    // An aborted close took it back.
    if (!entry.used) return;
    const { stripe } = entry;
    // The time is needed only where it becomes idle.
    const now = stripe.line.waiting.length === 0 ? this.#now() : 0;
    this.#commit(stripe, stripe.release(entry, now));
    if (this.#observer !== undefined) {
      const { resource } = entry;
      this.#notify("released", { resource, stripe: stripe.id });
    }
  }

  destroy(entry: Entry<T>): void {
    if (!entry.used) return;
    this.#commit(entry.stripe, entry.stripe.destroy(entry, "lease"));
  }

  clear(): void {
    this.#run(this.#stripes.flatMap((stripe) => stripe.clear()));
  }

  close(signal: AbortSignal | undefined): Promise<void> {
    if (this.#closing === undefined) this.#beginClose();
    if (this.#settleClose !== undefined && signal !== undefined) {
      if (signal.aborted) this.#abandon();
      else if (!this.#closeSignals.has(signal)) {
        this.#closeSignals.add(signal);
        signal.addEventListener("abort", this.#abandon);
      }
    }
    return this.#closing!;
  }

  stats(): PoolStats {
    const stripes = this.#stripes.map((stripe) => stripe.stats());
    return { ...this.#counts(), stripes };
  }

  #counts(): Counts {
    const counts = { idle: 0, used: 0, creating: 0, destroying: 0 };
    for (const stripe of this.#stripes) {
      const { idle, used, creating, destroying } = stripe.stats();
      counts.idle += idle;
      counts.used += used;
      counts.creating += creating;
      counts.destroying += destroying;
    }
    return { ...counts, pending: this.#pending, max: this.#settings.max };
  }

  // Choosing a stripe.

  /** Takes the newest idle entry; what has expired is evicted on the way. */
  #take(home: number, now: number): Entry<T> | undefined {
    const { idleTimeout } = this.#settings;
    for (;;) {
      const stripe = this.#stripeWithIdle(home);
      if (stripe === undefined) return undefined;
      if (now - stripe.newest!.idleSince <= idleTimeout) return stripe.take();
      for (const effect of stripe.sweep(now, idleTimeout)) {
        this.#backlog.push(effect);
      }
    }
  }

  #stripeWithIdle(home: number): Stripe<T> | undefined {
    if (home >= 0) {
      const stripe = this.#stripes[home]!;
      if (stripe.newest !== undefined) return stripe;
      if (this.#settings.isolated) return undefined;
    }
    return this.#idle.last;
  }

  #stripeToWaitAt(home: number): Stripe<T> {
    if (home >= 0) {
      const stripe = this.#stripes[home]!;
      if (stripe.spare > 0 || this.#settings.isolated) return stripe;
    }
    return this.#spare.last ??
      this.#stripes[this.#turn++ % this.#stripes.length]!;
  }

  // Waiters.

  /** Makes a waiter: for the verdict on `entry`, or in line. */
  #wait(
    entry: Entry<T> | undefined,
    home: number,
    now: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease<T>> {
    const stripe = entry?.stripe ?? this.#stripeToWaitAt(home);
    const { line } = stripe;
    if (
      entry === undefined && stripe.spare === 0 &&
      line.pending >= this.#settings.maxPending
    ) {
      this.#run(NONE);
      return this.#refuse(this.#fullError());
    }
    const waiter = new Waiter(line.arrivals++, home, now, timeout);
    const promise = new Promise<Lease<T>>((resolve) => {
      waiter.wake = resolve as (result: unknown) => void;
    });
    this.#pending++;
    this.#run(
      entry === undefined
        ? stripe.wait(waiter)
        : stripe.handOver(waiter, entry),
    );
    if (waiter.queue !== undefined) this.#track(waiter, signal);
    return promise;
  }

  /** From now on its deadline and its signal can cancel the waiter. */
  #track(waiter: Waiter, signal: AbortSignal | undefined): void {
    if (signal !== undefined) {
      if (signal.aborted) return this.#cancel([waiter], signal.reason);
      let group = this.#groups.get(signal);
      if (group === undefined) {
        group = new AbortGroup(signal, this.#cancel);
        this.#groups.set(signal, group);
      }
      group.add(waiter);
      waiter.signal = signal;
    }
    if (waiter.timeout !== Infinity) this.#deadlines.add(waiter);
    const deadline = waiter.since + waiter.timeout;
    if (this.#alarm === undefined || deadline < this.#alarmAt) {
      this.#setAlarm(deadline, waiter.timeout);
    }
  }

  #untrack(waiter: Waiter): void {
    this.#deadlines.remove(waiter);
    const { signal } = waiter;
    if (signal !== undefined && this.#groups.get(signal)!.remove(waiter)) {
      this.#groups.delete(signal);
    }
    if (--this.#pending === 0) this.#clearAlarm();
  }

  readonly #cancel = (waiters: Waiter[], error: unknown): void => {
    const effects: StripeEffect<T>[] = [];
    for (const waiter of waiters) {
      if (waiter.queue === undefined) continue;
      waiter.queue.remove(waiter);
      effects.push({ kind: "reject", waiter, error });
    }
    this.#run(effects);
  };

  #setAlarm(at: number, delay: number): void {
    this.#clearAlarm();
    this.#alarmAt = at;
    this.#alarm = setTimer(this.#clock, this.#onAlarm, delay);
  }

  #clearAlarm(): void {
    if (this.#alarm !== undefined) this.#clock.clearTimeout(this.#alarm);
    this.#alarm = undefined;
  }

  /** Timers may be early or late: deadlines decide. */
  readonly #onAlarm = (): void => {
    this.#alarm = undefined;
    const now = this.#clock.now();
    const counts = this.#counts();
    const effects: StripeEffect<T>[] = [];
    for (const waiter of this.#deadlines.expire(now)) {
      if (waiter.queue === undefined) continue;
      waiter.queue.remove(waiter);
      const error = this.#timeoutError(waiter.timeout, counts);
      effects.push({ kind: "reject", waiter, error });
    }
    this.#run(effects);
    if (this.#pending === 0 || this.#alarm !== undefined) return;
    const earliest = this.#deadlines.earliest();
    this.#setAlarm(earliest, earliest - now);
  };

  // Effects.

  /** Runs the effects of a transition of `stripe`, and what follows from it. */
  #commit(stripe: Stripe<T>, effects: readonly StripeEffect<T>[]): void {
    if (effects !== NONE) this.#run(effects);
    if (this.#idleTimer === undefined && stripe.newest !== undefined) {
      this.#setIdleTimer(this.#settings.idleTimeout);
    }
    if (this.#settleClose !== undefined) this.#finishClose();
  }

  /**
   * Runs effects in the order of their commits. In a loop, never by recursion:
   * those of acts that user code makes meanwhile join the backlog.
   */
  #run(effects: readonly StripeEffect<T>[]): void {
    const backlog = this.#backlog;
    if (this.#running || backlog.length > 0) {
      for (const effect of effects) backlog.push(effect);
      if (this.#running) return;
      effects = NONE;
    }
    this.#running = true;
    try {
      for (const effect of effects) this.#perform(effect);
      for (let i = 0; i < backlog.length; i++) this.#perform(backlog[i]!);
    } finally {
      if (backlog.length > 0) backlog.length = 0;
      this.#running = false;
    }
  }

  #perform(effect: StripeEffect<T>): void {
    switch (effect.kind) {
      case "deliver": {
        const { waiter, entry } = effect;
        this.#untrack(waiter);
        waiter.wake(this.#lease(entry, waiter.since));
        break;
      }
      case "validate":
        this.#validate(effect.waiter, effect.entry);
        break;
      case "reject": {
        const { waiter, error } = effect;
        this.#untrack(waiter);
        if (this.#observer !== undefined) {
          const wait = this.#now() - waiter.since;
          this.#notify("acquireFailed", { error, wait });
        }
        waiter.wake(new Rejection(error));
        break;
      }
      case "create":
        this.#create(effect.stripe, effect.epoch);
        break;
      case "destroy":
        this.#destroy(effect);
        break;
    }
  }

  #lease(entry: Entry<T>, since: number): Lease<T> {
    if (this.#observer !== undefined) {
      const { resource, stripe } = entry;
      const wait = this.#now() - since;
      this.#notify("acquired", { resource, stripe: stripe.id, wait });
    }
    return new Lease(this, entry);
  }

  #create(stripe: Stripe<T>, epoch: number): void {
    const controller = new AbortController();
    const began = this.#now();
    this.#call<T>({
      name: "create",
      limit: this.#settings.createTimeout,
      controller,
      abandonable: true,
      run: () => this.#settings.create({ signal: controller.signal }),
      done: (resource) => {
        this.#createError = undefined;
        const now = this.#now();
        this.#commit(stripe, stripe.created(resource, epoch, now));
        const duration = now - began;
        this.#notify("created", { resource, stripe: stripe.id, duration });
      },
      failed: (error) => {
        this.#createError = error;
        this.#commit(stripe, stripe.createFailed(error));
        const duration = this.#now() - began;
        this.#notify("createFailed", { error, stripe: stripe.id, duration });
      },
      late: (resource) =>
        this.#end(resource, stripe, "late", Infinity, () => {}),
    });
  }

  #destroy(effect: StripeEffect<T> & { kind: "destroy" }): void {
    const { entry: { resource, stripe }, reason } = effect;
    const limit = this.#settings.destroyTimeout;
    this.#end(resource, stripe, reason, limit, (failure) => {
      if (this.#settleClose !== undefined && failure !== undefined) {
        this.#destroyErrors.push(failure.error);
      }
      this.#commit(stripe, stripe.destroyed());
    });
  }

  /** Calls `destroy`, then `settled`, then tells the observer. */
  #end(
    resource: T,
    stripe: Stripe<T>,
    reason: DestroyReason,
    limit: number,
    settled: (failure: Failure | undefined) => void,
  ): void {
    const began = this.#now();
    const end = (failure: Failure | undefined) => {
      settled(failure);
      const duration = this.#now() - began;
      const event = { resource, stripe: stripe.id, reason, duration };
      this.#notify("destroyed", { ...event, ...failure });
    };
    this.#call({
      name: "destroy",
      limit,
      abandonable: false,
      run: () => this.#settings.destroy(resource),
      done: () => end(undefined),
      failed: (error) => end({ error }),
    });
  }

  #validate(waiter: Waiter, entry: Entry<T>): void {
    const { stripe } = entry;
    if (waiter.queue === undefined) {
      return this.#commit(stripe, stripe.release(entry, this.#now()));
    }
    this.#judge(entry, (valid) => {
      if (!valid) return this.#seatAgain(waiter, entry);
      this.#commit(stripe, stripe.valid(waiter, entry, this.#now()));
    });
  }

  /** Drops an invalid entry; its taker, if still there, takes again. */
  #seatAgain(waiter: Waiter, entry: Entry<T>): void {
    const { stripe } = entry;
    const waits = waiter.queue !== undefined;
    this.#backlog.push(...stripe.invalid(waiter, entry));
    if (!waits) return this.#commit(stripe, NONE);
    const home = this.#settings.isolated ? stripe.id : waiter.home;
    const next = this.#take(home, this.#now());
    this.#run(
      next === undefined
        ? this.#stripeToWaitAt(home).waitAgain(waiter)
        : next.stripe.handOver(waiter, next),
    );
  }

  /** The verdict on an entry if it comes at once; a later one still counts. */
  #validateNow(entry: Entry<T>): boolean | undefined {
    const { stripe } = entry;
    let verdict: boolean | undefined;
    let late = false;
    this.#judge(entry, (valid) => {
      verdict = valid;
      if (valid && !late) return;
      this.#commit(
        stripe,
        valid
          ? stripe.release(entry, this.#now())
          : stripe.destroy(entry, "invalid"),
      );
    });
    late = true;
    return verdict;
  }

  #judge(entry: Entry<T>, judged: (valid: boolean) => void): void {
    this.#call<boolean>({
      name: "validate",
      limit: this.#settings.validateTimeout,
      abandonable: true,
      run: () => this.#settings.validate!(entry.resource),
      done: (verdict) => judged(Boolean(verdict)),
      failed: () => judged(false),
    });
  }

  // User code.

  #call<R>(work: Work<R>): void {
    let live = true;
    const call: Call<R> = {
      work,
      timer: undefined,
      end: () => {
        if (!live) return false;
        live = false;
        this.#calls.delete(call);
        if (call.timer !== undefined) this.#clock.clearTimeout(call.timer);
        return true;
      },
    };
    const done = (result: R) => {
      if (call.end()) work.done(result);
      else work.late?.(result);
    };
    const failed = (error: unknown) => {
      if (call.end()) work.failed(error);
    };
    this.#calls.add(call);
    let result: R | PromiseLike<R>;
    try {
      result = work.run();
      if (isThenable(result)) {
        this.#limit(call, failed);
        Promise.resolve(result).then(done, failed);
        return;
      }
    } catch (error) {
      return failed(error);
    }
    done(result);
  }

  #limit<R>(call: Call<R>, failed: (error: unknown) => void): void {
    const { name, limit, controller } = call.work;
    if (limit === Infinity) return;
    call.timer = setTimer(this.#clock, () => {
      const message = `'${name}' did not settle within ${limit} ms`;
      const error = new DOMException(message, "TimeoutError");
      if (controller !== undefined) controller.abort(error);
      failed(error);
    }, limit);
    // While somebody awaits the close, the process must live to see it settle.
    if (this.#settleClose === undefined) unref(call.timer);
  }

  #isFatal(error: unknown): boolean {
    try {
      return this.#settings.isFatal?.(error) ?? true;
    } catch {
      return true;
    }
  }

  #notify<K extends keyof PoolObserver<T>>(
    name: K,
    event: Parameters<NonNullable<PoolObserver<T>[K]>>[0],
  ): void {
    try {
      const result: unknown = this.#observer?.[name]?.(event as never);
      if (isThenable(result)) Promise.resolve(result).catch(() => {});
    } catch {
      // An observer only watches.
    }
  }

  // Time.

  #now(): number {
    return this.#timed ? this.#clock.now() : 0;
  }

  #setIdleTimer(delay: number): void {
    if (delay === Infinity) return;
    // One more, as a resource as old as `idleTimeout` stays.
    this.#idleTimer = setTimer(this.#clock, this.#onIdleTimer, delay + 1);
    unref(this.#idleTimer);
  }

  #clearIdleTimer(): void {
    if (this.#idleTimer === undefined) return;
    this.#clock.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }

  readonly #onIdleTimer = (): void => {
    this.#idleTimer = undefined;
    const { idleTimeout } = this.#settings;
    const now = this.#clock.now();
    this.#run(this.#stripes.flatMap((s) => s.sweep(now, idleTimeout)));
    let oldest = Infinity;
    for (const stripe of this.#stripes) {
      oldest = Math.min(oldest, stripe.oldest?.idleSince ?? Infinity);
    }
    if (this.#idleTimer === undefined) {
      this.#setIdleTimer(oldest + idleTimeout - now);
    }
  };

  // Close.

  #beginClose(): void {
    this.#closing = new Promise((resolve, reject) => {
      this.#settleClose = () => {
        const errors = this.#destroyErrors;
        if (errors.length === 0) return resolve();
        if (errors.length === 1) return reject(errors[0]);
        const message = `${errors.length} resources were not destroyed well`;
        reject(new AggregateError(errors, message));
      };
    });
    this.#clearIdleTimer();
    for (const call of this.#calls) ref(call.timer);
    const error = this.#closedError();
    this.#run(this.#stripes.flatMap((stripe) => stripe.close(error)));
    this.#finishClose();
  }

  /** Stops waiting for leases and creates. */
  readonly #abandon = (): void => {
    const effects = this.#stripes.flatMap((stripe) => stripe.abandon());
    const given = [...this.#calls].filter((call) =>
      call.work.abandonable && call.end()
    );
    this.#run(effects);
    const error = this.#closedError();
    for (const { work } of given) work.controller?.abort(error);
    this.#finishClose();
  };

  /** Settles the close once nothing is out. */
  #finishClose(): void {
    const settle = this.#settleClose;
    if (settle === undefined) return;
    if (this.#stripes.some((stripe) => stripe.spare < stripe.max)) return;
    this.#settleClose = undefined;
    for (const signal of this.#closeSignals) {
      signal.removeEventListener("abort", this.#abandon);
    }
    this.#closeSignals.clear();
    settle();
  }

  // Errors.

  #refuse(error: unknown): Promise<never> {
    this.#notify("acquireFailed", { error, wait: 0 });
    return Promise.reject(error);
  }

  #closedError(): PoolClosedError {
    return new PoolClosedError(
      `Cannot acquire from pool '${this.#settings.name}' as it is closed`,
    );
  }

  #fullError(): PoolFullError {
    const { name, maxPending } = this.#settings;
    return new PoolFullError(
      `Cannot acquire from pool '${name}' as ${maxPending} are pending: ` +
        show(this.#counts()),
    );
  }

  #timeoutError(timeout: number, counts: Counts): AcquireTimeoutError {
    const { name } = this.#settings;
    return new AcquireTimeoutError(
      `Cannot acquire from pool '${name}' within ${timeout} ms: ` +
        show(counts),
      this.#createError === undefined ? {} : { cause: this.#createError },
    );
  }
}

function show(counts: Counts): string {
  return Object.entries(counts).map(([name, n]) => `${n} ${name}`).join(", ");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then ===
    "function";
}
