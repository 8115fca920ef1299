import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { AcquireTimeoutError, CallTimeoutError } from "../mod.ts";
import {
  createPool,
  type Factory,
  type Options,
  type Pool,
  TimeoutError,
} from "../src/generic_pool/mod.ts";
import { settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

interface Resource {
  readonly id: number;
}

/** A pool of generic-pool's kind, with a log of what its factory is asked. */
function generic(
  options: Options = {},
  factory: Partial<Factory<Resource>> = {},
) {
  const clock = new VirtualClock();
  const log: string[] = [];
  let ids = 0;
  const made = () => {
    const resource = { id: ++ids };
    log.push(`create ${resource.id}`);
    return resource;
  };
  const pool = createPool<Resource>(
    {
      create: () => Promise.resolve(made()),
      destroy: ({ id }) => void log.push(`destroy ${id}`),
      ...factory,
    },
    options,
    { clock },
  );
  return { pool, clock, log, made };
}

function counts(pool: Pool<Resource>): number[] {
  return [pool.size, pool.available, pool.borrowed, pool.pending];
}

/** What a pool emits of an event. */
function heard(pool: Pool<Resource>, event: string): Error[] {
  const errors: Error[] = [];
  pool.on(event, (error) => errors.push(error));
  return errors;
}

test("a factory of generic-pool must have its functions", () => {
  const right = { create: () => ({}), destroy: () => {} };
  const wrong = [
    ["create", { create: undefined }, {}],
    ["destroy", { destroy: 1 }, {}],
    ["validate", { validate: 1 }, {}],
    ["validate", {}, { testOnBorrow: true }],
  ] as const;
  for (const [name, functions, options] of wrong) {
    const factory = { ...right, ...functions } as Factory<object>;
    assertThrows(
      () => createPool(factory, options),
      TypeError,
      `factory.${name} must be a function`,
    );
  }
});

test("options of generic-pool that make no sense are as if absent", () => {
  const cases: [object | undefined, number, number][] = [
    [undefined, 1, 0],
    [{ min: "few", max: [] }, 1, 0],
    [{ min: 5, max: 3, autostart: false }, 3, 3],
    [{ max: "4", min: -1 }, 4, 0],
    [{ max: 0, idletimeoutMillis: 1 }, 1, 0],
  ];
  for (const [options, max, min] of cases) {
    const pool = createPool(
      { create: () => ({}), destroy: () => {} },
      options as Options,
    );
    assertEquals([pool.max, pool.min], [max, min]);
  }
});

test("generic-pool's counts follow a resource from the acquire to the release", async () => {
  const { pool } = generic({ max: 2 });
  const acquiring = pool.acquire();
  assertEquals(counts(pool), [1, 0, 0, 1]);
  const resource = await acquiring;
  assertEquals(counts(pool), [1, 0, 1, 0]);
  assertEquals(pool.spareResourceCapacity, 1);
  assert(pool.isBorrowedResource(resource));
  void pool.release(resource);
  assertEquals(counts(pool), [1, 1, 0, 0]);
  assert(!pool.isBorrowedResource(resource));
});

test("generic-pool's destroy ends a resource, and its place serves who waits", async () => {
  const { pool, log } = generic();
  const resource = await pool.acquire();
  const waiting = watch(pool.acquire());
  await pool.destroy(resource);
  await settled();
  assertEquals(waiting.value, { id: 2 });
  assertEquals(log, ["create 1", "destroy 1", "create 2"]);
});

test("generic-pool takes back only what is out", async () => {
  const { pool } = generic();
  const resource = await pool.acquire();
  const message = "Resource not currently part of this pool";
  await assertRejects(() => pool.release({ id: 1 }), Error, message);
  await assertRejects(() => pool.destroy({ id: 1 }), Error, message);
  assertEquals(pool.borrowed, 1);
  await pool.release(resource);
  // Nobody looks at this one, and it is no unhandled rejection.
  void pool.release(resource);
  await settled();
  assertEquals(pool.available, 1);
});

test("a second release of generic-pool frees nothing of the next owner's", async () => {
  const { pool } = generic();
  const resource = await pool.acquire();
  const [second, third] = [watch(pool.acquire()), watch(pool.acquire())];
  const stale = [pool.release(resource), pool.release(resource)];
  assertEquals((await Promise.allSettled(stale)).map(({ status }) => status), [
    "fulfilled",
    "rejected",
  ]);
  await settled();
  assertEquals([second.settled, third.settled], [true, false]);
});

test("generic-pool's use frees nothing of the next owner's either", async () => {
  const { pool } = generic();
  const second = pool.use(async (resource) => {
    await pool.release(resource);
    assertStrictEquals(await pool.acquire(), resource);
  });
  await second;
  assertEquals(pool.borrowed, 1);
});

test("generic-pool's use releases, or destroys what its callback threw over", async () => {
  const { pool, log } = generic();
  const resource = await pool.acquire();
  await pool.release(resource);
  assertEquals(await pool.use(({ id }) => id), 1);
  assertEquals(counts(pool), [1, 1, 0, 0]);
  assert(!pool.isBorrowedResource(resource));
  const failing = pool.use(() => Promise.reject(new Error("oops")));
  await assertRejects(() => failing, Error, "oops");
  assertEquals(log, ["create 1", "destroy 1"]);
  assertEquals(pool.borrowed, 0);
  assert(!pool.isBorrowedResource(resource));
});

test("a create of generic-pool that fails is told, and not tried again at once", async () => {
  let fails = 3;
  const { pool, clock, log, made } = generic({}, {
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
  });
  const errors = heard(pool, "factoryCreateError");
  const waiting = watch(pool.acquire());
  await settled();
  assertEquals(errors.map(({ message }) => message), ["no"]);
  await clock.advance(74);
  assertEquals(errors.length, 1);
  await clock.advance(626);
  assertEquals(errors.length, 3);
  assertEquals(waiting.value, { id: 1 });
  assertEquals(log, ["create 1"]);
});

test("who waited for generic-pool's first creates stays ahead of newcomers", async () => {
  const creates = [
    () => Promise.reject(new Error("no")),
    () => new Promise<Resource>(() => {}),
  ];
  const { pool, clock, made } = generic({ max: 2 }, {
    create: () => creates.shift()?.() ?? made(),
  });
  const [first, second] = [watch(pool.acquire()), watch(pool.acquire())];
  await clock.advance(5);
  const newcomer = watch(pool.acquire());
  // The second create is not counted on any more.
  await clock.advance(1_500);
  assertEquals(
    [first, second, newcomer].map(({ settled }) => settled),
    [true, false, false],
  );
});

test("a create of generic-pool takes as long as it takes", async () => {
  const creates: ((resource: Resource) => void)[] = [];
  const { pool, clock } = generic({}, {
    create: () => new Promise((resolve) => creates.push(resolve)),
  });
  const waiting = watch(pool.acquire());
  await clock.advance(20_000);
  creates[0]!({ id: 7 });
  await settled();
  assertEquals([waiting.value, creates.length], [{ id: 7 }, 1]);
});

test("generic-pool's listeners may throw", async () => {
  let fails = 1;
  const { pool, clock, made } = generic({}, {
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
  });
  pool.on("factoryCreateError", () => {
    throw new Error("oops");
  });
  const waiting = watch(pool.acquire());
  await clock.advance(100);
  assertEquals(waiting.value, { id: 1 });
});

test("a destroy of generic-pool that fails or is too slow is told", async () => {
  const ends = [
    () => Promise.reject(new Error("no")),
    () => new Promise<void>(() => {}),
  ];
  const { pool, clock } = generic(
    { max: 2, destroyTimeoutMillis: 20 },
    { destroy: () => ends.shift()!() },
  );
  const errors = heard(pool, "factoryDestroyError");
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  await pool.destroy(first);
  await pool.destroy(second);
  await clock.advance(19);
  assertEquals(errors.map(({ message }) => message), ["no"]);
  await clock.advance(1);
  assertEquals(errors[1]!.message, "destroy timed out");
  assertInstanceOf(errors[1]!.cause, CallTimeoutError);
});

test("an acquire of generic-pool waits for ever, but with acquireTimeoutMillis", async () => {
  const { pool, clock } = generic();
  await pool.acquire();
  const patient = watch(pool.acquire());
  await clock.advance(1e9);
  assertEquals(patient.settled, false);

  const hasty = generic({ acquireTimeoutMillis: 20 });
  await hasty.pool.acquire();
  const late = watch(hasty.pool.acquire());
  await hasty.clock.advance(20);
  assertInstanceOf(late.error, TimeoutError);
  assertEquals(late.error.name, "TimeoutError");
  assertMatch(late.error.message, /^ResourceRequest timed out/);
  assertInstanceOf(late.error.cause, AcquireTimeoutError);
});

test("an acquire of generic-pool rejects where no time can be told", async () => {
  const factory = { create: () => new Promise(() => {}), destroy: () => {} };
  const clock = Object.assign(new VirtualClock(), { now: () => NaN });
  const pool = createPool(factory, { acquireTimeoutMillis: 9 }, { clock });
  await assertRejects(() => pool.acquire(), TypeError, "Cannot tell the time");
});

test("generic-pool refuses an acquire if maxWaitingClients wait already", async () => {
  const { pool } = generic({ max: 1, maxWaitingClients: 1 });
  const first = await pool.acquire();
  const second = watch(pool.acquire());
  await assertRejects(
    () => pool.acquire(),
    Error,
    "max waitingClients count exceeded",
  );
  await pool.release(first);
  await settled();
  assertEquals(second.settled, true);
});

test("with maxWaitingClients 0 generic-pool serves who need not wait", async () => {
  const { pool } = generic({ max: 1, maxWaitingClients: 0 });
  await pool.release(await pool.acquire());
  await pool.acquire();
  await assertRejects(() => pool.acquire(), Error, "max waitingClients");
});

test("acquires of generic-pool are served by priority, then by arrival", async () => {
  const { pool } = generic({ priorityRange: 3 });
  const held = await pool.acquire();
  const order: number[] = [];
  const waiting: Promise<void>[] = [];
  for (const [i, priority] of [2, 1, undefined, 0, 1, 7, -1].entries()) {
    waiting.push(pool.use(() => void order.push(i), priority));
  }
  await pool.release(held);
  await Promise.all(waiting);
  assertEquals(order, [2, 3, 1, 4, 0, 5, 6]);
});

test("generic-pool uses idle resources in turn, or the last one with fifo off", async () => {
  for (const [fifo, next] of [[true, 1], [false, 2]] as const) {
    const { pool } = generic({ max: 2, fifo });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    await pool.release(first);
    await pool.release(second);
    assertEquals((await pool.acquire()).id, next);
  }
});

test("generic-pool makes its minimum at once, and is ready with it", async () => {
  const { pool, log } = generic({ min: 2, max: 3 });
  const ready = watch(pool.ready());
  assertEquals(pool.size, 2);
  assertEquals(ready.settled, false);
  await settled();
  assertEquals(ready.settled, true);
  await pool.destroy(await pool.acquire());
  await settled();
  assertEquals(log, ["create 1", "create 2", "destroy 1", "create 3"]);
});

test("generic-pool is ready as soon as the minimum is idle again", async () => {
  const { pool } = generic({ min: 1 });
  const resource = await pool.acquire();
  const ready = watch(pool.ready());
  await settled();
  assertEquals(ready.settled, false);
  await pool.release(resource);
  await settled();
  assertEquals(ready.settled, true);
});

test("generic-pool without autostart begins with the first acquire, or start", async () => {
  const lazy = generic({ min: 2, max: 2, autostart: false });
  assertEquals(lazy.pool.size, 0);
  await lazy.pool.acquire();
  assertEquals(lazy.pool.size, 2);
  const started = generic({ min: 2, max: 2, autostart: false });
  started.pool.start();
  assertEquals(started.pool.size, 2);
});

test("a minimum of generic-pool that cannot be made is told, and made later", async () => {
  let fails = 1;
  const { pool, clock, made } = generic({ min: 1 }, {
    create: () => fails-- > 0 ? Promise.reject(new Error("no")) : made(),
  });
  const errors = heard(pool, "factoryCreateError");
  await clock.advance(100);
  assertEquals([errors.length, pool.available], [1, 1]);
});

test("generic-pool evicts nothing unless it is told to look", async () => {
  const { pool, clock, log } = generic();
  await pool.release(await pool.acquire());
  await clock.advance(1e6);
  assertEquals(log, ["create 1"]);
});

test("generic-pool replaces what was idle for too long, at its next look", async () => {
  const { clock, log } = generic({
    ...{ min: 1, max: 1 },
    ...{ idleTimeoutMillis: 25, evictionRunIntervalMillis: 10 },
  });
  await clock.advance(29);
  assertEquals(log, ["create 1"]);
  await clock.advance(1);
  assertEquals(log, ["create 1", "destroy 1", "create 2"]);
  assertEquals(clock.referenced, 0);
});

test("generic-pool without a soft limit keeps what is above the minimum", async () => {
  const { pool, clock } = generic({
    ...{ idleTimeoutMillis: 1_000, evictionRunIntervalMillis: 10 },
  });
  await pool.release(await pool.acquire());
  await clock.advance(1_000);
  assertEquals(pool.available, 1);
  await clock.advance(10);
  assertEquals(pool.available, 0);
});

test("generic-pool looks at nothing once it drains", async () => {
  const { pool, clock } = generic({ evictionRunIntervalMillis: 10 });
  const first = await pool.acquire();
  const second = pool.acquire();
  const drained = pool.drain();
  await pool.destroy(first);
  await pool.release(await second);
  await drained;
  assertEquals(clock.timers, 0);
});

test("generic-pool's soft limit keeps the minimum, and no look takes too many", async () => {
  const { pool, clock, log } = generic({
    ...{ min: 1, max: 6, numTestsPerEvictionRun: 2 },
    ...{ softIdleTimeoutMillis: 5, evictionRunIntervalMillis: 10 },
  });
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => pool.acquire()));
  const held = all.shift()!;
  for (const resource of all) await pool.release(resource);
  const idle = [];
  for (let look = 0; look < 3; look++) {
    await clock.advance(10);
    idle.push(pool.available);
  }
  assertEquals(idle, [2, 1, 1]);
  assertEquals(log.slice(5), ["destroy 2", "destroy 3", "destroy 4"]);
  // Used for long, it has not been idle.
  await pool.release(held);
  assertEquals(pool.available, 2);
});

