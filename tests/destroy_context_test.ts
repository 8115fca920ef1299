import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import {
  type DestroyReason,
  Pool,
  PoolError,
  type PoolOptions,
} from "../mod.ts";
import { settled, watch } from "./fixture.ts";
import { LocalBudget } from "../src/budget/mod.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A resource that can say that it is lost. */
interface Lossy {
  readonly id: number;
  readonly lost: () => void;
}

type Options = Partial<PoolOptions<Lossy>>;

/** A way to the end of resource 1. */
interface Way {
  readonly options?: Options;
  end(pool: Pool<Lossy>, clock: VirtualClock): unknown;
}

async function leaseAndRelease(pool: Pool<Lossy>): Promise<Lossy> {
  using lease = await pool.acquire();
  return lease.value;
}

const BUDGET = new LocalBudget(1);

/** A way to each reason but that of a lease that was garbage collected. */
const WAYS: Record<Exclude<DestroyReason, "leaked">, Way> = {
  idle: {
    options: { idleTimeout: 100 },
    end: async (pool, clock) => {
      await leaseAndRelease(pool);
      await clock.advance(101);
    },
  },
  lifetime: {
    options: { maxLifetime: 100 },
    end: async (pool, clock) => {
      await leaseAndRelease(pool);
      await clock.advance(101);
    },
  },
  uses: { options: { maxUses: 1 }, end: leaseAndRelease },
  invalid: {
    options: { validate: () => false },
    end: async (pool) => {
      await leaseAndRelease(pool);
      pool.tryAcquire();
    },
  },
  lost: { end: async (pool) => (await leaseAndRelease(pool)).lost() },
  reset: { options: { reset: () => Promise.reject(1) }, end: leaseAndRelease },
  evict: {
    end: async (pool) => {
      await leaseAndRelease(pool);
      assertEquals(pool.evict(() => true), 1);
    },
  },
  resize: {
    options: { max: 2 },
    end: async (pool) => {
      using _other = await pool.acquire();
      await leaseAndRelease(pool);
      pool.resize(1);
    },
  },
  budget: {
    options: { budget: BUDGET },
    end: async (pool) => {
      await leaseAndRelease(pool);
      await using other = new Pool({
        create: () => 1,
        max: 1,
        budget: BUDGET,
      });
      await using _lease = await other.acquire();
    },
  },
  clear: {
    end: async (pool) => {
      await leaseAndRelease(pool);
      pool.clear();
    },
  },
  close: {
    end: async (pool) => {
      await leaseAndRelease(pool);
      await pool.close();
    },
  },
  lease: { end: async (pool) => (await pool.acquire()).destroy() },
  late: {
    options: { createTimeout: 100, createRetry: false },
    end: async (pool, clock) => {
      const waiter = watch(pool.acquire());
      await clock.advance(100);
      assertEquals(waiter.settled, true);
    },
  },
};

test("destroy and the observer are told why, whatever the way", async () => {
  for (const [reason, { options, end }] of Object.entries(WAYS)) {
    const clock = new VirtualClock();
    const told: unknown[] = [];
    let finish = () => {};
    const pool = new Pool<Lossy>({
      create: ({ lost }) => ({ id: 1, lost }),
      destroy: ({ id }, { reason }) => void told.push(id, reason),
      max: 1,
      clock,
      observer: { destroyed: ({ reason }) => void told.push(reason) },
      ...options,
      ...reason === "late" && {
        create: ({ lost }) =>
          new Promise<Lossy>((resolve) => {
            finish = () => resolve({ id: 1, lost });
          }),
      },
    });
    await end(pool, clock);
    finish();
    await settled();
    assertEquals(told, [1, reason, reason]);
    await pool.close();
  }
});

test("one that outlives its life in use leaves for that, before a sweep has seen it", async () => {
  const clock = new VirtualClock();
  const reasons: string[] = [];
  const pool = new Pool({
    create: () => ({}),
    destroy: (_, { reason }) => void reasons.push(reason),
    ...{ max: 1, clock, maxLifetime: 100 },
  });
  const lease = await pool.acquire();
  clock.jump(101);
  lease.release();
  await settled();
  assertEquals(reasons, ["lifetime"]);
});

/** A pool whose destroys hang, and the signals they were given. */
function hanging(options: Options = {}) {
  const clock = new VirtualClock();
  const signals: AbortSignal[] = [];
  const finish: (() => void)[] = [];
  const pool = new Pool<Lossy>({
    create: ({ lost }) => ({ id: 1, lost }),
    destroy: (_, { signal }) => {
      signals.push(signal);
      return new Promise<void>((resolve) => finish.push(resolve));
    },
    max: 1,
    clock,
    destroyTimeout: 300,
    ...options,
  });
  return { pool, clock, signals, finish };
}

test("the signal of a destroy aborts at destroyTimeout, with the error of that", async () => {
  const errors: unknown[] = [];
  const f = hanging({
    observer: { destroyed: (event) => void errors.push(event.error) },
  });
  (await f.pool.acquire()).destroy();
  await f.clock.advance(299);
  const [signal] = f.signals;
  assertEquals([signal!.aborted, errors], [false, []]);
  await f.clock.advance(1);
  assertEquals(signal!.aborted, true);
  assertInstanceOf(signal!.reason, PoolError);
  assertEquals(signal!.reason.code, "DESTROY_TIMEOUT");
  assertEquals(errors.length, 1);
  assertStrictEquals(errors[0], signal!.reason);
});

