import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  AcquireTimeoutError,
  PoolClosedError,
  type PoolOptions,
} from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  type Outcome,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { FaultyClock } from "./faulty_clock.ts";
import { test } from "./test.ts";

type FaultyFixture = Fixture & { readonly clock: FaultyClock };

/** A pool on a clock that begins at 5 000 and can fail. */
function faulty(options: Partial<PoolOptions<Resource>> = {}): FaultyFixture {
  const clock = new FaultyClock(5_000);
  return { ...fixture({ clock, ...options }), clock };
}

/** As `faulty`, and `validate` asks the factory. */
function faultyValidated(): FaultyFixture {
  const clock = new FaultyClock(5_000);
  return { ...validated({ clock }), clock };
}

/** Readings that are no finite number. */
const NONSENSE: unknown[] = [
  ...[NaN, Infinity, -Infinity, undefined, null],
  ...["5000", 5_000n, {}, true],
];

const stopped = new Error("the clock has stopped");

function throwStopped(): never {
  throw stopped;
}

/** What `clock.now` can do wrong: return nonsense, or throw. */
const FAULTS: (() => unknown)[] = [
  ...NONSENSE.map((reading) => () => reading),
  throwStopped,
];

test("an acquire that would have to wait rejects while the clock reads nonsense", async () => {
  for (const reading of NONSENSE) {
    const f = faulty();
    f.clock.reading = () => reading;
    const first = watch(f.pool.acquire());
    await settled();
    assertInstanceOf(first.error, TypeError, String(reading));
    assertStringIncludes(first.error.message, "clock.now");
    assertCounts(f.pool, {});
    assertEquals(f.factory.log, []);
    f.clock.reading = undefined;
    const held = await f.pool.acquire();
    f.clock.reading = () => reading;
    const second = watch(f.pool.acquire());
    await settled();
    assertInstanceOf(second.error, TypeError, String(reading));
    assertCounts(f.pool, { used: 1 });
    f.clock.reading = undefined;
    held.release();
    await assertClosesClean(f);
  }
});

test("an acquire that would have to wait rejects with what the clock throws", async () => {
  const f = faulty();
  const held = await f.pool.acquire();
  f.clock.reading = throwStopped;
  const waiter = watch(f.pool.acquire());
  await settled();
  assertStrictEquals(waiter.error, stopped);
  assertCounts(f.pool, { used: 1 });
  f.clock.reading = undefined;
  const next = watch(f.pool.acquire());
  held.release();
  await settled();
  leaseOf(next).release();
  await assertClosesClean(f);
});

test("a closed pool refuses as such, whatever the clock does", async () => {
  const f = faulty();
  await f.pool.close();
  for (const fault of FAULTS) {
    f.clock.reading = fault;
    const refused = watch(f.pool.acquire());
    await settled();
    assertInstanceOf(refused.error, PoolClosedError);
  }
});

test("a tryAcquire that finds nothing gives undefined, whatever the clock does", async () => {
  for (const fault of FAULTS) {
    const f = faulty();
    f.clock.reading = fault;
    assertStrictEquals(f.pool.tryAcquire(), undefined);
    const none = watch(f.pool.acquire({ timeout: 0 }));
    await settled();
    assertInstanceOf(none.error, Error);
    assertCounts(f.pool, {});
    f.clock.reading = undefined;
    await assertClosesClean(f);
  }
});

test("what is idle is served as of the last good reading of the clock", async () => {
  for (const fault of FAULTS) {
    const f = faulty({ max: 2, idleTimeout: 1_000 });
    const [older, newest] = await fill(f.pool, 2);
    f.clock.reading = fault;
    const first = await f.pool.acquire();
    const second = f.pool.tryAcquire()!;
    assertStrictEquals(first.value, newest);
    assertStrictEquals(second.value, older);
    first.release();
    second.release();
    assertEquals(f.factory.log, ["create 1", "create 2"]);
    f.clock.reading = undefined;
    await assertClosesClean(f);
  }
});

