import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PoolClosedError } from "../mod.ts";
import { watchLeaks } from "../src/leaks/mod.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertClosesClean,
  assertCounts,
  fixture,
  leaseOf,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

const ENDED = "of a lease that has ended";

test("detach gives the resource, which leaves the pool undestroyed", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const { value } = lease;
  assertStrictEquals(lease.detach(), value);
  await settled();
  assertCounts(f.pool, {});
  assertEquals(f.factory.log, ["create 1"]);
  await f.pool.close();
  assertEquals(f.factory.log, ["create 1"]);
  assertEquals(f.clock.timers, 0);
});

test("its slot is free at once, and created for one who waits", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const waits = [1, 2].map(() => watch(f.pool.acquire()));
  f.factory.live.delete(lease.detach());
  assertCounts(f.pool, { creating: 1, pending: 2 });
  await settled();
  assertEquals(leaseOf(waits[0]!).value.id, 2);
  leaseOf(waits[0]!).release();
  await settled();
  leaseOf(waits[1]!).release();
  await assertClosesClean(f);
});

test("its slot is created for the minimum", async () => {
  const f = fixture({ max: 2, min: 1 });
  f.factory.live.delete((await f.pool.acquire()).detach());
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a waiter that is owed nothing is owed a create when one is detached", async () => {
  const f = fixture({ max: 2, stripes: 2, growth: "measured" });
  const create = async (affinity: number) => {
    const lease = watch(f.pool.acquire({ affinity }));
    await f.clock.advance(500);
    f.factory.finishCreate();
    await settled();
    return leaseOf(lease);
  };
  f.factory.manual.add("create");
  const lease = await create(0);
  lease.release();
  const held = await f.pool.acquire({ affinity: 0 });
  assertEquals(held.stripe, 0);
  // Uses are short beside a create, so it waits for the one that is used.
  const wait = watch(f.pool.acquire({ affinity: 0, timeout: 400 }));
  await f.clock.advance(1);
  assertCounts(f.pool, { used: 1, pending: 1 });
  f.factory.live.delete(held.detach());
  assertCounts(f.pool, { creating: 1, pending: 1 });
  await settled();
  f.factory.finishCreate();
  await settled();
  // No slot is lost on the way: the other stripe can still be filled.
  const other = await create(1);
  assertEquals([leaseOf(wait).stripe, other.stripe], [0, 1]);
  leaseOf(wait).release();
  other.release();
  assertCounts(f.pool, { idle: 2 });
  f.factory.manual.clear();
  await assertClosesClean(f);
});

test("the lease is spent: what comes later does nothing, and reading it throws", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  f.factory.live.delete(lease.detach());
  const next = await f.pool.acquire();
  for (const name of ["value", "age", "uses", "stripe"] as const) {
    const error = assertThrows(() => lease[name], Error) as Error;
    assertEquals(error.message, `Cannot read '${name}' ${ENDED}`);
  }
  assertThrows(() => lease.detach(), Error, ENDED);
  assertEquals(lease.toJSON(), { state: "ended" });
  lease.release();
  lease.destroy();
  lease[Symbol.dispose]();
  lease[Symbol.asyncDispose]();
  assertCounts(f.pool, { used: 1 });
  next.release();
  await assertClosesClean(f);
});

test("a lease that has ended otherwise has nothing to detach", async () => {
  for (const act of ["release", "destroy"] as const) {
    const f = fixture();
    const lease = await f.pool.acquire();
    lease[act]();
    assertThrows(() => lease.detach(), Error, ENDED);
    await settled();
    assertCounts(f.pool, act === "release" ? { idle: 1 } : {});
    await assertClosesClean(f);
  }
});

