import { assertEquals, assertInstanceOf } from "@std/assert";
import { AcquireTimeoutError, type PoolOptions } from "../mod.ts";
import { drawing } from "./drawing.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertCounts,
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** A pool that measures, whose creates the test settles. */
function measured(options: Partial<PoolOptions<Resource>> = {}): Fixture {
  const it = fixture({
    max: 10,
    growth: "measured",
    createRetry: { delay: 100, maxDelay: 400 },
    createTimeout: Infinity,
    ...options,
  });
  it.factory.manual.add("create");
  return it;
}

/** As `measured`, after one create that took so long; nothing is left of it. */
async function usual(
  took: number,
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Fixture> {
  const it = measured(options);
  const first = watch(it.pool.acquire());
  await it.clock.advance(took);
  it.factory.finishCreate();
  await settled();
  leaseOf(first).destroy();
  await settled();
  return it;
}

/** When creates begin within so many ms from now. */
async function begins(
  { clock, factory }: Fixture,
  within: number,
): Promise<number[]> {
  const times: number[] = [];
  let seen = factory.creates.length;
  for (let ms = 0; ms <= within; ms++) {
    await clock.advance(ms === 0 ? 0 : 1);
    for (; seen < factory.creates.length; seen++) times.push(ms);
  }
  return times;
}

test("while none has succeeded a create is overdue after 1 s, the next after 2, 4 …", async () => {
  for (const createRetry of [{ delay: 100 }, false] as const) {
    const f = measured({ createRetry });
    watch(f.pool.acquire());
    assertEquals(await begins(f, 7_500), [0, 1_000, 3_000, 7_000]);
  }
});

test("a create is overdue after the usual time and four deviations", async () => {
  const f = await usual(400);
  watch(f.pool.acquire());
  assertEquals(await begins(f, 4_000), [0, 400 + 4 * 200, 1_200 + 2_400]);
});

test("a quick create is overdue after 250 ms", async () => {
  const f = await usual(10);
  watch(f.pool.acquire());
  assertEquals(await begins(f, 800), [0, 250, 750]);
});

test("a create that succeeds gives the next ones the usual patience", async () => {
  const f = await usual(0);
  const first = watch(f.pool.acquire());
  await f.clock.advance(250);
  assertEquals(f.factory.creates.length, 2);
  f.factory.creates.pop()!.resolve({ id: 3 });
  await settled();
  leaseOf(first);
  watch(f.pool.acquire());
  f.factory.creates.length = 0;
  assertEquals(await begins(f, 400), [0, 250]);
});

test("with growth eager no create is overdue", async () => {
  const f = measured({ growth: "eager" });
  watch(f.pool.acquire({ timeout: 500 }));
  await f.clock.advance(600);
  watch(f.pool.acquire());
  assertEquals(await begins(f, 5_000), []);
  assertCounts(f.pool, { creating: 1, pending: 1 });
});

test("one hung create costs only the one who waited for it", async () => {
  const { pool, clock, factory } = measured();
  for (let hung = 1; hung <= 3; hung++) {
    const outcome = watch(pool.acquire({ timeout: 300 }));
    await clock.advance(300);
    assertInstanceOf(outcome.error, AcquireTimeoutError);
    assertEquals(factory.creates.length, hung);
  }
  factory.manual.clear();
  const next = [1, 2, 3, 4, 5].map(() => watch(pool.acquire({ timeout: 300 })));
  await settled();
  assertEquals(next.map(leaseOf).length, 5);
  assertCounts(pool, { creating: 3, used: 5 });
});

test("one who comes while a create hangs does not wait for it longer than it is overdue", async () => {
  const { pool, clock, factory } = await usual(10);
  const first = watch(pool.acquire());
  await clock.advance(100);
  const second = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 2, "each has its own");
  factory.creates.pop()!.resolve({ id: 3 });
  await clock.advance(149);
  assertEquals([first.settled, second.settled], [true, false]);
  await clock.advance(1);
  factory.creates.pop()!.resolve({ id: 4 });
  await settled();
  assertEquals(leaseOf(second).value.id, 4);
});

