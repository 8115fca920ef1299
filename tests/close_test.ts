import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { type DestroyReason, Pool, PoolClosedError } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  SpySignal,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("close of an unused pool resolves at once", async () => {
  const f = fixture({ max: 4, stripes: 2 });
  assertStrictEquals(await f.pool.close(), undefined);
  assertEquals(f.factory.log, []);
  await assertClosesClean(f);
});

test("close destroys what is idle on every stripe and leaves no timer", async () => {
  const reasons: DestroyReason[] = [];
  const f = fixture({
    max: 4,
    stripes: 2,
    observer: { destroyed: ({ reason }) => void reasons.push(reason) },
  });
  await fill(f.pool, 4);
  await f.pool.close();
  assertEquals(reasons, ["close", "close", "close", "close"]);
  await assertClosesClean(f);
});

test("close waits for what is used and destroys it at release", async () => {
  const f = fixture({ max: 2 });
  const [first, second] = [await f.pool.acquire(), await f.pool.acquire()];
  const closed = watch(f.pool.close());
  await settled();
  assertEquals(closed.settled, false);
  assertEquals(first.value, { id: 1 });
  first.release();
  await settled();
  assertEquals(closed.settled, false);
  second.destroy();
  await settled();
  assertEquals(closed.settled, true);
  assertEquals(f.factory.log.slice(2), ["destroy 1", "destroy 2"]);
  await assertClosesClean(f);
});

