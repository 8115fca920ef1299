import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Clock, type DestroyReason, Pool } from "../mod.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  until,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

test("an idle resource is evicted once it is older than idleTimeout", async () => {
  const f = fixture({ idleTimeout: 1_000 });
  await fill(f.pool, 1);
  await f.clock.advance(1_000);
  assertCounts(f.pool, { idle: 1 });
  await f.clock.advance(10);
  assertCounts(f.pool, {});
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("an idle resource is evicted in the first turn in which it can be", async () => {
  const clock = new FaultyClock();
  const f = { ...fixture({ idleTimeout: 1_000, clock }), clock };
  await fill(f.pool, 1);
  await clock.advance(1_001);
  assertEquals([f.pool.stats().idle, clock.fired], [0, 1]);
  await assertClosesClean(f);
});

test("the default idleTimeout is thirty seconds", async () => {
  const { pool, clock } = fixture();
  await fill(pool, 1);
  await clock.advance(30_000);
  assertCounts(pool, { idle: 1 });
  await clock.advance(300);
  assertCounts(pool, {});
});

test("a resource exactly as old as idleTimeout survives a sweep and a take", async () => {
  const { pool, clock } = fixture({ max: 2, idleTimeout: 1_000 });
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  first.release();
  await clock.advance(1);
  second.release();
  await clock.advance(1_000);
  assertCounts(pool, { idle: 1 });
  assertEquals(pool.tryAcquire()?.value, { id: 2 });
});

test("eviction starts with the resource that is idle longest", async () => {
  const { pool, clock, factory } = fixture({ max: 3, idleTimeout: 1_000 });
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  leases[1]!.release();
  leases[0]!.release();
  await clock.advance(500);
  leases[2]!.release();
  await clock.advance(600);
  assertEquals(factory.log.slice(3), ["destroy 2", "destroy 1"]);
  assertCounts(pool, { idle: 1 });
  await clock.advance(600);
  assertEquals(factory.log.at(-1), "destroy 3");
});

test("every use restarts the idle time of a resource", async () => {
  const { pool, clock, factory } = fixture({ idleTimeout: 1_000 });
  await fill(pool, 1);
  for (let i = 0; i < 5; i++) {
    await clock.advance(900);
    (await pool.acquire()).release();
  }
  assertEquals(factory.log, ["create 1"]);
});

test("a used resource is never evicted, however long it is used", async () => {
  const { pool, clock } = fixture({ idleTimeout: 1_000 });
  const lease = await pool.acquire();
  await clock.advance(100_000);
  assertEquals(lease.value, { id: 1 });
  lease.release();
  assertCounts(pool, { idle: 1 });
});

test("an evicted resource counts until its destroy has settled", async () => {
  const { pool, clock, factory } = fixture({ max: 2, idleTimeout: 1_000 });
  await fill(pool, 2);
  factory.manual.add("destroy");
  await clock.advance(1_100);
  assertCounts(pool, { destroying: 2 });
  const waiter = watch(pool.acquire());
  assertCounts(pool, { destroying: 2, pending: 1 });
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 3 });
  assertCounts(pool, { used: 1, destroying: 1 });
  factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(pool, { used: 1 });
});

test("a swept pool grows back to max", async () => {
  const { pool, clock } = fixture({ max: 4, idleTimeout: 1_000 });
  for (let round = 0; round < 3; round++) {
    await fill(pool, 4);
    await clock.advance(2_000);
    assertCounts(pool, {});
  }
});

test("a frozen runtime never leases what expired meanwhile", async () => {
  const { pool, clock, factory } = fixture({ max: 2, idleTimeout: 1_000 });
  await fill(pool, 2);
  clock.jump(1_001);
  using lease = await pool.acquire();
  assertEquals(lease.value, { id: 3 });
  assertEquals(factory.log.slice(2), ["destroy 1", "destroy 2", "create 3"]);
});

test("acquire evicts what has expired and takes what has not", async () => {
  const { pool, clock, factory } = fixture({
    max: 2,
    stripes: 2,
    idleTimeout: 1_000,
  });
  const at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const fresh = at1.value;
  at0.release();
  await clock.advance(900);
  at1.release();
  clock.jump(200);
  using lease = await pool.acquire({ affinity: 0 });
  assertStrictEquals(lease.value, fresh);
  assertEquals(factory.log.at(-1), "destroy 1");
});

