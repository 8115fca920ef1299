/**
 * A pool for each key, under one maximum.
 *
 * ```ts
 * import { KeyedPool } from "@lease/pool/keyed";
 *
 * await using pool = new KeyedPool({
 *   create: (host: string) => ({ host }),
 *   max: 100, // over all hosts
 *   maxPerKey: 10,
 * });
 * await pool.use("a.example", (conn) => console.log(conn.host)); // a.example
 * ```
 *
 * @module
 */

import { type Budget, LocalBudget } from "../budget/mod.ts";
import { Check, COUNT, FUNCTION, OBJECT } from "../check.ts";
import { inspectable } from "../inspection.ts";
import type { Lease } from "../lease.ts";
import { Pool } from "../pool.ts";
import type { DestroyReason, PoolObserver } from "../pool_observer.ts";
import {
  type AcquireOptions,
  checkClose,
  checkCloseOptions,
  checkObserver,
  checkStats,
  type CloseOptions,
  type CreateContext,
  dispose,
  OPTION_NAMES,
  type PoolOptions,
  type StatsOptions,
  type TryAcquireOptions,
  type UseOptions,
} from "../pool_options.ts";
import {
  COUNTS,
  type PoolDetails,
  type PoolStats,
  type StripeStats,
} from "../pool_stats.ts";
import { SystemClock } from "../system_clock.ts";
import { Time } from "../time.ts";
import { merged } from "./details.ts";
import { Observers } from "./observers.ts";

/** Options of a pool that make no sense for a key. */
const UNSHARED = ["min", "budget", "stripes", "isolated"] as const;

/** How many keys are remembered that had to do with a server that is down. */
const REMEMBERED = 1_000;

/** What a resource ends of when its server is down, or may be. */
const TROUBLES: readonly DestroyReason[] = [
  "lost",
  "invalid",
  "lease",
  "reset",
];

/** Those options of a pool that the pools of all keys share. */
export type SharedOptions<T> = Omit<
  PoolOptions<T>,
  "create" | "max" | "min" | "budget" | "stripes" | "isolated"
>;

/** Options of a `KeyedPool`; all but these are those of the pool of each key. */
export interface KeyedPoolOptions<K, T> extends SharedOptions<T> {
  /** As of a pool, for a key. */
  create: (key: K, context: CreateContext) => T | PromiseLike<T>;
  /** The most resources at one time, over all keys. */
  max: number;
  /** The most resources of one key. Default: `max`. */
  maxPerKey?: number | undefined;
}

/** Counts over all keys, and of each key that has something. */
export interface KeyedPoolStats<K> extends StripeStats {
  /** Those of each key that has a resource, or somebody waiting. */
  keys: Map<K, PoolStats>;
}

/**
 * A pool for each key, made when it is first asked for and dropped when nothing
 * is left of it. But the last 1 000 whose creates fail, or that have lost what
 * they had, are remembered: while a server is down their acquires keep place, and
 * no create is tried before its time. To make room for one who waits, what has
 * been idle longest leaves; where nothing is idle, what is released next goes to
 * who has waited longest, for whichever key.
 *
 * @example
 * ```ts
 * import { KeyedPool } from "@lease/pool/keyed";
 *
 * await using pool = new KeyedPool({
 *   create: (tenant: number) => ({ tenant }),
 *   max: 2,
 * });
 * for (let tenant = 0; tenant < 5; tenant++) {
 *   await pool.use(tenant, () => {});
 * }
 * console.log([...pool.stats().keys.keys()]); // [3, 4]
 * ```
 */
