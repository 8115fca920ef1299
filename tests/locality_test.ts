import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { AcquireTimeoutError, type Pool } from "../mod.ts";
import {
  assertClosesClean,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** One count of each stripe, in their order. */
function each(
  pool: Pool<Resource>,
  count: "idle" | "used" | "creating" | "pending" | "max",
): number[] {
  return pool.stats().stripes.map((stripe) => stripe[count]);
}

test("max is split over the stripes, the first ones get the remainder", () => {
  const splits: [max: number, stripes: number, split: number[]][] = [
    [5, 2, [3, 2]],
    [10, 3, [4, 3, 3]],
    [11, 4, [3, 3, 3, 2]],
    [4, 4, [1, 1, 1, 1]],
    [7, 1, [7]],
  ];
  for (const [max, stripes, split] of splits) {
    const { pool } = fixture({ max, stripes });
    assertEquals(each(pool, "max"), split);
    assertEquals(pool.stats().max, max);
  }
});

test("an affinity chooses its stripe, a number mod n", async () => {
  const { pool } = fixture({ max: 30, stripes: 3 });
  const homes: [affinity: number, stripe: number][] = [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 0],
    [7, 1],
    [-1, 2],
    [-3, 0],
    [2.9, 2],
    [-0.5, 2],
    [-2.5, 0],
    [2 ** 53, 2 ** 53 % 3],
  ];
  for (const [affinity, stripe] of homes) {
    const before = each(pool, "used")[stripe]!;
    await pool.acquire({ affinity });
    assertEquals(each(pool, "used")[stripe], before + 1, `${affinity}`);
  }
});

test("a string has the same stripe in every pool, and strings spread over all", async () => {
  const names = Array.from({ length: 64 }, (_, i) => `user-${i}`);
  const homes = async () => {
    const { pool } = fixture({ max: 400, stripes: 4 });
    const stripes: number[] = [];
    for (const affinity of names) {
      const before = each(pool, "used");
      await pool.acquire({ affinity });
      stripes.push(each(pool, "used").findIndex((n, i) => n > before[i]!));
    }
    return stripes;
  };
  const first = await homes();
  assertEquals(await homes(), first);
  for (const stripe of [0, 1, 2, 3]) {
    const share = first.filter((home) => home === stripe).length;
    assertEquals(share >= 4, true, `stripe ${stripe} has ${share} of 64`);
  }
});

test("create is told the stripe that it makes for", async () => {
  const told: number[] = [];
  const { pool } = fixture({
    max: 3,
    stripes: 3,
    create: ({ stripe }) => ({ id: told.push(stripe) }),
  });
  for (const affinity of [2, 0, 1]) await pool.acquire({ affinity });
  assertEquals(told, [2, 0, 1]);
});

test("a resource always returns to the stripe that created it", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  (await pool.acquire({ affinity: 1 })).release();
  const stolen = await pool.acquire({ affinity: 0 });
  assertEquals(stolen.value, { id: 1 });
  assertEquals(each(pool, "used"), [0, 1]);
  stolen.release();
  assertEquals(each(pool, "idle"), [0, 1]);
});

test("the same affinity gets the same resource again", async () => {
  const { pool } = fixture({ max: 4, stripes: 4 });
  const affinities = [0, 1, 2, 3];
  const first = await Promise.all(
    affinities.map((affinity) => pool.acquire({ affinity })),
  );
  const resources = first.map(({ value }) => value);
  for (const lease of first.toReversed()) lease.release();
  for (const affinity of [2, 0, 3, 1]) {
    using lease = await pool.acquire({ affinity });
    assertStrictEquals(lease.value, resources[affinity]);
  }
});

test("a caller whose stripe is full is served by a spare slot elsewhere", async () => {
  const f = fixture({ max: 2, stripes: 2 });
  const first = await f.pool.acquire({ affinity: 0 });
  const second = await f.pool.acquire({ affinity: 0 });
  assertEquals(each(f.pool, "used"), [1, 1]);
  second.release();
  assertEquals(each(f.pool, "idle"), [0, 1]);
  first.release();
  await assertClosesClean(f);
});

test("a caller whose stripe is full takes what is idle elsewhere before creating", async () => {
  const { pool, factory } = fixture({ max: 3, stripes: 3 });
  const held = await pool.acquire({ affinity: 0 });
  (await pool.acquire({ affinity: 1 })).release();
  using lease = await pool.acquire({ affinity: 0 });
  assertEquals(lease.value, { id: 2 });
  assertEquals(factory.log.length, 2);
  held.release();
});

