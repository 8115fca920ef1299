import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Growth, type Queue } from "../src/policy/growth.ts";
import { draws, jitter } from "../src/policy/jitter.ts";
import { Outage } from "../src/policy/outage.ts";
import { Pace } from "../src/policy/pace.ts";
import { drawing } from "./drawing.ts";
import { test } from "./test.ts";

test("jitter draws 75 to 100 percent of a duration", () => {
  for (const [draw, share] of [[0, 0.75], [0.4, 0.85], [1, 1]] as const) {
    using _ = drawing(draw);
    assertAlmostEquals(jitter(1_000), share * 1_000);
    assertEquals(jitter(Infinity), Infinity);
  }
  assertEquals(draws.random, Math.random);
});

test("a first create has a second, and twice as long after each that is overdue", () => {
  const pace = new Pace();
  assertEquals([pace.usual, pace.patience], [undefined, 1_000]);
  pace.wasOverdue();
  assertEquals(pace.patience, 2_000);
  pace.wasOverdue();
  assertEquals([pace.usual, pace.patience], [undefined, 4_000]);
});

test("a create is overdue after the mean and four mean deviations", () => {
  const pace = new Pace();
  pace.succeeded(200);
  assertEquals([pace.usual, pace.patience], [200, 200 + 4 * 100]);
  pace.succeeded(1_000);
  // An eighth of the way to the sample, a quarter to its deviation of 800.
  assertEquals([pace.usual, pace.patience], [300, 300 + 4 * 275]);
  pace.succeeded(220);
  assertEquals([pace.usual, pace.patience], [290, 290 + 4 * 226.25]);
});

test("a create is never overdue before 250 ms", () => {
  const pace = new Pace();
  for (let i = 0; i < 100; i++) pace.succeeded(2);
  assertEquals([pace.usual, pace.patience], [2, 250]);
  pace.wasOverdue();
  assertEquals(pace.patience, 500);
});

test("a create that succeeds has the patience no longer stretched", () => {
  const pace = new Pace();
  pace.succeeded(10);
  pace.wasOverdue();
  pace.wasOverdue();
  assertEquals(pace.patience, 1_000);
  pace.succeeded(10);
  assertEquals(pace.patience, 250);
});

const BACKOFF = { delay: 100, maxDelay: 450 };

test("without a failure nothing limits the creates", () => {
  const outage = new Outage(BACKOFF);
  assertEquals([outage.allowance(0), outage.isNew], [Infinity, true]);
  assertEquals(outage.succeeded(outage.began()), false, "it ends none");
  assertEquals([outage.allowance(0), outage.isNew], [Infinity, false]);
  assertEquals(outage.since, undefined);
});

test("a failure allows nothing for the delay, and then one create", () => {
  using _ = drawing(1);
  const outage = new Outage(BACKOFF);
  assertEquals(outage.failed(outage.began(), 1_000, 0), true, "it begins one");
  assertEquals([outage.since, outage.nextAt], [1_000, 1_100]);
  assertEquals(
    [1_000, 1_099, 1_100, 9_999].map((now) => outage.allowance(now)),
    [
      0,
      0,
      1,
      1,
    ],
  );
});

test("the delay doubles with each probe that fails, to maxDelay, each jittered", () => {
  for (const [draw, share] of [[0, 0.75], [1, 1]] as const) {
    using _ = drawing(draw);
    const outage = new Outage(BACKOFF);
    const delays = [0, 0, 0, 0, 0].map(() => {
      outage.failed(outage.began(), 0, 0);
      return outage.nextAt;
    });
    assertEquals(delays, [100, 200, 400, 450, 450].map((ms) => ms * share));
    assertEquals(outage.since, 0, "one outage");
  }
});

test("creates that fail together count once", () => {
  using _ = drawing(1);
  const outage = new Outage(BACKOFF);
  const together = [1, 2, 3].map(() => outage.began());
  assertEquals(together.map((began, i) => outage.failed(began, i, 0)), [
    true,
    false,
    false,
  ]);
  assertEquals([outage.nextAt, outage.allowance(99)], [100, 0]);
  assertEquals(outage.allowance(100), 1);
});

test("a failure of one begun before the latest success begins nothing, but its place is not tried again at once", () => {
  const outage = new Outage(BACKOFF);
  const older = outage.began();
  outage.succeeded(outage.began());
  assertEquals(outage.failed(older, 0, 3), false);
  assertEquals([outage.since, outage.allowance(0)], [undefined, 3]);
  outage.failed(older, 0, 0);
  assertEquals([outage.since, outage.allowance(0)], [undefined, 1]);
  outage.succeeded(outage.began());
  assertEquals(outage.allowance(0), 2);
});

