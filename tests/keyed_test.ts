import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { AcquireTimeoutError, type Lease, PoolClosedError } from "../mod.ts";
import { KeyedPool, type KeyedPoolOptions } from "../src/keyed/mod.ts";
import { leaseOf, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A keyed pool that keeps a log of what is made and destroyed. */
function keyed(options: Partial<KeyedPoolOptions<string, string>> = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const live = { now: 0, peak: 0 };
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      live.peak = Math.max(live.peak, ++live.now);
      log.push(`create ${key}`);
      return key;
    },
    destroy: (key, { reason }) => {
      live.now--;
      log.push(`destroy ${key} ${reason}`);
    },
    max: 2,
    clock,
    createRetry: false,
    ...options,
  });
  return { pool, clock, log, live };
}

test("each key has resources of its own, and all of them one maximum", async () => {
  const { pool, live } = keyed();
  const a = await pool.acquire("a");
  const b = await pool.acquire("b");
  const c = watch(pool.acquire("c"));
  await settled();
  assertEquals([a.value, b.value, c.settled], ["a", "b", false]);
  a.release();
  await settled();
  assertEquals(leaseOf(c).value, "c");
  assertEquals(live.peak, 2);
});

test("room is made by what has been idle longest, of whichever key", async () => {
  const { pool, log, clock } = keyed({ max: 3 });
  for (const key of ["a", "b", "c", "a", "d"]) {
    await pool.use(key, () => {});
    await clock.advance(1);
  }
  assertEquals(log.slice(3), ["destroy b budget", "create d"]);
  assertEquals([...pool.stats().keys.keys()], ["a", "c", "d"]);
});

test("those who wait are served in order of arrival over all keys", async () => {
  const { pool, clock } = keyed({ max: 1 });
  const held = await pool.acquire("a");
  const order: string[] = [];
  const waiting: Promise<void>[] = [];
  for (const key of ["b", "a", "c", "a"]) {
    await clock.advance(1);
    waiting.push(pool.use(key, () => void order.push(key)));
  }
  held.release();
  await Promise.all(waiting);
  assertEquals(order, ["b", "a", "c", "a"]);
});

test("a key has no more than maxPerKey", async () => {
  const { pool } = keyed({ max: 3, maxPerKey: 1, growth: "eager" });
  const first = await pool.acquire("a");
  const second = watch(pool.acquire("a"));
  await settled();
  assertEquals(second.settled, false);
  first.release();
  await settled();
  assertEquals(leaseOf(second).value, "a");
});

test("a key of which nothing is left is forgotten", async () => {
  const { pool, clock } = keyed({ idleTimeout: 10 });
  await pool.use("a", () => {});
  assertEquals([...pool.stats().keys.keys()], ["a"]);
  await clock.advance(20);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
});

test("a key that was refused at once is forgotten", async () => {
  const { pool } = keyed();
  const signal = AbortSignal.abort(new Error("gone"));
  await assertRejects(() => pool.acquire("a", { signal }), Error, "gone");
  await assertRejects(() => pool.acquire("b", { timeout: 0 }));
  await assertRejects(() => pool.acquire("c", { timeout: -1 }), RangeError);
  assertStrictEquals(pool.tryAcquire("d"), undefined);
  assertEquals(pool.stats().keys.size, 0);
});

test("many keys over time leave nothing behind", async () => {
  const { pool, live, clock } = keyed({ max: 4, idleTimeout: 50 });
  for (let i = 0; i < 3_000; i++) await pool.use(`key ${i}`, () => {});
  assertEquals(live, { now: 4, peak: 4 });
  assertEquals(pool.stats().keys.size, 4);
  await clock.advance(100);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(clock.timers, 0);
});

test("its counts are the sums over the keys", async () => {
  const { pool } = keyed({ max: 3 });
  using _a = await pool.acquire("a");
  (await pool.acquire("b")).release();
  const { keys, ...counts } = pool.stats();
  assertEquals(counts, {
    ...{ idle: 1, used: 1, creating: 0, destroying: 0, pending: 0 },
    ...{ waiting: 0, validating: 0, max: 3 },
  });
  assertEquals(keys.get("a")!.used, 1);
  assertEquals(keys.get("b")!.idle, 1);
});

