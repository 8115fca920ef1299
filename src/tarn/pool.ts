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
import type { CreateContext, DestroyContext } from "../pool_options.ts";
import { SystemClock } from "../system_clock.ts";
import { PendingOperation } from "./pending_operation.ts";
import { type PoolOptions, type PoolSettings, settle } from "./pool_options.ts";
import { TimeoutError } from "../drop_in/timeout_error.ts";

/**
 * What a `Pool` tells its listeners; the id is that of the request, by which it
 * is matched with its success or failure.
 */
export interface PoolEvents<T> {
  /** An acquire begins. */
  acquireRequest: [eventId: number];
  /** It is about to resolve. */
  acquireSuccess: [eventId: number, resource: T];
  /** It is about to reject. */
  acquireFail: [eventId: number, error: Error];
  /** `release` was called. */
  release: [resource: T];
  /** `create` is called. */
  createRequest: [eventId: number];
  /** It has made a resource. */
  createSuccess: [eventId: number, resource: T];
  /** It failed, or took too long. */
  createFail: [eventId: number, error: Error];
  /** `destroy` is called. */
  destroyRequest: [eventId: number, resource: T];
  /** It has ended the resource. */
  destroySuccess: [eventId: number, resource: T];
  /** It failed, or took too long. */
  destroyFail: [eventId: number, resource: T, error: Error];
  /** From now on idle resources are looked at. */
  startReaping: [];
  /** From now on nothing is looked at: there is nothing. */
  stopReaping: [];
  /** The pool is to be destroyed. */
  poolDestroyRequest: [eventId: number];
  /** It is. */
  poolDestroySuccess: [eventId: number];
}

/**
 * The `Pool` of tarn 3.1. What it does beyond: waiters keep their order whatever
 * fails, while a server is down one create is tried per
 * `createRetryIntervalMillis`, an acquire of a destroyed pool rejects at once,
 * and no timer keeps the process alive while nobody waits.
 *
 * @example
 * ```ts
 * import { Pool, TimeoutError } from "@lease/pool/tarn";
 *
 * const pool = new Pool({
 *   create: (callback) => callback(null, { id: 1 }),
 *   destroy: () => {},
 *   min: 0,
 *   max: 1,
 *   acquireTimeoutMillis: 10,
 * });
 * const resource = await pool.acquire().promise;
 * await pool.acquire().promise.catch((error) => {
 *   console.log(error instanceof TimeoutError); // true
 * });
 * console.log(pool.release(resource)); // true
 * await pool.destroy();
 * ```
 */
export class Pool<T> {
  /** Where listeners are kept. */
  protected readonly emitter: EventEmitter = new EventEmitter();
  /** How many idle resources are kept. */
  protected readonly min: number;
  /** The most resources at one time. */
  protected readonly max: number;
  /** Whether `destroy` has been called. */
  protected destroyed = false;
  readonly #settings: PoolSettings<T>;
  readonly #clock: Clock;
  readonly #pool: LeasePool<T>;
  readonly #patience: Patience<T>;
  readonly #sweep: Sweep;
  readonly #held = new Held<T>();
  #eventId = 1;
  /** Validations of new resources, each leased to who is to get it. */
  readonly #proofs = new Set<Promise<boolean>>();
  /** Those of resources used before, which are the pool's. */
  readonly #checks = new Set<Promise<boolean>>();

