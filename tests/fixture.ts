import { assertEquals } from "@std/assert";
import { poll } from "@std/async/poll";
import {
  type Lease,
  Pool,
  type PoolOptions,
  type StripeStats,
} from "../mod.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** What the pools of most tests hold. */
export interface Resource {
  readonly id: number;
}

/** A call of user code that the test settles. */
export interface Call<R> {
  readonly resource: Resource;
  readonly signal?: AbortSignal;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Makes resources numbered from 1 and keeps a log of what is asked of it. A
 * call that is named in `manual` waits in its list until the test settles it.
 */
export class Factory {
  readonly manual: Set<"create" | "destroy" | "validate" | "reset"> = new Set();
  readonly creates: Call<Resource>[] = [];
  readonly destroys: Call<void>[] = [];
  readonly validations: Call<boolean>[] = [];
  readonly resets: Call<unknown>[] = [];
  readonly log: string[] = [];
  /** Resources that `destroy` has not been called for, and their highest number. */
  readonly live: Set<Resource> = new Set();
  peak = 0;
  readonly destroyedTwice: Resource[] = [];
  /** Resources that `validate` says no to. */
  readonly bad: Set<Resource> = new Set();
  #ids = 0;

  readonly create = (
    { signal }: { signal: AbortSignal },
  ): Resource | Promise<Resource> => {
    const resource = { id: ++this.#ids };
    this.log.push(`create ${resource.id}`);
    this.live.add(resource);
    this.peak = Math.max(this.peak, this.live.size);
    if (!this.manual.has("create")) return Promise.resolve(resource);
    return this.#wait(this.creates, resource, signal);
  };

  readonly destroy = (resource: Resource): void | Promise<void> => {
    this.log.push(`destroy ${resource.id}`);
    if (!this.live.delete(resource)) this.destroyedTwice.push(resource);
    if (this.manual.has("destroy")) return this.#wait(this.destroys, resource);
  };

  readonly validate = (resource: Resource): boolean | Promise<boolean> => {
    this.log.push(`validate ${resource.id}`);
    if (this.manual.has("validate")) {
      return this.#wait(this.validations, resource);
    }
    return !this.bad.has(resource);
  };

  readonly reset = (
    resource: Resource,
    { signal }: { signal: AbortSignal },
  ): unknown => {
    this.log.push(`reset ${resource.id}`);
    if (this.manual.has("reset")) {
      return this.#wait(this.resets, resource, signal);
    }
  };

  /** Settles the oldest create that waits. */
  finishCreate(): void {
    const call = this.creates.shift()!;
    call.resolve(call.resource);
  }

  /** Fails the oldest create that waits; its resource never was. */
  failCreate(error: unknown): void {
    const call = this.creates.shift()!;
    this.live.delete(call.resource);
    call.reject(error);
  }

  #wait<R>(
    calls: Call<R>[],
    resource: Resource,
    signal?: AbortSignal,
  ): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const call = { resource, resolve, reject };
    calls.push(signal === undefined ? call : { ...call, signal });
    return promise;
  }
}

/** What belongs together in a test. */
export interface Fixture {
  readonly clock: VirtualClock;
  readonly factory: Factory;
  readonly pool: Pool<Resource>;
}

/** Without the policies of creation, each of which has tests of its own. */
export const PLAIN = { growth: "eager", createRetry: false } as const;

/** A pool of one resource, on a clock and a factory that the test controls. */
export function fixture(
  options: Partial<PoolOptions<Resource>> = {},
): Fixture {
  const clock = new VirtualClock();
  const factory = new Factory();
  const { create, destroy } = factory;
  const pool = new Pool({
    create,
    destroy,
    max: 1,
    clock,
    ...PLAIN,
    ...options,
  });
  return { clock, factory, pool };
}

