import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { CallTimeoutError, PoolClosedError, PoolError } from "../mod.ts";
import {
  assertClosesClean,
  fill,
  fixture,
  leaseOf,
  type Outcome,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

const NONE = {
  ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
  ...{ pending: 0, waiting: 0, validating: 0 },
};

/** The error of an outcome, which must be a pool's. */
function errorOf({ error }: Outcome<unknown>): PoolError {
  assertInstanceOf(error, PoolError);
  return error;
}

test("a timeout says its code, its pool, its line's counts and how long it waited", async () => {
  const { pool, clock } = fixture({ name: "db", max: 2 });
  const _held = [await pool.acquire(), await pool.acquire()];
  const waiter = watch(pool.acquire({ timeout: 250 }));
  watch(pool.acquire());
  await clock.advance(250);
  const { code, poolName, stats, waited } = errorOf(waiter);
  assertEquals([code, poolName, waited], ["ACQUIRE_TIMEOUT", "db", 250]);
  assertEquals(stats, { ...NONE, used: 2, pending: 2, waiting: 2, max: 2 });
});

test("one who finds nothing with timeout 0 has waited for 0 ms", async () => {
  const { pool, clock } = fixture();
  clock.jump(5_000);
  const refused = watch(pool.acquire({ timeout: 0 }));
  await settled();
  const { code, waited, stats, message } = errorOf(refused);
  assertEquals([code, waited], ["ACQUIRE_TIMEOUT", 0]);
  assertEquals(stats, { ...NONE, max: 1 });
  assertStringIncludes(message, "within 0 ms: no resource exists (0 idle");
});

test("a timeout says that what nobody holds is being validated, and nothing of holders", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const waiter = watch(f.pool.acquire({ timeout: 10 }));
  await f.clock.advance(10);
  assertStringIncludes(
    errorOf(waiter).message,
    "within 10 ms: the only one is being validated (0 idle, 1 used",
  );
  f.factory.validations.shift()!.resolve(true);
  await settled();
  await assertClosesClean(f);
});

test("what a close took back while it was asked about is not counted as validated", async () => {
  const f = fixture({
    validate: () => {
      f.pool.close({ signal: AbortSignal.abort() }).catch(() => {});
      return new Promise<boolean>(() => {});
    },
  });
  await fill(f.pool, 1);
  assertEquals(f.pool.tryAcquire(), undefined);
  const { used, lines: [line] } = f.pool.stats({ details: true });
  assertEquals([used, line!.checking], [0, 0]);
  await settled();
});

test("one who times out late has waited for longer than its timeout", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const waiter = watch(pool.acquire({ timeout: 100 }));
  clock.jump(5_000.4);
  await clock.advance(0);
  assertEquals(errorOf(waiter).waited, 5_000);
  assertStringIncludes(errorOf(waiter).message, "within 100 ms");
});

test("a refusal as full says its code and counts, and that nobody waited", async () => {
  const { pool, clock } = fixture({ name: "db", maxPending: 1 });
  using _held = await pool.acquire();
  clock.jump(7);
  watch(pool.acquire());
  const refused = watch(pool.acquire());
  await settled();
  const { code, poolName, stats, waited, message } = errorOf(refused);
  assertEquals([code, poolName, waited], ["FULL", "db", 0]);
  assertEquals(stats, { ...NONE, used: 1, pending: 1, waiting: 1, max: 1 });
  assertStringIncludes(
    message,
    "as 1 waits already: the only one is used, for 7 ms (0",
  );
});

test("a refusal as full counts those a create comes for among who waits", async () => {
  const { pool, factory } = fixture({ max: 2, maxPending: 0 });
  factory.manual.add("create");
  const [, , refused] = Array.from({ length: 3 }, () => watch(pool.acquire()));
  await settled();
  assertStringIncludes(
    errorOf(refused!).message,
    "as 2 wait already: all 2 are being created",
  );
});

test("a close says to each how long it waited, and the counts from before", async () => {
  const f = fixture({ name: "db" });
  const held = await f.pool.acquire();
  const first = watch(f.pool.acquire());
  f.clock.jump(300);
  const second = watch(f.pool.acquire({ timeout: Infinity }));
  f.clock.jump(200);
  const closed = f.pool.close();
  const late = watch(f.pool.acquire());
  await settled();
  const errors = [first, second, late].map(errorOf);
  assertEquals(errors.map(({ waited }) => waited), [500, 200, 0]);
  for (const { code, poolName } of errors) {
    assertEquals([code, poolName], ["CLOSED", "db"]);
  }
  const before = { ...NONE, used: 1, pending: 2, waiting: 2, max: 1 };
  assertEquals(errors.map(({ stats }) => stats), [
    before,
    before,
    { ...NONE, used: 1, max: 1 },
  ]);
  held.release();
  await closed;
  await assertClosesClean(f);
});

