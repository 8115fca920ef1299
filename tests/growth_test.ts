import { assertEquals } from "@std/assert";
import type { AcquireOptions, Lease, PoolOptions } from "../mod.ts";
import { drawing } from "./drawing.ts";
import {
  assertClosesClean,
  type Fixture,
  fixture,
  leaseOf,
  type Outcome,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

interface Occupied extends Fixture {
  /** Of the one resource, whose use takes 20 ms. */
  readonly lease: Lease<Resource>;
  join(options?: AcquireOptions): Outcome<Lease<Resource>>;
}

/** A pool with one resource, made in 100 ms, and in use. */
async function occupied(
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Occupied> {
  const f = fixture({ max: 5, growth: "measured", ...options });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await f.clock.advance(20);
  leaseOf(first).release();
  const lease = f.pool.tryAcquire()!;
  return { ...f, lease, join: (options) => watch(f.pool.acquire(options)) };
}

function creates({ factory }: Fixture): number {
  return factory.log.filter((line) => line.startsWith("create")).length - 1;
}

test("waits too short for a create add up until they buy one", async () => {
  const f = await occupied();
  f.join();
  f.join();
  await settled();
  assertEquals(creates(f), 0, "after 20 + 40 ms");
  f.join();
  await settled();
  assertEquals(creates(f), 1, "after 60 more");
});

test("a short burst is served by what is used, and opens nothing", async () => {
  const f = await occupied();
  const waiters = [f.join(), f.join()];
  let { lease } = f;
  for (const waiter of waiters) {
    await f.clock.advance(20);
    lease.release();
    await settled();
    lease = leaseOf(waiter);
  }
  lease.release();
  assertEquals(f.factory.log, ["create 1"]);
  await assertClosesClean(f);
});

test("one that leaves unserved takes the wait it was charged with it", async () => {
  for (const isAborted of [true, false]) {
    const f = await occupied();
    f.join();
    const controller = new AbortController();
    const leaver = f.join({ signal: controller.signal, timeout: 10 });
    if (isAborted) controller.abort();
    else await f.clock.advance(10);
    await settled();
    assertEquals(leaver.settled, true);
    f.join();
    await settled();
    assertEquals(creates(f), 0, "20 + 40 - 40 + 40 ms");
  }
});

test("an eviction of what was idle for too long forgets the waits before it", async () => {
  const f = await occupied({ idleTimeout: 1_000 });
  const waiters = [f.join(), f.join()];
  let { lease } = f;
  for (const waiter of waiters) {
    await f.clock.advance(20);
    lease.release();
    await settled();
    lease = leaseOf(waiter);
  }
  await f.clock.advance(20);
  lease.release();
  await f.clock.advance(1_001);
  assertEquals(f.factory.log.at(-1), "destroy 1");
  const again = f.join();
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  leaseOf(again);
  f.join();
  f.join();
  await settled();
  assertEquals(creates(f), 1);
});

test("what leaves otherwise leaves the waits before it as they are", async () => {
  const f = await occupied();
  for (let i = 0; i < 4; i++) f.join();
  await f.clock.advance(50);
  f.factory.finishCreate();
  await settled();
  f.lease.destroy();
  await settled();
  assertEquals(creates(f), 2, "one bought, which left 80 ms, and one owed");
  f.join();
  await settled();
  assertEquals(creates(f), 3, "after 60 more");
});

test("one that waits as long as a create takes is owed one", async () => {
  const f = await occupied();
  f.join();
  await f.clock.advance(99);
  assertEquals(creates(f), 0);
  await f.clock.advance(1);
  assertEquals(creates(f), 1);
  await f.clock.advance(100);
  assertEquals(creates(f), 1, "and not two");
});

test("one that only a create lets past maxPending is owed it", async () => {
  const f = await occupied({ maxPending: 1 });
  f.join();
  await settled();
  assertEquals(creates(f), 0);
  f.join();
  await settled();
  assertEquals(creates(f), 1);
});

test("one that joins in an outage is owed a create", async () => {
  using _ = drawing(1);
  const f = await occupied({ createRetry: { delay: 10, maxDelay: 10 } });
  const controller = new AbortController();
  const { signal } = controller;
  for (let i = 0; i < 3; i++) f.join({ signal });
  await settled();
  f.factory.failCreate(new Error("refused"));
  await settled();
  controller.abort();
  f.join();
  await f.clock.advance(9);
  assertEquals(creates(f), 1, "the one that failed");
  await f.clock.advance(1);
  assertEquals(creates(f), 2);
});

test("one that a create comes for is charged no wait, though no use has ended", async () => {
  const f = fixture({ max: 5, min: 2, growth: "measured" });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  await settled();
  f.factory.finishCreate();
  await settled();
  leaseOf(first);
  watch(f.pool.acquire());
  watch(f.pool.acquire());
  await settled();
  assertEquals(f.factory.log, ["create 1", "create 2", "create 3"]);
});
