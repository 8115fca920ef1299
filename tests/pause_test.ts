import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { AcquireTimeoutError, PoolClosedError, PoolFullError } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Outcome,
  settled,
  SpySignal,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Ends the pause that must have begun. */
function end(outcome: Outcome<AsyncDisposable>): PromiseLike<void> {
  if (outcome.value === undefined) throw new Error("It has not begun");
  return outcome.value[Symbol.asyncDispose]();
}

test("a pause of a pool with nothing used begins at once", async () => {
  const f = fixture({ max: 2 });
  await end({ settled: true, value: await f.pool.pause() });
  await fill(f.pool, 2);
  await end({ settled: true, value: await f.pool.pause() });
  await assertClosesClean(f);
});

test("a pause begins when all that is used is home", async () => {
  const f = fixture({ max: 3 });
  const held = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  const pause = watch(f.pool.pause());
  held[0]!.release();
  held[1]!.destroy();
  await settled();
  assertEquals(pause.settled, false);
  f.factory.live.delete(held[2]!.detach());
  await settled();
  assertEquals(pause.settled, true);
  await end(pause);
  await assertClosesClean(f);
});

test("a pause waits for each way home: release, destroy, detach", async () => {
  for (const act of ["release", "destroy", "detach"] as const) {
    const f = fixture();
    const held = await f.pool.acquire();
    const pause = watch(f.pool.pause());
    await settled();
    assertEquals(pause.settled, false);
    if (act === "detach") f.factory.live.delete(held.detach());
    else held[act]();
    await settled();
    assertEquals(pause.settled, true, act);
    await assertClosesClean(f);
  }
});

test("what is under validate counts as used, whatever its verdict", async () => {
  for (const verdict of [true, false]) {
    const f = validated({ max: 2 });
    await fill(f.pool, 1);
    f.factory.manual.add("validate");
    const taker = watch(f.pool.acquire());
    const pause = watch(f.pool.pause());
    await settled();
    assertEquals(pause.settled, false);
    f.factory.validations.shift()!.resolve(verdict);
    await settled();
    if (verdict) {
      assertEquals(pause.settled, false, "it was taken before the pause");
      leaseOf(taker).release();
      await settled();
    } else assertEquals(taker.settled, false, "it goes back into the line");
    assertEquals(pause.settled, true);
    assertEquals(f.factory.log.filter((line) => /create/.test(line)).length, 1);
    f.factory.manual.clear();
    await end(pause);
    await settled();
    leaseOf(taker).release();
    await assertClosesClean(f);
  }
});

test("what is being reset counts as used, whether it succeeds or not", async () => {
  for (const succeeds of [true, false]) {
    const { clock, factory, pool } = fixture();
    await pool.close();
    factory.manual.add("reset");
    const f = fixture({ clock, reset: factory.reset });
    const held = await f.pool.acquire();
    const pause = watch(f.pool.pause());
    held.release();
    await settled();
    assertEquals(pause.settled, false);
    if (succeeds) factory.resets.shift()!.resolve(undefined);
    else factory.resets.shift()!.reject(new Error("reset"));
    await settled();
    assertEquals(pause.settled, true);
    assertCounts(f.pool, succeeds ? { idle: 1 } : {});
    await assertClosesClean(f);
  }
});

test("a create in flight is not waited for, and what it makes goes idle", async () => {
  const f = fixture({ max: 2 });
  f.factory.manual.add("create");
  const wait = watch(f.pool.acquire());
  await settled();
  const pause = watch(f.pool.pause());
  await settled();
  assertEquals(pause.settled, true);
  f.factory.finishCreate();
  await settled();
  assertEquals(wait.settled, false);
  assertCounts(f.pool, { idle: 1, pending: 1 });
  await end(pause);
  await settled();
  assertEquals(leaseOf(wait).value.id, 1);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a released one goes idle, and not to those who wait", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const before = watch(f.pool.acquire());
  const pause = watch(f.pool.pause());
  const after = watch(f.pool.acquire());
  held.release();
  await settled();
  assertEquals([pause.settled, before.settled, after.settled], [
    ...[true, false, false],
  ]);
  assertCounts(f.pool, { idle: 1, pending: 2 });
  await end(pause);
  await settled();
  leaseOf(before).release();
  await settled();
  leaseOf(after).release();
  await assertClosesClean(f);
});

