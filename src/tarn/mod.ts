/**
 * The `Pool` of tarn 3.1, for Knex, Kysely's dialect for SQL Server and whoever
 * else has tarn today.
 *
 * ```ts
 * import { Pool } from "@lease/pool/tarn"; // was "tarn"
 *
 * const pool = new Pool({
 *   create: () => Promise.resolve({ open: true }),
 *   destroy: (conn) => void (conn.open = false),
 *   min: 0,
 *   max: 10,
 * });
 * const conn = await pool.acquire().promise;
 * pool.release(conn);
 * await pool.destroy();
 * ```
 *
 * @module
 */

export type { Clock } from "../clock.ts";
export type { Leases } from "../drop_in/leases.ts";
export { PendingOperation } from "./pending_operation.ts";
export { Pool, type PoolEvents } from "./pool.ts";
export type { Callback, PoolOptions } from "./pool_options.ts";
export { TimeoutError } from "../drop_in/timeout_error.ts";
