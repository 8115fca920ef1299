import { inspectable } from "./inspection.ts";
import type { Lease } from "./lease.ts";
import { LocalPool } from "./shell/local_pool.ts";
import { home } from "./core/partition.ts";
import {
  type AcquireOptions,
  type Aged,
  checkAcquire,
  checkAcquireOptions,
  checkClose,
  checkCloseOptions,
  checkEvict,
  checkObserver,
  checkPause,
  checkPauseOptions,
  checkResize,
  checkStats,
  checkTryAcquireOptions,
  checkUse,
  checkUseOptions,
  checkWarm,
  checkWarmSignal,
  type CloseOptions,
  type EvictOptions,
  type PauseOptions,
  type PoolOptions,
  settle,
  type StatsOptions,
  type TryAcquireOptions,
  type UseOptions,
  type WarmOptions,
} from "./pool_options.ts";
import type { PoolObserver } from "./pool_observer.ts";
import type { PoolDetails, PoolStats } from "./pool_stats.ts";

/**
 * A pool of resources: at most `max` at a time, made by `create` when needed,
 * used by one holder at a time, kept idle for the next.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({
 *   create: ({ signal }) => Promise.resolve({ signal, open: true }),
 *   destroy: (conn) => void (conn.open = false),
 *   max: 10,
 * });
 *
 * await using conn = await pool.acquire({ timeout: 1_000 });
 * console.log(conn.value.open);
 * ```
 */
export class Pool<T> implements AsyncDisposable {
  readonly #local: LocalPool<T>;
  /** The home of an acquire that names none: the only stripe, or -1 for any. */
  readonly #anywhere: number;
  readonly #acquireTimeout: number;
  /** The option `name`. */
  readonly name: string;
  readonly #stripes: number;
  readonly #min: number;

  /**
   * Sets nothing in motion: resources are created by the acquires that need
   * them.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   * @throws {RangeError} if an option is out of range, NaN included
   */
  constructor(options: PoolOptions<T>) {
    const settings = settle(options);
    this.name = settings.name;
    this.#stripes = settings.stripes;
    this.#anywhere = settings.stripes === 1 ? 0 : -1;
    this.#acquireTimeout = settings.acquireTimeout;
    this.#min = settings.min;
    this.#local = new LocalPool(settings);
  }

