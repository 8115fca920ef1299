import { assertEquals, assertStrictEquals } from "@std/assert";
import type { AcquireOptions, Pool } from "../mod.ts";
import {
  assertCounts,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Acquires that note their number when they are served, and hold on a while. */
function enqueue(
  pool: Pool<Resource>,
  order: number[],
  count: number,
  options: (i: number) => AcquireOptions = () => ({}),
): Promise<void>[] {
  return Array.from({ length: count }, (_, i) =>
    pool.use(async () => {
      order.push(i);
      await settled();
    }, options(i)));
}

const ascending = (count: number) => Array.from({ length: count }, (_, i) => i);

test("waiters are served in their order of arrival", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const order: number[] = [];
  const uses = enqueue(pool, order, 100);
  held.release();
  await Promise.all(uses);
  assertEquals(order, ascending(100));
});

test("a newcomer cannot overtake between a release and the waiter's wake", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const waiter = watch(pool.acquire());
  held.release();
  const newcomer = watch(pool.acquire());
  assertStrictEquals(pool.tryAcquire(), undefined);
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertEquals(newcomer.settled, false);
});

test("one line spans all stripes, so affinities do not change the order", async () => {
  const { pool } = fixture({ max: 3, stripes: 3 });
  const held = await Promise.all(
    [0, 1, 2].map((affinity) => pool.acquire({ affinity })),
  );
  const order: number[] = [];
  const uses = enqueue(pool, order, 30, (i) => i % 4 ? { affinity: i } : {});
  held[2]!.release();
  await settled();
  held[0]!.release();
  held[1]!.release();
  await Promise.all(uses);
  assertEquals(order, ascending(30));
});

test("created and released resources serve one line alike", async () => {
  const { pool, factory } = fixture({ max: 2 });
  const held = await pool.acquire();
  factory.manual.add("create");
  const order: number[] = [];
  const uses = enqueue(pool, order, 6);
  await settled();
  factory.finishCreate();
  await settled();
  held.release();
  await Promise.all(uses);
  assertEquals(order, ascending(6));
});

test("a destroyed resource's slot serves the head of the line", async () => {
  const { pool } = fixture();
  const order: number[] = [];
  const held = await pool.acquire();
  const uses = Array.from({ length: 10 }, (_, i) =>
    pool.use((_, lease) => {
      order.push(i);
      lease.destroy();
    }));
  held.destroy();
  await Promise.all(uses);
  assertEquals(order, ascending(10));
});

test("cancelled waiters aside, the order stays", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const order: number[] = [];
  const controller = new AbortController();
  const uses = enqueue(
    pool,
    order,
    20,
    (i) => i % 3 === 0 ? { signal: controller.signal } : {},
  );
  controller.abort();
  held.release();
  await Promise.allSettled(uses);
  assertEquals(order, ascending(20).filter((i) => i % 3 !== 0));
});

test("a waiter with the shorter timeout gets no preference", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const order: number[] = [];
  const uses = enqueue(pool, order, 5, (i) => ({ timeout: 10_000 - i }));
  held.release();
  await Promise.all(uses);
  assertEquals(order, ascending(5));
});

test("a resource that several release at once serves as many waiters", async () => {
  const { pool } = fixture({ max: 4 });
  const held = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
  const waiters = [1, 2, 3].map(() => watch(pool.acquire()));
  for (const lease of held) lease.release();
  await settled();
  assertEquals(waiters.map((waiter) => leaseOf(waiter).value.id), [1, 2, 3]);
  assertCounts(pool, { used: 3, idle: 1 });
});

test("idle resources are reused newest first", async () => {
  const { pool } = fixture({ max: 3 });
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  for (const i of [1, 2, 0]) leases[i]!.release();
  const again = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  assertEquals(again.map(({ value }) => value.id), [1, 3, 2]);
});

test("ten thousand waiters are served in a loop, without a deep stack", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const order: number[] = [];
  const uses = Array.from(
    { length: 10_000 },
    (_, i) =>
      pool.acquire().then((lease) => {
        order.push(i);
        lease.release();
      }),
  );
  held.release();
  await Promise.all(uses);
  assertEquals(order, ascending(10_000));
  assertCounts(pool, { idle: 1 });
});

test("ten thousand creates that fail at once reject in order, without a deep stack", async () => {
  const errors: number[] = [];
  let calls = 0;
  const { pool, factory } = fixture({
    create: (context) => {
      if (calls++ === 0) return factory.create(context);
      throw new Error("create");
    },
  });
  const held = await pool.acquire();
  const waiters = Array.from(
    { length: 10_000 },
    (_, i) => pool.acquire().catch(() => void errors.push(i)),
  );
  held.destroy();
  await Promise.all(waiters);
  assertEquals(errors, ascending(10_000));
  assertEquals(calls, 10_001);
  assertCounts(pool, {});
});
