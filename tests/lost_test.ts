import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { type Lease, Pool, type PoolOptions } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  dice,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  PLAIN,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A pool whose resources can be lost, by their numbers. */
interface Losing extends Fixture {
  /** What was destroyed and why, as in `1 lost`. */
  readonly destroyed: string[];
  lose(id: number, error?: unknown): void;
}

function losing(
  options: Partial<PoolOptions<Resource>> = {},
  asks: "validate" | "reset" | "neither" = "neither",
): Losing {
  const { clock, factory } = fixture();
  const { validate, reset } = factory;
  const losses: ((error?: unknown) => void)[] = [];
  const destroyed: string[] = [];
  const pool = new Pool<Resource>({
    ...PLAIN,
    create: (context) => {
      losses.push(context.lost);
      return factory.create(context);
    },
    destroy: (resource, { reason }) => {
      destroyed.push(`${resource.id} ${reason}`);
      return factory.destroy(resource);
    },
    max: 1,
    clock,
    ...asks === "validate" && { validate },
    ...asks === "reset" && { reset },
    ...options,
  });
  const lose = (id: number, error?: unknown) => losses[id - 1]!(error);
  return { clock, factory, pool, destroyed, lose };
}

/** As many leases, on the resources from 1. */
async function leases(
  { pool }: Losing,
  count: number,
): Promise<Lease<Resource>[]> {
  return await Promise.all(
    Array.from({ length: count }, () => pool.acquire()),
  );
}

test("an idle resource that is lost is evicted at once", async () => {
  const f = losing({ max: 3 });
  const [first, , third] = await leases(f, 3);
  first!.release();
  third!.release();
  f.lose(3, new Error("reset by peer"));
  assertCounts(f.pool, { idle: 1, used: 1, destroying: 1 });
  await settled();
  assertEquals(f.destroyed, ["3 lost"]);
  assertEquals(f.pool.tryAcquire()?.value, { id: 1 });
  assertStrictEquals(f.pool.tryAcquire(), undefined);
});

test("a used resource that is lost stays with its holder, and is destroyed at its release", async () => {
  const f = losing();
  const lease = await f.pool.acquire();
  f.lose(1);
  assertEquals([lease.value, f.destroyed], [{ id: 1 }, []]);
  assertCounts(f.pool, { used: 1 });
  const waiter = watch(f.pool.acquire());
  await settled();
  assertEquals(waiter.settled, false);
  lease.release();
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  leaseOf(waiter).release();
  assertEquals(f.pool.tryAcquire()?.value, { id: 2 });
});

test("a resource that is lost on its way to a waiter is replaced, and nobody loses their place", async () => {
  const held: Lease<Resource>[] = [];
  const f = losing({
    max: 2,
    destroy: ({ id }, { reason }) => {
      f.destroyed.push(`${id} ${reason}`);
      if (id !== 1) return;
      held[1]!.release();
      f.lose(2);
    },
  });
  held.push(...await leases(f, 2));
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  held[0]!.destroy();
  await settled();
  assertEquals(f.destroyed, ["1 lease", "2 lost"]);
  assertEquals(waiters.map((it) => leaseOf(it).value.id), [3, 4]);
  for (const waiter of waiters) leaseOf(waiter).release();
  f.destroyed.length = 0;
  await f.pool.close();
  assertEquals(f.destroyed, ["3 close", "4 close"]);
});

test("one whose resource was lost on its way gets what has become idle since", async () => {
  const held: Lease<Resource>[] = [];
  const f = losing({
    max: 3,
    destroy: ({ id }) => {
      if (id !== 1) return;
      held[1]!.release();
      held[2]!.release();
      f.lose(2);
    },
  });
  held.push(...await leases(f, 3));
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  held[0]!.destroy();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 3 });
});

