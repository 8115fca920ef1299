import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { PoolClosedError } from "../mod.ts";
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

test("room is made by the key that was asked for least recently", async () => {
  const { pool, log } = keyed({ max: 3 });
  for (const key of ["a", "b", "c"]) await pool.use(key, () => {});
  await pool.use("a", () => {});
  await pool.use("d", () => {});
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
  for (let i = 0; i < 5_000; i++) await pool.use(`key ${i}`, () => {});
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
    max: 3,
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
  const unknown = { idletimeout: 1 } as object;
  assertThrows(() => keyed(unknown), TypeError, "'idleTimeout'");
  assertThrows(() => keyed({ create: 1 as never }), TypeError, "'create'");
});
