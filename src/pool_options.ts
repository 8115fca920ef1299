import { type Clock, SystemClock } from "./clock.ts";
import type { PoolObserver } from "./pool_observer.ts";

/**
 * Options of a `Pool`. Durations are milliseconds; `Infinity` switches a limit
 * off. The first five are the seed's `PoolConfig`.
 *
 * @example
 * ```ts
 * import { Pool, type PoolOptions } from "@lease/pool";
 *
 * const options: PoolOptions<{ open: boolean }> = {
 *   create: () => ({ open: true }),
 *   destroy: (resource) => void (resource.open = false),
 *   validate: (resource) => resource.open,
 *   max: 10,
 *   idleTimeout: 60_000,
 * };
 * await using pool = new Pool(options);
 * ```
 */
export interface PoolOptions<T> {
  /**
   * Makes a resource. `signal` aborts at `createTimeout` and when an aborted
   * `close` gives up on it; a `create` that does not heed it can leave the
   * server with more than `max` until it settles. What it throws, or rejects
   * with, reaches one waiter unchanged.
   */
  create: (context: { signal: AbortSignal }) => T | PromiseLike<T>;
  /**
   * Ends a resource; called once for each. Its slot is taken until it settles
   * or `destroyTimeout` passes. Default: nothing to do.
   */
  destroy?: ((resource: NoInfer<T>) => unknown) | undefined;
  /** A resource idle for longer is evicted. Default 30 000. */
  idleTimeout?: number | undefined;
  /** The most resources at one time, those being created or destroyed included. */
  max: number;
  /** How many stripes share `max`, at most `max`. Default 1. */
  stripes?: number | undefined;
  /** Names the pool in messages. Default `"pool"`. */
  name?: string | undefined;
  /**
   * Whether each stripe has a line of its own and serves no other (a
   * bulkhead). Default `false`: all stripes serve one line.
   */
  isolated?: boolean | undefined;
  /** How long an acquire waits unless it says otherwise. Default 30 000. */
  acquireTimeout?: number | undefined;
  /**
   * How long `create` may take; then its waiter is rejected and its slot is
   * vacated. A resource that comes later is destroyed. Default 30 000.
   */
  createTimeout?: number | undefined;
  /**
   * How long a slot stays taken by a `destroy` that does not settle; after
   * that the server may hold more than `max`. Default 5 000.
   */
  destroyTimeout?: number | undefined;
  /**
   * An acquire that would have to wait, with no slot to create for it, is
   * refused when this many wait in its line already. Default `Infinity`.
   */
  maxPending?: number | undefined;
  /**
   * Whether a resource can be used again; asked before every reuse, never of
   * one just created. One that is refused, or throws, is destroyed, and its
   * taker goes on from its old place.
   */
  validate?:
    | ((resource: NoInfer<T>) => boolean | PromiseLike<boolean>)
    | undefined;
  /** How long `validate` may take before it counts as a no. Default 5 000. */
  validateTimeout?: number | undefined;
  /**
   * Whether what the callback of `use` threw means that the resource is lost.
   * Default: always. If it throws itself, the resource is destroyed.
   */
  isFatal?: ((error: unknown) => boolean) | undefined;
  /** Is told what happens. */
  observer?: PoolObserver<NoInfer<T>> | undefined;
  /** Where time comes from. Default: `performance.now()` and the global timers. */
  clock?: Clock | undefined;
}

/** Options of `acquire` and `use`. */
export interface AcquireOptions {
  /** Cancels the acquire, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * How long to wait, in milliseconds; 0 does not wait. Default: the pool's
   * `acquireTimeout`.
   */
  timeout?: number | undefined;
  /**
   * Prefers the stripe that this names, the same one each time: a number mod
   * `stripes`, or a string by its hash. Default: any stripe.
   */
  affinity?: string | number | undefined;
}

/** Options of `tryAcquire`. */
export type TryAcquireOptions = Pick<AcquireOptions, "affinity">;

/** Options of `close`. */
export interface CloseOptions {
  /** Ends the wait for leases and creates: what is out is destroyed. */
  signal?: AbortSignal | undefined;
}

/** The options of a pool, checked and with their defaults. */
export type PoolSettings<T> =
  & {
    readonly [K in Exclude<keyof PoolOptions<T>, Optional>]-?: Exclude<
      PoolOptions<T>[K],
      undefined
    >;
  }
  & Pick<PoolOptions<T>, Optional>;

type Optional = "validate" | "isFatal" | "observer";

/**
 * Checks the options of a pool and fills in the defaults.
 *
 * @throws {TypeError} if an option is of the wrong kind
 * @throws {RangeError} if an option is out of range
 */
