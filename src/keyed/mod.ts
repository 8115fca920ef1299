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

import { type BudgetMember, LocalBudget } from "../budget/mod.ts";
import { Check, COUNT, FUNCTION, OBJECT } from "../check.ts";
import type { Lease } from "../lease.ts";
import { Pool } from "../pool.ts";
import type {
  AcquireOptions,
  CloseOptions,
  CreateContext,
  PoolOptions,
  TryAcquireOptions,
  UseOptions,
} from "../pool_options.ts";
import type { PoolStats, StripeStats } from "../pool_stats.ts";

/** Options of a pool that are those of each key, `create` and `max` aside. */
type Shared<T> = Omit<
  PoolOptions<T>,
  "create" | "max" | "budget" | "stripes" | "isolated"
>;

/** Options of a `KeyedPool`; all but these are those of the pool of each key. */
export interface KeyedPoolOptions<K, T> extends Shared<T> {
  /** As of a pool, for a key. */
  create: (key: K, context: CreateContext) => T | PromiseLike<T>;
  /** The most resources at one time, over all keys. */
  max: number;
  /** The most resources of one key. Default: `max`. */
  maxPerKey?: number | undefined;
}

/** Counts over all keys, and of each key that has something. */
export interface KeyedPoolStats<K> extends StripeStats {
  keys: Map<K, PoolStats>;
}

type Seat = ReturnType<LocalBudget["join"]>;

/** The pool of one key, and its seat at the budget of all. */
interface Member<T> {
  readonly pool: Pool<T>;
  readonly seat: Seat;
}

const COUNTS = ["idle", "used", "creating", "destroying", "pending"] as const;

/**
 * A pool for each key, made when it is first asked for and dropped when nothing
 * is left of it. To make room for one who waits, what is idle leaves, of the key
 * that was asked for least recently first; else what is released next goes to
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
  readonly #options: KeyedPoolOptions<K, T>;
  readonly #maxPerKey: number;
  readonly #budget: LocalBudget;
  /** Invariant: every key that has a resource, or somebody waiting. */
  readonly #members = new Map<K, Member<T>>();
  /** Stands for keys that have nothing; it closes with the whole. */
  readonly #none: Pool<T>;
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
    const { maxPerKey, create, ...shared } = options;
    check.that("create", create, FUNCTION);
    check.that("max", shared.max, COUNT);
    if (maxPerKey !== undefined) check.that("maxPerKey", maxPerKey, COUNT);
    this.#options = { ...shared, create };
    this.#maxPerKey = Math.min(maxPerKey ?? Infinity, options.max);
    this.#budget = new LocalBudget(options.max);
    this.#none = this.#pool(undefined as K, { join: () => UNSEATED });
  }

  /** As `Pool.acquire`, for a key. */
  acquire(key: K, options?: AcquireOptions): Promise<Lease<T>> {
    return this.#with(key, (pool) => pool.acquire(options));
  }

  /** As `Pool.tryAcquire`, for a key. */
  tryAcquire(key: K, options?: TryAcquireOptions): Lease<T> | undefined {
    const member = this.#members.get(key);
    return (member?.pool ?? this.#none).tryAcquire(options);
  }

  /** As `Pool.use`, for a key. */
  use<R>(
    key: K,
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    options?: UseOptions,
  ): Promise<R> {
    return this.#with(key, (pool) => pool.use(fn, options));
  }

  /** As `Pool.clear`, of all keys. */
  clear(): void {
    for (const { pool } of this.#members.values()) pool.clear();
  }

  /** As `Pool.close`, of all keys. */
  close(options: CloseOptions = {}): Promise<void> {
    const members = [...this.#members.values()];
    const pools = [this.#none, ...members.map(({ pool }) => pool)];
    const closing = pools.map((pool) => pool.close(options));
    this.#closing ??= settle(closing);
    return this.#closing;
  }

  /** Counts over all keys and of each, now. */
  stats(): KeyedPoolStats<K> {
    const stats: KeyedPoolStats<K> = {
      ...{ idle: 0, used: 0, creating: 0, destroying: 0, pending: 0 },
      max: this.#options.max,
      keys: new Map(),
    };
    for (const [key, { pool }] of this.#members) {
      const counts = pool.stats();
      stats.keys.set(key, counts);
      for (const name of COUNTS) stats[name] += counts[name];
    }
    return stats;
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #with<R>(key: K, act: (pool: Pool<T>) => R): R {
    const known = this.#members.get(key);
    if (known !== undefined) {
      known.seat.touch();
      return act(known.pool);
    }
    if (this.#closing !== undefined) return act(this.#none);
    const result = act(this.#make(key));
    // It may have been refused at once.
    this.#drop(key);
    return result;
  }

  #make(key: K): Pool<T> {
    let seat = UNSEATED;
    const join = (member: BudgetMember) => {
      const own = this.#budget.join(member);
      const then =
        <A extends unknown[]>(act: (...args: A) => void) => (...args: A) => {
          act(...args);
          this.#drop(key);
        };
      seat = {
        touch: () => own.touch(),
        leaving: (permits) => own.leaving(permits),
        want: then((permits: number, since: number) =>
          own.want(permits, since)
        ),
        giveBack: then((permits: number) => own.giveBack(permits)),
      };
      return seat;
    };
    const pool = this.#pool(key, { join });
    this.#members.set(key, { pool, seat });
    return pool;
  }

  #pool(key: K, budget: PoolOptions<T>["budget"]): Pool<T> {
    const { create, ...shared } = this.#options;
    return new Pool<T>({
      ...shared,
      create: (context) => create(key, context),
      max: this.#maxPerKey,
      budget,
    });
  }

  /** Forgets a key of which nothing is left. */
  #drop(key: K): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    const stats = member.pool.stats();
    if (COUNTS.some((name) => stats[name] > 0)) return;
    this.#members.delete(key);
    void member.pool.close();
  }
}

/** The seat of one that never gets anything. */
const UNSEATED: Seat = {
  touch() {},
  want() {},
  leaving() {},
  giveBack() {},
};

/** Rejects with what closes failed with, once all have ended. */
async function settle(closing: Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(closing)).flatMap((result) =>
    result.status === "rejected" ? [result.reason] : []
  ).flatMap((error) =>
    error instanceof AggregateError ? error.errors : [error]
  );
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const message = `${errors.length} resources were not destroyed`;
    throw new AggregateError(errors, message);
  }
}