test("with testOnBorrow generic-pool validates, and only false is a no", async () => {
  const answers: (boolean | undefined)[] = [true, undefined, false, true];
  const { pool, log } = generic({ testOnBorrow: true }, {
    validate: ({ id }) => {
      log.push(`validate ${id}`);
      return Promise.resolve(answers.shift()) as Promise<boolean>;
    },
  });
  await pool.release(await pool.acquire());
  await pool.release(await pool.acquire());
  await pool.release(await pool.acquire());
  assertEquals(log, [
    ...["create 1", "validate 1", "validate 1", "validate 1", "destroy 1"],
    ...["create 2", "validate 2"],
  ]);
});

test("a resource that generic-pool validates is in nobody's use yet", async () => {
  const verdicts: ((isValid: boolean) => void)[] = [];
  const { pool } = generic({ testOnBorrow: true }, {
    validate: () => new Promise((resolve) => verdicts.push(resolve)),
  });
  const acquiring = pool.acquire();
  await settled();
  verdicts.shift()!(true);
  const resource = await acquiring;
  await pool.release(resource);
  const again = pool.acquire();
  assertEquals(counts(pool), [1, 0, 0, 1]);
  verdicts.shift()!(true);
  assertStrictEquals(await again, resource);
  assertEquals(counts(pool), [1, 0, 1, 0]);
});

