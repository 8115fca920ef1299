import type { Entry } from "./core/entry.ts";
import { inspectable } from "./inspection.ts";
import type { PoolClosedError } from "./pool_error.ts";

/** Where a lease gives its entry back. */
export interface Lessor<T> {
  /** `failed` is whether its user threw. */
  release(entry: Entry<T>, failed: boolean): void;
  destroy(entry: Entry<T>): void;
  /** What reading one says that a close took back. */
  closed(entry: Entry<T>): PoolClosedError;
}

/** Releases a resource whose user threw. */
export let releaseFailed: (lease: Lease<unknown>) => void;

/** What a lease is on that has not ended. */
export let entryOf: <T>(lease: Lease<T>) => Entry<T>;

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
  readonly #lessor: Lessor<T>;

  /** Leases come from `Pool.acquire`, `tryAcquire` and `use`. */
  constructor(entry: Entry<T>, lessor: Lessor<T>) {
    entry.uses++;
    this.#entry = entry;
    this.#lessor = lessor;
  }

  static {
    releaseFailed = (lease) => lease.#release(true);
    entryOf = (lease) => lease.#entry!;
  }

  /**
   * The resource.
   *
   * @throws {Error} once the lease is spent
   * @throws {PoolClosedError} if an aborted `close` took the resource back
   */
  get value(): T {
    const entry = this.#entry;
    if (entry === undefined) {
      throw new Error("Cannot read 'value' of a lease that has ended");
    }
    if (entry.place !== "used") {
      throw this.#lessor.closed(entry);
    }
    return entry.resource;
  }

  /** Gives the resource back, for a waiter or to be idle. Never throws. */
  release(): void {
    this.#release(false);
  }

  /** Has the resource destroyed instead of used again. Never throws. */
  destroy(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    this.#lessor.destroy(entry);
  }

  /** The same as `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** The same as `release`; there is nothing to wait for. */
  [Symbol.asyncDispose](): void {
    this.release();
  }

  /** Its state, which `JSON.stringify` and `console.log` show. */
  toJSON(): { state: "held" | "ended" } {
    return { state: this.#entry?.place === "used" ? "held" : "ended" };
  }

  #release(failed: boolean): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    this.#lessor.release(entry, failed);
  }
}

inspectable(Lease);
