/** Counts of one stripe at one moment. */
export interface StripeStats {
  /** Resources ready to be leased. */
  idle: number;
  /** Resources that are leased, or under `validate` on their way to a lease. */
  used: number;
  /** Calls of `create` in flight. */
  creating: number;
  /** Calls of `destroy` in flight; each still takes a slot. */
  destroying: number;
  /** Acquires not settled yet, in the line that this stripe serves. */
  pending: number;
  /** Those of them for whom nothing is under way: no create, no validation. */
  waiting: number;
  /** Those of them whose resource is under `validate`. */
  validating: number;
  /** How many slots it has. */
  max: number;
}

/**
 * Counts of a pool at one moment. All but those of acquires are the sums over
 * its stripes; stripes that share one line each report that line's.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 2 });
 * using _lease = await pool.acquire();
 * const { used, max } = pool.stats();
 * console.log(`${used} of ${max}`); // 1 of 2
 * ```
 */
export interface PoolStats extends StripeStats {
  /** The same for each stripe, by its number. */
  stripes: StripeStats[];
}

/** What is added up over lines and pools. */
export const COUNTS = [
  "idle",
  "used",
  "creating",
  "destroying",
  "pending",
  "waiting",
  "validating",
] as const;
