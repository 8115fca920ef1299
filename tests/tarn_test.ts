import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { AcquireTimeoutError, CallTimeoutError } from "../mod.ts";
import {
  type PendingOperation,
  Pool,
  type PoolEvents,
  type PoolOptions,
  TimeoutError,
} from "../src/tarn/mod.ts";
import { settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

interface Resource {
  readonly id: number;
}

/** A pool of tarn's kind, with a log of what is made, destroyed and logged. */
function tarn(options: Partial<PoolOptions<Resource>> = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  let ids = 0;
  const made = () => {
    const resource = { id: ++ids };
    log.push(`create ${resource.id}`);
    return resource;
  };
  const pool = new Pool<Resource>({
    create: () => Promise.resolve(made()),
    destroy: ({ id }) => void log.push(`destroy ${id}`),
    log: (message) => void log.push(message.split("\n")[0]!),
    min: 0,
    max: 2,
    ...options,
  }, { clock });
  return { pool, clock, log, made };
}

/** How an acquire ends. */
function acquire(pool: Pool<Resource>) {
  return watch(pool.acquire().promise);
}

function counts(pool: Pool<Resource>): number[] {
  return [
    pool.numUsed(),
    pool.numFree(),
    pool.numPendingAcquires(),
    pool.numPendingCreates(),
    pool.numPendingValidations(),
  ];
}

const NAMES = [
  ...["acquireRequest", "acquireSuccess", "acquireFail", "release"],
  ...["createRequest", "createSuccess", "createFail"],
  ...["destroyRequest", "destroySuccess", "destroyFail"],
  ...["startReaping", "stopReaping"],
  ...["poolDestroyRequest", "poolDestroySuccess"],
] as (keyof PoolEvents<Resource>)[];

/** All that a pool tells, resources by their number and errors by their message. */
function listen(pool: Pool<Resource>): string[] {
  const heard: string[] = [];
  for (const name of NAMES) {
    pool.on(name, (...args: unknown[]) => {
      const words = args.map((arg) =>
        arg instanceof Error ? arg.message : JSON.stringify(arg)
      );
      heard.push([name, ...words].join(" "));
    });
  }
  return heard;
}

test("options of tarn's pool are checked in tarn's words", () => {
  const right = { create: () => 1, destroy: () => {}, min: 0, max: 1 };
  const wrong: [object | undefined, string][] = [
    [undefined, "opt.create function most be provided"],
    [{ create: undefined }, "opt.create function most be provided"],
    [{ destroy: undefined }, "opt.destroy function most be provided"],
    [{ min: "0" }, "opt.min must be an integer >= 0"],
    [{ min: -1 }, "opt.min must be an integer >= 0"],
    [{ max: "1" }, "opt.max must be an integer > 0"],
    [{ max: 1.5 }, "opt.max must be an integer > 0"],
    [{ max: 0 }, "opt.max must be an integer > 0"],
    [{ min: 2 }, "opt.max is smaller than opt.min"],
    [{ acquireTimeoutMillis: "10" }, 'invalid opt.acquireTimeoutMillis "10"'],
    [{ createTimeoutMillis: 0 }, "invalid opt.createTimeoutMillis 0"],
    [{ destroyTimeoutMillis: -1 }, "invalid opt.destroyTimeoutMillis -1"],
    [{ idleTimeoutMillis: 0 }, "invalid opt.idleTimeoutMillis 0"],
    [{ reapIntervalMillis: 0.5 }, "invalid opt.reapIntervalMillis 0.5"],
    [
      { createRetryIntervalMillis: null },
      "invalid opt.createRetryIntervalMillis null",
    ],
    [{ toString: 1 }, "unsupported option opt.toString"],
    [{ clock: undefined }, "unsupported option opt.clock"],
  ];
  for (const [options, message] of wrong) {
    const all = options && { ...right, ...options };
    assertThrows(
      () => new Pool(all as PoolOptions<number>),
      Error,
      `Tarn: ${message}`,
    );
  }
});

test("tarn's create returns a resource, a promise of one, or calls back", async () => {
  const ways: PoolOptions<number>["create"][] = [
    () => 7,
    () => Promise.resolve(7),
    (callback) => callback(null, 7),
    (callback) => void setTimeout(() => callback(null, 7)),
  ];
  for (const create of ways) {
    const pool = new Pool({ create, destroy: () => {}, min: 0, max: 1 });
    const resource = await pool.acquire().promise;
    assertEquals(resource, 7);
    pool.release(resource);
    await pool.destroy();
  }
});

test("tarn's create fails by a throw, a rejection or a call back", async () => {
  const ways: PoolOptions<number>["create"][] = [
    () => {
      throw new Error("no");
    },
    () => Promise.reject(new Error("no")),
    (callback) => callback(new Error("no")),
  ];
  for (const create of ways) {
    const pool = new Pool({
      create,
      ...{ destroy: () => {}, min: 0, max: 1, propagateCreateError: true },
    });
    await assertRejects(() => pool.acquire().promise, Error, "no");
    await pool.destroy();
  }
});

test("tarn's counts follow a resource from the acquire to the release", async () => {
  const { pool } = tarn();
  assert(pool.isEmpty());
  const first = acquire(pool);
  assertEquals(counts(pool), [0, 0, 1, 1, 0]);
  assert(!pool.isEmpty());
  await settled();
  assertEquals(counts(pool), [1, 0, 0, 0, 0]);
  assertEquals(pool.release(first.value!), true);
  assertEquals(counts(pool), [0, 1, 0, 0, 0]);
});

test("acquires of tarn's pool create up to max, then wait in order", async () => {
  const { pool, log } = tarn();
  const all = [1, 2, 3, 4].map(() => acquire(pool));
  await settled();
  assertEquals(all.map(({ value }) => value?.id), [1, 2, undefined, undefined]);
  assertEquals(counts(pool), [2, 0, 2, 0, 0]);
  pool.release(all[1]!.value!);
  await settled();
  assertStrictEquals(all[2]!.value, all[1]!.value);
  assertEquals(all[3]!.settled, false);
  assertEquals(log, ["create 1", "create 2"]);
});

test("a max of Infinity is no limit to tarn's pool", async () => {
  const { pool } = tarn({ max: Infinity });
  await Promise.all([1, 2, 3].map(() => pool.acquire().promise));
  assertEquals(pool.numUsed(), 3);
});

test("tarn's minimum is kept, but nothing is made for it", async () => {
  const { pool, log, clock } = tarn({ min: 2, max: 3, idleTimeoutMillis: 10 });
  const one = acquire(pool);
  await clock.advance(100);
  assertEquals(log, ["create 1"]);
  const others = [acquire(pool), acquire(pool)];
  await settled();
  for (const { value } of [one, ...others]) pool.release(value!);
  await clock.advance(2_000);
  assertEquals(log.slice(3), ["destroy 1"]);
  assertEquals(pool.numFree(), 2);
});

test("an idle resource of tarn's pool is destroyed by the look after its time", async () => {
  const { pool, log, clock } = tarn({
    idleTimeoutMillis: 25,
    reapIntervalMillis: 10,
  });
  assertEquals(pool.interval, null);
  const [first, second] = [acquire(pool), acquire(pool)];
  await settled();
  assertNotStrictEquals(pool.interval, null);
  pool.release(first.value!);
  await clock.advance(29);
  assertEquals(log.length, 2);
  await clock.advance(1);
  assertEquals(log.slice(2), ["destroy 1"]);
  // Used for long, it has not been idle.
  pool.release(second.value!);
  assertEquals(pool.numFree(), 1);
  await clock.advance(30);
  assertEquals(log.slice(3), ["destroy 2"]);
});

test("an idle resource of tarn's pool stays as long as idleTimeoutMillis says", async () => {
  const { pool, clock } = tarn({ idleTimeoutMillis: 100_000 });
  pool.release(await pool.acquire().promise);
  await clock.advance(99_000);
  assertEquals(pool.numFree(), 1);
});

test("tarn's pool creates for whoever waits, however short the uses are", async () => {
  const { pool, clock, made } = tarn({
    create: (callback) =>
      void clock.setTimeout(() => callback(null, made()), 9),
  });
  const first = acquire(pool);
  await clock.advance(9);
  for (let use = 0; use < 3; use++) {
    pool.release(first.value!);
    await pool.acquire().promise;
  }
  acquire(pool);
  assertEquals(pool.numPendingCreates(), 1);
});

test("tarn's pool looks at idle resources only while there are any", async () => {
  const { pool, clock } = tarn({
    idleTimeoutMillis: 10,
    reapIntervalMillis: 10,
  });
  const heard = listen(pool);
  for (let round = 0; round < 2; round++) {
    const { promise } = pool.acquire();
    pool.release(await promise);
    assertEquals(clock.referenced, 0);
    await clock.advance(10);
    assertEquals(pool.interval, null);
  }
  assertEquals(
    heard.filter((event) => event.endsWith("Reaping")),
    ["startReaping", "stopReaping", "startReaping", "stopReaping"],
  );
});

test("a create of tarn's pool that fails is tried again in its interval", async () => {
  let fails = 2;
  const { pool, clock, log, made } = tarn({
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
    max: 1,
    createRetryIntervalMillis: 100,
  });
  const heard = listen(pool);
  const [first, second] = [acquire(pool), acquire(pool)];
  const creates = () =>
    heard.filter((event) => event.startsWith("createRequest")).length;
  await clock.advance(74);
  assertEquals(creates(), 1);
  assertEquals(pool.numPendingCreates(), 0);
  await clock.advance(26);
  assertEquals(creates(), 2);
  await clock.advance(100);
  assertEquals(log, ["create 1"]);
  // Who came first is still first.
  assertEquals([first.value?.id, second.settled], [1, false]);
});

test("who waited for a create of tarn's pool that failed stays ahead of newcomers", async () => {
  let fails = 1;
  const { pool, clock, made } = tarn({
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
    max: 1,
  });
  const first = acquire(pool);
  await settled();
  const second = acquire(pool);
  await clock.advance(200);
  assertEquals([first.settled, second.settled], [true, false]);
});

test("an acquire of tarn's pool that times out says what create failed with", async () => {
  const { pool, clock } = tarn({
    create: () => Promise.reject(new Error("no server")),
    acquireTimeoutMillis: 500,
  });
  const failed = acquire(pool);
  await clock.advance(499);
  assertEquals(failed.settled, false);
  await clock.advance(1);
  const { error } = failed;
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.name, error.message], ["TimeoutError", "no server"]);
  assertInstanceOf(error.cause, AcquireTimeoutError);
  assertEquals(counts(pool), [0, 0, 0, 0, 0]);
});

