/**
 * `createPool` of generic-pool 3.9.
 *
 * ```ts
 * import { createPool } from "@lease/pool/generic-pool"; // was "generic-pool"
 *
 * const pool = createPool({
 *   create: () => Promise.resolve({ open: true }),
 *   destroy: (conn) => void (conn.open = false),
 * }, { max: 10, min: 2 });
 *
 * await pool.use((conn) => console.log(conn.open)); // true
 * await pool.drain();
 * await pool.clear();
 * ```
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type Factory, type Options, Pool } from "./pool.ts";

export { type Clock, type Factory, type Options, Pool };
export type { Leases } from "../drop_in/leases.ts";
export { TimeoutError } from "../drop_in/timeout_error.ts";

/**
 * Makes a pool, as `new Pool` with the same arguments.
 *
 * @throws {TypeError} if a function of the factory is missing
 *
 * @example
 * ```ts
 * import { createPool } from "@lease/pool/generic-pool";
 *
 * const factory = { create: () => Promise.resolve({}), destroy: () => {} };
 * const pool = createPool(factory, { max: 2 });
 * const resource = await pool.acquire();
 * console.log(pool.borrowed, pool.available); // 1 0
 * await pool.release(resource);
 * await pool.drain();
 * ```
 */
export function createPool<T>(
  factory: Factory<T>,
  options?: Options,
  ours?: { clock?: Clock; name?: string },
): Pool<T> {
  return new Pool(factory, options, ours);
}
