import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { Pool } from "../mod.ts";
import { SystemClock } from "../src/system_clock.ts";
import { test } from "./test.ts";

/** Milliseconds that a reused reading lags at most, at a steady pace of acts. */
const LAG = 0.5;

/** Clocks of different timers may differ by this many milliseconds. */
const TOLERANCE = 10;

/** A busy machine may stop a test for so long between two lines. */
const PREEMPTION = 2_000;

function burst(clock: SystemClock): number {
  let reading = 0;
  for (let i = 0; i < 1_000; i++) reading = clock.now();
  return reading;
}

/** Runs `fn` with a `performance.now` that reads what `time.now` says. */
async function moved(
  fn: (time: { now: number; reads: number }) => void | Promise<void>,
): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(performance, "now");
  const time = { now: 1_000, reads: 0 };
  const value = () => (time.reads++, time.now);
  Object.defineProperty(performance, "now", { value, configurable: true });
  try {
    await fn(time);
  } finally {
    if (own === undefined) Reflect.deleteProperty(performance, "now");
    else Object.defineProperty(performance, "now", own);
  }
}

/** Paces in ms from 10 ns to 10 ms, twenty to the decade. */
const PACES = Array.from({ length: 121 }, (_, i) => 1e-5 * 10 ** (i / 20));

test("the default clock never goes back and keeps to real time in a burst", () => {
  const clock = new SystemClock();
  let last = clock.now();
  for (let i = 0; i < 10_000; i++) {
    const now = clock.now();
    assert(now >= last);
    last = now;
  }
  assert(performance.now() - last < PREEMPTION);
  clock.stop();
});

test("at any steady pace of acts the default clock lags by less than half a millisecond", async () => {
  await moved((time) => {
    const clock = new SystemClock();
    for (const pace of PACES) {
      let lag = 0;
      for (let i = 0; i < 2_000; i++) {
        time.now += pace;
        lag = Math.max(lag, time.now - clock.now());
      }
      assert(lag < LAG, `${lag} ms at an act every ${pace} ms`);
      clock.stop();
    }
  });
});

test("a fast burst reads the time for one act of many, a slow one for each", async () => {
  await moved((time) => {
    for (const [pace, most] of [[1e-4, 300], [0.01, 10_000]] as const) {
      const clock = new SystemClock();
      time.reads = 0;
      for (let i = 0; i < 10_000; i++) {
        time.now += pace;
        clock.now();
      }
      assert(time.reads <= most, `${time.reads} at ${pace} ms`);
      assertEquals(time.reads === 10_000, pace === 0.01);
      clock.stop();
    }
  });
});

test("acts that lie apart see each its own time after a fast burst", async () => {
  await moved((time) => {
    const clock = new SystemClock();
    burst(clock);
    let stale = 0;
    for (let i = 0; i < 1_000; i++) {
      time.now += 1;
      if (clock.now() !== time.now) stale++;
    }
    assert(stale < 128, `${stale} stale readings`);
    clock.stop();
  });
});

test("after a burst the first act of the next turn sees its own time", async () => {
  await moved(async (time) => {
    const clock = new SystemClock();
    for (let round = 0; round < 3; round++) {
      burst(clock);
      time.now += 350;
      assert(clock.now() < time.now, "this turn reuses");
      await delay(1);
      assertEquals(clock.now(), time.now);
    }
    clock.stop();
  });
});

test("the default clock tells real time again once a burst is over", async () => {
  const clock = new SystemClock();
  const end = burst(clock) + 50;
  await delay(50);
  assert(clock.now() > end - TOLERANCE);
  clock.stop();
});

test("a timeout after a burst of acquires is not shortened by it", async () => {
  await using pool = new Pool({ create: () => ({}), max: 1 });
  (await pool.acquire()).release();
  for (let i = 0; i < 1_000; i++) pool.tryAcquire()!.release();
  using _held = await pool.acquire();
  await delay(100);
  const begin = performance.now();
  const timeout = 30;
  const error = await pool.acquire({ timeout }).catch((error) => error);
  assertEquals(error.name, "TimeoutError");
  assert(performance.now() - begin > timeout - TOLERANCE);
});

test("a stopped default clock has no timer left and goes on", () => {
  // The sanitizer of Deno sees a timer that is left.
  const clock = new SystemClock();
  burst(clock);
  clock.stop();
  assert(performance.now() - clock.now() < PREEMPTION);
});
