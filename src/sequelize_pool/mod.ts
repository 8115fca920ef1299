/**
 * The `Pool` of sequelize-pool 8, for Sequelize 6 and 7.
 *
 * ```ts
 * import { Pool } from "@lease/pool/sequelize-pool"; // was "sequelize-pool"
 *
 * const pool = new Pool({
 *   create: () => Promise.resolve({ open: true }),
 *   destroy: (conn) => void (conn.open = false),
 *   validate: (conn) => conn.open,
 *   min: 0,
 *   max: 5,
 * });
 * const conn = await pool.acquire();
 * pool.release(conn);
 * await pool.drain();
 * await pool.destroyAllNow();
 * ```
 *
 * @module
 */

export type { Clock } from "../clock.ts";
export type { Leases } from "../drop_in/leases.ts";
export { AggregateError } from "./aggregate_error.ts";
export { Pool } from "./pool.ts";
export type {
  FactoryLogger,
  FactoryOptions,
  LogLevel,
} from "./pool_options.ts";
export { TimeoutError } from "../drop_in/timeout_error.ts";
