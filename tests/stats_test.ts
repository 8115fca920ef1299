import { assertEquals, assertThrows } from "@std/assert";
import { LocalBudget } from "../src/budget/mod.ts";
import { watchLeaks } from "../src/leaks/mod.ts";
import { fill, fixture, settled, validated, watch } from "./fixture.ts";
import { drawing } from "./drawing.ts";
import { test } from "./test.ts";

test("stats of a new pool are all 0 but max", () => {
  const { pool } = fixture({ max: 3, stripes: 2 });
  const zero = {
    ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
    ...{ pending: 0, waiting: 0, validating: 0 },
  };
  assertEquals(pool.stats(), {
    ...zero,
    max: 3,
    stripes: [{ ...zero, max: 2 }, { ...zero, max: 1 }],
  });
});

test("stats count each slot once, on its stripe, and their sums", async () => {
  const { pool, factory } = fixture({ max: 8, stripes: 2 });
  const at0 = await Promise.all(
    [1, 2, 3].map(() => pool.acquire({ affinity: 0 })),
  );
  const at1 = await Promise.all(
    [1, 2].map(() => pool.acquire({ affinity: 1 })),
  );
  factory.manual.add("create").add("destroy");
  watch(pool.acquire({ affinity: 1 }));
  at0[0]!.destroy();
  at1[0]!.destroy();
  const line = { pending: 1, waiting: 0, validating: 0 };
  assertEquals(pool.stats(), {
    ...{ idle: 0, used: 3, creating: 1, destroying: 2, ...line, max: 8 },
    stripes: [
      { idle: 0, used: 2, creating: 0, destroying: 1, ...line, max: 4 },
      { idle: 0, used: 1, creating: 1, destroying: 1, ...line, max: 4 },
    ],
  });
  at0[1]!.release();
  await settled();
  at0[2]!.release();
  const { idle, used, stripes } = pool.stats();
  assertEquals([idle, used], [1, 2]);
  assertEquals(stripes.map((stripe) => stripe.idle), [1, 0]);
});

test("a resource under validation counts as used and its taker as pending", async () => {
  const { pool, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  watch(pool.acquire());
  const { idle, used, pending, waiting, validating } = pool.stats();
  assertEquals([idle, used, pending], [0, 1, 1]);
  assertEquals([waiting, validating], [0, 1]);
});

test("stats tell those who wait from those for whom a create is under way", async () => {
  const { pool, clock, factory } = fixture({ max: 2, growth: "measured" });
  factory.manual.add("create");
  for (let n = 0; n < 5; n++) watch(pool.acquire());
  const counts = () => {
    const { pending, waiting, validating } = pool.stats();
    return [pending, waiting, validating];
  };
  assertEquals(counts(), [5, 3, 0]);
  await clock.advance(1_000);
  assertEquals(counts(), [5, 4, 0], "one that is overdue is not counted on");
});

test("stats of an isolated pool sum up the pending of its lines", async () => {
  const { pool } = fixture({ max: 2, stripes: 2, isolated: true });
  for (const affinity of [0, 1]) await pool.acquire({ affinity });
  for (const affinity of [0, 1, 1]) watch(pool.acquire({ affinity }));
  const { pending, stripes } = pool.stats();
  assertEquals(pending, 3);
  assertEquals(stripes.map((stripe) => stripe.pending), [1, 2]);
});

test("stats are a snapshot: what the caller does to them touches no pool", async () => {
  const { pool } = fixture({ max: 2 });
  const before = pool.stats();
  before.idle = 99;
  before.stripes.length = 0;
  using _lease = await pool.acquire();
  assertEquals(before.used, 0);
  const { idle, used, stripes } = pool.stats();
  assertEquals([idle, used, stripes.length], [0, 1, 1]);
});

test("stats never show more than max, whatever is going on", async () => {
  const { pool } = fixture({ max: 4, stripes: 2 });
  let most = 0;
  const look = () => {
    for (const stripe of pool.stats().stripes) {
      const { idle, used, creating, destroying, max } = stripe;
      const counts = [idle, used, creating, destroying];
      assertEquals(counts.every((count) => count >= 0), true);
      const taken = counts.reduce((a, b) => a + b);
      assertEquals(taken <= max, true);
      most = Math.max(most, taken);
    }
  };
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      pool.use(async (_, lease) => {
        look();
        await undefined;
        if (i % 3 === 0) lease.destroy();
        look();
      })),
  );
  assertEquals(most, 2);
});

test("details tell how long the first hundred of a line have waited", async () => {
  const { pool, clock } = fixture({ max: 1 });
  const lease = await pool.acquire();
  for (let n = 0; n < 101; n++) {
    watch(pool.acquire({ priority: n === 50 ? 3 : 0 }));
    await clock.advance(10);
  }
  const [line] = pool.stats({ details: true }).lines;
  assertEquals(line!.waits.length, 100);
  assertEquals(line!.waits.slice(0, 2), [1_010, 1_000]);
  assertEquals(line!.waits.includes(510), true);
  assertEquals(line!.noneReleasedFor, 510);
  lease.release();
  await settled();
  assertEquals(
    pool.stats({ details: true }).lines[0]!.noneReleasedFor,
    undefined,
  );
});