test("a pool that reads no clock for acquires says all the same how long one waited", async () => {
  const f = fixture({
    ...{ idleTimeout: Infinity, acquireTimeout: Infinity },
  });
  f.clock.jump(1_000);
  const held = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  f.clock.jump(70);
  const closed = f.pool.close();
  await settled();
  assertEquals(errorOf(waiter).waited, 70);
  held.release();
  await closed;
});

test("those a close rejects share one error if they waited equally long", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const first = [watch(pool.acquire()), watch(pool.acquire())];
  clock.jump(10);
  const later = [watch(pool.acquire()), watch(pool.acquire())];
  void pool.close();
  await settled();
  assertStrictEquals(first[0]!.error, first[1]!.error);
  assertStrictEquals(later[0]!.error, later[1]!.error);
  const errors = [errorOf(first[0]!), errorOf(later[0]!)];
  assertEquals(errors.map(({ waited }) => waited), [10, 0]);
  assertStrictEquals(errors[0]!.stats, errors[1]!.stats);
});

test("those who time out at once share their counts, and none can change them", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const waiters = [1, 2].map(() => watch(pool.acquire({ timeout: 10 })));
  await clock.advance(10);
  const [first, second] = waiters.map(errorOf);
  assertEquals(first!.stats.pending, 2);
  assertStrictEquals(first!.stats, second!.stats);
  assertEquals(first === second, false);
  assertEquals(Object.isFrozen(first!.stats), true);
});

test("a read of what a close took back says which pool it was", async () => {
  const f = fixture({ name: "db" });
  const lease = await f.pool.acquire();
  await f.pool.close({ signal: AbortSignal.abort() });
  const error = assertThrows(() => lease.value, PoolClosedError);
  assertEquals([error.code, error.poolName, error.waited], ["CLOSED", "db", 0]);
  assertEquals(
    error.message,
    "Cannot read 'value' of a lease of pool 'db' as it is closed",
  );
});

test("one whose resource a close takes back on its way has waited till then", async () => {
  const f = fixture({ observer: {} });
  const held = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  f.clock.jump(40);
  held.release();
  await f.pool.close({ signal: AbortSignal.abort() });
  const { code, waited } = errorOf(waiter);
  assertEquals([code, waited], ["CLOSED", 40]);
});

test("a create that passes its limit says its code, its line and how long it took", async () => {
  const { pool, clock, factory } = fixture({
    ...{ name: "db", max: 4, stripes: 2, isolated: true },
    createTimeout: 200,
  });
  factory.manual.add("create");
  const waiters = [1, 1].map((affinity) => watch(pool.acquire({ affinity })));
  await clock.advance(200);
  for (const { error } of waiters) {
    assertInstanceOf(error, CallTimeoutError);
    const { name, code, poolName, stats, waited, cause } = error;
    assertEquals([name, code], ["CallTimeoutError", "CREATE_TIMEOUT"]);
    assertEquals([poolName, waited, cause], ["db", 200, undefined]);
    assertEquals(stats, { ...NONE, creating: 2, pending: 2, max: 2 });
  }
});

test("a create that times out has no cause, or each would keep the one before", async () => {
  const { pool, clock, factory } = fixture({ createTimeout: 200 });
  factory.manual.add("create");
  const waiters = [watch(pool.acquire()), watch(pool.acquire())];
  await clock.advance(400);
  for (const waiter of waiters) {
    assertEquals(errorOf(waiter).code, "CREATE_TIMEOUT");
    assertEquals("cause" in errorOf(waiter), false);
  }
});

test("a destroy that passes its limit says its code", async () => {
  const codes: unknown[] = [];
  const { pool, clock, factory } = fixture({
    destroyTimeout: 100,
    observer: {
      destroyed: ({ error }) => void codes.push((error as PoolError).code),
    },
  });
  factory.manual.add("destroy");
  (await pool.acquire()).destroy();
  await clock.advance(100);
  assertEquals(codes, ["DESTROY_TIMEOUT"]);
});

