import { assertEquals, assertThrows } from "@std/assert";
import type { DestroyReason, Pool, PoolOptions } from "../mod.ts";
import { Entry } from "../src/core/entry.ts";
import { IdleOrder } from "../src/core/idle_order.ts";
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

interface Ordered extends Fixture {
  readonly ends: [number, DestroyReason, number][];
}

function ordered(options: Partial<PoolOptions<Resource>> = {}): Ordered {
  const ends: [number, DestroyReason, number][] = [];
  const f = fixture({
    max: 3,
    idleOrder: "oldest",
    observer: {
      destroyed: ({ resource, reason }) =>
        ends.push([resource.id, reason, f.clock.now()]),
    },
    ...options,
  });
  return { ...f, ends };
}

/** Uses so many, one after the other, and tells which. */
async function turns(
  pool: Pool<Resource>,
  count: number,
  affinity?: number,
): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) {
    await pool.use(({ id }) => void ids.push(id), { affinity });
  }
  return ids;
}

test("oldest first, all idle resources have their turn", async () => {
  const f = ordered();
  await fill(f.pool, 3);
  assertEquals(await turns(f.pool, 7), [1, 2, 3, 1, 2, 3, 1]);
  const ids = [1, 2, 3].map(() => {
    using lease = f.pool.tryAcquire()!;
    return lease.value.id;
  });
  assertEquals(ids, [2, 3, 1]);
  await assertClosesClean(f);
});

test("oldest first means the one released first, not the one made first", async () => {
  const f = ordered();
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  for (const i of [2, 0, 1]) leases[i]!.release();
  assertEquals(await turns(f.pool, 4), [3, 1, 2, 3]);
  await assertClosesClean(f);
});

test("newest first is the default, and has one at work", async () => {
  for (const idleOrder of ["newest", undefined] as const) {
    const f = ordered({ idleOrder });
    await fill(f.pool, 3);
    assertEquals(await turns(f.pool, 3), [3, 3, 3]);
    await assertClosesClean(f);
  }
});

test("oldest first, what has expired is evicted on the way, and nothing else", async () => {
  const f = ordered({ idleTimeout: 100 });
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  for (const lease of leases) {
    lease.release();
    await f.clock.advance(40);
  }
  assertCounts(f.pool, { idle: 2 });
  assertEquals(f.ends, [[1, "idle", 101]]);
  f.clock.jump(21);
  const lease = f.pool.tryAcquire()!;
  assertEquals(lease.value.id, 3);
  await settled();
  assertEquals(f.ends, [[1, "idle", 101], [2, "idle", 141]]);
  lease.release();
  await assertClosesClean(f);
});

