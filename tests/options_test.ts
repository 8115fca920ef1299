import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Pool, PoolFullError } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Options as plain JavaScript can pass them. */
// deno-lint-ignore no-explicit-any
type Any = any;

/** The error of constructing a pool with this option, the others being good. */
function refusal(name: string, value: unknown): Error {
  const options = { create: () => 1, max: 10, [name]: value };
  return assertThrows(() => new Pool(options as Any), Error);
}

/** Asserts class, option, rule and value of the error for each bad value. */
function assertRefused(
  name: string,
  type: typeof TypeError | typeof RangeError,
  rule: string,
  cases: [value: unknown, shown: string][],
): void {
  for (const [value, shown] of cases) {
    const error = refusal(name, value);
    assertInstanceOf(error, type, `${name}: ${shown}`);
    const expected =
      `Cannot create pool as '${name}' must be ${rule}: received ${shown}`;
    assertEquals(error.message, expected);
  }
}

const NO_NUMBERS: [unknown, string][] = [
  ["10", '"10"'],
  [null, "null"],
  [true, "true"],
  [10n, "10"],
  [{}, "an object"],
  [[], "an object"],
  [() => 10, "a function"],
  [Symbol("s"), "Symbol(s)"],
];

test("max is required and must be a positive integer", () => {
  assertRefused("max", TypeError, "a number", [
    ...NO_NUMBERS,
    [undefined, "undefined"],
  ]);
  assertRefused("max", RangeError, "a positive integer", [
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [2 ** 53, "9007199254740992"],
  ]);
});

