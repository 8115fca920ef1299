import {
  AMOUNT,
  BOOLEAN,
  BOUND,
  Check,
  COUNT,
  DELAY,
  DURATION,
  FINITE,
  FUNCTION,
  GROWTH,
  LIMIT,
  OBJECT,
  ORDER,
  PRIORITY,
  RETRY,
  type Rule,
  SPAN,
  STRING,
} from "./check.ts";
import type { Clock } from "./clock.ts";
import type { DestroyReason } from "./core/destroy_reason.ts";
import type { Shed } from "./core/line.ts";
import type { Budget } from "./permit.ts";
import { SystemClock } from "./system_clock.ts";
import type { LeaseWatch, NestingWatch } from "./lease_watch.ts";
import type { PoolObserver } from "./pool_observer.ts";

export type { Shed };

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
   * Makes a resource, in the stripe of this number. `signal` aborts at
   * `createTimeout`, when the pool closes, and when the resource is lost before
   * it is there; a `create` that does not heed it can leave the server with more
   * than `max` until it settles.
   *
   * `lost` is to be called when the resource has ended by itself, at any time
   * and as often as it likes; it never throws, and can be given to an event
   * emitter. What is idle is evicted at once, what is used is destroyed at its
   * release, what is on its way to a lease is replaced.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({
   *   create: async ({ signal, lost }) => {
   *     const socket = new EventTarget(); // connects, unless `signal` aborts
   *     socket.addEventListener("close", lost);
   *     await Promise.resolve(signal);
   *     return socket;
   *   },
   *   max: 10,
   * });
   * const lease = await pool.acquire();
   * lease.value.dispatchEvent(new Event("close"));
   * lease.release();
   * await pool.close();
   * console.log(pool.stats().idle); // 0
   * ```
   */
  create: (context: CreateContext) => T | PromiseLike<T>;
  /**
   * Ends a resource; called once for each. Its slot is taken until it settles
   * or `destroyTimeout` passes, when `signal` aborts; that of a lost one for the
   * usual time of a create at most. Default: the resource's own
   * `Symbol.asyncDispose`, else its `Symbol.dispose`, else nothing.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({
   *   create: () => ({ end: () => console.log("ended") }),
   *   destroy: (client, { reason }) => {
   *     console.log(reason); // close
   *     client.end(); // ended
   *   },
   *   max: 1,
   * });
   * await pool.use(() => {});
   * await pool.close();
   * ```
   */
  destroy?:
    | ((resource: NoInfer<T>, context: DestroyContext) => unknown)
    | undefined;
  /**
   * The most resources at one time, those being created or destroyed included.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 2 });
   * using _a = await pool.acquire();
   * using _b = await pool.acquire();
   * console.log(pool.stats().used); // 2: a third acquire waits
   * ```
   */
  max: number;
  /**
   * How many resources are kept, at most `max`: made in the background, from the
   * first acquire or `warm` on, and not evicted as idle. Default 0: a pool that
   * nobody uses holds nothing.
   *
   * @default 0
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 10, min: 2 });
   * await pool.warm(); // at boot: rejects if they cannot be made
   * console.log(pool.stats().idle); // 2
   * ```
   */
  min?: number | undefined;
  /**
   * Milliseconds after which an idle resource is evicted. Default 30 000: before
   * most servers and firewalls drop it.
   *
   * @default 30_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { VirtualClock } from "@lease/pool/testing";
   *
   * const clock = new VirtualClock();
   * await using pool = new Pool({
   *   create: () => ({}),
   *   max: 1,
   *   idleTimeout: 10_000,
   *   clock,
   * });
   * await pool.use(() => {});
   * await clock.advance(10_001);
   * console.log(pool.stats().idle); // 0
   * ```
   */
  idleTimeout?: number | undefined;
  /**
   * Milliseconds after which a resource is not used again; each draws 75 to
   * 100 % of it at birth, so that those made at once do not end at once.
   * Default `Infinity`: few servers need it.
   *
   * @default Infinity
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { VirtualClock } from "@lease/pool/testing";
   *
   * const clock = new VirtualClock();
   * let made = 0;
   * await using pool = new Pool({
   *   create: () => ++made,
   *   max: 1,
   *   maxLifetime: 60_000,
   *   clock,
   * });
   * await pool.use(() => {});
   * await clock.advance(60_001);
   * console.log(await pool.use((n) => n)); // 2
   * ```
   */
  maxLifetime?: number | undefined;
  /**
   * How often a resource is leased. Default `Infinity`: few servers need it.
   *
   * @default Infinity
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let made = 0;
   * await using pool = new Pool({ create: () => ++made, max: 1, maxUses: 2 });
   * for (let i = 0; i < 3; i++) await pool.use(() => {});
   * console.log(made); // 2
   * ```
   */
  maxUses?: number | undefined;
  /**
   * Whether a resource can be used again; asked before a reuse, never of one
   * that was created for its taker. One that is refused, or throws, is
   * destroyed, and its taker goes on from its old place.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({
   *   create: () => ({ isOpen: true }),
   *   validate: ({ isOpen }, { idle, age, uses }) =>
   *     isOpen && idle + age < 60_000 && uses < 1_000,
   *   max: 1,
   * });
   * await pool.use((socket) => void (socket.isOpen = false));
   * console.log(await pool.use(({ isOpen }) => isOpen)); // true: a new one
   * ```
   */
  validate?:
    | ((
      resource: NoInfer<T>,
      context: ValidateContext,
    ) => boolean | PromiseLike<boolean>)
    | undefined;
  /**
   * Milliseconds since the last release or check after which `validate` is asked
   * before a reuse. Needs `validate`. Default 0: before every one.
   *
   * @default 0
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let asked = 0;
   * await using pool = new Pool({
   *   create: () => ({}),
   *   validate: () => ++asked > 0,
   *   validateAfter: 30_000,
   *   max: 1,
   * });
   * for (let i = 0; i < 3; i++) await pool.use(() => {});
   * console.log(asked); // 0
   * ```
   */
  validateAfter?: number | undefined;
  /**
   * Milliseconds `validate` may take before it counts as a no, for all that were
   * idle as long besides. Needs `validate`. Default 5 000.
   *
   * @default 5_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let made = 0;
   * await using pool = new Pool({
   *   create: () => ++made,
   *   validate: () => new Promise<boolean>(() => {}), // half open: no answer
   *   validateTimeout: 10,
   *   max: 1,
   * });
   * await pool.use(() => {});
   * console.log(await pool.use((n) => n)); // 2
   * ```
   */
  validateTimeout?: number | undefined;
  /**
   * Milliseconds after which an idle resource is validated in the background,
   * one at a time. Needs `validate`. Default `Infinity`: only before a reuse.
   *
   * @default Infinity
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { VirtualClock } from "@lease/pool/testing";
   *
   * const clock = new VirtualClock();
   * let asked = 0;
   * await using pool = new Pool({
   *   create: () => ({}),
   *   validate: () => ++asked > 0,
   *   keepalive: 10_000,
   *   max: 1,
   *   clock,
   * });
   * await pool.use(() => {});
   * await clock.advance(10_000);
   * console.log(asked); // 1
   * ```
   */
  keepalive?: number | undefined;
  /**
   * Makes a resource that was released fit for the next holder, before anybody
   * gets it: nobody waits for it, but its slot is taken. `failed` is whether
   * the callback of `use` threw. If it fails, the resource is destroyed.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({
   *   create: () => ({ role: "app" }),
   *   reset: (session, { failed }) => {
   *     console.log(failed); // false
   *     session.role = "app";
   *   },
   *   max: 1,
   * });
   * await pool.use((session) => void (session.role = "admin"));
   * console.log(await pool.use(({ role }) => role)); // app
   * ```
   */
  reset?:
    | ((resource: NoInfer<T>, context: ResetContext) => unknown)
    | undefined;
  /**
   * Milliseconds `reset` may take before `signal` aborts and the resource is
   * destroyed. Needs `reset`. Default 5 000.
   *
   * @default 5_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const reasons: string[] = [];
   * const pool = new Pool({
   *   create: () => ({}),
   *   reset: () => new Promise(() => {}), // hangs
   *   resetTimeout: 10,
   *   destroy: (_, { reason }) => void reasons.push(reason),
   *   max: 1,
   * });
   * await pool.use(() => {});
   * await pool.use(() => {}); // a new one
   * console.log(reasons[0]); // reset
   * await pool.close({ signal: AbortSignal.abort() });
   * ```
   */
  resetTimeout?: number | undefined;
  /**
   * Whether what the callback of `use` threw means that the resource is lost.
   * Default: always, but where there is a `reset`, which then decides. If it
   * throws itself, the resource is destroyed.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * class NotFound extends Error {}
   * let made = 0;
   * await using pool = new Pool({
   *   create: () => ++made,
   *   isFatal: (error) => !(error instanceof NotFound),
   *   max: 1,
   * });
   * await pool.use(() => Promise.reject(new NotFound())).catch(() => {});
   * console.log(await pool.use((n) => n)); // 1: the same
   * ```
   */
  isFatal?: ((error: unknown) => boolean) | undefined;
  /**
   * How failed creates are tried again while acquires wait, or `false`: each
   * failure then rejects the first that waited before its create began. Default
   * `{ delay: 100, maxDelay: 2_000 }` (ms): a server that restarts fails nobody,
   * and is not hammered.
   *
   * @default { delay: 100, maxDelay: 2_000 }
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let tries = 0;
   * await using pool = new Pool({
   *   create: () => {
   *     if (++tries === 2) throw new Error("restarting");
   *     return tries;
   *   },
   *   createRetry: { delay: 10, maxDelay: 100 },
   *   max: 1,
   * });
   * (await pool.acquire()).destroy();
   * console.log(await pool.use((n) => n)); // 3: who waited did not hear of it
   * ```
   */
  createRetry?: Retry | false | undefined;
  /**
   * When a pool with resources in use creates more: `"measured"`, when waiting
   * for those in use takes longer than a create, or `"eager"`, whenever an
   * acquire waits. Default `"measured"`: a burst of short uses opens nothing.
   *
   * @default "measured"
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let made = 0;
   * await using pool = new Pool({
   *   create: () => ++made,
   *   growth: "eager",
   *   max: 10,
   * });
   * await Promise.all([1, 2, 3].map(() => pool.use(() => Promise.resolve())));
   * console.log(made); // 3
   * ```
   */
  growth?: "measured" | "eager" | undefined;
  /**
   * Which idle resource is taken first: `"newest"`, the one released last, so
   * that what is not needed gets old and leaves, or `"oldest"`, all in turn, of
   * all stripes where none is preferred. Default `"newest"`.
   *
   * @default "newest"
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let made = 0;
   * await using pool = new Pool({
   *   create: () => ++made,
   *   idleOrder: "oldest",
   *   max: 2,
   * });
   * await pool.warm(2);
   * const used = [];
   * for (let i = 0; i < 3; i++) used.push(await pool.use((n) => n));
   * console.log(used.join()); // 1,2,1
   * ```
   */
  idleOrder?: "newest" | "oldest" | undefined;
  /**
   * Decides who is rejected when its turn comes, as it has waited too long to be
   * of use: what `codel` of `@lease/pool/codel` gives. Default: nobody is, as
   * only you know when a wait is too long.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { codel } from "@lease/pool/codel";
   *
   * await using pool = new Pool({
   *   create: () => ({}),
   *   max: 10,
   *   shed: codel({ target: 50, interval: 1_000 }),
   * });
   * console.log(pool.stats().pending); // 0
   * ```
   */
  shed?: Shedding | undefined;
  /**
   * Shares one maximum with other pools, for instance `new LocalBudget(20)` of
   * `@lease/pool/budget`. Default: none.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { LocalBudget } from "@lease/pool/budget";
   *
   * const budget = new LocalBudget(1);
   * await using a = new Pool({ create: () => "a", max: 1, budget });
   * await using b = new Pool({ create: () => "b", max: 1, budget });
   * await a.use(() => {});
   * console.log(await b.use((name) => name)); // b: what a had idle has left
   * ```
   */
  budget?: Budget | undefined;
  /**
   * How many creates are in flight at once. Default `Infinity`.
   *
   * @default Infinity
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * let creating = 0;
   * let most = 0;
   * await using pool = new Pool({
   *   create: async () => {
   *     most = Math.max(most, ++creating);
   *     await Promise.resolve();
   *     creating--;
   *   },
   *   maxCreating: 2,
   *   max: 10,
   * });
   * await pool.warm(10);
   * console.log(most); // 2
   * ```
   */
  maxCreating?: number | undefined;
  /**
   * Milliseconds `create` may take; then it has failed and its slot is vacated.
   * A resource that comes later is destroyed. Default 10 000: below the time
   * that most callers wait.
   *
   * @default 10_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({
   *   create: () => new Promise<never>(() => {}), // hangs
   *   createTimeout: 10,
   *   max: 1,
   * });
   * const error = await pool.acquire().catch((error) => error);
   * console.log(error.code); // CREATE_TIMEOUT
   * ```
   */
  createTimeout?: number | undefined;
  /**
   * Milliseconds a slot stays taken by a `destroy` that does not settle; after
   * that the server may hold more than `max`. Default 5 000.
   *
   * @default 5_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({
   *   create: () => ({}),
   *   destroy: (_, { signal }) => {
   *     signal.onabort = () => console.log("too late"); // too late
   *     return new Promise(() => {}); // hangs
   *   },
   *   destroyTimeout: 10,
   *   max: 1,
   * });
   * (await pool.acquire()).destroy();
   * await pool.close();
   * ```
   */
  destroyTimeout?: number | undefined;
  /**
   * Milliseconds an acquire waits unless it says otherwise. Default 30 000:
   * above `createTimeout`, so that a second create is tried. It must not be 0,
   * which a new pool could never serve: pass `timeout: 0` to a call instead.
   *
   * @default 30_000
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({
   *   create: () => ({}),
   *   acquireTimeout: 10,
   *   max: 1,
   * });
   * using _held = await pool.acquire();
   * const error = await pool.acquire().catch((error) => error);
   * console.log(error.name); // TimeoutError
   * ```
   */
  acquireTimeout?: number | undefined;
  /**
   * An acquire that would have to wait, with no create begun for it, is
   * refused when this many wait in its line already. Default `Infinity`.
   *
   * @default Infinity
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), maxPending: 0, max: 1 });
   * using _held = await pool.acquire();
   * const error = await pool.acquire().catch((error) => error);
   * console.log(error.code); // FULL
   * ```
   */
  maxPending?: number | undefined;
  /**
   * How many stripes share `max`, at most `max`. Default 1.
   *
   * @default 1
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({ create: () => ({}), max: 4, stripes: 2 });
   * using lease = await pool.acquire({ affinity: 1 });
   * console.log(lease.stripe); // 1
   * ```
   */
  stripes?: number | undefined;
  /**
   * Whether each stripe has a line of its own and serves no other (a
   * bulkhead). Default `false`: all stripes serve one line.
   *
   * @default false
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * await using pool = new Pool({
   *   create: () => ({}),
   *   max: 2,
   *   stripes: 2,
   *   isolated: true,
   * });
   * using _one = await pool.acquire({ affinity: "tenant a" });
   * const other = pool.acquire({ affinity: "tenant a", timeout: 10 });
   * console.log(await other.catch(({ code }) => code)); // ACQUIRE_TIMEOUT
   * ```
   */
  isolated?: boolean | undefined;
  /**
   * Names the pool in messages. Default `"pool"`.
   *
   * @default "pool"
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({ create: () => ({}), max: 1, name: "orders" });
   * await pool.close();
   * const error = await pool.acquire().catch((error) => error);
   * console.log(error.poolName); // orders
   * ```
   */
  name?: string | undefined;
  /**
   * Is told what happens.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   *
   * const pool = new Pool({
   *   create: () => ({}),
   *   max: 1,
   *   observer: { acquired: ({ wait }) => console.log(wait >= 0) },
   * });
   * await pool.use(() => {}); // true
   * await pool.close();
   * ```
   */
  observer?: PoolObserver<NoInfer<T>> | undefined;
  /**
   * Watches leases that are held for too long or forgotten: what `watchLeaks` of
   * `@lease/pool/leaks` gives. Default: none, as it captures the stack of each
   * acquire.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { watchLeaks } from "@lease/pool/leaks";
   *
   * await using pool = new Pool({
   *   create: () => ({}),
   *   max: 1,
   *   leaks: watchLeaks({ after: 10 }),
   *   observer: { leaked: ({ held }) => console.log(held >= 10) }, // true
   * });
   * await pool.use(() => new Promise((done) => setTimeout(done, 30)));
   * ```
   */
  leaks?: LeaseWatch | undefined;
  /**
   * Reports tasks that acquire while they hold: what `watchNesting` of
   * `@lease/pool/nesting` gives. Default: none, as it follows async contexts.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { watchNesting } from "@lease/pool/nesting";
   *
   * await using pool = new Pool({
   *   create: () => ({}),
   *   max: 2,
   *   nesting: watchNesting({ nested: "throw" }),
   * });
   * const error = await pool.use(() => pool.acquire()).catch((error) => error);
   * console.log(error.code); // NESTED
   * ```
   */
  nesting?: NestingWatch | undefined;
  /**
   * Where time comes from. Default: `performance.now()` and the global timers.
   *
   * @example
   * ```ts
   * import { Pool } from "@lease/pool";
   * import { VirtualClock } from "@lease/pool/testing";
   *
   * const clock = new VirtualClock();
   * await using pool = new Pool({ create: () => ({}), max: 1, clock });
   * using _held = await pool.acquire();
   * const waits = pool.acquire({ timeout: 60_000 }).catch(({ waited }) => waited);
   * await clock.advance(60_000);
   * console.log(await waits); // 60000
   * ```
   */
  clock?: Clock | undefined;
}

