import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Pool, PoolClosedError } from "../mod.ts";
import { drawing } from "./drawing.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  PLAIN,
  settled,
  SpySignal,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const RETRY = { delay: 100, maxDelay: 400 };

/** Ends what would be created without end, which is to fail and not to hang. */
const ENDLESS = new Promise<never>(() => {});

test("a pool sets nothing in motion when it is built", async () => {
  const { pool, clock, factory } = fixture({ max: 5, min: 3 });
  await clock.advance(60_000);
  assertEquals(pool.tryAcquire(), undefined);
  assertEquals([factory.log, clock.armed], [[], 0]);
});

test("the minimum is made from the first acquire on, within max", async () => {
  const { pool, factory } = fixture({ max: 3, min: 3 });
  factory.manual.add("create");
  const outcome = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 3, "the one for the acquire is one");
  factory.finishCreate();
  await settled();
  assertEquals([leaseOf(outcome).value.id, factory.creates.length], [1, 2]);
  factory.finishCreate();
  factory.finishCreate();
  await settled();
  assertCounts(pool, { idle: 2, used: 1 });
});

test("an acquire with timeout 0 does not begin the minimum", async () => {
  const { pool, factory } = fixture({ max: 3, min: 3 });
  await watch(pool.acquire({ timeout: 0 }));
  await settled();
  assertEquals(factory.log, []);
});

test("what leaves the minimum is made again, and nothing more", async () => {
  const losses: (() => void)[] = [];
  let made = 0;
  const pool = new Pool({
    create: ({ lost }) => {
      losses.push(lost);
      return ++made;
    },
    max: 5,
    min: 2,
    clock: new VirtualClock(),
    maxUses: 2,
    ...PLAIN,
  });
  (await pool.acquire()).release();
  await settled();
  assertEquals(made, 2);
  pool.tryAcquire()!.destroy();
  await settled();
  assertEquals(made, 3, "after a destroy");
  const held = pool.tryAcquire()!;
  assertEquals(held.value, 3);
  losses[1]!();
  await settled();
  assertEquals(made, 4, "after a loss");
  held.release();
  pool.clear();
  await settled();
  assertEquals(made, 6, "after a clear");
  for (let use = 0; use < 2; use++) pool.tryAcquire()!.release();
  await settled();
  assertEquals(made, 7, "after the last use");
  assertCounts(pool, { idle: 2 });
});

test("those of the minimum are not evicted as idle, by sweep or take", async () => {
  const { pool, clock, factory } = fixture({
    max: 5,
    min: 2,
    idleTimeout: 1_000,
  });
  const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
  for (const lease of leases) lease.release();
  await clock.advance(1_001);
  assertEquals(factory.log.slice(4), ["destroy 1", "destroy 2"]);
  await clock.advance(100_000);
  assertCounts(pool, { idle: 2 });
  const lease = pool.tryAcquire()!;
  assertEquals(lease.value.id, 4, "long past its end");
  clock.jump(5_000);
  assertEquals(pool.tryAcquire()!.value.id, 3);
  assertEquals(factory.log.length, 6);
});

test("beyond the minimum, a take evicts what has expired, oldest first", async () => {
  const { pool, clock, factory } = fixture({
    max: 5,
    min: 2,
    idleTimeout: 1_000,
  });
  const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
  for (const lease of leases) lease.release();
  clock.jump(1_001);
  assertEquals(pool.tryAcquire()!.value.id, 4);
  await settled();
  assertEquals(factory.log.slice(4), ["destroy 1", "destroy 2"]);
});

test("used ones count for the minimum", async () => {
  const { pool, clock, factory } = fixture({
    max: 5,
    min: 2,
    idleTimeout: 1_000,
  });
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  leases[0]!.release();
  await clock.advance(1_001);
  assertEquals(factory.log.at(-1), "destroy 1");
  leases[1]!.release();
  await clock.advance(5_000);
  assertCounts(pool, { idle: 1, used: 1 });
});

test("a create for the minimum that fails rejects nobody", async () => {
  using _ = drawing(1);
  for (const createRetry of [RETRY, false] as const) {
    const { pool, factory } = fixture({ max: 2, min: 2, createRetry });
    factory.manual.add("create");
    const first = watch(pool.acquire());
    await settled();
    factory.finishCreate();
    await settled();
    const second = watch(pool.acquire());
    await settled();
    factory.failCreate("for the minimum");
    await settled();
    assertEquals([first.settled, second.settled], [true, false]);
    assertEquals(leaseOf(first).value.id, 1);
    leaseOf(first).release();
    await settled();
    leaseOf(second);
  }
});