test("close aborts what is being created, waits for it and destroys it", async () => {
  const f = fixture();
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  const closed = watch(f.pool.close());
  await settled();
  assertInstanceOf(waiter.error, PoolClosedError);
  assertEquals(closed.settled, false);
  assertCounts(f.pool, { creating: 1 });
  const { signal } = f.factory.creates[0]!;
  assertInstanceOf(signal!.reason, PoolClosedError);
  f.factory.finishCreate();
  await settled();
  assertEquals(closed.settled, true);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("a create that is still to be called when the pool closes is given up", async () => {
  const failures: unknown[] = [];
  const f = fixture({
    max: 2,
    observer: { createFailed: ({ error }) => void failures.push(error) },
  });
  const waiters = [watch(f.pool.acquire()), watch(f.pool.acquire())];
  const closed = watch(f.pool.close());
  assertCounts(f.pool, { creating: 2 });
  await settled();
  assertEquals(f.factory.log, []);
  for (const { error } of waiters) assertInstanceOf(error, PoolClosedError);
  assertEquals(failures.length, 2);
  for (const error of failures) assertInstanceOf(error, PoolClosedError);
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

test("a create that fails in a pool that closes is told as closed, and fails nothing", async () => {
  const failures: unknown[] = [];
  const createFailed = ({ error }: { error: unknown }) =>
    void failures.push(error);
  const f = fixture({ observer: { createFailed } });
  f.factory.manual.add("create");
  watch(f.pool.acquire());
  await settled();
  const closed = watch(f.pool.close());
  await settled();
  assertEquals([failures, closed.settled], [[], false]);
  f.factory.failCreate(new Error("too late to matter"));
  await settled();
  assertEquals(closed, { settled: true, value: undefined });
  assertInstanceOf(failures[0], PoolClosedError);
  assertEquals(failures.length, 1);
  await assertClosesClean(f);
});

test("close waits for a create that hangs until its createTimeout", async () => {
  const f = fixture({ createTimeout: 200 });
  f.factory.manual.add("create");
  watch(f.pool.acquire());
  await settled();
  const closed = watch(f.pool.close());
  await settled();
  assertEquals(f.clock.referenced, 1, "the process must see the close settle");
  await f.clock.advance(200);
  assertEquals(closed.settled, true);
  assertEquals(f.clock.timers, 0);
  f.factory.finishCreate();
  await settled();
  await assertClosesClean(f);
});

test("close waits for destroys in flight, up to their destroyTimeout", async () => {
  const f = fixture({ max: 2, destroyTimeout: 300 });
  const lease = await f.pool.acquire();
  await fill(f.pool, 1);
  f.factory.manual.add("destroy");
  lease.destroy();
  const closed = watch(f.pool.close());
  await settled();
  assertEquals(f.clock.referenced, 1, "the process must see the close settle");
  f.factory.destroys.shift()!.resolve();
  await f.clock.advance(299);
  assertEquals(closed.settled, false);
  await f.clock.advance(1);
  assertEquals(closed, { settled: true, value: undefined });
  assertCounts(f.pool, {});
  assertEquals(f.clock.timers, 0);
});

test("close waits for a verdict, whatever it is, and destroys the resource", async () => {
  for (const verdict of [true, false]) {
    const f = validated();
    await fill(f.pool, 1);
    f.factory.manual.add("validate");
    const taker = watch(f.pool.acquire());
    const closed = watch(f.pool.close());
    await settled();
    assertInstanceOf(taker.error, PoolClosedError);
    assertEquals(closed.settled, false);
    f.factory.validations.shift()!.resolve(verdict);
    await settled();
    assertEquals(closed.settled, true);
    assertEquals(f.factory.log.at(-1), "destroy 1");
    await assertClosesClean(f);
  }
});

test("close rejects all waiters at once, in their order", async () => {
  const f = fixture({ max: 2, stripes: 2 });
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  const spy = new SpySignal();
  const order: number[] = [];
  for (let i = 0; i < 100; i++) {
    f.pool.acquire({ signal: spy.signal }).catch((error) => {
      assertInstanceOf(error, PoolClosedError);
      order.push(i);
    });
  }
  const closed = watch(f.pool.close());
  assertCounts(f.pool, { used: 2 });
  assertEquals(spy.listeners, 0);
  await settled();
  assertEquals(order, Array.from({ length: 100 }, (_, i) => i));
  assertEquals(closed.settled, false);
  for (const lease of held) lease.release();
  await assertClosesClean(f);
});

test("acquire and use after close reject, and touch nothing", async () => {
  for (const finished of [false, true]) {
    const f = fixture({ name: "db" });
    const lease = await f.pool.acquire();
    const closed = f.pool.close();
    if (finished) {
      lease.release();
      await closed;
    }
    const log = [...f.factory.log];
    const error = await assertRejects(() => f.pool.acquire(), PoolClosedError);
    assertEquals(error.name, "PoolClosedError");
    assertEquals(
      error.message,
      "Cannot acquire from pool 'db' as it is closed",
    );
    await assertRejects(() => f.pool.use(() => 1), PoolClosedError);
    await assertRejects(() => f.pool.acquire({ timeout: 0 }), PoolClosedError);
    assertEquals(f.pool.tryAcquire(), undefined);
    assertEquals(f.factory.log, log);
    lease.release();
    await assertClosesClean(f);
  }
});

test("a resource whose validate closes the pool serves no newcomer", async () => {
  for (const way of ["acquire", "tryAcquire"] as const) {
    const f = validated({
      validate: () => {
        void f.pool.close();
        return true;
      },
    });
    await fill(f.pool, 1);
    if (way === "acquire") {
      await assertRejects(() => f.pool.acquire(), PoolClosedError);
    } else assertStrictEquals(f.pool.tryAcquire(), undefined);
    await assertClosesClean(f);
  }
});

test("the closed pool goes before an aborted signal, as both would refuse", async () => {
  const { pool } = fixture();
  await pool.close();
  const signal = AbortSignal.abort();
  await assertRejects(() => pool.acquire({ signal }), PoolClosedError);
});

test("closing twice is closing once", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const closes = [watch(f.pool.close()), watch(f.pool.close())];
  await settled();
  assertEquals(closes.map((close) => close.settled), [false, false]);
  lease.release();
  await settled();
  assertEquals(closes.map((close) => close.settled), [true, true]);
  await f.pool.close();
  await f.pool[Symbol.asyncDispose]();
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("await using closes the pool at the end of its block", async () => {
  const log: string[] = [];
  {
    await using pool = new Pool({
      create: () => 1,
      destroy: async () => {
        await undefined;
        log.push("destroyed");
      },
      max: 1,
    });
    (await pool.acquire()).release();
  }
  assertEquals(log, ["destroyed"]);
});

test("one failed destroy is what close rejects with", async () => {
  const error = new Error("destroy 2");
  const f = fixture({
    max: 3,
    destroy: ({ id }) => id === 2 ? Promise.reject(error) : undefined,
  });
  await fill(f.pool, 3);
  const closed = watch(f.pool.close());
  await settled();
  assertStrictEquals(closed.error, error);
  assertCounts(f.pool, {});
});

test("several failed destroys become one AggregateError, in their order", async () => {
  const { pool } = fixture({
    max: 3,
    destroy: ({ id }) => {
      if (id !== 2) throw new Error(`destroy ${id}`);
    },
  });
  await fill(pool, 3);
  const closed = watch(pool.close());
  const again = watch(pool.close());
  await settled();
  assertInstanceOf(closed.error, AggregateError);
  const messages = closed.error.errors.map((error: Error) => error.message);
  assertEquals(messages, ["destroy 1", "destroy 3"]);
  assertStrictEquals(again.error, closed.error);
  assertCounts(pool, {});
});

test("a destroy that failed with undefined before or during close counts, once", async () => {
  const { pool, factory } = fixture({ max: 2 });
  factory.manual.add("destroy");
  const [before, during] = [await pool.acquire(), await pool.acquire()];
  before.destroy();
  await settled();
  factory.destroys.shift()!.reject(new Error("before close"));
  await settled();
  const closed = watch(pool.close());
  during.release();
  await settled();
  factory.destroys.shift()!.reject(undefined);
  await settled();
  assertEquals(closed, { settled: true, error: undefined });
});

test("an aborted close destroys what is used and ends its leases", async () => {
  const reasons: DestroyReason[] = [];
  const f = fixture({
    max: 3,
    stripes: 2,
    observer: { destroyed: ({ reason }) => void reasons.push(reason) },
  });
  const leases = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  const spy = new SpySignal();
  const closed = watch(f.pool.close({ signal: spy.signal }));
  await settled();
  assertEquals([closed.settled, spy.listeners], [false, 1]);
  spy.abort();
  await settled();
  assertEquals(closed, { settled: true, value: undefined });
  assertEquals(spy.listeners, 0);
  assertEquals(reasons, ["close", "close", "close"]);
  for (const lease of leases) {
    await assertRejects(() => Promise.resolve().then(() => lease.value));
    lease.release();
    lease.destroy();
  }
  await assertClosesClean(f);
});

test("a lease that an aborted close ended can be destroyed to no effect", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  await f.pool.close({ signal: AbortSignal.abort() });
  lease.destroy();
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("close with an aborted signal waits for nobody", async () => {
  const f = fixture({ max: 2 });
  const lease = await f.pool.acquire();
  await fill(f.pool, 1);
  await f.pool.close({ signal: AbortSignal.abort() });
  lease.release();
  assertEquals(f.factory.live.size, 0);
  await assertClosesClean(f);
});

test("an aborted close gives up on a create, whose late resource is destroyed", async () => {
  const f = fixture();
  f.factory.manual.add("create");
  const waiter = watch(f.pool.acquire());
  await settled();
  await f.pool.close({ signal: AbortSignal.abort() });
  assertInstanceOf(waiter.error, PoolClosedError);
  const { signal } = f.factory.creates[0]!;
  assertEquals(signal!.aborted, true);
  assertInstanceOf(signal!.reason, PoolClosedError);
  assertCounts(f.pool, {});
  assertEquals(f.clock.timers, 0);
  f.factory.finishCreate();
  await settled();
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("an aborted close gives up on a verdict and destroys the resource once", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  watch(f.pool.acquire());
  await f.pool.close({ signal: AbortSignal.abort() });
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertEquals(f.factory.log.filter((line) => line === "destroy 1").length, 1);
  await assertClosesClean(f);
});

test("an aborted close still waits for its destroys", async () => {
  const f = fixture({ destroyTimeout: 300 });
  await f.pool.acquire();
  f.factory.manual.add("destroy");
  const closed = watch(f.pool.close({ signal: AbortSignal.abort() }));
  await f.clock.advance(299);
  assertEquals(closed.settled, false);
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

test("a second close can bring the signal that ends the first", async () => {
  const f = fixture();
  await f.pool.acquire();
  const first = watch(f.pool.close());
  const spy = new SpySignal();
  const second = watch(f.pool.close({ signal: spy.signal }));
  await settled();
  assertEquals([first.settled, second.settled], [false, false]);
  spy.abort();
  await settled();
  assertEquals([first.settled, second.settled], [true, true]);
  await assertClosesClean(f);
});

test("a close that settles leaves no listener on the signals it was given", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spies = [new SpySignal(), new SpySignal()];
  for (const { signal } of spies) watch(f.pool.close({ signal }));
  lease.release();
  await f.pool.close();
  const after = new SpySignal();
  await f.pool.close({ signal: after.signal });
  assertEquals(spies.map(({ listeners }) => listeners), [0, 0]);
  assertEquals(after.added, 0);
  for (const spy of spies) spy.abort();
  await assertClosesClean(f);
});

test("a signal that aborts between close and the last release is no error", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spy = new SpySignal();
  const closed = watch(f.pool.close({ signal: spy.signal }));
  lease.release();
  spy.abort();
  await settled();
  assertEquals(closed, { settled: true, value: undefined });
  assertEquals(f.factory.destroyedTwice, []);
});

test("a use that runs when the pool closes ends normally", async () => {
  const f = fixture();
  const gate = Promise.withResolvers<string>();
  const use = watch(f.pool.use(() => gate.promise));
  await settled();
  const closed = watch(f.pool.close());
  gate.resolve("done");
  await settled();
  assertEquals(use.value, "done");
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

test("a create that begins just before close is not lost", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  lease.destroy();
  const closed = watch(f.pool.close());
  await settled();
  assertInstanceOf(waiter.error, PoolClosedError);
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

test("a waiter served in the same turn as close keeps its lease", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  lease.release();
  const closed = watch(f.pool.close());
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertEquals(closed.settled, false);
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("an abort event on a signal that has not aborted does not end a close", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spy = new SpySignal();
  const closed = watch(f.pool.close({ signal: spy.signal }));
  spy.signal.dispatchEvent(new Event("abort"));
  await settled();
  assertEquals([closed.settled, lease.value.id], [false, 1]);
  assertEquals(f.factory.log, ["create 1"]);
  spy.abort();
  await settled();
  assertEquals([closed.settled, spy.listeners], [true, 0]);
  await assertClosesClean(f);
});

test("a signal that aborts while close gives it a listener ends the wait", async () => {
  for (const heard of [true, false]) {
    const f = fixture();
    const lease = await f.pool.acquire();
    const spy = new SpySignal();
    const add = spy.signal.addEventListener.bind(spy.signal);
    spy.signal.addEventListener = (...args: Parameters<typeof add>) => {
      if (heard) add(...args);
      spy.abort();
    };
    const closed = watch(f.pool.close({ signal: spy.signal }));
    await settled();
    assertEquals(closed.settled, true);
    lease.release();
    await assertClosesClean(f);
  }
});

test("a close settles although its signal does not give the listener back", async () => {
  const f = fixture({ max: 2 });
  const lease = await f.pool.acquire();
  await fill(f.pool, 1);
  const spy = new SpySignal();
  spy.signal.removeEventListener = () => {
    throw new Error("it stays");
  };
  const closed = watch(f.pool.close({ signal: spy.signal }));
  lease.release();
  await settled();
  assertEquals(closed, { settled: true, value: undefined });
  spy.abort();
  await settled();
  await assertClosesClean(f);
});

test("a signal given to two closes gets one listener, and gives it back", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spy = new SpySignal();
  const closed = [1, 2].map(() => watch(f.pool.close({ signal: spy.signal })));
  lease.release();
  await settled();
  assertEquals(closed.map(({ settled }) => settled), [true, true]);
  spy.abort();
  await settled();
  await assertClosesClean(f);
});

test("an aborted close that comes while a close destroys ends all once", async () => {
  const f = fixture({ max: 3, stripes: 3 });
  f.factory.manual.add("destroy");
  const leases = [];
  for (let i = 0; i < 3; i++) leases.push(await f.pool.acquire());
  const first = watch(f.pool.close());
  leases[2]!.release();
  await settled();
  const second = watch(f.pool.close({ signal: AbortSignal.abort() }));
  const third = watch(f.pool.close({ signal: AbortSignal.abort() }));
  for (const lease of leases) lease.release();
  await settled();
  assertCounts(f.pool, { destroying: 3 });
  for (const call of f.factory.destroys) call.resolve();
  await settled();
  for (const closed of [first, second, third]) {
    assertEquals(closed, { settled: true, value: undefined });
  }
  await assertClosesClean(f);
});

test("an aborted close ends what is used, idle and created on every isolated stripe", async () => {
  const f = fixture({ max: 9, stripes: 3, isolated: true });
  const leases = [];
  for (const affinity of [0, 1, 2]) {
    leases.push(await f.pool.acquire({ affinity }));
    const idle = await f.pool.acquire({ affinity });
    leases.push(await f.pool.acquire({ affinity }));
    idle.release();
  }
  f.factory.manual.add("create");
  const waiters = [0, 1, 2].flatMap((affinity) =>
    Array.from({ length: 3 }, () => watch(f.pool.acquire({ affinity })))
  );
  await settled();
  for (const lease of leases) lease.destroy();
  await settled();
  const closed = watch(f.pool.close({ signal: AbortSignal.abort() }));
  await settled();
  for (const call of f.factory.creates) call.resolve(call.resource);
  await settled();
  assertEquals(closed.settled, true);
  assertEquals(waiters.every(({ settled }) => settled), true);
  for (const { value } of waiters) value?.release();
  await assertClosesClean(f);
});

test("a close while several destroys are pending settles after the last of them", async () => {
  const max = 50;
  const f = fixture({ max, stripes: max });
  f.factory.manual.add("destroy");
  const leases = [];
  for (let i = 0; i < max; i++) leases.push(await f.pool.acquire());
  for (const lease of leases.slice(10)) lease.release();
  const closed = watch(f.pool.close());
  for (const lease of leases) lease.release();
  await settled();
  assertCounts(f.pool, { destroying: max });
  for (const [i, call] of f.factory.destroys.toReversed().entries()) {
    assertEquals(closed.settled, false, `after ${i}`);
    call.resolve();
    await settled();
  }
  assertEquals(closed.settled, true);
  await assertClosesClean(f);
});

// Serving first.

test("a close that serves refuses newcomers and serves those who wait, in order", async () => {
  const { pool } = fixture({ max: 1 });
  const held = await pool.acquire();
  const waiters = [watch(pool.acquire()), watch(pool.acquire())];
  const closing = watch(pool.close({ serve: true }));
  assertEquals(pool.tryAcquire(), undefined);
  for (const late of [pool.acquire(), pool.warm(1), pool.pause()]) {
    await assertRejects(() => late, PoolClosedError);
  }
  held.release();
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, false]);
  leaseOf(waiters[0]!).release();
  await settled();
  assertEquals(closing.settled, false, "the last one is still used");
  leaseOf(waiters[1]!).release();
  await settled();
  assertEquals([closing.settled, closing.error], [true, undefined]);
  assertCounts(pool, {});
});

test("a close that serves makes what those who wait need, and nothing for the minimum", async () => {
  const { pool, factory } = fixture({ max: 3, min: 3, maxCreating: 1 });
  factory.manual.add("create");
  const waiter = watch(pool.acquire());
  await settled();
  const closing = watch(pool.close({ serve: true }));
  factory.failCreate("once");
  await settled();
  assertEquals([factory.creates.length, closing.settled], [1, false]);
  factory.finishCreate();
  await settled();
  leaseOf(waiter).release();
  await settled();
  assertEquals([factory.creates.length, closing.settled], [0, true]);
});

test("a close that serves nobody destroys what is idle at once", async () => {
  const { pool, factory } = fixture({ max: 2 });
  await fill(pool, 2);
  await pool.close({ serve: true });
  assertEquals(factory.live.size, 0);
});

test("a close that serves ends once those who wait have left", async () => {
  const { pool, clock, factory } = fixture({ max: 1 });
  factory.manual.add("create");
  watch(pool.acquire({ timeout: 50 }));
  await settled();
  const { signal } = factory.creates[0]!;
  const closing = watch(pool.close({ serve: true }));
  await settled();
  assertEquals(signal!.aborted, false);
  await clock.advance(50);
  assertEquals(signal!.aborted, true, "nobody can get it any more");
  factory.finishCreate();
  await settled();
  assertEquals(closing.settled, true);
});

test("a pause ends as a close serves those who wait", async () => {
  const { pool } = fixture({ max: 1 });
  await fill(pool, 1);
  const pause = await pool.pause();
  const waiter = watch(pool.acquire());
  await settled();
  const closing = watch(pool.close({ serve: true }));
  await settled();
  leaseOf(waiter).release();
  await settled();
  assertEquals(closing.settled, true);
  await pause[Symbol.asyncDispose]();
});

test("a later close rejects who still waits, and gives the same promise", async () => {
  const { pool } = fixture({ max: 1 });
  const held = await pool.acquire();
  const waiter = watch(pool.acquire());
  const first = pool.close({ serve: true });
  assertStrictEquals(pool.close({ serve: true }), first);
  assertStrictEquals(pool.close(), first);
  assertStrictEquals(pool.close({ serve: true }), first);
  await settled();
  assertInstanceOf(waiter.error, PoolClosedError);
  held.release();
  await first;
});

test("a close that serves waits no longer for anybody when its signal aborts", async () => {
  const { pool, factory } = fixture({ max: 1 });
  const held = await pool.acquire();
  const waiter = watch(pool.acquire());
  const controller = new AbortController();
  const closing = pool.close({ serve: true, signal: controller.signal });
  await settled();
  assertEquals(waiter.settled, false);
  controller.abort();
  await closing;
  assertInstanceOf(waiter.error, PoolClosedError);
  assertEquals(factory.live.size, 0);
  assertThrows(() => held.value, PoolClosedError);
});

test("a use that throws while a close serves is reset for the next who waits", async () => {
  const { pool, factory } = fixture({ max: 1, reset: () => {} });
  const failing = watch(pool.use(() => Promise.reject("no")));
  const next = watch(pool.use(({ id }) => id));
  const closing = pool.close({ serve: true });
  await closing;
  assertEquals([failing.error, "value" in next && next.value], ["no", 1]);
  assertEquals(factory.live.size, 0);
});

test("serve is true or false", async () => {
  const { pool } = fixture();
  const serve = 1 as unknown as boolean;
  await assertRejects(() => pool.close({ serve }), TypeError, "'serve'");
  await pool.close({ serve: false });
});