/** What `create` is given. */
export interface CreateContext {
  /** Aborts when nobody waits for the resource any more. */
  readonly signal: AbortSignal;
  /** Says that the resource has ended. Never throws. */
  readonly lost: (error?: unknown) => void;
  /** The number of the stripe it is made for. */
  readonly stripe: number;
}

/** Sheds those who wait; an object of its own judges each line. */
export interface Shedding {
  /** Makes the judge of a line. When that throws, nobody leaves. */
  judge(): Shed;
}

/** What is known of the life of a resource. */
export interface Aged {
  /** Milliseconds since it was released or made. */
  readonly idle: number;
  /** Milliseconds since it was made. */
  readonly age: number;
  /** How many leases it has had. */
  readonly uses: number;
}

/** What `validate` is given. */
export interface ValidateContext extends Aged {
  /** Aborts at `validateTimeout`, and when an aborted `close` takes it back. */
  readonly signal: AbortSignal;
}

/** What `reset` is given. */
export interface ResetContext {
  /** Whether the callback of `use` threw. */
  readonly failed: boolean;
  /** Aborts at `resetTimeout`, and when an aborted `close` takes it back. */
  readonly signal: AbortSignal;
}

/** What `destroy` is given. */
export interface DestroyContext {
  /** Why it is destroyed. */
  readonly reason: DestroyReason;
  /** Aborts at `destroyTimeout`. */
  readonly signal: AbortSignal;
}