test("one timer serves all idle resources and holds no process", async () => {
  const { pool, clock } = fixture({ max: 50, stripes: 5 });
  await fill(pool, 50);
  assertEquals([clock.timers, clock.referenced], [1, 0]);
});

test("no timer is armed while nothing is idle", async () => {
  const { pool, clock } = fixture({
    idleTimeout: 1_000,
    createTimeout: Infinity,
  });
  const lease = await pool.acquire();
  await settled();
  assertEquals([clock.timers, clock.armed], [0, 1], "that of the waiter");
  lease.release();
  await settled();
  assertEquals([clock.timers, clock.armed], [1, 2]);
  const again = pool.tryAcquire()!;
  await clock.advance(5_000);
  assertEquals([clock.timers, clock.armed], [0, 2], "it is left to run out");
  again.destroy();
  assertStrictEquals(pool.tryAcquire(), undefined);
  await clock.advance(5_000);
  assertEquals([clock.timers, clock.armed], [0, 2]);
});

test("an infinite idleTimeout evicts nothing and arms no timer", async () => {
  const { pool, clock } = fixture({
    idleTimeout: Infinity,
    createTimeout: Infinity,
  });
  await fill(pool, 1);
  await clock.advance(1_000);
  assertEquals([clock.timers, clock.armed], [0, 1], "that of the waiter");
  clock.jump(1e12);
  using lease = await pool.acquire();
  assertEquals(lease.value, { id: 1 });
});

test("an idleTimeout of 0 keeps a resource only within its instant", async () => {
  const { pool, clock } = fixture({ idleTimeout: 0 });
  await fill(pool, 1);
  const lease = await pool.acquire();
  assertEquals(lease.value, { id: 1 });
  lease.release();
  await clock.advance(20);
  assertCounts(pool, {});
});

test("an idleTimeout beyond 2^31 - 1 ms is kept in full", async () => {
  const idleTimeout = 2 ** 32;
  const { pool, clock } = fixture({ idleTimeout });
  await fill(pool, 1);
  await clock.advance(idleTimeout);
  assertCounts(pool, { idle: 1 });
  await clock.advance(idleTimeout / 50);
  assertCounts(pool, {});
});

test("a timer that fires early evicts nothing early, and later all the same", async () => {
  const virtual = new VirtualClock();
  const clock: Clock = {
    now: () => virtual.now(),
    setTimeout: (callback, delay) =>
      virtual.setTimeout(callback, delay > 20 ? delay - 15 : delay),
    clearTimeout: (handle) => virtual.clearTimeout(handle),
  };
  const { pool } = fixture({ clock, idleTimeout: 1_000 });
  await fill(pool, 1);
  await virtual.advance(1_000);
  assertCounts(pool, { idle: 1 });
  await virtual.advance(50);
  assertCounts(pool, {});
});

test("an eviction on the stripe of one resource leaves other stripes alone", async () => {
  const f = fixture({ max: 2, stripes: 2, idleTimeout: 1_000 });
  const at0 = await f.pool.acquire({ affinity: 0 });
  const at1 = await f.pool.acquire({ affinity: 1 });
  at1.release();
  await f.clock.advance(1_100);
  assertEquals(f.pool.stats().stripes.map(({ used }) => used), [1, 0]);
  assertEquals(f.factory.log.at(-1), "destroy 2");
  at0.release();
  await assertClosesClean(f);
});

test("an evicted resource is reported with its reason", async () => {
  const reasons: DestroyReason[] = [];
  const { pool, clock } = fixture({
    idleTimeout: 1_000,
    observer: { destroyed: ({ reason }) => void reasons.push(reason) },
  });
  await fill(pool, 1);
  await clock.advance(1_100);
  assertEquals(reasons, ["idle"]);
});

