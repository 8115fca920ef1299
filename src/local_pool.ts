import { Cancellation } from "./cancellation.ts";
import { type Clock, setTimer, SystemClock, unref } from "./clock.ts";
import type { Entry } from "./entry.ts";
import { Lease } from "./lease.ts";
import { split } from "./partition.ts";
import {
  AcquireTimeoutError,
  PoolClosedError,
  PoolFullError,
  withoutStack,
} from "./pool_error.ts";
import type { DestroyReason, PoolObserver } from "./pool_observer.ts";
import type { PoolSettings } from "./pool_options.ts";
import type { PoolStats } from "./pool_stats.ts";
import { type Lessor, Stripe } from "./stripe.ts";
import { EffectQueue, type StripeEffect } from "./stripe_effect.ts";
import { StripeSets } from "./stripe_set.ts";
import { isThenable, UserCalls } from "./user_call.ts";
import { Line, Waiter } from "./waiter_queue.ts";

type Counts = Omit<PoolStats, "stripes">;

/** What a failed `destroy` failed with. */
interface Failure {
  readonly error: unknown;
}

/**
 * Runs the effects of its stripes. With its `UserCalls` and `Cancellation` it
 * is the only place that waits, sets timers or calls user code.
 */
export class LocalPool<T> implements Lessor<T> {
  private readonly settings: PoolSettings<T>;
  private readonly clock: Clock;
  private readonly idleTimeout: number;
  private readonly validates: boolean;
  /** Whether a stripe serves only those who name it as their home. */
  private readonly isHomeOnly: boolean;
  private readonly observer: PoolObserver<T> | undefined;
  /** Whether an act needs the time even if nobody waits. */
  private readonly isTimed: boolean;
  private readonly stripes: readonly Stripe<T>[];
  private readonly sets = new StripeSets<Stripe<T>>();
  /** Whose line the next acquire joins when no stripe can serve it. */
  private turn = 0;

  /** Effects that are committed and not yet run. */
  private readonly effects = new EffectQueue<T>();
  private isRunning = false;
  private readonly calls: UserCalls;
  private readonly cancellation: Cancellation;
  /**
   * Set while something is idle, and never keeping the process alive. When the
   * last idle resource is taken it is left to run out, else a pool in use
   * would set and clear it for every lease.
   */
  private idleTimer: unknown = undefined;
  /** The last failure of `create`, unless one has succeeded since. */
  private createError: unknown = undefined;

  private closing: Promise<void> | undefined = undefined;
  /** Settles `closing`; `undefined` before and after. */
  private settleClose: (() => void) | undefined = undefined;
  private readonly closeSignals = new Set<AbortSignal>();
  private readonly destroyErrors: unknown[] = [];

  constructor(settings: PoolSettings<T>) {
    const { max, stripes, isolated, idleTimeout, observer } = settings;
    const validates = settings.validate !== undefined;
    this.settings = settings;
    this.clock = settings.clock;
    this.observer = observer;
    this.idleTimeout = idleTimeout;
    this.validates = validates;
    this.isHomeOnly = isolated || stripes === 1;
    this.isTimed = idleTimeout !== Infinity || observer !== undefined;
    this.calls = new UserCalls(this.clock);
    this.cancellation = new Cancellation(this.clock, {
      abort: (waiters, reason) => this.cancel(waiters, () => reason),
      expire: (waiters) => this.expire(waiters),
    });
    const shared = new Line(validates);
    this.stripes = split(max, stripes).map((share, id) =>
      new Stripe(
        id,
        share,
        isolated ? new Line(validates) : shared,
        this.sets,
        this,
      )
    );
    // The set gives its last: so the first stripe is the first to be filled.
    for (let i = stripes; i-- > 0;) this.sets.addSpare(this.stripes[i]!);
  }

  /** Leases an idle resource, or waits. `home` is a stripe's id, -1 for any. */
  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease<T>> {
    if (
      this.closing !== undefined || timeout === 0 || signal?.aborted === true
    ) {
      return this.acquireNow(home, timeout, signal);
    }
    const now = this.isTimed || timeout !== Infinity ? this.clock.now() : 0;
    const entry = this.take(home, now);
    if (entry === undefined || this.validates) {
      return this.wait(entry, home, now, timeout, signal);
    }
    this.run();
    return Promise.resolve(this.lease(entry, now));
  }