test("the minimum is tried again by the rules of an outage", async () => {
  using _ = drawing(1);
  const { pool, clock, factory } = fixture({
    ...{ max: 4, min: 3, createRetry: RETRY, idleTimeout: Infinity },
  });
  await fill(pool, 1);
  await settled();
  const began: number[] = [];
  factory.manual.add("create");
  pool.clear();
  for (let ms = 0; ms <= 1_500; ms += 10) {
    await clock.advance(ms === 0 ? 0 : 10);
    for (const { reject } of factory.creates.splice(0)) {
      began.push(ms);
      reject("refused");
    }
  }
  assertEquals(began, [0, 0, 0, 100, 300, 700, 1_100, 1_500]);
});

test("without a retry the minimum waits for the next acquire after a failure", async () => {
  let isUp = true;
  let made = 0;
  const pool = new Pool({
    create: () => {
      made++;
      if (made > 100) return ENDLESS;
      if (!isUp) throw new Error("refused");
      return made;
    },
    max: 4,
    min: 2,
    clock: new VirtualClock(),
    ...PLAIN,
  });
  (await pool.acquire()).release();
  await settled();
  isUp = false;
  pool.clear();
  await settled();
  assertEquals(made, 4);
  isUp = true;
  await settled();
  assertCounts(pool, {});
  using _lease = await pool.acquire();
  await settled();
  assertCounts(pool, { idle: 1, used: 1 });
});

test("a resource lost while it is made for the minimum is not made without end", async () => {
  let made = 0;
  const pool = new Pool({
    create: ({ lost }) => {
      made++;
      if (made > 100) return ENDLESS;
      lost();
      return made;
    },
    max: 3,
    min: 2,
    clock: new VirtualClock(),
    ...PLAIN,
  });
  const outcome = watch(pool.acquire());
  await settled();
  assertInstanceOf(outcome.error, Error);
  assertEquals(made <= 4, true, `${made} were made`);
});

test("isolated stripes keep a share of the minimum each", async () => {
  const { pool } = fixture({ max: 8, min: 3, stripes: 2, isolated: true });
  await fill(pool, 1);
  await settled();
  assertEquals(pool.stats().stripes.map(({ idle }) => idle), [2, 1]);
});

test("a pool that closes makes nothing for its minimum", async () => {
  const f = fixture({ max: 3, min: 3 });
  const lease = await f.pool.acquire();
  await settled();
  const closing = f.pool.close();
  lease.release();
  await closing;
  assertEquals(f.factory.log.length, 6);
  await assertClosesClean(f);
});

// warm.

test("warm resolves when so many exist, used ones too, and not before", async () => {
  const { pool, factory } = fixture({ max: 5 });
  const lease = await pool.acquire();
  factory.manual.add("create");
  const warming = watch(pool.warm(3));
  await settled();
  assertEquals(factory.creates.length, 2);
  factory.finishCreate();
  await settled();
  assertEquals(warming.settled, false);
  factory.finishCreate();
  await settled();
  assertEquals("value" in warming, true);
  assertCounts(pool, { idle: 2, used: 1 });
  lease.release();
});

test("warm resolves at once if so many exist already", async () => {
  const { pool, factory } = fixture({ max: 5 });
  await fill(pool, 1);
  await pool.warm();
  await pool.warm(1);
  assertEquals(factory.log, ["create 1"]);
});

test("warm makes the minimum by default, and at least one", async () => {
  for (const [min, made] of [[0, 1], [1, 1], [3, 3]] as const) {
    const { pool } = fixture({ max: 5, min });
    await pool.warm();
    assertCounts(pool, { idle: made });
    await pool.warm(undefined);
  }
});

test("warm waits for all of the minimum by default", async () => {
  const { pool, factory } = fixture({ max: 5, min: 2 });
  factory.manual.add("create");
  const warming = watch(pool.warm());
  for (const isWarm of [false, true]) {
    await settled();
    factory.finishCreate();
    await settled();
    assertEquals(warming.settled, isWarm);
  }
});

test("what warm made is evicted as anything idle is, down to the minimum", async () => {
  const { pool, clock } = fixture({ max: 5, min: 1, idleTimeout: 1_000 });
  await pool.warm(4);
  await clock.advance(5_000);
  assertCounts(pool, { idle: 1 });
});

test("after a warm the minimum is kept", async () => {
  const { pool } = fixture({ max: 5, min: 2 });
  await pool.warm(1);
  await settled();
  assertCounts(pool, { idle: 2 });
});

test("what a warm kept beyond its idle end goes when the warm ends", async () => {
  const { pool, clock, factory } = fixture({ max: 2, idleTimeout: 1_000 });
  await pool.warm(1);
  factory.manual.add("create");
  const controller = new AbortController();
  const warming = watch(pool.warm(2, { signal: controller.signal }));
  await clock.advance(1_500);
  assertCounts(pool, { idle: 1, creating: 1 });
  controller.abort("enough");
  await clock.advance(2);
  assertEquals("error" in warming && warming.error, "enough");
  assertCounts(pool, { creating: 1 });
});

