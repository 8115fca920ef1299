import { assertEquals, assertStrictEquals } from "@std/assert";
import { Pool, type PoolObserver } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

const NAMES = [
  "created",
  "createFailed",
  "destroyed",
  "acquired",
  "acquireFailed",
  "released",
] as const;

type Event = [name: keyof PoolObserver<Resource>, event: unknown];

/** An observer that does this with each event. */
function observing(
  see: (...event: Event) => unknown,
): PoolObserver<Resource> {
  return Object.fromEntries(
    NAMES.map((name) => [name, (event: unknown) => see(name, event)]),
  );
}

/** A pool whose events are kept. */
function observed(options: Parameters<typeof fixture>[0] = {}) {
  const events: Event[] = [];
  const observer = observing((...event) => events.push(event));
  return { ...fixture({ ...options, observer }), events };
}

test("the observer is told of a create and of the acquire that waited for it", async () => {
  const { pool, clock, factory, events } = observed({ stripes: 2, max: 2 });
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ affinity: 1 }));
  await clock.advance(120);
  factory.finishCreate();
  await settled();
  const resource = leaseOf(waiter).value;
  const order = new Map(events);
  assertEquals(order.size, 2);
  assertEquals(order.get("created"), { resource, stripe: 1, duration: 120 });
  assertEquals(order.get("acquired"), { resource, stripe: 1, wait: 120 });
});

test("the observer is told of releases and of acquires that need no wait", async () => {
  const { pool, events } = observed();
  const [resource] = await fill(pool, 1);
  events.length = 0;
  (await pool.acquire()).release();
  pool.tryAcquire()!.release();
  const acquired: Event = ["acquired", { resource, stripe: 0, wait: 0 }];
  const released: Event = ["released", { resource, stripe: 0 }];
  assertEquals(events, [acquired, released, acquired, released]);
});

test("the observer is told of a failed create and of the acquire it rejects", async () => {
  const { pool, clock, factory, events } = observed();
  factory.manual.add("create");
  watch(pool.acquire());
  await clock.advance(30);
  const error = new Error("refused");
  factory.failCreate(error);
  await settled();
  const order = new Map(events);
  assertEquals(order.get("createFailed"), { error, stripe: 0, duration: 30 });
  assertEquals(order.get("acquireFailed"), { error, wait: 30 });
  assertEquals(events.length, 2);
});

test("the observer is told of a failed create that was for nobody", async () => {
  const { pool, factory, events } = observed();
  factory.manual.add("create");
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  events.length = 0;
  factory.failCreate("refused");
  await settled();
  assertEquals(events, [
    ["createFailed", { error: "refused", stripe: 0, duration: 0 }],
  ]);
});

test("the observer is told of each acquire that fails, and why", async () => {
  const { pool, clock, events } = observed({ maxPending: 2 });
  const held = await pool.acquire();
  const controller = new AbortController();
  events.length = 0;
  const outcomes = [
    watch(pool.acquire({ timeout: 0 })),
    watch(pool.acquire({ signal: AbortSignal.abort("before") })),
    watch(pool.acquire({ timeout: 10 })),
    watch(pool.acquire({ signal: controller.signal })),
    watch(pool.acquire()),
  ];
  await clock.advance(10);
  await clock.advance(5);
  controller.abort("meanwhile");
  await settled();
  const closed = watch(pool.close());
  outcomes.push(watch(pool.acquire()));
  await settled();
  assertEquals(events.map(([name]) => name), Array(6).fill("acquireFailed"));
  const failures = events.map(([, event]) =>
    event as { error: unknown; wait: number }
  );
  const waits = failures.map(({ wait }) => wait);
  assertEquals(waits, [0, 0, 0, 10, 15, 0]);
  const errors = new Set(failures.map(({ error }) => error));
  for (const { error } of outcomes) assertEquals(errors.has(error), true);
  held.release();
  await settled();
  assertEquals(closed.settled, true);
});

test("the observer is told why and how long each resource was destroyed", async () => {
  const { pool, clock, factory, events } = observed({ max: 2 });
  const lease = await pool.acquire();
  const resource = lease.value;
  factory.manual.add("destroy");
  events.length = 0;
  lease.destroy();
  await clock.advance(40);
  assertEquals(events, [], "not before destroy has settled");
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(events, [
    ["destroyed", { resource, stripe: 0, reason: "lease", duration: 40 }],
  ]);
});