test("the signal of a destroy that ends in time never aborts", async () => {
  const f = hanging();
  (await f.pool.acquire()).destroy();
  await settled();
  f.finish.shift()!();
  await f.clock.advance(1_000);
  assertEquals(f.signals[0]!.aborted, false);
});

test("an aborted close leaves the signal of a destroy alone", async () => {
  const f = hanging();
  await f.pool.acquire();
  const closed = watch(f.pool.close({ signal: AbortSignal.abort("now") }));
  await f.clock.advance(299);
  assertEquals([f.signals[0]!.aborted, closed.settled], [false, false]);
  await f.clock.advance(1);
  assertEquals([f.signals[0]!.aborted, closed.settled], [true, true]);
});

test("the farewell of a lost one goes on after its slot is vacated, until destroyTimeout", async () => {
  const f = hanging();
  const { lost } = await leaseAndRelease(f.pool);
  lost();
  await f.clock.advance(1);
  await leaseAndRelease(f.pool);
  await f.clock.advance(298);
  assertEquals(f.signals[0]!.aborted, false);
  await f.clock.advance(1);
  assertEquals(f.signals[0]!.aborted, true);
});

test("nobody waits for the destroy of what came late, and its signal never aborts", async () => {
  let finish: (resource: Lossy) => void = () => {};
  const f = hanging({
    ...{ createTimeout: 100, createRetry: false },
    create: () => new Promise<Lossy>((resolve) => finish = resolve),
  });
  watch(f.pool.acquire());
  await f.clock.advance(100);
  finish({ id: 1, lost: () => {} });
  await f.clock.advance(10_000);
  assertEquals(f.signals.map(({ aborted }) => aborted), [false]);
  await f.pool.close();
});

test("a signal that is read late, or again, is the same and knows", async () => {
  const clock = new VirtualClock();
  let context: { readonly signal: AbortSignal } | undefined;
  const pool = new Pool({
    create: () => ({}),
    destroy: (_, given) => {
      context = given;
      return new Promise(() => {});
    },
    max: 1,
    clock,
    destroyTimeout: 300,
  });
  (await pool.acquire()).destroy();
  await clock.advance(300);
  const { signal } = context!;
  assertInstanceOf(signal.reason, PoolError);
  assertStrictEquals(context!.signal, signal);
});

/** What is done with resources when a pool without `destroy` is cleared. */
async function cleared(resource: unknown): Promise<unknown[]> {
  const errors: unknown[] = [];
  const pool = new Pool<unknown>({
    create: () => resource,
    max: 1,
    observer: {
      destroyed: (event) =>
        void errors.push(..."error" in event ? [event.error] : []),
    },
  });
  (await pool.acquire()).release();
  pool.clear();
  await settled();
  assertEquals(pool.stats().destroying, 0);
  await pool.close();
  return errors;
}

/** An object that notes by which of its methods it is disposed of. */
function disposable(log: unknown[], ...methods: symbol[]): object {
  const resource: Record<symbol, unknown> = {};
  for (const method of methods) {
    resource[method] = function (this: unknown, ...args: unknown[]) {
      log.push(method.description, this === resource, args.length);
    };
  }
  return resource;
}

test("without destroy a resource is disposed of as it says itself, once", async () => {
  const { asyncDispose, dispose } = Symbol;
  for (
    const [methods, calls] of [
      [[asyncDispose, dispose], ["Symbol.asyncDispose", true, 0]],
      [[asyncDispose], ["Symbol.asyncDispose", true, 0]],
      [[dispose], ["Symbol.dispose", true, 0]],
      [[], []],
    ] satisfies [symbol[], unknown[]][]
  ) {
    const log: unknown[] = [];
    assertEquals(await cleared(disposable(log, ...methods)), []);
    assertEquals(log, calls);
  }
});

test("without destroy a resource whose asyncDispose is undefined is disposed of by dispose", async () => {
  const log: unknown[] = [];
  const resource = disposable(log, Symbol.dispose);
  Object.assign(resource, { [Symbol.asyncDispose]: undefined });
  assertEquals(await cleared(resource), []);
  assertEquals(log, ["Symbol.dispose", true, 0]);
});

test("without destroy what can not be disposed of is dropped, primitives too", async () => {
  for (const resource of [undefined, null, 0, 1n, "a", true, Symbol(), []]) {
    assertEquals(await cleared(resource), []);
  }
});

test("an asyncDispose is waited for, and one that throws or rejects has failed", async () => {
  const failing = {
    [Symbol.asyncDispose]: () => Promise.reject("rejected"),
  };
  assertEquals(await cleared(failing), ["rejected"]);
  const throwing = {
    [Symbol.dispose]: () => {
      throw "thrown";
    },
  };
  assertEquals(await cleared(throwing), ["thrown"]);
  let finish = () => {};
  const pool = new Pool({
    create: () => ({
      [Symbol.asyncDispose]: () =>
        new Promise<void>((resolve) => finish = resolve),
    }),
    max: 1,
  });
  (await pool.acquire()).destroy();
  await settled();
  assertEquals(pool.stats().destroying, 1);
  finish();
  await settled();
  assertEquals(pool.stats().destroying, 0);
  await pool.close();
});