test("oldest first, a pool in use expires nothing, and one at rest all", async () => {
  const f = ordered({ idleTimeout: 100 });
  await fill(f.pool, 3);
  for (let i = 0; i < 30; i++) {
    await f.clock.advance(30);
    await turns(f.pool, 1);
  }
  assertEquals(f.ends, []);
  assertCounts(f.pool, { idle: 3 });
  await f.clock.advance(1_000);
  assertEquals(f.ends.map(([, , time]) => time), [941, 971, 1_001]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("newest first, a pool in use lets those go that it does not need", async () => {
  const f = ordered({ idleTimeout: 100, idleOrder: "newest" });
  await fill(f.pool, 3);
  for (let i = 0; i < 10; i++) {
    await f.clock.advance(30);
    await turns(f.pool, 1);
  }
  assertEquals(f.ends.map(([id]) => id), [1, 2]);
  await assertClosesClean(f);
});

test("oldest first, one whose life has ended is passed over alone", async () => {
  const f = ordered({ idleTimeout: Infinity });
  await fill(f.pool, 3);
  f.pool.evict(({ id }) => id === 1 || id === 3, { within: 200 });
  await settled();
  assertEquals(f.ends, [[1, "evict", 0]]);
  await turns(f.pool, 1);
  f.clock.jump(101);
  assertEquals(await turns(f.pool, 2), [2, 2]);
  assertEquals(f.ends, [[1, "evict", 0], [3, "evict", 101]]);
  await assertClosesClean(f);
});

test("oldest first, the minimum is kept though its time has passed, and used in turn", async () => {
  const f = ordered({ min: 2, idleTimeout: 100 });
  await f.pool.warm();
  await f.clock.advance(1_000);
  assertEquals(await turns(f.pool, 4), [1, 2, 1, 2]);
  assertEquals(f.ends, []);
  await assertClosesClean(f);
});

test("oldest first, those of each stripe have their turn", async () => {
  for (const isolated of [false, true]) {
    const f = ordered({ max: 4, stripes: 2, isolated });
    const held = [0, 0, 1, 1].map((affinity) =>
      watch(f.pool.acquire({ affinity }))
    );
    await settled();
    const ids = held.map((lease) => leaseOf(lease).value.id);
    for (const lease of held) leaseOf(lease).release();
    for (const affinity of [0, 1]) {
      const own = ids.slice(2 * affinity, 2 * affinity + 2);
      assertEquals(await turns(f.pool, 4, affinity), [...own, ...own]);
    }
    await assertClosesClean(f);
  }
});

test("oldest first, those of all stripes have their turn where none is preferred", async () => {
  for (const isolated of [false, true]) {
    const f = ordered({ max: 5, stripes: 3, isolated });
    const held = [2, 0, 1, 0, 1].map((affinity) =>
      watch(f.pool.acquire({ affinity }))
    );
    await settled();
    const ids: number[] = [];
    for (const lease of held) {
      ids.push(leaseOf(lease).value.id);
      leaseOf(lease).release();
      await f.clock.advance(1);
    }
    assertEquals(await turns(f.pool, 10), [...ids, ...ids]);
    // One that is preferred, and one that leaves, come out of the others' turn.
    assertEquals(await turns(f.pool, 1, 1), [ids[2]]);
    f.pool.evict(({ id }) => id === ids[1]);
    const rest = [ids[0], ids[3], ids[4], ids[2]];
    assertEquals(await turns(f.pool, 8), [...rest, ...rest]);
    await assertClosesClean(f);
  }
});

test("oldest first, one checked in the background keeps its turn", async () => {
  const f = validated({
    max: 3,
    idleOrder: "oldest",
    validateAfter: Infinity,
    keepalive: 1_000,
    idleTimeout: Infinity,
  });
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  for (const lease of leases) {
    lease.release();
    await f.clock.advance(1);
  }
  f.factory.manual.add("validate");
  await f.clock.advance(998);
  const check = f.factory.validations.shift()!;
  assertEquals(check.resource.id, 1);
  check.resolve(true);
  await settled();
  assertEquals(await turns(f.pool, 3), [1, 2, 3]);
  f.factory.manual.clear();
  for (const call of f.factory.validations) call.resolve(true);
  await settled();
  await assertClosesClean(f);
});

test("oldest first, waiters are served in their order all the same", async () => {
  const f = ordered();
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  const waits = [1, 2, 3].map(() => watch(f.pool.acquire()));
  for (const i of [1, 0, 2]) leases[i]!.release();
  await settled();
  assertEquals(waits.map((wait) => leaseOf(wait).value.id), [2, 1, 3]);
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("an idle order is one of two", () => {
  for (const idleOrder of ["random", 1, null, true]) {
    assertThrows(
      () => fixture({ idleOrder: idleOrder as never }),
      TypeError,
      '\'idleOrder\' must be "newest" or "oldest"',
    );
  }
});

test("one that is put back has its old place in the order", () => {
  for (const place of [0, 1, 2]) {
    const order = new IdleOrder<number>();
    const entries = [0, 1, 2].map((n) =>
      new Entry(n, 0, n, Infinity, Infinity)
    );
    for (const entry of entries) order.add(entry);
    order.remove(entries[place]!);
    order.add(entries[place]!);
    const found: number[] = [];
    for (let first; (first = order.first) !== undefined;) {
      found.push(first.resource);
      order.remove(first);
    }
    assertEquals(found, [0, 1, 2]);
  }
});