test("a close that rejects two warms has nothing more created, and waits for what is used", async () => {
  const f = fixture({ max: 2, stripes: 2, isolated: true });
  const lease = await f.pool.acquire({ affinity: 1 });
  void f.pool.pause().catch(() => {});
  const warmings = [2, 2].map((n) => watch(f.pool.warm(n)));
  const closing = watch(f.pool.close());
  await settled();
  assertEquals(warmings.map(({ settled }) => settled), [true, true]);
  assertEquals([closing.settled, f.factory.log], [false, ["create 1"]]);
  lease.release();
  await settled();
  assertEquals(closing.settled, true);
});

test("of two warms the larger number counts, whichever came first", async () => {
  for (const numbers of [[2, 3], [3, 2]]) {
    const { pool, factory } = fixture({ max: 5, maxCreating: 1 });
    factory.manual.add("create");
    const warmings = numbers.map((n) => watch(pool.warm(n)));
    for (let made = 1; made <= 3; made++) {
      await settled();
      factory.finishCreate();
      await settled();
      assertEquals(
        warmings.map(({ settled }) => settled),
        numbers.map((n) => n <= made),
      );
    }
    assertEquals(factory.creates.length, 0);
  }
});

test("warm rejects with the first failure of a create that began after it", async () => {
  const { pool, factory } = fixture({ max: 5, createRetry: RETRY });
  factory.manual.add("create");
  watch(pool.acquire());
  await settled();
  const warming = watch(pool.warm(3));
  await settled();
  const older = factory.creates.shift()!;
  older.reject("older");
  await settled();
  assertEquals(warming.settled, false);
  factory.failCreate("first");
  factory.failCreate("second");
  await settled();
  assertEquals(warming.error, "first");
});

test("warm fails with the very value, and with what was lost while made", async () => {
  for (const reason of [undefined, "text", new Error("lost")]) {
    const pool = new Pool({
      create: ({ lost }): object => {
        if (!(reason instanceof Error)) throw reason;
        lost(reason);
        return {};
      },
      max: 1,
      clock: new VirtualClock(),
    });
    const warming = watch(pool.warm());
    await settled();
    assertEquals(warming.settled, true);
    assertStrictEquals(warming.error, reason);
    await pool.close();
  }
});

test("a warm that fails wants nothing more", async () => {
  using _ = drawing(1);
  const { pool, clock, factory } = fixture({ max: 5, createRetry: RETRY });
  factory.manual.add("create");
  const warming = watch(pool.warm(2));
  await settled();
  factory.failCreate("refused");
  factory.failCreate("refused");
  await clock.advance(5_000);
  assertEquals([warming.error, factory.creates.length], ["refused", 0]);
});

test("warm rejects with the reason of its signal, which it then forgets", async () => {
  const { pool, clock, factory } = fixture({ max: 5 });
  factory.manual.add("create");
  const spy = new SpySignal();
  const warming = watch(pool.warm(2, { signal: spy.signal }));
  await settled();
  assertEquals(clock.referenced, 1, "it holds the process");
  spy.abort("enough");
  await settled();
  assertEquals([warming.error, spy.listeners], ["enough", 0]);
  assertEquals(clock.referenced, 0);
  factory.finishCreate();
  factory.finishCreate();
  await settled();
  assertCounts(pool, { idle: 2 });
});

test("a warm that resolves forgets its signal and lets the process end", async () => {
  const { pool, clock } = fixture({ max: 5 });
  const spy = new SpySignal();
  await pool.warm(2, { signal: spy.signal });
  await clock.advance(0);
  assertEquals([spy.listeners, clock.referenced], [0, 0]);
});

test("a warm whose signal has aborted begins nothing", async () => {
  const { pool, factory } = fixture({ max: 5, min: 2 });
  const signal = AbortSignal.abort("before");
  assertEquals(await pool.warm(2, { signal }).catch((it) => it), "before");
  await settled();
  assertEquals(factory.log, []);
});

test("a close rejects the warms that wait and those that come", async () => {
  const f = fixture({ max: 5 });
  f.factory.manual.add("create");
  const warming = watch(f.pool.warm(2));
  await settled();
  for (const { signal } of f.factory.creates) {
    signal!.addEventListener("abort", () => f.factory.failCreate("aborted"));
  }
  await assertClosesClean(f);
  assertInstanceOf(warming.error, PoolClosedError);
  const spy = new SpySignal();
  const { signal } = spy;
  await assertRejects(() => f.pool.warm(1, { signal }), PoolClosedError);
  assertEquals(spy.added, 0);
});

