import {
  BOOLEAN,
  BOUND,
  Check,
  COUNT,
  DURATION,
  FINITE,
  FUNCTION,
  LIMIT,
  OBJECT,
  type Rule,
  STRING,
} from "./check.ts";
import type { Clock } from "./clock.ts";
import { SystemClock } from "./system_clock.ts";
import type { PoolObserver } from "./pool_observer.ts";

/**
 * Options of a `Pool`. Durations are milliseconds; `Infinity` switches a limit
 * off. Each is read once, when the pool is built.
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
  /**
   * How long an acquire waits unless it says otherwise. Default 30 000. It must
   * not be 0, which no acquire of a new pool would survive: pass `timeout: 0`
   * to a call that is not to wait.
   */
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

/** An `acquireTimeout` of 0 would refuse all until something is idle. */
const PATIENCE: Rule = {
  ...LIMIT,
  range: `${LIMIT.range}, or every acquire that has to wait were refused ` +
    "(a call can pass 'timeout: 0')",
};

/**
 * Every option of a pool, once: what it must be, and its default. One without a
 * default is required; one whose default is `undefined` can be absent.
 */
const OPTIONS = {
  create: { is: FUNCTION },
  max: { is: COUNT },

  destroy: { is: FUNCTION, default: () => {} },
  idleTimeout: { is: DURATION, default: 30_000 },

  validate: { is: FUNCTION, default: undefined },
  validateTimeout: { is: LIMIT, default: 5_000 },
  isFatal: { is: FUNCTION, default: undefined },

  createTimeout: { is: LIMIT, default: 30_000 },
  destroyTimeout: { is: LIMIT, default: 5_000 },

  acquireTimeout: { is: PATIENCE, default: 30_000 },
  maxPending: { is: BOUND, default: Infinity },

  stripes: { is: COUNT, default: 1 },
  isolated: { is: BOOLEAN, default: false },

  name: { is: STRING, default: "pool" },
  observer: { is: OBJECT, default: undefined },
  /** A getter, as each pool has one of its own. */
  clock: {
    is: OBJECT,
    get default() {
      return new SystemClock();
    },
  },
} satisfies { [K in Option]-?: Row<PoolOptions<never>[K]> };

type Option = keyof PoolOptions<never>;

/** The compiler sees that an option can be absent only where it has a default. */
type Row<Value> = undefined extends Value ? { is: Rule; default: Value }
  : { is: Rule; default?: never };

/** Those that can be absent from the settings, too. */
type Absent = {
  [K in Option]: (typeof OPTIONS)[K] extends { default: undefined } ? K : never;
}[Option];

/** The options of a pool, checked and with their defaults. */
export type PoolSettings<T> = {
  readonly [K in keyof PoolOptions<T>]-?: K extends Absent ? PoolOptions<T>[K]
    : Exclude<PoolOptions<T>[K], undefined>;
};

/**
 * Reads each option of a pool once, checks it and fills in the default.
 *
 * @throws {TypeError} if an option is of the wrong kind
 * @throws {RangeError} if an option is out of range
 */
export function settle<T>(options: PoolOptions<T>): PoolSettings<T> {
  const check = new Check("Cannot create pool");
  check.that("options", options, OBJECT);
  const values: Record<string, unknown> = {};
  const known = Object.keys(OPTIONS) as Option[];
  check.names(options, known);
  for (const name of known) {
    const row: { is: Rule; default?: unknown } = OPTIONS[name];
    const value = options[name];
    const isAbsent = value === undefined && "default" in row;
    if (!isAbsent) check.that(name, value, row.is);
    values[name] = isAbsent ? row.default : value;
  }
  const settings = values as unknown as PoolSettings<T>;
  const { clock, max, stripes } = settings;
  if (stripes > max) check.fail("stripes", `at most 'max' (${max})`, stripes);
  for (const name of ["now", "setTimeout", "clearTimeout"] as const) {
    check.that(`clock.${name}`, clock[name], FUNCTION);
  }
  return settings;
}

const acquiring = new Check("Cannot acquire");
const closing = new Check("Cannot close pool");

/**
 * Checks the options of an acquire, or of a `use`, before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkAcquireOptions(options: AcquireOptions): void {
  acquiring.that("options", options, OBJECT);
  for (const name in options) {
    // Compared one by one, as a look-up costs much of a short acquire.
    if (name === "signal" || name === "timeout" || name === "affinity") {
      continue;
    }
    acquiring.names(options, ["signal", "timeout", "affinity"]);
  }
}

/**
 * Checks the options of a `tryAcquire` before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkTryAcquireOptions(options: TryAcquireOptions): void {
  acquiring.that("options", options, OBJECT);
  acquiring.names(options, ["affinity"]);
}

/**
 * Checks the options of an acquire, as read: the caller reads each once and
 * goes on with the same values.
 *
 * @returns whether the signal has aborted
 * @throws {TypeError} if an option is of the wrong kind
 * @throws {RangeError} if an option is out of range
 */
export function checkAcquire(
  signal: AbortSignal | undefined,
  timeout: number | undefined,
  affinity: string | number | undefined,
): boolean {
  const aborted = signal !== undefined && acquiring.aborted(signal);
  if (timeout !== undefined) acquiring.that("timeout", timeout, DURATION);
  if (typeof affinity === "number") {
    acquiring.that("affinity", affinity, FINITE);
  } else if (affinity !== undefined && typeof affinity !== "string") {
    acquiring.mistake("affinity", "a string or a number", affinity);
  }
  return aborted;
}

/**
 * Checks the callback of `use`.
 *
 * @throws {TypeError} if it is not a function
 */
export function checkUse(fn: unknown): void {
  acquiring.that("fn", fn, FUNCTION);
}

/**
 * Checks the options of a close before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkCloseOptions(options: CloseOptions): void {
  closing.that("options", options, OBJECT);
  closing.names(options, ["signal"]);
}

/**
 * Checks the signal of a close, as read. Whether it has aborted is asked when
 * the close has begun: what it destroys can abort it.
 *
 * @throws {TypeError} if it is no signal
 */
export function checkClose(signal: AbortSignal | undefined): void {
  if (signal !== undefined) closing.aborted(signal);
}