test("an acquire of tarn's pool that times out says why, if no create failed", async () => {
  const { pool, clock } = tarn({ max: 1, acquireTimeoutMillis: 10 });
  acquire(pool);
  const late = acquire(pool);
  await clock.advance(10);
  assertInstanceOf(late.error, TimeoutError);
  assertMatch(late.error.message, /within 10 ms/);
});

test("with propagateCreateError a failed create rejects the first who waits", async () => {
  let fails = 1;
  const { pool, made } = tarn({
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
    max: 1,
    propagateCreateError: true,
  });
  const [first, second] = [acquire(pool), acquire(pool)];
  await settled();
  assertEquals((first.error as Error).message, "no");
  assertEquals(second.value, { id: 1 });
});

test("a create of tarn's pool that is too late fails, and what comes is destroyed", async () => {
  let create!: (resource: Resource) => void;
  const { pool, clock, log } = tarn({
    create: () => new Promise((resolve) => create = resolve),
    destroy: () => Promise.reject(new Error("gone already")),
    createTimeoutMillis: 20,
    propagateCreateError: true,
  });
  const heard = listen(pool);
  const failed = acquire(pool);
  await clock.advance(20);
  assertInstanceOf(failed.error, TimeoutError);
  assertMatch(failed.error.message, /^operation timed out/);
  assertInstanceOf(failed.error.cause, CallTimeoutError);
  create({ id: 7 });
  await settled();
  assertEquals(heard.filter((event) => event.startsWith("create")), [
    "createRequest 2",
    `createFail 2 ${failed.error.message}`,
  ]);
  assertEquals(log, [
    "Tarn: resource destroyer threw an exception Error: gone already",
  ]);
});

