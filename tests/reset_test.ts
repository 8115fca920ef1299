import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { Pool, PoolClosedError, PoolError, type PoolOptions } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
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

/** A pool with `reset`, and what was destroyed and why, as in `1 reset`. */
interface Resetting extends Fixture {
  readonly destroyed: string[];
}

function resetting(options: Partial<PoolOptions<Resource>> = {}): Resetting {
  const { clock, factory } = fixture();
  const { create, reset } = factory;
  const destroyed: string[] = [];
  const pool = new Pool<Resource>({
    ...PLAIN,
    create,
    reset,
    destroy: (resource, { reason }) => {
      destroyed.push(`${resource.id} ${reason}`);
      return factory.destroy(resource);
    },
    max: 1,
    clock,
    ...options,
  });
  return { clock, factory, pool, destroyed };
}

/** One whose only resource is in a reset that the test settles. */
async function inReset(
  options: Partial<PoolOptions<Resource>> = {},
): Promise<Resetting> {
  const f = resetting(options);
  f.factory.manual.add("reset");
  (await f.pool.acquire()).release();
  await settled();
  assertEquals(f.factory.resets.length, 1);
  return f;
}

test("a released resource is reset before anybody gets it", async () => {
  const f = await inReset();
  const waiter = watch(f.pool.acquire());
  await settled();
  assertEquals(waiter.settled, false);
  f.factory.resets.shift()!.resolve("whatever it says");
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertEquals(f.factory.log, ["create 1", "reset 1"]);
});

test("a new resource is not reset, and each release resets once", async () => {
  const f = resetting();
  for (let round = 1; round <= 3; round++) {
    const lease = await f.pool.acquire();
    assertEquals(f.factory.log.length, round);
    lease.release();
    lease.release();
    lease[Symbol.dispose]();
    await settled();
  }
  const resets = ["reset 1", "reset 1", "reset 1"];
  assertEquals(f.factory.log, ["create 1", ...resets]);
  await assertClosesClean(f);
});

test("while it is reset a resource counts as used, and tryAcquire gives undefined", async () => {
  const f = await inReset();
  assertCounts(f.pool, { used: 1 });
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  f.factory.resets.shift()!.resolve(undefined);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  assertEquals(f.pool.tryAcquire()?.value, { id: 1 });
});

test("nobody waits for a reset where another resource can be had", async () => {
  const f = await inReset({ max: 3 });
  const second = await f.pool.acquire();
  assertEquals(second.value, { id: 2 });
  const third = await f.pool.acquire();
  const waiter = watch(f.pool.acquire());
  f.factory.manual.clear();
  third.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 3 });
});

test("release does not wait for reset, and never calls it itself", async () => {
  const f = resetting();
  f.factory.manual.add("reset");
  const lease = await f.pool.acquire();
  assertStrictEquals(lease[Symbol.asyncDispose]() as unknown, undefined);
  assertEquals(f.factory.log, ["create 1"], "it runs in the pool's context");
  await settled();
  assertEquals(f.factory.log, ["create 1", "reset 1"]);
});

test("a use resolves before the reset of its resource has ended", async () => {
  const f = resetting();
  f.factory.manual.add("reset");
  assertEquals(await f.pool.use(({ id }) => id), 1);
  assertCounts(f.pool, { used: 1 });
});

test("a lease that is destroyed is not reset", async () => {
  const f = resetting();
  (await f.pool.acquire()).destroy();
  await settled();
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
});

test("reset is told whether the callback of use threw, which reset then decides on", async () => {
  const told: boolean[] = [];
  const f = resetting({ reset: (_, { failed }) => void told.push(failed) });
  await f.pool.use(() => {});
  await f.pool.use(() => Promise.reject("no")).catch(() => {});
  (await f.pool.acquire()).release();
  await settled();
  assertEquals(told, [false, true, false]);
  assertEquals(f.destroyed, []);
});

test("a reset that throws or rejects has its resource destroyed, and its waiter gets another", async () => {
  const failures: (() => unknown)[] = [
    () => {
      throw new Error("at once");
    },
    () => Promise.reject("later"),
    () => ({ then: (_: unknown, reject: (e: unknown) => void) => reject(1) }),
  ];
  for (const reset of failures) {
    const f = resetting({ reset });
    const lease = await f.pool.acquire();
    const waiter = watch(f.pool.acquire());
    lease.release();
    await settled();
    assertEquals(f.destroyed, ["1 reset"]);
    assertEquals(leaseOf(waiter).value, { id: 2 });
  }
});

