import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { AcquireTimeoutError, type Clock, type Lease, Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Outcome,
  type Resource,
  settled,
  until,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

test("an acquire times out after the pool's acquireTimeout, not before", async () => {
  const { pool, clock } = fixture({ acquireTimeout: 500 });
  using _held = await pool.acquire();
  const waiter = watch(pool.acquire());
  await clock.advance(499);
  assertEquals(waiter.settled, false);
  await clock.advance(1);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertCounts(pool, { used: 1 });
});

test("the default acquireTimeout is thirty seconds", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const waiter = watch(pool.acquire({}));
  await clock.advance(29_999);
  assertEquals(waiter.settled, false);
  await clock.advance(1);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
});

test("the timeout of a call goes before that of the pool", async () => {
  const { pool, clock } = fixture({ acquireTimeout: 500 });
  using _held = await pool.acquire();
  const short = watch(pool.acquire({ timeout: 100 }));
  const long = watch(pool.acquire({ timeout: 1_000 }));
  await clock.advance(100);
  assertEquals([short.settled, long.settled], [true, false]);
  await clock.advance(899);
  assertEquals(long.settled, false);
  await clock.advance(1);
  assertInstanceOf(long.error, AcquireTimeoutError);
});

test("a timeout error says which pool, how long and what the counts were", async () => {
  const { pool, clock, factory } = fixture({ max: 2, name: "db" });
  using _held = await pool.acquire();
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ timeout: 250 }));
  watch(pool.acquire());
  await clock.advance(250);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  const { name, message } = waiter.error;
  assertEquals(name, "TimeoutError");
  for (const part of ["'db'", "250 ms", "1 used", "1 creating", "2 max"]) {
    assertStringIncludes(message, part);
  }
});

test("timeout 0 leases what is idle and else rejects without waiting", async () => {
  const f = fixture();
  const none = watch(f.pool.acquire({ timeout: 0 }));
  assertCounts(f.pool, {});
  await settled();
  assertInstanceOf(none.error, AcquireTimeoutError);
  assertEquals(f.factory.log, []);
  assertEquals(f.clock.timers, 0);
  await fill(f.pool, 1);
  const lease = await f.pool.acquire({ timeout: 0 });
  assertEquals(lease.value, { id: 1 });
  lease.release();
  await assertClosesClean(f);
});

test("a waiter with an infinite timeout waits for ever", async () => {
  const { pool, clock } = fixture({ idleTimeout: Infinity });
  const held = await pool.acquire();
  const waiter = watch(pool.acquire({ timeout: Infinity }));
  await clock.advance(2 ** 33);
  assertEquals(waiter.settled, false);
  held.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertEquals(clock.referenced, 0);
});

test("timeouts of mixed length expire each at their own time", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const ends: [number, number][] = [];
  const timeouts = [700, 50, 300, 300, 10, 900, 55.5, 1_000, 1];
  for (const timeout of timeouts) {
    pool.acquire({ timeout }).catch(() => ends.push([timeout, clock.now()]));
  }
  await clock.advance(1_000);
  const expected = timeouts.toSorted((a, b) => a - b).map((t) => [t, t]);
  assertEquals(ends, expected);
});

test("thousands of waiters time out at once and the pool goes on", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const waiters = Array.from(
    { length: 10_000 },
    () => watch(f.pool.acquire({ timeout: 100 })),
  );
  const patient = watch(f.pool.acquire({ timeout: 200 }));
  await f.clock.advance(100);
  assertEquals(
    waiters.every(({ error }) => error instanceof AcquireTimeoutError),
    true,
  );
  assertCounts(f.pool, { used: 1, pending: 1 });
  held.release();
  await settled();
  leaseOf(patient).release();
  await assertClosesClean(f);
});

test("thousands of waiters share one timer", async () => {
  const { pool, clock } = fixture({ createTimeout: Infinity });
  using _held = await pool.acquire();
  for (let i = 0; i < 3_000; i++) {
    watch(pool.acquire({ timeout: 1_000 + (i * 7919) % 1_000 }));
  }
  await settled();
  assertEquals(clock.timers, 1);
});

test("a pending acquire keeps the process alive, and nothing else does", async () => {
  const { pool, clock } = fixture();
  const lease = await pool.acquire();
  assertEquals(clock.referenced, 0, "a lease");
  const controller = new AbortController();
  const waiter = watch(pool.acquire({ signal: controller.signal }));
  await settled();
  assertEquals(clock.referenced, 1, "a waiter");
  controller.abort();
  assertEquals(clock.referenced, 0, "a cancelled waiter");
  lease.release();
  await settled();
  assertEquals(waiter.settled, true);
  assertEquals(clock.referenced, 0, "an idle resource");
});

test("an acquire with an infinite timeout keeps the process alive, too", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  watch(pool.acquire({ timeout: Infinity }));
  await settled();
  assertEquals(clock.referenced, 1);
});