test("a warm of less than the minimum makes the minimum", async () => {
  const { pool, factory } = fixture({ max: 5, min: 3 });
  factory.manual.add("create");
  watch(pool.warm(1));
  await settled();
  assertEquals(factory.log.length, 3);
});

test("of two warms the last to end lets the process end", async () => {
  const { pool, clock, factory } = fixture({ max: 5 });
  factory.manual.add("create");
  const warmings = [1, 2].map((n) => watch(pool.warm(n)));
  for (const referenced of [1, 0]) {
    await settled();
    factory.finishCreate();
    await settled();
    assertEquals(clock.referenced, referenced);
  }
  assertEquals(warmings.map(({ settled }) => settled), [true, true]);
});

test("a signal that aborts unheard while warm begins rejects it", async () => {
  const { pool } = fixture();
  const spy = new SpySignal();
  const add = spy.signal.addEventListener;
  spy.signal.addEventListener = (...args: Parameters<typeof add>) => {
    spy.abort("at once");
    add(...args);
  };
  const warming = watch(pool.warm(1, { signal: spy.signal }));
  await settled();
  assertEquals([warming.error, spy.listeners], ["at once", 0]);
});

test("a signal that closes the pool while warm begins has it rejected", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const spy = new SpySignal();
  const add = spy.signal.addEventListener;
  let closing: Promise<void> | undefined;
  spy.signal.addEventListener = (...args: Parameters<typeof add>) => {
    closing = f.pool.close();
    add(...args);
  };
  f.pool.resize(2);
  const warming = watch(f.pool.warm(2, { signal: spy.signal }));
  await settled();
  assertInstanceOf(warming.error, PoolClosedError);
  assertEquals(spy.listeners, 0);
  lease.release();
  await closing;
  await assertClosesClean(f);
});

test("a close rejects a warm for which no create is in flight", async () => {
  const f = fixture({ createRetry: RETRY });
  f.factory.manual.add("create");
  watch(f.pool.acquire());
  await settled();
  f.factory.failCreate("refused");
  const warming = watch(f.pool.warm());
  await settled();
  assertEquals([f.factory.creates.length, warming.settled], [0, false]);
  await assertClosesClean(f);
  assertInstanceOf(warming.error, PoolClosedError);
});

test("warm refuses numbers, options and signals that make no sense", async () => {
  const { pool, factory } = fixture({ max: 3 });
  for (const n of [0, -1, 1.5, NaN, 4, Infinity]) {
    await assertRejects(() => pool.warm(n), RangeError, "'n' must be");
  }
  await assertRejects(
    () => pool.warm(4),
    RangeError,
    "Cannot warm pool as 'n' must be at most 'max' (3): received 4",
  );
  for (const n of ["1", {}]) {
    await assertRejects(
      () => pool.warm(n as number),
      TypeError,
      "'n' must be a number",
    );
  }
  await assertRejects(() => pool.warm(1, null!), TypeError, "'options'");
  await assertRejects(
    () => pool.warm(1, { signal: {} as AbortSignal }),
    TypeError,
    "'signal' must be an AbortSignal",
  );
  assertEquals(factory.log, []);
});

test("isolated stripes are warmed with a share each, and all of them", async () => {
  const { pool, factory } = fixture({ max: 8, stripes: 3, isolated: true });
  factory.manual.add("create");
  const warming = watch(pool.warm(5));
  await settled();
  assertEquals(pool.stats().stripes.map(({ creating }) => creating), [2, 2, 1]);
  for (let left = 5; left > 0; left--) {
    assertEquals(warming.settled, false, `${left} are left`);
    factory.finishCreate();
    await settled();
  }
  assertEquals("value" in warming, true);
});

test("a warm waits for the delay of an outage", async () => {
  using _ = drawing(1);
  const { pool, clock, factory } = fixture({ max: 5, createRetry: RETRY });
  factory.manual.add("create");
  watch(pool.acquire());
  await settled();
  factory.failCreate("refused");
  await settled();
  const warming = watch(pool.warm(1));
  await clock.advance(99);
  assertEquals([warming.settled, factory.creates.length], [false, 0]);
  await clock.advance(1);
  factory.finishCreate();
  await settled();
  assertEquals("value" in warming, true);
});

test("a warm ends although its signal does not give the listener back", async () => {
  const { pool } = fixture({ max: 2 });
  const signal = new AbortController().signal;
  signal.removeEventListener = () => {
    throw new Error("mine");
  };
  await pool.warm(2, { signal });
  assertEquals(pool.stats().idle, 2);
});

test("a warm whose signal closes the pool as it is listened to is told so", async () => {
  const { pool } = fixture({ max: 2 });
  const { signal } = new AbortController();
  const { addEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    void pool.close();
    addEventListener.apply(signal, args);
  };
  await assertRejects(() => pool.warm(2, { signal }), PoolClosedError);
});