test("stripes must be a positive integer of at most max", () => {
  assertRefused("stripes", TypeError, "a number", NO_NUMBERS);
  assertRefused("stripes", RangeError, "a positive integer", [
    [0, "0"],
    [-2, "-2"],
    [0.5, "0.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
  ]);
  assertRefused("stripes", RangeError, "at most 'max' (10)", [[11, "11"]]);
  assertEquals(fixture({ max: 10, stripes: 10 }).pool.stats().max, 10);
});

test("min must be a non-negative integer of at most max", () => {
  assertRefused("min", TypeError, "a number", NO_NUMBERS);
  assertRefused("min", RangeError, "a non-negative integer", [
    [-1, "-1"],
    [0.5, "0.5"],
    [NaN, "NaN"],
  ]);
  assertRefused("min", RangeError, "at most 'max' (10)", [
    [11, "11"],
    [Infinity, "Infinity"],
  ]);
  for (const min of [0, 1, 10]) fixture({ max: 10, min });
});

test("maxUses and maxCreating must be positive integers or Infinity", () => {
  for (const name of ["maxUses", "maxCreating"]) {
    assertRefused(name, TypeError, "a number", NO_NUMBERS);
    assertRefused(name, RangeError, "a positive integer", [
      [0, "0"],
      [1.5, "1.5"],
      [NaN, "NaN"],
    ]);
    for (const value of [1, 1e9, Infinity]) fixture({ [name]: value });
  }
});

test("createRetry must be false, or delays above 0 that end", () => {
  assertRefused("createRetry", TypeError, "an object or false", [
    [true, "true"],
    [null, "null"],
    [100, "100"],
  ]);
  const assertNone = (retry: unknown, message: string) =>
    assertStringIncludes(refusal("createRetry", retry).message, message);
  for (const name of ["delay", "maxDelay"]) {
    for (const ms of [0, -1, NaN, Infinity]) {
      const rule = `'createRetry.${name}' must be a positive, finite number`;
      assertNone({ [name]: ms }, rule);
    }
    assertNone({ [name]: "1" }, `'createRetry.${name}' must be a number`);
  }
  assertNone(
    { delay: 10, maxDelay: 9 },
    "'createRetry.maxDelay' must be at least 'delay' (10): received 9",
  );
  assertNone({ dealy: 10 }, "'dealy' is no option: the nearest is 'delay'");
  for (const retry of [{}, { delay: 5_000 }, { delay: 9, maxDelay: 9 }]) {
    fixture({ createRetry: retry });
  }
});

test("growth must be one of its words", () => {
  assertRefused("growth", TypeError, '"measured" or "eager"', [
    ["lazy", '"lazy"'],
    [true, "true"],
    [null, "null"],
  ]);
});

test("maxPending must be a non-negative integer or Infinity", () => {
  assertRefused("maxPending", TypeError, "a number", NO_NUMBERS);
  assertRefused("maxPending", RangeError, "a non-negative integer", [
    [-1, "-1"],
    [0.5, "0.5"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
  ]);
  for (const maxPending of [0, 1, Infinity]) fixture({ maxPending });
});

test("idleTimeout and validateAfter must be durations, 0 included", () => {
  assertRefused("idleTimeout", TypeError, "a number", NO_NUMBERS);
  assertRefused("idleTimeout", RangeError, "a non-negative number of ms", [
    [-1, "-1"],
    [-0.1, "-0.1"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
  ]);
  for (const idleTimeout of [0, 0.5, 1e12, Infinity]) fixture({ idleTimeout });
  const rule = "a non-negative number of ms";
  assertRefused("validateAfter", RangeError, rule, [[-1, "-1"], [NaN, "NaN"]]);
});

test("acquireTimeout must be above 0, and the refusal says why", () => {
  assertRefused("acquireTimeout", TypeError, "a number", NO_NUMBERS);
  const rule = "a positive number of ms, as with 0 nobody could wait for a " +
    "create (a call can pass 'timeout: 0')";
  assertRefused("acquireTimeout", RangeError, rule, [
    [0, "0"],
    [-1, "-1"],
    [NaN, "NaN"],
  ]);
  for (const acquireTimeout of [0.5, 1e12, Infinity]) {
    fixture({ acquireTimeout });
  }
});

test("the limits on user code, and lives, must be durations above 0", () => {
  const limits = ["createTimeout", "destroyTimeout", "validateTimeout"];
  const names = [...limits, "resetTimeout", "maxLifetime", "keepalive"];
  for (const name of names) {
    assertRefused(name, TypeError, "a number", NO_NUMBERS);
    assertRefused(name, RangeError, "a positive number of ms", [
      [0, "0"],
      [-1, "-1"],
      [NaN, "NaN"],
    ]);
    for (const value of [0.5, 1e12, Infinity]) {
      validated({ reset: () => {}, [name]: value });
    }
  }
});

test("create is required and functions must be functions", () => {
  const wrong: [unknown, string][] = [
    [null, "null"],
    ["f", '"f"'],
    [1, "1"],
    [{}, "an object"],
  ];
  assertRefused("create", TypeError, "a function", [
    ...wrong,
    [undefined, "undefined"],
  ]);
  for (const name of ["destroy", "validate", "reset", "isFatal"]) {
    assertRefused(name, TypeError, "a function", wrong);
  }
});

test("name must be a string and isolated a boolean", () => {
  assertRefused("name", TypeError, "a string", [
    [1, "1"],
    [null, "null"],
    [Symbol("name"), "Symbol(name)"],
  ]);
  assertRefused("isolated", TypeError, "a boolean", [
    [1, "1"],
    ["yes", '"yes"'],
    [null, "null"],
  ]);
});

test("observer and clock must be objects, and a clock complete", () => {
  const wrong: [unknown, string][] = [[null, "null"], [1, "1"], ["o", '"o"']];
  for (const name of ["observer", "clock"]) {
    assertRefused(name, TypeError, "an object", wrong);
  }
  const clock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} };
  for (const name of ["now", "setTimeout", "clearTimeout"]) {
    const error = refusal("clock", { ...clock, [name]: undefined });
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, `'clock.${name}' must be a function`);
  }
});

test("no options, or none that are an object, are refused", () => {
  for (const wrong of [undefined, null, 1, "options"] as Any[]) {
    assertThrows(
      () => new Pool(wrong),
      TypeError,
      "Cannot create pool as 'options' must be an object: received ",
    );
  }
});

test("a bad option calls no user code and no code of the value", () => {
  let calls = 0;
  const count = () => void calls++;
  const value = { toString: count, valueOf: count, toJSON: count };
  const options = { create: count, destroy: count, max: value };
  assertThrows(() => new Pool(options as Any), TypeError, "an object");
  assertEquals(calls, 0);
});

