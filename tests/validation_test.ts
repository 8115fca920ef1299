import { assertEquals, assertStrictEquals } from "@std/assert";
import { AcquireTimeoutError, type Lease, Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  type Fixture,
  leaseOf,
  type Resource,
  settled,
  SpySignal,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

test("validate is asked before every reuse, never of a new resource", async () => {
  const { pool, factory } = validated();
  const first = await pool.acquire();
  assertEquals(factory.log, ["create 1"]);
  const waiter = watch(pool.acquire());
  first.release();
  await settled();
  assertEquals(factory.log, ["create 1", "validate 1"], "handed over");
  leaseOf(waiter).release();
  (await pool.acquire()).release();
  assertEquals(factory.log.length, 3, "from idle");
  pool.tryAcquire()!.release();
  assertEquals(factory.log.length, 4, "by tryAcquire");
});

test("a good verdict leases the resource, whether at once or later", async () => {
  const f = validated();
  const [resource] = await fill(f.pool, 1);
  const lease = await f.pool.acquire();
  assertStrictEquals(lease.value, resource);
  lease.release();
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire());
  assertCounts(f.pool, { used: 1, pending: 1 });
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertStrictEquals(leaseOf(taker).value, resource);
  assertCounts(f.pool, { used: 1 });
  leaseOf(taker).release();
  await assertClosesClean(f);
});

test("a bad verdict destroys the resource and its taker gets another idle one", async () => {
  const { pool, factory } = validated({ max: 2 });
  const [older, newest] = await fill(pool, 2);
  factory.bad.add(newest!);
  using lease = await pool.acquire();
  assertStrictEquals(lease.value, older);
  assertEquals(factory.log.slice(2), ["validate 2", "destroy 2", "validate 1"]);
});

test("a bad verdict on the last idle resource makes its taker a new one", async () => {
  const f = validated();
  const [bad] = await fill(f.pool, 1);
  f.factory.bad.add(bad!);
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 2 });
  lease.release();
  await assertClosesClean(f);
});

test("a validate that throws, rejects or answers with nothing counts as a no", async () => {
  const refusals = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
    () => undefined as unknown as boolean,
    () => Promise.resolve(0 as unknown as boolean),
  ];
  for (const refuse of refusals) {
    const f = validated({ validate: refuse });
    await fill(f.pool, 1);
    const lease = await f.pool.acquire();
    assertEquals(lease.value, { id: 2 });
    lease.release();
    await assertClosesClean(f);
  }
});

test("a validate that says no to everything ends in a resource just created", async () => {
  const f = validated({ max: 4, validate: () => false });
  await fill(f.pool, 4);
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 5 });
  assertEquals(f.factory.live.size, 1);
  lease.release();
  await assertClosesClean(f);
});

test("a validate that hangs counts as a no after validateTimeout", async () => {
  const f = validated({ validateTimeout: 400 });
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire());
  await f.clock.advance(399);
  assertEquals(taker.settled, false);
  await f.clock.advance(1);
  assertEquals(leaseOf(taker).value, { id: 2 });
  assertEquals(f.factory.log.includes("destroy 1"), true);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { used: 1 });
  leaseOf(taker).release();
  await assertClosesClean(f);
});