  /**
   * Sets nothing in motion. The second argument is not of tarn: what the pool
   * beneath is called, by default `"tarn"`, and where time comes from, for tests.
   *
   * @throws {Error} if an option is missing, wrong or not known
   */
  constructor(
    options: PoolOptions<T>,
    { clock = new SystemClock(), name = "tarn" }: {
      clock?: Clock;
      name?: string;
    } = {},
  ) {
    const settings = settle<T>(Object(options));
    const delay = settings.createRetryIntervalMillis;
    this.min = settings.min;
    this.max = settings.max;
    this.#settings = settings;
    this.#clock = clock;
    this.#pool = new LeasePool<T>({
      create: (context) => this.#create(context),
      destroy: (resource, context) => this.#destroy(resource, context),
      validate: settings.validate &&
        ((resource, { signal }) =>
          this.#isValid(resource, signal, this.#checks)),
      // As there, it may be Infinity.
      max: Math.min(settings.max, Number.MAX_SAFE_INTEGER),
      acquireTimeout: settings.acquireTimeoutMillis,
      createTimeout: settings.createTimeoutMillis,
      destroyTimeout: settings.destroyTimeoutMillis,
      // `check` decides, as tarn's minimum is kept but not made.
      idleTimeout: Infinity,
      // The counts are those that tarn has.
      growth: "eager",
      createRetry: !settings.propagateCreateError && { delay, maxDelay: delay },
      ...{ name, clock },
    });
    this.#patience = new Patience(this.#pool, clock);
    this.#sweep = new Sweep(
      clock,
      settings.reapIntervalMillis,
      () => this.check(),
    );
  }

  /**
   * The pool of `@lease/pool` beneath: `leases.observe(observer)` tells what
   * happens, and `inspect`, and `watch` of an `otelObserver`, take it.
   *
   * @example
   * ```ts
   * import { inspect } from "@lease/pool/inspect";
   * import { Pool } from "@lease/pool/tarn";
   *
   * const factory = { create: () => Promise.resolve({}), destroy: () => {} };
   * const options = { ...factory, min: 0, max: 2 };
   * const pool = new Pool(options, { name: "orders" });
   * using handler = inspect([pool.leases], { authorize: "anyone" });
   * const response = await handler(new Request("http://localhost/stats"));
   * console.log((await response.text()).includes("nobody waits")); // true
   * await pool.destroy();
   * ```
   */
  get leases(): Leases<T> {
    return this.#pool;
  }

  /** How many resources are used, or validated on their way to an acquire. */
  numUsed(): number {
    return this.#pool.stats().used;
  }

  /** How many are idle. */
  numFree(): number {
    return this.#pool.stats().idle;
  }

  /** How many acquires wait, those whose resource is validated not counted. */
  numPendingAcquires(): number {
    const { pending, validating } = this.#pool.stats();
    return pending - validating;
  }

  /** How many calls of `validate` are in flight. */
  numPendingValidations(): number {
    return this.#proofs.size + this.#pool.stats().validating;
  }

  /** How many calls of `create` are in flight. */
  numPendingCreates(): number {
    return this.#pool.stats().creating;
  }

  /** Whether nothing is there, nor waited for. */
  isEmpty(): boolean {
    const { idle, used, pending, creating } = this.#pool.stats();
    return idle + used + pending + creating === 0;
  }

  /** What reaps the idle resources, or `null` while nothing does. */
  get interval(): unknown {
    return this.#sweep.timer;
  }

  /** Begins an acquire, in order of arrival. */
  acquire(): PendingOperation<T> {
    const id = this.#eventId++;
    this.#tell("acquireRequest", id);
    return new PendingOperation((controller) => this.#acquire(id, controller));
  }

  /**
   * Gives a resource back, and whether it was out. A second release gives
   * `false`, until the next holder has the resource: from then on nobody can
   * tell who gives it back.
   */
  release(resource: T): boolean {
    this.#tell("release", resource);
    const lease = this.#held.take(resource);
    lease?.release();
    return lease !== undefined;
  }

  /** Destroys what has been idle for too long, but for the minimum. */
  check(): void {
    const { idleTimeoutMillis, min } = this.#settings;
    let surplus = this.numFree() + this.numUsed() - min;
    this.#pool.evict((resource, { idle }) =>
      idle >= idleTimeoutMillis && !this.#held.has(resource) && surplus-- > 0
    );
    if (this.isEmpty()) this._stopReaping();
  }

  /**
   * Aborts the acquires that wait, but for those whose resource is validated,
   * destroys what is idle, and resolves when all that is used or being created
   * has come back and is destroyed. What `destroy` fails with is logged.
   */
  async destroy(): Promise<void> {
    const id = this.#eventId++;
    this.#tell("poolDestroyRequest", id);
    this.destroyed = true;
    this._stopReaping();
    // What is validated for an acquire still comes to it, and nothing more.
    this.#pool.pause().catch(() => {});
    await Promise.allSettled(this.#checks);
    await this.#pool.close();
    this.#tell("poolDestroySuccess", id);
    this.emitter.removeAllListeners();
  }

  /** Adds a listener; what it throws is logged. */
  on<K extends keyof PoolEvents<T>>(
    event: K,
    listener: (...args: PoolEvents<T>[K]) => void,
  ): void {
    this.emitter.on(event, listener as (...args: unknown[]) => void);
  }

  /** Removes a listener. */
  removeListener<K extends keyof PoolEvents<T>>(
    event: K,
    listener: (...args: PoolEvents<T>[K]) => void,
  ): void {
    this.emitter.removeListener(
      event,
      listener as (...args: unknown[]) => void,
    );
  }

  /** Removes the listeners of an event, or all. */
  removeAllListeners(event?: keyof PoolEvents<T>): void {
    this.emitter.removeAllListeners(event);
  }

  /** Looks at idle resources no more, until the next is made. */
  _stopReaping(): void {
    if (this.interval === null) return;
    this.#tell("stopReaping");
    this.#sweep.stop();
  }

  async #acquire(id: number, controller: AbortController): Promise<T> {
    try {
      const lease = await this.#lease(controller);
      const resource = lease.value;
      this.#held.add(resource, lease);
      this.#tell("acquireSuccess", id, resource);
      return resource;
    } catch (error) {
      const failure = outward(error);
      this.#tell("acquireFail", id, failure);
      throw failure;
    }
  }

  async #lease(controller: AbortController): Promise<Lease<T>> {
    const { acquireTimeoutMillis, createRetryIntervalMillis } = this.#settings;
    const { propagateCreateError, validate } = this.#settings;
    const { signal } = controller;
    const end = this.#clock.now() + acquireTimeoutMillis;
    const options = { signal, timeout: acquireTimeoutMillis, priority: 0 };
    for (let delay = 1;; delay *= 2) {
      const lease = propagateCreateError
        ? await this.#pool.acquire(options)
        : await this.#patience.acquire(options);
      // Those used before were validated by the pool.
      const isFit = validate === undefined || lease.uses > 0 ||
        await this.#prove(lease.value, controller, end);
      if (isFit && !signal.aborted) return lease;
      if (isFit) lease.release();
      else lease.destroy();
      signal.throwIfAborted();
      // Not at once, as it may go on like that.
      const left = Math.max(end - this.#clock.now(), 0);
      const wait = Math.min(delay, createRetryIntervalMillis, left);
      await Promise.race([this.#sleep(wait), this.#ended(signal)]);
      options.timeout = Math.max(end - this.#clock.now(), 0);
      options.priority = 3;
    }
  }

  /** Whether a new resource is valid; its taker waits until `end`. */
  async #prove(
    resource: T,
    controller: AbortController,
    end: number,
  ): Promise<boolean> {
    const verdict = this.#isValid(resource, controller.signal, this.#proofs);
    if (typeof verdict === "boolean") return verdict;
    const late = () => controller.abort(new TimeoutError(LATE));
    const left = Math.min(end - this.#clock.now(), MAX_DELAY);
    const timer = this.#clock.setTimeout(late, left);
    try {
      return await verdict;
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  /** Whether a resource is valid, as far as is known when `signal` aborts. */
  #isValid(
    resource: T,
    signal: AbortSignal,
    calls: Set<Promise<boolean>>,
  ): boolean | Promise<boolean> {
    const verdict = this.#validate(resource);
    if (typeof verdict === "boolean") return verdict;
    const ended = this.#ended(signal).then(() => false);
    const call = Promise.race([verdict, ended])
      .finally(() => calls.delete(call));
    calls.add(call);
    return call;
  }

  #validate(resource: T): boolean | Promise<boolean> {
    const failed = (error: unknown) => {
      this.#warn(`resource validator threw an exception ${words(error)}`);
      return false;
    };
    try {
      const verdict = this.#settings.validate!(resource);
      if (typeof verdict === "boolean") return verdict;
      return Promise.resolve(verdict).then(Boolean, failed);
    } catch (error) {
      return failed(error);
    }
  }

  async #create({ signal }: CreateContext): Promise<T> {
    const id = this.#eventId++;
    const isLate = () => signal.reason instanceof CallTimeoutError;
    const failed = (error: unknown) =>
      this.#tell("createFail", id, outward(error));
    this.#tell("createRequest", id);
    signal.addEventListener("abort", () => isLate() && failed(signal.reason));
    try {
      const resource = await made(this.#settings.create);
      if (!isLate()) this.#tell("createSuccess", id, resource);
      this.#startReaping();
      return resource;
    } catch (error) {
      this.#patience.failed(error);
      if (!isLate()) failed(error);
      throw error;
    }
  }

  async #destroy(resource: T, { signal }: DestroyContext): Promise<void> {
    const id = this.#eventId++;
    const failed = (error: unknown) => {
      this.#tell("destroyFail", id, resource, outward(error));
      const text = words(outward(error));
      this.#warn(`resource destroyer threw an exception ${text}`);
    };
    this.#tell("destroyRequest", id, resource);
    signal.addEventListener("abort", () => failed(signal.reason));
    try {
      await this.#settings.destroy(resource);
      if (!signal.aborted) this.#tell("destroySuccess", id, resource);
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  }

  #startReaping(): void {
    if (this.interval !== null || this.destroyed) return;
    this.#tell("startReaping");
    this.#sweep.start();
  }

  /** One turn after `signal` aborts: what comes with its end still counts. */
  #ended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => void this.#clock.setTimeout(resolve, 0);
      if (signal.aborted) end();
      else signal.addEventListener("abort", end);
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimeout(resolve, ms));
  }

  #tell<K extends keyof PoolEvents<T>>(
    event: K,
    ...args: PoolEvents<T>[K]
  ): void {
    for (const listener of this.emitter.listeners(event)) {
      try {
        listener(...args);
      } catch (error) {
        this.#warn(
          `event handler "${event}" threw an exception ${words(error)}`,
        );
      }
    }
  }

  #warn(message: string): void {
    try {
      this.#settings.log(`Tarn: ${message}`, "warn");
    } catch {
      // Nobody is left to be told.
    }
  }
}

/** Runtimes fire a timer of 2^31 ms or more at once. */
const MAX_DELAY = 2 ** 31 - 1;

const LATE = "operation timed out while the resource was validated";

/** What `create` makes: what it returns, else what it calls back with. */
function made<T>(create: PoolOptions<T>["create"]): Promise<T> {
  return new Promise((resolve, reject) => {
    const result = create((error, resource) => {
      if (error) reject(error);
      else resolve(resource!);
    });
    Promise.resolve(result).then((resource) => {
      if (resource) resolve(resource);
    }, reject);
  });
}

/** An error as tarn has it. */
function outward(error: unknown): Error {
  if (error instanceof PoolClosedError) {
    return new Error("aborted", { cause: error });
  }
  if (error instanceof CallTimeoutError) {
    return new TimeoutError(`operation timed out: ${error.message}`, {
      cause: error,
    });
  }
  if (error instanceof AcquireTimeoutError) {
    const { cause, message } = error;
    const text = cause instanceof Error ? cause.message : message;
    return new TimeoutError(text, { cause: error });
  }
  return error as Error;
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : String(error);
}