export class KeyedPool<K, T> implements AsyncDisposable {
  /** The option `name`, which the pools of all keys have. */
  readonly name: string;
  /** No key has a minimum. */
  readonly min = 0;
  readonly #shared: SharedOptions<T>;
  readonly #create: KeyedPoolOptions<K, T>["create"];
  readonly #max: number;
  readonly #maxPerKey: number;
  readonly #budget: LocalBudget;
  /** Invariant, but for a microtask: of keys with something, and those below. */
  readonly #pools = new Map<K, Pool<T>>();
  /** The keys that are remembered, the latest last. */
  readonly #troubled = new Set<K>();
  /** What the last resource of a pool has ended of, unless a create came after. */
  readonly #ends = new WeakMap<Pool<T>, DestroyReason>();
  readonly #observers: Observers<T>;
  /** Stands for keys that have nothing; it closes with the whole. */
  readonly #none: Pool<T>;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /**
   * Sets nothing in motion.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   * @throws {RangeError} if an option is out of range
   */
  constructor(options: KeyedPoolOptions<K, T>) {
    const check = new Check("Cannot create keyed pool");
    check.that("options", options, OBJECT);
    check.names(options, [...OPTION_NAMES, "maxPerKey"]);
    const { create, max, maxPerKey = max, observer, ...shared } = options;
    check.that("create", create, FUNCTION);
    if (shared.destroy !== undefined) {
      check.that("destroy", shared.destroy, FUNCTION);
    }
    check.that("max", max, COUNT);
    check.that("maxPerKey", maxPerKey, COUNT);
    for (const name of UNSHARED) {
      const value = (shared as Partial<PoolOptions<T>>)[name];
      if (value !== undefined) check.mistake(name, "absent", value);
    }
    const { createRetry, clock } = shared;
    const retry = createRetry && { ...createRetry };
    this.#shared = { ...shared, createRetry: retry };
    this.#create = create;
    this.#max = max;
    this.#maxPerKey = Math.min(maxPerKey, max);
    this.#budget = new LocalBudget(max);
    this.#observers = new Observers();
    this.#none = this.#pool(undefined as K, undefined);
    // One for all, now that it is checked.
    this.#shared.clock = new Time(clock ?? new SystemClock());
    this.name = this.#none.name;
    if (observer !== undefined) this.observe(observer);
  }

  /** As `Pool.acquire`, for a key. */
  acquire(key: K, options?: AcquireOptions): Promise<Lease<T>> {
    return this.#of(key).acquire(options);
  }