test("a first create of tarn's pool that hangs is followed by another", async () => {
  let isFirst = true;
  const { pool, clock, made } = tarn({
    create: () => {
      if (!isFirst) return made();
      isFirst = false;
      return new Promise(() => {});
    },
    ...{ createTimeoutMillis: 20, createRetryIntervalMillis: 10 },
  });
  const waiting = acquire(pool);
  await clock.advance(30);
  assertEquals(waiting.value, { id: 1 });
});

test("a create of tarn's pool that fails after its time is told of once", async () => {
  let fail!: (error: Error) => void;
  const { pool, clock } = tarn({
    create: () => new Promise((_, reject) => fail = reject),
    ...{ createTimeoutMillis: 20, propagateCreateError: true },
  });
  const heard = listen(pool);
  acquire(pool);
  await clock.advance(20);
  fail(new Error("late"));
  await settled();
  const fails = heard.filter((event) => event.startsWith("createFail"));
  assertEquals(fails.length, 1);
});

test("an acquire of tarn's pool that is aborted leaves the create to others", async () => {
  const { pool, clock, made } = tarn({
    create: (callback) =>
      void clock.setTimeout(() => callback(null, made()), 9),
  });
  const operations: PendingOperation<Resource>[] = [
    pool.acquire(),
    pool.acquire(),
  ];
  const [first, second] = operations.map(({ promise }) => watch(promise));
  operations[0]!.abort();
  operations[1]!.reject(new Error("changed my mind"));
  await settled();
  assertEquals((first!.error as Error).message, "aborted");
  assertEquals((second!.error as Error).message, "changed my mind");
  assertEquals(counts(pool), [0, 0, 0, 2, 0]);
  await clock.advance(9);
  assertEquals(counts(pool), [0, 2, 0, 0, 0]);
});

