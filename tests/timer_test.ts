import { assertEquals, assertInstanceOf, assertLessOrEqual } from "@std/assert";
import { AcquireTimeoutError, type PoolOptions } from "../mod.ts";
import { FaultyClock } from "./faulty_clock.ts";
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

type TimerFixture = Fixture & { readonly clock: FaultyClock };

/** What a test does with the options of its pool. */
type Options = Partial<PoolOptions<Resource>>;

/** A pool whose timers can be faked while its clock stands still. */
function timed(options: Options = {}): TimerFixture {
  const clock = new FaultyClock(1_000);
  return { ...fixture({ clock, ...options }), clock };
}

/** As `timed`, and `validate` asks the factory. */
function timedValidated(options: Options = {}): TimerFixture {
  const clock = new FaultyClock(1_000);
  return { ...validated({ clock, ...options }), clock };
}

// Fake timers beside a clock that goes on by itself: they never see it move.

test("a waiter times out under fake timers that leave the clock alone", async () => {
  const f = timed();
  const held = await f.pool.acquire();
  f.clock.stop();
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  const later = watch(f.pool.acquire({ timeout: 5_000 }));
  await f.clock.advance(99);
  assertEquals(waiter.settled, false);
  await f.clock.advance(1);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertEquals(later.settled, false);
  await f.clock.advance(6_000);
  assertInstanceOf(later.error, AcquireTimeoutError);
  held.release();
  await assertClosesClean(f);
});

test("every limit on user code passes under fake timers that leave the clock alone", async () => {
  const f = timedValidated({
    createTimeout: 200,
    destroyTimeout: 300,
    validateTimeout: 400,
  });
  f.clock.stop();
  f.factory.manual.add("create").add("destroy").add("validate");
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(200);
  assertEquals((waiter.error as Error).name, "CallTimeoutError");
  f.factory.manual.delete("create");
  (await f.pool.acquire()).destroy();
  await f.clock.advance(1_000);
  assertCounts(f.pool, {});
  await fill(f.pool, 1);
  const taker = watch(f.pool.acquire());
  await f.clock.advance(1_000);
  assertCounts(f.pool, { used: 1 });
  await settled();
  leaseOf(taker).release();
  f.factory.manual.clear();
  await f.pool.close();
  assertCounts(f.pool, {});
});