export function settle<T>(options: PoolOptions<T>): PoolSettings<T> {
  const check = new Check("Cannot create pool");
  check.kind("options", options, "object");
  const {
    create,
    destroy = () => {},
    idleTimeout = 30_000,
    max,
    stripes = 1,
    name = "pool",
    isolated = false,
    acquireTimeout = 30_000,
    createTimeout = 30_000,
    destroyTimeout = 5_000,
    maxPending = Infinity,
    validate,
    validateTimeout = 5_000,
    isFatal,
    observer,
    clock = new SystemClock(),
  } = options;
  check.kind("create", create, "function");
  check.kind("destroy", destroy, "function");
  check.kind("name", name, "string");
  check.kind("isolated", isolated, "boolean");
  check.integer("max", max, 1);
  check.integer("stripes", stripes, 1);
  if (stripes > max) check.fail("stripes", `at most 'max' (${max})`, stripes);
  if (maxPending !== Infinity) check.integer("maxPending", maxPending, 0);
  check.duration("idleTimeout", idleTimeout);
  check.duration("acquireTimeout", acquireTimeout);
  check.limit("createTimeout", createTimeout);
  check.limit("destroyTimeout", destroyTimeout);
  check.limit("validateTimeout", validateTimeout);
  if (validate !== undefined) check.kind("validate", validate, "function");
  if (isFatal !== undefined) check.kind("isFatal", isFatal, "function");
  if (observer !== undefined) check.kind("observer", observer, "object");
  check.kind("clock", clock, "object");
  check.kind("clock.now", clock.now, "function");
  check.kind("clock.setTimeout", clock.setTimeout, "function");
  check.kind("clock.clearTimeout", clock.clearTimeout, "function");
  return {
    create,
    destroy,
    idleTimeout,
    max,
    stripes,
    name,
    isolated,
    acquireTimeout,
    createTimeout,
    destroyTimeout,
    maxPending,
    validate,
    validateTimeout,
    isFatal,
    observer,
    clock,
  };
}

/**
 * Checks the options of an acquire.
 *
 * @throws {TypeError} if an option is of the wrong kind
 * @throws {RangeError} if an option is out of range
 */
export function checkAcquire(options: AcquireOptions): void {
  const check = acquireCheck;
  check.kind("options", options, "object");
  const { signal, timeout, affinity } = options;
  if (signal !== undefined) check.signal(signal);
  if (timeout !== undefined) check.duration("timeout", timeout);
  if (typeof affinity === "number") check.finite("affinity", affinity);
  else if (affinity !== undefined && typeof affinity !== "string") {
    check.mistake("affinity", "a string or a number", affinity);
  }
}

/**
 * Checks the callback of `use`.
 *
 * @throws {TypeError} if it is not a function
 */
export function checkUse(fn: unknown): void {
  acquireCheck.kind("fn", fn, "function");
}

/**
 * Checks the options of a close.
 *
 * @throws {TypeError} if an option is of the wrong kind
 */
export function checkClose(options: CloseOptions): void {
  const check = new Check("Cannot close pool");
  check.kind("options", options, "object");
  if (options.signal !== undefined) check.signal(options.signal);
}

/** Errors that name the option, the rule and the value. */
class Check {
  private readonly act: string;

  constructor(act: string) {
    this.act = act;
  }

  kind(name: string, value: unknown, type: string): void {
    if (typeof value === type && value !== null) return;
    this.mistake(name, type === "object" ? "an object" : `a ${type}`, value);
  }

  number(name: string, value: unknown): asserts value is number {
    if (typeof value !== "number") this.mistake(name, "a number", value);
  }

  finite(name: string, value: number): void {
    if (!Number.isFinite(value)) this.fail(name, "a finite number", value);
  }

  integer(name: string, value: unknown, least: 0 | 1): void {
    this.number(name, value);
    if (Number.isSafeInteger(value) && value >= least) return;
    const rule = least === 1 ? "a positive integer" : "a non-negative integer";
    this.fail(name, rule, value);
  }

  duration(name: string, value: unknown): void {
    this.number(name, value);
    if (!(value >= 0)) this.fail(name, "a non-negative number of ms", value);
  }

  limit(name: string, value: unknown): void {
    this.number(name, value);
    if (!(value > 0)) this.fail(name, "a positive number of ms", value);
  }

  signal(value: unknown): void {
    const { aborted, addEventListener } = Object(value) as AbortSignal;
    if (
      typeof aborted === "boolean" && typeof addEventListener === "function"
    ) {
      return;
    }
    this.mistake("signal", "an AbortSignal", value);
  }

  fail(name: string, rule: string, value: unknown): never {
    throw new RangeError(this.message(name, rule, value));
  }

  mistake(name: string, rule: string, value: unknown): never {
    throw new TypeError(this.message(name, rule, value));
  }

  private message(name: string, rule: string, value: unknown): string {
    return `${this.act} as '${name}' must be ${rule}: received ${show(value)}`;
  }
}

const acquireCheck = new Check("Cannot acquire");

/** A value in a message; never calls code of its own. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (
    value === null || (typeof value !== "object" && typeof value !== "function")
  ) {
    return String(value);
  }
  return typeof value === "object" ? "an object" : "a function";
}
