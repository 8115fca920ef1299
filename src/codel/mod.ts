/**
 * Sheds load: in a pool that cannot keep up, those who have waited too long are
 * rejected at once, so that the others are served while it is of use to them.
 *
 * ```ts
 * import { Pool, PoolOverloadedError } from "@lease/pool";
 * import { codel } from "@lease/pool/codel";
 *
 * await using pool = new Pool({ create: () => ({}), max: 10, shed: codel() });
 *
 * async function handle(_request: Request): Promise<Response> {
 *   try {
 *     return await pool.use(() => new Response("done"));
 *   } catch (error) {
 *     if (!(error instanceof PoolOverloadedError)) throw error;
 *     const seconds = `${Math.ceil(error.retryAfter / 1_000)}`;
 *     return new Response(null, {
 *       status: 503,
 *       headers: { "Retry-After": seconds },
 *     });
 *   }
 * }
 *
 * console.log((await handle(new Request("http://localhost"))).status); // 200
 * ```
 *
 * @module
 */

import { Check, DELAY, OBJECT } from "../check.ts";
import type { Shedding } from "../pool_options.ts";
import { ControlledDelay } from "./controlled_delay.ts";

export type { Shed, Shedding } from "../pool_options.ts";

/** Options of `codel`. */
export interface CodelOptions {
  /**
   * Milliseconds that a wait may take for good. In an overloaded pool nobody is
   * served who has waited longer than twice that, so callers must have patience
   * left then; and it must be several times as long as a usual use, else waits
   * are above it without any overload. Default 50, as of DBConnection: 5 uses of
   * 10 ms, and half of the patience of callers who give up after 200 ms.
   */
  target?: number | undefined;
  /**
   * Milliseconds that all waits must have been above `target` before anyone is
   * shed. A burst that is over sooner is served whole, and for as long do callers
   * wait in vain when an overload begins. Default 1 000, as of DBConnection: with
   * half of it, chance alone sheds some at 0.9 of what can be done.
   */
  interval?: number | undefined;
}

/**
 * A value for the option `shed` of one pool or of several: controlled delay, as
 * Nichols and Jacobson describe it for routers (CoDel, 2012) and DBConnection
 * has it for pools. In such a pool
 *
 * - over each `interval` the shortest wait is kept. If at its end it was above
 *   `target`, then in the next one whoever has waited longer than twice `target`
 *   is rejected with a `PoolOverloadedError` when its turn comes;
 * - an interval with a shorter wait, or a moment when nobody waits, ends that;
 * - `retryAfter` of the error is `interval`: by then it has been decided anew,
 *   and those who come again are spread over time as they were;
 * - each stripe is judged alone where `isolated`, and where acquires have a
 *   `priority`, a wait is that of whoever has waited longest: the urgent do not
 *   hide that the others stand in line.
 *
 * Nobody leaves while nothing comes back to the pool: that is what `timeout` is
 * for.
 *
 * @throws {TypeError} if an option is of the wrong kind, or not known
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { codel } from "@lease/pool/codel";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 10,
 *   shed: codel({ target: 200 }), // of callers who have patience for a second
 * });
 * ```
 */
export function codel(options: CodelOptions = {}): Shedding {
  const check = new Check("Cannot shed");
  check.that("options", options, OBJECT);
  check.names(options, ["target", "interval"]);
  const { target = 50, interval = 1_000 } = options;
  check.that("target", target, DELAY);
  check.that("interval", interval, DELAY);
  return { judge: () => new ControlledDelay(target, interval) };
}
