import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Pool } from "../mod.ts";
import { KeyedPool } from "../src/keyed/mod.ts";
import { findLeaks, VirtualClock } from "../src/testing/mod.ts";
import { watch } from "./fixture.ts";
import { test } from "./test.ts";

test("next moves the clock to the first timer and calls all that are due then", async () => {
  const clock = new VirtualClock(1_000);
  const called: string[] = [];
  clock.setTimeout(() => called.push("late"), 20);
  clock.setTimeout(() => called.push("first"), 10);
  clock.setTimeout(() => called.push("second"), 10);
  assertEquals(await clock.next(), true);
  assertEquals(called, ["first", "second"]);
  assertEquals(clock.now(), 1_010);
  assertEquals(await clock.next(), true);
  assertEquals(clock.now(), 1_020);
});

test("next says that no timer is pending, and leaves the clock where it is", async () => {
  const clock = new VirtualClock(7);
  assertEquals(await clock.next(), false);
  assertEquals(clock.now(), 7);
});

test("next calls what is overdue without moving the clock", async () => {
  const clock = new VirtualClock();
  let called = 0;
  clock.setTimeout(() => called++, 10);
  clock.jump(50);
  assertEquals(called, 0);
  assertEquals(await clock.next(), true);
  assertEquals([called, clock.now()], [1, 50]);
});

test("next sees a timer that is set when promises have settled", async () => {
  const clock = new VirtualClock();
  Promise.resolve().then(() => clock.setTimeout(() => {}, 5));
  assertEquals(await clock.next(), true);
  assertEquals(clock.now(), 5);
});

test("a clock is moved by a time only, and set back by a jump only", async () => {
  const clock = new VirtualClock(7);
  for (const ms of [-1, NaN, Infinity]) {
    await assertRejects(() => clock.advance(ms), RangeError, "'ms' must be");
  }
  const text = "5" as never;
  await assertRejects(() => clock.advance(text), TypeError, "a number");
  assertThrows(() => clock.jump(text), TypeError, "a number");
  assertThrows(() => clock.jump(NaN), RangeError, "a finite number");
  assertEquals(clock.now(), 7);
  clock.jump(-2);
  assertEquals(clock.now(), 5);
});

test("timers that set each other at one instant without end are named", async () => {
  const clock = new VirtualClock();
  const again = () => void clock.setTimeout(again, 0);
  again();
  await assertRejects(
    () => clock.advance(1),
    Error,
    "Timers at 0 ms set each other without end",
  );
});

test("a clock counts its timers, those that keep a process alive, and all there were", () => {
  const clock = new VirtualClock();
  const timer = clock.setTimeout(() => {}, 1) as {
    ref(): unknown;
    unref(): unknown;
  };
  clock.setTimeout(() => {}, 1);
  timer.unref();
  assertEquals([clock.timers, clock.referenced, clock.armed], [2, 1, 2]);
  timer.ref();
  assertEquals(clock.referenced, 2);
  clock.clearTimeout(timer);
  assertEquals([clock.timers, clock.referenced, clock.armed], [1, 1, 2]);
});

test("a test without leaks ends with none, and its pools are closed", async () => {
  const clock = new VirtualClock();
  const pool = new Pool({ create: () => ({}), max: 2, clock });
  const keyed = new KeyedPool({ create: (key: string) => key, max: 1, clock });
  await pool.use(() => {});
  await keyed.use("a", () => {});
  assertEquals(await findLeaks(clock, pool, keyed), []);
  await assertRejects(() => pool.acquire(), Error, "closed");
  await assertRejects(() => keyed.acquire("a"), Error, "closed");
});

test("leases that are out, and acquires that wait, are found for each pool", async () => {
  const clock = new VirtualClock();
  const pool = new Pool({ create: () => ({}), max: 2, name: "db", clock });
  const keyed = new KeyedPool({ create: (key: string) => key, max: 1, clock });
  const lease = await pool.acquire();
  await pool.acquire();
  const waiting = watch(pool.acquire());
  await keyed.acquire("a");
  assertEquals(await findLeaks(clock, pool, keyed), [
    "Pool 'db': 2 leases are out",
    "Pool 'db': 1 acquire waits",
    "Pool 'pool': 1 lease is out",
  ]);
  assertEquals((waiting.error as Error).name, "PoolClosedError");
  await assertRejects(async () => await lease.value, Error, "closed");
});

test("what is validated or reset is found as that, and is no lease that is out", async () => {
  const never = () => new Promise<never>(() => {});
  const clock = new VirtualClock();
  const calls = { create: () => ({}), clock };
  const reset = new Pool({ ...calls, max: 2, reset: never, name: "reset" });
  const leases = [await reset.acquire(), await reset.acquire()];
  for (const lease of leases) lease.release();
  const checked = new KeyedPool({ ...calls, max: 1, validate: never });
  await checked.use("a", () => {});
  watch(checked.acquire("a"));
  assertEquals(await findLeaks(clock, reset, checked), [
    "Pool 'reset': 2 resets have not ended",
    "Pool 'pool': 1 acquire waits",
    "Pool 'pool': 1 validate has not ended",
  ]);
});

test("timers that outlive the pools are found, those of the pools are not", async () => {
  const clock = new VirtualClock();
  const pool = new Pool({ create: () => ({}), max: 1, clock });
  (await pool.acquire()).release();
  assertEquals(clock.timers, 1);
  clock.setTimeout(() => {}, 1_000);
  clock.setTimeout(() => {}, 1_000);
  assertEquals(await findLeaks(clock, pool), ["2 timers are pending"]);
});

test("a destroy that does not end is found, and nobody waits for it", async () => {
  const clock = new VirtualClock();
  const never = new Promise<void>(() => {});
  const pool = new Pool({
    create: () => ({}),
    destroy: () => never,
    max: 1,
    clock,
  });
  (await pool.acquire()).release();
  assertEquals(await findLeaks(clock, pool), [
    "Pool 'pool': 1 destroy has not ended",
  ]);
  assertEquals(clock.now(), 0);
});

test("finding leaks rejects with what a destroy failed with, in time only", async () => {
  const clock = new VirtualClock();
  const failure = Promise.withResolvers<void>();
  const pool = new Pool({
    create: () => ({}),
    destroy: () => failure.promise,
    max: 1,
    clock,
  });
  (await pool.acquire()).release();
  assertEquals((await findLeaks(clock, pool)).length, 1);
  failure.reject(new Error("It will not go"));
  await assertRejects(() => findLeaks(clock, pool), Error, "It will not go");
});
