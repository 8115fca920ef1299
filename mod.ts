/**
 * A resource pool on Web standards, for Deno, Bun and Node, that rides out what
 * happens to real connections: whatever fails, hangs or is cancelled, no
 * resource is lost and none has two holders.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * // Stands for a driver's connection.
 * class Connection extends EventTarget {
 *   query = (sql: string) => Promise.resolve(`${sql}: done`);
 *   end = () => Promise.resolve();
 * }
 *
 * await using pool = new Pool({
 *   create: ({ lost }) => {
 *     const conn = new Connection();
 *     conn.addEventListener("close", lost); // it says itself that it is gone
 *     return conn;
 *   },
 *   reset: (conn, { failed }) => failed ? conn.query("rollback") : undefined,
 *   destroy: (conn) => conn.end(),
 *   max: 10,
 * });
 *
 * console.log(await pool.use((conn) => conn.query("select 1")));
 *
 * {
 *   await using lease = await pool.acquire({ timeout: 1_000 });
 *   console.log(await lease.value.query("select 2"));
 * }
 * console.log(pool.stats().idle); // 1
 * ```
 *
 * Prefer `use`: `using` cannot see an error, so what it releases is trusted
 * unless `lost` or `validate` says otherwise, and `reset` is not told of it.
 *
 * Durations are milliseconds everywhere; `Infinity` switches a limit off.
 *
 * @module
 */

export type { Clock } from "./src/clock.ts";
export type { Lease } from "./src/lease.ts";
export type { LeaseWatch, NestingWatch } from "./src/lease_watch.ts";
export { Pool } from "./src/pool.ts";
export {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
  PoolError,
  PoolFullError,
  PoolOverloadedError,
} from "./src/pool_error.ts";
export type { PoolErrorCode } from "./src/pool_error.ts";
export type { DestroyReason, PoolObserver } from "./src/pool_observer.ts";
export type {
  AcquireOptions,
  Aged,
  CloseOptions,
  CreateContext,
  DestroyContext,
  EvictOptions,
  PauseOptions,
  PoolOptions,
  ResetContext,
  Retry,
  Shed,
  Shedding,
  TryAcquireOptions,
  UseOptions,
  ValidateContext,
  WarmOptions,
} from "./src/pool_options.ts";
export type {
  HolderDetails,
  LineDetails,
  PoolDetails,
  PoolStats,
  StripeDetails,
  StripeStats,
} from "./src/pool_stats.ts";