test("a success of one begun before the failure ends nothing", () => {
  using _ = drawing(1);
  const outage = new Outage(BACKOFF);
  const [first, second] = [outage.began(), outage.began()];
  outage.failed(first, 0, 0);
  assertEquals(outage.succeeded(second), false);
  assertEquals([outage.since, outage.isNew], [0, false]);
  assertEquals([outage.allowance(99), outage.allowance(100)], [0, 1]);
});

test("each success after an outage doubles the allowance, a failure sets it to one", () => {
  using _ = drawing(1);
  const outage = new Outage(BACKOFF);
  outage.failed(outage.began(), 0, 0);
  assertEquals(outage.succeeded(outage.began()), true, "it ends");
  assertEquals([outage.since, outage.allowance(0)], [undefined, 2]);
  assertEquals(outage.succeeded(outage.began()), false, "it has ended");
  assertEquals(outage.allowance(0), 4);
  outage.succeeded(outage.began());
  assertEquals(outage.allowance(0), 8);
  assertEquals(outage.failed(outage.began(), 500, 0), true);
  assertEquals([outage.allowance(599), outage.allowance(600)], [0, 1]);
});

test("the delay begins anew after a success", () => {
  using _ = drawing(1);
  const outage = new Outage(BACKOFF);
  for (let i = 0; i < 4; i++) outage.failed(outage.began(), 0, 0);
  outage.succeeded(outage.began());
  outage.failed(outage.began(), 0, 0);
  assertEquals(outage.nextAt, 100);
});

/** One that is fifth in a line of ten used for 20 ms; a create takes 100. */
const FIFTH: Queue = {
  place: 5,
  coming: 0,
  used: 10,
  createTime: 100,
  useTime: 20,
};

test("a newcomer adds a create while nothing is used or no time is known", () => {
  const growth = new Growth();
  const unknown = [{ used: 0 }, { createTime: undefined }, {
    useTime: Infinity,
  }];
  for (const queue of unknown) {
    assertEquals(growth.joined({ ...FIFTH, ...queue }), {
      creates: 1,
      wait: 0,
    });
  }
});

test("a newcomer adds a create if its wait is as long as one", () => {
  const growth = new Growth();
  const joined = (queue: Partial<Queue>) =>
    growth.joined({ ...FIFTH, ...queue });
  assertEquals(joined({ useTime: 200 }), { creates: 1, wait: 0 });
  assertEquals(joined({ useTime: 198 }), { creates: 0, wait: 99 });
});

test("what is coming serves those before, and shortens the wait", () => {
  const growth = new Growth();
  const joined = (queue: Partial<Queue>) =>
    growth.joined({ ...FIFTH, useTime: 200, ...queue });
  assertEquals(joined({ coming: 1 }), { creates: 0, wait: 80 });
  assertEquals(new Growth().joined({ ...FIFTH, coming: 7 }).wait, 0);
});

test("a newcomer that a create comes for waits for no use, even if none has ended", () => {
  const growth = new Growth();
  const joined = (queue: Partial<Queue>) =>
    growth.joined({ ...FIFTH, useTime: Infinity, ...queue });
  assertEquals(joined({ coming: 5 }), { creates: 0, wait: 0 });
  assertEquals(joined({ coming: 6 }), { creates: 0, wait: 0 });
  assertEquals(joined({ coming: 4 }), { creates: 1, wait: 0 });
  assertEquals(growth.joined(FIFTH), { creates: 0, wait: 10 });
});

test("waits too short for a create add up and buy one for each full length", () => {
  const growth = new Growth();
  const joined = Array.from(
    { length: 11 },
    () => growth.joined({ ...FIFTH, useTime: 60 }),
  );
  assertEquals(joined.every(({ wait }) => wait === 30), true);
  assertEquals(
    joined.flatMap(({ creates }, i) => creates > 0 ? [i + 1] : []),
    [4, 7, 10],
    "after 120, 210 and 300 ms of waits",
  );
});

test("one that leaves unserved takes its wait off the credit", () => {
  const growth = new Growth();
  for (let i = 0; i < 9; i++) growth.joined(FIFTH);
  growth.left(10);
  assertEquals(growth.joined(FIFTH).creates, 0);
  assertEquals(growth.joined(FIFTH).creates, 1);
  growth.left(1_000);
  const bought = Array.from({ length: 10 }, () => growth.joined(FIFTH).creates);
  assertEquals(bought, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "no debt is left");
});

test("the credit is zero after a reset", () => {
  const growth = new Growth();
  for (let i = 0; i < 9; i++) growth.joined(FIFTH);
  growth.reset();
  assertEquals(growth.joined(FIFTH).creates, 0);
});