test("details count those among the waiters who were put back", async () => {
  const { pool, clock, factory } = validated({ max: 1 });
  await fill(pool, 1);
  factory.manual.add("validate").add("create");
  watch(pool.acquire());
  await clock.advance(5);
  watch(pool.acquire());
  factory.validations.shift()!.resolve(false);
  await settled();
  assertEquals(pool.stats({ details: true }).lines[0]!.waits, [5, 0]);
});

test("details tell of the ten that are held longest, the longest first", async () => {
  const { pool, clock } = fixture({ max: 12 });
  for (let n = 0; n < 12; n++) {
    await pool.acquire();
    await clock.advance(1);
  }
  assertEquals(
    pool.stats({ details: true }).lines[0]!.holders,
    [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((age) => ({ age })),
  );
});

test("details name the holders where leaks are watched, and who was told of", async () => {
  const { pool, clock } = fixture({
    max: 2,
    leaks: watchLeaks({ after: 100 }),
  });
  async function careless() {
    return await pool.acquire();
  }
  const leases = [await careless()];
  await clock.advance(99);
  leases.push(await careless());
  await clock.advance(1);
  const { holders } = pool.stats({ details: true }).lines[0]!;
  assertEquals(holders.map(({ age, isTold }) => [age, isTold]), [
    [100, true],
    [1, false],
  ]);
  const [{ where, stack }] = holders as [typeof holders[number]];
  const isSeen = where?.includes("careless") && stack?.includes("careless");
  // Where the engine has no stacks they are absent.
  assertEquals(isSeen ?? true, true);
  for (const lease of leases) lease.release();
});

test("details tell of an outage, its cause and the next try, of the line it is in", async () => {
  using _draw = drawing(0);
  const { pool, clock, factory } = fixture({
    ...{ max: 2, stripes: 2, isolated: true, createRetry: { delay: 1_000 } },
  });
  await pool.use(() => {}, { affinity: 1 });
  pool.clear();
  await settled();
  factory.manual.add("create");
  watch(pool.acquire({ affinity: 1 }));
  await clock.advance(300);
  const { lines: [, begun] } = pool.stats({ details: true });
  assertEquals(begun!.oldestCreate, 300);
  const error = new Error("down");
  factory.failCreate(error);
  await settled();
  await clock.advance(10);
  const { lines: [healthy, failing] } = pool.stats({ details: true });
  assertEquals([healthy!.stripes, failing!.stripes], [[0], [1]]);
  assertEquals([healthy!.outage, healthy!.cause], [undefined, undefined]);
  assertEquals(failing!.outage?.since, 10);
  const { nextTry } = failing!.outage!;
  assertEquals(nextTry! > 0 && nextTry! <= 1_000, true);
  assertEquals(failing!.cause, error);
});

test("details count creates that take too long, on their stripe", async () => {
  const { pool, clock, factory } = fixture({
    ...{ max: 4, stripes: 2, growth: "measured", createTimeout: Infinity },
  });
  factory.manual.add("create");
  watch(pool.acquire({ affinity: 1 }));
  const overdue = () => {
    const { stripes, lines } = pool.stats({ details: true });
    return [...stripes, ...lines].map((counts) => counts.overdue);
  };
  await settled();
  assertEquals(overdue(), [0, 0, 0]);
  await clock.advance(1_000);
  assertEquals(overdue(), [0, 1, 1]);
});

test("details tell of a pause", async () => {
  const { pool } = fixture();
  {
    await using _pause = await pool.pause();
    assertEquals(pool.stats({ details: true }).lines[0]!.isPaused, true);
  }
  assertEquals(pool.stats({ details: true }).lines[0]!.isPaused, false);
});

test("details tell of a permit that is lacking", async () => {
  const budget = new LocalBudget(1);
  const [one, two] = [fixture({ budget }), fixture({ budget })];
  const lease = await one.pool.acquire();
  const second = watch(two.pool.acquire());
  const lacks = () =>
    [one, two].map(({ pool }) =>
      pool.stats({ details: true }).lines[0]!.lacksPermit
    );
  assertEquals(lacks(), [false, true]);
  lease.release();
  await settled();
  assertEquals([second.settled, ...lacks()], [true, false, false]);
});

test("stats refuse options that are not known or of the wrong kind", () => {
  const { pool } = fixture();
  assertThrows(
    () => pool.stats({ detail: true } as never),
    TypeError,
    "Cannot give stats as 'detail' is no option",
  );
  assertThrows(
    () => pool.stats({ details: 1 } as never),
    TypeError,
    "Cannot give stats as 'details' must be a boolean: received 1",
  );
  assertEquals("lines" in pool.stats({ details: false }), false);
});
