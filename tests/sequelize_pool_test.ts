import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { AcquireTimeoutError } from "../mod.ts";
import {
  AggregateError,
  type FactoryOptions,
  Pool,
  TimeoutError,
} from "../src/sequelize_pool/mod.ts";
import { settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

interface Resource {
  readonly id: number;
}

/** A pool of sequelize-pool's kind, with a log of what is made and destroyed. */
function sequelize(options: Partial<FactoryOptions<Resource>> = {}) {
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
    validate: () => true,
    min: 0,
    max: 2,
    ...options,
  }, { clock });
  return { pool, clock, log, made };
}

function counts(pool: Pool<Resource>): number[] {
  return [pool.size, pool.available, pool.using, pool.waiting];
}

test("options of sequelize-pool are checked in its words", () => {
  const right = {
    create: () => Promise.resolve(1),
    destroy: () => {},
    validate: () => true,
    min: 0,
    max: 1,
  };
  const wrong: [object, string][] = [
    [{ create: undefined }, "create function is required"],
    [{ destroy: undefined }, "destroy function is required"],
    [{ validate: undefined }, "validate function is required"],
    [{ min: undefined }, "min must be an integer >= 0"],
    [{ min: -1 }, "min must be an integer >= 0"],
    [{ max: 0 }, "max must be an integer > 0"],
    [{ max: 1.5 }, "max must be an integer > 0"],
    [{ min: 12 }, "max is smaller than min"],
    [{ maxUses: -1 }, "maxUses must be an integer >= 0"],
    [{ maxUses: 1.5 }, "maxUses must be an integer >= 0"],
  ];
  for (const [options, message] of wrong) {
    const all = { ...right, ...options } as FactoryOptions<number>;
    assertThrows(() => new Pool(all), Error, message);
  }
});

test("times of sequelize-pool that are none have their defaults", async () => {
  const { pool, clock } = sequelize({
    ...{ max: 1, acquireTimeoutMillis: null, idleTimeoutMillis: NaN },
  });
  const held = await pool.acquire();
  const late = watch(pool.acquire());
  await clock.advance(29_999);
  assertEquals(late.settled, false);
  await clock.advance(1);
  assertEquals(late.settled, true);
  pool.release(held);
  await clock.advance(30_000);
  assertEquals(pool.available, 1);
  await clock.advance(1);
  assertEquals(pool.available, 0);
});

test("sequelize-pool's counts follow a resource from the acquire to the release", async () => {
  const { pool } = sequelize({ name: "write", min: 1, max: 3 });
  assertEquals([pool.name, pool.minSize, pool.maxSize], ["write", 1, 3]);
  const acquiring = pool.acquire();
  assertEquals(counts(pool), [1, 0, 0, 1]);
  const resource = await acquiring;
  assertEquals(counts(pool), [1, 0, 1, 0]);
  pool.release(resource);
  assertEquals(counts(pool), [1, 1, 0, 0]);
});

test("a max of Infinity is no limit to sequelize-pool", async () => {
  const { pool } = sequelize({ max: Infinity });
  await Promise.all([1, 2, 3].map(() => pool.acquire()));
  assertEquals([pool.using, pool.maxSize], [3, Infinity]);
});

test("sequelize-pool takes the resource that was released last", async () => {
  const { pool } = sequelize();
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  pool.release(first);
  pool.release(second);
  assertStrictEquals(await pool.acquire(), second);
});

test("an acquire of sequelize-pool waits for acquireTimeoutMillis", async () => {
  const { pool, clock } = sequelize({ max: 1, acquireTimeoutMillis: 100 });
  await pool.acquire();
  const late = watch(pool.acquire());
  await clock.advance(99);
  assertEquals(late.settled, false);
  await clock.advance(1);
  const { error } = late;
  assertInstanceOf(error, TimeoutError);
  assertEquals(error.message, "Pool acquire operation timeout");
  assertInstanceOf(error.cause, AcquireTimeoutError);
  assertEquals(pool.waiting, 0);
});

