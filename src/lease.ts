import type { Entry } from "./entry.ts";
import { PoolClosedError } from "./pool_error.ts";

/**
 * The exclusive right to one resource, made by a `Pool`. It is spent once: by
 * `release`, by `destroy`, or by the end of the `using` or `await using` that
 * holds it. What comes later does nothing to anybody.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => new Map(), max: 1 });
 * using lease = await pool.acquire();
 * lease.value.set("key", 1);
 * ```
 */
export class Lease<T> implements Disposable {
  /** `undefined` once spent. */
  #entry: Entry<T> | undefined;

  /** Leases come from `Pool.acquire`, `tryAcquire` and `use`. */
  constructor(entry: Entry<T>) {
    this.#entry = entry;
  }

  /**
   * The resource.
   *
   * @throws {Error} once the lease is spent
   * @throws {PoolClosedError} if an aborted `close` took the resource back
   */
  get value(): T {
    const entry = this.#entry;
    if (entry === undefined || !entry.used) throw ended(entry !== undefined);
    return entry.resource;
  }

  /** Gives the resource back, for a waiter or to be idle. Never throws. */
  release(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    entry.stripe.lessor.release(entry);
  }

  /** Has the resource destroyed instead of used again. Never throws. */
  destroy(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    entry.stripe.lessor.destroy(entry);
  }

  /** The same as `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** The same as `release`; there is nothing to wait for. */
  [Symbol.asyncDispose](): void {
    this.release();
  }
}

function ended(byClose: boolean): Error {
  return byClose
    ? new PoolClosedError("Cannot read 'value' as the pool is closed")
    : new Error("Cannot read 'value' of a lease that has ended");
}
