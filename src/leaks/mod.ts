/**
 * Names those who hold leases for too long, and takes back what was forgotten.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { watchLeaks } from "@lease/pool/leaks";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 10,
 *   leaks: watchLeaks({ after: 10_000 }),
 *   observer: {
 *     leaked: ({ held, stack }) => console.warn(`held for ${held} ms\n${stack}`),
 *   },
 * });
 * ```
 *
 * @module
 */

import { Check, DELAY, DURATION, OBJECT, type Rule } from "../check.ts";
import type { LeaseWatch } from "../lease_watch.ts";
import { Watcher } from "./watcher.ts";

export type { LeaseWatch };

/** Options of `watchLeaks`. */
export interface WatchLeaksOptions {
  /**
   * Milliseconds a lease is held before the observer is told. Default 30 000: as
   * long as others wait for it by default.
   */
  after?: number | undefined;
  /**
   * The share of the acquires whose stack is captured, from 0 to 1. Default 1:
   * every one, so that each leak is named. Measured on 2 busy cores, a watched
   * acquire and release took 1 to 5 µs longer, and 3 to 20 µs more with a stack.
   */
  sample?: number | undefined;
}

const SHARE: Rule = {
  ...DURATION,
  range: "a number from 0 to 1",
  holds: (value) => value >= 0 && value <= 1,
};

/**
 * A value for the option `leaks` of one pool or of several. In such a pool
 *
 * - the observer's `leaked` is told of a lease that is held for `after`, with the
 *   stack of the call that acquired it; and of each that is out when a `close`
 *   has waited that long;
 * - a lease that was garbage collected unreleased has its resource destroyed,
 *   reason `"leaked"`, and is told of as well. So whoever uses a resource must
 *   keep its lease, not only its `value`;
 * - an `AcquireTimeoutError` names the three that have held longest and where
 *   they acquired, and its own stack is that of the call that timed out.
 *
 * When garbage is collected is up to the runtime. Until `after` has passed the
 * stack itself may keep a lease; one that its own resource refers to is never
 * collected.
 *
 * @throws {TypeError} if an option is of the wrong kind, or not known
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { watchLeaks } from "@lease/pool/leaks";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 1,
 *   leaks: watchLeaks(),
 * });
 *
 * async function careless() {
 *   return await pool.acquire();
 * }
 *
 * using _kept = await careless();
 * await pool.acquire({ timeout: 0 }).catch(({ message }) => {
 *   console.log(message.includes("careless")); // true
 * });
 * ```
 */
export function watchLeaks(options: WatchLeaksOptions = {}): LeaseWatch {
  const check = new Check("Cannot watch leaks");
  check.that("options", options, OBJECT);
  check.names(options, ["after", "sample"]);
  const { after = 30_000, sample = 1 } = options;
  check.that("after", after, DELAY);
  check.that("sample", sample, SHARE);
  return (pool, lessor) => new Watcher(pool, lessor, after, sample);
}
