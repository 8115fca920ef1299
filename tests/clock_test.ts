import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { Pool } from "../mod.ts";
import { SystemClock } from "../src/clock.ts";
import { test } from "./test.ts";

/** DESIGN bounds the error of a coarse stamp by this many milliseconds. */
const BOUND = 10;

/** A busy machine may stop a test for so long between two lines. */
const PREEMPTION = 2_000;

function burst(clock: SystemClock): number {
  let reading = 0;
  for (let i = 0; i < 1_000; i++) reading = clock.now();
  return reading;
}

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

test("the default clock tells real time again once a burst is over", async () => {
  const clock = new SystemClock();
  const end = burst(clock) + 5 * BOUND;
  await delay(5 * BOUND);
  assert(clock.now() > end - BOUND);
  clock.stop();
});

test("a timeout after a burst of acquires is not shortened by it", async () => {
  await using pool = new Pool({ create: () => ({}), max: 1 });
  (await pool.acquire()).release();
  for (let i = 0; i < 1_000; i++) pool.tryAcquire()!.release();
  using _held = await pool.acquire();
  await delay(10 * BOUND);
  const begin = performance.now();
  const timeout = 3 * BOUND;
  const error = await pool.acquire({ timeout }).catch((error) => error);
  assertEquals(error.name, "TimeoutError");
  assert(performance.now() - begin > timeout - BOUND);
});

test("a stopped default clock has no timer left and goes on", () => {
  // The sanitizer of Deno sees a timer that is left.
  const clock = new SystemClock();
  burst(clock);
  clock.stop();
  assert(performance.now() - clock.now() < PREEMPTION);
});