test("an acquire of tarn's pool can be given a resource from elsewhere", async () => {
  const { pool } = tarn({ max: 1 });
  const held = await pool.acquire().promise;
  const pending = pool.acquire();
  pending.resolve({ id: 7 });
  assertEquals(await pending.promise, { id: 7 });
  assertEquals(counts(pool), [1, 0, 0, 0, 0]);
  pool.release(held);
  const served = pool.acquire();
  await served.promise;
  served.resolve({ id: 8 });
  assertStrictEquals(await served.promise, held);
});

test("an acquire of tarn's pool ends also with what create failed with", async () => {
  const failure = new Error("no");
  const { pool } = tarn({ create: () => Promise.reject(failure) });
  const pending = pool.acquire();
  const outcome = watch(pending.promise);
  await settled();
  pending.reject(failure);
  await settled();
  assertStrictEquals(outcome.error, failure);
});

test("a create of tarn's pool may fail with anything", async () => {
  const failures = [7, undefined, {}];
  const { pool, clock, made } = tarn({
    create: () => {
      if (failures.length === 0) return made();
      throw failures.shift();
    },
    createRetryIntervalMillis: 1,
  });
  const acquired = acquire(pool);
  await clock.advance(3);
  assertEquals(acquired.value, { id: 1 });
});

test("an acquire of tarn's pool aborted as its resource comes gives it back", async () => {
  const { pool } = tarn({ max: 1 });
  pool.release(await pool.acquire().promise);
  const pending = pool.acquire();
  pending.abort();
  await assertRejects(() => pending.promise, Error, "aborted");
  assertEquals(counts(pool), [0, 1, 0, 0, 0]);
});

test("tarn's release says whether the resource was out", async () => {
  const { pool } = tarn();
  const resource = await pool.acquire().promise;
  assertEquals(pool.release({ ...resource }), false);
  assertEquals(pool.numUsed(), 1);
  assertEquals(pool.release(resource), true);
  assertEquals(pool.release(resource), false);
  assertEquals(pool.numFree(), 1);
});

test("a second release of tarn's pool frees nothing of the next owner's", async () => {
  const { pool } = tarn({ max: 1 });
  const resource = await pool.acquire().promise;
  const [second, third] = [acquire(pool), acquire(pool)];
  assertEquals(pool.release(resource), true);
  assertEquals(pool.release(resource), false);
  await settled();
  assertEquals([second.settled, third.settled], [true, false]);
});