test("a resource that generic-pool finds invalid when it is made is a failed create", async () => {
  const answers = [false, true];
  const { pool, clock, log } = generic({ testOnBorrow: true }, {
    validate: () => Promise.resolve(answers.shift()!),
  });
  const errors = heard(pool, "factoryCreateError");
  const waiting = watch(pool.acquire());
  await settled();
  assertMatch(errors[0]!.message, /invalid/);
  assertEquals(log, ["create 1", "destroy 1"]);
  await clock.advance(100);
  assertEquals(waiting.value, { id: 2 });
});

test("generic-pool's drain serves who waits, and refuses who comes", async () => {
  const { pool, log } = generic();
  const first = await pool.acquire();
  const second = pool.acquire();
  const drained = watch(pool.drain());
  await assertRejects(
    () => pool.acquire(),
    Error,
    "pool is draining and cannot accept work",
  );
  await pool.release(first);
  assertStrictEquals(await second, first);
  await settled();
  assertEquals(drained.settled, false);
  await pool.release(first);
  await settled();
  assertEquals(drained.settled, true);
  assertEquals(await pool.clear(), undefined);
  assertEquals(log, ["create 1", "destroy 1"]);
  pool.start();
  assertEquals(counts(pool), [0, 0, 0, 0]);
});

test("generic-pool's drain resolves although a destroy fails", async () => {
  const { pool } = generic({}, {
    destroy: () => Promise.reject(new Error("no")),
  });
  const errors = heard(pool, "factoryDestroyError");
  await pool.release(await pool.acquire());
  await pool.drain();
  await pool.clear();
  assertEquals(errors.map(({ message }) => message), ["no"]);
});

