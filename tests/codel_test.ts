import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  type Lease,
  Pool,
  PoolError,
  type PoolOptions,
  PoolOverloadedError,
  type Shed,
} from "../mod.ts";
import { codel, type CodelOptions } from "../src/codel/mod.ts";
import {
  assertClosesClean,
  assertCounts,
  type Fixture,
  fixture,
  leaseOf,
  type Outcome,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Options as plain JavaScript can pass them. */
// deno-lint-ignore no-explicit-any
type Any = any;

/** A wait above 10 ms is long, and those above 20 are shed after 100 of them. */
const QUICK = { target: 10, interval: 100 };

/** A judge that is asked at `now` about one who has waited for so long. */
function judged(...options: [CodelOptions?]) {
  const judge = codel(...options).judge();
  return (now: number, waited: number, longest = waited): boolean =>
    judge.mustLeave(now - waited, now - longest, now);
}

/** As `judged`, after an interval of long waits: it sheds, up to 300. */
function shedding() {
  const mustLeave = judged(QUICK);
  for (const now of [100, 150]) assertEquals(mustLeave(now, 50), false);
  assertEquals(mustLeave(200, 110), true);
  assertEquals(mustLeave(200, 15), false);
  return mustLeave;
}

// The rule.

test("nobody is shed before all waits of an interval were long", () => {
  const mustLeave = judged(QUICK);
  for (const now of [100, 120, 160, 199.9]) {
    assertEquals(mustLeave(now, 90), false, `at ${now}`);
  }
  assertEquals(mustLeave(200, 110), true);
});

test("a wait as long as the target is a short one", () => {
  for (const [wait, isShed] of [[10, false], [10.1, true]] as const) {
    const mustLeave = judged(QUICK);
    for (const now of [100, 145]) mustLeave(now, 50);
    mustLeave(150, wait);
    assertEquals(mustLeave(200, 50), isShed, `after ${wait} ms`);
  }
});

test("an interval begins anew with each short wait until somebody is shed", () => {
  const mustLeave = judged(QUICK);
  for (const now of [100, 150, 190]) mustLeave(now, 50);
  mustLeave(195, 5);
  mustLeave(198, 50);
  assertEquals(mustLeave(297.9, 100), false);
  assertEquals(mustLeave(298, 100), true);
});

test("who has waited for up to twice the target is served", () => {
  const mustLeave = shedding();
  assertEquals(mustLeave(210, 20), false);
  assertEquals(mustLeave(210, 20.1), true);
});

test("shedding goes on while the waits of each interval are long", () => {
  const mustLeave = shedding();
  for (let now = 210; now < 1_000; now += 10) {
    assertEquals(mustLeave(now, 25), true);
    assertEquals(mustLeave(now, 15), false);
  }
});

test("shedding ends with an interval that has seen a short wait", () => {
  const mustLeave = shedding();
  assertEquals(mustLeave(245, 50), true);
  assertEquals(mustLeave(250, 10), false);
  assertEquals(mustLeave(299, 60), true);
  assertEquals(mustLeave(300, 61), false);
});

test("an interval in which nobody could be served is a long wait", () => {
  const mustLeave = shedding();
  for (const now of [300, 350]) assertEquals(mustLeave(now, 200), true);
  assertEquals(mustLeave(400, 250), true);
});

test("a moment with nobody waiting ends the shedding at once", () => {
  const mustLeave = shedding();
  assertEquals(mustLeave(250, 50), true, "it came when somebody was served");
  assertEquals(mustLeave(290, 39), false, "it came after that");
  assertEquals(mustLeave(389, 99), false);
  assertEquals(mustLeave(390, 99), true);
});

test("who came at the moment somebody was served may have waited with others", () => {
  const mustLeave = shedding();
  assertEquals(mustLeave(221, 21), true);
});

test("the urgent who are served at once do not hide that others wait", () => {
  const mustLeave = judged(QUICK);
  for (let now = 100; now < 200; now += 10) {
    assertEquals(mustLeave(now, 1, now - 50), false);
  }
  assertEquals(mustLeave(200, 1, 150), false, "the urgent are served");
  assertEquals(mustLeave(200, 150), true);
});

test("by default a wait above 50 ms is long, for a second", () => {
  for (const options of [[], [{}], [{ target: undefined }]] as const) {
    const mustLeave = judged(...options);
    mustLeave(1_000, 51);
    assertEquals(mustLeave(1_999, 999), false);
    assertEquals(mustLeave(2_000, 101), true);
    assertEquals(mustLeave(2_000, 100), false);
  }
});

// In a pool.

/** A pool whose one resource is used, in which 5 a ms come, one a ms is served. */
async function overloaded(options: Partial<PoolOptions<Resource>> = {}) {
  const f = fixture({ shed: codel(QUICK), ...options });
  const outcomes: Outcome<Lease<Resource>>[] = [];
  const served: number[] = [];
  const lease = await f.pool.acquire();
  const all = [watch(Promise.resolve(lease))];
  await settled();
  const shed = () => outcomes.filter(({ error }) => error !== undefined);
  /** Goes on for so many ms; gives how long those who were served had waited. */
  const run = async (ms: number): Promise<number[]> => {
    const before = served.length;
    for (let i = 0; i < ms; i++) {
      await f.clock.advance(1);
      for (let n = 0; n < 5; n++) {
        const since = f.clock.now();
        const promise = f.pool.acquire();
        const outcome = watch(promise);
        promise.then(() => served.push(f.clock.now() - since), () => {});
        outcomes.push(outcome);
        all.push(outcome);
      }
      const used = all.find(({ value }) => value !== undefined)!;
      all.splice(all.indexOf(used), 1);
      used.value!.release();
      await settled();
    }
    return served.slice(before);
  };
  return { ...f, run, shed };
}

test("in an overloaded pool nobody is served after twice the target, and all turns are", async () => {
  const { run, shed } = await overloaded();
  await run(150);
  const served = await run(200);
  assertEquals(served.length, 200);
  assert(Math.max(...served) <= 20, `${Math.max(...served)} ms`);
  assert(shed().length > 500);
  for (const { error } of shed()) assertInstanceOf(error, PoolOverloadedError);
});

test("a pool without the option sheds nobody", async () => {
  const { run, shed } = await overloaded({ shed: undefined });
  assertEquals(Math.max(...await run(300)) > 100, true);
  assertEquals(shed(), []);
});

/** Sheds whoever has waited longer than 10 ms. */
const STRICT: Shed = {
  retryAfter: 7,
  mustLeave: (since, _, now) => now - since > 10,
};

/** A pool of one, in use, with a judge of the test's own. */
async function shed(
  judge: Shed,
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Fixture & { lease: Lease<Resource> }> {
  const f = fixture({ shed: { judge: () => judge }, ...options });
  return { ...f, lease: await f.pool.acquire() };
}

test("who is shed is told how long it waited, why, and when to come again", async () => {
  const { pool, clock, lease } = await shed(STRICT, { name: "db" });
  const late = watch(pool.acquire());
  await clock.advance(10.6);
  const inTime = watch(pool.acquire());
  lease.release();
  await settled();
  const { error } = late;
  assertInstanceOf(error, PoolOverloadedError);
  assertInstanceOf(error, PoolError);
  const { name, code, message, poolName, waited, retryAfter, stats } = error;
  const stated = { name, code, message, poolName, stats, waited, retryAfter };
  assertEquals(stated, {
    name: "PoolOverloadedError",
    code: "OVERLOADED",
    message: "Cannot acquire from pool 'db' as it is overloaded: " +
      "waited for 11 ms",
    poolName: "db",
    stats: {
      ...{ idle: 0, used: 1, creating: 0, destroying: 0, pending: 0, max: 1 },
      ...{ waiting: 0, validating: 0 },
    },
    waited: 11,
    retryAfter: 7,
  });
  assertEquals(JSON.parse(JSON.stringify(error)), stated);
  assertEquals(
    error.stack?.includes(" at ") ?? false,
    !("stackTraceLimit" in Error),
  );
  leaseOf(inTime);
});

test("what is told to come again after is the interval", async () => {
  const { run, shed } = await overloaded();
  await run(150);
  const errors = shed().map(({ error }) => error as PoolOverloadedError);
  assertEquals(new Set(errors.map(({ retryAfter }) => retryAfter)).size, 1);
  assertEquals(errors[0]!.retryAfter, 100);
});

test("the observer hears of those who are shed", async () => {
  const told: unknown[] = [];
  const { pool, clock, lease } = await shed(STRICT, {
    observer: { acquireFailed: (event) => void told.push(event) },
  });
  const late = watch(pool.acquire());
  await clock.advance(11);
  lease.release();
  await settled();
  assertEquals(told, [{ pool: "pool", error: late.error, wait: 11 }]);
});

test("a resource that is created sheds as one that is released does", async () => {
  const f = fixture({ shed: { judge: () => STRICT } });
  f.factory.manual.add("create");
  const late = watch(f.pool.acquire());
  await f.clock.advance(11);
  const inTime = watch(f.pool.acquire());
  f.factory.finishCreate();
  await settled();
  assertInstanceOf(late.error, PoolOverloadedError);
  leaseOf(inTime).release();
  await assertClosesClean(f);
});

test("where all who wait are shed, what was released is idle", async () => {
  const f = await shed(STRICT);
  const late = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  await f.clock.advance(11);
  f.lease.release();
  await settled();
  assertEquals(late.map(({ error }) => error instanceof Error), [true, true]);
  assertCounts(f.pool, { idle: 1 });
  assertEquals(f.clock.referenced, 0);
  await assertClosesClean(f);
});

test("those who are shed make a pool no larger", async () => {
  const mustLeave = (_since: number, _oldest: number, now: number) => now > 100;
  const f = fixture({
    ...{ max: 9, growth: "measured" },
    shed: { judge: () => ({ retryAfter: 0, mustLeave }) },
  });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  await f.clock.advance(10);
  leaseOf(first).release();
  for (let n = 0; n < 30; n++) {
    const lease = await f.pool.acquire();
    const late = watch(f.pool.acquire());
    await f.clock.advance(10);
    lease.release();
    await settled();
    assertInstanceOf(late.error, PoolOverloadedError);
  }
  assertEquals(f.factory.log, ["create 1"]);
});

test("nobody is shed while nothing comes back", async () => {
  const { pool, clock } = await shed(STRICT);
  const waiting = watch(pool.acquire({ timeout: 1_000 }));
  await clock.advance(999);
  assertEquals(waiting.settled, false);
  await clock.advance(1);
  assertEquals((waiting.error as Error).name, "TimeoutError");
});

test("each isolated stripe is judged alone", async () => {
  let judges = 0;
  const f = fixture({
    ...{ max: 2, stripes: 2, isolated: true },
    shed: {
      judge: () => (judges++ === 0 ? STRICT : { ...STRICT, retryAfter: 9 }),
    },
  });
  assertEquals(judges, 2);
  for (const [affinity, retryAfter] of [[0, 7], [1, 9]] as const) {
    const lease = await f.pool.acquire({ affinity });
    const late = watch(f.pool.acquire({ affinity }));
    await f.clock.advance(11);
    lease.release();
    await settled();
    assertEquals((late.error as PoolOverloadedError).retryAfter, retryAfter);
  }
  await assertClosesClean(f);
});

test("who waits while only the urgent are served is shed when its turn comes", async () => {
  const f = fixture({ shed: codel(QUICK) });
  let lease = await f.pool.acquire();
  const waiting = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  for (let n = 0; n < 30; n++) {
    await f.clock.advance(5);
    const urgent = watch(f.pool.acquire({ priority: 3 }));
    lease.release();
    await settled();
    lease = leaseOf(urgent);
  }
  lease.release();
  await settled();
  for (const { error } of waiting) assertInstanceOf(error, PoolOverloadedError);
  await assertClosesClean(f);
});

test("a codel of several lines has a state for each", () => {
  const shedding = codel(QUICK);
  const [a, b] = [shedding.judge(), shedding.judge()];
  for (const now of [100, 150]) a.mustLeave(now - 50, now - 50, now);
  assertEquals(a.mustLeave(100, 100, 200), true);
  assertEquals(b.mustLeave(100, 100, 200), false);
});

test("a hundred thousand who are to leave do not go in one turn", async () => {
  const mustLeave = (_since: number, _oldest: number, now: number) => now > 0;
  const f = await shed({ retryAfter: 0, mustLeave });
  let left = 0;
  let served: Lease<Resource> | undefined;
  for (let n = 0; n < 100_000; n++) {
    f.pool.acquire().then((lease) => served = lease, () => left++);
  }
  await f.clock.advance(1);
  f.lease.release();
  await settled();
  assertEquals(left, 1_024);
  assert(served !== undefined, "the next one is served");
  assertCounts(f.pool, { used: 1, pending: 100_000 - 1_025 });
  served.release();
  await settled();
  assertEquals(left, 2_048);
  const closing = f.pool.close();
  served.release();
  await closing;
});

test("a judge that throws, or says what is no boolean, sheds nobody", async () => {
  const judges: Any[] = [
    () => {
      throw new Error("a judge's fault");
    },
    () => Promise.resolve(true),
    () => 1,
    undefined,
  ];
  for (const mustLeave of judges) {
    const f = await shed({ retryAfter: 0, mustLeave });
    const waiting = watch(f.pool.acquire());
    await f.clock.advance(1_000);
    f.lease.release();
    await settled();
    leaseOf(waiting).release();
    await assertClosesClean(f);
  }
});

/** What a judge can do to its pool, of which all but one are in use. */
const ACTS: Record<
  string,
  (
    pool: Pool<Resource>,
    other: Lease<Resource>,
    aborter: AbortController,
  ) => void
> = {
  acquires: (pool) => void watch(pool.acquire({ timeout: 5 })),
  releases: (_, other) => other.release(),
  aborts: (_pool, _other, aborter) => aborter.abort(),
  clears: (pool) => pool.clear(),
  shrinks: (pool) => pool.resize(1),
  closes: (pool) => void pool.close(),
  abandons: (pool) => void watch(pool.close({ signal: AbortSignal.abort() })),
};

for (const [what, act] of Object.entries(ACTS)) {
  test(`a judge that ${what} breaks nothing`, async () => {
    for (
      const [verdict, validateAfter] of [[true, 9], [false, 9], [false, 0]]
    ) {
      const aborter = new AbortController();
      const { signal } = aborter;
      let isAsked = false;
      const mustLeave = (_since: number, _oldest: number, now: number) => {
        if (now === 0) return false;
        if (!isAsked) {
          isAsked = true;
          act(f.pool, other, aborter);
        }
        return verdict === true;
      };
      const f: Fixture = validated({
        max: 2,
        shed: { judge: () => ({ retryAfter: 0, mustLeave }) },
        validateAfter: validateAfter as number,
      });
      const lease = await f.pool.acquire();
      const other = await f.pool.acquire();
      const waiting = [{ signal }, {}, {}].map((options) =>
        watch(f.pool.acquire(options))
      );
      await f.clock.advance(1);
      lease.release();
      await f.clock.advance(5);
      assert(isAsked);
      other.release();
      for (let n = 0; n < 3; n++) {
        for (const { value } of waiting) value?.release();
        await f.clock.advance(1);
      }
      assertEquals(waiting.map(({ settled }) => settled), [true, true, true]);
      await assertClosesClean(f);
    }
  });
}

// Options.

test("codel refuses options that are unknown or out of range", () => {
  const cases: [unknown, string][] = [
    [null, "'options' must be an object: received null"],
    [50, "'options' must be an object: received 50"],
    [{ targets: 5 }, "'targets' is no option: "],
    [{ target: "5" }, "'target' must be a number: received \"5\""],
    [{ interval: null }, "'interval' must be a number: received null"],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(() => codel(options as Any), TypeError);
    assert(
      error.message.startsWith(`Cannot shed as ${message}`),
      error.message,
    );
  }
  for (const name of ["target", "interval"]) {
    for (const value of [0, -1, NaN, Infinity]) {
      const error = assertThrows(() => codel({ [name]: value }), RangeError);
      assertEquals(
        error.message,
        `Cannot shed as '${name}' must be a positive, finite number of ms: ` +
          `received ${value}`,
      );
    }
  }
});

test("shed must be what has a judge", () => {
  const create = () => ({});
  const cases: [unknown, string][] = [
    [codel, "'shed' must be an object: received a function"],
    [{ target: 5 }, "'shed.judge' must be a function: received undefined"],
  ];
  for (const [shed, message] of cases) {
    const error = assertThrows(
      () => new Pool({ create, max: 1, shed: shed as Any }),
      TypeError,
    );
    assertEquals(error.message, `Cannot create pool as ${message}`);
  }
});