test("the observer is told of a destroy that fails or times out", async () => {
  const { pool, clock, factory, events } = observed({ destroyTimeout: 100 });
  factory.manual.add("destroy");
  const seen: unknown[] = [];
  for (const error of [new Error("no"), undefined]) {
    (await pool.acquire()).destroy();
    await settled();
    events.length = 0;
    factory.destroys.shift()!.reject(error);
    await settled();
    const event = events[0]![1] as { error: unknown };
    assertEquals("error" in event, true);
    assertStrictEquals(event.error, error);
    seen.push(event);
  }
  (await pool.acquire()).destroy();
  await settled();
  events.length = 0;
  await clock.advance(100);
  const { error, duration } = events[0]![1] as {
    error: Error;
    duration: number;
  };
  assertEquals(
    error.message,
    "'destroy' of pool 'pool' did not settle within 100 ms",
  );
  assertEquals([duration, seen.length], [100, 2]);
});

test("every reason of a destroy has its name", async () => {
  const reasons: [number, string][] = [];
  const { pool, clock, factory } = validated({
    max: 3,
    idleTimeout: 1_000,
    createTimeout: 100,
    observer: {
      destroyed: ({ resource, reason }) =>
        void reasons.push([resource.id, reason]),
    },
  });
  const [bad] = await fill(pool, 1);
  factory.bad.add(bad!);
  (await pool.acquire()).destroy();
  await fill(pool, 1);
  await clock.advance(1_100);
  await fill(pool, 1);
  pool.clear();
  factory.manual.add("create");
  watch(pool.acquire());
  await clock.advance(100);
  factory.finishCreate();
  factory.manual.clear();
  await settled();
  await fill(pool, 1);
  await pool.close();
  assertEquals(reasons, [
    [1, "invalid"],
    [2, "lease"],
    [3, "idle"],
    [4, "clear"],
    [5, "late"],
    [6, "close"],
  ]);
});

test("a release that retires still counts as a release, a destroy does not", async () => {
  const { pool, events } = observed({ max: 2 });
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  pool.clear();
  events.length = 0;
  first.release();
  second.destroy();
  await settled();
  const names = events.map(([name]) => name);
  assertEquals(names.filter((name) => name === "released").length, 1);
  assertEquals(names.filter((name) => name === "destroyed").length, 2);
});

test("an observer that throws changes nothing for anybody", async () => {
  const observer = observing((name) => {
    throw new Error(name);
  });
  const f = fixture({ max: 2, observer });
  await exercise(f);
});

test("an observer that rejects changes nothing and is no unhandled rejection", async () => {
  const observer = observing((name) => Promise.reject(new Error(name)));
  const f = fixture({ max: 2, observer });
  await exercise(f);
});

test("an observer whose methods are no functions changes nothing", async () => {
  const observer = Object.fromEntries(NAMES.map((name) => [name, 1]));
  await exercise(fixture({ max: 2, observer: observer as never }));
});

test("an observer that returns a hostile thenable changes nothing", async () => {
  const observer = observing(() => ({
    get then() {
      throw new Error("then");
    },
  }));
  await exercise(fixture({ max: 2, observer }));
});

/** Makes every event happen and asserts that the pool is as it should be. */
async function exercise(f: ReturnType<typeof fixture>): Promise<void> {
  const { pool, factory } = f;
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  const waiter = watch(pool.acquire());
  const failed = watch(pool.acquire({ timeout: 0 }));
  first.release();
  await settled();
  leaseOf(waiter).release();
  assertEquals(failed.settled, true);
  factory.manual.add("create");
  second.destroy();
  const third = pool.tryAcquire()!;
  const refused = watch(pool.acquire());
  await settled();
  factory.failCreate("refused");
  await settled();
  assertEquals(refused.error, "refused");
  assertCounts(pool, { used: 1 });
  third.release();
  await assertClosesClean(f);
}

test("every event meets a finished state", async () => {
  const faults: string[] = [];
  const events: string[] = [];
  const observer = observing((name) => {
    events.push(name);
    const { idle, used, creating, destroying, max } = f.pool.stats();
    const slots = [idle, used, creating, destroying];
    const taken = slots.reduce((a, b) => a + b);
    if (Math.min(...slots) < 0 || taken > max) faults.push(`${name}: ${slots}`);
  });
  const f = fixture({ max: 2, observer });
  await exercise(f);
  assertEquals(faults, []);
  assertEquals(new Set(events), new Set(NAMES));
});

