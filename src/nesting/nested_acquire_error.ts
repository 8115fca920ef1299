import { PoolError } from "../pool_error.ts";

/**
 * A task that holds leases of a pool acquires another. The message says how large
 * `max` has to be for such tasks; `stats` are those of the whole pool.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { NestedAcquireError, watchNesting } from "@lease/pool/nesting";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 10,
 *   nesting: watchNesting({ nested: "throw" }),
 * });
 * await pool.use(() => pool.use(() => {})).catch((error) => {
 *   if (!(error instanceof NestedAcquireError)) throw error;
 *   console.log(error.held); // 1
 * });
 * ```
 */
export class NestedAcquireError extends PoolError {
  /** Always `"NestedAcquireError"`. */
  override readonly name = "NestedAcquireError";
  /** Always `"NESTED"`. */
  override readonly code = "NESTED";
  /** How many leases of the pool the task holds. */
  readonly held: number;

  /** As of a `PoolError`, and what the task holds. */
  constructor(
    message: string,
    details: ConstructorParameters<typeof PoolError>[1],
    held: number,
  ) {
    super(message, details);
    this.held = held;
  }
}
