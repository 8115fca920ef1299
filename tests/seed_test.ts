import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

// The behaviours of the seed and of its upstream, row by row.

test("seed: acquire and release reuse one resource", async () => {
  const { pool, factory } = fixture({ max: 4 });
  const first = await pool.acquire();
  const resource = first.value;
  first.release();
  const second = await pool.acquire();
  assertStrictEquals(second.value, resource);
  second.release();
  assertEquals(factory.log, ["create 1"]);
});

test("seed: ten waiters are served first in, first out", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const order: number[] = [];
  const uses = Array.from(
    { length: 10 },
    (_, i) => pool.use(() => void order.push(i)),
  );
  held.release();
  await Promise.all(uses);
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("seed: idle resources are cleaned up and freed", async () => {
  const { pool, clock, factory } = fixture({ max: 3, idleTimeout: 500 });
  await fill(pool, 3);
  await clock.advance(510);
  assertEquals(factory.log.slice(3), ["destroy 1", "destroy 2", "destroy 3"]);
  assertCounts(pool, {});
});

test("seed: fifty concurrent uses on two stripes never exceed max", async () => {
  const { pool, factory } = fixture({ max: 5, stripes: 2 });
  let active = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 50 }, (_, i) =>
    pool.use(async () => {
      most = Math.max(most, ++active);
      await settled();
      active--;
    }, { affinity: i })));
  assertEquals(most, 5);
  assertEquals(factory.peak, 5);
  assertCounts(pool, { idle: 5 });
});

test("seed: one thread gets its own resource again", async () => {
  const { pool } = fixture({ max: 4, stripes: 4 });
  const threads = [0, 1, 2, 3];
  const leases = await Promise.all(
    threads.map((thread) => pool.acquire({ affinity: thread })),
  );
  const resources: Resource[] = leases.map(({ value }) => value);
  for (const lease of leases) lease.release();
  for (const thread of [3, 1, 0, 2, 1]) {
    using lease = await pool.acquire({ affinity: thread });
    assertStrictEquals(lease.value, resources[thread]);
  }
});

test("seed: a resource stays with the stripe that made it", async () => {
  const { pool } = fixture({ max: 2, stripes: 2, isolated: true });
  const at0 = await pool.acquire({ affinity: 0 });
  const resource = at0.value;
  at0.release();
  const at1 = await pool.acquire({ affinity: 1 });
  assertEquals(at1.value === resource, false);
  const again = await pool.acquire({ affinity: 2 });
  assertStrictEquals(again.value, resource);
  at1.release();
  again.release();
  assertEquals(pool.stats().stripes.map(({ idle }) => idle), [1, 1]);
});

test("seed: a waiter resumes when a resource is put back", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const waiter = watch(pool.acquire());
  await settled();
  assertEquals(waiter.settled, false);
  held.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
});

test("seed: destroying a resource hands its slot to a waiter, who creates", async () => {
  const { pool, factory } = fixture();
  const held = await pool.acquire();
  const waiter = watch(pool.acquire());
  held.destroy();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  assertEquals(factory.log, ["create 1", "destroy 1", "create 2"]);
});

test("seed: a cleared pool is used again", async () => {
  const f = fixture({ max: 2 });
  await fill(f.pool, 2);
  f.pool.clear();
  await fill(f.pool, 2);
  assertEquals(f.factory.log.slice(2), [
    "destroy 1",
    "destroy 2",
    "create 3",
    "create 4",
  ]);
  await assertClosesClean(f);
});

test("seed: five resources over two stripes are three and two", () => {
  const { pool } = fixture({ max: 5, stripes: 2 });
  assertEquals(pool.stats().stripes.map(({ max }) => max), [3, 2]);
});

test("seed: 1 <= stripes <= max and 1 <= max hold, or there is no pool", () => {
  const create = () => ({});
  for (const [max, stripes] of [[0, 1], [1, 0], [2, 3], [-1, -1]] as const) {
    assertThrows(() => new Pool({ create, max, stripes }), RangeError);
  }
  assertEquals(new Pool({ create, max: 2, stripes: 2 }).stats().max, 2);
});

test("seed: an exception inside a use destroys the resource", async () => {
  const { pool, factory } = fixture();
  const use = watch(pool.use(() => Promise.reject(new Error("inside"))));
  await settled();
  assertEquals((use.error as Error).message, "inside");
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("upstream's fault: with max 1, take, put, take, take stays at one live resource", async () => {
  const { pool, factory } = fixture();
  (await pool.acquire()).release();
  const second = await pool.acquire();
  const third = watch(pool.acquire());
  await settled();
  assertEquals([third.settled, factory.peak], [false, 1]);
  second.release();
  await settled();
  assertEquals(leaseOf(third).value, { id: 1 });
});

test("upstream's fault: with max 1, take, destroy, take does not wait for ever", async () => {
  const { pool } = fixture();
  (await pool.acquire()).destroy();
  const second = watch(pool.acquire());
  await settled();
  assertEquals(leaseOf(second).value, { id: 2 });
});

test("upstream's fault: a create that fails wakes the next waiter", async () => {
  const { pool, factory } = fixture();
  factory.manual.add("create");
  const first = watch(pool.acquire());
  const second = watch(pool.acquire());
  await settled();
  factory.failCreate("refused");
  await settled();
  factory.finishCreate();
  await settled();
  assertEquals(first.error, "refused");
  assertEquals(leaseOf(second).value, { id: 2 });
});

test("upstream's fault: a waiter cancelled after its wake does not lose the resource", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const controller = new AbortController();
  const waiter = watch(f.pool.acquire({ signal: controller.signal }));
  held.release();
  controller.abort();
  await settled();
  leaseOf(waiter).release();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});
