import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Pool, type PoolObserver, type PoolOptions } from "../mod.ts";
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
import { watchLeaks } from "../src/leaks/mod.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const NAMES = [
  "created",
  "createFailed",
  "destroyed",
  "acquired",
  "acquireFailed",
  "released",
  "idled",
] as const;

/** The default of the option, which every event has. */
const POOL = { pool: "pool" };

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
  const created = { ...POOL, id: 0, resource, stripe: 1, duration: 120 };
  assertEquals(order.get("created"), created);
  assertEquals(order.get("acquired"), {
    ...POOL,
    ...{ resource, stripe: 1, wait: 120 },
  });
});

test("the observer is told of releases and of acquires that need no wait", async () => {
  const { pool, events } = observed();
  const [resource] = await fill(pool, 1);
  events.length = 0;
  (await pool.acquire()).release();
  pool.tryAcquire()!.release();
  const of = { ...POOL, resource, stripe: 0 };
  const acquired: Event = ["acquired", { ...of, wait: 0 }];
  const released: Event = ["released", { ...of, use: 0 }];
  const idled: Event = ["idled", of];
  const turn = [acquired, released, idled];
  assertEquals(events, [...turn, ...turn]);
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
  const failed = { ...POOL, id: 0, error, stripe: 0, duration: 30 };
  assertEquals(order.get("createFailed"), failed);
  assertEquals(order.get("acquireFailed"), { ...POOL, error, wait: 30 });
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
    ["createFailed", {
      ...POOL,
      ...{ id: 0, error: "refused", stripe: 0, duration: 0 },
    }],
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
    ["destroyed", {
      ...POOL,
      ...{ id: 0, resource, stripe: 0, reason: "lease", duration: 40 },
      ...{ age: 0, uses: 1, use: 0 },
    }],
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
  const idle = { ...none, idle: 1 };
  assertEquals(seen.splice(0), [["released", idle], ["idled", idle]]);
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
  const created = { ...POOL, id: 0, resource, stripe: 0, duration: 120 };
  assertEquals(told.get("created"), created);
  assertEquals(told.get("acquired"), {
    ...POOL,
    ...{ resource, stripe: 0, wait: 120 },
  });
  assertEquals(told.get("acquireFailed"), {
    ...POOL,
    ...{ error: late.error, wait: 30 },
  });
  assertEquals(told.get("destroyed"), {
    ...POOL,
    ...{ id: 0, resource, stripe: 0, reason: "lease", duration: 40 },
    ...{ age: 30, uses: 1, use: 30 },
  });
});

test("each create and destroy is told of as it begins, and as it ends by the same id", async () => {
  const seen: unknown[] = [];
  const note = (name: string) => (event: { id: number }) =>
    void seen.push(`${name} ${event.id}`);
  const { pool, factory } = fixture({
    max: 2,
    observer: {
      createBegan: note("create"),
      created: note("created"),
      createFailed: note("failed"),
      destroyBegan: note("destroy"),
      destroyed: note("destroyed"),
    },
  });
  factory.manual.add("create").add("destroy");
  watch(pool.acquire());
  const second = watch(pool.acquire());
  await settled();
  assertEquals(seen, ["create 0", "create 1"], "before they have settled");
  factory.failCreate("no");
  factory.finishCreate();
  await settled();
  leaseOf(second).destroy();
  await settled();
  assertEquals(seen.slice(2), ["failed 0", "created 1", "destroy 0"]);
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(seen.slice(5), ["destroyed 0"]);
});

test("as a destroy begins it is told what user code failed with before", async () => {
  const reasons: unknown[] = [];
  const losses: ((error: unknown) => void)[] = [];
  const make = (options: Partial<PoolOptions<object>>) =>
    new Pool<object>({
      max: 1,
      idleTimeout: Infinity,
      clock: new VirtualClock(),
      create: ({ lost }) => {
        losses.push(lost);
        return {};
      },
      observer: {
        destroyBegan: ({ reason, error }) => void reasons.push([reason, error]),
      },
      ...options,
    });
  const fail = (error: string) => () => Promise.reject(error);
  const validated = make({ validate: fail("ill") });
  (await validated.acquire()).release();
  watch(validated.acquire());
  await settled();
  const thrown = make({
    validate: () => {
      throw "worse";
    },
  });
  (await thrown.acquire()).release();
  thrown.tryAcquire();
  (await make({ reset: fail("dirty") }).acquire()).release();
  await settled();
  const lost = await make({}).acquire();
  losses.at(-1)!("gone");
  lost.release();
  (await make({}).acquire()).destroy();
  await settled();
  assertEquals(reasons, [
    ["invalid", "ill"],
    ["invalid", "worse"],
    ["reset", "dirty"],
    ["lost", "gone"],
    ["lease", undefined],
  ]);
});