test("one whose resource was lost on its way can still be cancelled and time out", async () => {
  const held: Lease<Resource>[] = [];
  const f = losing({
    max: 3,
    acquireTimeout: 300,
    destroy: ({ id }) => {
      if (id !== 1) return;
      f.factory.manual.add("create");
      held[1]!.release();
      held[2]!.release();
      f.lose(2);
      f.lose(3);
    },
  });
  held.push(...await leases(f, 3));
  const controller = new AbortController();
  const { signal } = controller;
  const waiters = [f.pool.acquire({ signal }), f.pool.acquire()].map(watch);
  held[0]!.destroy();
  await settled();
  assertCounts(f.pool, { creating: 2, pending: 2 });
  controller.abort("enough");
  await settled();
  assertStrictEquals(waiters[0]!.error, "enough");
  await f.clock.advance(300);
  assertEquals((waiters[1]!.error as Error).name, "TimeoutError");
});

test("one whose new resource is lost while the observer is told of it leaves no timer", async () => {
  const losers: (() => void)[] = [];
  const clock = new VirtualClock();
  const controller = new AbortController();
  const { signal } = controller;
  let waiter: ReturnType<typeof watch> | undefined;
  const pool = new Pool<number>({
    ...PLAIN,
    max: 1,
    clock,
    idleTimeout: Infinity,
    createTimeout: Infinity,
    destroyTimeout: Infinity,
    create: ({ lost }) =>
      losers.push(lost) < 3 ? losers.length : new Promise<number>(() => {}),
    destroy: () => Promise.resolve(),
    observer: {
      created: () => losers[1]?.(),
      destroyed: () => waiter ??= watch(pool.acquire({ signal })),
    },
  });
  (await pool.acquire()).destroy();
  await settled();
  assertCounts(pool, { creating: 1, pending: 1 });
  controller.abort("enough");
  await settled();
  assertStrictEquals(waiter!.error, "enough");
  await clock.advance(1);
  assertEquals(clock.timers, 0);
});

test("one whose resource is lost before validate was asked has the next one validated", async () => {
  const f = losing({ max: 2 }, "validate");
  const [first, second] = await leases(f, 2);
  const waiter = watch(f.pool.acquire());
  first!.release();
  f.lose(1);
  second!.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
});

test("one whose resource is lost on its way as the pool closes is not left waiting", async () => {
  const held: Lease<Resource>[] = [];
  const f = losing({
    max: 2,
    destroy: ({ id }) => {
      if (id !== 1) return;
      held[1]!.release();
      void f.pool.close();
      f.lose(2);
    },
  });
  held.push(...await leases(f, 2));
  const waiter = watch(f.pool.acquire());
  held[0]!.destroy();
  await settled();
  leaseOf(waiter).release();
  await f.pool.close();
  assertCounts(f.pool, {});
});

test("a resource that is lost under validate is replaced before the verdict", async () => {
  const f = losing({ max: 2 }, "validate");
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire());
  await settled();
  f.lose(1);
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  assertEquals(leaseOf(taker).value, { id: 2 });
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { used: 1 });
});

test("a resource that is lost while tryAcquire has it validated does not come back", async () => {
  const f = losing({}, "validate");
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  f.lose(1);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  assertCounts(f.pool, {});
});

test("a validate that learns that its resource is lost, and says yes, is not believed", async () => {
  const f: Losing = losing({
    validate: ({ id }) => {
      f.lose(id);
      return true;
    },
    max: 2,
  });
  await fill(f.pool, 1);
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  await fill(f.pool, 1);
  const taker = watch(f.pool.acquire());
  await settled();
  assertEquals(leaseOf(taker).value, { id: 3 });
  assertEquals(f.destroyed, ["1 lost", "2 lost"]);
});

test("a resource that is lost while another is evicted for its taker is not handed out", async () => {
  for (const isAcquired of [false, true]) {
    const f: Losing = losing({
      ...{ max: 2, stripes: 2, idleTimeout: 100 },
      destroy: ({ id }, { reason }) => {
        f.destroyed.push(`${id} ${reason}`);
        if (id === 1) f.lose(2);
      },
    });
    const [first, second] = await leases(f, 2);
    first!.release();
    f.clock.jump(60);
    second!.release();
    f.clock.jump(60);
    const taker = isAcquired
      ? await f.pool.acquire({ affinity: 0 })
      : f.pool.tryAcquire({ affinity: 0 });
    assertEquals(f.destroyed, ["1 idle", "2 lost"]);
    assertEquals(taker?.value.id, isAcquired ? 3 : undefined);
  }
});