test("a release never throws, whatever the clock reads or throws", async () => {
  for (const fault of FAULTS) {
    const f = faulty({ idleTimeout: 1_000 });
    const lease = await f.pool.acquire();
    f.clock.reading = fault;
    lease.release();
    assertCounts(f.pool, { idle: 1 });
    f.clock.reading = undefined;
    await f.clock.advance(1_000);
    assertCounts(f.pool, { idle: 1 });
    await f.clock.advance(1_000);
    assertCounts(f.pool, {});
    await assertClosesClean(f);
  }
});

test("a release serves who waits, whatever the clock reads or throws", async () => {
  for (const fault of FAULTS) {
    const f = faulty({ observer: {} });
    const held = await f.pool.acquire();
    const waiter = watch(f.pool.acquire());
    f.clock.reading = fault;
    held.release();
    await settled();
    assertEquals(leaseOf(waiter).value, { id: 1 });
    leaseOf(waiter).destroy();
    await settled();
    assertCounts(f.pool, {});
    f.clock.reading = undefined;
    await assertClosesClean(f);
  }
});

test("a create that succeeds serves who waits, whatever the clock does by then", async () => {
  for (const fault of FAULTS) {
    const f = faulty();
    f.factory.manual.add("create");
    const waiter = watch(f.pool.acquire());
    await settled();
    f.clock.reading = fault;
    f.factory.finishCreate();
    await settled();
    leaseOf(waiter).release();
    assertCounts(f.pool, { idle: 1 });
    f.clock.reading = undefined;
    await assertClosesClean(f);
  }
});

test("clear and close end everything, whatever the clock reads or throws", async () => {
  for (const fault of FAULTS) {
    const f = faulty({ max: 3, observer: {} });
    const used = await f.pool.acquire();
    await fill(f.pool, 1);
    f.clock.reading = fault;
    f.pool.clear();
    await settled();
    assertCounts(f.pool, { used: 1 });
    const closed = f.pool.close();
    used.release();
    await closed;
    await assertClosesClean(f);
  }
});

test("a timeout passes although the clock reads nonsense or throws by then", async () => {
  for (const fault of FAULTS) {
    const f = faulty({ createTimeout: Infinity });
    f.factory.manual.add("create");
    const waiter = watch(f.pool.acquire({ timeout: 100 }));
    await settled();
    f.clock.reading = fault;
    await f.clock.advance(99);
    assertEquals(waiter.settled, false);
    await f.clock.advance(1);
    assertInstanceOf(waiter.error, AcquireTimeoutError);
    f.clock.reading = undefined;
    f.factory.finishCreate();
    await settled();
    await assertClosesClean(f);
  }
});

test("the newest idle resource can be stamped before the oldest", async () => {
  const f = faulty({ max: 2, idleTimeout: 1_000 });
  const leases = [await f.pool.acquire(), await f.pool.acquire()];
  leases[0]!.release();
  f.clock.jump(-5_000);
  leases[1]!.release();
  f.clock.jump(1_500);
  const first = await f.pool.acquire();
  assertEquals(first.value, { id: 2 });
  const second = f.pool.tryAcquire()!;
  assertEquals(second.value, { id: 1 });
  first.release();
  second.release();
  await assertClosesClean(f);
});

test("time stands still in the pool until a clock that stepped back has caught up", async () => {
  const f = faulty({ max: 2, idleTimeout: 1_000 });
  const leases = [await f.pool.acquire(), await f.pool.acquire()];
  leases[0]!.release();
  f.clock.jump(-5_000);
  leases[1]!.release();
  f.clock.jump(6_000);
  assertEquals(f.pool.tryAcquire()?.value, { id: 2 }, "as old as allowed");
  f.clock.jump(1);
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  await settled();
  assertEquals(f.factory.log.at(-1), "destroy 1");
  assertCounts(f.pool, { used: 1 });
});