test("an event comes after the change it tells of", async () => {
  const seen: [string, unknown][] = [];
  const observer = observing((name) => {
    const { idle, used, creating, destroying, pending } = f.pool.stats();
    seen.push([name, { idle, used, creating, destroying, pending }]);
  });
  const f = fixture({ observer });
  const none = { idle: 0, used: 0, creating: 0, destroying: 0, pending: 0 };
  const lease = await f.pool.acquire();
  const created = new Map(seen.splice(0));
  assertEquals(created.get("created"), { ...none, used: 1 });
  assertEquals(created.get("acquired"), { ...none, used: 1 });
  watch(f.pool.acquire({ timeout: 10 }));
  await f.clock.advance(10);
  assertEquals(seen.splice(0), [["acquireFailed", { ...none, used: 1 }]]);
  lease.release();
  assertEquals(seen.splice(0), [["released", { ...none, idle: 1 }]]);
  f.pool.tryAcquire()!.destroy();
  await settled();
  assertEquals(seen.splice(0), [
    ["acquired", { ...none, used: 1 }],
    ["destroyed", none],
  ]);
  f.factory.manual.add("create");
  watch(f.pool.acquire());
  await settled();
  f.factory.failCreate("no");
  await settled();
  assertEquals(new Map(seen).get("createFailed"), none);
});

test("an observer may acquire and release from within an event", async () => {
  let acquires = 0;
  const observer = observing(() => {
    if (acquires++ < 500) watch(f.pool.use(() => {}));
    f.pool.tryAcquire();
  });
  const f = fixture({ max: 2, observer: { released: observer.released! } });
  await f.pool.use(() => {});
  while (acquires < 501) await settled();
  assertEquals(f.pool.stats().pending, 0);
});

test("the methods of an observer are called on the observer", async () => {
  class Counting implements PoolObserver<Resource> {
    #created = 0;
    created(): void {
      this.#created++;
    }
    get count(): number {
      return this.#created;
    }
  }
  const observer = new Counting();
  const { pool } = fixture({ observer });
  await fill(pool, 1);
  assertEquals(observer.count, 1);
});

test("an event comes before the events of what follows from it", async () => {
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(name);
  const pool = new Pool({
    create: () => Promise.resolve({}),
    max: 1,
    observer: {
      created: note("created"),
      acquired: note("acquired"),
      released: note("released"),
      destroyed: note("destroyed"),
    },
  });
  const first = await pool.acquire();
  const second = pool.acquire();
  first.release();
  const third = pool.acquire();
  (await second).destroy();
  await third;
  assertEquals(seen, [
    ...["created", "acquired", "released", "acquired"],
    ...["destroyed", "created", "acquired"],
  ]);
  await pool.close({ signal: AbortSignal.abort() });
});

test("durations are told in full although idleTimeout is infinite", async () => {
  const { pool, clock, factory, events } = observed({ idleTimeout: Infinity });
  factory.manual.add("create").add("destroy");
  const waiter = watch(pool.acquire());
  await clock.advance(120);
  factory.finishCreate();
  await settled();
  const late = watch(pool.acquire({ timeout: 30 }));
  await clock.advance(30);
  assertEquals(late.settled, true);
  const resource = leaseOf(waiter).value;
  leaseOf(waiter).destroy();
  await clock.advance(40);
  factory.destroys.shift()!.resolve();
  await settled();
  const told = new Map(events);
  assertEquals(told.get("created"), { resource, stripe: 0, duration: 120 });
  assertEquals(told.get("acquired"), { resource, stripe: 0, wait: 120 });
  assertEquals(told.get("acquireFailed"), { error: late.error, wait: 30 });
  assertEquals(told.get("destroyed"), {
    ...{ resource, stripe: 0, reason: "lease", duration: 40 },
  });
});

test("a create is told of before what follows from it, also where that is at once", async () => {
  const { pool, factory, events } = observed();
  factory.manual.add("create");
  const controller = new AbortController();
  const left = watch(pool.acquire({ signal: controller.signal }));
  await settled();
  controller.abort("left");
  await settled();
  assertEquals(left.error, "left");
  pool.clear();
  events.length = 0;
  factory.finishCreate();
  await settled();
  assertEquals(events.map(([name]) => name), ["created", "destroyed"]);
});