test("of equal resources of tarn's pool each is given back once", async () => {
  const pool = new Pool({ create: () => 7, destroy: () => {}, min: 0, max: 2 });
  await pool.acquire().promise;
  await pool.acquire().promise;
  assertEquals([1, 2, 3].map(() => pool.release(7)), [true, true, false]);
  assertEquals([pool.numUsed(), pool.numFree()], [0, 2]);
  await pool.destroy();
});

test("an acquire of tarn's pool can end between two refused resources", async () => {
  const { pool, clock } = tarn({
    validate: () => false,
    acquireTimeoutMillis: 150,
  });
  const late = acquire(pool);
  const aborted = pool.acquire();
  const outcome = watch(aborted.promise);
  await clock.advance(140);
  aborted.abort();
  await clock.advance(1);
  assertEquals((outcome.error as Error).message, "aborted");
  await clock.advance(9);
  assertInstanceOf(late.error, TimeoutError);
});

test("tarn's validate is asked of what is new and of what is used again", async () => {
  const asked: number[] = [];
  const { pool } = tarn({ validate: ({ id }) => asked.push(id) > 0 });
  pool.release(await pool.acquire().promise);
  pool.release(await pool.acquire().promise);
  assertEquals(asked, [1, 1]);
});

test("new resources that tarn's validate refuses are followed ever more slowly", async () => {
  const { pool, clock, log } = tarn({ validate: () => false, max: 1 });
  const never = acquire(pool);
  await settled();
  const made: number[] = [];
  for (const ms of [0, 1, 1, 1, 1, 96, 900]) {
    await clock.advance(ms);
    made.push(log.length / 2);
  }
  assertEquals(made, [1, 2, 2, 3, 3, 7, 12]);
  await pool.destroy();
  await clock.advance(200);
  assertEquals((never.error as Error).message, "aborted");
});

test("a resource that tarn's validate refuses is destroyed, its taker goes on first", async () => {
  const bad = new Set([1, 2]);
  const { pool, clock, log } = tarn({
    validate: ({ id }) => !bad.has(id),
    max: 1,
  });
  const [first, second] = [acquire(pool), acquire(pool)];
  await clock.advance(1);
  assertEquals([first.value?.id, second.settled], [3, false]);
  bad.add(3);
  pool.release(first.value!);
  await clock.advance(1);
  assertEquals(second.value?.id, 4);
  assertEquals(log.filter((line) => line.startsWith("destroy")), [
    "destroy 1",
    "destroy 2",
    "destroy 3",
  ]);
});

test("who was given a refused resource of tarn's pool stays ahead of who waits", async () => {
  const { pool, clock } = tarn({ validate: ({ id }) => id > 1, max: 1 });
  const [first, second, third] = [acquire(pool), acquire(pool), acquire(pool)];
  await clock.advance(1);
  assertEquals([first.settled, second.value?.id], [false, 2]);
  pool.release(second.value!);
  await settled();
  assertEquals([first.settled, third.settled], [true, false]);
});

test("what tarn's validate throws or rejects with is a no, and is logged", async () => {
  const answers = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject("rejected"),
    () => Promise.resolve(true),
  ];
  const { pool, clock, log } = tarn({
    validate: () => answers.shift()!(),
    max: 1,
  });
  const first = acquire(pool);
  await clock.advance(3);
  assertEquals(first.value?.id, 3);
  assertEquals(log.filter((line) => line.startsWith("Tarn")), [
    "Tarn: resource validator threw an exception Error: thrown",
    "Tarn: resource validator threw an exception rejected",
  ]);
});

test("a resource that tarn's pool validates counts as used, and its acquire waits no more", async () => {
  const verdicts: ((isValid: boolean) => void)[] = [];
  const { pool, clock } = tarn({
    validate: () => new Promise((resolve) => verdicts.push(resolve)),
    max: 1,
  });
  for (let round = 0; round < 2; round++) {
    const { promise } = pool.acquire();
    await settled();
    assertEquals(counts(pool), [1, 0, 0, 0, 1]);
    verdicts.shift()!(true);
    pool.release(await promise);
    assertEquals(counts(pool), [0, 1, 0, 0, 0]);
    assertEquals(clock.referenced, 0);
  }
});

