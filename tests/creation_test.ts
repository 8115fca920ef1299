import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { AcquireTimeoutError, CallTimeoutError, Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fixture,
  leaseOf,
  PLAIN,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

test("a create that throws rejects its waiter with that very error", async () => {
  const error = new Error("thrown");
  const pool = new Pool({
    create: (): string => {
      throw error;
    },
    max: 1,
  });
  const outcome = watch(pool.acquire());
  await settled();
  assertStrictEquals(outcome.error, error);
  assertCounts(pool, {});
  await pool.close();
});

test("a create that rejects rejects its waiter with that very value", async () => {
  for (const reason of [new Error("rejected"), "text", undefined, null]) {
    const create = () => Promise.reject<string>(reason);
    const pool = new Pool({ create, max: 1 });
    const outcome = watch(pool.acquire());
    await settled();
    assertEquals(outcome.settled, true);
    assertStrictEquals(outcome.error, reason);
    assertCounts(pool, {});
    await pool.close();
  }
});

test("one failed create rejects exactly one waiter, the first in line", async () => {
  const { pool, factory } = fixture({ max: 3 });
  factory.manual.add("create");
  const waiters = [1, 2, 3].map(() => watch(pool.acquire()));
  await settled();
  factory.failCreate("once");
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, false, false]);
  assertEquals(waiters[0]!.error, "once");
  factory.finishCreate();
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(waiters[1]!).value.id, 2);
  assertEquals(leaseOf(waiters[2]!).value.id, 3);
});

test("the slot of a failed create goes to the next waiter that lacks one", async () => {
  const { pool, factory } = fixture();
  factory.manual.add("create");
  const first = watch(pool.acquire());
  const second = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 1);
  factory.failCreate("refused");
  await settled();
  assertEquals(first.error, "refused");
  assertEquals(factory.creates.length, 1);
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(second).value, { id: 2 });
});

test("failed creates cost no capacity", async () => {
  const f = fixture({ max: 3 });
  f.factory.manual.add("create");
  for (let i = 0; i < 50; i++) {
    const outcome = watch(f.pool.acquire());
    await settled();
    f.factory.failCreate(i);
    await settled();
    assertEquals(outcome.error, i);
  }
  f.factory.manual.clear();
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  assertCounts(f.pool, { used: 3 });
  for (const lease of leases) lease.release();
  await assertClosesClean(f);
});

test("a create that always fails is called once for each acquire, without end to none", async () => {
  let calls = 0;
  const pool = new Pool({
    ...PLAIN,
    create: () => Promise.reject<string>(++calls),
    max: 2,
  });
  const waiters = Array.from({ length: 100 }, () => watch(pool.acquire()));
  await settled();
  while (!waiters.every((waiter) => waiter.settled)) await settled();
  assertEquals(waiters.map(({ error }) => error), waiters.map((_, i) => i + 1));
  await settled();
  assertEquals(calls, 100);
  await pool.close();
});

test("a create that fails for nobody frees its slot and poisons nobody", async () => {
  const f = fixture();
  f.factory.manual.add("create");
  const controller = new AbortController();
  watch(f.pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  f.factory.failCreate(new Error("nobody's"));
  await settled();
  assertCounts(f.pool, {});
  f.factory.manual.clear();
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 2 });
  lease.release();
  await assertClosesClean(f);
});

test("create gets a signal of its own that nobody has aborted", async () => {
  const signals: AbortSignal[] = [];
  await using pool = new Pool({
    create: ({ signal }) => signals.push(signal),
    max: 2,
  });
  using _first = await pool.acquire();
  using _second = await pool.acquire();
  assertEquals(signals.map(({ aborted }) => aborted), [false, false]);
  assertEquals(signals[0] === signals[1], false);
});

