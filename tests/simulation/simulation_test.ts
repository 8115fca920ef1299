import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Pool } from "../../mod.ts";
import { test } from "../test.ts";
import { campaign } from "./campaign.ts";

/** Fixed, so that a failure is one of the code. */
const SEED = 20_260_101;
const STEPS = 50_000;

test("simulation: a fixed seed breaks no rule and meets every fault", async () => {
  const { tally } = await campaign(
    SEED,
    ({ steps, tally }) =>
      steps < STEPS || (tally.missing.length > 0 && steps < 3 * STEPS),
  );
  assertEquals(tally.missing, []);
});

test("simulation: the same seed does the same again", async () => {
  const [first, second] = [
    await campaign(SEED, ({ scenarios }) => scenarios < 5),
    await campaign(SEED, ({ scenarios }) => scenarios < 5),
  ];
  assertEquals(second.steps, first.steps);
  assertEquals(String(second.tally), String(first.tally));
});

test("simulation: a pool that keeps what it is to clear is found out", async () => {
  const { clear } = Pool.prototype;
  Pool.prototype.clear = () => {};
  try {
    const error = await assertRejects(
      () => campaign(SEED, ({ steps }) => steps < STEPS),
      Error,
    );
    const message = (error as Error).message;
    assertMatch(message, /^Seed \d+: retired resource \d+ is idle/);
    // An acquire, a release and a clear, or a callback instead of one.
    assert([...message.matchAll(/^\d+\. /gm)].length <= 4, message);
  } finally {
    Pool.prototype.clear = clear;
  }
});