test("a waiter that times out gives up on no create that began after it came", async () => {
  using _ = drawing(1);
  const { pool, clock, factory } = await usual(10);
  watch(pool.acquire({ timeout: 300 }));
  await settled();
  factory.failCreate("refused");
  await clock.advance(100);
  assertEquals(factory.creates.length, 1, "it has run for 200 ms by then");
  await clock.advance(200);
  watch(pool.acquire());
  await settled();
  assertCounts(pool, { creating: 1, pending: 1 });
});

test("a waiter that times out gives up on the create it came with, however late that began", async () => {
  const clock = new FaultyClock();
  const { pool, factory } = measured({ clock });
  clock.reading = () => {
    clock.shift(10);
    return 0;
  };
  const waiter = watch(pool.acquire({ timeout: 200 }));
  while (!waiter.settled) await clock.advance(1);
  watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 2);
});

test("a waiter that times out within the usual time gives up on no create", async () => {
  const { pool, clock } = await usual(400);
  watch(pool.acquire({ timeout: 400 }));
  await clock.advance(400);
  watch(pool.acquire({ timeout: 1 }));
  await settled();
  assertCounts(pool, { creating: 1, pending: 1 });
  await clock.advance(1);
  watch(pool.acquire());
  await settled();
  assertCounts(pool, { creating: 2, pending: 1 });
});

test("of several creates a waiter that times out gives up on the oldest", async () => {
  const { pool, clock, factory } = measured();
  const waiters = [500, 10_000].map((timeout) =>
    watch(pool.acquire({ timeout }))
  );
  await clock.advance(500);
  assertEquals(waiters.map(({ settled }) => settled), [true, false]);
  assertEquals(factory.creates.length, 2, "one is left for one who waits");
  const third = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 3);
  factory.creates.pop()!.resolve({ id: 3 });
  await settled();
  leaseOf(waiters[1]!);
  assertEquals(third.settled, false);
});

test("waiters that time out give up on one create per usual time", async () => {
  const { pool, clock } = await usual(400);
  for (const timeout of [500, 600, 1_000]) watch(pool.acquire({ timeout }));
  await clock.advance(600);
  assertCounts(pool, { creating: 3, pending: 1 });
  watch(pool.acquire());
  await settled();
  // Two are coming for the two who wait.
  assertCounts(pool, { creating: 3, pending: 2 });
  watch(pool.acquire());
  await settled();
  assertCounts(pool, { creating: 4, pending: 3 });
});

test("overdue creates count in max", async () => {
  const { pool, clock } = measured({ max: 2, acquireTimeout: 60_000 });
  watch(pool.acquire());
  watch(pool.acquire());
  await clock.advance(30_000);
  assertCounts(pool, { creating: 2, pending: 2 });
});

test("an overdue create that succeeds serves who waits", async () => {
  const { pool, clock, factory } = measured();
  const first = watch(pool.acquire());
  await clock.advance(1_500);
  assertEquals(factory.creates.length, 2);
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(first).value.id, 1);
  factory.finishCreate();
  await settled();
  assertCounts(pool, { idle: 1, used: 1 });
});

test("a create given up is not coming for those who come later, either", async () => {
  const { pool, clock, factory } = await usual(10);
  watch(pool.acquire());
  await clock.advance(250);
  const second = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 3, "one hangs, one for each");
  factory.creates.splice(1).forEach((it) => it.resolve(it.resource));
  await settled();
  leaseOf(second);
});

test("once an overdue create has ended, either way, what comes counts again", async () => {
  for (const end of ["finishCreate", "failCreate"] as const) {
    const { pool, clock, factory } = await usual(10, { createRetry: false });
    watch(pool.acquire());
    await clock.advance(250);
    factory.creates.pop()!.resolve({ id: 3 });
    factory[end]("refused");
    await settled();
    pool.clear();
    watch(pool.acquire());
    await settled();
    assertEquals(factory.creates.length, 1);
  }
});
