import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import {
  type Clock,
  type Lease,
  Pool,
  PoolClosedError,
  type PoolOptions,
} from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  Factory,
  fill,
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
import { VirtualClock } from "./virtual_clock.ts";

/** Values that no type allows. */
// deno-lint-ignore no-explicit-any
type Any = any;

/** A pool whose user code runs `intrude` once, before it does its work. */
function intruded(
  call: "create" | "destroy" | "validate",
  intrude: (f: Fixture) => void,
  options: Partial<PoolOptions<Resource>> = {},
): Fixture {
  const clock = new VirtualClock();
  const factory = new Factory();
  const { create, destroy, validate } = factory;
  let armed = true;
  const once =
    <A, R>(name: string, work: (argument: A) => R) => (argument: A) => {
      const intrudes = armed && name === call;
      if (intrudes) armed = false;
      if (intrudes) intrude(f);
      return work(argument);
    };
  const pool = new Pool({
    create: once("create", create),
    destroy: once("destroy", destroy),
    ...(call === "validate" ? { validate: once("validate", validate) } : {}),
    max: 1,
    clock,
    ...options,
  });
  const f = { clock, factory, pool };
  return f;
}

/** A close that waits for nothing. */
function abort(pool: Pool<Resource>): Outcome<void> {
  return watch(pool.close({ signal: AbortSignal.abort() }));
}

/** Asserts that the pool is closed and nothing was lost, leaked or ended twice. */
async function assertClosed(f: Fixture, closed: Outcome<void>): Promise<void> {
  await settled();
  assertEquals(closed.settled, true, "the close is still pending");
  await assertClosesClean(f);
}

test("a create that acquires is served like anybody", async () => {
  let inner: Outcome<Lease<Resource>> | undefined;
  const f = intruded("create", ({ pool }) => {
    inner = watch(pool.acquire());
  });
  const outer = watch(f.pool.acquire());
  await settled();
  leaseOf(outer).release();
  await settled();
  leaseOf(inner!).release();
  assertEquals(f.factory.peak, 1);
  await assertClosesClean(f);
});

test("a create that acquires from a pool with room does not deadlock", async () => {
  let inner: Outcome<Lease<Resource>> | undefined;
  const f = intruded("create", ({ pool }) => {
    inner = watch(pool.acquire());
  }, { max: 2 });
  const outer = watch(f.pool.acquire());
  await settled();
  leaseOf(inner!).release();
  leaseOf(outer).release();
  await assertClosesClean(f);
});

test("a create that tries, reads the stats and clears does no harm", async () => {
  const f = intruded("create", ({ pool }) => {
    assertStrictEquals(pool.tryAcquire(), undefined);
    assertCounts(pool, { creating: 1, pending: 1 });
    pool.clear();
  });
  const lease = await f.pool.acquire();
  lease.release();
  await assertClosesClean(f);
});

test("a create that closes the pool rejects its own waiter and is cleaned up", async () => {
  let closed: Outcome<void> | undefined;
  const f = intruded("create", ({ pool }) => {
    closed = watch(pool.close());
  });
  const waiter = watch(f.pool.acquire());
  await settled();
  assertInstanceOf(waiter.error, PoolClosedError);
  await assertClosed(f, closed!);
});

test("a create that releases another lease serves the waiter with that", async () => {
  const held: Lease<Resource>[] = [];
  const f: Fixture = fixture({
    max: 2,
    create: (context) => {
      for (const lease of held) lease.release();
      return f.factory.create(context);
    },
  });
  held.push(await f.pool.acquire());
  const waiter = await f.pool.acquire();
  assertEquals(waiter.value, { id: 1 });
  await settled();
  assertCounts(f.pool, { used: 1, idle: 1 });
  waiter.release();
  await assertClosesClean(f);
});

test("a synchronous create that acquires again and again ends", async () => {
  let depth = 0;
  const inner: Outcome<Lease<number>>[] = [];
  const pool = new Pool<number>({
    create: () => {
      if (depth++ < 1_000) inner.push(watch(pool.acquire()));
      return depth;
    },
    max: 2_000,
  });
  const outer = await pool.acquire();
  await settled();
  assertEquals(inner.length, 1_000);
  assertEquals(inner.every((outcome) => outcome.value !== undefined), true);
  outer.release();
  for (const { value } of inner) value!.release();
  await pool.close();
  assertCounts(pool, {});
});