test("the timer of waiters is gone when the last of them is served", async () => {
  const { pool, clock } = fixture({
    idleTimeout: Infinity,
    createTimeout: Infinity,
  });
  const held = await pool.acquire();
  const waiters = [watch(pool.acquire()), watch(pool.acquire())];
  held.release();
  await settled();
  assertEquals(clock.timers, 1);
  leaseOf(waiters[0]!).release();
  await settled();
  leaseOf(waiters[1]!).release();
  assertEquals(clock.timers, 0);
});

test("a served waiter never times out later", async () => {
  const { pool, clock } = fixture();
  const held = await pool.acquire();
  const served = watch(pool.acquire({ timeout: 100 }));
  watch(pool.acquire({ timeout: 200 }));
  held.release();
  await clock.advance(500);
  assertEquals(leaseOf(served).value, { id: 1 });
});

test("after a frozen runtime wakes, overdue waiters time out and others wait on", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const due = watch(pool.acquire({ timeout: 100 }));
  const later = watch(pool.acquire({ timeout: 100_000 }));
  clock.jump(50_000);
  await clock.advance(0);
  assertInstanceOf(due.error, AcquireTimeoutError);
  assertEquals(later.settled, false);
  await clock.advance(49_999);
  assertEquals(later.settled, false);
  await clock.advance(1);
  assertInstanceOf(later.error, AcquireTimeoutError);
});

test("a timer that fires early does not time a waiter out early", async () => {
  const virtual = new VirtualClock();
  const clock: Clock = {
    now: () => virtual.now(),
    setTimeout: (callback, delay) =>
      virtual.setTimeout(callback, delay > 2 ? delay - 0.8 : delay),
    clearTimeout: (handle) => virtual.clearTimeout(handle),
  };
  const { pool } = fixture({ clock });
  using _held = await pool.acquire();
  const waiter = watch(pool.acquire({ timeout: 100 }));
  await virtual.advance(99.9);
  assertEquals(waiter.settled, false);
  await virtual.advance(0.1);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
});

test("a timeout beyond 2^31 - 1 ms is waited for in full", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  const timeout = 2 ** 32;
  const waiter = watch(pool.acquire({ timeout }));
  await clock.advance(timeout - 1);
  assertEquals(waiter.settled, false);
  await clock.advance(1);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
});

test("a waiter can time out while its create hangs, and the create goes on", async () => {
  const { pool, clock, factory } = fixture();
  factory.manual.add("create");
  const waiter = watch(pool.acquire({ timeout: 100 }));
  await clock.advance(100);
  assertInstanceOf(waiter.error, AcquireTimeoutError);
  assertCounts(pool, { creating: 1 });
  assertEquals(factory.creates[0]!.signal!.aborted, false);
  factory.finishCreate();
  await settled();
  assertCounts(pool, { idle: 1 });
});

test("a waiter can time out while its resource is validated", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const taker = watch(f.pool.acquire({ timeout: 100 }));
  await f.clock.advance(100);
  assertInstanceOf(taker.error, AcquireTimeoutError);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("the cause of a timeout is the last failure of create", async () => {
  const { pool, clock, factory } = fixture({ createTimeout: Infinity });
  factory.manual.add("create");
  const first = watch(pool.acquire());
  const refused = new Error("refused");
  await settled();
  factory.failCreate(refused);
  await settled();
  assertStrictEquals(first.error, refused);
  const second = watch(pool.acquire({ timeout: 100 }));
  await clock.advance(100);
  assertStrictEquals((second.error as Error).cause, refused);
});

test("a timeout has no cause once a create has succeeded since", async () => {
  const { pool, clock, factory } = fixture();
  factory.manual.add("create");
  watch(pool.acquire());
  await settled();
  factory.failCreate(new Error("refused"));
  await settled();
  const holder = watch(pool.acquire());
  await settled();
  factory.finishCreate();
  await settled();
  const late = watch(pool.acquire({ timeout: 100 }));
  await clock.advance(100);
  assertInstanceOf(late.error, AcquireTimeoutError);
  assertEquals("cause" in late.error, false);
  leaseOf(holder).release();
});

test("timeouts in real time need no clock of the user", async () => {
  await using pool = new Pool({ create: () => 1, max: 1, idleTimeout: 50 });
  using _held = await pool.acquire();
  const began = performance.now();
  const outcome = watch(pool.acquire({ timeout: 20 }));
  await until(() => outcome.settled);
  assertInstanceOf(outcome.error, AcquireTimeoutError);
  assertEquals(outcome.error.name, "TimeoutError");
  assertStringIncludes(outcome.error.message, "within 20 ms");
  assertEquals(performance.now() - began >= 19.9, true);
});

test("a timeout holds although an acquire with a later one begins while others time out", async () => {
  let began = false;
  const f = fixture({
    observer: {
      acquireFailed: () => {
        if (!began) watch(f.pool.acquire({ timeout: Infinity }));
        began = true;
      },
    },
  });
  const held = await f.pool.acquire();
  const soon = watch(f.pool.acquire({ timeout: 10 }));
  const later = watch(f.pool.acquire({ timeout: 20 }));
  await f.clock.advance(10);
  assertEquals([soon.settled, later.settled, began], [true, false, true]);
  await f.clock.advance(10);
  assertEquals(later.settled, true);
  const closed = f.pool.close();
  held.release();
  await closed;
});

test("a timeout holds although a signal begins an acquire as it gives back its listener", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const { signal } = new AbortController();
  let late: Outcome<Lease<Resource>> | undefined;
  signal.removeEventListener = () => {
    late = watch(f.pool.acquire({ timeout: 1_000 }));
  };
  const first = watch(f.pool.acquire({ timeout: 100, signal }));
  const second = watch(f.pool.acquire({ timeout: 150 }));
  await f.clock.advance(100);
  assertEquals([first.settled, late!.settled], [true, false]);
  await f.clock.advance(50);
  assertInstanceOf(second.error, AcquireTimeoutError);
  held.release();
  await settled();
  leaseOf(late!).release();
  await assertClosesClean(f);
});