  /** An acquire that does not wait: it has no time to, or is refused. */
  private acquireNow(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease<T>> {
    if (this.closing !== undefined) return this.refuse(this.closedError());
    if (signal?.aborted) return this.refuse(signal.reason);
    const lease = this.tryAcquire(home);
    return lease !== undefined
      ? Promise.resolve(lease)
      : this.refuse(this.timeoutError(timeout, show(this.counts())));
  }

  /** Leases an idle resource, if one can be had without waiting. */
  tryAcquire(home: number): Lease<T> | undefined {
    for (;;) {
      const now = this.now();
      const entry = this.take(home, now);
      this.run();
      if (entry === undefined) return undefined;
      const verdict = this.validates ? this.validateNow(entry) : true;
      if (verdict === true) return this.lease(entry, now);
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
      if (this.isFatal(error)) lease.destroy();
      else lease.release();
      throw error;
    }
  }

  release(entry: Entry<T>): void {
    // An aborted close took it back.
    if (!entry.used) return;
    const { stripe } = entry;
    // The time is needed only where it becomes idle.
    const now = stripe.line.waiting.length === 0 ? this.now() : 0;
    const effects = stripe.release(entry, now);
    if (effects !== undefined) this.effects.push(effects);
    if (this.observer !== undefined) this.tellReleased(entry);
    if (effects !== undefined) this.follow(stripe);
    else if (this.idleTimer === undefined) this.watchIdle(stripe);
  }

  destroy(entry: Entry<T>): void {
    if (!entry.used) return;
    this.effects.push(entry.stripe.destroy(entry, "lease"));
    this.run();
  }

  clear(): void {
    for (const stripe of this.stripes) this.effects.push(stripe.clear());
    this.run();
  }

  close(signal: AbortSignal | undefined): Promise<void> {
    const closing = this.closing ?? this.beginClose();
    if (this.settleClose !== undefined && signal !== undefined) {
      if (signal.aborted) this.abandon();
      else {
        this.closeSignals.add(signal);
        signal.addEventListener("abort", this.abandon);
      }
    }
    return closing;
  }

  stats(): PoolStats {
    const stripes = this.stripes.map((stripe) => stripe.stats());
    return { ...this.counts(), stripes };
  }

  private counts(): Counts {
    const counts = { idle: 0, used: 0, creating: 0, destroying: 0, pending: 0 };
    for (const stripe of this.stripes) {
      const { idle, used, creating, destroying, pending } = stripe.stats();
      counts.idle += idle;
      counts.used += used;
      counts.creating += creating;
      counts.destroying += destroying;
      // All stripes report the same one line, unless isolated.
      if (this.settings.isolated) counts.pending += pending;
      else counts.pending = pending;
    }
    return { ...counts, max: this.settings.max };
  }

  // The choice of a stripe.

  /** Takes the newest idle entry; what has expired is evicted on the way. */
  private take(home: number, now: number): Entry<T> | undefined {
    for (;;) {
      const stripe = this.stripeWithIdle(home);
      if (stripe === undefined) return undefined;
      if (now - stripe.newest!.idleSince <= this.idleTimeout) {
        return stripe.take();
      }
      this.effects.push(stripe.sweep(now, this.idleTimeout));
    }
  }

  private stripeWithIdle(home: number): Stripe<T> | undefined {
    if (home >= 0) {
      const stripe = this.stripes[home]!;
      if (stripe.newest !== undefined) return stripe;
      if (this.isHomeOnly) return undefined;
    }
    return this.sets.withIdle();
  }

  private stripeToWaitAt(home: number): Stripe<T> {
    if (home >= 0) {
      const stripe = this.stripes[home]!;
      if (stripe.spare > 0 || this.isHomeOnly) return stripe;
    }
    return this.sets.withSpare() ??
      this.stripes[this.turn++ % this.stripes.length]!;
  }

  // Waiters.

  /** Makes a waiter: for the verdict on `entry`, or in line. */
  private wait(
    entry: Entry<T> | undefined,
    home: number,
    now: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease<T>> {
    const stripe = entry === undefined
      ? this.stripeToWaitAt(home)
      : entry.stripe;
    const { line } = stripe;
    if (
      entry === undefined && stripe.spare === 0 &&
      line.pending >= this.settings.maxPending
    ) {
      this.run();
      return this.refuse(this.fullError());
    }
    const waiter = new Waiter(line.arrivals++, home, now, timeout);
    const promise = new Promise<Lease<T>>(capture);
    waiter.wake = captured;
    this.effects.push(
      entry === undefined
        ? stripe.wait(waiter)
        : stripe.handOver(waiter, entry),
    );
    this.run();
    if (waiter.queue !== undefined) this.track(waiter, signal);
    return promise;
  }

  private track(waiter: Waiter, signal: AbortSignal | undefined): void {
    // User code may have aborted it while the effects ran.
    if (signal !== undefined && signal.aborted) {
      return this.cancel([waiter], () => signal.reason);
    }
    try {
      this.cancellation.track(waiter, signal);
    } catch (error) {
      this.cancel([waiter], () => error);
    }
  }

  private cancel(waiters: Waiter[], error: (waiter: Waiter) => unknown): void {
    for (const waiter of waiters) {
      if (waiter.queue === undefined) continue;
      waiter.queue.remove(waiter);
      const next = undefined;
      this.effects.push({ kind: "reject", waiter, error: error(waiter), next });
    }
    this.run();
  }

  private expire(waiters: Waiter[]): void {
    const counts = show(this.counts());
    this.cancel(
      waiters,
      ({ timeout }) => withoutStack(() => this.timeoutError(timeout, counts)),
    );
  }

  // Effects.

  /** Runs the effects of a transition of `stripe`, and sees what follows. */
  private follow(stripe: Stripe<T>): void {
    this.run();
    this.watchIdle(stripe);
    if (this.settleClose !== undefined) this.finishClose();
  }

  /**
   * Runs all effects in the order of their commits: in a loop, never by
   * recursion, so those of acts that user code makes meanwhile come after.
   */
  private run(): void {
    if (this.isRunning || this.effects.first === undefined) return;
    this.isRunning = true;
    try {
      for (let effect; (effect = this.effects.shift()) !== undefined;) {
        this.perform(effect);
      }
    } finally {
      this.isRunning = false;
    }
  }

  private perform(effect: StripeEffect<T>): void {
    switch (effect.kind) {
      case "deliver":
      case "validate":
        return this.handOver(effect);
      case "reject":
        return this.reject(effect.waiter, effect.error);
      case "create":
        return this.create(effect.stripe, effect.epoch);
      case "destroy":
        return this.end(effect.entry, effect.reason);
    }
  }

  private handOver(entry: Entry<T>): void {
    const waiter = entry.waiter!;
    entry.waiter = undefined;
    if (entry.kind === "validate") this.validate(waiter, entry);
    else this.deliver(waiter, entry);
  }

  private deliver(waiter: Waiter, entry: Entry<T>): void {
    // An aborted close took it back.
    if (!entry.used) return this.reject(waiter, this.closedError());
    this.cancellation.untrack(waiter);
    waiter.wake(this.lease(entry, waiter.since));
  }

  private reject(waiter: Waiter, error: unknown): void {
    this.cancellation.untrack(waiter);
    if (this.observer !== undefined) {
      const wait = this.now() - waiter.since;
      this.notify("acquireFailed", { error, wait });
    }
    waiter.wake(new Rejection(error));
  }

  private lease(entry: Entry<T>, since: number): Lease<T> {
    if (this.observer !== undefined) this.tellAcquired(entry, since);
    return new Lease(entry);
  }

  private create(stripe: Stripe<T>, epoch: number): void {
    const began = this.now();
    const failed = (error: unknown) => {
      this.createError = error;
      this.effects.push(stripe.createFailed(error));
      const duration = this.now() - began;
      this.notify("createFailed", { error, stripe: stripe.id, duration });
      this.follow(stripe);
    };
    if (this.closing !== undefined) return failed(this.closedError());
    const controller = new AbortController();
    this.calls.run<T>({
      name: "create",
      limit: this.settings.createTimeout,
      run: () => this.settings.create({ signal: controller.signal }),
      done: (resource) => {
        this.createError = undefined;
        const now = this.now();
        this.effects.push(stripe.created(resource, epoch, now));
        const duration = now - began;
        this.notify("created", { resource, stripe: stripe.id, duration });
        this.follow(stripe);
      },
      failed: (error, isLate) => {
        if (isLate) controller.abort(error);
        failed(error);
      },
      abandoned: () => {
        const error = this.closedError();
        failed(error);
        controller.abort(error);
      },
      // Its slot is gone: nobody waits for the end of this one.
      late: (resource) => this.callDestroy(resource, stripe, "late", Infinity),
    });
  }

  /** Ends an entry that has left its stripe; its slot is vacated after. */
  private end({ resource, stripe }: Entry<T>, reason: DestroyReason): void {
    const limit = this.settings.destroyTimeout;
    this.callDestroy(resource, stripe, reason, limit, (failure, isLate) => {
      if (failure !== undefined && !isLate && this.settleClose !== undefined) {
        this.destroyErrors.push(failure.error);
      }
      this.effects.push(stripe.destroyed());
    });
  }

  private callDestroy(
    resource: T,
    stripe: Stripe<T>,
    reason: DestroyReason,
    limit: number,
    settled?: (failure: Failure | undefined, isLate: boolean) => void,
  ): void {
    const began = this.now();
    const end = (failure: Failure | undefined, isLate: boolean) => {
      settled?.(failure, isLate);
      const duration = this.now() - began;
      const event = { resource, stripe: stripe.id, reason, duration };
      this.notify("destroyed", { ...event, ...failure });
      this.follow(stripe);
    };
    this.calls.run({
      name: "destroy",
      limit,
      run: () => this.settings.destroy(resource),
      done: () => end(undefined, false),
      failed: (error, isLate) => end({ error }, isLate),
    });
  }

  // Validation.

  private validate(waiter: Waiter, entry: Entry<T>): void {
    // An aborted close took it back.
    if (!entry.used) return;
    const { stripe } = entry;
    if (waiter.queue === undefined) {
      this.effects.push(stripe.release(entry, this.now()));
      return this.follow(stripe);
    }
    this.judge(entry, (isValid) => {
      if (!isValid) return this.takeAgain(waiter, entry);
      this.effects.push(stripe.valid(waiter, entry, this.now()));
      this.follow(stripe);
    });
  }

  /** Drops an invalid entry; its taker, if still there, takes again. */
  private takeAgain(waiter: Waiter, entry: Entry<T>): void {
    const { stripe } = entry;
    const isWaiting = waiter.queue !== undefined;
    this.effects.push(stripe.invalid(waiter, entry));
    if (isWaiting) {
      const home = this.settings.isolated ? stripe.id : waiter.home;
      const next = this.take(home, this.now());
      this.effects.push(
        next === undefined
          ? this.stripeToWaitAt(home).waitAgain(waiter)
          : next.stripe.handOver(waiter, next),
      );
    }
    this.run();
  }

  /** The verdict on an entry if it comes at once; a later one still counts. */
  private validateNow(entry: Entry<T>): boolean | undefined {
    const { stripe } = entry;
    let verdict: boolean | undefined;
    let isLate = false;
    this.judge(entry, (isValid) => {
      verdict = isValid;
      // Then it goes to the caller of `tryAcquire`.
      if (isValid && !isLate) return;
      this.effects.push(
        isValid
          ? stripe.release(entry, this.now())
          : stripe.destroy(entry, "invalid"),
      );
      this.follow(stripe);
    });
    isLate = true;
    return verdict;
  }

  private judge(entry: Entry<T>, judged: (isValid: boolean) => void): void {
    this.calls.run<boolean>({
      name: "validate",
      limit: this.settings.validateTimeout,
      run: () => this.settings.validate!(entry.resource),
      done: (verdict) => judged(Boolean(verdict)),
      failed: () => judged(false),
      // The close has settled its taker and destroys the entry.
      abandoned: () => {},
    });
  }

  private isFatal(error: unknown): boolean {
    try {
      return this.settings.isFatal?.(error) ?? true;
    } catch {
      return true;
    }
  }

  private tellAcquired({ resource, stripe }: Entry<T>, since: number): void {
    const wait = this.now() - since;
    this.notify("acquired", { resource, stripe: stripe.id, wait });
  }

  private tellReleased({ resource, stripe }: Entry<T>): void {
    this.notify("released", { resource, stripe: stripe.id });
  }

  private notify<K extends keyof PoolObserver<T>>(
    name: K,
    event: Parameters<NonNullable<PoolObserver<T>[K]>>[0],
  ): void {
    try {
      const result: unknown = this.observer?.[name]?.(event as never);
      if (isThenable(result)) Promise.resolve(result).catch(() => {});
    } catch {
      // An observer only watches.
    }
  }

  // Time.

  private now(): number {
    return this.isTimed ? this.clock.now() : 0;
  }

  private watchIdle(stripe: Stripe<T>): void {
    if (this.idleTimer === undefined && stripe.newest !== undefined) {
      this.setIdleTimer(this.idleTimeout);
    }
  }

  private setIdleTimer(delay: number): void {
    if (delay === Infinity) return;
    // One more, as a resource as old as `idleTimeout` stays.
    this.idleTimer = setTimer(this.clock, this.onIdleTimer, delay + 1);
    unref(this.idleTimer);
  }

  private readonly onIdleTimer = (): void => {
    this.idleTimer = undefined;
    const { idleTimeout } = this.settings;
    const now = this.clock.now();
    let oldest = Infinity;
    for (const stripe of this.stripes) {
      this.effects.push(stripe.sweep(now, idleTimeout));
      oldest = Math.min(oldest, stripe.oldest?.idleSince ?? Infinity);
    }
    this.setIdleTimer(oldest + idleTimeout - now);
    this.run();
  };

  // Close.

  private beginClose(): Promise<void> {
    // One step after the last destroy, so those rejected now know it first.
    this.closing = new Promise<void>((resolve) => {
      this.settleClose = resolve;
    }).then(() => {
      const errors = this.destroyErrors;
      if (errors.length === 0) return;
      if (errors.length === 1) throw errors[0];
      const message = `${errors.length} resources were not destroyed`;
      throw new AggregateError(errors, message);
    });
    if (this.idleTimer !== undefined) this.clock.clearTimeout(this.idleTimer);
    this.calls.keepAlive();
    const error = this.closedError();
    for (const stripe of this.stripes) this.effects.push(stripe.close(error));
    this.run();
    this.finishClose();
    return this.closing;
  }

  /** Waits no longer for leases and creates. */
  private readonly abandon = (): void => {
    for (const stripe of this.stripes) this.effects.push(stripe.abandon());
    this.calls.abandon();
    this.run();
    this.finishClose();
  };

  /** Settles the close once nothing is out. */
  private finishClose(): void {
    const settle = this.settleClose;
    if (settle === undefined) return;
    if (this.stripes.some((stripe) => stripe.spare < stripe.max)) return;
    this.settleClose = undefined;
    if (this.clock instanceof SystemClock) this.clock.stop();
    for (const signal of this.closeSignals) {
      signal.removeEventListener("abort", this.abandon);
    }
    settle();
  }

  // Errors.

  private refuse(error: unknown): Promise<never> {
    this.notify("acquireFailed", { error, wait: 0 });
    return Promise.reject(error);
  }

  private closedError(): PoolClosedError {
    return new PoolClosedError(
      `Cannot acquire from pool '${this.settings.name}' as it is closed`,
    );
  }

  private fullError(): PoolFullError {
    const { name, maxPending } = this.settings;
    return new PoolFullError(
      `Cannot acquire from pool '${name}' as ${maxPending} wait already: ` +
        show(this.counts()),
    );
  }

  private timeoutError(timeout: number, counts: string): AcquireTimeoutError {
    const { name } = this.settings;
    const cause = this.createError;
    return new AcquireTimeoutError(
      `Cannot acquire from pool '${name}' within ${timeout} ms: ${counts}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** Resolving a promise with this rejects it, so a waiter holds one function. */
class Rejection implements PromiseLike<never> {
  private readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }

  then<A, B>(_: unknown, reject?: ((error: unknown) => B) | null): Promise<A> {
    reject?.(this.error);
    return undefined as never;
  }
}

/** The resolve function of the promise made last: saves a closure for each. */
let captured: (result: unknown) => void;

function capture(resolve: (result: never) => void): void {
  captured = resolve as (result: unknown) => void;
}

/** Counts as in `9 idle, 1 used`. */
function show(counts: Counts): string {
  return Object.entries(counts).map(([name, n]) => `${n} ${name}`).join(", ");
}
