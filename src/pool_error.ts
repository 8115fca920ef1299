import type { StripeStats } from "./pool_stats.ts";

/** What went wrong, for programs: the `code` of a `PoolError`. */
export type PoolErrorCode =
  | "CLOSED"
  | "FULL"
  | "OVERLOADED"
  | "NESTED"
  | "ACQUIRE_TIMEOUT"
  | "CREATE_TIMEOUT"
  | "VALIDATE_TIMEOUT"
  | "RESET_TIMEOUT"
  | "DESTROY_TIMEOUT";

/**
 * What every error of a pool's own making is. `cause`, if there, is the last
 * failure of `create` in the line it tells of, if none has succeeded since.
 * One of those who wait, from a timer, a `close` or a release, has no stack where
 * the runtime can do without: it would show none of the caller's code.
 *
 * @example
 * ```ts
 * import { Pool, PoolError } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 1, name: "db" });
 * await pool.acquire({ timeout: 0 }).catch((error) => {
 *   if (!(error instanceof PoolError)) throw error;
 *   console.log(error.code, error.stats.used, JSON.stringify(error));
 * });
 * ```
 */
export abstract class PoolError extends Error {
  /** What went wrong, for programs. */
  abstract readonly code: PoolErrorCode;
  /** The option `name` of the pool. */
  readonly poolName: string;
  /**
   * Counts of the line it tells of: the stripe's where `isolated`, else the
   * whole pool's. They are those from before anyone left with such an error,
   * but of a `PoolOverloadedError` those from after.
   */
  readonly stats: Readonly<StripeStats>;
  /** How long whoever gets it had waited, in whole ms. */
  readonly waited: number;

  /** Errors like this come from pools; tests may make their own. */
  constructor(
    message: string,
    details: Pick<PoolError, "poolName" | "stats" | "waited"> & ErrorOptions,
  ) {
    super(message, details);
    this.poolName = details.poolName;
    this.stats = details.stats;
    this.waited = details.waited;
  }

  /** What `JSON.stringify` shows: all but the stack and the cause. */
  toJSON(): Pick<
    PoolError,
    "name" | "code" | "message" | "poolName" | "stats" | "waited"
  > {
    const { name, code, message, poolName, stats, waited } = this;
    return { name, code, message, poolName, stats, waited };
  }
}

/**
 * An acquire was refused, or a pending one rejected, because the pool is
 * closed or closing; or a lease was read that an aborted `close` took back.
 *
 * @example
 * ```ts
 * import { Pool, PoolClosedError } from "@lease/pool";
 *
 * const pool = new Pool({ create: () => ({}), max: 1 });
 * await pool.close();
 * await pool.acquire().catch((error) => {
 *   if (!(error instanceof PoolClosedError)) throw error;
 * });
 * ```
 */
export class PoolClosedError extends PoolError {
  /** Always `"PoolClosedError"`. */
  override readonly name = "PoolClosedError";
  /** Always `"CLOSED"`. */
  override readonly code = "CLOSED";
}

/**
 * An acquire was refused because `maxPending` others wait already.
 *
 * @example
 * ```ts
 * import { Pool, PoolFullError } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 1, maxPending: 0 });
 * using _only = await pool.acquire();
 * await pool.acquire().catch((error) => {
 *   if (!(error instanceof PoolFullError)) throw error;
 * });
 * ```
 */
export class PoolFullError extends PoolError {
  /** Always `"PoolFullError"`. */
  override readonly name = "PoolFullError";
  /** Always `"FULL"`. */
  override readonly code = "FULL";
}

/**
 * An acquire was shed: the pool could not keep up, and it had waited too long
 * when its turn came. See the option `shed`.
 *
 * @example
 * ```ts
 * import { Pool, PoolOverloadedError } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 1 });
 * await pool.use(() => {}).catch((error) => {
 *   if (!(error instanceof PoolOverloadedError)) throw error;
 *   const seconds = Math.ceil(error.retryAfter / 1_000);
 *   return new Response(null, {
 *     status: 503,
 *     headers: { "Retry-After": `${seconds}` },
 *   });
 * });
 * ```
 */
export class PoolOverloadedError extends PoolError {
  /** Always `"PoolOverloadedError"`. */
  override readonly name = "PoolOverloadedError";
  /** Always `"OVERLOADED"`. */
  override readonly code = "OVERLOADED";
  /** In how many ms it is worth to try again. */
  readonly retryAfter: number;

  /** As of a `PoolError`, and when to try again. */
  constructor(
    message: string,
    details: ConstructorParameters<typeof PoolError>[1],
    retryAfter: number,
  ) {
    super(message, details);
    this.retryAfter = retryAfter;
  }

  /** As of a `PoolError`, and when to try again. */
  override toJSON(): ReturnType<PoolError["toJSON"]> & { retryAfter: number } {
    return { ...super.toJSON(), retryAfter: this.retryAfter };
  }
}

/**
 * An acquire waited for its whole `timeout`, or found nothing idle with
 * `timeout: 0`. The message says in a sentence why nothing came, with counts.
 *
 * @example
 * ```ts
 * import { AcquireTimeoutError, Pool } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 1, name: "db" });
 * await pool.acquire({ timeout: 0 }).catch((error) => {
 *   if (!(error instanceof AcquireTimeoutError)) throw error;
 *   console.log(error.name, error.message);
 * });
 * ```
 */
export class AcquireTimeoutError extends PoolError {
  /** Always `"TimeoutError"`, as of the platform's own timeouts. */
  override readonly name = "TimeoutError";
  /** Always `"ACQUIRE_TIMEOUT"`. */
  override readonly code = "ACQUIRE_TIMEOUT";
}

/**
 * A call of `create`, `validate`, `reset` or `destroy` passed its limit;
 * `waited` is how long the pool had waited for it. It never has a `cause`.
 *
 * @example
 * ```ts
 * import { CallTimeoutError, Pool } from "@lease/pool";
 *
 * await using pool = new Pool<object>({
 *   create: () => new Promise(() => {}), // hangs
 *   max: 1,
 *   createTimeout: 10,
 * });
 * await pool.acquire().catch((error) => {
 *   if (!(error instanceof CallTimeoutError)) throw error;
 *   console.log(error.code); // CREATE_TIMEOUT
 * });
 * ```
 */
export class CallTimeoutError extends PoolError {
  /** Always `"CallTimeoutError"`. */
  override readonly name = "CallTimeoutError";
  /** Which of the calls it was. */
  override readonly code:
    | "CREATE_TIMEOUT"
    | "VALIDATE_TIMEOUT"
    | "RESET_TIMEOUT"
    | "DESTROY_TIMEOUT";

  /** As of a `PoolError`, and its code. */
  constructor(
    message: string,
    details: ConstructorParameters<typeof PoolError>[1],
    code: CallTimeoutError["code"],
  ) {
    super(message, details);
    this.code = code;
  }
}

/**
 * Makes errors without a stack, where the runtime can. A stack from within a
 * timer shows none of the caller's code, and costs more than the cancellation.
 */
export function withoutStack<R>(make: () => R): R {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  if (typeof limit !== "number") return make();
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, "stackTraceLimit", limit);
  }
}
