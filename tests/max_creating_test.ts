import { assertEquals } from "@std/assert";
import {
  assertClosesClean,
  assertCounts,
  fixture,
  leaseOf,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("no more than maxCreating creates are in flight, and each end begins one", async () => {
  const f = fixture({ max: 10, maxCreating: 2 });
  const { pool, factory } = f;
  factory.manual.add("create");
  const waiters = Array.from({ length: 5 }, () => watch(pool.acquire()));
  await settled();
  assertCounts(pool, { creating: 2, pending: 5 });
  factory.finishCreate();
  await settled();
  assertCounts(pool, { creating: 2, used: 1, pending: 4 });
  factory.failCreate("refused");
  await settled();
  assertCounts(pool, { creating: 2, used: 1, pending: 3 });
  for (let left = 3; left > 0; left--) {
    factory.finishCreate();
    await settled();
  }
  assertCounts(pool, { used: 4 });
  assertEquals(waiters.map(({ error }) => error), [
    ...[undefined, "refused"],
    ...Array(3).fill(undefined),
  ]);
  for (const waiter of waiters) waiter.value?.release();
  await assertClosesClean(f);
});

test("by default, and with Infinity, all creates are in flight at once", async () => {
  for (const maxCreating of [undefined, Infinity]) {
    const { pool, factory } = fixture({ max: 50, maxCreating });
    factory.manual.add("create");
    for (let i = 0; i < 50; i++) watch(pool.acquire());
    await settled();
    assertCounts(pool, { creating: 50, pending: 50 });
  }
});

test("maxCreating is of the pool, and isolated stripes get it in order of refusal", async () => {
  const { pool, factory } = fixture({
    ...{ max: 12, stripes: 4, isolated: true, maxCreating: 1 },
  });
  factory.manual.add("create");
  const waiters = [3, 1, 1, 2, 0, 3].map((affinity) =>
    watch(pool.acquire({ affinity }))
  );
  const order: number[] = [];
  for (let i = 0; i < waiters.length; i++) {
    await settled();
    const { stripes } = pool.stats();
    assertEquals(stripes.map(({ creating }) => creating).sort(), [0, 0, 0, 1]);
    order.push(stripes.findIndex(({ creating }) => creating === 1));
    factory.finishCreate();
  }
  await settled();
  // Those that want more go to the end of the queue.
  assertEquals(order, [3, 1, 2, 0, 3, 1]);
  assertEquals(waiters.map(leaseOf).length, 6);
});

test("a failed create leaves its place to the stripe refused first, not to its own", async () => {
  const { pool, factory } = fixture({
    ...{ max: 4, stripes: 2, isolated: true, maxCreating: 1 },
  });
  factory.manual.add("create");
  const waiters = [0, 1, 0].map((affinity) =>
    watch(pool.acquire({ affinity }))
  );
  await settled();
  factory.failCreate("refused");
  await settled();
  factory.finishCreate();
  await settled();
  leaseOf(waiters[1]!);
  assertEquals([waiters[0]!.error, waiters[2]!.settled], ["refused", false]);
  factory.finishCreate();
  await settled();
  leaseOf(waiters[2]!);
});

test("a place is passed on past a stripe that wants it no more", async () => {
  const { pool, factory } = fixture({
    ...{ max: 3, stripes: 3, isolated: true, maxCreating: 1 },
  });
  factory.manual.add("create");
  watch(pool.acquire({ affinity: 0 }));
  const controller = new AbortController();
  const { signal } = controller;
  watch(pool.acquire({ affinity: 1, signal }));
  const last = watch(pool.acquire({ affinity: 2 }));
  await settled();
  controller.abort();
  factory.finishCreate();
  await settled();
  assertEquals(pool.stats().stripes.map(({ creating }) => creating), [0, 0, 1]);
  factory.finishCreate();
  await settled();
  leaseOf(last);
});

test("maxCreating limits what is made for the minimum and a warm, too", async () => {
  const { pool, factory } = fixture({ max: 9, min: 3, maxCreating: 2 });
  factory.manual.add("create");
  const warming = watch(pool.warm(5));
  await settled();
  for (let left = 5; left > 0; left--) {
    assertCounts(pool, { idle: 5 - left, creating: Math.min(left, 2) });
    factory.finishCreate();
    await settled();
  }
  assertEquals("value" in warming, true);
});

test("a place is free again after a create that came too late or was given up", async () => {
  const { pool, clock, factory } = fixture({
    ...{ max: 5, maxCreating: 1, createTimeout: 100 },
  });
  factory.manual.add("create");
  const waiters = [1, 2].map(() => watch(pool.acquire()));
  await clock.advance(100);
  assertEquals(waiters[0]!.settled, true);
  assertEquals(factory.creates.length, 2);
  factory.creates.pop()!.resolve({ id: 9 });
  await settled();
  leaseOf(waiters[1]!);
});

test("an overdue create keeps its place in maxCreating", async () => {
  const { pool, clock, factory } = fixture({
    ...{ max: 5, maxCreating: 1, growth: "measured" },
  });
  factory.manual.add("create");
  watch(pool.acquire());
  watch(pool.acquire());
  await clock.advance(5_000);
  assertCounts(pool, { creating: 1, pending: 2 });
});

test("with maxPending full, an acquire that maxCreating holds back is refused", async () => {
  const { pool, factory } = fixture({ max: 5, maxCreating: 1, maxPending: 0 });
  factory.manual.add("create");
  const [first, second] = [watch(pool.acquire()), watch(pool.acquire())];
  await settled();
  assertEquals([first.settled, second.settled], [false, true]);
  assertEquals((second.error as Error).name, "PoolFullError");
});