test("a closed one refuses every key, and has destroyed all", async () => {
  const { pool, live } = keyed();
  await pool.use("a", () => {});
  await pool.use("b", () => {});
  const closed = pool.close();
  for (const key of ["a", "new"]) {
    const error = await pool.acquire(key).catch((error) => error);
    assertInstanceOf(error, PoolClosedError);
  }
  await closed;
  assertEquals(live.now, 0);
  assertStrictEquals(pool.tryAcquire("a"), undefined);
});

test("a close rejects with what a destroy failed with", async () => {
  const boom = new Error("boom");
  const { pool } = keyed({ destroy: () => Promise.reject(boom) });
  await pool.use("a", () => {});
  const error = await pool.close().catch((error) => error);
  assertStrictEquals(error, boom);
});

test("bad options throw when it is built", () => {
  assertThrows(() => keyed({ max: 0 }), RangeError, "'max'");
  assertThrows(() => keyed({ maxPerKey: 0 }), RangeError, "'maxPerKey'");
  assertThrows(() => keyed({ idleTimeout: -1 }), RangeError, "'idleTimeout'");
  for (const name of ["min", "budget", "stripes", "isolated"]) {
    assertThrows(() => keyed({ [name]: 1 } as object), TypeError, `'${name}'`);
  }
  const unknown = { idletimeout: 1 } as object;
  assertThrows(() => keyed(unknown), TypeError, "'idleTimeout'");
  assertThrows(() => keyed({ create: 1 as never }), TypeError, "'create'");
  assertThrows(() => keyed({ clock: {} as never }), TypeError, "'clock.now'");
});

test("a key can be of any kind", async () => {
  const keys = [NaN, 0, "", Symbol("a"), Symbol("a"), {}, {}, null, undefined];
  const pool = new KeyedPool({ create: (key: unknown) => [key], max: 9 });
  for (const key of [...keys, ...keys]) {
    assertEquals(await pool.use(key, ([held]) => Object.is(held, key)), true);
  }
  assertEquals([...pool.stats().keys.keys()], keys);
  assertEquals(pool.stats().idle, keys.length);
  await pool.close();
});

test("a key acquired while its last one is destroyed has its old pool", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const live = { now: 0, peak: 0 };
  const pool = new KeyedPool({
    create: () => {
      live.peak = Math.max(live.peak, ++live.now);
      return "";
    },
    destroy: async () => {
      await promise;
      live.now--;
    },
    max: 1,
    clock: new VirtualClock(),
  });
  (await pool.acquire("a")).destroy();
  const waiter = watch(pool.acquire("a"));
  await settled();
  assertEquals(pool.stats().keys.size, 1);
  assertEquals(waiter.settled, false);
  resolve();
  await settled();
  leaseOf(waiter).destroy();
  await settled();
  assertEquals([live.peak, pool.stats().keys.size], [1, 0]);
  await pool.close();
});

test("a key that is acquired as it is dropped is served", async () => {
  const waiters: ReturnType<typeof watch<Lease<string>>>[] = [];
  const { pool, live } = keyed({
    observer: {
      destroyed: () => {
        if (waiters.length < 5) waiters.push(watch(pool.acquire("a")));
      },
    },
  });
  (await pool.acquire("a")).destroy();
  for (let i = 0; i < 5; i++) {
    await settled();
    leaseOf(waiters[i]!).destroy();
    // As what it had has ended, and its pool is not dropped yet.
    const next = watch(pool.acquire("a"));
    await settled();
    leaseOf(next).release();
    pool.clear();
  }
  await settled();
  assertEquals([live.peak, live.now], [2, 0]);
  assertEquals(pool.stats().keys.size, 0);
});

test("an acquire that cannot wait hears nothing of a key that is dropped", async () => {
  const { pool, clock } = keyed({ idleTimeout: 10, validate: () => false });
  await pool.use("a", () => {});
  const error = await pool.acquire("a", { timeout: 0 }).catch((e) => e);
  assertInstanceOf(error, AcquireTimeoutError);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(clock.timers, 0);
});