test("running all fake timers ends, whatever the pool has set", async () => {
  const f = timed({
    max: 2,
    idleTimeout: 10_000,
    createTimeout: Infinity,
  });
  f.clock.stop();
  f.clock.mostFired = 100;
  const held = await f.pool.acquire();
  await fill(f.pool, 1);
  await f.clock.runAll();
  assertCounts(f.pool, { used: 1 });
  f.factory.manual.add("create");
  const waiters = [
    watch(f.pool.acquire({ timeout: 500 })),
    watch(f.pool.acquire()),
    watch(f.pool.acquire({ timeout: Infinity })),
  ];
  await f.clock.runAll();
  assertEquals(waiters.map(({ settled }) => settled), [true, true, false]);
  held.release();
  await settled();
  leaseOf(waiters[2]!).release();
  await f.clock.runAll();
  assertCounts(f.pool, { creating: 1 });
  f.factory.finishCreate();
  await f.clock.runAll();
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("running all fake timers ends while a close waits", async () => {
  const f = timed();
  f.clock.stop();
  f.clock.mostFired = 100;
  const held = await f.pool.acquire();
  const closed = watch(f.pool.close());
  await f.clock.runAll();
  assertEquals(closed.settled, false);
  held.release();
  await settled();
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

test("a timer that is early while the clock moves is never believed", async () => {
  const f = timed();
  const held = await f.pool.acquire();
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  await settled();
  let now = 1_000;
  f.clock.reading = () => now;
  f.clock.onFire = () => {
    assertEquals(waiter.settled, false, `at ${now}`);
    now += 10;
  };
  await f.clock.advance(1_000);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertEquals(now, 1_100);
  held.release();
  f.clock.reading = undefined;
  await assertClosesClean(f);
});

// A process that was blocked or frozen: timers fire well past their due time,
// before the answers that came meanwhile are read.

/** Wakes 400 ms late; an answer that lies ready comes one turn after. */
async function wake(f: TimerFixture, answer: () => void): Promise<void> {
  f.clock.jump(500);
  f.clock.setTimeout(answer, 0);
  await f.clock.advance(0);
}

test("a create that has come while the process was frozen is no failure", async () => {
  const f = timed({ createTimeout: 100 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  await wake(f, () => f.factory.finishCreate());
  leaseOf(waiter).release();
  assertEquals(f.factory.log, ["create 1"]);
  await assertClosesClean(f);
});

test("a validate that was answered while the process was frozen counts", async () => {
  const f = timedValidated({ validateTimeout: 100 });
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire());
  await settled();
  await wake(f, () => f.factory.validations.shift()!.resolve(true));
  assertEquals(leaseOf(taker).value, { id: 1 });
  leaseOf(taker).release();
  await assertClosesClean(f);
});

test("a waiter whose resource came back while the process was frozen is served", async () => {
  const f = timed();
  const held = await f.pool.acquire();
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  await settled();
  await wake(f, () => held.release());
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("a destroy that has settled while the process was frozen did not time out", async () => {
  const events: object[] = [];
  const f = timed({
    destroyTimeout: 100,
    observer: { destroyed: (event) => void events.push(event) },
  });
  f.factory.manual.add("destroy");
  (await f.pool.acquire()).destroy();
  await settled();
  await wake(f, () => f.factory.destroys.shift()!.resolve());
  assertEquals(events.map((event) => "error" in event), [false]);
  assertCounts(f.pool, {});
  f.factory.manual.clear();
  await assertClosesClean(f);
});

test("limits that nothing answers pass in the turn after the process woke", async () => {
  const f = timedValidated({ max: 2, createTimeout: 100 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire({ timeout: 50 }));
  const other = watch(f.pool.acquire());
  await settled();
  f.clock.jump(500);
  const { fired } = f.clock;
  await f.clock.advance(0);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertEquals((other.error as Error).name, "CallTimeoutError");
  assertLessOrEqual(f.clock.fired - fired, 4);
  for (const call of f.factory.creates) call.resolve(call.resource);
  await settled();
  await assertClosesClean(f);
});

test("a process in which every turn is late still sees its limits pass", async () => {
  const f = timed();
  const held = await f.pool.acquire();
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  await settled();
  f.clock.onFire = () => f.clock.jump(50);
  f.clock.mostFired = f.clock.fired + 3;
  await f.clock.advance(200);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  f.clock.onFire = () => {};
  f.clock.mostFired = Infinity;
  held.release();
  await assertClosesClean(f);
});

// Many at once: a batch a turn, so that everything else has its turn, too.

const BATCH = 1_024;

/** Counts, for each timer that fires from now on, what grew until the next. */
function perTurn(f: TimerFixture, count: () => number): () => number[] {
  const turns: number[] = [];
  let before = count();
  const note = () => {
    turns.push(count() - before);
    before = count();
  };
  f.clock.onFire = note;
  return () => {
    note();
    return turns;
  };
}

/** Asserts that this many were dealt with, a batch a turn. */
function assertBatches(turns: number[], total: number): void {
  assertEquals(turns.reduce((sum, n) => sum + n, 0), total);
  assertLessOrEqual(Math.max(...turns), BATCH);
  assertLessOrEqual(turns.length, 2 * Math.ceil(total / BATCH) + 4);
}

test("waiters that time out at once leave in batches, a turn each", async () => {
  const f = timed();
  const held = await f.pool.acquire();
  let failed = 0;
  for (let i = 0; i < 5_000; i++) {
    f.pool.acquire({ timeout: 100 }).catch(() => failed++);
  }
  const patient = watch(f.pool.acquire({ timeout: 200 }));
  await settled();
  const turns = perTurn(f, () => failed);
  await f.clock.advance(100);
  assertBatches(turns(), 5_000);
  held.release();
  await settled();
  leaseOf(patient).release();
  await assertClosesClean(f);
});

test("calls that pass their limit at once fail in batches, a turn each", async () => {
  const max = 3_000;
  const f = timed({ max, createTimeout: 100 });
  f.factory.manual.add("create");
  let failed = 0;
  for (let i = 0; i < max; i++) f.pool.acquire().catch(() => failed++);
  await settled();
  const turns = perTurn(f, () => failed);
  await f.clock.advance(100);
  assertBatches(turns(), max);
  assertCounts(f.pool, {});
});

test("idle resources that expire at once are evicted in batches, a turn each", async () => {
  for (const stripes of [1, 3_000]) {
    const max = 3_000;
    const f = timed({ max, stripes, idleTimeout: 1_000 });
    await fill(f.pool, max);
    const turns = perTurn(f, () => max - f.factory.live.size);
    await f.clock.advance(1_100);
    assertBatches(turns(), max);
    assertCounts(f.pool, {});
    await assertClosesClean(f);
  }
});

test("resources found invalid at once are dealt with in batches, a turn each", async () => {
  const max = 3_000;
  const f = timedValidated({ max, stripes: 2 });
  await fill(f.pool, max);
  f.factory.manual.add("validate");
  const takers = Array.from({ length: max }, () => watch(f.pool.acquire()));
  await settled();
  let destroyed = 0;
  const turns = perTurn(f, () => destroyed);
  const before = f.factory.log.length;
  f.factory.manual.clear();
  for (const call of f.factory.validations) call.resolve(false);
  await settled();
  const count = () =>
    f.factory.log.slice(before).filter((act) => act.startsWith("destroy"))
      .length;
  destroyed = count();
  assertEquals(destroyed, BATCH);
  const { onFire } = f.clock;
  f.clock.onFire = () => {
    destroyed = count();
    onFire();
  };
  await f.clock.advance(0);
  destroyed = count();
  assertBatches(turns(), max);
  assertEquals(
    takers.map((taker) => leaseOf(taker).value.id),
    Array.from({ length: max }, (_, i) => max + 1 + i),
  );
  for (const taker of takers) leaseOf(taker).release();
  await assertClosesClean(f);
});

test("nobody overtakes those whose invalid resources are still to be dealt with", async () => {
  const max = BATCH + 100;
  const f = timedValidated({ max: max + 1 });
  await fill(f.pool, max);
  f.factory.manual.add("validate");
  const order: number[] = [];
  const take = (i: number) => f.pool.use(() => void order.push(i));
  const uses = Array.from({ length: max }, (_, i) => take(i));
  await settled();
  f.factory.manual.clear();
  for (const call of f.factory.validations) call.resolve(false);
  await settled();
  assertEquals(
    f.factory.log.filter((act) => act.startsWith("destroy")).length,
    BATCH,
  );
  uses.push(take(max), take(max + 1));
  await f.clock.advance(0);
  await Promise.all(uses);
  assertEquals(order, Array.from({ length: max + 2 }, (_, i) => i));
  await assertClosesClean(f);
});

test("a close rejects those whose invalid resources are still to be dealt with", async () => {
  const max = BATCH + 100;
  for (const isAborted of [false, true]) {
    const f = timedValidated({ max });
    await fill(f.pool, max);
    f.factory.manual.add("validate");
    const takers = Array.from({ length: max }, () => watch(f.pool.acquire()));
    await settled();
    for (const call of f.factory.validations) call.resolve(false);
    await settled();
    const signal = isAborted ? AbortSignal.abort() : undefined;
    const closed = watch(f.pool.close({ signal }));
    await f.clock.advance(0);
    for (const taker of takers) taker.value?.release();
    await settled();
    assertEquals(takers.every(({ settled }) => settled), true);
    assertEquals(closed.settled, true);
    await assertClosesClean(f);
  }
});

test("a taker that leaves while its invalid resource is still to be dealt with is gone", async () => {
  const max = BATCH + 2;
  const f = timedValidated({ max });
  await fill(f.pool, max);
  f.factory.manual.add("validate");
  const controller = new AbortController();
  const { signal } = controller;
  const takers = Array.from(
    { length: max },
    (_, i) => watch(f.pool.acquire(i >= BATCH ? { signal } : {})),
  );
  await settled();
  f.factory.manual.clear();
  for (const call of f.factory.validations) call.resolve(false);
  await settled();
  controller.abort("gone");
  await f.clock.advance(0);
  const errors = takers.slice(BATCH).map(({ error }) => error);
  assertEquals(errors, ["gone", "gone"]);
  assertEquals(f.factory.live.size, BATCH);
  for (const taker of takers.slice(0, BATCH)) leaseOf(taker).release();
  await assertClosesClean(f);
});