test("an option that a pool does not know is refused, with the nearest it knows", () => {
  const cases: [string, string][] = [
    ["createTimout", "createTimeout"],
    ["idletimeout", "idleTimeout"],
    ["maxpending", "maxPending"],
    ["VALIDATE", "validate"],
    ["maximum", "max"],
    ["onDestroy", "destroy"],
    ["stripe", "stripes"],
  ];
  for (const [name, nearest] of cases) {
    for (const value of [1, undefined]) {
      const error = refusal(name, value);
      assertInstanceOf(error, TypeError);
      assertEquals(
        error.message,
        `Cannot create pool as '${name}' is no option: the nearest is '${nearest}'`,
      );
    }
  }
});

test("an option of another pool is refused with ours, or why there is none", () => {
  const ours: [string, string][] = [
    ["idleTimeoutMillis", "idleTimeout"],
    ["softIdleTimeoutMillis", "idleTimeout"],
    ["acquireTimeoutMillis", "acquireTimeout"],
    ["connectionTimeoutMillis", "acquireTimeout"],
    ["createTimeoutMillis", "createTimeout"],
    ["destroyTimeoutMillis", "destroyTimeout"],
    ["createRetryIntervalMillis", "createRetry"],
    ["propagateCreateError", "createRetry"],
    ["maxLifetimeSeconds", "maxLifetime"],
    ["maxWaitingClients", "maxPending"],
    ["testOnBorrow", "validate"],
    ["poolSize", "max"],
  ];
  for (const [name, use] of ours) {
    const { message } = refusal(name, 1);
    const why = message.split("is no option: ")[1];
    assertEquals(why, `use '${use}'`, name);
  }
  const none: [string, string][] = [
    ["reapIntervalMillis", "idle resources are evicted when due"],
    ["evictionRunIntervalMillis", "idle resources are evicted when due"],
    ["numTestsPerEvictionRun", "idle resources are evicted when due"],
    ["fifo", "use 'idleOrder'"],
    ["priorityRange", "an acquire can pass 'priority', 0 to 3"],
    ["allowExitOnIdle", "idle resources keep no process alive"],
  ];
  for (const [name, why] of none) {
    const { message } = refusal(name, 1);
    assertEquals(
      message,
      `Cannot create pool as '${name}' is no option: ${why}`,
    );
  }
});

test("every call refuses an option that it does not know, and does nothing", async () => {
  const { pool, factory } = fixture();
  const refused = async (
    act: (options: Any) => unknown,
    name: string,
    message: string,
  ) => {
    const call = async () => await act({ [name]: undefined });
    const error = await assertRejects(call, TypeError);
    assertEquals(error.message, message);
  };
  const nearest = (name: string, known: string) =>
    `as '${name}' is no option: the nearest is '${known}'`;
  for (
    const act of [
      (options: Any) => pool.acquire(options),
      (options: Any) => pool.use(() => {}, options),
    ]
  ) {
    const message = `Cannot acquire ${nearest("tiemout", "timeout")}`;
    await refused(act, "tiemout", message);
  }
  await refused(
    (options) => pool.acquire(options),
    "isFatal",
    `Cannot acquire ${nearest("isFatal", "signal")}`,
  );
  await refused(
    (options) => pool.tryAcquire(options),
    "timeout",
    `Cannot acquire ${nearest("timeout", "affinity")}`,
  );
  await refused(
    (options) => pool.warm(1, options),
    "timeout",
    `Cannot warm pool ${nearest("timeout", "signal")}`,
  );
  await refused(
    (options) => pool.close(options),
    "Signal",
    `Cannot close pool ${nearest("Signal", "signal")}`,
  );
  assertEquals(factory.log, []);
  await pool.use(() => {}, { isFatal: () => true });
});

test("names that are inherited, symbols or not enumerable are no options", async () => {
  const others = Object.create({ inherited: 1 }, {
    hidden: { value: 1, enumerable: false },
    [Symbol("s")]: { value: 1, enumerable: true },
    timeout: { value: 50, enumerable: true },
  });
  const { pool } = fixture();
  (await pool.acquire(others)).release();
  const { create } = fixture().factory;
  new Pool(Object.create({ create, inherited: 1 }, { max: { value: 1 } }));
});

