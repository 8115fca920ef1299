import { assertEquals } from "@std/assert";
import { fill, fixture, settled, validated, watch } from "./fixture.ts";
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