test("a resource that is lost in reset is destroyed after it", async () => {
  const f = losing({}, "reset");
  f.factory.manual.add("reset");
  const lease = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  lease.release();
  await settled();
  f.lose(1);
  assertCounts(f.pool, { used: 1, pending: 1 });
  f.factory.resets.shift()!.resolve(undefined);
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  assertEquals(leaseOf(waiter).value, { id: 2 });
});

test("a create that is lost before it settles is aborted and not counted on", async () => {
  const f = losing({ max: 2 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  const error = new Error("refused");
  f.lose(1, error);
  assertStrictEquals(f.factory.creates[0]!.signal!.reason, error);
  assertCounts(f.pool, { creating: 2, pending: 1 });
  await settled();
  f.factory.creates.pop()!.resolve({ id: 2 });
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  f.factory.finishCreate();
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  assertCounts(f.pool, { used: 1 });
});

test("a create that is lost without an error is aborted with one", async () => {
  const f = losing();
  f.factory.manual.add("create");
  watch(f.pool.acquire());
  await settled();
  f.lose(1);
  const { reason } = f.factory.creates[0]!.signal!;
  assertInstanceOf(reason, Error);
  assertEquals(reason.message, "The resource was lost while created");
});

test("without retry, a create that is lost and still succeeds rejects whom it was for", async () => {
  const f = losing();
  f.factory.manual.add("create");
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  await settled();
  f.lose(1, "gone");
  f.lose(1, "and again");
  await settled();
  assertEquals(waiters[0]!.settled, false, "it says itself why it failed");
  f.factory.finishCreate();
  await settled();
  assertEquals(waiters.map((it) => it.error), ["gone", undefined]);
  assertEquals(f.factory.log, ["create 1", "destroy 1", "create 2"]);
});

test("without retry, a create that is lost and then fails rejects one with its own error", async () => {
  const f = losing();
  f.factory.manual.add("create");
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  await settled();
  f.lose(1, "gone");
  f.factory.failCreate("connection refused");
  await settled();
  const errors = waiters.map((it) => it.error);
  assertEquals(errors, ["connection refused", undefined]);
});

test("a create that says lost from inside itself begins an outage, and is tried again", async () => {
  const told: string[] = [];
  const clock = fixture().clock;
  let isDown = false;
  let ids = 0;
  const pool = new Pool<Resource>({
    create: ({ lost }) => {
      if (isDown) lost("down");
      return { id: ++ids };
    },
    max: 2,
    clock,
    observer: {
      outageBegan: ({ error }) => void told.push(`began: ${error}`),
      outageEnded: () => void told.push("ended"),
    },
  });
  await using _first = await pool.acquire();
  isDown = true;
  const waiter = watch(pool.acquire());
  await settled();
  assertEquals([ids, told, waiter.settled], [2, ["began: down"], false]);
  isDown = false;
  await clock.advance(100);
  assertEquals(leaseOf(waiter).value, { id: 3 });
  assertEquals(told, ["began: down", "ended"]);
});

test("what is lost after a close began was destroyed for the close", async () => {
  const f = losing({ max: 2 });
  const [lease] = await leases(f, 2);
  const closed = watch(f.pool.close({ signal: AbortSignal.abort() }));
  f.lose(1);
  await settled();
  assertEquals([closed.settled, f.destroyed], [true, ["1 close", "2 close"]]);
  f.lose(2);
  lease!.release();
  await assertClosesClean(f);
});

test("a used resource that is lost while the pool closes leaves at its release, once", async () => {
  const f = losing();
  const lease = await f.pool.acquire();
  const closed = watch(f.pool.close());
  f.lose(1);
  await settled();
  assertEquals([closed.settled, f.destroyed], [false, []]);
  lease.release();
  await assertClosesClean(f);
  assertEquals(f.destroyed, ["1 close"]);
});

test("lost says it once: again, in its destroy or after it changes nothing", async () => {
  const f: Losing = losing({
    max: 2,
    destroy: (resource, { reason }) => {
      f.lose(resource.id);
      f.destroyed.push(`${resource.id} ${reason}`);
      return f.factory.destroy(resource);
    },
  });
  f.factory.manual.add("destroy");
  const [first, second] = await leases(f, 2);
  f.lose(1);
  f.lose(1);
  first!.release();
  second!.release();
  f.lose(2);
  f.lose(2);
  assertCounts(f.pool, { destroying: 2 });
  await settled();
  for (const { resolve } of f.factory.destroys) resolve();
  await settled();
  assertEquals(f.destroyed, ["1 lost", "2 lost"]);
  f.factory.manual.clear();
  await fill(f.pool, 1);
  f.lose(1);
  f.lose(2);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("lost can be given anything, by an emitter too, and never throws", async () => {
  const hostile = new Proxy({}, {
    get() {
      throw new Error("no");
    },
    getPrototypeOf() {
      throw new Error("no");
    },
  });
  const junk = [undefined, null, NaN, "", Symbol(), hostile, () => {}, []];
  for (const error of junk) {
    const f = losing({ max: 3 });
    const [lease] = await leases(f, 2);
    lease!.release();
    f.lose(1, error);
    f.lose(2, error);
    f.factory.manual.add("create");
    const waiters = [1, 2].map(() => watch(f.pool.acquire()));
    await settled();
    f.lose(3, error);
    assertEquals(f.factory.creates[0]!.signal!.aborted, true);
    await settled();
    assertEquals([f.destroyed, waiters.length], [["1 lost"], 2]);
  }
  const emitter = new EventTarget();
  const pool = new Pool({
    create: ({ lost }) => {
      emitter.addEventListener("end", lost);
      return emitter;
    },
    max: 1,
  });
  (await pool.acquire()).release();
  emitter.dispatchEvent(new Event("end"));
  await settled();
  assertCounts(pool, {});
  await pool.close();
});

test("many idle resources that are lost at once leave each once, in any order", async () => {
  const max = 1_000;
  const f = losing({ max });
  const all = await leases(f, max);
  for (const lease of all.slice(1)) lease.release();
  const random = dice(max - 1);
  for (let i = 0; i < 5 * max; i++) f.lose(random() + 2);
  for (let id = 2; id <= max; id++) f.lose(id);
  await settled();
  assertEquals(new Set(f.destroyed).size, max - 1);
  assertCounts(f.pool, { used: 1 });
  all[0]!.release();
  await assertClosesClean(f);
});

test("the first reason to retire a resource stays", async () => {
  const f = losing({ max: 2 });
  const [first, second] = await leases(f, 2);
  f.lose(1);
  f.pool.clear();
  f.lose(2);
  first!.release();
  second!.release();
  await settled();
  assertEquals(f.destroyed, ["1 lost", "2 clear"]);
});

test("a create that has been given up is not lost any more", async () => {
  const f = losing({ createTimeout: 200 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(200);
  const { signal } = f.factory.creates[0]!;
  f.lose(1, "gone");
  assertStrictEquals(waiter.error, signal!.reason);
  f.factory.finishCreate();
  await settled();
  assertEquals(f.destroyed, ["1 late"]);
  assertCounts(f.pool, {});
});

test("the observer is told of what was lost as destroyed, with the reason", async () => {
  const told: unknown[] = [];
  const f = losing({
    observer: { destroyed: (event) => void told.push(event) },
  });
  await fill(f.pool, 1);
  f.lose(1, new Error("gone"));
  await settled();
  const event = {
    ...{ pool: "pool", id: 0, stripe: 0, reason: "lost" },
    ...{ age: 0, uses: 1, duration: 0 },
  };
  assertEquals(told, [{ resource: { id: 1 }, ...event }]);
});

/** One resource, whose create took 100 ms, and whose destroy will hang. */
async function slowFarewell(
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Losing & { lease: Lease<Resource> }> {
  const f = losing(options);
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  f.factory.manual.clear();
  f.factory.manual.add("destroy");
  return { ...f, lease: leaseOf(waiter) };
}

test("the farewell of a lost resource holds its slot for the usual time of a create", async () => {
  const f = await slowFarewell();
  f.lease.release();
  f.lose(1);
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(99);
  assertCounts(f.pool, { destroying: 1, pending: 1 });
  await f.clock.advance(1);
  leaseOf(waiter).release();
  assertCounts(f.pool, { idle: 1 });
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, { idle: 1 });
});

test("the farewell of a lost resource that ends in time vacates its slot once", async () => {
  const f = await slowFarewell();
  f.lease.release();
  f.lose(1);
  await settled();
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, {});
  await f.clock.advance(200);
  assertCounts(f.pool, {});
  f.factory.manual.clear();
  await assertClosesClean(f);
});

test("any other farewell, or one with a shorter destroyTimeout, holds its slot for that", async () => {
  for (const isLost of [false, true]) {
    const destroyTimeout = isLost ? 50 : 300;
    const f = await slowFarewell({ destroyTimeout });
    if (isLost) f.lose(1);
    f.lease[isLost ? "release" : "destroy"]();
    await f.clock.advance(destroyTimeout - 1);
    assertCounts(f.pool, { destroying: 1 });
    await f.clock.advance(1);
    assertCounts(f.pool, {});
  }
});

/** Resources 1 to 3, released one after the other. */
async function idleInTurn(
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Losing> {
  const f = losing({ max: 4, ...options });
  for (const lease of await leases(f, 3)) {
    lease.release();
    f.clock.jump(10);
  }
  return f;
}

test("one that is lost while nothing is used takes with it what was idle for as long", async () => {
  const f = await idleInTurn();
  f.lose(2);
  assertCounts(f.pool, { idle: 1, destroying: 2 });
  await settled();
  assertEquals(f.destroyed, ["2 lost", "1 lost"]);
  assertEquals(f.pool.tryAcquire()?.value, { id: 3 });
});

test("one that is lost while others are used goes alone", async () => {
  const f = await idleInTurn();
  using _used = await f.pool.acquire();
  f.lose(2);
  await settled();
  assertEquals(f.destroyed, ["2 lost"]);
  assertCounts(f.pool, { idle: 1, used: 1 });
});

test("a used resource that is lost takes nothing with it", async () => {
  const f = await idleInTurn();
  const lease = await f.pool.acquire();
  f.lose(3);
  lease.release();
  await settled();
  assertEquals(f.destroyed, ["3 lost"]);
  assertCounts(f.pool, { idle: 2 });
});

test("of one that is lost under validate no silence is held against others", async () => {
  const f = losing({ max: 3, validateTimeout: 100 }, "validate");
  for (const lease of await leases(f, 3)) {
    lease.release();
    await f.clock.advance(10);
  }
  const used = f.pool.tryAcquire();
  assertEquals(used?.value.id, 3);
  f.factory.manual.add("validate");
  assertEquals(f.pool.tryAcquire(), undefined);
  f.lose(2);
  await f.clock.advance(200);
  assertEquals(f.destroyed, ["2 lost"]);
  assertCounts(f.pool, { idle: 1, used: 1 });
});

test("one that is lost takes nothing of another line with it", async () => {
  const f = losing({ max: 2, stripes: 2, isolated: true });
  const [first, second] = await leases(f, 2);
  second!.release();
  first!.release();
  f.lose(1);
  await settled();
  assertEquals(f.destroyed, ["1 lost"]);
  assertCounts(f.pool, { idle: 1 });
});

test("a reason that the runtime cannot take aborts a create without it", async () => {
  const { abort } = AbortController.prototype;
  const signals: AbortSignal[] = [];
  AbortController.prototype.abort = function (reason?: unknown) {
    if (reason === "odd") throw new TypeError("I cannot take it");
    abort.call(this, reason);
  };
  try {
    const pool = new Pool({
      create: ({ signal, lost }) => {
        signals.push(signal);
        lost("odd");
        return Promise.reject(new Error("gone"));
      },
      max: 1,
      createRetry: false,
    });
    await pool.acquire().catch(() => {});
    assertEquals(signals.map(({ aborted }) => aborted), [true]);
    await pool.close();
  } finally {
    AbortController.prototype.abort = abort;
  }
});
