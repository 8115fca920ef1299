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
export class PoolClosedError extends Error {
  /** Always `"PoolClosedError"`. */
  override readonly name = "PoolClosedError";
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
export class PoolFullError extends Error {
  /** Always `"PoolFullError"`. */
  override readonly name = "PoolFullError";
}

/**
 * An acquire waited for its whole `timeout`, or found nothing idle with
 * `timeout: 0`. The message carries the pool's name and counts; `cause` is the
 * last failure of `create`, if none has succeeded since. One that waited has no
 * stack where the runtime can do without: a timer shows none of the caller's.
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
export class AcquireTimeoutError extends Error {
  /** Always `"TimeoutError"`, as of the platform's own timeouts. */
  override readonly name = "TimeoutError";
}

/**
 * Makes an error without a stack, where the runtime can. A stack from within a
 * timer shows none of the caller's code, and costs more than the cancellation.
 */
export function withoutStack<E extends Error>(make: () => E): E {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  if (typeof limit !== "number") return make();
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, "stackTraceLimit", limit);
  }
}