test("a destroy that acquires gets the next resource, not its own slot", async () => {
  let inner: Outcome<Lease<Resource>> | undefined;
  const f = intruded("destroy", ({ pool }) => {
    assertCounts(pool, { destroying: 1 });
    inner = watch(pool.acquire());
  });
  (await f.pool.acquire()).destroy();
  await settled();
  assertEquals(leaseOf(inner!).value, { id: 2 });
  assertEquals(f.factory.peak, 1);
  leaseOf(inner!).release();
  await assertClosesClean(f);
});

test("a destroy that spends the lease it comes from again does nothing", async () => {
  const leases: Lease<Resource>[] = [];
  const f = intruded("destroy", () => {
    for (const lease of leases) lease.release();
    for (const lease of leases) lease.destroy();
  });
  leases.push(await f.pool.acquire());
  leases[0]!.destroy();
  await settled();
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a destroy that clears and closes the pool stops none of the others", async () => {
  let closed: Outcome<void> | undefined;
  const f = intruded("destroy", ({ pool }) => {
    pool.clear();
    closed = watch(pool.close());
  }, { max: 4, stripes: 2 });
  await fill(f.pool, 4);
  f.pool.clear();
  await settled();
  await assertClosed(f, closed!);
});

test("a destroy that releases others hands them to the waiters in order", async () => {
  const others: Lease<Resource>[] = [];
  const f = intruded("destroy", () => {
    for (const lease of others.splice(0)) lease.release();
  }, { max: 3 });
  const first = await f.pool.acquire();
  others.push(await f.pool.acquire(), await f.pool.acquire());
  const waiters = [1, 2, 3].map(() => watch(f.pool.acquire()));
  first.destroy();
  await settled();
  const ids = waiters.map((waiter) => leaseOf(waiter).value.id);
  assertEquals(ids, [2, 3, 4]);
  for (const waiter of waiters) leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("a destroy that releases to a waiter and then aborts its signal is too late", async () => {
  const controller = new AbortController();
  const others: Lease<Resource>[] = [];
  const failures: unknown[] = [];
  const f = intruded("destroy", () => {
    for (const lease of others) lease.release();
    controller.abort("too late");
  }, {
    max: 2,
    observer: { acquireFailed: ({ error }) => void failures.push(error) },
  });
  const first = await f.pool.acquire();
  others.push(await f.pool.acquire());
  const waiter = watch(f.pool.acquire({ signal: controller.signal }));
  first.destroy();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
  assertEquals(failures, []);
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("a taker cancelled before its resource is validated leaves it to the next", async () => {
  const controller = new AbortController();
  const others: Lease<Resource>[] = [];
  const f = intruded("destroy", () => {
    for (const lease of others) lease.release();
    controller.abort("in time");
  }, { max: 2, validate: () => true });
  const first = await f.pool.acquire();
  others.push(await f.pool.acquire());
  const taker = watch(f.pool.acquire({ signal: controller.signal }));
  const next = watch(f.pool.acquire());
  first.destroy();
  await settled();
  assertEquals(taker.error, "in time");
  assertEquals(leaseOf(next).value, { id: 2 });
  leaseOf(next).release();
  await assertClosesClean(f);
});

test("a validate that acquires, clears or closes loses nothing", async () => {
  const intrusions: ((f: Fixture) => void)[] = [
    ({ pool }) => void watch(pool.use(() => {})),
    ({ pool }) => pool.tryAcquire(),
    ({ pool }) => pool.clear(),
    ({ pool }) => void watch(pool.close()),
  ];
  for (const intrude of intrusions) {
    const f = intruded("validate", intrude);
    await fill(f.pool, 1);
    const taker = watch(f.pool.acquire());
    await settled();
    assertEquals(taker.settled, true);
    taker.value?.release();
    await assertClosesClean(f);
  }
});

test("an isFatal that acquires and closes loses nothing", async () => {
  const f: Fixture = fixture({
    isFatal: () => {
      watch(f.pool.acquire());
      watch(f.pool.close());
      return false;
    },
  });
  const use = watch(f.pool.use(() => Promise.reject("thrown")));
  await settled();
  assertEquals(use.error, "thrown");
  await assertClosesClean(f);
});

test("a create that aborts a close of the pool leaves nothing behind", async () => {
  for (const manual of [false, true]) {
    let closed: Outcome<void> | undefined;
    const f = intruded("create", ({ pool }) => {
      closed = abort(pool);
    });
    if (manual) f.factory.manual.add("create");
    const waiter = watch(f.pool.acquire());
    await settled();
    assertInstanceOf(waiter.error, PoolClosedError);
    assertEquals(closed!.settled, true);
    assertEquals(f.clock.timers, 0);
    if (manual) f.factory.finishCreate();
    await assertClosed(f, closed!);
  }
});

test("a synchronous create that aborts a close of the pool leaves nothing behind", async () => {
  const destroyed: number[] = [];
  let closed: Promise<void> | undefined;
  const pool = new Pool<number>({
    create: () => {
      closed = pool.close({ signal: AbortSignal.abort() });
      return 1;
    },
    destroy: (resource) => destroyed.push(resource),
    max: 1,
  });
  const waiter = watch(pool.acquire());
  await settled();
  await closed;
  assertInstanceOf(waiter.error, PoolClosedError);
  assertEquals(destroyed, [1]);
  assertCounts(pool, {});
});

test("a validate that aborts a close of the pool leaves nothing behind", async () => {
  for (const manual of [false, true]) {
    let closed: Outcome<void> | undefined;
    const f = intruded("validate", ({ pool }) => {
      closed = abort(pool);
    });
    await fill(f.pool, 1);
    if (manual) f.factory.manual.add("validate");
    const taker = watch(f.pool.acquire());
    await settled();
    assertInstanceOf(taker.error, PoolClosedError);
    f.factory.validations.shift()?.resolve(true);
    await assertClosed(f, closed!);
  }
});

test("a validate of tryAcquire that aborts a close leaves nothing behind", async () => {
  for (const manual of [false, true]) {
    let closed: Outcome<void> | undefined;
    const f = intruded("validate", ({ pool }) => {
      closed = abort(pool);
    });
    await fill(f.pool, 1);
    if (manual) f.factory.manual.add("validate");
    assertStrictEquals(f.pool.tryAcquire(), undefined);
    f.factory.validations.shift()?.resolve(true);
    await assertClosed(f, closed!);
  }
});

test("a validate of a check in the background that aborts a close leaves nothing behind", async () => {
  for (const verdict of [true, false, Promise.resolve(true)]) {
    let closed: Outcome<void> | undefined;
    const f: Fixture = fixture({
      keepalive: 1_000,
      validate: () => {
        closed = abort(f.pool);
        return verdict;
      },
    });
    await fill(f.pool, 1);
    await f.clock.advance(1_000);
    await assertClosed(f, closed!);
    assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  }
});

test("a destroy that acquires and aborts a close creates nothing more", async () => {
  let inner: Outcome<Lease<Resource>> | undefined;
  let closed: Outcome<void> | undefined;
  const f = intruded("destroy", ({ pool }) => {
    inner = watch(pool.acquire());
    closed = abort(pool);
  }, { max: 2 });
  (await f.pool.acquire()).destroy();
  await settled();
  await assertClosed(f, closed!);
  assertInstanceOf(inner!.error, PoolClosedError);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
});

test("a destroy that releases to a waiter and aborts a close ends all once", async () => {
  for (const validates of [false, true]) {
    const others: Lease<Resource>[] = [];
    let closed: Outcome<void> | undefined;
    const validate = validates ? () => true : undefined;
    const f = intruded("destroy", ({ pool }) => {
      for (const lease of others) lease.release();
      closed = abort(pool);
    }, { max: 2, validate });
    const first = await f.pool.acquire();
    others.push(await f.pool.acquire());
    const waiter = watch(f.pool.acquire());
    first.destroy();
    await settled();
    await assertClosed(f, closed!);
    assertInstanceOf(waiter.error, PoolClosedError);
  }
});

test("a destroy that aborts a close while idle resources expire ends all once", async () => {
  let closed: Outcome<void> | undefined;
  const f = intruded("destroy", ({ pool }) => {
    closed = abort(pool);
  }, { max: 3, idleTimeout: 1_000 });
  await fill(f.pool, 3);
  f.clock.jump(1_001);
  const taker = watch(f.pool.acquire());
  await settled();
  await assertClosed(f, closed!);
  assertInstanceOf(taker.error, PoolClosedError);
});

test("a create whose signal's listener closes the pool is cleaned up", async () => {
  let closed: Outcome<void> | undefined;
  const f = fixture({ createTimeout: 100 });
  f.factory.manual.add("create");
  const waiters = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  await settled();
  f.factory.creates[0]!.signal!.addEventListener("abort", () => {
    closed = abort(f.pool);
  });
  await f.clock.advance(100);
  assertEquals(waiters.map((waiter) => waiter.settled), [true, true]);
  for (const call of f.factory.creates) call.resolve(call.resource);
  await assertClosed(f, closed!);
});

test("a taker that is gone when its verdict is no still ends the resource", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const controller = new AbortController();
  watch(f.pool.acquire({ signal: controller.signal }));
  controller.abort();
  f.factory.validations.shift()!.resolve(false);
  await settled();
  assertEquals(f.factory.log.at(-1), "destroy 1");
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a thenable that throws, twice settles or settles both ways counts once", async () => {
  type Then = (
    resolve: (n: number) => void,
    reject: (e: Error) => void,
  ) => void;
  const hostile: Then[] = [
    (resolve) => {
      resolve(1);
      resolve(2);
      throw new Error("after");
    },
    (resolve, reject) => {
      resolve(1);
      reject(new Error("after"));
    },
  ];
  for (const then of hostile) {
    const destroyed: number[] = [];
    const pool = new Pool<number>({
      create: () => ({ then }) as Any,
      destroy: (resource) => destroyed.push(resource),
      max: 1,
    });
    const lease = await pool.acquire();
    assertEquals(lease.value, 1);
    lease.release();
    await pool.close();
    assertEquals(destroyed, [1]);
  }
});

test("a thenable whose then throws or cannot be read is a failed call", async () => {
  const hostile: Any[] = [
    {
      then() {
        throw new Error("then");
      },
    },
    {
      get then() {
        throw new Error("then");
      },
    },
  ];
  for (const thenable of hostile) {
    const failing = new Pool<number>({ create: () => thenable, max: 1 });
    const outcome = watch(failing.acquire());
    await settled();
    assertEquals((outcome.error as Error).message, "then");
    await failing.close();
    const ended = fixture({ destroy: () => thenable });
    (await ended.pool.acquire()).destroy();
    await settled();
    assertCounts(ended.pool, {});
    const judged = validated({ validate: () => thenable });
    await fill(judged.pool, 1);
    using lease = await judged.pool.acquire();
    assertEquals(lease.value, { id: 2 });
  }
});

test("timers that are numbers, as in browsers, are good enough", async () => {
  const virtual = new VirtualClock();
  const handles: unknown[] = [];
  const clock: Clock = {
    now: () => virtual.now(),
    setTimeout: (callback, delay) =>
      handles.push(virtual.setTimeout(callback, delay)),
    clearTimeout: (handle) =>
      virtual.clearTimeout(handles[handle as number - 1]),
  };
  const { pool, factory } = fixture({ clock });
  const held = await pool.acquire();
  const waiter = watch(pool.acquire({ timeout: 100 }));
  await virtual.advance(100);
  assertEquals(waiter.settled, true);
  factory.manual.add("destroy");
  held.destroy();
  const closed = watch(pool.close());
  await settled();
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals([closed.settled, virtual.timers], [true, 0]);
});

test("a clock that goes backwards evicts nothing and loses nothing", async () => {
  const f = fixture({ max: 2, idleTimeout: 1_000 });
  await fill(f.pool, 2);
  f.clock.jump(-100_000);
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 2 });
  lease.release();
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

/** What may go on while the clock is read. */
type ClockedAct = (f: Fixture, take: () => void) => void | Promise<void>;

const CLOCKED_ACTS: Record<string, ClockedAct> = {
  acquire: (_, take) => take(),
  try: ({ pool }) => pool.tryAcquire()?.release(),
  "create ends": async ({ factory }, take) => {
    factory.manual.add("create");
    take();
    await settled();
    factory.creates[0]?.resolve(factory.creates[0].resource);
  },
  "create fails": async ({ factory }, take) => {
    factory.manual.add("create");
    take();
    await settled();
    if (factory.creates.length > 0) factory.failCreate("no");
  },
  "verdict is yes": async ({ pool, factory }, take) => {
    await fill(pool, 1);
    factory.manual.add("validate");
    take();
    factory.validations[0]?.resolve(true);
  },
  "verdict is no": async ({ pool, factory }, take) => {
    await fill(pool, 1);
    factory.manual.add("validate");
    take();
    factory.validations[0]?.resolve(false);
  },
  release: async ({ pool }) => (await pool.acquire()).release(),
  destroy: async ({ pool }) => (await pool.acquire()).destroy(),
};

test("a clock that closes the pool while it is read leaves nothing behind", async () => {
  for (const [name, act] of Object.entries(CLOCKED_ACTS)) {
    for (const signal of [undefined, AbortSignal.abort()]) {
      for (let reading = 1; reading <= 12; reading++) {
        const f = validated({ max: 2 });
        const now = f.clock.now.bind(f.clock);
        let left = reading;
        f.clock.now = () => {
          if (--left === 0) watch(f.pool.close({ signal }));
          return now();
        };
        const outcomes: Outcome<Lease<Resource>>[] = [];
        const take = () => void outcomes.push(watch(f.pool.acquire()));
        const acted = watch(Promise.resolve().then(() => act(f, take)));
        for (let turn = 0; turn < 3; turn++) {
          await settled();
          for (const { value } of outcomes) value?.release();
        }
        const where = `${name}, ${signal === undefined ? "" : "aborted, "}`;
        assertEquals(acted.settled, true, `${where}reading ${reading}`);
        for (const call of f.factory.creates) call.resolve(call.resource);
        for (const call of f.factory.validations) call.resolve(true);
        await settled();
        for (const { settled } of outcomes) {
          assertEquals(settled, true, `${where}reading ${reading}`);
        }
        await assertClosesClean(f);
      }
    }
  }
});

test("one pool's user code can use another pool", async () => {
  const inner = fixture({ max: 2 });
  const outer = fixture({
    max: 4,
    create: async ({ signal }) => {
      const lease = await inner.pool.acquire({ signal });
      return lease.value;
    },
    createTimeout: 500,
    acquireTimeout: 1_000,
  });
  const outcomes = [1, 2, 3, 4].map(() => watch(outer.pool.acquire()));
  await settled();
  assertEquals(outcomes.map((each) => each.settled), [
    true,
    true,
    false,
    false,
  ]);
  await outer.clock.advance(500);
  assertEquals(outcomes.every((each) => each.settled), true);
  assertEquals(inner.pool.stats().pending, 0);
});

/** What the observer of a pool was told, in words. */
function told(log: string[]): PoolOptions<Resource>["observer"] {
  return {
    acquired: ({ resource }) => void log.push(`acquired ${resource.id}`),
    destroyed: ({ resource }) => void log.push(`destroyed ${resource.id}`),
  };
}

/** Asserts that no resource was leased after its end. */
function assertNoneLeasedAfterItsEnd(log: string[]): void {
  const ended = new Set<string>();
  for (const entry of log) {
    const [event, id] = entry.split(" ");
    if (event === "destroyed") ended.add(id!);
    else assertEquals(ended.has(id!), false, log.join(", "));
  }
}

/**
 * A pool of two stripes where resource 2, at home at stripe 1, has expired and
 * resource 1 has not. The first destroy aborts a close of the pool.
 */
async function halfExpired(
  options: Partial<PoolOptions<Resource>>,
): Promise<Fixture & { log: string[]; closed: () => Outcome<void> }> {
  const log: string[] = [];
  let closed: Outcome<void> | undefined;
  const f = intruded("destroy", ({ pool }) => {
    closed = abort(pool);
  }, {
    max: 2,
    stripes: 2,
    idleTimeout: 1_000,
    observer: told(log),
    ...options,
  });
  const at0 = await f.pool.acquire({ affinity: 0 });
  const at1 = await f.pool.acquire({ affinity: 1 });
  at1.release();
  f.clock.jump(900);
  at0.release();
  f.clock.jump(600);
  return { ...f, log, closed: () => closed! };
}

test("a destroy that tryAcquire causes and that aborts a close leaves it nothing", async () => {
  for (const verdict of [undefined, true, false]) {
    let asked = 0;
    const validate = verdict === undefined
      ? undefined
      : () => ++asked > 0 && verdict;
    const f = await halfExpired({ validate });
    assertStrictEquals(f.pool.tryAcquire({ affinity: 1 }), undefined);
    assertEquals(asked, 0, "what was destroyed is not validated");
    const { used, idle, destroying } = f.pool.stats();
    assertEquals([used, idle], [0, 0]);
    assertEquals(destroying >= 0, true);
    await assertClosed(f, f.closed());
    assertNoneLeasedAfterItsEnd(f.log);
  }
});

test("a destroy that an acquire causes and that aborts a close has it reject as closed", async () => {
  for (const timeout of [0, 1_000]) {
    for (const verdict of [undefined, true, false]) {
      const validate = verdict === undefined ? undefined : () => verdict;
      const f = await halfExpired({ validate });
      const outcome = watch(f.pool.acquire({ affinity: 1, timeout }));
      await settled();
      assertInstanceOf(outcome.error, PoolClosedError);
      await assertClosed(f, f.closed());
      assertNoneLeasedAfterItsEnd(f.log);
    }
  }
});

test("a destroy that an acquire causes and that closes the pool has it reject as closed", async () => {
  for (const act of ["acquire", "tryAcquire"] as const) {
    let closed: Outcome<void> | undefined;
    const f = await halfExpired({
      destroy: () => {
        closed ??= watch(f.pool.close());
      },
    });
    const result = f.pool[act]({ affinity: 1 });
    if (result instanceof Promise) {
      const outcome = watch(result);
      await settled();
      assertEquals(outcome.settled, true);
      outcome.value?.release();
    } else result?.release();
    await settled();
    assertEquals(closed!.settled, true);
    assertCounts(f.pool, {});
    assertNoneLeasedAfterItsEnd(f.log);
  }
});

test("a destroy that an acquire causes and that clears the pool ends all once", async () => {
  for (const act of ["acquire", "tryAcquire"] as const) {
    const f: Awaited<ReturnType<typeof halfExpired>> = await halfExpired({
      destroy: (resource) => {
        f.pool.clear();
        return f.factory.destroy(resource);
      },
    });
    const result = await f.pool[act]({ affinity: 1 });
    result?.release();
    await settled();
    assertCounts(f.pool, {});
    assertNoneLeasedAfterItsEnd(f.log);
    await assertClosesClean(f);
  }
});

/** Acts on a pool in every way, whatever comes of it. */
async function exercise({ pool, factory }: Fixture): Promise<void> {
  factory.manual.add("create");
  const failed = watch(pool.acquire());
  await settled();
  if (factory.creates.length > 0) factory.failCreate("no");
  factory.manual.clear();
  const outcomes = [failed, watch(pool.acquire()), watch(pool.acquire())];
  await settled();
  outcomes.push(watch(pool.acquire()), watch(pool.acquire({ timeout: 0 })));
  outcomes[1]!.value?.release();
  await settled();
  outcomes[2]!.value?.destroy();
  await settled();
  watch(pool.use(() => {}));
  for (const { value } of outcomes) value?.release();
  await settled();
  pool.tryAcquire()?.release();
  await settled();
  assertEquals(outcomes.every((outcome) => outcome.settled), true);
}

test("an observer that aborts a close at any event has nothing ended twice", async () => {
  const names = [
    ...["created", "createFailed", "destroyed"],
    ...["acquired", "acquireFailed", "released"],
  ];
  for (const name of names) {
    for (const make of [fixture, validated]) {
      const log: string[] = [];
      const counts: number[] = [];
      let closed: Outcome<void> | undefined;
      const observer: Any = told(log);
      const note = observer[name];
      observer[name] = (event: Any) => {
        note?.(event);
        closed ??= abort(f.pool);
        const { stripes: _, ...each } = f.pool.stats();
        counts.push(...Object.values(each));
      };
      const f: Fixture = make({ max: 2, observer });
      await exercise(f);
      assertEquals(closed !== undefined, true, name);
      await assertClosed(f, closed!);
      assertNoneLeasedAfterItsEnd(log);
      assertEquals(Math.min(...counts) >= 0, true, "a count was negative");
    }
  }
});

test("an acquire whose observer aborts a close gets no lease that has ended", async () => {
  let armed = false;
  const f: Fixture = fixture({
    observer: {
      acquired: () => {
        if (armed) abort(f.pool);
      },
    },
  });
  await fill(f.pool, 1);
  armed = true;
  const outcome = watch(f.pool.acquire());
  await settled();
  assertInstanceOf(outcome.error, PoolClosedError);
  await assertClosesClean(f);
});
