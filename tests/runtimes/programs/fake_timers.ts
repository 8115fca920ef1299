// setTimeout is faked and performance.now is not, so that every timer fires
// early: limits pass all the same, and running all timers comes to an end.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { mock } from "node:test";
import { Pool } from "../../../mod.ts";
import { settled } from "../../fixture.ts";
import { conclude, runCase } from "./cases.ts";

/** Far more than it takes. */
const MAX_TIMERS = 1_000;

/** Longer than a case takes. */
const LONG = 600_000;

mock.timers.enable({ apis: ["setTimeout"] });
const fake = globalThis.setTimeout;
let timers = 0;
globalThis.setTimeout = ((callback: () => void, delay: number) => {
  if (++timers > MAX_TIMERS) throw new Error(`More than ${MAX_TIMERS} timers`);
  return fake(callback, delay);
}) as typeof fake;

/** Runs all timers, those too that are set meanwhile. */
async function runAll(): Promise<void> {
  timers = 0;
  for (let before = -1; before !== timers;) {
    await settled();
    before = timers;
    mock.timers.runAll();
    await settled();
  }
  assert(timers <= MAX_TIMERS, "Timers are set without end");
}

/** What an acquire fails with when all timers have run. */
async function failure(acquire: Promise<unknown>): Promise<Error> {
  let error: unknown;
  acquire.catch((reason) => error = reason);
  await runAll();
  assertInstanceOf(error, Error);
  return error;
}

await runCase("an acquire times out by fake timers", async () => {
  const pool = new Pool({ create: () => ({}), max: 1 });
  await pool.acquire();
  const error = await failure(pool.acquire({ timeout: LONG }));
  assertEquals(error.name, "TimeoutError");
});

await runCase("a create passes its limit by fake timers", async () => {
  const pool = new Pool({
    create: () => new Promise<object>(() => {}),
    max: 1,
    createTimeout: LONG,
    acquireTimeout: Infinity,
  });
  const error = await failure(pool.acquire());
  assertEquals(
    error.message,
    `'create' of pool 'pool' did not settle within ${LONG} ms`,
  );
});

await runCase("an idle resource expires by fake timers", async () => {
  const pool = new Pool({ create: () => ({}), max: 1, idleTimeout: LONG });
  (await pool.acquire()).release();
  await runAll();
  assertEquals(pool.stats().idle, 0);
});
conclude();
