import type { Clock } from "../clock.ts";
import type { Pool } from "../pool.ts";

/**
 * Evicts what has been idle for too long, but for the last few. A pool's own
 * `min` would also replace what has gone, and that is not asked for here.
 */
export class Eviction<C> {
  readonly #pool: Pool<C>;
  readonly #clock: Clock;
  readonly #min: number;
  readonly #idleTimeout: number;
  #timer: unknown = undefined;

  /** Keeps `min` clients; the others go when idle for longer than that, in ms. */
  constructor(pool: Pool<C>, clock: Clock, min: number, idleTimeout: number) {
    this.#pool = pool;
    this.#clock = clock;
    this.#min = min;
    this.#idleTimeout = idleTimeout;
  }

  /** Something has become idle. */
  watch(): void {
    if (this.#timer === undefined) this.#wait(this.#idleTimeout + 1);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #wait(delay: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#sweep(), delay);
    // The connections keep the process alive, where they are to.
    (this.#timer as { unref?(): void } | undefined)?.unref?.();
  }

  #sweep(): void {
    this.#timer = undefined;
    const { idle, used, creating } = this.#pool.stats();
    let surplus = idle + used + creating - this.#min;
    let unseen = idle;
    let next = Infinity;
    this.#pool.evict((_client, { idle }) => {
      // The idle ones are asked first.
      if (surplus <= 0 || unseen-- <= 0) return false;
      if (idle <= this.#idleTimeout) {
        next = Math.min(next, this.#idleTimeout - idle + 1);
        return false;
      }
      surplus--;
      return true;
    });
    if (next < Infinity) this.#wait(next);
  }
}