test("a create of sequelize-pool that hangs gives its place back", async () => {
  let isHanging = true;
  const { pool, clock, made } = sequelize({
    create: () => isHanging ? new Promise(() => {}) : Promise.resolve(made()),
    max: 1,
    acquireTimeoutMillis: 100,
  });
  const late = watch(pool.acquire());
  await clock.advance(100);
  assertInstanceOf(late.error, TimeoutError);
  isHanging = false;
  assertEquals(await pool.acquire(), { id: 1 });
});

test("a create that fails rejects the first who waits in sequelize-pool", async () => {
  let creates = 0;
  const { pool, made } = sequelize({
    create: () =>
      ++creates < 3
        ? Promise.reject(new Error(`${creates}`))
        : Promise.resolve(made()),
    max: 1,
  });
  const all = [1, 2, 3].map(() => pool.acquire());
  const [first, second, third] = await Promise.allSettled(all);
  assertEquals((first as PromiseRejectedResult).reason.message, "1");
  assertEquals((second as PromiseRejectedResult).reason.message, "2");
  assertEquals((third as PromiseFulfilledResult<Resource>).value, { id: 1 });
});

test("sequelize-pool validates what is used again, not what is new", async () => {
  const asked: number[] = [];
  const { pool, log } = sequelize({
    validate: ({ id }) => asked.push(id) > 1,
  });
  pool.release(await pool.acquire());
  assertEquals(asked, []);
  pool.release(await pool.acquire());
  assertEquals(log, ["create 1", "destroy 1", "create 2"]);
  pool.release(await pool.acquire());
  assertEquals(asked, [1, 2]);
});

test("a resource of sequelize-pool is used maxUses times, 0 being without end", async () => {
  for (const [maxUses, last] of [[2, 3], [0, 1]] as const) {
    const { pool } = sequelize({ max: 1, maxUses });
    let id = 0;
    for (let use = 0; use < 5; use++) {
      const resource = await pool.acquire();
      pool.release(resource);
      ({ id } = resource);
    }
    assertEquals(id, last);
  }
});

test("an idle resource of sequelize-pool is destroyed, but for the minimum", async () => {
  const { pool, clock, log } = sequelize({ min: 1, idleTimeoutMillis: 5_000 });
  const all = [await pool.acquire(), await pool.acquire()];
  for (const resource of all) pool.release(resource);
  await clock.advance(5_000);
  assertEquals(log.length, 2);
  await clock.advance(1);
  assertEquals(log.slice(2), ["destroy 1"]);
  assertEquals(clock.referenced, 0);
});

test("a resource of sequelize-pool is idle for reapIntervalMillis at least", async () => {
  const { pool, clock } = sequelize({
    ...{ idleTimeoutMillis: 0, reapIntervalMillis: 50 },
  });
  pool.release(await pool.acquire());
  await clock.advance(50);
  assertEquals(pool.available, 1);
  await clock.advance(1);
  assertEquals(pool.available, 0);
});

test("sequelize-pool logs what is released that is not in use", async () => {
  const heard: [string, string][] = [];
  const { pool } = sequelize({
    log: (message, level) => void heard.push([level, message]),
  });
  const resource = await pool.acquire();
  assertEquals(heard, [
    ["info", "dispense() clients=1 available=0"],
    ["verbose", "createResource() - creating obj - count=1 min=0 max=2"],
  ]);
  pool.release({ id: 1 });
  assertEquals(pool.using, 1);
  pool.release(resource);
  pool.release(resource);
  assertEquals(pool.available, 1);
  const errors = heard.filter(([level]) => level === "error");
  assertEquals(errors.length, 2);
  assertMatch(errors[0]![1], /^attempt to release what is not in use: /);
});