/** How failed creates are tried again. */
export interface Retry {
  /** Milliseconds until the first; each further delay doubles. Default 100. */
  readonly delay?: number | undefined;
  /** The longest delay in ms. Default 2 000. */
  readonly maxDelay?: number | undefined;
}

/** Options of `acquire`. */
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
  /**
   * 0 to 3: how many seconds ahead of its arrival it is served, so nobody is
   * overtaken by one who comes more than 3 s later. Default 0.
   */
  priority?: number | undefined;
}

/** Options of `use`. */
export interface UseOptions extends AcquireOptions {
  /** As the pool's `isFatal`, instead of it. */
  isFatal?: ((error: unknown) => boolean) | undefined;
}

/** Options of `warm`. */
export interface WarmOptions {
  /** Ends the wait, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of `evict`. */
export interface EvictOptions {
  /** Over how many ms it is spread. Default 0: all at once. */
  within?: number | undefined;
}

/** Options of `pause`. */
export interface PauseOptions {
  /** Ends the pause, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of `tryAcquire`. */
export type TryAcquireOptions = Pick<AcquireOptions, "affinity">;

/** Options of `close`. */
export interface CloseOptions {
  /** Ends the wait for leases and creates: what is out is destroyed. */
  signal?: AbortSignal | undefined;
  /**
   * Whether those who wait are served first, with the creates that they need;
   * else they are rejected at once. A pause ends. A later close without it
   * rejects who still waits.
   *
   * @default false
   */
  serve?: boolean | undefined;
}

/** Options of `stats`. */
export interface StatsOptions {
  /** Whether it tells of each line. Default `false`. */
  details?: boolean | undefined;
}

/** Milliseconds that each acquire of a pool may wait. */
const PATIENCE: Rule = {
  ...LIMIT,
  range: `${LIMIT.range}, as with 0 nobody could wait for a create ` +
    "(a call can pass 'timeout: 0')",
};

/**
 * Every option of a pool, once: what it must be, its default, and the option it
 * makes no sense without. One without a default is required; one whose default
 * is `undefined` can be absent.
 */
const OPTIONS = {
  create: { is: FUNCTION },
  max: { is: COUNT },

  destroy: { is: FUNCTION, default: dispose },
  min: { is: BOUND, default: 0 },
  idleTimeout: { is: DURATION, default: 30_000 },
  maxLifetime: { is: LIMIT, default: Infinity },
  maxUses: { is: AMOUNT, default: Infinity },

  validate: { is: FUNCTION, default: undefined },
  validateAfter: { is: DURATION, default: 0, needs: "validate" },
  validateTimeout: { is: LIMIT, default: 5_000, needs: "validate" },
  keepalive: { is: LIMIT, default: Infinity, needs: "validate" },
  reset: { is: FUNCTION, default: undefined },
  resetTimeout: { is: LIMIT, default: 5_000, needs: "reset" },
  isFatal: { is: FUNCTION, default: undefined },

  idleOrder: { is: ORDER, default: "newest" },
  shed: { is: OBJECT, default: undefined },

  createRetry: { is: RETRY, default: {} },
  budget: { is: OBJECT, default: undefined },
  growth: { is: GROWTH, default: "measured" },
  maxCreating: { is: AMOUNT, default: Infinity },
  createTimeout: { is: LIMIT, default: 10_000 },
  destroyTimeout: { is: LIMIT, default: 5_000 },

  acquireTimeout: { is: PATIENCE, default: 30_000 },
  maxPending: { is: BOUND, default: Infinity },

  stripes: { is: COUNT, default: 1 },
  isolated: { is: BOOLEAN, default: false },

  name: { is: STRING, default: "pool" },
  observer: { is: OBJECT, default: undefined },
  leaks: { is: FUNCTION, default: undefined },
  nesting: { is: FUNCTION, default: undefined },
  /** A getter, as each pool has one of its own. */
  clock: {
    is: OBJECT,
    get default() {
      return new SystemClock();
    },
  },
} satisfies { [K in Option]-?: Row<PoolOptions<never>[K]> };

/** The names of all options of a pool. */
export const OPTION_NAMES = Object.keys(OPTIONS) as Option[];

type Option = keyof PoolOptions<never>;

/** The compiler sees that an option can be absent only where it has a default. */
type Row<Value> = undefined extends Value
  ? { is: Rule; default: Value; needs?: Option }
  : { is: Rule; default?: never };

/** Those that can be absent from the settings, too. */
type Absent = {
  [K in Option]: (typeof OPTIONS)[K] extends { default: undefined } ? K : never;
}[Option];

/** The options of a pool, checked and with their defaults. */
export type PoolSettings<T> = {
  readonly [K in keyof PoolOptions<T>]-?: K extends Absent ? PoolOptions<T>[K]
    : K extends "createRetry" ? Backoff | false
    : Exclude<PoolOptions<T>[K], undefined>;
};

/** A `Retry`, checked and with its defaults. */
export interface Backoff {
  readonly delay: number;
  readonly maxDelay: number;
}

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
  check.names(options, OPTION_NAMES);
  for (const name of OPTION_NAMES) {
    const row: { is: Rule; default?: unknown; needs?: Option } = OPTIONS[name];
    const value = options[name];
    const isAbsent = value === undefined && "default" in row;
    if (!isAbsent) {
      check.that(name, value, row.is);
      if (row.needs !== undefined && values[row.needs] === undefined) {
        check.mistake(name, `absent without '${row.needs}'`, value);
      }
    }
    values[name] = isAbsent ? row.default : value;
  }
  values.createRetry = backoff(values.createRetry as Retry | false, check);
  const settings = values as unknown as PoolSettings<T>;
  const { clock, max, min, stripes, shed, budget } = settings;
  for (const [name, value] of Object.entries({ stripes, min })) {
    if (value > max) check.fail(name, `at most 'max' (${max})`, value);
  }
  for (const name of ["now", "setTimeout", "clearTimeout"] as const) {
    check.that(`clock.${name}`, clock[name], FUNCTION);
  }
  if (shed !== undefined) check.that("shed.judge", shed.judge, FUNCTION);
  if (budget !== undefined) check.that("budget.join", budget.join, FUNCTION);
  return settings;
}

function backoff(retry: Retry | false, check: Check): Backoff | false {
  if (retry === false) return false;
  check.names(retry, ["delay", "maxDelay"]);
  const { delay = 100, maxDelay = Math.max(delay, 2_000) } = retry;
  check.that("createRetry.delay", delay, DELAY);
  check.that("createRetry.maxDelay", maxDelay, DELAY);
  if (maxDelay < delay) {
    check.fail("createRetry.maxDelay", `at least 'delay' (${delay})`, maxDelay);
  }
  return { delay, maxDelay };
}

/** Ends a resource as it says itself, in the way of `await using`. */
export function dispose(resource: unknown): unknown {
  const disposable = Object(resource) as Partial<AsyncDisposable & Disposable>;
  const end = disposable[Symbol.asyncDispose] ?? disposable[Symbol.dispose];
  return end?.call(disposable as never);
}

const acquiring = new Check("Cannot acquire");
const evicting = new Check("Cannot evict");
const resizing = new Check("Cannot resize pool");
const pausing = new Check("Cannot pause pool");
const warming = new Check("Cannot warm pool");
const closing = new Check("Cannot close pool");
const counting = new Check("Cannot give stats");
const observing = new Check("Cannot observe pool");

const ACQUIRE = ["signal", "timeout", "affinity", "priority"];
const USE = [...ACQUIRE, "isFatal"];

/**
 * Checks the options of an acquire before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkAcquireOptions(
  options: AcquireOptions,
  known = ACQUIRE,
): void {
  acquiring.that("options", options, OBJECT);
  for (const name in options) {
    // Compared one by one, as a look-up costs much of a short acquire.
    if (
      name === "signal" || name === "timeout" || name === "affinity" ||
      name === "priority"
    ) {
      continue;
    }
    acquiring.names(options, known);
  }
}

/** The same for a `use`. */
export function checkUseOptions(options: UseOptions): void {
  checkAcquireOptions(options, USE);
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
  priority: number | undefined,
): boolean {
  const aborted = signal !== undefined && acquiring.aborted(signal);
  if (timeout !== undefined) acquiring.that("timeout", timeout, DURATION);
  if (typeof affinity === "number") {
    acquiring.that("affinity", affinity, FINITE);
  } else if (affinity !== undefined && typeof affinity !== "string") {
    acquiring.mistake("affinity", "a string or a number", affinity);
  }
  if (priority !== undefined) acquiring.that("priority", priority, PRIORITY);
  return aborted;
}

/**
 * Checks the callback of `use`, and its own `isFatal`.
 *
 * @throws {TypeError} if one is not a function
 */
export function checkUse(fn: unknown, isFatal: unknown): void {
  acquiring.that("fn", fn, FUNCTION);
  if (isFatal !== undefined) acquiring.that("isFatal", isFatal, FUNCTION);
}

/**
 * Checks what `observe` was given.
 *
 * @throws {TypeError} if it is no object
 */
export function checkObserver(observer: unknown): void {
  observing.that("observer", observer, OBJECT);
}

/**
 * Checks what `warm` was given.
 *
 * @throws {TypeError} if the number or the options are of the wrong kind
 * @throws {RangeError} if the number is not 1 to `max`
 */
export function checkWarm(n: number, max: number, options: WarmOptions): void {
  warming.that("n", n, COUNT);
  if (n > max) warming.fail("n", `at most 'max' (${max})`, n);
  warming.that("options", options, OBJECT);
  warming.names(options, ["signal"]);
}

/**
 * Checks the signal of `warm`, as read.
 *
 * @returns whether it has aborted
 * @throws {TypeError} if it is no signal
 */
export function checkWarmSignal(signal: AbortSignal | undefined): boolean {
  return signal !== undefined && warming.aborted(signal);
}

/**
 * Checks what `evict` was given, and its `within`, as read.
 *
 * @throws {TypeError} if one is of the wrong kind
 * @throws {RangeError} if `within` is out of range
 */
export function checkEvict(predicate: unknown, options: EvictOptions): number {
  evicting.that("predicate", predicate, FUNCTION);
  evicting.that("options", options, OBJECT);
  evicting.names(options, ["within"]);
  const { within = 0 } = options;
  evicting.that("within", within, SPAN);
  return within;
}

/**
 * Checks the size a pool is to have.
 *
 * @throws {TypeError} if it is no number
 * @throws {RangeError} if it is no positive integer, or less than `stripes`
 */
export function checkResize(max: number, stripes: number): void {
  resizing.that("max", max, COUNT);
  if (max < stripes) {
    resizing.fail("max", `at least 'stripes' (${stripes})`, max);
  }
}

/**
 * Checks the options of a pause before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkPauseOptions(options: PauseOptions): void {
  pausing.that("options", options, OBJECT);
  pausing.names(options, ["signal"]);
}

/**
 * Checks the signal of a pause, as read.
 *
 * @returns whether it has aborted
 * @throws {TypeError} if it is no signal
 */
export function checkPause(signal: AbortSignal | undefined): boolean {
  return signal !== undefined && pausing.aborted(signal);
}

/**
 * Checks the options of a close before they are read.
 *
 * @throws {TypeError} if they are no object, or one is not known
 */
export function checkCloseOptions(options: CloseOptions): void {
  closing.that("options", options, OBJECT);
  closing.names(options, ["signal", "serve"]);
}

/**
 * Checks the options of a close, as read. Whether the signal has aborted is
 * asked when the close has begun: what it destroys can abort it.
 *
 * @throws {TypeError} if one is of the wrong kind
 */
export function checkClose(
  signal: AbortSignal | undefined,
  serve: boolean | undefined,
): void {
  if (signal !== undefined) closing.aborted(signal);
  if (serve !== undefined) closing.that("serve", serve, BOOLEAN);
}

/**
 * Checks the options of `stats`.
 *
 * @returns whether the details are asked for
 * @throws {TypeError} if one is of the wrong kind, or not known
 */
export function checkStats(options: StatsOptions): boolean {
  counting.that("options", options, OBJECT);
  counting.names(options, ["details"]);
  const { details = false } = options;
  counting.that("details", details, BOOLEAN);
  return details;
}
