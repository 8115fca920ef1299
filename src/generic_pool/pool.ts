import { EventEmitter } from "node:events";
import type { Clock } from "../clock.ts";
import { Held } from "../drop_in/held.ts";
import type { Leases } from "../drop_in/leases.ts";
import { Patience } from "../drop_in/patience.ts";
import { Sweep } from "../drop_in/sweep.ts";
import type { Lease } from "../lease.ts";
import { Pool as LeasePool } from "../pool.ts";
import {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
} from "../pool_error.ts";
import { SystemClock } from "../system_clock.ts";
import {
  type Factory,
  type Options,
  type Settings,
  settle,
} from "./pool_options.ts";
import { TimeoutError } from "../drop_in/timeout_error.ts";

export type { Factory, Options };

/** The highest priority of our own. */
const HIGHEST = 3;

/** Who waits until something holds. */
interface Waiting {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

/**
 * The pool of generic-pool 3.9. It emits `factoryCreateError` and
 * `factoryDestroyError` with what the factory fails with; what a listener throws
 * is dropped. Where theirs does wrong, it does not:
 *
 * - a create that fails is tried again after 100 ms, doubled up to 2 s;
 * - a second release frees nobody else's resource, as long as the next holder
 *   does not have it yet; from then on nobody can tell from a resource who
 *   gives it back, but `use` can;
 * - `validate` and `destroy` may throw or hang;
 * - `max` counts what is being destroyed, too.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool/generic-pool";
 *
 * const factory = { create: () => Promise.resolve({}), destroy: () => {} };
 * const pool = new Pool(factory, { max: 2, acquireTimeoutMillis: 1_000 });
 * pool.on("factoryCreateError", (error) => console.warn(error));
 * const resource = await pool.acquire();
 * await pool.release(resource);
 * console.log(pool.available); // 1
 * await pool.drain();
 * await pool.clear();
 * ```
 */
export class Pool<T> extends EventEmitter {
  readonly #settings: Settings;
  readonly #factory: Factory<T>;
  readonly #pool: LeasePool<T>;
  readonly #patience: Patience<T>;
  readonly #sweep: Sweep;
  readonly #held = new Held<T>();
  /** Invariant: the calls of `create` in flight. */
  readonly #creates = new Set<Promise<T>>();
  readonly #waiting = new Set<Waiting>();
  #isStarted = false;
  #draining: Promise<void> | undefined;