test("an acquire of tarn's pool ends although validate hangs, and so does the resource", async () => {
  const { pool, clock, log } = tarn({
    validate: () => new Promise(() => {}),
    acquireTimeoutMillis: 10,
  });
  const late = acquire(pool);
  await clock.advance(10);
  assertInstanceOf(late.error, TimeoutError);
  assertMatch(late.error.message, /validated/);
  const aborted = pool.acquire();
  await settled();
  aborted.abort();
  const outcome = watch(aborted.promise);
  await clock.advance(0);
  assertEquals((outcome.error as Error).message, "aborted");
  assertEquals(log, ["create 1", "destroy 1", "create 2", "destroy 2"]);
  assertEquals(counts(pool), [0, 0, 0, 0, 0]);
});

test("a validate of tarn's pool that aborts its own acquire decides all the same", async () => {
  const { pool, clock, log } = tarn({
    validate: async () => {
      pending.abort();
      for (let tick = 0; tick < 8; tick++) await undefined;
      return true;
    },
  });
  const pending = pool.acquire();
  const outcome = watch(pending.promise);
  await clock.advance(0);
  assertEquals((outcome.error as Error).message, "aborted");
  assertEquals(counts(pool), [0, 1, 0, 0, 0]);
  assertEquals(log, ["create 1"]);
});

test("tarn's destroy aborts who waits, and ends what comes back", async () => {
  const { pool, log } = tarn({ max: 1 });
  const resource = await pool.acquire().promise;
  const waiting = acquire(pool);
  const destroyed = watch(pool.destroy());
  await settled();
  assertEquals((waiting.error as Error).message, "aborted");
  assertEquals(destroyed.settled, false);
  pool.release(resource);
  await settled();
  assertEquals(destroyed.settled, true);
  assertEquals(log, ["create 1", "destroy 1"]);
  await assertRejects(() => pool.acquire().promise, Error, "aborted");
  await pool.destroy();
});

test("a class over tarn's pool, as Knex has one, sees its limits and its end", async () => {
  class Wrapped extends Pool<Resource> {
    get seen() {
      return [this.min, this.max, this.destroyed];
    }
  }
  const factory = { create: () => ({ id: 1 }), destroy: () => {} };
  const pool = new Wrapped({ ...factory, min: 1, max: 3 });
  assertEquals(pool.seen, [1, 3, false]);
  const ended = pool.destroy();
  assertEquals(pool.seen, [1, 3, true]);
  await ended;
});

test("tarn's destroy waits for creates, and what they make is destroyed", async () => {
  const { pool, clock, log, made } = tarn({
    create: (callback) =>
      void clock.setTimeout(() => callback(null, made()), 9),
  });
  const heard = listen(pool);
  const waiting = acquire(pool);
  const destroyed = watch(pool.destroy());
  await clock.advance(8);
  assertEquals([waiting.settled, destroyed.settled], [true, false]);
  await clock.advance(1);
  assertEquals(destroyed.settled, true);
  assertEquals(log, ["create 1", "destroy 1"]);
  assertEquals(clock.timers, 0);
  assertEquals(heard.filter((event) => event.startsWith("create")), [
    "createRequest 3",
    'createSuccess 3 {"id":1}',
  ]);
});

test("tarn's destroy lets those have their resource that is validated already", async () => {
  const verdicts: ((isValid: boolean) => void)[] = [];
  const { pool } = tarn({
    validate: () => new Promise((resolve) => verdicts.push(resolve)),
    max: 1,
  });
  const first = acquire(pool);
  await settled();
  verdicts.shift()!(true);
  await settled();
  pool.release(first.value!);
  const [second, third] = [acquire(pool), acquire(pool)];
  const destroyed = watch(pool.destroy());
  await settled();
  verdicts.shift()!(true);
  await settled();
  assertEquals(second.value, first.value);
  assertEquals((third.error as Error).message, "aborted");
  pool.release(second.value!);
  await settled();
  assertEquals(destroyed.settled, true);
});

test("tarn's destroy does not wait for ever for a validate that hangs", async () => {
  let isHanging = false;
  const { pool, clock } = tarn({
    validate: () => isHanging ? new Promise(() => {}) : true,
    max: 1,
  });
  pool.release(await pool.acquire().promise);
  isHanging = true;
  const waiting = acquire(pool);
  const destroyed = watch(pool.destroy());
  await clock.advance(5_001);
  assertEquals([waiting.settled, destroyed.settled], [true, true]);
});

