/**
 * The pool in the place of mysql2's: the same calls, events and types, for
 * Kysely, Drizzle, TypeORM and what else takes one of those.
 *
 * ```ts ignore
 * import mysql from "mysql2";
 * import { createPool } from "@lease/pool/mysql2";
 *
 * const pool = createPool({ uri: url, connectionLimit: 10 }, mysql);
 * const [rows] = await pool.promise().query("select 1 as one");
 *
 * await using connection = await pool.acquire({ signal: request.signal });
 * await connection.beginTransaction(); // rolled back, unless it is committed
 * ```
 *
 * @module
 */

import { Check, OBJECT } from "../check.ts";
import type { Pool as Leases } from "../pool.ts";
import type { AcquireOptions, PoolOptions } from "../pool_options.ts";
import { CallbackPool } from "./callback_pool.ts";
import type { Connection, Module } from "./driver.ts";
import { settle } from "./settings.ts";

/** The module `mysql2`, as far as it is needed; not `mysql2/promise`. */
export interface Driver {
  /** Opens a connection. */
  createConnection: (options: never) => object;
  /** Is not called: a pool has the type of what it gives. */
  createPool: (options: never) => { promise(): object };
  /** The class of connections; types of mysql2 before 3.20 do not tell of it. */
  Connection?: {
    /** Makes a query that is run later. */
    createQuery: (sql: never, ...rest: never[]) => object;
  };
}

/** What a pool has besides all that one of mysql2's own has. */
export interface Leasing<D extends Driver> {
  /**
   * As `promise().getConnection()`, with a signal, and with a timeout of its
   * own. `await using` gives the connection back.
   */
  acquire(options?: AcquireOptions): Promise<PromiseConnection<D>>;
  /**
   * The pool beneath: its counts, what happens in it, and what changes it while it
   * is used. `inspect`, and `watch` of an `otelObserver`, take it.
   */
  readonly leases: Pick<
    Leases<ReturnType<D["createConnection"]>>,
    | "name"
    | "min"
    | "stats"
    | "observe"
    | "warm"
    | "evict"
    | "clear"
    | "resize"
    | "pause"
    | "close"
  >;
}

/** A pool of the driver's own type, and what it has besides. */
export type Pool<D extends Driver> =
  & ReturnType<D["createPool"]>
  & Leasing<D>;

/** The connection that the pools of mysql2/promise give. */
export type PromiseConnection<D extends Driver> = D["createPool"] extends
  (options: never) => {
    promise(): { getConnection(): Promise<infer C> };
  } ? C
  : never;

/** Options of ours for what mysql2 has none for. */
export type MoreOptions<D extends Driver> = Omit<
  PoolOptions<ReturnType<D["createConnection"]>>,
  "create" | "destroy" | "reset" | "resetTimeout" | "max" | "maxPending"
>;

/** What it sets itself. */
const OURS = [
  "create",
  "destroy",
  "reset",
  "resetTimeout",
  "max",
  "maxPending",
];

/**
 * Makes a pool of the type and shape of `mysql.createPool(options)`, with what
 * ours do besides:
 *
 * - A connection that is given back while the server says that a transaction is
 *   open, while something still runs on it, or after an error, is rolled back
 *   before anybody else gets it. With `resetOnRelease`, COM_RESET_CONNECTION
 *   is sent instead, each time.
 * - One that is lost, or whose server has become read-only, leaves by itself,
 *   used or idle, and what was asked of it fails.
 * - While the server is down, those who wait keep their place for `acquireTimeout`
 *   of `more`, by default 30 000 ms.
 * - Once `idleTimeout`, by default 60 000 ms, has passed, all idle ones leave,
 *   not only those above `maxIdle`.
 *
 * Other options are the driver's. Errors of waiting are `PoolError`s.
 *
 * @throws {TypeError} if the driver is another, or an option of ours is not known
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts ignore
 * import mysql from "mysql2";
 * import { createPool } from "@lease/pool/mysql2";
 *
 * const pool = createPool({ uri: url, queueLimit: 100 }, mysql, {
 *   name: "orders",
 *   acquireTimeout: 5_000,
 * });
 * console.log(pool.leases.stats());
 * telemetry.watch(pool.leases); // that of `otelObserver(meter)`
 * ```
 */
export function createPool<D extends Driver>(
  options: string | Parameters<D["createPool"]>[0],
  driver: D,
  more: MoreOptions<D> = {},
): Pool<D> {
  const check = new Check("Cannot create pool");
  if (typeof options !== "string") check.that("options", options, OBJECT);
  if (typeof driver?.Connection?.createQuery !== "function") {
    check.mistake("driver", "mysql2, and not mysql2/promise", driver);
  }
  check.that("more", more, OBJECT);
  for (const name of OURS) {
    const value = more[name as keyof typeof more];
    if (value !== undefined) check.mistake(name, "absent", value);
  }
  const pool = new CallbackPool(
    driver as unknown as Module,
    settle(options),
    more as Partial<PoolOptions<Connection>>,
  );
  return pool as unknown as Pool<D>;
}