test("what generic-pool makes as it drains is destroyed by the clear", async () => {
  let create!: (resource: Resource) => void;
  const { pool, log, made } = generic({ min: 1 }, {
    create: () => new Promise((resolve) => create = resolve),
  });
  await settled();
  const cleared = watch(pool.drain().then(() => pool.clear()));
  await settled();
  assertEquals(cleared.settled, false);
  create(made());
  await settled();
  assertEquals(cleared.settled, true);
  assertEquals(log, ["create 1", "destroy 1"]);
});

test("generic-pool's clear ends what is idle and coming, and keeps what is used", async () => {
  let create!: (resource: Resource) => void;
  let isSlow = false;
  const ends: (() => void)[] = [];
  const { pool, log, made } = generic({ min: 3, max: 3 }, {
    create: () => isSlow ? new Promise((resolve) => create = resolve) : made(),
    destroy: ({ id }) => {
      log.push(`destroy ${id}`);
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  const [used, idle, gone] = await Promise.all(
    [1, 2, 3].map(() => pool.acquire()),
  );
  isSlow = true;
  await pool.release(idle!);
  await pool.destroy(gone!);
  await settled();
  ends.shift()!();
  await settled();
  const cleared = watch(pool.clear());
  await settled();
  assertEquals(log.slice(3), ["destroy 3"]);
  create(made());
  await settled();
  assertEquals(log.slice(5), ["destroy 2", "destroy 4"]);
  assertEquals(cleared.settled, false);
  for (const end of ends) end();
  await settled();
  assertEquals(cleared.settled, true);
  await pool.release(used!);
  assertEquals(pool.available, 1);
});

test("generic-pool gives promises of the kind that is wanted", async () => {
  class Wanted<R> extends Promise<R> {}
  const { pool } = generic({ Promise: Wanted });
  const acquiring = pool.acquire();
  assertInstanceOf(acquiring, Wanted);
  const resource = await acquiring;
  const all = [
    pool.release(resource),
    pool.release(resource).catch(() => {}),
    pool.use(() => {}),
    pool.ready(),
    pool.clear(),
    pool.drain(),
  ];
  for (const promise of all) assertInstanceOf(promise, Wanted);
  await Promise.all(all);
});