  /**
   * Begins to make the minimum, but with `autostart: false`. The last argument
   * is not of generic-pool: what the pool beneath is called, by default
   * `"generic-pool"`, and where time comes from, for tests.
   *
   * @throws {TypeError} if a function of the factory is missing
   */
  constructor(
    factory: Factory<T>,
    options: Options = {},
    { clock = new SystemClock(), name = "generic-pool" }: {
      clock?: Clock;
      name?: string;
    } = {},
  ) {
    super();
    const settings = settle(factory, Object(options));
    const { testOnBorrow } = settings;
    this.#settings = settings;
    this.#factory = factory;
    this.#pool = new LeasePool<T>({
      create: () => this.#create(),
      destroy: (resource) => factory.destroy(resource),
      validate: testOnBorrow
        ? (resource) => this.#isValid(resource)
        : undefined,
      max: settings.max,
      min: settings.min,
      idleOrder: settings.fifo ? "oldest" : "newest",
      // The sweep evicts, and the factory takes its time.
      idleTimeout: Infinity,
      createTimeout: Infinity,
      destroyTimeout: settings.destroyTimeoutMillis,
      observer: {
        idled: () => this.#look(),
        destroyed: (event) => {
          this.#look();
          if ("error" in event) this.#tell("factoryDestroyError", event.error);
        },
      },
      ...{ name, clock },
    });
    this.#patience = new Patience(this.#pool, clock);
    this.#sweep = new Sweep(
      clock,
      settings.evictionRunIntervalMillis,
      () => this.#evict(),
    );
    if (settings.autostart) this.start();
  }

  /**
   * The pool of `@lease/pool` beneath: `leases.observe(observer)` tells what
   * happens, and `inspect`, and `watch` of an `otelObserver`, take it.
   *
   * @example
   * ```ts
   * import { inspect } from "@lease/pool/inspect";
   * import { Pool } from "@lease/pool/generic-pool";
   *
   * const factory = { create: () => Promise.resolve({}), destroy: () => {} };
   * const pool = new Pool(factory, { max: 2 }, { name: "orders" });
   * using handler = inspect([pool.leases], { authorize: "anyone" });
   * const response = await handler(new Request("http://localhost/stats"));
   * console.log((await response.text()).includes("nobody waits")); // true
   * await pool.drain();
   * ```
   */
  get leases(): Leases<T> {
    return this.#pool;
  }

  /** How many resources could be made now. */
  get spareResourceCapacity(): number {
    return this.max - this.size;
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
  get borrowed(): number {
    const { used, validating } = this.#pool.stats();
    return used - validating;
  }

  /** How many acquires wait. */
  get pending(): number {
    return this.#pool.stats().pending;
  }

  /** The most resources at one time. */
  get max(): number {
    return this.#settings.max;
  }

  /** How many resources are kept. */
  get min(): number {
    return this.#settings.min;
  }

  /** Begins to make the minimum; once is enough. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    // What it fails with is told by an event.
    if (this.min > 0) this.#pool.warm(this.min).catch(() => {});
  }

  /**
   * Resolves with a resource, in order of arrival and priority. Rejects with a
   * `TimeoutError` after `acquireTimeoutMillis`, and with an `Error` if
   * `maxWaitingClients` wait already or once the pool drains.
   */
  acquire(priority?: number): Promise<T> {
    return this.#given(this.#take(priority).then(({ resource }) => resource));
  }

  /**
   * Acquires, runs `fn`, and resolves with its result. If it throws the resource
   * is destroyed, else released.
   */
  use<R>(
    fn: (resource: T) => R | PromiseLike<R>,
    priority?: number,
  ): Promise<R> {
    return this.#given(this.#use(fn, priority));
  }

  /** Whether a resource is in use. */
  isBorrowedResource(resource: T): boolean {
    return this.#held.has(resource);
  }

  /** Gives a resource back; rejects if it is not in use. */
  release(resource: T): Promise<void> {
    return this.#end(resource, (lease) => lease.release());
  }

  /** Has a resource destroyed; rejects if it is not in use. */
  destroy(resource: T): Promise<void> {
    return this.#end(resource, (lease) => lease.destroy());
  }

  /**
   * Refuses new acquires, serves those that wait, destroys what is idle, and
   * resolves when all that was used has come back and is destroyed.
   */
  drain(): Promise<void> {
    this.#sweep.stop();
    // What it fails with is told by events.
    this.#draining = this.#pool.close({ serve: true }).catch(() => {});
    return this.#given(this.#draining);
  }

  /**
   * Waits for what is being created, destroys all that is idle, and resolves
   * when nothing is being destroyed any more.
   */
  clear(): Promise<void> {
    return this.#given(this.#clear());
  }

  /** Resolves when at least the minimum is idle. */
  ready(): Promise<void> {
    return this.#given(this.#until(() => this.available >= this.min));
  }

  async #take(
    priority: number | undefined,
  ): Promise<{ lease: Lease<T>; resource: T }> {
    const { maxWaitingClients, acquireTimeoutMillis } = this.#settings;
    this.start();
    const isFull = this.spareResourceCapacity < 1 && this.available < 1 &&
      this.pending >= maxWaitingClients;
    if (isFull) throw new Error("max waitingClients count exceeded");
    try {
      const lease = await this.#patience.acquire({
        timeout: acquireTimeoutMillis,
        priority: this.#headStart(priority),
      });
      const resource = lease.value;
      this.#held.add(resource, lease);
      return { lease, resource };
    } catch (error) {
      if (error instanceof AcquireTimeoutError) {
        const message = `ResourceRequest timed out: ${error.message}`;
        throw new TimeoutError(message, { cause: error });
      }
      if (error instanceof PoolClosedError) {
        const message = "pool is draining and cannot accept work";
        throw new Error(message, { cause: error });
      }
      throw error;
    }
  }

  /** Our priority for one of theirs; what is none of theirs is their lowest. */
  #headStart(priority = 0): number {
    const last = this.#settings.priorityRange - 1;
    if (last === 0) return 0;
    const place = Math.trunc(priority);
    const isOne = place >= 0 && place <= last;
    return isOne ? Math.round(HIGHEST * (last - place) / last) : 0;
  }

  async #use<R>(
    fn: (resource: T) => R | PromiseLike<R>,
    priority: number | undefined,
  ): Promise<R> {
    const { lease, resource } = await this.#take(priority);
    try {
      const result = await fn(resource);
      this.#held.drop(resource, lease);
      lease.release();
      return result;
    } catch (error) {
      this.#held.drop(resource, lease);
      lease.destroy();
      throw error;
    }
  }

  #end(resource: T, end: (lease: Lease<T>) => void): Promise<void> {
    const lease = this.#held.take(resource);
    if (lease !== undefined) end(lease);
    const ended = lease !== undefined
      ? Promise.resolve()
      : Promise.reject(new Error("Resource not currently part of this pool"));
    const given = this.#given(ended);
    // Most who release do not look.
    given.then(undefined, () => {});
    return given;
  }

  #create(): Promise<T> {
    const create = this.#made().finally(() => this.#creates.delete(create));
    this.#creates.add(create);
    return create;
  }

  async #made(): Promise<T> {
    // From here, so that its timers keep no caller's context.
    const isDue = this.#settings.evictionRunIntervalMillis > 0 &&
      this.#sweep.timer === null && this.#draining === undefined;
    if (isDue) this.#sweep.start();
    try {
      const resource = await this.#factory.create();
      if (!this.#settings.testOnBorrow) return resource;
      if (await this.#isValid(resource)) return resource;
      await this.#factory.destroy(resource);
      throw new Error("The resource was invalid when it was created");
    } catch (error) {
      this.#patience.failed(error);
      this.#tell("factoryCreateError", error);
      throw error;
    }
  }

  /** As generic-pool has it, only `false` is a no. */
  async #isValid(resource: T): Promise<boolean> {
    return await this.#factory.validate!(resource) !== false;
  }

  async #clear(): Promise<void> {
    if (this.#draining !== undefined) return await this.#draining;
    await Promise.allSettled(this.#creates);
    this.#pool.evict((resource) => !this.#held.has(resource));
    await this.#until(() => this.#pool.stats().destroying === 0);
  }

  #evict(): void {
    const { idleTimeoutMillis, softIdleTimeoutMillis, min } = this.#settings;
    let tests = this.#settings.numTestsPerEvictionRun;
    let surplus = this.available - min;
    this.#pool.evict((resource, { idle }) => {
      const isSoft = softIdleTimeoutMillis > 0 && surplus > 0 &&
        idle > softIdleTimeoutMillis;
      const isOver = tests > 0 && !this.#held.has(resource) &&
        (isSoft || idle > idleTimeoutMillis);
      if (isOver) {
        tests--;
        surplus--;
      }
      return isOver;
    });
  }

  #tell(event: string, error: unknown): void {
    if (error instanceof CallTimeoutError) {
      error = new Error("destroy timed out", { cause: error });
    }
    try {
      this.emit(event, error);
    } catch {
      // A listener only watches.
    }
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add({ holds, resolve });
      this.#look();
    });
  }

  #look(): void {
    for (const waiting of this.#waiting) {
      if (!waiting.holds()) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  /** A promise of the kind that the user wants. */
  #given<R>(promise: Promise<R>): Promise<R> {
    const { Promise: Wanted } = this.#settings;
    if (Wanted === Promise) return promise;
    return new Wanted<R>((resolve, reject) => {
      promise.then(resolve, reject);
    }) as Promise<R>;
  }
}