test("the default validateTimeout is five seconds", async () => {
  const { pool, clock, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  const taker = watch(pool.acquire());
  await clock.advance(4_999);
  assertEquals(taker.settled, false);
  await clock.advance(1);
  assertEquals(leaseOf(taker).value, { id: 2 });
});

test("the taker of an invalid resource keeps its place before those who came later", async () => {
  const { pool, factory } = validated();
  const held = await pool.acquire();
  factory.manual.add("validate");
  const order: string[] = [];
  const first = pool.acquire().then((lease) => (order.push("first"), lease));
  const second = pool.acquire().then((lease) => (order.push("second"), lease));
  held.release();
  const third = pool.acquire().then((lease) => (order.push("third"), lease));
  await settled();
  factory.validations.shift()!.resolve(false);
  (await first).release();
  await settled();
  factory.validations.shift()!.resolve(true);
  (await second).release();
  await settled();
  factory.validations.shift()!.resolve(true);
  (await third).release();
  assertEquals(order, ["first", "second", "third"]);
});

test("what a validate acquires comes after who it is asked for", async () => {
  const order: string[] = [];
  const acquire = async (name: string) => {
    const lease = await pool.acquire();
    order.push(name);
    lease.release();
  };
  let inner: Promise<void> | undefined;
  let asked = 0;
  let made = 0;
  let go = () => {};
  const slow = new Promise<void>((resolve) => go = resolve);
  const pool: Pool<number> = new Pool({
    create: () => made++ < 2 ? made : slow.then(() => 3),
    validate: (it) => {
      if (it === 3) return true;
      if (asked++ === 0) inner = acquire("second");
      return Promise.resolve(false);
    },
    max: 2,
  });
  const held = await Promise.all([pool.acquire(), pool.acquire()]);
  for (const lease of held) lease.release();
  const outer = acquire("first");
  await settled();
  go();
  await outer;
  await inner;
  assertEquals(order, ["first", "second"]);
  await pool.close();
});

test("several takers of invalid resources go back in their order of arrival", async () => {
  const { pool, factory } = validated({ max: 3 });
  const held = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  const order: number[] = [];
  const uses = [0, 1, 2, 3, 4].map((i) =>
    pool.use(async () => {
      order.push(i);
      await settled();
    })
  );
  factory.manual.add("validate").add("destroy");
  for (const lease of held) lease.release();
  await settled();
  factory.manual.delete("validate");
  const [a, b, c] = factory.validations;
  for (const call of [c, a, b]) {
    call!.resolve(false);
    await settled();
  }
  assertCounts(pool, { destroying: 3, pending: 5 });
  for (const call of factory.destroys) call.resolve();
  await Promise.all(uses);
  assertEquals(order, [0, 1, 2, 3, 4]);
});

test("a resource whose taker is gone when the verdict comes serves the next waiter", async () => {
  const { pool, factory } = validated();
  const held = await pool.acquire();
  factory.manual.add("validate");
  const controller = new AbortController();
  const gone = watch(pool.acquire({ signal: controller.signal }));
  const next = watch(pool.acquire());
  held.release();
  await settled();
  controller.abort("gone");
  factory.validations.shift()!.resolve(true);
  await settled();
  factory.validations.shift()!.resolve(true);
  await settled();
  assertEquals(gone.error, "gone");
  assertEquals(leaseOf(next).value, { id: 1 });
});

test("what is released while bad verdicts wait for their turn goes to their takers first", async () => {
  const batch = 1_024;
  const f = validated({ max: batch + 2 });
  const held = await f.pool.acquire();
  await fill(f.pool, batch + 1);
  f.factory.manual.add("validate");
  const takers = Array.from(
    { length: batch + 1 },
    () => watch(f.pool.acquire()),
  );
  f.factory.manual.clear();
  for (const call of f.factory.validations) call.resolve(false);
  await settled();
  const last = takers.at(-1)!;
  const newcomer = watch(f.pool.acquire());
  await settled();
  assertEquals([last.settled, newcomer.settled], [false, false]);
  assertCounts(f.pool, { used: batch + 2, pending: 2 });
  held.release();
  await settled();
  assertEquals(leaseOf(last).value, { id: 1 });
  assertEquals(newcomer.settled, false);
  await f.clock.advance(0);
  for (const taker of [...takers, newcomer]) leaseOf(taker).release();
  await assertClosesClean(f);
});

test("bad verdicts that wait for their turn do not wait for a timer that cannot be set", async () => {
  const batch = 1_024;
  const f = validated({ max: batch + 1, createTimeout: Infinity });
  await fill(f.pool, batch + 1);
  f.factory.manual.add("validate");
  const takers = Array.from(
    { length: batch + 1 },
    () => watch(f.pool.acquire()),
  );
  await settled();
  f.factory.manual.clear();
  const { setTimeout } = f.clock;
  f.clock.setTimeout = () => {
    throw new Error("no timers");
  };
  for (const call of f.factory.validations) call.resolve(false);
  await settled();
  f.clock.setTimeout = setTimeout;
  for (const taker of takers) leaseOf(taker).release();
  await assertClosesClean(f);
});

test("validate can abort its taker's signal and nothing is lost", async () => {
  for (const verdict of [true, false]) {
    const spy = new SpySignal();
    const f = validated({
      validate: () => {
        spy.abort("by validate");
        return Promise.resolve(verdict);
      },
    });
    await fill(f.pool, 1);
    const taker = watch(f.pool.acquire({ signal: spy.signal }));
    await settled();
    assertEquals(taker.error, "by validate");
    assertEquals(spy.listeners, 0);
    assertEquals(f.pool.stats().pending, 0);
    await assertClosesClean(f);
  }
});

test("a validate that aborts its taker's signal and answers at once loses nothing", async () => {
  for (const verdict of [true, false]) {
    const spy = new SpySignal();
    const f = validated({
      validate: () => {
        spy.abort("by validate");
        return verdict;
      },
    });
    await fill(f.pool, 1);
    const taker = watch(f.pool.acquire({ signal: spy.signal }));
    await settled();
    assertEquals(taker.settled, true);
    taker.value?.release();
    assertEquals(spy.listeners, 0);
    await assertClosesClean(f);
  }
});

test("a taker that went back in line can still be cancelled and time out", async () => {
  const f = validated({ createTimeout: Infinity });
  await fill(f.pool, 1);
  f.factory.manual.add("validate").add("create");
  const spy = new SpySignal();
  const cancelled = watch(f.pool.acquire({ signal: spy.signal }));
  const timed = watch(f.pool.acquire({ timeout: 100 }));
  f.factory.validations.shift()!.resolve(false);
  await settled();
  assertCounts(f.pool, { creating: 1, pending: 2 });
  spy.abort("after all");
  await f.clock.advance(100);
  assertEquals(cancelled.error, "after all");
  assertEquals(timed.error instanceof AcquireTimeoutError, true);
  f.factory.finishCreate();
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a pending verdict does not stop others from being served", async () => {
  const { pool, factory } = validated({ max: 2 });
  await fill(pool, 1);
  factory.manual.add("validate");
  const slow = watch(pool.acquire());
  const other = watch(pool.acquire());
  await settled();
  assertEquals(slow.settled, false);
  assertEquals(leaseOf(other).value, { id: 2 });
});

test("an invalid resource on one stripe sends its taker to another", async () => {
  const { pool, factory } = validated({ max: 2, stripes: 2 });
  const at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const [bad, good] = [at0.value, at1.value];
  at0.release();
  at1.release();
  factory.bad.add(bad);
  using lease = await pool.acquire({ affinity: 0 });
  assertStrictEquals(lease.value, good);
});

test("an isolated taker of an invalid resource stays on its stripe", async () => {
  const { pool, factory } = validated({ max: 2, stripes: 2, isolated: true });
  const at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const bad = at0.value;
  at0.release();
  at1.release();
  factory.bad.add(bad);
  using lease = await pool.acquire({ affinity: 0 });
  assertEquals(lease.value, { id: 3 });
  assertEquals(pool.stats().stripes.map(({ idle }) => idle), [0, 1]);
});

test("an idle resource that expired is evicted without a verdict", async () => {
  const { pool, clock, factory } = validated({ idleTimeout: 1_000 });
  await fill(pool, 1);
  clock.jump(1_001);
  using lease = await pool.acquire();
  assertEquals(lease.value, { id: 2 });
  assertEquals(factory.log, ["create 1", "destroy 1", "create 2"]);
});

/** A pool on a clock that does not begin at 0, with one idle resource. */
async function validatedLater(): Promise<Fixture> {
  const clock = new VirtualClock(5_000);
  const f = { ...validated({ clock, idleTimeout: 1_000 }), clock };
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  return f;
}

test("a resource whose taker is gone when its verdict comes is idle from then on", async () => {
  const f = await validatedLater();
  const controller = new AbortController();
  watch(f.pool.acquire({ signal: controller.signal }));
  controller.abort();
  f.clock.jump(800);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  await f.clock.advance(900);
  assertCounts(f.pool, { idle: 1 });
  f.factory.manual.clear();
  assertEquals(f.pool.tryAcquire()?.value, { id: 1 });
});

test("a resource whose taker is gone before it is validated is idle since its release", async () => {
  for (const age of [1_000, 1_001]) {
    const clock = new VirtualClock(5_000);
    const controller = new AbortController();
    const others: Lease<Resource>[] = [];
    const log: string[] = [];
    const pool: Pool<Resource> = new Pool<Resource>({
      create: () => ({ id: log.push("create") }),
      destroy: () => {
        for (const lease of others) lease.release();
        controller.abort("in time");
        clock.jump(500);
      },
      validate: () => log.push("validate") > 0,
      max: 2,
      idleTimeout: 1_000,
      clock,
    });
    const first = await pool.acquire();
    others.push(await pool.acquire());
    const taker = watch(pool.acquire({ signal: controller.signal }));
    first.destroy();
    await settled();
    assertEquals(taker.error, "in time");
    assertEquals(log, ["create", "create"]);
    assertCounts(pool, { idle: 1 });
    clock.jump(age - 500);
    const isKept = pool.tryAcquire() !== undefined;
    assertEquals([age, isKept], [age, age === 1_000]);
  }
});

test("a late good verdict of tryAcquire makes the resource idle from then on", async () => {
  const f = await validatedLater();
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  f.clock.jump(800);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  await f.clock.advance(900);
  assertCounts(f.pool, { idle: 1 });
});

test("a taker of an isolated stripe that named none stays there if its resource is invalid", async () => {
  for (const stripe of [0, 1]) {
    const f = validated({ max: 4, stripes: 2, isolated: true });
    const at = [
      await f.pool.acquire({ affinity: 0 }),
      await f.pool.acquire({ affinity: 1 }),
    ];
    at[1 - stripe]!.release();
    at[stripe]!.release();
    f.factory.manual.add("validate");
    const taker = watch(f.pool.acquire());
    await settled();
    const took = f.factory.validations.shift()!;
    const home = took.resource.id - 1;
    took.resolve(false);
    await settled();
    assertEquals(f.factory.validations, [], "no resource of the other stripe");
    assertEquals(leaseOf(taker).value, { id: 3 });
    const { stripes } = f.pool.stats();
    assertEquals([stripes[home]!.used, stripes[home]!.idle], [1, 0]);
    assertEquals([stripes[1 - home]!.used, stripes[1 - home]!.idle], [0, 1]);
    leaseOf(taker).release();
    f.factory.manual.clear();
    await assertClosesClean(f);
  }
});

test("a taker of an isolated stripe that named none can be cancelled there", async () => {
  const f = validated({ max: 2, stripes: 2, isolated: true });
  (await f.pool.acquire({ affinity: 1 })).release();
  f.factory.manual.add("validate");
  const controller = new AbortController();
  const taker = watch(f.pool.acquire({ signal: controller.signal }));
  await settled();
  assertCounts(f.pool, { used: 1, pending: 1 });
  controller.abort("changed my mind");
  await settled();
  assertEquals(taker.error, "changed my mind");
  assertCounts(f.pool, { used: 1 });
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a taker whose resource is invalid need not wait for its destroy if another stripe has room", async () => {
  const f = validated({ max: 2, stripes: 2 });
  (await f.pool.acquire({ affinity: 1 })).release();
  f.factory.manual.add("validate").add("destroy");
  const taker = watch(f.pool.acquire());
  await settled();
  f.factory.validations.shift()!.resolve(false);
  await settled();
  assertEquals(leaseOf(taker).value, { id: 2 });
  const { stripes } = f.pool.stats();
  assertEquals(stripes.map(({ used }) => used), [1, 0]);
  assertEquals(stripes.map(({ destroying }) => destroying), [0, 1]);
  leaseOf(taker).destroy();
  f.factory.manual.clear();
  await settled();
  for (const call of f.factory.destroys) call.resolve();
  await settled();
  await assertClosesClean(f);
});

test("the destroy of an invalid resource serves whoever waits at another stripe", async () => {
  const f = validated({ max: 2, stripes: 2 });
  const held = await f.pool.acquire({ affinity: 0 });
  (await f.pool.acquire({ affinity: 1 })).release();
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire({ affinity: 0 }));
  const other = watch(f.pool.acquire({ affinity: 0 }));
  await settled();
  f.factory.validations.shift()!.resolve(false);
  await settled();
  assertEquals(leaseOf(taker).value, { id: 3 });
  assertEquals(other.settled, false);
  leaseOf(taker).destroy();
  await settled();
  assertEquals(leaseOf(other).value, { id: 4 });
  leaseOf(other).release();
  held.release();
  await assertClosesClean(f);
});