test("the observer is told of what goes idle, be it new or given back", async () => {
  const { pool, clock, events } = observed({ max: 2 });
  await pool.warm(1);
  const lease = await pool.acquire();
  const waiter = watch(pool.acquire());
  await settled();
  lease.release();
  leaseOf(waiter).destroy();
  await clock.advance(0);
  const idled = events.filter(([name]) => name === "idled");
  const event = { ...POOL, resource: { id: 1 }, stripe: 0 };
  assertEquals(idled, [["idled", event], ["idled", event]]);
});

test("what is reset is idle after it, and not when it is released", async () => {
  const { pool, factory, events } = observed({ reset: undefined });
  const kept = fixture({
    reset: factory.reset,
    observer: observing((...event) => events.push(event)),
  });
  await pool.close();
  factory.manual.add("reset");
  (await kept.pool.acquire()).release();
  await settled();
  const names = () => events.map(([name]) => name).slice(2);
  assertEquals(names(), ["released"]);
  factory.resets.shift()!.resolve(undefined);
  await settled();
  assertEquals(names(), ["released", "idled"]);
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

test("a release is told with how long the lease was held, whatever takes it next", async () => {
  const uses: unknown[] = [];
  const observer: PoolObserver<Resource> = {
    released: ({ pool, use }) => void uses.push([pool, use]),
  };
  for (const reset of [undefined, () => {}]) {
    const { pool, clock } = fixture({ name: "db", reset, observer });
    const first = await pool.acquire();
    await clock.advance(20);
    const second = watch(pool.acquire());
    await clock.advance(30);
    first.release();
    await clock.advance(5);
    leaseOf(second).release();
    await settled();
  }
  assertEquals(uses, [["db", 50], ["db", 5], ["db", 50], ["db", 5]]);
});

test("a destroy is told with the age and uses of the resource, and with its use if a lease ended with it", async () => {
  const told: unknown[] = [];
  const note = (
    { id, age, uses, use }: {
      id: number;
      age: number;
      uses: number;
      use?: number;
    },
  ) => void told.push([id, age, uses, use]);
  const { pool, clock, factory } = fixture({
    createTimeout: 10,
    observer: { destroyBegan: note, destroyed: note },
  });
  (await pool.acquire()).release();
  await clock.advance(40);
  const lease = await pool.acquire();
  await clock.advance(2);
  factory.manual.add("destroy");
  lease.destroy();
  await clock.advance(3);
  factory.manual.clear();
  factory.destroys.shift()!.resolve();
  await settled();
  await fill(pool, 1);
  await clock.advance(7);
  pool.clear();
  await settled();
  factory.manual.add("create");
  watch(pool.acquire());
  await clock.advance(11);
  factory.finishCreate();
  await settled();
  assertEquals(told, [
    ...[[0, 42, 2, 2], [0, 42, 2, 2]],
    ...[[1, 7, 1, undefined], [1, 7, 1, undefined]],
    ...[[2, 0, 0, undefined], [2, 0, 0, undefined]],
  ]);
});

test("a detach is told, with the use that ended with it, and no destroy is", async () => {
  const told: unknown[] = [];
  const observer: PoolObserver<Resource> = {
    detached: (event) => void told.push({ ...event, at: pool.stats().used }),
    destroyBegan: () => void told.push("destroyBegan"),
    destroyed: () => void told.push("destroyed"),
    released: ({ use }) => void told.push(use),
  };
  const { pool, clock } = fixture({ observer, stripes: 2, max: 2 });
  const first = await pool.acquire({ affinity: 1 });
  await clock.advance(5);
  first.release();
  await clock.advance(10);
  const lease = await pool.acquire({ affinity: 1 });
  await clock.advance(20);
  const { value, stripe } = lease;
  lease.detach();
  const event = { resource: value, stripe, age: 35, uses: 2, use: 20, at: 0 };
  assertEquals(told, [5, { ...POOL, ...event }]);
  assertThrows(() => lease.detach());
  await pool.close();
  assertEquals(told.length, 2);
});

test("what was created has been destroyed or detached once a pool has closed", async () => {
  for (const leaks of [undefined, watchLeaks({ after: 1_000 })]) {
    const counts = { created: 0, destroyed: 0, detached: 0 };
    const count = (name: keyof typeof counts) => () => void counts[name]++;
    const { pool } = fixture({
      ...{ max: 3, leaks, reset: () => {} },
      observer: {
        created: count("created"),
        destroyed: count("destroyed"),
        detached: count("detached"),
      },
    });
    for (let n = 0; n < 10; n++) {
      const lease = await pool.acquire();
      if (n % 3 === 0) lease.detach();
      else if (n % 3 === 1) lease.release();
      else lease.destroy();
    }
    const last = await pool.acquire();
    const closing = pool.close();
    last.detach();
    await closing;
    assertEquals(counts, { created: 8, destroyed: 3, detached: 5 });
  }
});

test("a detach that a close has forestalled is not told", async () => {
  const told: unknown[] = [];
  const observer = { detached: () => void told.push("detached") };
  const { pool } = fixture({ observer });
  const lease = await pool.acquire();
  await pool.close({ signal: AbortSignal.abort() });
  assertThrows(() => lease.detach());
  assertEquals(told, []);
});

test("an observer can be added to a pool at any time, and ends with its Disposable", async () => {
  const { pool } = fixture();
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(name);
  (await pool.acquire()).release();
  const lease = await pool.acquire();
  {
    using _observing = pool.observe({
      acquired: note("acquired"),
      released: note("released"),
    });
    lease.release();
    (await pool.acquire()).release();
    pool.tryAcquire()!.release();
  }
  (await pool.acquire()).release();
  const turn = ["acquired", "released"];
  assertEquals(seen, ["released", ...turn, ...turn]);
});

test("an acquire that waits as an observer comes or goes gets its lease all the same", async () => {
  const f = fixture();
  const acquired: number[] = [];
  const observer: PoolObserver<Resource> = {
    acquired: ({ wait }) => void acquired.push(wait),
  };
  const first = await f.pool.acquire();
  const early = watch(f.pool.acquire());
  const observing = f.pool.observe(observer);
  const told = watch(f.pool.acquire());
  await f.clock.advance(10);
  first.release();
  await settled();
  leaseOf(early).release();
  await settled();
  const untold = watch(f.pool.acquire());
  assertEquals(acquired, [10], "only the one that came after the observer");
  observing[Symbol.dispose]();
  leaseOf(told).release();
  await settled();
  assertEquals(leaseOf(untold).value, { id: 1 });
  leaseOf(untold).release();
  assertEquals(acquired, [10]);
  await assertClosesClean(f);
});

test("several observers are told, in the order they came, each its own copy", async () => {
  const { pool, events } = observed();
  const seen: unknown[] = [];
  const spoiling = (event: Partial<{ pool: string; wait: number }>) => {
    seen.push("spoiling");
    delete event.wait;
    throw new Error("spoilt");
  };
  pool.observe({ acquired: spoiling });
  pool.observe({ acquired: ({ wait }) => void seen.push(wait) });
  await pool.acquire();
  assertEquals(seen, ["spoiling", 0]);
  assertEquals(events.filter(([name]) => name === "acquired").length, 1);
});

test("an observer that is added twice is told once, until both have ended", async () => {
  const { pool } = fixture();
  let told = 0;
  const observer = { released: () => void told++ };
  const [first, second] = [pool.observe(observer), pool.observe(observer)];
  const turn = async () => {
    (await pool.acquire()).release();
    return told;
  };
  assertEquals(await turn(), 1);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(await turn(), 2, "the other is still there");
  let others = 0;
  pool.observe({ released: () => void others++ });
  second[Symbol.dispose]();
  assertEquals(await turn(), 2);
  assertEquals(others, 1, "it takes nobody else along");
});

test("an observer that is taken away by another is not told of the same event", async () => {
  const { pool } = fixture();
  const seen: string[] = [];
  pool.observe({
    released: () => {
      seen.push("first");
      second[Symbol.dispose]();
      pool.observe({ released: () => void seen.push("third") });
    },
  });
  const second = pool.observe({ released: () => void seen.push("second") });
  (await pool.acquire()).release();
  assertEquals(seen, ["first"]);
});

test("how many are pending is told as it changes, over all lines, where it is asked for", async () => {
  const seen: unknown[] = [];
  const { pool, clock } = fixture({ max: 2, stripes: 2, isolated: true });
  const leases = [0, 1].map((affinity) => pool.acquire({ affinity }));
  const [first] = await Promise.all(leases);
  const early = watch(pool.acquire({ affinity: 0 }));
  const observing = pool.observe({
    pendingChanged: (event) => void seen.push(event),
  });
  const tell = (pending: number) => ({ ...POOL, pending });
  pool.evict(() => false);
  assertEquals(seen, [], "who was pending already is no change");
  const controller = new AbortController();
  watch(pool.acquire({ affinity: 1, signal: controller.signal }));
  watch(pool.acquire({ affinity: 1, timeout: 10 }));
  assertEquals(seen.splice(0), [2, 3].map(tell));
  first!.release();
  assertEquals(seen.splice(0), [2].map(tell));
  controller.abort();
  await clock.advance(10);
  assertEquals(seen.splice(0), [1, 0].map(tell));
  leaseOf(early).release();
  using _ = pool.tryAcquire({ affinity: 0 });
  assertEquals(seen, [], "nobody waited");
  observing[Symbol.dispose]();
  watch(pool.acquire({ affinity: 1 }));
  const closed = pool.observe({
    pendingChanged: (event) => void seen.push(event),
  });
  closed[Symbol.dispose]();
  void pool.close({ signal: AbortSignal.abort() });
  assertEquals(seen, []);
});

test("what is changed by those who hear of pending is told after, in order, to all", async () => {
  const heard: [number[], number[]] = [[], []];
  const { pool } = fixture();
  const lease = await pool.acquire();
  pool.observe({
    pendingChanged: ({ pending }) => {
      heard[0].push(pending);
      if (pending < 3) watch(pool.acquire());
    },
  });
  pool.observe({
    pendingChanged: ({ pending }) => void heard[1].push(pending),
  });
  watch(pool.acquire());
  assertEquals(heard, [[1, 2, 3], [1, 2, 3]]);
  void pool.close();
  assertEquals(heard[1], [1, 2, 3, 0], "several changes at once are one");
  lease.release();
});

test("a lease that an aborted close took back is not told as released", async () => {
  for (const reset of [undefined, () => {}]) {
    const { pool, events } = observed({ reset });
    const lease = await pool.acquire();
    const closing = pool.close({ signal: AbortSignal.abort() });
    lease.release();
    await closing;
    const names = events.map(([name]) => name);
    assertEquals(names.includes("released"), false);
  }
});

test("the end of a close is told, after all that is destroyed", async () => {
  const seen: unknown[] = [];
  const { pool } = fixture({ name: "db" });
  pool.observe({
    destroyed: () => void seen.push("destroyed"),
    closed: (event) => void seen.push(event),
  });
  const lease = await pool.acquire();
  const closing = pool.close();
  assertEquals(seen, []);
  lease.release();
  await closing;
  assertEquals(seen, ["destroyed", { pool: "db" }]);
});

test("who begins to observe a pool that has closed is told that it has", async () => {
  const seen: string[] = [];
  const { pool } = fixture({ name: "db" });
  const early = { closed: () => void seen.push("early") };
  const late = {
    closed: ({ pool }: { pool: string }) => {
      seen.push(`late of ${pool}`);
      throw new Error("it only watches");
    },
  };
  const lease = await pool.acquire();
  const closing = pool.close();
  pool.observe(early);
  assertEquals(seen, []);
  lease.release();
  await closing;
  pool.observe(late)[Symbol.dispose]();
  assertEquals(seen, ["early", "late of db"]);
});

test("what is no object cannot observe", () => {
  const { pool } = fixture();
  for (const observer of [undefined, null, 1, () => {}]) {
    assertThrows(
      () => pool.observe(observer as never),
      TypeError,
      "Cannot observe pool",
    );
  }
});

test("the minimum of a pool is what the option says, and no more than max", () => {
  const { pool } = fixture({ max: 5, min: 3 });
  assertEquals(pool.min, 3);
  pool.resize(2);
  assertEquals(pool.min, 2);
});