test("nothing is created meanwhile, for waiters, a minimum or a warm", async () => {
  const f = fixture({ max: 4, min: 2 });
  await f.pool.warm();
  const pause = await f.pool.pause();
  const wait = watch(f.pool.acquire());
  const warm = watch(f.pool.warm(3));
  f.pool.clear();
  await f.clock.advance(10_000);
  assertCounts(f.pool, { pending: 1 });
  assertEquals([wait.settled, warm.settled], [false, false]);
  await pause[Symbol.asyncDispose]();
  assertCounts(f.pool, { creating: 3, pending: 1 });
  await settled();
  assertEquals(warm.settled, true);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a slot that is vacated meanwhile is created for after", async () => {
  const f = fixture();
  f.factory.manual.add("destroy");
  const held = await f.pool.acquire();
  const wait = watch(f.pool.acquire());
  const pause = watch(f.pool.pause());
  held.destroy();
  await settled();
  assertEquals(pause.settled, true, "a destroy is not waited for");
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, { pending: 1 });
  f.factory.manual.clear();
  await end(pause);
  await settled();
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("tryAcquire gives nothing, and an acquire that does not wait times out", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  const error = await assertRejects(
    () => f.pool.acquire({ timeout: 0 }),
    AcquireTimeoutError,
  );
  assertEquals(
    error.message,
    "Cannot acquire from pool 'pool' within 0 ms: the pool is paused; " +
      "the only one is idle " +
      "(1 idle, 0 used, 0 creating, 0 destroying, 0 pending, 1 max)",
  );
  await pause[Symbol.asyncDispose]();
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("the deadlines and signals of those who wait go on", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  const late = watch(f.pool.acquire({ timeout: 100 }));
  const controller = new AbortController();
  const gone = watch(f.pool.acquire({ signal: controller.signal }));
  await f.clock.advance(99);
  assertEquals(late.settled, false);
  await f.clock.advance(1);
  assertInstanceOf(late.error, AcquireTimeoutError);
  controller.abort("gone");
  await settled();
  assertEquals(gone.error, "gone");
  assertCounts(f.pool, { idle: 1 });
  await pause[Symbol.asyncDispose]();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("maxPending refuses those who come too many to a pause", async () => {
  const f = fixture({ max: 5, maxPending: 1 });
  const pause = await f.pool.pause();
  const first = watch(f.pool.acquire());
  await assertRejects(() => f.pool.acquire(), PoolFullError);
  await pause[Symbol.asyncDispose]();
  await settled();
  leaseOf(first).release();
  await assertClosesClean(f);
});

test("after a pause what is idle serves first, in order, then creates do", async () => {
  const f = fixture({ max: 3 });
  await fill(f.pool, 2);
  const pause = await f.pool.pause();
  const waits = [1, 2, 3, 4].map(() => watch(f.pool.acquire()));
  await settled();
  assertCounts(f.pool, { idle: 2, pending: 4 });
  await pause[Symbol.asyncDispose]();
  assertCounts(f.pool, { used: 2, creating: 1, pending: 2 });
  await settled();
  assertEquals(
    waits.slice(0, 3).map((wait) => leaseOf(wait).value.id),
    [2, 1, 3],
  );
  assertEquals(waits[3]!.settled, false);
  for (const wait of waits) {
    leaseOf(wait).release();
    await settled();
  }
  await assertClosesClean(f);
});

test("after a pause what has expired meanwhile serves nobody", async () => {
  const f = fixture({ idleTimeout: 100 });
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  const wait = watch(f.pool.acquire());
  f.clock.jump(101);
  await pause[Symbol.asyncDispose]();
  await settled();
  assertEquals(leaseOf(wait).value.id, 2);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("what is waited in a pause buys no creates", async () => {
  const f = fixture({ max: 20, growth: "measured" });
  f.factory.manual.add("create");
  const firsts = [1, 2].map(() => watch(f.pool.acquire()));
  await f.clock.advance(100);
  f.factory.finishCreate();
  f.factory.finishCreate();
  await settled();
  for (const first of firsts) leaseOf(first).release();
  const pause = await f.pool.pause();
  const waits = Array.from({ length: 10 }, () => watch(f.pool.acquire()));
  await f.clock.advance(10_000);
  await pause[Symbol.asyncDispose]();
  await settled();
  assertCounts(f.pool, { used: 2, pending: 8 });
  // From now on it counts: who waits for as long as a create takes is owed one.
  await f.clock.advance(99);
  assertCounts(f.pool, { used: 2, pending: 8 });
  await f.clock.advance(1);
  assertCounts(f.pool, { used: 2, creating: 8, pending: 8 });
  f.factory.manual.clear();
  while (f.factory.creates.length > 0) f.factory.finishCreate();
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a pool that has nothing when a pause ends creates for those who wait", async () => {
  const f = fixture({ max: 3, growth: "measured" });
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  f.pool.clear();
  await settled();
  const waits = [1, 2].map(() => watch(f.pool.acquire()));
  await f.clock.advance(1_000);
  await pause[Symbol.asyncDispose]();
  assertCounts(f.pool, { creating: 2, pending: 2 });
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("of several pauses the last one ends them", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const pauses = [1, 2].map(() => watch(f.pool.pause()));
  const wait = watch(f.pool.acquire());
  held.release();
  await settled();
  assertEquals(pauses.map(({ settled }) => settled), [true, true]);
  const third = watch(f.pool.pause());
  await end(pauses[1]!);
  await end(pauses[0]!);
  await settled();
  assertEquals([third.settled, wait.settled], [true, false]);
  await end(third);
  await settled();
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a pause that has ended ends no other", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const first = watch(f.pool.pause());
  const second = watch(f.pool.pause());
  await settled();
  await end(first);
  await end(first);
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  await end(second);
  await end(first);
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("a pause ends with the block that holds it", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  {
    await using _pause = await f.pool.pause();
    assertStrictEquals(f.pool.tryAcquire(), undefined);
  }
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("an abort rejects a pause that has not begun, and ends it", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = new SpySignal();
  const pause = watch(f.pool.pause({ signal: spy.signal }));
  const other = watch(f.pool.pause());
  const wait = watch(f.pool.acquire());
  spy.abort("enough");
  await settled();
  assertEquals(pause, { settled: true, error: "enough" });
  assertEquals(spy.listeners, 0);
  held.release();
  await settled();
  assertEquals([other.settled, wait.settled], [true, false]);
  await end(other);
  await settled();
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("an abort of a pause serves those who wait at once", async () => {
  const f = fixture({ max: 2 });
  const held = await f.pool.acquire();
  const controller = new AbortController();
  const pause = watch(f.pool.pause({ signal: controller.signal }));
  const wait = watch(f.pool.acquire());
  await settled();
  assertEquals(wait.settled, false);
  controller.abort("enough");
  await settled();
  assertEquals(pause.error, "enough");
  leaseOf(wait).release();
  held.release();
  await assertClosesClean(f);
});

test("an abort of a pause that has begun ends it no more", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const spy = new SpySignal();
  const pause = watch(f.pool.pause({ signal: spy.signal }));
  await settled();
  assertEquals([pause.settled, spy.listeners], [true, 0]);
  spy.abort();
  await settled();
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  await end(pause);
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("an aborted signal pauses nothing", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const signal = AbortSignal.abort("before");
  const pause = watch(f.pool.pause({ signal }));
  await settled();
  assertEquals(pause.error, "before");
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("a signal that aborts while it takes the listener leaves no pause behind", async () => {
  for (const [tells, others] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) {
    const f = fixture();
    await fill(f.pool, 1);
    const other = others ? await f.pool.pause() : undefined;
    const wait = watch(f.pool.acquire());
    const { signal, controller } = new SpySignal();
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      if (tells) add(...args);
      controller.abort("meanwhile");
    };
    const pause = watch(f.pool.pause({ signal }));
    await settled();
    assertEquals(pause.error, "meanwhile");
    assertEquals(wait.settled, !others);
    await other?.[Symbol.asyncDispose]();
    await settled();
    leaseOf(wait).release();
    f.pool.tryAcquire()!.release();
    await assertClosesClean(f);
  }
});

test("a signal that closes the pool while it takes the listener has the pause rejected", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spy = new SpySignal();
  const { signal } = spy;
  const add = signal.addEventListener;
  let closing: Promise<void> | undefined;
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    closing = f.pool.close();
    add(...args);
  };
  const pause = watch(f.pool.pause({ signal }));
  await settled();
  assertInstanceOf(pause.error, PoolClosedError);
  assertEquals(spy.listeners, 0);
  lease.release();
  await closing;
  await assertClosesClean(f);
});

test("a signal that takes no listener rejects, and pauses nothing", async () => {
  const f = fixture();
  await fill(f.pool, 1);
  const { signal } = new AbortController();
  signal.addEventListener = () => {
    throw new Error("no listener");
  };
  await assertRejects(() => f.pool.pause({ signal }), Error, "no listener");
  f.pool.tryAcquire()!.release();
  await assertClosesClean(f);
});

test("an abort event of a signal that has not aborted ends no pause", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const { signal } = new AbortController();
  const pause = watch(f.pool.pause({ signal }));
  signal.dispatchEvent(new Event("abort"));
  await settled();
  assertEquals(pause.settled, false);
  held.release();
  await settled();
  assertEquals(pause.settled, true);
  await assertClosesClean(f);
});

test("a signal that throws as its listener is taken away breaks no pause", async () => {
  const f = fixture();
  const { signal } = new AbortController();
  signal.removeEventListener = () => {
    throw new Error("stays");
  };
  const pause = await f.pool.pause({ signal });
  await pause[Symbol.asyncDispose]();
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("a close ends a pause that waits, which rejects", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = new SpySignal();
  const pause = watch(f.pool.pause({ signal: spy.signal }));
  const wait = watch(f.pool.acquire());
  const closing = f.pool.close();
  await settled();
  assertInstanceOf(pause.error, PoolClosedError);
  assertInstanceOf(wait.error, PoolClosedError);
  assertEquals(spy.listeners, 0);
  held.release();
  await closing;
  await assertClosesClean(f);
});

test("a paused pool closes, and the end of its pause does nothing", async () => {
  const f = fixture({ max: 2 });
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  const wait = watch(f.pool.acquire());
  await f.pool.close();
  assertInstanceOf(wait.error, PoolClosedError);
  await pause[Symbol.asyncDispose]();
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a pool that is closed is not paused", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const closing = f.pool.close();
  await assertRejects(() => f.pool.pause(), PoolClosedError);
  held.release();
  await closing;
  await assertRejects(() => f.pool.pause(), PoolClosedError);
});

test("a pause of isolated lines begins when the last of them is quiet", async () => {
  const f = fixture({ max: 2, stripes: 2, isolated: true });
  const held = [0, 1].map((affinity) => watch(f.pool.acquire({ affinity })));
  await settled();
  const pause = watch(f.pool.pause());
  const waits = [0, 1].map((affinity) => watch(f.pool.acquire({ affinity })));
  leaseOf(held[0]!).release();
  await settled();
  assertEquals(pause.settled, false);
  leaseOf(held[1]!).release();
  await settled();
  assertEquals(pause.settled, true);
  assertEquals(waits.map(({ settled }) => settled), [false, false]);
  await end(pause);
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("what says lost meanwhile is evicted, and is not created again before the end", async () => {
  const lost: (() => void)[] = [];
  const f = fixture({
    max: 2,
    min: 1,
    create: (context) => {
      lost.push(context.lost);
      return f.factory.create(context);
    },
  });
  const held = await f.pool.acquire();
  const pause = watch(f.pool.pause());
  lost[0]!();
  await settled();
  assertEquals(pause.settled, false);
  held.release();
  await settled();
  assertEquals(pause.settled, true);
  assertCounts(f.pool, {});
  await end(pause);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  const again = await f.pool.pause();
  lost[1]!();
  await settled();
  assertCounts(f.pool, {});
  await again[Symbol.asyncDispose]();
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a check in the background is waited for, and none begins before the end", async () => {
  for (const isolated of [false, true]) {
    const f = validated({
      max: 2,
      stripes: 2,
      isolated,
      validateAfter: Infinity,
      keepalive: 1_000,
      idleTimeout: Infinity,
    });
    const held = [0, 1].map((affinity) => watch(f.pool.acquire({ affinity })));
    await settled();
    for (const lease of held) leaseOf(lease).release();
    f.factory.manual.add("validate");
    await f.clock.advance(1_000);
    assertCounts(f.pool, { idle: 1, used: 1 });
    const pause = watch(f.pool.pause());
    await settled();
    assertEquals(pause.settled, false);
    f.factory.validations.shift()!.resolve(true);
    await f.clock.advance(10_000);
    assertEquals([pause.settled, f.factory.validations.length], [true, 0]);
    assertCounts(f.pool, { idle: 2 });
    await end(pause);
    await f.clock.advance(1_000);
    assertEquals(f.factory.validations.length, 1, "it goes on");
    f.factory.manual.clear();
    f.factory.validations.shift()!.resolve(true);
    await settled();
    await assertClosesClean(f);
  }
});

test("what became due for a check in a pause is checked when that ends", async () => {
  const f = validated({
    validateAfter: Infinity,
    keepalive: 1_000,
    idleTimeout: Infinity,
  });
  (await f.pool.acquire()).release();
  await f.clock.advance(500);
  const pause = watch(f.pool.pause());
  await f.clock.advance(1_000);
  const checks = () => f.factory.log.filter((it) => it.startsWith("validate"));
  assertEquals(checks().length, 0);
  await end(pause);
  await f.clock.advance(0);
  assertEquals(checks().length, 1);
  await f.clock.advance(999);
  assertEquals(checks().length, 1);
  await f.clock.advance(1);
  assertEquals(checks().length, 2);
  await assertClosesClean(f);
});

test("a pause may begin within create and destroy, and end there", async () => {
  const pauses: Outcome<AsyncDisposable>[] = [];
  const f = fixture({
    create: (context) => {
      pauses.push(watch(f.pool.pause()));
      return f.factory.create(context);
    },
    destroy: (resource) => {
      void end(pauses.pop()!);
      return f.factory.destroy(resource);
    },
  });
  const wait = watch(f.pool.acquire());
  await settled();
  assertEquals([wait.settled, pauses[0]!.settled], [false, true]);
  assertCounts(f.pool, { idle: 1, pending: 1 });
  f.pool.clear();
  await settled();
  assertEquals(wait.settled, false, "the create for it has begun a pause");
  assertEquals(pauses.length, 1);
  await end(pauses[0]!);
  await settled();
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a use that pauses the pool waits for itself, and its signal ends that", async () => {
  const f = fixture();
  const controller = new AbortController();
  const { signal } = controller;
  const use = watch(f.pool.use(() => f.pool.pause({ signal })));
  await settled();
  assertEquals(use.settled, false);
  controller.abort("enough");
  await settled();
  assertEquals(use.error, "enough");
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("options of a pause are checked", async () => {
  const { pool } = fixture();
  await assertRejects(
    () => pool.pause({ signal: {} as never }),
    TypeError,
    "Cannot pause pool as 'signal' must be an AbortSignal",
  );
  await assertRejects(() => pool.pause({ timeout: 1 } as never), TypeError);
  await assertRejects(() => pool.pause(null as never), TypeError);
  (await pool.acquire()).release();
});

test("a pause whose signal closes the pool as it is listened to is told so", async () => {
  const { pool } = fixture();
  const { signal } = new AbortController();
  const { addEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    void pool.close();
    addEventListener.apply(signal, args);
  };
  await assertRejects(() => pool.pause({ signal }), PoolClosedError);
});