test("an old pool of a key does not drop the new one", async () => {
  const lost: (() => void)[] = [];
  const { pool } = keyed({
    create: (key, context) => {
      lost.push(context.lost);
      return key;
    },
  });
  (await pool.acquire("a")).destroy();
  await settled();
  const lease = await pool.acquire("a");
  lost[0]!();
  await settled();
  assertEquals(pool.stats().keys.get("a")?.used, 1);
  lease.release();
  assertEquals(pool.tryAcquire("a")?.value, "a");
});

test("a key asked for by what a close ends is refused", async () => {
  const errors: unknown[] = [];
  const ask = () => {
    pool.acquire("new").catch((error) => errors.push(error));
  };
  const { pool } = keyed({
    create: (key, { signal }) => {
      if (key !== "slow") return key;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          ask();
          reject(new Error("gone"));
        });
      });
    },
    destroy: ask,
  });
  await pool.use("a", () => {});
  void watch(pool.acquire("slow"));
  await settled();
  await pool.close();
  await settled();
  assertEquals(errors.length, 2);
  for (const error of errors) assertInstanceOf(error, PoolClosedError);
  assertEquals(pool.stats().keys.size, 0);
});

test("a close with bad options rejects and closes nothing", async () => {
  const { pool } = keyed();
  await pool.use("a", () => {});
  for (const options of [{ signal: 1 }, { signals: 1 }, 1]) {
    await assertRejects(() => pool.close(options as never), TypeError);
  }
  assertEquals(await pool.use("b", (resource) => resource), "b");
  await pool.close();
  await assertRejects(() => pool.close({ signal: 1 } as never), TypeError);
});

test("an aborted close of all keys waits for no lease", async () => {
  const { pool, live } = keyed();
  const leases = [await pool.acquire("a"), await pool.acquire("b")];
  const controller = new AbortController();
  const closed = pool.close({ signal: controller.signal });
  controller.abort();
  await closed;
  assertEquals(live.now, 0);
  for (const lease of leases) lease.release();
});

test("what several keys fail to close with comes as one error", async () => {
  const errors = [new Error("a"), new Error("b")];
  const { pool } = keyed({
    destroy: (key) => Promise.reject(errors[key === "a" ? 0 : 1]),
  });
  await pool.use("a", () => {});
  await pool.use("b", () => {});
  const error = await pool.close().catch((error) => error);
  assertInstanceOf(error, AggregateError);
  assertEquals(error.errors, errors);
});

test("its options are read once, when it is built", async () => {
  let reads = 0;
  const clock = new VirtualClock();
  const createRetry = { delay: 5, maxDelay: 5 };
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      throw new Error(key);
    },
    max: 2,
    clock,
    createRetry,
    get idleTimeout() {
      reads++;
      return 10;
    },
  });
  createRetry.delay = -1;
  await assertRejects(() => pool.acquire("a"), Error, "a");
  await assertRejects(() => pool.acquire("b"), Error, "b");
  assertEquals(reads, 1);
  await pool.close();
});

test("a tryAcquire of a key that has nothing makes nothing, and checks its options", async () => {
  const { pool } = keyed();
  assertStrictEquals(pool.tryAcquire("a"), undefined);
  assertEquals(pool.stats().keys.size, 0);
  const unknown = { priority: 1 } as object;
  assertThrows(() => pool.tryAcquire("a", unknown), TypeError, "'priority'");
  await pool.use("a", () => {});
  assertThrows(() => pool.tryAcquire("a", unknown), TypeError, "'priority'");
  assertStrictEquals(pool.tryAcquire("a")?.value, "a");
});

test("a failing create of one key costs the others nothing", async () => {
  const clock = new VirtualClock();
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      if (key === "down") throw new Error("down");
      return key;
    },
    max: 1,
    clock,
    createRetry: false,
  });
  const waiting = ["down", "a", "down", "b"].map((key) =>
    watch(pool.use(key, (value) => value))
  );
  await clock.advance(1);
  assertEquals(waiting.map(({ value }) => value ?? ""), ["", "a", "", "b"]);
  await pool.close();
});