test("a reset that hangs is aborted at resetTimeout, and its resource destroyed", async () => {
  const f = await inReset({ resetTimeout: 200 });
  const { signal, resolve } = f.factory.resets[0]!;
  await f.clock.advance(199);
  assertEquals([signal!.aborted, f.destroyed], [false, []]);
  const waiter = watch(f.pool.acquire());
  await f.clock.advance(1);
  assertInstanceOf(signal!.reason, PoolError);
  assertEquals(signal!.reason.code, "RESET_TIMEOUT");
  assertEquals(f.destroyed, ["1 reset"]);
  assertEquals(leaseOf(waiter).value, { id: 2 });
  resolve(undefined);
  await settled();
  assertCounts(f.pool, { used: 1 });
});

test("a reset that ends in time is never aborted", async () => {
  const f = await inReset();
  const { signal, resolve } = f.factory.resets[0]!;
  resolve(undefined);
  await f.clock.advance(10_000);
  assertEquals(signal!.aborted, false);
  await assertClosesClean(f);
});

test("the default resetTimeout is five seconds, and keeps no process alive", async () => {
  const f = await inReset({ acquireTimeout: Infinity });
  await f.clock.advance(4_999);
  assertEquals([f.destroyed, f.clock.referenced], [[], 0]);
  await f.clock.advance(1);
  assertEquals(f.destroyed, ["1 reset"]);
});

test("what is not to be used again is destroyed without a reset, for its own reason", async () => {
  const losses: (() => void)[] = [];
  const create = ({ lost }: { lost: () => void }) => ({
    id: losses.push(lost),
  });
  const ways: [
    string,
    Partial<PoolOptions<Resource>>,
    (f: Resetting) => void,
  ][] = [
    ["clear", {}, (f) => f.pool.clear()],
    ["lost", {}, () => losses[0]!()],
    ["uses", { maxUses: 1 }, () => {}],
    ["lifetime", { maxLifetime: 100 }, (f) => f.clock.jump(101)],
    ["close", {}, (f) => void f.pool.close()],
  ];
  for (const [reason, options, act] of ways) {
    losses.length = 0;
    const f = resetting({ create, ...options });
    const lease = await f.pool.acquire();
    act(f);
    lease.release();
    await settled();
    assertEquals([f.destroyed, f.factory.log], [[`1 ${reason}`], [
      "destroy 1",
    ]]);
  }
});

test("what retires while it is reset is destroyed after it", async () => {
  for (const reason of ["clear", "close"] as const) {
    const f = await inReset();
    const closed = watch(Promise.resolve(f.pool[reason]()));
    await settled();
    assertEquals([closed.settled, f.destroyed], [reason === "clear", []]);
    f.factory.resets.shift()!.resolve(undefined);
    await settled();
    assertEquals([closed.settled, f.destroyed], [true, [`1 ${reason}`]]);
    await assertClosesClean(f);
  }
});

test("a close waits for a reset until its resetTimeout", async () => {
  const f = await inReset({ resetTimeout: 200 });
  const closed = watch(f.pool.close());
  await f.clock.advance(199);
  const { signal } = f.factory.resets[0]!;
  assertEquals([closed.settled, signal!.aborted], [false, false]);
  await f.clock.advance(1);
  assertEquals([closed.settled, f.destroyed], [true, ["1 reset"]]);
  await assertClosesClean(f);
});

test("an aborted close aborts a reset and takes its resource back", async () => {
  const f = await inReset();
  const { signal, resolve } = f.factory.resets[0]!;
  const closed = watch(f.pool.close({ signal: AbortSignal.abort() }));
  await settled();
  assertInstanceOf(signal!.reason, PoolClosedError);
  assertEquals([closed.settled, f.destroyed], [true, ["1 close"]]);
  resolve(undefined);
  await settled();
  await assertClosesClean(f);
});

test("what an aborted close takes back, leased or released before, is not reset", async () => {
  const released: Resource[] = [];
  const f = resetting({
    max: 2,
    observer: { released: ({ resource }) => void released.push(resource) },
  });
  const [first, second] = [await f.pool.acquire(), await f.pool.acquire()];
  first.release();
  await f.pool.close({ signal: AbortSignal.abort() });
  second.release();
  await settled();
  assertEquals(released, [{ id: 1 }]);
  const ends = ["destroy 1", "destroy 2"];
  assertEquals(f.factory.log, ["create 1", "create 2", ...ends]);
  await assertClosesClean(f);
});

test("a reset counts as a use, and as a check", async () => {
  const asked: unknown[] = [];
  const f = resetting({
    validate: (_, { idle }) => {
      asked.push(idle);
      return true;
    },
    validateAfter: 100,
  });
  f.factory.manual.add("reset");
  (await f.pool.acquire()).release();
  await f.clock.advance(500);
  f.factory.resets.shift()!.resolve(undefined);
  await f.clock.advance(99);
  f.factory.manual.clear();
  f.pool.tryAcquire()!.release();
  assertEquals(asked, []);
  await f.clock.advance(100);
  f.pool.tryAcquire()!.release();
  assertEquals(asked, [100]);
});