test("a destroy that throws during a sweep stops none of the other evictions", async () => {
  const ended: number[] = [];
  const { pool, clock } = fixture({
    max: 3,
    idleTimeout: 1_000,
    destroy: ({ id }) => {
      ended.push(id);
      throw new Error(`destroy ${id}`);
    },
  });
  await fill(pool, 3);
  await clock.advance(1_100);
  assertEquals(ended, [1, 2, 3]);
  assertCounts(pool, {});
});

test("resources of isolated stripes that expire at once are evicted in batches", async () => {
  for (const stripes of [2, 700, 2_800]) {
    const max = 2_800;
    const f = fixture({ max, stripes, isolated: true, idleTimeout: 1_000 });
    const leases = await Promise.all(
      Array.from({ length: max }, (_, i) => f.pool.acquire({ affinity: i })),
    );
    for (const lease of leases) lease.release();
    const left: number[] = [];
    const { setTimeout } = f.clock;
    f.clock.setTimeout = (callback, delay) =>
      setTimeout.call(f.clock, () => {
        callback();
        left.push(f.factory.live.size);
      }, delay);
    await f.clock.advance(1_100);
    let before = max;
    for (const size of left) {
      assertEquals(before - size <= 1_024, true, `${stripes}: ${left}`);
      before = size;
    }
    assertCounts(f.pool, {});
    await assertClosesClean(f);
  }
});

test("what ends between two batches of a sweep that has passed it is evicted in time", async () => {
  const stripes = 1_200;
  const f = fixture({
    ...{ max: stripes, stripes, isolated: true, idleTimeout: 1_000 },
    observer: { destroyBegan: () => swept() },
  });
  const leases = await Promise.all(
    Array.from({ length: stripes }, (_, i) => f.pool.acquire({ affinity: i })),
  );
  const [first, second] = leases.map(({ value }) => value);
  let swept = () => {
    swept = () => {};
    leases[0]!.release();
    leases[1]!.release();
    f.pool.evict((it) => it === first || it === second, { within: 20 });
  };
  for (const lease of leases.slice(2)) lease.release();
  await f.clock.advance(1_001);
  assertEquals([...f.factory.live], [second]);
  await f.clock.advance(10);
  assertEquals([...f.factory.live], [second]);
  await f.clock.advance(1);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("an acquire of isolated stripes evicts what has expired until it finds one", async () => {
  const { pool, clock, factory } = fixture({
    max: 3,
    stripes: 3,
    isolated: true,
    idleTimeout: 1_000,
  });
  const leases = [];
  for (const affinity of [0, 1, 2]) {
    leases.push(await pool.acquire({ affinity }));
  }
  leases[0]!.release();
  await clock.advance(900);
  leases[1]!.release();
  leases[2]!.release();
  clock.jump(200);
  using _at2 = await pool.acquire({ affinity: 2 });
  using _at1 = await pool.acquire();
  assertEquals(_at1.value, { id: 2 });
  assertStrictEquals(pool.tryAcquire(), undefined);
  await settled();
  assertEquals(factory.log.slice(3), ["destroy 1"]);
});

test("idle resources are evicted in real time without a clock of the user", async () => {
  const destroyed: number[] = [];
  await using pool = new Pool({
    create: () => 1,
    destroy: (resource) => destroyed.push(resource),
    max: 1,
    idleTimeout: 20,
  });
  (await pool.acquire()).release();
  await until(() => destroyed.length === 1);
  assertCounts(pool, {});
});

test("the idle resources of every stripe are evicted, each at its own time", async () => {
  for (const isolated of [false, true]) {
    const f = fixture({ max: 3, stripes: 3, isolated, idleTimeout: 1_000 });
    const leases = [];
    for (const affinity of [0, 1, 2]) {
      leases.push(await f.pool.acquire({ affinity }));
    }
    for (const stripe of [1, 0, 2]) {
      leases[stripe]!.release();
      await f.clock.advance(300);
    }
    const idle = () => f.pool.stats().stripes.map(({ idle }) => idle);
    assertEquals(idle(), [1, 1, 1]);
    await f.clock.advance(101);
    assertEquals(idle(), [1, 0, 1]);
    await f.clock.advance(300);
    assertEquals(idle(), [0, 0, 1]);
    await f.clock.advance(300);
    assertEquals(idle(), [0, 0, 0]);
    await assertClosesClean(f);
  }
});