test("a create that hangs is aborted at createTimeout and rejects its waiter", async () => {
  const f = fixture({ createTimeout: 200 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  const { signal } = f.factory.creates[0]!;
  await f.clock.advance(199);
  assertEquals([waiter.settled, signal!.aborted], [false, false]);
  await f.clock.advance(1);
  assertEquals(signal!.aborted, true);
  assertInstanceOf(waiter.error, CallTimeoutError);
  const { message } = waiter.error;
  assertEquals(message, "'create' of pool 'pool' did not settle within 200 ms");
  assertStrictEquals(signal!.reason, waiter.error);
  assertCounts(f.pool, {});
});

test("the default createTimeout is ten seconds", async () => {
  const { pool, clock, factory } = fixture({ acquireTimeout: Infinity });
  factory.manual.add("create");
  const waiter = watch(pool.acquire());
  await clock.advance(9_999);
  assertEquals(waiter.settled, false);
  await clock.advance(1);
  assertEquals((waiter.error as Error).name, "CallTimeoutError");
});

test("a create that hangs costs its slot only until createTimeout", async () => {
  const { pool, clock, factory } = fixture({ createTimeout: 200 });
  factory.manual.add("create");
  const first = watch(pool.acquire());
  const second = watch(pool.acquire());
  await clock.advance(200);
  assertEquals(first.settled, true);
  assertEquals(factory.creates.length, 2);
  factory.creates[1]!.resolve(factory.creates[1]!.resource);
  await settled();
  assertEquals(leaseOf(second).value, { id: 2 });
});

test("a resource that comes after createTimeout is destroyed, once", async () => {
  const f = fixture({ createTimeout: 200 });
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(200);
  assertEquals(waiter.settled, true);
  f.factory.finishCreate();
  await settled();
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a failure that comes after createTimeout reaches nobody", async () => {
  const f = fixture({ createTimeout: 200 });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  const second = watch(f.pool.acquire({ timeout: Infinity }));
  await f.clock.advance(200);
  f.factory.failCreate("late");
  await settled();
  assertEquals((first.error as Error).name, "CallTimeoutError");
  assertEquals(second.settled, false);
  assertCounts(f.pool, { creating: 1, pending: 1 });
});

test("a late resource whose destroy fails or hangs disturbs nobody", async () => {
  const hang = new Promise<void>(() => {});
  for (const end of [() => Promise.reject(new Error("no")), () => hang]) {
    const { pool, clock, factory } = fixture({
      createTimeout: 200,
      destroy: end,
    });
    factory.manual.add("create");
    watch(pool.acquire());
    await clock.advance(200);
    factory.finishCreate();
    await clock.advance(100_000);
    assertCounts(pool, {});
    assertEquals(clock.timers, 0);
    await pool.close();
  }
});

test("a create that heeds its signal fails with the timeout, once", async () => {
  const clock = fixture().clock;
  const pool = new Pool({
    ...PLAIN,
    create: ({ signal }) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    max: 1,
    createTimeout: 200,
    clock,
  });
  const first = watch(pool.acquire());
  const second = watch(pool.acquire());
  await clock.advance(200);
  assertEquals((first.error as Error).name, "CallTimeoutError");
  assertEquals(second.settled, false);
  await clock.advance(200);
  assertEquals((second.error as Error).name, "CallTimeoutError");
  assertCounts(pool, {});
  await pool.close();
  assertEquals(clock.timers, 0);
});

test("a create that settles in time leaves no timer but one that runs out", async () => {
  const { pool, clock, factory } = fixture({ idleTimeout: Infinity });
  factory.manual.add("create");
  const good = watch(pool.acquire());
  await settled();
  assertEquals([clock.timers, clock.referenced], [2, 1]);
  factory.finishCreate();
  await settled();
  assertEquals([clock.timers, clock.referenced], [1, 0]);
  leaseOf(good).destroy();
  const bad = watch(pool.acquire());
  await settled();
  assertEquals([clock.timers, clock.armed], [2, 3], "limits share one timer");
  factory.failCreate("no");
  await settled();
  assertEquals(bad.error, "no");
  assertEquals([clock.timers, clock.referenced], [1, 0]);
  await clock.advance(30_000);
  assertEquals([clock.timers, clock.armed], [0, 3]);
});

test("an infinite createTimeout sets no timer", async () => {
  const { pool, clock, factory } = fixture({ createTimeout: Infinity });
  factory.manual.add("create");
  watch(pool.acquire({ timeout: Infinity }));
  await settled();
  assertEquals(clock.timers, 1, "only the waiter's");
});

test("the timer of a create does not keep the process alive by itself", async () => {
  const { pool, clock, factory } = fixture();
  factory.manual.add("create");
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  assertEquals([clock.timers, clock.referenced], [1, 0]);
});

test("a waiter times out on its own clock while creates fail around it", async () => {
  const { pool, clock, factory } = fixture({ createTimeout: 100 });
  factory.manual.add("create");
  const waiters = [1, 2, 3, 4].map(() => watch(pool.acquire({ timeout: 250 })));
  await clock.advance(250);
  const names = waiters.map(({ error }) =>
    error instanceof AcquireTimeoutError
  );
  assertEquals(names, [false, false, true, true]);
});

test("a createTimeout beyond 2^31 - 1 ms is waited for in full", async () => {
  const createTimeout = 2 ** 31 + 1_000;
  const f = fixture({ createTimeout, acquireTimeout: Infinity });
  f.factory.manual.add("create");
  const outcome = watch(f.pool.acquire());
  await f.clock.advance(2 ** 31 - 1);
  await f.clock.advance(1_000);
  assertEquals(outcome.settled, false);
  await f.clock.advance(1);
  assertInstanceOf(outcome.error, CallTimeoutError);
  f.factory.finishCreate();
  await assertClosesClean(f);
});

test("a timer that is early does not cut a createTimeout short", async () => {
  const virtual = new VirtualClock();
  const clock = {
    now: () => virtual.now(),
    setTimeout: (callback: () => void, delay: number) =>
      virtual.setTimeout(callback, Math.max(delay - 0.8, 0.1)),
    clearTimeout: virtual.clearTimeout.bind(virtual),
  };
  const f = fixture({ createTimeout: 100, clock });
  f.factory.manual.add("create");
  const outcome = watch(f.pool.acquire());
  await virtual.advance(99.5);
  assertEquals(outcome.settled, false);
  await virtual.advance(1);
  assertInstanceOf(outcome.error, CallTimeoutError);
  await f.pool.close();
});
