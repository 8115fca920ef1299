import type { Clock } from "../clock.ts";
import { Held } from "../drop_in/held.ts";
import type { Leases } from "../drop_in/leases.ts";
import { Pool as LeasePool } from "../pool.ts";
import {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
} from "../pool_error.ts";
import { SystemClock } from "../system_clock.ts";
import { AggregateError } from "./aggregate_error.ts";
import {
  check,
  type FactoryOptions,
  type LogLevel,
  time,
} from "./pool_options.ts";
import { Resource } from "./resource.ts";
import { TimeoutError } from "../drop_in/timeout_error.ts";

/**
 * The `Pool` of sequelize-pool 8. What it does beyond: waiters are served in
 * order of arrival, a cancelled or late create leaks no place, and no timer keeps
 * the process alive while nobody waits.
 *
 * @example
 * ```ts
 * import { Pool, TimeoutError } from "@lease/pool/sequelize-pool";
 *
 * const pool = new Pool({
 *   create: () => Promise.resolve({}),
 *   destroy: () => {},
 *   validate: () => true,
 *   min: 0,
 *   max: 1,
 *   acquireTimeoutMillis: 10,
 * });
 * const resource = await pool.acquire();
 * await pool.acquire().catch((error) => {
 *   console.log(error instanceof TimeoutError); // true
 * });
 * await pool.destroy(resource);
 * console.log(pool.size); // 0
 * ```
 */
export class Pool<T> {
  /** The option `name`. */
  readonly name: string | undefined;
  /** The most resources at one time. */
  readonly maxSize: number;
  /** How many resources are kept. */
  readonly minSize: number;
  /** Milliseconds after which an idle resource is destroyed. */
  protected readonly idleTimeoutMillis: number;
  /** Milliseconds an acquire waits. */
  protected readonly acquireTimeoutMillis: number;
  /** The least milliseconds that a resource is idle. */
  protected readonly reapIntervalMillis: number;
  readonly #options: FactoryOptions<T>;
  readonly #pool: LeasePool<Resource<T>>;
  readonly #held = new Held<T, Resource<T>>();
  #draining: Promise<void> | undefined;