test("the names of options are checked before a value is read", async () => {
  let reads = 0;
  const options = {
    get max() {
      reads++;
      return 1;
    },
    bad: 1,
  };
  assertThrows(() => new Pool(options as Any), TypeError, "'bad'");
  const { pool } = fixture();
  const call = {
    get timeout() {
      reads++;
      return 1;
    },
    bad: 1,
  };
  await assertRejects(() => pool.acquire(call as Any), TypeError, "'bad'");
  assertEquals(reads, 0);
});

test("what a proxy throws when its names are asked for is passed on", async () => {
  const boom = new Error("boom");
  const options = new Proxy({}, {
    ownKeys: () => {
      throw boom;
    },
  }) as Any;
  const { pool } = fixture();
  for (
    const call of [
      () => pool.acquire(options),
      () => pool.use(() => {}, options),
      () => pool.warm(1, options),
      () => pool.close(options),
    ]
  ) assertStrictEquals(await assertRejects(call), boom);
  assertStrictEquals(assertThrows(() => pool.tryAcquire(options)), boom);
  assertStrictEquals(assertThrows(() => new Pool(options)), boom);
});

test("options given as undefined get their defaults", async () => {
  const nothing = { destroy: undefined, stripes: undefined, name: undefined };
  await using pool = new Pool({
    ...nothing,
    create: () => 1,
    max: 2,
    idleTimeout: undefined,
    isolated: undefined,
    acquireTimeout: undefined,
    createTimeout: undefined,
    destroyTimeout: undefined,
    maxPending: undefined,
    validate: undefined,
    validateTimeout: undefined,
    isFatal: undefined,
    observer: undefined,
    clock: undefined,
  });
  assertEquals(pool.name, "pool");
  assertEquals(pool.stats().stripes.length, 1);
  using lease = await pool.acquire();
  assertEquals(lease.value, 1);
});

test("a pool has the name it was given", () => {
  assertEquals(fixture({ name: "db" }).pool.name, "db");
  assertEquals(fixture({ name: "" }).pool.name, "");
});

test("changing the options after construction changes nothing", async () => {
  const options = { create: () => "first", max: 1 };
  await using pool = new Pool(options);
  options.create = () => "second";
  options.max = 2;
  using lease = await pool.acquire();
  assertEquals(lease.value, "first");
  assertEquals(pool.stats().max, 1);
});

/**
 * The same options behind getters: each gives its value once, then NaN, and is
 * counted in `reads`.
 */
function once<O extends object>(
  options: O,
): { options: O; reads: Record<string, number> } {
  const reads: Record<string, number> = {};
  const getters: Any = {};
  for (const [name, value] of Object.entries(options)) {
    reads[name] = 0;
    const get = () => reads[name]!++ === 0 ? value : NaN;
    Object.defineProperty(getters, name, { get, enumerable: true });
  }
  return { options: getters, reads };
}

test("each option of a pool is read once", async () => {
  const { factory, clock } = validated();
  const { create, destroy, validate } = factory;
  const { options, reads } = once({
    create,
    destroy,
    idleTimeout: 1_000,
    max: 2,
    stripes: 2,
    name: "db",
    isolated: false,
    acquireTimeout: 1_000,
    createTimeout: 1_000,
    destroyTimeout: 1_000,
    maxPending: 1,
    validate,
    validateTimeout: 1_000,
    isFatal: () => false,
    observer: {},
    clock,
  });
  const pool = new Pool(options);
  await fill(pool, 2);
  await pool.use(() => {});
  await assertClosesClean({ pool, factory, clock });
  assertEquals([...new Set(Object.values(reads))], [1], JSON.stringify(reads));
});

test("each option of a call is read once", async () => {
  const { pool } = fixture();
  const { signal } = new AbortController();
  const all = { signal, timeout: 1_000, affinity: "user-7" };
  const acquire = once(all);
  (await pool.acquire(acquire.options)).release();
  assertEquals(acquire.reads, { signal: 1, timeout: 1, affinity: 1 });
  const use = once(all);
  await pool.use(() => {}, use.options);
  assertEquals(use.reads, { signal: 1, timeout: 1, affinity: 1 });
  const tryAcquire = once({ affinity: 7 });
  pool.tryAcquire(tryAcquire.options)!.release();
  assertEquals(tryAcquire.reads, { affinity: 1 });
  const close = once({ signal });
  await pool.close(close.options);
  assertEquals(close.reads, { signal: 1 });
});