test("what is idle after a reset ages from then on", async () => {
  const f = await inReset({ idleTimeout: 1_000 });
  await f.clock.advance(900);
  f.factory.resets.shift()!.resolve(undefined);
  await f.clock.advance(1_000);
  assertCounts(f.pool, { idle: 1 });
  await f.clock.advance(1);
  assertEquals(f.destroyed, ["1 idle"]);
});

test("the observer is told of a release at once, and of a failed reset as destroyed", async () => {
  const told: string[] = [];
  const f = resetting({
    observer: {
      released: ({ resource, stripe }) =>
        void told.push(`released ${resource.id} of ${stripe}`),
      destroyed: ({ resource, reason }) =>
        void told.push(`destroyed ${resource.id} ${reason}`),
    },
    reset: (_, { failed }) => {
      told.push("reset");
      if (failed) throw "no";
    },
  });
  const lease = await f.pool.acquire();
  lease.release();
  assertEquals(told.splice(0), ["released 1 of 0"]);
  lease.release();
  await settled();
  assertEquals(told.splice(0), ["reset"]);
  await f.pool.use(() => Promise.reject("no")).catch(() => {});
  await settled();
  assertEquals(told, ["released 1 of 0", "reset", "destroyed 1 reset"]);
});

test("resets run side by side, and one that fails stops no other", async () => {
  const f = resetting({
    max: 4,
    reset: ({ id }) => {
      f.factory.log.push(`reset ${id}`);
      if (id % 2 === 0) throw id;
    },
  });
  await fill(f.pool, 4);
  await settled();
  const resets = f.factory.log.filter((entry) => entry.startsWith("reset"));
  assertEquals(resets, ["reset 1", "reset 2", "reset 3", "reset 4"]);
  assertEquals(f.destroyed, ["2 reset", "4 reset"]);
  assertCounts(f.pool, { idle: 2 });
});

test("a reset that uses its pool, clears or closes it harms nothing", async () => {
  const acts: ((f: Resetting) => unknown)[] = [
    (f) => f.pool.acquire().then((lease) => lease.release()),
    (f) => f.pool.tryAcquire()?.release(),
    (f) => f.pool.clear(),
    (f) => void f.pool.close(),
    (f) => void f.pool.close({ signal: AbortSignal.abort() }),
  ];
  for (const act of acts) {
    let isFirst = true;
    const f: Resetting = resetting({
      max: 2,
      reset: () => {
        if (!isFirst) return;
        isFirst = false;
        return act(f);
      },
    });
    (await f.pool.acquire()).release();
    await settled();
    const { used, pending } = f.pool.stats();
    assertEquals([used, pending], [0, 0]);
    await assertClosesClean(f);
  }
});

test("a timeout says that what nobody holds is being reset, and nothing of holders", async () => {
  const f = await inReset({ max: 2 });
  const held = await f.pool.acquire();
  const refused = async (timeout: number) => {
    const waiters = [1, 2].map(() => watch(f.pool.acquire({ timeout })));
    await f.clock.advance(timeout);
    return (waiters[0]!.error as Error).message.split(": ")[1]!;
  };
  assertStringIncludes(
    await refused(10),
    "1 of 2 is used, for 10 ms; 1 of 2 is being reset; none was released",
  );
  const waiter = watch(f.pool.acquire({ timeout: 10 }));
  held.release();
  await f.clock.advance(10);
  assertStringIncludes(
    (waiter.error as Error).message,
    "within 10 ms: all 2 are being reset (0 idle, 2 used",
  );
  // A reset that has ended or failed is none any more.
  f.factory.resets.shift()!.resolve(undefined);
  await settled();
  const again = watch(f.pool.acquire());
  f.factory.resets.shift()!.reject(new Error("dirty"));
  await settled();
  const next = await f.pool.acquire();
  assertStringIncludes(
    await refused(5),
    "all 2 are used, the oldest for 5 ms; none",
  );
  leaseOf(again).release();
  next.release();
  f.factory.manual.clear();
  for (const { resolve } of f.factory.resets) resolve(undefined);
  await assertClosesClean(f);
});

test("what is released to a reset was released while others waited", async () => {
  const f = resetting({ max: 2 });
  f.factory.manual.add("reset");
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  const waiter = watch(f.pool.acquire({ timeout: 10 }));
  held[0]!.release();
  await f.clock.advance(10);
  assertStringIncludes(
    (waiter.error as Error).message,
    "10 ms: 1 of 2 is used, for 10 ms; 1 of 2 is being reset (0 idle",
  );
  held[1]!.destroy();
  f.factory.resets.shift()!.resolve(undefined);
  await assertClosesClean(f);
});
