import { assertEquals } from "@std/assert";
import type { DestroyReason, PoolOptions } from "../mod.ts";
import { draws } from "../src/policy/jitter.ts";
import { drawing } from "./drawing.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

interface Ends extends Fixture {
  /** Why and when each was destroyed. */
  readonly ends: [number, DestroyReason, number][];
}

function mortal(options: Partial<PoolOptions<Resource>> = {}): Ends {
  const ends: [number, DestroyReason, number][] = [];
  const f = fixture({
    idleTimeout: Infinity,
    observer: {
      destroyed: ({ resource, reason }) =>
        ends.push([resource.id, reason, f.clock.now()]),
    },
    ...options,
  });
  return { ...f, ends };
}

test("each resource draws 75 to 100 percent of maxLifetime when it is made", async () => {
  const { random } = draws;
  const drawn = [0, 0.004, 0.5, 1];
  draws.random = () => drawn.shift()!;
  try {
    const { pool, clock, ends } = mortal({ max: 4, maxLifetime: 1_000 });
    await fill(pool, 4);
    await clock.advance(2_000);
    // One later, as one that is as old as its limit is kept.
    assertEquals(ends, [
      [1, "lifetime", 751],
      [2, "lifetime", 752],
      [3, "lifetime", 876],
      [4, "lifetime", 1_001],
    ]);
  } finally {
    draws.random = random;
  }
});

test("a life is as long where nothing but its end needs the time", async () => {
  using _ = drawing(1);
  const f = fixture({ idleTimeout: Infinity, maxLifetime: 1_000 });
  await f.clock.advance(5_000);
  await fill(f.pool, 1);
  await f.clock.advance(1_000);
  assertCounts(f.pool, { idle: 1 });
  await f.clock.advance(1);
  assertCounts(f.pool, {});
});

test("one that is as old as its lifetime is taken, an older one never", async () => {
  using _ = drawing(1);
  const { pool, clock, ends } = mortal({ maxLifetime: 1_000 });
  await fill(pool, 1);
  await clock.advance(1_000);
  const lease = pool.tryAcquire()!;
  assertEquals(lease.value.id, 1);
  lease.release();
  assertCounts(pool, { idle: 1 });
  clock.jump(1);
  assertEquals(pool.tryAcquire(), undefined);
  await settled();
  assertEquals(ends, [[1, "lifetime", 1_001]]);
  assertEquals((await pool.acquire()).value.id, 2);
});

test("one whose life ends in use is used to its release", async () => {
  using _ = drawing(1);
  const { pool, clock, ends, factory } = mortal({ maxLifetime: 1_000 });
  const lease = await pool.acquire();
  const next = watch(pool.acquire());
  await clock.advance(5_000);
  assertEquals([lease.value.id, ends], [1, []]);
  lease.release();
  await settled();
  assertEquals(ends, [[1, "lifetime", 5_000]]);
  assertEquals(leaseOf(next).value.id, 2, "nobody gets it after");
  assertEquals(factory.log, ["create 1", "destroy 1", "create 2"]);
});

test("a life that ends between two sweeps is noticed at release", async () => {
  using _ = drawing(1);
  const { pool, clock, ends } = mortal({ maxLifetime: 1_000 });
  const lease = await pool.acquire();
  clock.jump(1_001);
  lease.release();
  await settled();
  assertEquals(ends, [[1, "lifetime", 1_001]]);
});

test("the idle end holds beside a longer lifetime, and the lifetime beside it", async () => {
  using _ = drawing(1);
  const { pool, clock, ends } = mortal({
    max: 2,
    idleTimeout: 300,
    maxLifetime: 1_000,
  });
  const [first] = await Promise.all([pool.acquire(), fill(pool, 1)]);
  await clock.advance(900);
  assertEquals(ends, [[2, "idle", 301]]);
  first.release();
  await clock.advance(1_000);
  assertEquals(ends.slice(1), [[1, "lifetime", 1_001]]);
});