  /** As `Pool.tryAcquire`, for a key. */
  tryAcquire(key: K, options?: TryAcquireOptions): Lease<T> | undefined {
    return (this.#pools.get(key) ?? this.#none).tryAcquire(options);
  }

  /** As `Pool.use`, for a key. */
  use<R>(
    key: K,
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    options?: UseOptions,
  ): Promise<R> {
    return this.#of(key).use(fn, options);
  }

  /** As `Pool.clear`, of all keys. */
  clear(): void {
    for (const pool of [...this.#pools.values()]) pool.clear();
  }

  /** As `Pool.close`, of all keys; what several fail with comes as one error. */
  close(options: CloseOptions = {}): Promise<void> {
    try {
      checkCloseOptions(options);
      const { signal, serve } = options;
      checkClose(signal, serve);
      // First, as what is destroyed may ask for keys.
      this.#isClosed = true;
      const pools = [this.#none, ...this.#pools.values()];
      const closing = pools.map((pool) => pool.close({ signal, serve }));
      this.#closing ??= together(closing)
        .finally(() => this.#observers.closed(this.name));
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Tells an observer of what happens in the pools of all keys, as `Pool.observe`
   * does of one: they have one name, ids are of the whole, `pendingChanged` tells
   * of all keys, and `closed` of the end of the whole.
   *
   * @throws {TypeError} if it is no object
   *
   * @example
   * ```ts
   * import { KeyedPool } from "@lease/pool/keyed";
   *
   * await using pool = new KeyedPool({
   *   create: (host: string) => ({ host }),
   *   max: 2,
   * });
   * using _observing = pool.observe({
   *   acquired: ({ resource }) => console.log(resource.host),
   * });
   * await pool.use("a.example", () => {}); // a.example
   * ```
   */
  observe(observer: PoolObserver<T>): Disposable {
    checkObserver(observer);
    return this.#observers.add(observer, [this.#none, ...this.#pools.values()]);
  }

  /**
   * Counts over all keys and of each, now. With `details`, all keys as if they
   * were one pool of one stripe, which is what `inspect` shows.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   */
  stats(options: { details: true }): PoolDetails;
  /** As above, without the details. */
  stats(options?: { details?: false }): KeyedPoolStats<K>;
  stats(options?: StatsOptions): KeyedPoolStats<K> | PoolDetails {
    if (options !== undefined && checkStats(options)) {
      const pools = [...this.#pools.values()].filter((it) => !isEmpty(it));
      const details = pools.map((pool) => pool.stats({ details: true }));
      return merged(details, this.#max);
    }
    const stats: KeyedPoolStats<K> = {
      ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
      ...{ pending: 0, waiting: 0, validating: 0 },
      max: this.#max,
      keys: new Map(),
    };
    for (const [key, pool] of this.#pools) {
      const counts = pool.stats();
      if (isZero(counts)) continue;
      stats.keys.set(key, counts);
      for (const name of COUNTS) stats[name] += counts[name];
    }
    return stats;
  }

  /** Its name and counts, which `JSON.stringify` and `console.log` show. */
  toJSON(): { name: string; keys: number } & StripeStats {
    const { keys, ...counts } = this.stats();
    return { name: this.name, keys: keys.size, ...counts };
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #of(key: K): Pool<T> {
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    return this.#isClosed ? this.#none : this.#make(key);
  }

  #make(key: K): Pool<T> {
    // Later, as the pool may be in the middle of an acquire.
    const drop = () => queueMicrotask(() => this.#drop(key, pool));
    const pool = this.#pool(key, {
      join: (member) => {
        const seat = this.#budget.join(member);
        const want = (permits: number, since: number) => {
          seat.want(permits, since);
          if (permits === 0 && isEmpty(pool)) drop();
        };
        return { ...seat, want };
      },
    });
    this.#pools.set(key, pool);
    // It may be refused at once.
    drop();
    return pool;
  }

  #pool(key: K, budget: Budget | undefined): Pool<T> {
    const create = this.#create;
    const { destroy = dispose } = this.#shared;
    const pool = new Pool<T>({
      ...this.#shared,
      create: (context) => {
        this.#ends.delete(pool);
        return create(key, context);
      },
      destroy: (resource, context) => {
        this.#ends.set(pool, context.reason);
        return destroy(resource, context);
      },
      max: this.#maxPerKey,
      budget,
    });
    this.#observers.hear(pool);
    return pool;
  }

  /** Forgets a key of which nothing is left, unless it is to be remembered. */
  #drop(key: K, pool: Pool<T>): void {
    if (this.#pools.get(key) !== pool || !isEmpty(pool)) return;
    this.#troubled.delete(key);
    if (!this.#isTroubled(pool)) return this.#forget(key, pool);
    this.#troubled.add(key);
    if (this.#troubled.size <= REMEMBERED) return;
    const [first] = this.#troubled as Iterable<K>;
    this.#troubled.delete(first!);
    const oldest = this.#pools.get(first!)!;
    if (isEmpty(oldest)) this.#forget(first!, oldest);
  }

  /** Whether its creates fail, or may do so next. */
  #isTroubled(pool: Pool<T>): boolean {
    const end = this.#ends.get(pool);
    if (end !== undefined) return TROUBLES.includes(end);
    const [line] = pool.stats({ details: true }).lines;
    return line!.outage !== undefined;
  }

  #forget(key: K, pool: Pool<T>): void {
    this.#pools.delete(key);
    this.#observers.forget(pool);
    void pool.close();
  }
}

inspectable(KeyedPool);

function isEmpty(pool: Pick<Pool<unknown>, "stats">): boolean {
  return isZero(pool.stats());
}

function isZero(stats: StripeStats): boolean {
  return COUNTS.every((name) => stats[name] === 0);
}

/** Rejects with what closes failed with, once all have ended. */
async function together(closing: Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(closing)).flatMap((result) =>
    result.status === "rejected" ? [result.reason] : []
  );
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new AggregateError(errors, `${errors.length} keys failed to close`);
  }
}