  /**
   * Sets nothing in motion. The second argument is not of sequelize-pool: where
   * time comes from, for tests.
   *
   * @throws {Error} if an option is missing or wrong
   */
  constructor(
    options: FactoryOptions<T>,
    { clock = new SystemClock() }: { clock?: Clock } = {},
  ) {
    check(options);
    const { min, max, maxUses } = options;
    this.name = options.name;
    this.maxSize = max;
    this.minSize = min;
    this.idleTimeoutMillis = time(options.idleTimeoutMillis, 30_000);
    this.acquireTimeoutMillis = time(options.acquireTimeoutMillis, 30_000);
    this.reapIntervalMillis = time(options.reapIntervalMillis, 1_000);
    this.#options = options;
    this.#pool = new LeasePool<Resource<T>>({
      create: () => this.#create(),
      destroy: (resource) => resource.end(),
      validate: ({ value }) => options.validate(value),
      min,
      // As there, it may be Infinity.
      max: Math.min(max, Number.MAX_SAFE_INTEGER),
      maxUses: maxUses || Infinity,
      idleTimeout: Math.max(this.idleTimeoutMillis, this.reapIntervalMillis),
      acquireTimeout: this.acquireTimeoutMillis,
      createTimeout: this.acquireTimeoutMillis,
      // Each failure is somebody's: Sequelize tries again itself.
      createRetry: false,
      name: options.name || "sequelize-pool",
      clock,
    });
  }

  /**
   * The pool of `@lease/pool` beneath: `leases.observe(observer)` tells what
   * happens, and `inspect`, and `watch` of an `otelObserver`, take it. What is
   * told of has the resource as its `value`.
   *
   * @example
   * ```ts
   * import { inspect } from "@lease/pool/inspect";
   * import { Pool } from "@lease/pool/sequelize-pool";
   *
   * const pool = new Pool({
   *   name: "orders",
   *   create: () => Promise.resolve({}),
   *   destroy: () => {},
   *   validate: () => true,
   *   min: 0,
   *   max: 2,
   * });
   * using handler = inspect([pool.leases], { authorize: "anyone" });
   * const response = await handler(new Request("http://localhost/stats"));
   * console.log((await response.text()).includes("nobody waits")); // true
   * await pool.drain();
   * ```
   */
  get leases(): Leases<{ readonly value: T }> {
    return this.#pool;
  }

  /** How many resources there are or are being made. */
  get size(): number {
    const { idle, used, creating } = this.#pool.stats();
    return idle + used + creating;
  }

  /** How many are idle. */
  get available(): number {
    return this.#pool.stats().idle;
  }

  /** How many are in use. */
  get using(): number {
    return this.#pool.stats().used;
  }

  /** How many acquires wait. */
  get waiting(): number {
    return this.#pool.stats().pending;
  }

  /**
   * Resolves with a resource, in order of arrival. Rejects with a `TimeoutError`
   * after `acquireTimeoutMillis`, with what `create` failed with for it, and with
   * an `Error` once the pool drains.
   */
  async acquire(): Promise<T> {
    const { waiting, available } = this;
    this.#log(
      `dispense() clients=${waiting + 1} available=${available}`,
      "info",
    );
    try {
      const lease = await this.#pool.acquire();
      const { value } = lease.value;
      this.#held.add(value, lease);
      return value;
    } catch (error) {
      throw outward(error);
    }
  }

  /**
   * Gives a resource back; one that is not in use is logged. A second release
   * does nothing until the next holder has the resource: from then on nobody can
   * tell who gives it back.
   */
  release(resource: T): void {
    const lease = this.#held.take(resource);
    if (lease !== undefined) return lease.release();
    const { stack } = new Error();
    this.#log(`attempt to release what is not in use: ${stack}`, "error");
  }

  /**
   * Destroys a resource that is used or idle, and rejects with what `destroy`
   * fails with.
   */
  async destroy(resource: T): Promise<void> {
    const lease = this.#held.take(resource);
    if (lease === undefined) {
      await Promise.all(this.#evict((value) => value === resource));
    } else {
      const { value } = lease;
      lease.destroy();
      await value.end();
    }
  }

  /**
   * Refuses new acquires, serves those that wait, destroys what is idle, and
   * resolves when all that was used has come back and is destroyed.
   */
  async drain(): Promise<void> {
    this.#log("draining", "info");
    this.#draining = this.#pool.close({ serve: true });
    // What it fails with is for `destroyAllNow` to tell.
    await this.#draining.catch(() => {});
  }

  /**
   * Destroys all that is idle. After `drain` there is nothing left to do.
   *
   * @throws {AggregateError} with what `destroy` failed with
   */
  async destroyAllNow(): Promise<void> {
    this.#log("force destroying all objects", "info");
    const ends = this.#draining === undefined
      ? this.#evict((value) => !this.#held.has(value))
      : [this.#draining];
    const errors = (await Promise.allSettled(ends)).flatMap((end) => {
      if (end.status === "fulfilled") return [];
      const { reason } = end;
      return reason instanceof globalThis.AggregateError
        ? reason.errors
        : [reason];
    });
    if (errors.length > 0) throw new AggregateError(errors);
  }

  #create(): PromiseLike<Resource<T>> {
    const { size, minSize, maxSize } = this;
    this.#log(
      `createResource() - creating obj - count=${size} min=${minSize} max=${maxSize}`,
      "verbose",
    );
    return this.#options.create()
      .then((value) => new Resource(value, this.#options));
  }

  /** Evicts what is idle and matches, and gives the ends of all. */
  #evict(matches: (value: T) => boolean): Promise<unknown>[] {
    const ends: Promise<unknown>[] = [];
    this.#pool.evict(({ value, ended }) => {
      const isMatch = matches(value);
      if (isMatch) ends.push(ended);
      return isMatch;
    });
    return ends;
  }

  #log(message: string, level: LogLevel): void {
    const { log } = this.#options;
    if (typeof log === "function") log(message, level);
    else if (log) {
      console.log(
        `${level.toUpperCase()} pool ${this.name || ""} - ${message}`,
      );
    }
  }
}

/** An error as sequelize-pool has it. */
function outward(error: unknown): unknown {
  if (error instanceof PoolClosedError) {
    const message = "pool is draining and cannot accept work";
    return new Error(message, { cause: error });
  }
  if (
    error instanceof AcquireTimeoutError || error instanceof CallTimeoutError
  ) {
    return new TimeoutError("Pool acquire operation timeout", { cause: error });
  }
  return error;
}