test("what the observer is told took no less than no time when the clock steps back", async () => {
  const times: number[] = [];
  const note = ({ duration, wait }: { duration?: number; wait?: number }) =>
    void times.push((duration ?? wait)!);
  const f = faulty({
    observer: { created: note, acquired: note, destroyed: note },
  });
  f.factory.manual.add("create").add("destroy");
  const waiter = watch(f.pool.acquire());
  await settled();
  f.clock.jump(-1_000);
  f.factory.finishCreate();
  await settled();
  leaseOf(waiter).destroy();
  await settled();
  f.clock.jump(-1_000);
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(times, [0, 0, 0]);
});

test("a timeout passes although the clock stepped back", async () => {
  const f = faulty({ createTimeout: Infinity });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  await f.clock.advance(50);
  f.clock.shift(-4_000);
  await f.clock.advance(500);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  f.factory.manual.clear();
  f.factory.finishCreate();
  await settled();
  await assertClosesClean(f);
});

test("a create that the clock cannot limit fails, and what still comes is destroyed as late", async () => {
  const reasons: string[] = [];
  const f = faulty({
    acquireTimeout: Infinity,
    observer: { destroyed: ({ reason }) => void reasons.push(reason) },
  });
  f.factory.manual.add("create");
  f.clock.refusal = new Error("no timers");
  const waiter = watch(f.pool.acquire());
  await settled();
  assertStrictEquals(waiter.error, f.clock.refusal);
  assertCounts(f.pool, {});
  f.factory.finishCreate();
  await settled();
  assertEquals(reasons, ["late"]);
  assertEquals(f.factory.live.size, 0);
  f.clock.refusal = undefined;
  f.factory.manual.clear();
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("a create that gives itself up sets no timer for its limit", async () => {
  const f = faulty({
    max: 2,
    createTimeout: 100,
    destroyTimeout: Infinity,
    create: (context) => {
      if (f.factory.log.length > 0) {
        closed = watch(f.pool.close({ signal: AbortSignal.abort() }));
      }
      return f.factory.create(context);
    },
  });
  let closed: Outcome<void> | undefined;
  f.factory.manual.add("destroy");
  const held = await f.pool.acquire();
  await f.clock.advance(1_000);
  const { fired } = f.clock;
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  assertInstanceOf(waiter.error, PoolClosedError);
  assertThrows(() => held.value, PoolClosedError);
  await f.clock.advance(1_000);
  assertEquals([f.clock.fired, closed!.settled], [fired, false]);
  f.factory.destroys.shift()!.resolve();
  f.factory.finishCreate();
  await settled();
  assertEquals(closed!.settled, true);
  f.factory.destroys.shift()!.resolve();
});

test("a release never throws although no timer can be set for what is idle", async () => {
  const f = faulty({ idleTimeout: 1_000, max: 2 });
  const leases = [await f.pool.acquire(), await f.pool.acquire()];
  await f.clock.runAll();
  f.clock.refusal = new Error("no timers");
  leases[0]!.release();
  await settled();
  assertCounts(f.pool, { idle: 1, used: 1 });
  f.clock.refusal = undefined;
  leases[1]!.release();
  await settled();
  assertCounts(f.pool, { idle: 2 });
  await f.clock.advance(2_100);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a destroy that the clock cannot limit loses no slot", async () => {
  const f = faulty();
  const lease = await f.pool.acquire();
  await f.clock.runAll();
  f.factory.manual.add("destroy");
  f.clock.refusal = new Error("no timers");
  lease.destroy();
  await settled();
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, {});
  f.clock.refusal = undefined;
  f.factory.manual.clear();
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("a validate that the clock cannot limit counts as a no", async () => {
  const f = faultyValidated();
  const lease = await f.pool.acquire();
  lease.release();
  f.factory.manual.add("validate");
  await settled();
  f.clock.refusal = new Error("no timers");
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  f.clock.refusal = undefined;
  await settled();
  f.factory.validations.shift()!.resolve(false);
  await settled();
  assertCounts(f.pool, {});
  assertEquals(f.factory.log.at(-1), "destroy 1");
  f.factory.manual.clear();
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("a waiter whose timer cannot be set is told or served, and nothing is lost", async () => {
  const f = faulty();
  const held = await f.pool.acquire();
  await f.clock.runAll();
  f.clock.refusal = new Error("no timers");
  const waiter = watch(f.pool.acquire({ timeout: 100 }));
  await settled();
  if (waiter.settled) assertStrictEquals(waiter.error, f.clock.refusal);
  f.clock.refusal = undefined;
  const next = watch(f.pool.acquire({ timeout: 200 }));
  await f.clock.advance(100);
  assertEquals([waiter.settled, next.settled], [true, false]);
  held.release();
  await settled();
  leaseOf(next).release();
  await assertClosesClean(f);
});

test("a timer that cannot be set again throws in nobody's face and loses no waiter", async () => {
  const f = faulty();
  const held = await f.pool.acquire();
  await f.clock.runAll();
  const soon = watch(f.pool.acquire({ timeout: 100 }));
  const later = watch(f.pool.acquire({ timeout: 200 }));
  await settled();
  f.clock.refusal = new Error("no timers");
  await f.clock.advance(100);
  assertInstanceOf(soon.error, AcquireTimeoutError);
  f.clock.refusal = undefined;
  const next = watch(f.pool.acquire({ timeout: 500 }));
  await f.clock.advance(200);
  assertEquals([later.settled, next.settled], [true, false]);
  held.release();
  await settled();
  leaseOf(next).release();
  await assertClosesClean(f);
});

test("a clock that cannot clear a timer loses nothing", async () => {
  const f = faulty({ max: 2 });
  const clear = f.clock.clearTimeout.bind(f.clock);
  f.clock.clearTimeout = () => {
    throw new Error("it stays");
  };
  f.factory.manual.add("create");
  const waiters = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  await settled();
  f.factory.finishCreate();
  f.factory.finishCreate();
  await settled();
  for (const waiter of waiters) leaseOf(waiter).release();
  assertCounts(f.pool, { idle: 2 });
  f.clock.clearTimeout = clear;
  await f.pool.close();
  assertCounts(f.pool, {});
  assertEquals(f.factory.live.size, 0);
});

test("a clock that closes the pool while it is read has nothing ended twice", async () => {
  const acts: ((f: FaultyFixture) => void)[] = [
    ({ pool }) => void pool.tryAcquire(),
    ({ pool }) => void watch(pool.acquire()),
    ({ pool }) => void watch(pool.acquire({ timeout: 0 })),
  ];
  for (const act of acts) {
    const f = faulty({ max: 2 });
    const held = await f.pool.acquire();
    await fill(f.pool, 1);
    const read = f.clock.now.bind(f.clock);
    f.clock.now = () => {
      f.clock.now = read;
      watch(f.pool.close({ signal: AbortSignal.abort() }));
      return read();
    };
    act(f);
    held.release();
    await settled();
    await assertClosesClean(f);
  }
});

test("a release during which the clock closes the pool destroys once", async () => {
  const f = faulty({ max: 2 });
  const held = await f.pool.acquire();
  const read = f.clock.now.bind(f.clock);
  f.clock.now = () => {
    f.clock.now = read;
    watch(f.pool.close({ signal: AbortSignal.abort() }));
    return read();
  };
  held.release();
  await settled();
  await assertClosesClean(f);
});

test("room that is made while the clock is read for a close has nothing created for ever", async () => {
  const createRetry = { delay: 100, maxDelay: 100 };
  const f = faulty({ max: 1, createRetry });
  f.factory.manual.add("create");
  const waiters = [5, 100].map((timeout) => watch(f.pool.acquire({ timeout })));
  await settled();
  const acts = [() => watch(f.pool.close()), () => f.pool.resize(3)];
  f.clock.onFire = () => {
    f.clock.onFire = () => {};
    // In a timer, as what it causes is then done at once.
    f.clock.reading = () => {
      acts.shift()?.();
      return 5;
    };
  };
  await f.clock.advance(5);
  await settled();
  assertEquals(acts.length, 0);
  assertEquals(waiters.map(({ settled }) => settled), [true, true]);
  for (const call of f.factory.creates.splice(0)) call.reject("aborted");
  await settled();
  assertCounts(f.pool, {});
});