test("an idle end is met although every earlier release was before a longer life", async () => {
  const { pool, clock, ends } = mortal({
    idleTimeout: 300,
    maxLifetime: 1_000_000,
  });
  for (let round = 1; round <= 3; round++) {
    await fill(pool, 1);
    await clock.advance(10_000);
    assertEquals(ends.length, round);
    assertEquals(ends.at(-1)!.slice(0, 2), [round, "idle"]);
  }
});

test("a life that has ended before its time is not waited for", async () => {
  using _ = drawing(1);
  const clock = new FaultyClock();
  const { pool } = mortal({
    ...{ max: 2, maxLifetime: 1_000, clock, acquireTimeout: Infinity },
  });
  const first = await pool.acquire();
  await clock.advance(500);
  const second = await pool.acquire();
  first.destroy();
  second.destroy();
  await clock.advance(200);
  await pool.acquire();
  await clock.advance(302);
  const { fired } = clock;
  await clock.advance(698);
  assertEquals(clock.fired, fired);
  await clock.advance(1);
  assertEquals(clock.fired, fired + 1, "the third ends at 1 700");
});

test("what min keeps ends with its life all the same, and is replaced", async () => {
  using _ = drawing(1);
  const { pool, clock, ends, factory } = mortal({
    max: 3,
    min: 2,
    maxLifetime: 1_000,
  });
  await fill(pool, 1);
  await clock.advance(1_001);
  assertEquals(ends, [[1, "lifetime", 1_001], [2, "lifetime", 1_001]]);
  assertEquals(factory.log.filter((it) => it.startsWith("create")).length, 4);
  assertCounts(pool, { idle: 2 });
});

test("thousands of lives that end at once end in batches", async () => {
  using _ = drawing(1);
  const max = 3_000;
  const { pool, clock, ends } = mortal({ max, maxLifetime: 1_000 });
  await fill(pool, max);
  clock.jump(1_100);
  const perTurn: number[] = [];
  const { setTimeout } = clock;
  clock.setTimeout = function (callback, delay) {
    return setTimeout.call(this, () => {
      const before = ends.length;
      callback();
      if (ends.length > before) perTurn.push(ends.length - before);
    }, delay);
  };
  // The timer that is set already fires late, and gives way to a turn.
  await clock.advance(10);
  assertEquals(ends.length, max);
  assertEquals(perTurn.every((n) => n <= 1_024), true, perTurn.join());
  assertCounts(pool, {});
});

test("a resource is leased maxUses times, the first for which it was made included", async () => {
  const f = mortal({ max: 1, maxUses: 3 });
  const seen: number[] = [];
  for (let i = 0; i < 7; i++) {
    const lease = await f.pool.acquire();
    seen.push(lease.value.id);
    lease.release();
    await settled();
  }
  assertEquals(seen, [1, 1, 1, 2, 2, 2, 3]);
  assertEquals(f.ends, [[1, "uses", 0], [2, "uses", 0]]);
  await assertClosesClean(f);
});

test("the last use of a resource leaves the next waiter a new one", async () => {
  const { pool, ends } = mortal({ max: 1, maxUses: 1 });
  const first = await pool.acquire();
  const next = watch(pool.acquire());
  first.release();
  await settled();
  assertEquals(leaseOf(next).value.id, 2);
  assertEquals(ends, [[1, "uses", 0]]);
});

test("an acquire given up before its lease is no use", async () => {
  const { pool, factory } = mortal({ max: 1, maxUses: 2 });
  factory.manual.add("create");
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  await settled();
  controller.abort();
  factory.finishCreate();
  await settled();
  for (let i = 0; i < 2; i++) (await pool.acquire()).release();
  await settled();
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("what is retired first says why, and not that it was used enough", async () => {
  const { pool, ends, clock } = mortal({ maxUses: 1, maxLifetime: 1_000 });
  const cleared = await pool.acquire();
  pool.clear();
  cleared.release();
  const old = await pool.acquire();
  await clock.advance(1_001);
  pool.clear();
  old.release();
  await settled();
  assertEquals(ends.map(([, reason]) => reason), ["clear", "lifetime"]);
});