/** As `fixture`, and `validate` asks the factory. */
export function validated(
  options: Partial<PoolOptions<Resource>> = {},
): Fixture {
  const { clock, factory } = fixture();
  const { create, destroy, validate } = factory;
  const calls = { create, destroy, validate };
  const pool = new Pool({ ...calls, max: 1, clock, ...PLAIN, ...options });
  return { clock, factory, pool };
}

/** How a promise has ended so far. */
export interface Outcome<R> {
  settled: boolean;
  /** What it resolved with. */
  value?: R;
  /** What it rejected with. */
  error?: unknown;
}

/** Watches a promise, whose rejection is then handled. */
export function watch<R>(promise: Promise<R>): Outcome<R> {
  const outcome: Outcome<R> = { settled: false };
  promise.then(
    (value) => Object.assign(outcome, { settled: true, value }),
    (error) => Object.assign(outcome, { settled: true, error }),
  );
  return outcome;
}

/** The lease of an acquire that must have resolved. */
export function leaseOf<T>(outcome: Outcome<Lease<T>>): Lease<T> {
  if (outcome.value !== undefined) return outcome.value;
  throw new Error(
    outcome.settled ? `It failed: ${outcome.error}` : "It is still pending",
  );
}

/** Lets everything settle that waits for no timer and no test. */
export async function settled(): Promise<void> {
  for (let tick = 0; tick < 64; tick++) await undefined;
}

/**
 * Waits in real time for a condition. Throws, with its source text, when it
 * does not hold within `deadline` milliseconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { deadline = 5_000 }: { deadline?: number } = {},
): Promise<void> {
  const signal = AbortSignal.timeout(deadline);
  try {
    await poll(condition, Boolean, { interval: 5, signal });
  } catch (error) {
    if (error !== signal.reason) throw error;
    throw new Error(`Not so within ${deadline} ms: ${condition}`);
  }
}

const { gc, Bun } = globalThis as {
  gc?: () => void;
  Bun?: { gc(isSync: boolean): void };
};

/** Collects garbage: without a collector at hand, memory that is asked for brings one. */
export function collect(): void {
  if (gc !== undefined) gc();
  else if (Bun !== undefined) Bun.gc(true);
  else new ArrayBuffer(64_000_000);
}

/** Pseudo-random integers below `limit`, the same in every run. */
export function dice(limit: number): () => number {
  let state = 1;
  return () => {
    state = Math.imul(state, 48_271) >>> 0;
    return (state >>> 8) % limit;
  };
}

/** Makes this many resources idle, the first one longest. */
export async function fill(
  pool: Pool<Resource>,
  count: number,
): Promise<Resource[]> {
  const leases: Lease<Resource>[] = [];
  for (let i = 0; i < count; i++) leases.push(await pool.acquire());
  const resources = leases.map((lease) => lease.value);
  for (const lease of leases) lease.release();
  return resources;
}

/** Asserts the counts of a pool; those not named must be 0. */
export function assertCounts<T>(
  pool: Pool<T>,
  expected: Partial<Omit<StripeStats, "max">>,
): void {
  const { idle, used, creating, destroying, pending } = pool.stats();
  assertEquals({ idle, used, creating, destroying, pending }, {
    ...{ idle: 0, used: 0, creating: 0, destroying: 0, pending: 0 },
    ...expected,
  });
}

/** Closes the pool and asserts that nothing at all is left behind. */
export async function assertClosesClean(
  { pool, clock, factory }: Fixture,
): Promise<void> {
  await pool.close();
  assertCounts(pool, {});
  assertEquals(clock.timers, 0, "timers are left");
  assertEquals([...factory.live], [], "resources are left");
  assertEquals(factory.destroyedTwice, [], "destroyed twice");
}

/** An abort signal that counts its listeners. */
export class SpySignal {
  readonly controller = new AbortController();
  readonly signal: AbortSignal = this.controller.signal;
  listeners = 0;
  /** How many were ever added. */
  added = 0;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.listeners++;
      this.added++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.listeners--;
      remove(...args);
    };
  }

  abort(reason?: unknown): void {
    this.controller.abort(reason);
  }
}
