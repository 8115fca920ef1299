/**
 * A resource pool on Web standards, for Deno, Bun and Node: whatever fails,
 * hangs or is cancelled, no resource is lost and none has two holders.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({
 *   create: ({ signal }) => Promise.resolve({ signal, open: true }),
 *   destroy: (conn) => void (conn.open = false),
 *   max: 10,
 * });
 *
 * {
 *   await using conn = await pool.acquire();
 *   console.log(conn.value.open); // true
 * }
 * console.log(pool.stats().idle); // 1
 * ```
 *
 * @module
 */

export type { Clock } from "./src/clock.ts";
export type { Lease } from "./src/lease.ts";
export { Pool } from "./src/pool.ts";
export {
  AcquireTimeoutError,
  PoolClosedError,
  PoolFullError,
} from "./src/pool_error.ts";
export type { DestroyReason, PoolObserver } from "./src/pool_observer.ts";
export type {
  AcquireOptions,
  CloseOptions,
  CreateContext,
  DestroyContext,
  PoolOptions,
  ResetContext,
  Retry,
  TryAcquireOptions,
  UseOptions,
  ValidateContext,
  WarmOptions,
} from "./src/pool_options.ts";
export type { PoolStats, StripeStats } from "./src/pool_stats.ts";