test("what an aborted close took back is not detached", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  await f.pool.close({ signal: AbortSignal.abort() });
  assertThrows(() => lease.detach(), PoolClosedError);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("a clock that closes the pool while one is detached comes after it", async () => {
  const clock = new FaultyClock();
  const { pool, factory } = fixture({ clock });
  const lease = await pool.acquire();
  const { value } = lease;
  clock.reading = () => {
    clock.reading = undefined;
    void pool.close({ signal: AbortSignal.abort() });
    return clock.now();
  };
  assertStrictEquals(lease.detach(), value);
  await pool.close();
  assertEquals(factory.log, ["create 1"]);
  assertCounts(pool, {});
});

test("a close settles when the last one is detached", async () => {
  for (const isolated of [false, true]) {
    const f = fixture({ max: 2, stripes: 2, isolated });
    const leases = [
      await f.pool.acquire({ affinity: 0 }),
      await f.pool.acquire({ affinity: 1 }),
    ];
    const closing = watch(f.pool.close());
    f.factory.live.delete(leases[0]!.detach());
    await settled();
    assertEquals(closing.settled, false);
    f.factory.live.delete(leases[1]!.detach());
    await settled();
    assertEquals(closing, { settled: true, value: undefined });
    assertEquals(f.factory.log, ["create 1", "create 2"]);
    await assertClosesClean(f);
  }
});

test("inside a use that then returns, or throws, it stays detached", async () => {
  for (const throws of [false, true]) {
    const f = fixture();
    const use = watch(f.pool.use((_, lease) => {
      f.factory.live.delete(lease.detach());
      if (throws) throw new Error("after");
      return "done";
    }));
    await settled();
    assertEquals(use.value, throws ? undefined : "done");
    assertEquals((use.error as Error)?.message, throws ? "after" : undefined);
    assertEquals(f.factory.log, ["create 1"]);
    assertCounts(f.pool, {});
    await assertClosesClean(f);
  }
});

test("nothing is reset that is detached", async () => {
  const { factory, clock } = fixture();
  const f = { ...fixture({ clock, reset: factory.reset }), factory };
  const lease = await f.pool.acquire();
  lease.detach();
  await f.pool.use((_, lease) => void lease.detach());
  assertEquals(factory.log, []);
  assertCounts(f.pool, {});
  await f.pool.close();
});

test("what is detached is no leak", async () => {
  const told: unknown[] = [];
  const f = fixture({
    leaks: watchLeaks({ after: 100 }),
    observer: { leaked: (event) => told.push(event) },
  });
  const lease = await f.pool.acquire();
  f.factory.live.delete(lease.detach());
  await f.clock.advance(1_000);
  assertEquals(told, []);
  await assertClosesClean(f);
});

test("what says lost after it was detached changes nothing", async () => {
  const lost: (() => void)[] = [];
  const f = fixture({
    create: (context) => {
      lost.push(context.lost);
      return f.factory.create(context);
    },
  });
  const lease = await f.pool.acquire();
  f.factory.live.delete(lease.detach());
  lost[0]!();
  const next = await f.pool.acquire();
  lost[0]!();
  next.release();
  await settled();
  assertCounts(f.pool, { idle: 1 });
  assertEquals(f.factory.log, ["create 1", "create 2"]);
  await assertClosesClean(f);
});

test("what has said lost, or was retired, can be detached", async () => {
  let lost = () => {};
  const f = fixture({
    create: (context) => {
      ({ lost } = context);
      return f.factory.create(context);
    },
  });
  for (const act of [() => lost(), () => f.pool.clear()]) {
    const lease = await f.pool.acquire();
    act();
    f.factory.live.delete(lease.detach());
    await settled();
    assertCounts(f.pool, {});
  }
  assertEquals(f.factory.log, ["create 1", "create 2"]);
  await assertClosesClean(f);
});

test("the life of a detached one is watched no more", async () => {
  const f = fixture({ maxLifetime: 1_000 });
  f.factory.live.delete((await f.pool.acquire()).detach());
  const evictable = await f.pool.acquire();
  assertEquals(f.pool.evict(() => true, { within: 100 }), 1);
  f.factory.live.delete(evictable.detach());
  await f.clock.advance(10_000);
  assertCounts(f.pool, {});
  assertEquals(f.factory.log, ["create 1", "create 2"]);
  await assertClosesClean(f);
});

test("detach ends a use: those who time out are not told that none was released", async () => {
  const f = fixture({ max: 2 });
  const leases = [await f.pool.acquire(), await f.pool.acquire()];
  f.factory.manual.add("create");
  const wait = watch(f.pool.acquire({ timeout: 100 }));
  await f.clock.advance(50);
  f.factory.live.delete(leases[0]!.detach());
  await f.clock.advance(50);
  assertEquals(wait.settled, true);
  assertEquals(`${wait.error}`.includes("none was released"), false);
  leases[1]!.release();
  f.factory.manual.clear();
  f.factory.finishCreate();
  await settled();
  await assertClosesClean(f);
});

test("a lease tells the age, uses and stripe of its resource, as validate is told", async () => {
  const told: [number, number][] = [];
  const f = fixture({
    max: 2,
    stripes: 2,
    validate: (_, { age, uses }) => {
      told.push([age, uses]);
      return true;
    },
  });
  await f.clock.advance(1_000);
  const seen: [number, number][] = [];
  for (let i = 0; i < 3; i++) {
    const lease = await f.pool.acquire({ affinity: 1 });
    seen.push([lease.age, lease.uses]);
    assertEquals(lease.stripe, 1);
    await f.clock.advance(100);
    assertEquals([lease.age, lease.uses], [100 + 110 * i, i]);
    lease.release();
    await f.clock.advance(10);
  }
  assertEquals(seen, [[0, 0], [110, 1], [220, 2]]);
  assertEquals(told, seen.slice(1));
  await assertClosesClean(f);
});

test("the stripe of a lease is that of its resource, not the one preferred", async () => {
  const f = fixture({ max: 2, stripes: 2 });
  const leases = [
    await f.pool.acquire({ affinity: 1 }),
    await f.pool.acquire({ affinity: 1 }),
  ];
  assertEquals(leases.map(({ stripe }) => stripe), [1, 0]);
  for (const lease of leases) lease.release();
  await assertClosesClean(f);
});

test("what is read of a lease that an aborted close took back throws", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  await f.pool.close({ signal: AbortSignal.abort() });
  for (const name of ["value", "age", "uses", "stripe"] as const) {
    assertThrows(() => lease[name], PoolClosedError);
  }
});

test("a lease knows its age whatever stands in front of the pool", async () => {
  for (const front of [{ reset: () => {} }, { leaks: watchLeaks() }]) {
    const { pool, clock } = fixture(front);
    const lease = await pool.acquire();
    clock.jump(30);
    assertEquals(lease.age, 30);
    await pool.close({ signal: AbortSignal.abort() });
    assertThrows(() => lease.age, PoolClosedError);
  }
});
