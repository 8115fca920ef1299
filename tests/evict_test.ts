import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Aged, DestroyReason, PoolOptions } from "../mod.ts";
import { drawing } from "./drawing.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

interface Told extends Fixture {
  /** Which were destroyed, why and when. */
  readonly ends: [number, DestroyReason, number][];
}

function told(options: Partial<PoolOptions<Resource>> = {}): Told {
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

const all = () => true;

test("evict retires what matches, idle now and used at release", async () => {
  const f = told({ max: 4 });
  const [, , third] = await fill(f.pool, 4);
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  assertEquals(held.map(({ value }) => value.id), [4, 3]);
  const count = f.pool.evict(({ id }) => id === 1 || id === 3);
  assertEquals(count, 2);
  await settled();
  assertEquals(f.ends, [[1, "evict", 0]]);
  assertCounts(f.pool, { idle: 1, used: 2 });
  assertStrictEquals(held[1]!.value, third, "its holder keeps it");
  for (const lease of held) lease.release();
  await settled();
  assertEquals(f.ends, [[1, "evict", 0], [3, "evict", 0]]);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("what is used and matches is handed to nobody else", async () => {
  const f = told();
  const held = await f.pool.acquire();
  const wait = watch(f.pool.acquire());
  f.pool.evict(all);
  held.release();
  await settled();
  assertEquals(f.ends, [[1, "evict", 0]]);
  assertEquals(leaseOf(wait).value.id, 2);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("where nothing matches, nothing happens", async () => {
  const f = told({ max: 2 });
  assertEquals(f.pool.evict(all), 0);
  await fill(f.pool, 2);
  assertEquals(f.pool.evict(() => false), 0);
  assertEquals(f.pool.evict(() => false, { within: 100 }), 0);
  await f.clock.advance(1_000);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("the predicate is told how long a resource was idle, its age and its uses", async () => {
  const f = told({ max: 2 });
  const seen: [number, Aged][] = [];
  const held = await f.pool.acquire();
  await f.clock.advance(100);
  (await f.pool.acquire()).release();
  (await f.pool.acquire()).release();
  await f.clock.advance(30);
  f.pool.evict((resource, aged) => {
    seen.push([resource.id, aged]);
    return false;
  });
  assertEquals(seen, [
    [1, { idle: 130, age: 130, uses: 1 }],
    [2, { idle: 30, age: 30, uses: 2 }],
  ]);
  held.release();
  await assertClosesClean(f);
});

test("within some time they are retired evenly", async () => {
  const f = told({ max: 4 });
  await fill(f.pool, 4);
  assertEquals(f.pool.evict(all, { within: 400 }), 4);
  await f.clock.advance(1_000);
  // One later, as one that is as old as its limit is kept.
  assertEquals(f.ends.map(([, reason, time]) => [reason, time]), [
    ["evict", 0],
    ["evict", 101],
    ["evict", 201],
    ["evict", 301],
  ]);
  await assertClosesClean(f);
});

test("within some time those that match are spread, whatever is between them", async () => {
  const f = told({ max: 6 });
  await fill(f.pool, 6);
  assertEquals(f.pool.evict(({ id }) => id % 2 === 0, { within: 300 }), 3);
  await f.clock.advance(1_000);
  assertEquals(f.ends, [[2, "evict", 0], [4, "evict", 101], [6, "evict", 201]]);
  assertCounts(f.pool, { idle: 3 });
  await assertClosesClean(f);
});

test("until its time has come one that matches is used as any other", async () => {
  const f = told({ max: 2 });
  await fill(f.pool, 2);
  f.pool.evict(all, { within: 200 });
  await settled();
  await f.clock.advance(100);
  const lease = f.pool.tryAcquire()!;
  assertEquals(lease.value.id, 2);
  lease.release();
  assertCounts(f.pool, { idle: 1 });
  await f.clock.advance(1);
  assertEquals(f.ends, [[1, "evict", 0], [2, "evict", 101]]);
  await assertClosesClean(f);
});

test("one that is used when its time comes is destroyed at release", async () => {
  const f = told({ max: 2 });
  await fill(f.pool, 2);
  const held = await f.pool.acquire();
  f.pool.evict(all, { within: 200 });
  await f.clock.advance(500);
  assertEquals([held.value.id, f.ends], [2, [[1, "evict", 0]]]);
  held.release();
  await settled();
  assertEquals(f.ends, [[1, "evict", 0], [2, "evict", 500]]);
  await assertClosesClean(f);
});

test("one that is released after its time, before any timer, is destroyed", async () => {
  const f = told({ max: 2 });
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  f.pool.evict(all, { within: 200 });
  f.clock.jump(101);
  for (const lease of held) lease.release();
  await settled();
  assertEquals(f.ends.map(([, reason]) => reason), ["evict", "evict"]);
  await assertClosesClean(f);
});

test("a life that ends earlier by itself ends as it would have", async () => {
  using _ = drawing(1);
  const f = told({ max: 2, maxLifetime: 100 });
  await fill(f.pool, 2);
  f.pool.evict(all, { within: 1_000 });
  await f.clock.advance(2_000);
  assertEquals(f.ends, [[1, "evict", 0], [2, "lifetime", 101]]);
  await assertClosesClean(f);
});

test("of several times that one is to be retired at the earliest counts", async () => {
  const f = told({ max: 5 });
  await fill(f.pool, 5);
  f.pool.evict(all, { within: 5_000 });
  await f.clock.advance(100);
  f.pool.evict(({ id }) => id >= 3, { within: 600 });
  await f.clock.advance(50);
  f.pool.evict(({ id }) => id >= 4, { within: 10_000 });
  await f.clock.advance(10_000);
  assertEquals(f.ends.map(([id, , time]) => [id, time]), [
    ...[[1, 0], [3, 100], [4, 150], [5, 501], [2, 1_001]],
  ]);
  await assertClosesClean(f);
});

test("one in flight is asked about when it is there, idle or for a waiter", async () => {
  const f = told({ max: 3 });
  f.factory.manual.add("create");
  const controller = new AbortController();
  const gone = watch(f.pool.acquire({ signal: controller.signal }));
  const waits = [1, 2].map(() => watch(f.pool.acquire()));
  await settled();
  const asked: [number, Aged][] = [];
  const predicate = (resource: Resource, aged: Aged) => {
    asked.push([resource.id, aged]);
    return resource.id !== 2;
  };
  assertEquals(f.pool.evict(predicate), 0);
  controller.abort();
  await f.clock.advance(70);
  assertEquals([gone.settled, asked], [true, []]);
  for (let i = 0; i < 3; i++) f.factory.finishCreate();
  await settled();
  assertEquals(
    asked,
    [1, 2, 3].map((id) => [id, { idle: 0, age: 0, uses: 0 }]),
  );
  assertEquals(f.ends, [[3, "evict", 70]], "one is idle: it leaves at once");
  assertEquals(waits.map((wait) => leaseOf(wait).value.id), [1, 2]);
  for (const wait of waits) leaseOf(wait).release();
  await settled();
  assertEquals(f.ends.map(([id, reason]) => [id, reason]), [
    [3, "evict"],
    [1, "evict"],
  ]);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("one that begins after is not asked about", async () => {
  const f = told({ max: 2 });
  f.pool.evict(all);
  await fill(f.pool, 2);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("what the predicate throws is passed on, and nothing is retired", async () => {
  const f = told({ max: 4 });
  await fill(f.pool, 3);
  f.factory.manual.add("create");
  const held = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  const wait = watch(f.pool.acquire());
  await settled();
  held[0]!.release();
  await settled();
  leaseOf(wait).release();
  const error = new Error("mine");
  for (const within of [0, 100]) {
    const thrown = assertThrows(() =>
      f.pool.evict(({ id }) => {
        if (id === 3) throw error;
        return true;
      }, { within })
    );
    assertStrictEquals(thrown, error);
  }
  for (const lease of held) lease.release();
  f.factory.finishCreate();
  await f.clock.advance(1_000);
  assertEquals(f.ends, []);
  assertCounts(f.pool, { idle: 4 });
  await assertClosesClean(f);
});

test("where it throws of one that was in flight, that one is not kept", async () => {
  const f = told({ max: 2 });
  f.factory.manual.add("create");
  const wait = watch(f.pool.acquire());
  await settled();
  f.pool.evict(() => {
    throw new Error("mine");
  });
  f.factory.finishCreate();
  await settled();
  leaseOf(wait).release();
  await settled();
  assertEquals(f.ends, [[1, "evict", 0]]);
  await assertClosesClean(f);
});

test("a predicate may clear the pool: each is retired once, and counted if it is still in", async () => {
  const f = told({ max: 3 });
  await fill(f.pool, 3);
  const held = await f.pool.acquire();
  const count = f.pool.evict(() => {
    f.pool.clear();
    return true;
  });
  assertEquals(count, 1, "the one that is used");
  held.release();
  await settled();
  assertEquals(f.ends.map(([id, reason]) => [id, reason]), [
    [1, "clear"],
    [2, "clear"],
    [3, "clear"],
  ]);
  await assertClosesClean(f);
});

test("a predicate may close the pool, also by force", async () => {
  for (const isForced of [false, true]) {
    const f = told({ max: 3 });
    await fill(f.pool, 3);
    const held = await f.pool.acquire();
    const signal = isForced ? AbortSignal.abort() : undefined;
    let closing = Promise.resolve();
    const count = f.pool.evict(() => {
      closing = f.pool.close({ signal });
      return true;
    }, { within: 100 });
    assertEquals(count, isForced ? 0 : 1);
    held.release();
    await closing;
    assertEquals(f.ends.map(([id]) => id).sort(), [1, 2, 3]);
    assertEquals(f.ends.every(([, reason]) => reason === "close"), true);
    await assertClosesClean(f);
  }
});

test("a predicate may release, acquire and evict within", async () => {
  const f = told({ max: 3 });
  await fill(f.pool, 3);
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  const taken: number[] = [];
  const count = f.pool.evict(({ id }) => {
    held.pop()?.release();
    const lease = f.pool.tryAcquire();
    if (lease !== undefined) {
      taken.push(lease.value.id);
      held.push(lease);
    }
    if (id === 1) f.pool.evict((resource) => resource.id === 1);
    return true;
  });
  assertEquals([count, taken[0]], [2, 2], "the inner one has retired 1");
  for (const lease of held) lease.release();
  await settled();
  assertEquals(f.ends.length, 3);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a predicate of one in flight may close the pool by force", async () => {
  const f = told();
  f.factory.manual.add("create");
  const wait = watch(f.pool.acquire());
  await settled();
  let closing = Promise.resolve();
  f.pool.evict(() => {
    closing = f.pool.close({ signal: AbortSignal.abort() });
    return true;
  });
  f.factory.finishCreate();
  await settled();
  await closing;
  assertEquals((wait.error as Error).name, "PoolClosedError");
  assertEquals(f.ends, [[1, "close", 0]]);
  await assertClosesClean(f);
});

test("one in flight that an evict before has destroyed is not asked about", async () => {
  const f = told();
  f.factory.manual.add("create");
  const controller = new AbortController();
  watch(f.pool.acquire({ signal: controller.signal }));
  await settled();
  const asked: string[] = [];
  f.pool.evict(() => asked.push("first") > 0);
  f.pool.evict(() => asked.push("second") > 0);
  controller.abort();
  f.factory.finishCreate();
  await settled();
  assertEquals(asked, ["first"]);
  assertEquals(f.ends, [[1, "evict", 0]]);
  await assertClosesClean(f);
});

test("what is under validate is retired, and its taker served with it", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const wait = watch(f.pool.acquire());
  assertEquals(f.pool.evict(all), 1);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  leaseOf(wait).release();
  await settled();
  assertCounts(f.pool, {});
  assertEquals(f.factory.log.at(-1), "destroy 1");
  await assertClosesClean(f);
});

test("the minimum is made again", async () => {
  const f = told({ max: 3, min: 2 });
  await f.pool.warm();
  assertEquals(f.pool.evict(all), 2);
  await settled();
  assertEquals(f.ends.map(([id]) => id), [1, 2]);
  assertCounts(f.pool, { idle: 2 });
  assertEquals(f.pool.evict(all, { within: 100 }), 2);
  await f.clock.advance(51);
  assertEquals(f.ends.map(([id, , time]) => [id, time]), [
    ...[[1, 0], [2, 0], [3, 0], [4, 51]],
  ]);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("evict counts and retires in all stripes", async () => {
  for (const isolated of [false, true]) {
    const f = told({ max: 4, stripes: 2, isolated });
    const held = [0, 0, 1, 1].map((affinity) =>
      watch(f.pool.acquire({ affinity }))
    );
    await settled();
    for (const lease of held) leaseOf(lease).release();
    assertEquals(f.pool.evict(({ id }) => id !== 2, { within: 300 }), 3);
    await f.clock.advance(1_000);
    assertEquals(f.ends.map(([, , time]) => time), [0, 101, 201]);
    assertCounts(f.pool, { idle: 1 });
    await assertClosesClean(f);
  }
});

test("a paused or closed pool evicts as well", async () => {
  const f = told({ max: 2 });
  await fill(f.pool, 2);
  const pause = await f.pool.pause();
  assertEquals(f.pool.evict(({ id }) => id === 1), 1);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await pause[Symbol.asyncDispose]();
  await f.pool.close();
  assertEquals(f.pool.evict(all), 0);
  await assertClosesClean(f);
});

test("a close with evictions to come ends as any other, and leaves no timer", async () => {
  const f = told({ max: 3 });
  await fill(f.pool, 3);
  const held = await f.pool.acquire();
  f.pool.evict(all, { within: 10_000 });
  const closing = f.pool.close();
  await f.clock.advance(5_000);
  held.release();
  await closing;
  await assertClosesClean(f);
});

test("a predicate is a function, and within a finite number of ms", async () => {
  const f = told();
  await fill(f.pool, 1);
  for (const predicate of [undefined, null, {}, "all"]) {
    assertThrows(
      () => f.pool.evict(predicate as never),
      TypeError,
      "Cannot evict as 'predicate' must be a function",
    );
  }
  for (const within of [-1, NaN, Infinity]) {
    assertThrows(
      () => f.pool.evict(all, { within }),
      RangeError,
      "'within' must be a non-negative, finite number of ms",
    );
  }
  assertThrows(() => f.pool.evict(all, { within: "1" as never }), TypeError);
  assertThrows(() => f.pool.evict(all, { after: 1 } as never), TypeError);
  assertThrows(() => f.pool.evict(all, null as never), TypeError);
  assertCounts(f.pool, { idle: 1 });
  assertEquals(f.pool.evict(all, { within: undefined }), 1);
  await assertClosesClean(f);
});

test("one that was in flight is told of before it is asked about", async () => {
  const told: string[] = [];
  const { pool, factory } = fixture({
    observer: { created: () => void told.push("created") },
  });
  factory.manual.add("create");
  watch(pool.acquire());
  await settled();
  pool.evict(() => told.push("asked") > 0);
  factory.finishCreate();
  await settled();
  assertEquals(told, ["created", "asked"]);
});