  /**
   * Resolves with a lease: on an idle resource, else, in order of arrival, on
   * one that is released or created.
   *
   * Rejects with `signal.reason` when the signal aborts, with an
   * `AcquireTimeoutError` after `timeout`, with a `PoolFullError` if
   * `maxPending` wait already, with a `PoolClosedError` once the pool closes,
   * and with what `create` failed with if that create was for this acquire.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 1 });
   * const signal = AbortSignal.timeout(1_000);
   * using lease = await pool.acquire({ signal, affinity: "user-7" });
   * console.log(lease.value);
   * ```
   */
  acquire(options?: AcquireOptions): Promise<Lease<T>> {
    if (options === undefined) {
      return this.#local.acquiring.acquire(
        this.#anywhere,
        this.#acquireTimeout,
        undefined,
        false,
        0,
      );
    }
    try {
      checkAcquireOptions(options);
      const { signal, timeout, affinity, priority } = options;
      const isAborted = checkAcquire(signal, timeout, affinity, priority);
      return this.#local.acquiring.acquire(
        this.#home(affinity),
        timeout ?? this.#acquireTimeout,
        signal,
        isAborted,
        priority ?? 0,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * A lease on an idle resource, or `undefined` if none can be had at once.
   * Never waits and never creates. A `validate` that answers with a promise
   * counts as "not now"; its verdict still decides over the resource.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   * @throws {RangeError} if an option is out of range
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 1 });
   * console.log(pool.tryAcquire()); // undefined: nothing is idle yet
   * ```
   */
  tryAcquire(options?: TryAcquireOptions): Lease<T> | undefined {
    if (options === undefined) {
      return this.#local.acquiring.tryAcquire(this.#anywhere);
    }
    checkTryAcquireOptions(options);
    const { affinity } = options;
    checkAcquire(undefined, undefined, affinity, undefined);
    return this.#local.acquiring.tryAcquire(this.#home(affinity));
  }

  /**
   * Acquires, runs `fn` and resolves with its result. The resource is released
   * after. If `fn` throws, `isFatal` of this call, else of the pool, says whether
   * it is destroyed; without one, `reset` decides, and without that it is.
   *
   * Rejects with what `fn` threw, and as `acquire` does.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({ n: 3 }), max: 1 });
   * const n = await pool.use((resource) => resource.n);
   * console.log(n); // 3
   * ```
   */
  use<R>(
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    options: UseOptions = {},
  ): Promise<R> {
    try {
      checkUseOptions(options);
      const { signal, timeout, affinity, priority, isFatal } = options;
      checkUse(fn, isFatal);
      const isAborted = checkAcquire(signal, timeout, affinity, priority);
      return this.#local.acquiring.use(
        fn,
        this.#home(affinity),
        timeout ?? this.#acquireTimeout,
        signal,
        isAborted,
        priority ?? 0,
        isFatal,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Resolves when `n` resources exist, by default the minimum and at least one:
   * the check at boot. It creates what lacks; what was made stays as long as
   * anything idle does. Of two calls the larger `n` counts.
   *
   * Rejects with the first failure of a create that begins after the call, with
   * `signal.reason` when the signal aborts, and with a `PoolClosedError` once the
   * pool closes.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 10, min: 2 });
   * await pool.warm();
   * console.log(pool.stats().idle); // 2
   * ```
   */
  warm(n?: number, options: WarmOptions = {}): Promise<void> {
    try {
      const { max } = this.#local.census;
      const resources = n ?? Math.max(this.min, 1);
      checkWarm(resources, max, options);
      const { signal } = options;
      const isAborted = checkWarmSignal(signal);
      return isAborted
        ? Promise.reject(signal!.reason)
        : this.#local.warm(resources, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Evicts all idle resources now and retires the others: those used are
   * destroyed at release, those being created serve at most once. The pool
   * stays open.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 1 });
   * (await pool.acquire()).release();
   * pool.clear();
   * console.log(pool.stats().idle); // 0
   * ```
   */
  clear(): void {
    this.#local.evicting.clear();
  }

  /**
   * Retires what matches: idle resources now, used ones at their release, evenly
   * spread over `within` ms; those being created are asked about when they are
   * there. Gives how many of the idle and used match. The predicate gets the
   * resource and its `{ idle, age, uses }`; what it throws is passed on.
   *
   * @throws {TypeError} if an argument is of the wrong kind, or not known
   * @throws {RangeError} if `within` is out of range
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({ host: "a" }), max: 1 });
   * (await pool.acquire()).release();
   * console.log(pool.evict(({ host }) => host === "a")); // 1
   * ```
   */
  evict(
    predicate: (resource: T, context: Aged) => boolean,
    options: EvictOptions = {},
  ): number {
    const within = checkEvict(predicate, options);
    return this.#local.evicting.evict(predicate, within);
  }

  /**
   * Changes `max`. Smaller, the pool evicts idle resources, and destroys what is
   * released until it is within; never are there more than with the larger of
   * the two. `min` counts for no more than `max`.
   *
   * @throws {TypeError} if `max` is no number
   * @throws {RangeError} if it is no positive integer, or less than `stripes`
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 10 });
   * pool.resize(20);
   * console.log(pool.stats().max); // 20
   * ```
   */
  resize(max: number): void {
    checkResize(max, this.#stripes);
    this.#local.resize(max);
  }

  /**
   * Lets acquires wait, their time running, and creates nothing; resolves when
   * nothing is used any more, with what ends the pause when it is disposed of.
   * For failovers and migrations. Several pauses end with the last of them.
   *
   * Rejects with `signal.reason` when the signal aborts, which ends the pause,
   * and with a `PoolClosedError` once the pool closes.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 1 });
   * {
   *   await using _pause = await pool.pause();
   *   console.log(pool.tryAcquire()); // undefined, whatever is idle
   * }
   * ```
   */
  pause(options: PauseOptions = {}): Promise<AsyncDisposable> {
    try {
      checkPauseOptions(options);
      const { signal } = options;
      const isAborted = checkPause(signal);
      return isAborted
        ? Promise.reject(signal!.reason)
        : this.#local.pausing.pause(signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Refuses new acquires, rejects the pending with a `PoolClosedError`, or, with
   * `serve`, serves them first, destroys what is idle, and resolves when all that is used or being created
   * has come back and is destroyed. When `signal` aborts it waits no longer:
   * what is still out is destroyed, and leases on it have ended. Calling it
   * again gives the same promise.
   *
   * Rejects, at the end, with what a `destroy` failed with meanwhile, an
   * `AggregateError` if there were several. One that passes `destroyTimeout`
   * does not count: the observer is told.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({ create: () => ({}), max: 1 });
   * await pool.close({ signal: AbortSignal.timeout(5_000) });
   * ```
   */
  close(options: CloseOptions = {}): Promise<void> {
    try {
      checkCloseOptions(options);
      const { signal, serve } = options;
      checkClose(signal, serve);
      return this.#local.closing.close(signal, serve === true);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Tells an observer of what happens from now on, also of what is under way, but
   * not of the acquires that wait already. It ends with the Disposable; one that
   * was added twice is told once, and until both have ended.
   *
   * @throws {TypeError} if it is no object
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 1 });
   * const acquired = ({ wait }: { wait: number }) => console.log(wait);
   * using _observing = pool.observe({ acquired });
   * await pool.use(() => {});
   * ```
   */
  observe(observer: PoolObserver<T>): Disposable {
    checkObserver(observer);
    return this.#local.observe(observer);
  }

  /** The option `min`, but no more than the pool may hold. */
  get min(): number {
    return Math.min(this.#min, this.#local.census.max);
  }

  /**
   * Counts of the pool and of each stripe, now. With `details`, also who waits
   * and holds, for how long, and what is known of each line; that looks at every
   * resource, and at 100 of those who wait.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 5, stripes: 2 });
   * console.log(pool.stats().stripes.map(({ max }) => max)); // [3, 2]
   * ```
   */
  stats(options: { details: true }): PoolDetails;
  /** As above, without the details. */
  stats(options?: { details?: false }): PoolStats;
  stats(options?: StatsOptions): PoolStats | PoolDetails {
    if (options === undefined) return this.#local.stats();
    return checkStats(options) ? this.#local.details() : this.#local.stats();
  }

  /** Its name and counts, which `JSON.stringify` and `console.log` show. */
  toJSON(): { name: string } & PoolStats {
    return { name: this.name, ...this.stats() };
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #home(affinity: string | number | undefined): number {
    return affinity === undefined
      ? this.#anywhere
      : home(affinity, this.#stripes);
  }
}

inspectable(Pool);