test("whatever stripe frees a resource, it goes to the head of the line", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  const at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const waiter = watch(pool.acquire({ affinity: 0 }));
  at1.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  leaseOf(waiter).release();
  assertEquals(each(pool, "idle"), [0, 1]);
  at0.release();
});

test("whatever stripe frees a slot, it is created for the head of the line", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  using _at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const waiter = watch(pool.acquire({ affinity: 0 }));
  at1.destroy();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 3 });
  assertEquals(each(pool, "used"), [1, 1]);
});

test("without an affinity a pool takes what is idle on any stripe", async () => {
  for (const stripe of [0, 1, 2]) {
    const { pool, factory } = fixture({ max: 3, stripes: 3 });
    (await pool.acquire({ affinity: stripe })).release();
    using _lease = await pool.acquire();
    assertEquals(factory.log, ["create 1"]);
    assertEquals(each(pool, "used").indexOf(1), stripe);
  }
});

test("without an affinity a pool uses all its slots on all stripes", async () => {
  for (const isolated of [false, true]) {
    const { pool } = fixture({ max: 7, stripes: 3, isolated });
    for (let i = 0; i < 7; i++) await pool.acquire();
    assertEquals(each(pool, "used"), [3, 2, 2]);
  }
});

test("stripes that share one line all report its length", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  await pool.acquire();
  await pool.acquire();
  watch(pool.acquire({ affinity: 0 }));
  watch(pool.acquire({ affinity: 1 }));
  watch(pool.acquire());
  assertEquals(each(pool, "pending"), [3, 3]);
  assertEquals(pool.stats().pending, 3);
});

test("an isolated stripe is a bulkhead: others cannot serve its callers", async () => {
  const { pool, clock, factory } = fixture({
    max: 2,
    stripes: 2,
    isolated: true,
  });
  (await pool.acquire({ affinity: 1 })).release();
  const held = await pool.acquire({ affinity: 0 });
  const waiter = watch(pool.acquire({ affinity: 0, timeout: 100 }));
  assertStrictEquals(pool.tryAcquire({ affinity: 0 }), undefined);
  assertEquals([each(pool, "pending"), each(pool, "idle")], [[1, 0], [0, 1]]);
  await clock.advance(100);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertEquals(factory.log, ["create 1", "create 2"]);
  held.release();
});

test("an isolated stripe's release serves its own line only", async () => {
  const f = fixture({ max: 2, stripes: 2, isolated: true });
  const at0 = await f.pool.acquire({ affinity: 0 });
  const at1 = await f.pool.acquire({ affinity: 1 });
  const waits0 = watch(f.pool.acquire({ affinity: 0 }));
  const waits1 = watch(f.pool.acquire({ affinity: 1 }));
  at1.release();
  await settled();
  assertEquals([waits0.settled, waits1.settled], [false, true]);
  at0.destroy();
  await settled();
  assertEquals(leaseOf(waits0).value, { id: 3 });
  leaseOf(waits0).release();
  leaseOf(waits1).release();
  assertEquals(each(f.pool, "idle"), [1, 1]);
  await assertClosesClean(f);
});

test("isolated callers without an affinity spread over the lines and are all served", async () => {
  const f = fixture({ max: 2, stripes: 2, isolated: true });
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  const uses = Array.from({ length: 10 }, () => f.pool.use(() => settled()));
  assertEquals(each(f.pool, "pending"), [5, 5]);
  for (const lease of held) lease.release();
  await Promise.all(uses);
  await assertClosesClean(f);
});

test("a pool of a thousand stripes finds the one that has something", async () => {
  const f = fixture({ max: 1_000, stripes: 1_000 });
  const leases = [];
  for (let i = 0; i < 1_000; i++) leases.push(await f.pool.acquire());
  assertEquals(f.factory.log.length, 1_000);
  leases[357]!.release();
  const found = f.pool.tryAcquire()!;
  assertEquals(found.value, { id: 358 });
  leases[904]!.destroy();
  const created = await f.pool.acquire();
  assertEquals(created.value, { id: 1_001 });
  found.release();
  created.release();
  for (const lease of leases) lease.release();
  assertEquals(f.pool.stats().idle, 1_000);
  await assertClosesClean(f);
});