test("an acquire that need not wait asks its signal once", async () => {
  const { pool } = fixture();
  await fill(pool, 1);
  let reads = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, "aborted", { get: () => reads++ > 0 });
  using lease = await pool.acquire({ signal });
  assertEquals([lease.value, reads], [{ id: 1 }, 1]);
});

test("what a getter throws is what the call fails with", async () => {
  const boom = new Error("boom");
  const fail = (): never => {
    throw boom;
  };
  const throwing = (name: string): Any =>
    Object.defineProperty({}, name, { get: fail });
  for (
    const options of [
      throwing("signal"),
      { signal: throwing("aborted") },
      { signal: throwing("addEventListener") },
    ]
  ) {
    const { pool } = fixture();
    assertStrictEquals(await assertRejects(() => pool.acquire(options)), boom);
    const use = pool.use(() => {}, options);
    assertStrictEquals(await assertRejects(() => use), boom);
    assertStrictEquals(await assertRejects(() => pool.close(options)), boom);
    using lease = await pool.acquire();
    assertEquals(lease.value, { id: 1 }, "the pool is still open");
  }
  const { pool } = fixture();
  const tryAcquire = () => pool.tryAcquire(throwing("affinity"));
  assertStrictEquals(assertThrows(tryAcquire), boom);
  assertStrictEquals(assertThrows(() => new Pool(throwing("create"))), boom);
});

/** Asserts that acquire and use reject, and that nothing was touched. */
async function assertAcquireRefused(
  options: Any,
  type: typeof TypeError | typeof RangeError,
  message: string,
): Promise<void> {
  const { pool, factory, clock } = fixture();
  await assertRejects(() => pool.acquire(options), type, message);
  await assertRejects(() => pool.use(() => {}, options), type, message);
  assertCounts(pool, {});
  assertEquals([factory.log.length, clock.timers], [0, 0]);
}

test("a bad timeout of an acquire rejects and names the rule", async () => {
  const kind = "Cannot acquire as 'timeout' must be a number: received";
  for (const timeout of ["1", null, {}, true]) {
    await assertAcquireRefused({ timeout }, TypeError, kind);
  }
  const rule =
    "Cannot acquire as 'timeout' must be a non-negative number of ms: received ";
  for (const timeout of [NaN, -1, -Infinity]) {
    await assertAcquireRefused({ timeout }, RangeError, rule + timeout);
  }
});

test("a bad affinity rejects an acquire and throws from tryAcquire", async () => {
  const kind = "'affinity' must be a string or a number: received ";
  const rule = "'affinity' must be a finite number: received ";
  const { pool } = fixture();
  for (const affinity of [null, {}, true, 1n, Symbol("a")] as Any[]) {
    await assertAcquireRefused({ affinity }, TypeError, kind);
    assertThrows(() => pool.tryAcquire({ affinity }), TypeError, kind);
  }
  for (const affinity of [NaN, Infinity, -Infinity]) {
    await assertAcquireRefused({ affinity }, RangeError, rule + affinity);
    assertThrows(() => pool.tryAcquire({ affinity }), RangeError, rule);
  }
});

test("a signal that is none rejects acquire and close", async () => {
  const rule = "'signal' must be an AbortSignal: received ";
  for (
    const signal of [null, {}, "signal", 1, new AbortController()] as Any[]
  ) {
    await assertAcquireRefused({ signal }, TypeError, rule);
    const { pool } = fixture();
    await assertRejects(() => pool.close({ signal }), TypeError, rule);
    using lease = await pool.acquire();
    assertEquals(lease.value, { id: 1 }, "the pool is still open");
  }
});

test("acquire, use, tryAcquire and close refuse options that are no object", async () => {
  for (const wrong of [null, 1, "options"] as Any[]) {
    const rule = "'options' must be an object: received ";
    await assertAcquireRefused(wrong, TypeError, rule);
    const { pool } = fixture();
    assertThrows(() => pool.tryAcquire(wrong), TypeError, rule);
    await assertRejects(() => pool.close(wrong), TypeError, rule);
  }
});