test("a timeout leaves the limit of stacks as it was, also where there is none", async () => {
  const { stackTraceLimit } = Error as { stackTraceLimit?: number };
  try {
    for (const limit of [7, undefined]) {
      Reflect.set(Error, "stackTraceLimit", limit);
      const f = fixture();
      using _held = await f.pool.acquire();
      const waiter = watch(f.pool.acquire({ timeout: 10 }));
      await f.clock.advance(10);
      assertInstanceOf(waiter.error, AcquireTimeoutError);
      assertEquals(Reflect.get(Error, "stackTraceLimit"), limit);
    }
  } finally {
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  }
});

test("the counts of a timeout are those from before the waiter left", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const first = watch(f.pool.acquire({ timeout: 100 }));
  const second = watch(f.pool.acquire({ timeout: 200 }));
  await f.clock.advance(100);
  assertStringIncludes((first.error as Error).message, "2 pending");
  await f.clock.advance(100);
  assertStringIncludes((second.error as Error).message, "1 pending");
  held.release();
  await assertClosesClean(f);
});

test("those who time out at once are told the same counts", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const waiters = [100, 100, 200].map((timeout) =>
    watch(f.pool.acquire({ timeout }))
  );
  await f.clock.advance(100);
  for (const { error } of waiters.slice(0, 2)) {
    assertStringIncludes((error as Error).message, "3 pending");
  }
  held.release();
  await settled();
  leaseOf(waiters[2]!).release();
  await assertClosesClean(f);
});

test("a timeout of an isolated stripe has the counts and the cause of its line", async () => {
  const f = fixture({ max: 4, stripes: 2, isolated: true });
  const other = await f.pool.acquire({ affinity: 1 });
  const held = [
    await f.pool.acquire({ affinity: 0 }),
    await f.pool.acquire({ affinity: 0 }),
  ];
  f.factory.manual.add("create");
  const refused = new Error("the other stripe's server is down");
  const failed = watch(f.pool.acquire({ affinity: 1 }));
  await settled();
  f.factory.failCreate(refused);
  await settled();
  assertStrictEquals(failed.error, refused);
  other.release();
  const waiters = [
    watch(f.pool.acquire({ affinity: 0, timeout: 20 })),
    watch(f.pool.acquire({ affinity: 0, timeout: 0 })),
  ];
  await f.clock.advance(20);
  for (const { error } of waiters) {
    assertInstanceOf(error, AcquireTimeoutError);
    for (const part of ["0 idle", "2 used", "2 max"]) {
      assertStringIncludes(error.message, part);
    }
    assertStrictEquals(error.cause, undefined);
  }
  const own = watch(f.pool.acquire({ affinity: 1, timeout: 20 }));
  await settled();
  leaseOf(own);
  const next = watch(f.pool.acquire({ affinity: 1, timeout: 20 }));
  await f.clock.advance(20);
  assertStringIncludes((next.error as Error).message, "1 used, 1 creating");
  assertStrictEquals((next.error as Error).cause, refused);
  leaseOf(own).release();
  for (const lease of held) lease.release();
  f.factory.finishCreate();
  await settled();
  await assertClosesClean(f);
});

test("a create that succeeds on one isolated stripe leaves the cause of another", async () => {
  const f = fixture({ max: 2, stripes: 2, isolated: true });
  f.factory.manual.add("create");
  const refused = new Error("refused");
  watch(f.pool.acquire({ affinity: 0 }));
  await settled();
  f.factory.failCreate(refused);
  await settled();
  const at1 = watch(f.pool.acquire({ affinity: 1 }));
  await settled();
  f.factory.finishCreate();
  const at0 = watch(f.pool.acquire({ affinity: 0, timeout: 20 }));
  await f.clock.advance(20);
  assertStrictEquals((at0.error as Error).cause, refused);
  leaseOf(at1).release();
  f.factory.finishCreate();
  await settled();
  await assertClosesClean(f);
});
