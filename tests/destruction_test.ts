import { assertEquals, assertStrictEquals } from "@std/assert";
import { Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("a destroyed resource is never leased again", async () => {
  const { pool } = fixture();
  (await pool.acquire()).destroy();
  using next = await pool.acquire();
  assertEquals(next.value, { id: 2 });
});

test("the slot of a destroyed resource counts until destroy has settled", async () => {
  const { pool, factory } = fixture();
  const lease = await pool.acquire();
  factory.manual.add("destroy");
  lease.destroy();
  const waiter = watch(pool.acquire());
  await settled();
  assertCounts(pool, { destroying: 1, pending: 1 });
  assertEquals(factory.log, ["create 1", "destroy 1"]);
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
});

test("a newcomer cannot win the slot that a destroy reserved for a waiter", async () => {
  const { pool, factory } = fixture();
  const lease = await pool.acquire();
  factory.manual.add("destroy").add("create");
  const waiter = watch(pool.acquire());
  lease.destroy();
  await settled();
  factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(pool, { creating: 1, pending: 1 });
  const newcomer = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 1);
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  assertEquals(newcomer.settled, false);
});

test("a newcomer of the same turn cannot win a destroyed resource's slot", async () => {
  const { pool } = fixture();
  const lease = await pool.acquire();
  const waiter = watch(pool.acquire());
  lease.destroy();
  const newcomer = watch(pool.acquire());
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  assertEquals(newcomer.settled, false);
});

test("a destroyed resource without waiters leaves a spare slot", async () => {
  const f = fixture({ max: 2 });
  const [first, second] = [await f.pool.acquire(), await f.pool.acquire()];
  first.destroy();
  second.destroy();
  await settled();
  assertCounts(f.pool, {});
  await fill(f.pool, 2);
  assertEquals(f.factory.peak, 2);
  await assertClosesClean(f);
});

test("a destroy that throws or rejects frees its slot all the same", async () => {
  const failures = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
  ];
  for (const destroy of failures) {
    const { pool } = fixture({ destroy });
    for (let i = 1; i <= 5; i++) {
      const lease = await pool.acquire();
      assertEquals(lease.value, { id: i });
      lease.destroy();
    }
    await settled();
    assertCounts(pool, {});
    await pool.close();
  }
});

test("one destroy that throws stops none of the others", async () => {
  const ended: number[] = [];
  const { pool } = fixture({
    max: 5,
    destroy: ({ id }) => {
      ended.push(id);
      if (id === 2) throw new Error("second");
    },
  });
  await fill(pool, 5);
  pool.clear();
  await settled();
  assertEquals(ended, [1, 2, 3, 4, 5]);
  assertCounts(pool, {});
});

test("a destroy that hangs costs its slot until destroyTimeout", async () => {
  const f = fixture({ destroyTimeout: 300 });
  const lease = await f.pool.acquire();
  f.factory.manual.add("destroy");
  lease.destroy();
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(299);
  assertCounts(f.pool, { destroying: 1, pending: 1 });
  await f.clock.advance(1);
  assertEquals(leaseOf(waiter).value, { id: 2 });
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, { used: 1 });
  f.factory.manual.clear();
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("the default destroyTimeout is five seconds", async () => {
  const { pool, clock, factory } = fixture();
  factory.manual.add("destroy");
  (await pool.acquire()).destroy();
  await clock.advance(4_999);
  assertCounts(pool, { destroying: 1 });
  await clock.advance(1);
  assertCounts(pool, {});
});

test("a destroy that rejects after destroyTimeout disturbs nobody", async () => {
  const { pool, clock, factory } = fixture({ destroyTimeout: 300 });
  factory.manual.add("destroy");
  (await pool.acquire()).destroy();
  await clock.advance(300);
  factory.destroys.shift()!.reject(new Error("late"));
  await settled();
  assertCounts(pool, {});
  assertEquals(clock.timers, 0);
});

test("an infinite destroyTimeout waits for destroy for ever", async () => {
  const { pool, clock, factory } = fixture({
    createTimeout: Infinity,
    destroyTimeout: Infinity,
  });
  factory.manual.add("destroy");
  (await pool.acquire()).destroy();
  await settled();
  assertEquals([clock.timers, clock.armed], [0, 1], "that of the waiter");
  await clock.advance(1e9);
  assertCounts(pool, { destroying: 1 });
});

test("the timer of a destroy does not keep the process alive", async () => {
  const { pool, clock, factory } = fixture();
  factory.manual.add("destroy");
  (await pool.acquire()).destroy();
  assertEquals([clock.timers, clock.referenced], [1, 0]);
});

test("without a destroy option a resource is simply dropped", async () => {
  const pool = new Pool({ create: () => ({}), max: 1 });
  const lease = await pool.acquire();
  const { value } = lease;
  lease.destroy();
  const next = await pool.acquire();
  assertEquals(next.value === value, false);
  next.release();
  await pool.close();
});

test("destroy gets the resource itself, once", async () => {
  const destroyed: unknown[] = [];
  const { pool } = fixture({ destroy: (resource) => destroyed.push(resource) });
  const lease = await pool.acquire();
  const { value } = lease;
  lease.destroy();
  lease.destroy();
  lease.release();
  await pool.close();
  assertEquals(destroyed.length, 1);
  assertStrictEquals(destroyed[0], value);
});

test("the live resources never exceed max while leases are destroyed all the time", async () => {
  const f = fixture({ max: 3 });
  f.factory.manual.add("destroy");
  let held = 0;
  const work = async () => {
    const lease = await f.pool.acquire();
    held++;
    await undefined;
    held--;
    lease.destroy();
  };
  const all = Promise.all(Array.from({ length: 50 }, work));
  let peak = 0;
  const done = watch(all);
  while (!done.settled) {
    await settled();
    const { used, creating, destroying } = f.pool.stats();
    peak = Math.max(peak, used + creating + destroying);
    assertEquals(used + creating + destroying <= 3, true);
    f.factory.destroys.shift()?.resolve();
  }
  assertEquals([peak, held], [3, 0]);
  for (const call of f.factory.destroys) call.resolve();
  await assertClosesClean(f);
});
