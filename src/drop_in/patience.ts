import type { Clock } from "../clock.ts";
import type { Lease } from "../lease.ts";
import type { Pool } from "../pool.ts";
import { CallTimeoutError } from "../pool_error.ts";
import type { AcquireOptions } from "../pool_options.ts";

/**
 * Acquires of a pool whose `create` has never worked reject as it fails: with
 * this they go on waiting, ahead of who comes later.
 */
export class Patience<T> {
  readonly #pool: Pool<T>;
  readonly #clock: Clock;
  readonly #failures = new WeakSet<object>();

  constructor(pool: Pool<T>, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** `create` has failed with this. */
  failed(error: unknown): void {
    if (error instanceof Object) this.#failures.add(error);
  }

  /** Acquires as long as `timeout` lasts. */
  async acquire(
    options: AcquireOptions & { timeout: number },
  ): Promise<Lease<T>> {
    const end = this.#clock.now() + options.timeout;
    let attempt = options;
    for (;;) {
      try {
        return await this.#pool.acquire(attempt);
      } catch (error) {
        if (options.signal?.aborted || !this.#isFailure(error)) throw error;
        const timeout = Math.max(end - this.#clock.now(), 0);
        attempt = { ...options, timeout, priority: 3 };
      }
    }
  }

  #isFailure(error: unknown): boolean {
    return !(error instanceof Object) || error instanceof CallTimeoutError ||
      this.#failures.has(error);
  }
}