test("sequelize-pool can log to the console", async () => {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line) => void lines.push(line);
  try {
    await sequelize({ log: true, name: "read" }).pool.drain();
    await sequelize({ log: true }).pool.drain();
  } finally {
    console.log = log;
  }
  assertEquals(lines, ["INFO pool read - draining", "INFO pool  - draining"]);
});

test("a second release of sequelize-pool frees nothing of the next owner's", async () => {
  const { pool } = sequelize({ max: 1 });
  const resource = await pool.acquire();
  const [second, third] = [watch(pool.acquire()), watch(pool.acquire())];
  pool.release(resource);
  pool.release(resource);
  await settled();
  assertEquals([second.settled, third.settled], [true, false]);
});

test("sequelize-pool's destroy ends what is used or idle, and waits for it", async () => {
  const ends: (() => void)[] = [];
  const { pool } = sequelize({
    destroy: () => new Promise<void>((resolve) => ends.push(resolve)),
  });
  const [used, idle] = [await pool.acquire(), await pool.acquire()];
  pool.release(idle);
  const outcomes = [watch(pool.destroy(used)), watch(pool.destroy(idle))];
  assertEquals(counts(pool), [0, 0, 0, 0]);
  // What is used ends within the call.
  assertEquals(ends.length, 1);
  await settled();
  assertEquals(outcomes.map(({ settled }) => settled), [false, false]);
  for (const end of ends) end();
  await settled();
  assertEquals(outcomes.map(({ settled }) => settled), [true, true]);
  await pool.destroy(used);
  assertEquals(ends.length, 2);
});

test("a destroy of sequelize-pool rejects with what it failed with", async () => {
  const { pool } = sequelize({
    destroy: () => {
      throw new Error("no");
    },
  });
  const resource = await pool.acquire();
  await assertRejects(() => pool.destroy(resource), Error, "no");
  assertEquals(pool.size, 0);
});

test("the place of what sequelize-pool destroys serves who waits", async () => {
  const { pool } = sequelize({ max: 1 });
  const first = await pool.acquire();
  const second = pool.acquire();
  void pool.destroy(first);
  assertNotStrictEquals(await second, first);
});

test("sequelize-pool's drain serves who waits, and refuses who comes", async () => {
  const { pool, log } = sequelize({ max: 1 });
  const first = await pool.acquire();
  const second = pool.acquire();
  const drained = watch(pool.drain());
  await assertRejects(
    () => pool.acquire(),
    Error,
    "pool is draining and cannot accept work",
  );
  pool.release(first);
  assertStrictEquals(await second, first);
  assertEquals(drained.settled, false);
  pool.release(first);
  await settled();
  assertEquals(drained.settled, true);
  await pool.destroyAllNow();
  assertEquals(log, ["create 1", "destroy 1"]);
});

test("sequelize-pool's destroyAllNow ends what is idle, and keeps what is used", async () => {
  const { pool, log } = sequelize();
  const [used, idle] = [await pool.acquire(), await pool.acquire()];
  pool.release(idle);
  await pool.destroyAllNow();
  assertEquals(log.slice(2), ["destroy 2"]);
  pool.release(used);
  assertEquals(counts(pool), [1, 1, 0, 0]);
});

test("sequelize-pool's destroyAllNow tells of all that failed, also after drain", async () => {
  for (const isDrained of [false, true]) {
    for (const n of [1, 2]) {
      const { pool } = sequelize({
        destroy: ({ id }) => Promise.reject(new Error(`${id}`)),
      });
      const all = [];
      while (all.length < n) all.push(await pool.acquire());
      for (const resource of all) pool.release(resource);
      if (isDrained) await pool.drain();
      const error = await assertRejects(
        () => pool.destroyAllNow(),
        AggregateError,
      );
      assertEquals(error.name, "AggregateError");
      assertEquals(
        error.errors.map(({ message }) => message),
        ["1", "2"].slice(0, n),
      );
      assertEquals(pool.size, 0);
    }
  }
});