test("the last failure of create is the cause of every refusal", async () => {
  const f = fixture({ max: 2, maxPending: 1, createTimeout: Infinity });
  const held = await f.pool.acquire();
  f.factory.manual.add("create");
  const failed = watch(f.pool.acquire());
  await settled();
  const refused = new Error("refused");
  f.factory.failCreate(refused);
  await settled();
  assertStrictEquals(failed.error, refused);
  const waiter = watch(f.pool.acquire());
  const full = watch(f.pool.acquire());
  await settled();
  assertEquals([errorOf(full).code, errorOf(full).cause], ["FULL", refused]);
  const closed = f.pool.close({ signal: AbortSignal.abort() });
  await settled();
  const late = watch(f.pool.acquire());
  await settled();
  for (const outcome of [waiter, late]) {
    assertEquals(errorOf(outcome).code, "CLOSED");
    assertStrictEquals(
      errorOf(outcome).cause,
      refused,
      "not what a close gave up",
    );
  }
  held.release();
  await closed;
});

test("an error in JSON is its name, code, message, pool, counts and wait", async () => {
  const { pool } = fixture({ name: "db" });
  const error = await assertRejects(
    () => pool.acquire({ timeout: 0 }),
    PoolError,
  );
  assertEquals(JSON.parse(JSON.stringify({ error })), {
    error: {
      name: "TimeoutError",
      code: "ACQUIRE_TIMEOUT",
      message: error.message,
      poolName: "db",
      stats: { ...NONE, max: 1 },
      waited: 0,
    },
  });
});

test("a timeout says that none was released if none was while it waited", async () => {
  const { pool, clock } = fixture({ max: 2 });
  const _held = [await pool.acquire(), await pool.acquire()];
  clock.jump(8_000);
  const waiter = watch(pool.acquire({ timeout: 30_000 }));
  await clock.advance(30_000);
  assertEquals(
    errorOf(waiter).message,
    "Cannot acquire from pool 'pool' within 30000 ms: all 2 are used, " +
      "the oldest for 38 s; none was released for 30 s " +
      "(0 idle, 2 used, 0 creating, 0 destroying, 1 pending, 2 max)",
  );
});

test("a timeout does not say so if others were served, or one was destroyed", async () => {
  for (const spend of ["release", "destroy"] as const) {
    const { pool, clock } = fixture({ max: 2 });
    const held = [await pool.acquire(), await pool.acquire()];
    const ahead = watch(pool.acquire());
    const waiter = watch(pool.acquire({ timeout: 100 }));
    await clock.advance(50);
    held[0]![spend]();
    await settled();
    const later = watch(pool.acquire({ timeout: 80 }));
    await clock.advance(50);
    leaseOf(ahead);
    const { message } = errorOf(waiter);
    assertStringIncludes(
      message,
      "all 2 are used, the oldest for 100 ms (0 idle",
    );
    await clock.advance(50);
    assertStringIncludes(errorOf(later).message, "none was released for 80 ms");
  }
});

test("a timeout in an outage says so, with what it is and when it is tried again", async () => {
  const { pool, clock, factory } = fixture({
    createTimeout: Infinity,
    createRetry: { delay: 1_000, maxDelay: 1_000 },
  });
  (await pool.acquire()).destroy();
  await settled();
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ timeout: 600 }));
  await settled();
  await clock.advance(100);
  factory.failCreate(new Error("refused"));
  await clock.advance(500);
  const { message, cause } = errorOf(waiter);
  assertMatch(
    message,
    /600 ms: creates have failed for 500 ms: refused, next try in [2-5]\d\d ms \(/,
  );
  assertEquals((cause as Error).message, "refused");
  const later = watch(pool.acquire({ timeout: 900 }));
  await clock.advance(900);
  assertStringIncludes(
    errorOf(later).message,
    "creates have failed for 1.4 s: refused; " +
      "the only one is being created, for ",
  );
});

test("a timeout behind creates that hang says how many, since when", async () => {
  const { pool, clock, factory } = fixture({
    max: 3,
    createTimeout: Infinity,
  });
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ timeout: 800 }));
  await clock.advance(500);
  watch(pool.acquire());
  await clock.advance(300);
  assertStringIncludes(
    errorOf(waiter).message,
    "2 of 3 are being created, the oldest for 800 ms (0 idle",
  );
});

test("a timeout says which creates are overdue", async () => {
  const { pool, clock, factory } = fixture({
    ...{ max: 2, createTimeout: Infinity, growth: "measured" },
  });
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ timeout: 1_500 }));
  await clock.advance(1_500);
  assertStringIncludes(
    errorOf(waiter).message,
    "all 2 are being created, 1 overdue, the oldest for 1.5 s (0 idle",
  );
});