test("maxPending refuses the acquire that would wait as one too many", async () => {
  const f = fixture({ maxPending: 2, name: "db" });
  const held = await f.pool.acquire();
  const waiters = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  const error = await assertRejects(() => f.pool.acquire(), PoolFullError);
  assertEquals(error.name, "PoolFullError");
  for (const part of ["'db'", "2 wait", "1 used", "2 pending"]) {
    assertStringIncludes(error.message, part);
  }
  assertCounts(f.pool, { used: 1, pending: 2 });
  held.release();
  await settled();
  const third = watch(f.pool.acquire());
  await settled();
  assertEquals(third.settled, false);
  for (const waiter of [...waiters, third]) {
    leaseOf(waiter).release();
    await settled();
  }
  await assertClosesClean(f);
});

test("maxPending 0 still serves what needs no wait for a release", async () => {
  const { pool } = fixture({ max: 2, maxPending: 0 });
  const held = [await pool.acquire(), await pool.acquire()];
  await assertRejects(() => pool.acquire(), PoolFullError);
  held[0]!.release();
  using lease = await pool.acquire();
  assertEquals(lease.value, { id: 1 });
});

test("maxPending 0 lets a validated idle resource be taken", async () => {
  const f = validated({ maxPending: 0 });
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire());
  f.factory.validations.shift()!.resolve(true);
  await settled();
  leaseOf(taker).release();
  await assertClosesClean(f);
});

test("maxPending counts each line of an isolated pool by itself", async () => {
  const { pool } = fixture({
    max: 2,
    stripes: 2,
    isolated: true,
    maxPending: 1,
  });
  for (const affinity of [0, 1]) await pool.acquire({ affinity });
  const waiting = watch(pool.acquire({ affinity: 0 }));
  const refused = watch(pool.acquire({ affinity: 0 }));
  const other = watch(pool.acquire({ affinity: 1 }));
  await settled();
  assertInstanceOf(refused.error, PoolFullError);
  assertEquals([waiting.settled, other.settled], [false, false]);
});

test("a full pool that refuses still destroys what it found expired", async () => {
  const { pool, clock, factory } = fixture({
    max: 1,
    maxPending: 0,
    idleTimeout: 1_000,
  });
  await fill(pool, 1);
  factory.manual.add("destroy");
  clock.jump(1_001);
  await assertRejects(() => pool.acquire(), PoolFullError);
  assertCounts(pool, { destroying: 1 });
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("maxPending counts those whose resource is validated as well", async () => {
  const f = validated({ max: 2, maxPending: 2 });
  await fill(f.pool, 2);
  f.factory.manual.add("validate");
  const takers = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  assertCounts(f.pool, { used: 2, pending: 2 });
  await assertRejects(() => f.pool.acquire(), PoolFullError, "2 pending");
  f.factory.validations.shift()!.resolve(true);
  await settled();
  const third = watch(f.pool.acquire());
  await assertRejects(() => f.pool.acquire(), PoolFullError);
  f.factory.validations.shift()!.resolve(true);
  f.factory.manual.clear();
  await settled();
  for (const taker of takers) leaseOf(taker).release();
  await settled();
  leaseOf(third).release();
  await assertClosesClean(f);
});

test("a refusal of an isolated stripe has the counts of its line", async () => {
  const f = fixture({ max: 4, stripes: 2, isolated: true, maxPending: 1 });
  (await f.pool.acquire({ affinity: 1 })).release();
  const held = [
    await f.pool.acquire({ affinity: 0 }),
    await f.pool.acquire({ affinity: 0 }),
  ];
  const waiter = watch(f.pool.acquire({ affinity: 0 }));
  const error = await assertRejects(
    () => f.pool.acquire({ affinity: 0 }),
    PoolFullError,
  );
  for (const part of ["0 idle", "2 used", "1 pending", "2 max"]) {
    assertStringIncludes(error.message, part);
  }
  for (const lease of held) lease.release();
  await settled();
  leaseOf(waiter).release();
  await assertClosesClean(f);
});