test("a destroy of tarn's pool that fails or is too slow is told and logged", async () => {
  const ends = [
    () => Promise.reject(new Error("no")),
    () => new Promise(() => {}),
  ];
  const { pool, clock, log } = tarn({
    destroy: () => ends.shift()!(),
    destroyTimeoutMillis: 10,
  });
  const heard = listen(pool);
  const taken = [acquire(pool), acquire(pool)];
  await settled();
  for (const { value } of taken) pool.release(value!);
  const destroyed = watch(pool.destroy());
  await clock.advance(10);
  assertEquals(destroyed.settled, true);
  const [, , failed, late] = log;
  assertEquals(
    failed,
    "Tarn: resource destroyer threw an exception Error: no",
  );
  assertMatch(late!, /^Tarn: resource destroyer .* operation timed out/);
  const fails = heard.filter((event) => event.startsWith("destroyFail"));
  assertEquals(fails[0], 'destroyFail 6 {"id":1} no');
  assertEquals(fails.length, 2);
});

test("a destroy of tarn's pool that ends after its time has failed once", async () => {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const { pool, clock } = tarn({
    destroy: () =>
      new Promise<void>((resolve, reject) => ends.push({ resolve, reject })),
    ...{ destroyTimeoutMillis: 10, idleTimeoutMillis: 1 },
    reapIntervalMillis: 1,
  });
  const heard = listen(pool);
  const taken = [acquire(pool), acquire(pool)];
  await settled();
  for (const { value } of taken) pool.release(value!);
  await clock.advance(11);
  ends[0]!.resolve();
  ends[1]!.reject(new Error("late"));
  await settled();
  const isEnd = (event: string) => /^destroy(Fail|Success)/.test(event);
  const told = heard.filter(isEnd).map((event) => event.split(" ", 3));
  assertEquals(told, [
    ["destroyFail", "5", '{"id":1}'],
    ["destroyFail", "6", '{"id":2}'],
  ]);
});

test("tarn's events tell of each request and its end, with the same number", async () => {
  const { pool } = tarn({ max: 1 });
  const heard = listen(pool);
  pool.release(await pool.acquire().promise);
  await pool.destroy();
  assertEquals(heard, [
    "acquireRequest 1",
    "createRequest 2",
    'createSuccess 2 {"id":1}',
    "startReaping",
    'acquireSuccess 1 {"id":1}',
    'release {"id":1}',
    "poolDestroyRequest 3",
    "stopReaping",
    'destroyRequest 4 {"id":1}',
    'destroySuccess 4 {"id":1}',
    "poolDestroySuccess 3",
  ]);
});

test("tarn's listeners may throw, and be removed", async () => {
  const { pool, log } = tarn();
  const calls: string[] = [];
  const first = () => {
    calls.push("first");
    throw new Error("oops");
  };
  const second = () => void calls.push("second");
  pool.on("release", first);
  pool.on("release", second);
  pool.release({ id: 0 });
  assertEquals(calls, ["first", "second"]);
  assertEquals(log, [
    'Tarn: event handler "release" threw an exception Error: oops',
  ]);
  pool.removeListener("release", first);
  pool.release({ id: 0 });
  assertEquals(calls.slice(2), ["second"]);
  pool.removeAllListeners("release");
  pool.release({ id: 0 });
  assertEquals(calls.length, 3);
  pool.on("release", second);
  await pool.destroy();
  pool.release({ id: 0 });
  assertEquals(calls.length, 3);
});

test("a log of tarn's pool that throws breaks nothing", () => {
  const { pool } = tarn({
    log: () => {
      throw new Error("full");
    },
  });
  pool.on("release", () => {
    throw new Error("oops");
  });
  assertEquals(pool.release({ id: 0 }), false);
});

test("without a log tarn's pool is silent", () => {
  const pool = new Pool({ create: () => 1, destroy: () => {}, min: 0, max: 1 });
  pool.on("release", () => {
    throw new Error("oops");
  });
  assertEquals(pool.release(1), false);
});
