import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  AcquireTimeoutError,
  type Lease,
  PoolClosedError,
  type PoolObserver,
} from "../mod.ts";
import { inspect, type Snapshot } from "../src/inspect/mod.ts";
import { KeyedPool, type KeyedPoolOptions } from "../src/keyed/mod.ts";
import { type BatchResult, type Meter, otelObserver } from "../src/otel/mod.ts";
import { leaseOf, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A keyed pool that keeps a log of what is made and destroyed. */
function keyed(options: Partial<KeyedPoolOptions<string, string>> = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const live = { now: 0, peak: 0 };
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      live.peak = Math.max(live.peak, ++live.now);
      log.push(`create ${key}`);
      return key;
    },
    destroy: (key, { reason }) => {
      live.now--;
      log.push(`destroy ${key} ${reason}`);
    },
    max: 2,
    clock,
    createRetry: false,
    ...options,
  });
  return { pool, clock, log, live };
}

/** How many keys it keeps, as each asks an observer that comes whom it hears. */
function kept<K, T>(pool: KeyedPool<K, T>): number {
  let asked = 0;
  const observer = {
    get pendingChanged() {
      asked++;
      return undefined;
    },
  };
  pool.observe(observer as unknown as PoolObserver<T>)[Symbol.dispose]();
  // One stands for the others.
  return asked - 1;
}

test("each key has resources of its own, and all of them one maximum", async () => {
  const { pool, live } = keyed();
  const a = await pool.acquire("a");
  const b = await pool.acquire("b");
  const c = watch(pool.acquire("c"));
  await settled();
  assertEquals([a.value, b.value, c.settled], ["a", "b", false]);
  a.release();
  await settled();
  assertEquals(leaseOf(c).value, "c");
  assertEquals(live.peak, 2);
});

test("room is made by what has been idle longest, of whichever key", async () => {
  const { pool, log, clock } = keyed({ max: 3 });
  for (const key of ["a", "b", "c", "a", "d"]) {
    await pool.use(key, () => {});
    await clock.advance(1);
  }
  assertEquals(log.slice(3), ["destroy b budget", "create d"]);
  assertEquals([...pool.stats().keys.keys()], ["a", "c", "d"]);
});

test("those who wait are served in order of arrival over all keys", async () => {
  const { pool, clock } = keyed({ max: 1 });
  const held = await pool.acquire("a");
  const order: string[] = [];
  const waiting: Promise<void>[] = [];
  for (const key of ["b", "a", "c", "a"]) {
    await clock.advance(1);
    waiting.push(pool.use(key, () => void order.push(key)));
  }
  held.release();
  await Promise.all(waiting);
  assertEquals(order, ["b", "a", "c", "a"]);
});

test("a key whose uses all fail lets others have their turn", async () => {
  const { pool, clock } = keyed({ max: 1 });
  let isOver = false;
  const uses = async () => {
    while (!isOver) {
      await pool.use("a", async () => {
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, 2));
        throw new Error("use");
      }).catch(() => {});
    }
  };
  const busy = [uses(), uses(), uses()];
  await clock.advance(20);
  let isServed = false;
  const waiting = pool.use("b", () => void (isServed = true));
  await clock.advance(10);
  assertEquals(isServed, true);
  isOver = true;
  await clock.advance(10);
  await Promise.all([waiting, ...busy]);
});

test("a key has no more than maxPerKey", async () => {
  const { pool } = keyed({ max: 3, maxPerKey: 1, growth: "eager" });
  const first = await pool.acquire("a");
  const second = watch(pool.acquire("a"));
  await settled();
  assertEquals(second.settled, false);
  first.release();
  await settled();
  assertEquals(leaseOf(second).value, "a");
});

test("a key of which nothing is left is forgotten", async () => {
  const { pool, clock } = keyed({ idleTimeout: 10 });
  await pool.use("a", () => {});
  assertEquals([...pool.stats().keys.keys()], ["a"]);
  await clock.advance(20);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
});

test("a key that was refused at once is forgotten", async () => {
  const { pool } = keyed();
  const signal = AbortSignal.abort(new Error("gone"));
  await assertRejects(() => pool.acquire("a", { signal }), Error, "gone");
  await assertRejects(() => pool.acquire("b", { timeout: 0 }));
  await assertRejects(() => pool.acquire("c", { timeout: -1 }), RangeError);
  assertStrictEquals(pool.tryAcquire("d"), undefined);
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(kept(pool), 0);
});

test("many keys over time leave nothing behind", async () => {
  const { pool, live, clock } = keyed({ max: 4, idleTimeout: 50 });
  for (let i = 0; i < 3_000; i++) await pool.use(`key ${i}`, () => {});
  assertEquals(live, { now: 4, peak: 4 });
  assertEquals(pool.stats().keys.size, 4);
  await clock.advance(100);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(clock.timers, 0);
});

test("its counts are the sums over the keys", async () => {
  const { pool } = keyed({ max: 3 });
  using _a = await pool.acquire("a");
  (await pool.acquire("b")).release();
  const { keys, ...counts } = pool.stats();
  assertEquals(counts, {
    ...{ idle: 1, used: 1, creating: 0, destroying: 0, pending: 0 },
    ...{ waiting: 0, validating: 0, max: 3 },
  });
  assertEquals(keys.get("a")!.used, 1);
  assertEquals(keys.get("b")!.idle, 1);
});

test("a closed one refuses every key, and has destroyed all", async () => {
  const { pool, live } = keyed();
  await pool.use("a", () => {});
  await pool.use("b", () => {});
  const closed = pool.close();
  for (const key of ["a", "new"]) {
    const error = await pool.acquire(key).catch((error) => error);
    assertInstanceOf(error, PoolClosedError);
  }
  await closed;
  assertEquals(live.now, 0);
  assertStrictEquals(pool.tryAcquire("a"), undefined);
});

test("a close rejects with what a destroy failed with", async () => {
  const boom = new Error("boom");
  const { pool } = keyed({ destroy: () => Promise.reject(boom) });
  await pool.use("a", () => {});
  const error = await pool.close().catch((error) => error);
  assertStrictEquals(error, boom);
});

test("bad options throw when it is built", () => {
  assertThrows(() => keyed({ max: 0 }), RangeError, "'max'");
  assertThrows(() => keyed({ maxPerKey: 0 }), RangeError, "'maxPerKey'");
  assertThrows(() => keyed({ idleTimeout: -1 }), RangeError, "'idleTimeout'");
  for (const name of ["min", "budget", "stripes", "isolated"]) {
    assertThrows(() => keyed({ [name]: 1 } as object), TypeError, `'${name}'`);
  }
  const unknown = { idletimeout: 1 } as object;
  assertThrows(() => keyed(unknown), TypeError, "'idleTimeout'");
  const mistyped = { maxPerKy: 1 } as object;
  assertThrows(() => keyed(mistyped), TypeError, "is 'maxPerKey'");
  const nameless = { creat: () => {}, max: 1 } as never;
  assertThrows(() => new KeyedPool(nameless), TypeError, "is 'create'");
  assertThrows(() => keyed({ create: 1 as never }), TypeError, "'create'");
  assertThrows(() => keyed({ destroy: 1 as never }), TypeError, "'destroy'");
  assertThrows(() => keyed({ clock: {} as never }), TypeError, "'clock.now'");
});

test("a key can be of any kind", async () => {
  const keys = [NaN, 0, "", Symbol("a"), Symbol("a"), {}, {}, null, undefined];
  const pool = new KeyedPool({ create: (key: unknown) => [key], max: 9 });
  for (const key of [...keys, ...keys]) {
    assertEquals(await pool.use(key, ([held]) => Object.is(held, key)), true);
  }
  assertEquals([...pool.stats().keys.keys()], keys);
  assertEquals(pool.stats().idle, keys.length);
  await pool.close();
});

test("a key acquired while its last one is destroyed has its old pool", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const live = { now: 0, peak: 0 };
  const pool = new KeyedPool({
    create: () => {
      live.peak = Math.max(live.peak, ++live.now);
      return "";
    },
    destroy: async () => {
      await promise;
      live.now--;
    },
    max: 1,
    clock: new VirtualClock(),
  });
  (await pool.acquire("a")).destroy();
  const waiter = watch(pool.acquire("a"));
  await settled();
  assertEquals(pool.stats().keys.size, 1);
  assertEquals(waiter.settled, false);
  resolve();
  await settled();
  leaseOf(waiter).destroy();
  await settled();
  assertEquals([live.peak, pool.stats().keys.size], [1, 0]);
  await pool.close();
});

test("a key that is acquired as it is dropped is served", async () => {
  const waiters: ReturnType<typeof watch<Lease<string>>>[] = [];
  const { pool, live } = keyed({
    observer: {
      destroyed: () => {
        if (waiters.length < 5) waiters.push(watch(pool.acquire("a")));
      },
    },
  });
  (await pool.acquire("a")).destroy();
  for (let i = 0; i < 5; i++) {
    await settled();
    leaseOf(waiters[i]!).destroy();
    // As what it had has ended, and its pool is not dropped yet.
    const next = watch(pool.acquire("a"));
    await settled();
    leaseOf(next).release();
    pool.clear();
  }
  await settled();
  assertEquals([live.peak, live.now], [2, 0]);
  assertEquals(pool.stats().keys.size, 0);
});

test("an acquire that cannot wait hears nothing of a key that is dropped", async () => {
  const { pool, clock } = keyed({ idleTimeout: 10 });
  await pool.use("a", () => {});
  clock.jump(11);
  const error = await pool.acquire("a", { timeout: 0 }).catch((e) => e);
  assertInstanceOf(error, AcquireTimeoutError);
  await settled();
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(clock.timers, 0);
});

test("a key whose creates fail is not tried before its time, however often it is asked for", async () => {
  for (const hasWorked of [false, true]) {
    let creates = 0;
    let isDown = !hasWorked;
    const { pool, clock } = keyed({
      create: (key) => {
        if (!isDown) return key;
        creates++;
        throw new Error("down");
      },
      createRetry: { delay: 100, maxDelay: 100 },
      max: 1,
    });
    if (hasWorked) {
      const held = await pool.acquire("a");
      watch(pool.acquire("a", { timeout: 10 }));
      isDown = true;
      pool.clear();
      held.release();
    }
    for (let i = 0; i < 100; i++) {
      await clock.advance(10);
      const wait = watch(pool.acquire("a", { timeout: 10 }));
      await clock.advance(10);
      assertEquals([wait.settled, pool.stats().keys.size], [true, 0]);
      if (hasWorked) assertInstanceOf(wait.error, AcquireTimeoutError);
    }
    assertEquals(creates > 9 && creates < 30, true, `${creates} creates`);
    const { lines: [line] } = pool.stats({ details: true });
    assertEquals(line!.outage, undefined, "of keys that have something");
    await clock.advance(1_000);
    assertEquals(clock.timers, 0);
    await pool.close();
  }
});

test("the acquires of a key that has lost what it had keep place while its server is down", async () => {
  const lost: (() => void)[] = [];
  let isDown = false;
  const { pool, clock } = keyed({
    create: (key, context) => {
      if (isDown) throw new Error("down");
      lost.push(context.lost);
      return key;
    },
    createRetry: {},
  });
  await pool.use("a", () => {});
  lost[0]!();
  await settled();
  assertEquals(pool.stats().keys.size, 0);
  isDown = true;
  const wait = watch(pool.acquire("a"));
  await clock.advance(1_000);
  assertEquals(wait.settled, false);
  isDown = false;
  await clock.advance(2_000);
  leaseOf(wait).release();
  await pool.close();
});

test("of keys that had trouble the last thousand are remembered", async () => {
  const asked: number[] = [];
  const clock = new VirtualClock();
  const pool = new KeyedPool({
    create: (key: number) => {
      asked.push(key);
      throw new Error("down");
    },
    max: 1,
    clock,
  });
  const ask = (key: number) => watch(pool.acquire(key));
  for (let key = 0; key <= 1_000; key++) {
    ask(key);
    await settled();
  }
  assertEquals(asked.length, 1_001);
  ask(1);
  ask(0);
  await settled();
  assertEquals(asked.slice(1_001), [0], "its first failure was forgotten");
  await pool.close();
});

test("an old pool of a key does not drop the new one", async () => {
  const lost: (() => void)[] = [];
  const { pool } = keyed({
    create: (key, context) => {
      lost.push(context.lost);
      return key;
    },
  });
  (await pool.acquire("a")).destroy();
  await settled();
  const lease = await pool.acquire("a");
  lost[0]!();
  await settled();
  assertEquals(pool.stats().keys.get("a")?.used, 1);
  lease.release();
  assertEquals(pool.tryAcquire("a")?.value, "a");
});

test("a key asked for by what a close ends is refused", async () => {
  const errors: unknown[] = [];
  const ask = () => {
    pool.acquire("new").catch((error) => errors.push(error));
  };
  const { pool } = keyed({
    create: (key, { signal }) => {
      if (key !== "slow") return key;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          ask();
          reject(new Error("gone"));
        });
      });
    },
    destroy: ask,
  });
  await pool.use("a", () => {});
  void watch(pool.acquire("slow"));
  await settled();
  await pool.close();
  await settled();
  assertEquals(errors.length, 2);
  for (const error of errors) assertInstanceOf(error, PoolClosedError);
  assertEquals(pool.stats().keys.size, 0);
});

test("a close with bad options rejects and closes nothing", async () => {
  const { pool } = keyed();
  await pool.use("a", () => {});
  for (const options of [{ signal: 1 }, { signals: 1 }, 1]) {
    await assertRejects(() => pool.close(options as never), TypeError);
  }
  assertEquals(await pool.use("b", (resource) => resource), "b");
  await pool.close();
  await assertRejects(() => pool.close({ signal: 1 } as never), TypeError);
});

test("an aborted close of all keys waits for no lease", async () => {
  const { pool, live } = keyed();
  const leases = [await pool.acquire("a"), await pool.acquire("b")];
  const controller = new AbortController();
  const closed = pool.close({ signal: controller.signal });
  controller.abort();
  await closed;
  assertEquals(live.now, 0);
  for (const lease of leases) lease.release();
});

test("what several keys fail to close with comes as one error", async () => {
  const errors = [new Error("a"), new Error("b")];
  const { pool } = keyed({
    destroy: (key) => Promise.reject(errors[key === "a" ? 0 : 1]),
  });
  await pool.use("a", () => {});
  await pool.use("b", () => {});
  const error = await pool.close().catch((error) => error);
  assertInstanceOf(error, AggregateError);
  assertEquals(error.errors, errors);
});

test("its options are read once, when it is built", async () => {
  let reads = 0;
  const clock = new VirtualClock();
  const createRetry = { delay: 5, maxDelay: 5 };
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      throw new Error(key);
    },
    max: 2,
    clock,
    createRetry,
    get idleTimeout() {
      reads++;
      return 10;
    },
  });
  createRetry.delay = -1;
  await assertRejects(() => pool.acquire("a"), Error, "a");
  await assertRejects(() => pool.acquire("b"), Error, "b");
  assertEquals(reads, 1);
  await pool.close();
});

test("a tryAcquire of a key that has nothing makes nothing, and checks its options", async () => {
  const { pool } = keyed();
  assertStrictEquals(pool.tryAcquire("a"), undefined);
  assertEquals(pool.stats().keys.size, 0);
  const unknown = { priority: 1 } as object;
  assertThrows(() => pool.tryAcquire("a", unknown), TypeError, "'priority'");
  await pool.use("a", () => {});
  assertThrows(() => pool.tryAcquire("a", unknown), TypeError, "'priority'");
  assertStrictEquals(pool.tryAcquire("a")?.value, "a");
});

test("a failing create of one key costs the others nothing", async () => {
  const clock = new VirtualClock();
  const pool = new KeyedPool<string, string>({
    create: (key) => {
      if (key === "down") throw new Error("down");
      return key;
    },
    max: 1,
    clock,
    createRetry: false,
  });
  const waiting = ["down", "a", "down", "b"].map((key) =>
    watch(pool.use(key, (value) => value))
  );
  await clock.advance(1);
  assertEquals(waiting.map(({ value }) => value ?? ""), ["", "a", "", "b"]);
  await pool.close();
});

// Watched as one pool.

/** Those methods of an observer, and what they were told. */
function hearing(...names: (keyof PoolObserver<string>)[]) {
  const heard: [name: string, event: Record<string, unknown>][] = [];
  const observer: PoolObserver<string> = Object.fromEntries(
    names.map((name) => [
      name,
      (event: Record<string, unknown>) => void heard.push([name, event]),
    ]),
  );
  return { observer, heard };
}

test("its observer is told of all keys under one name, and once of the end", async () => {
  const { observer, heard } = hearing("created", "acquired", "closed");
  const { pool, clock } = keyed({ observer, name: "hosts", idleTimeout: 10 });
  for (const key of ["a", "b"]) await pool.use(key, () => {});
  await clock.advance(2_000);
  assertEquals(pool.stats().keys.size, 0);
  await pool.use("a", () => {});
  const told = heard.map(([name, { pool, resource }]) =>
    [name, pool, resource].join(" ")
  );
  const of = (key: string) => [`created hosts ${key}`, `acquired hosts ${key}`];
  assertEquals(told, [...of("a"), ...of("b"), ...of("a")]);
  const lease = await pool.acquire("a");
  const closing = [pool.close(), pool.close()];
  await settled();
  assertEquals(heard.filter(([name]) => name === "closed"), []);
  lease.release();
  await Promise.all(closing);
  assertEquals(heard.filter(([name]) => name === "closed"), [
    ["closed", { pool: "hosts" }],
  ]);
  // So is who comes after it.
  const late = hearing("closed");
  pool.observe(late.observer);
  await settled();
  assertEquals(late.heard, [["closed", { pool: "hosts" }]]);
});

test("an observer of all keys can come and go at any time", async () => {
  const { pool } = keyed({ max: 4 });
  const { observer, heard } = hearing("acquired", "acquireFailed", "closed");
  await pool.use("a", () => {});
  const first = pool.observe(observer);
  const second = pool.observe(observer);
  await pool.use("a", () => {});
  await pool.use("b", () => {});
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await pool.use("c", () => {});
  assertEquals(heard.map(([, { resource }]) => resource), ["a", "b", "c"]);
  second[Symbol.dispose]();
  for (const key of ["a", "d"]) await pool.use(key, () => {});
  assertEquals(heard.length, 3);
  using _again = pool.observe(observer);
  await pool.close();
  await assertRejects(() => pool.acquire("a"), PoolClosedError);
  assertEquals(heard.slice(3).map(([name]) => name), [
    "closed",
    "acquireFailed",
  ]);
  assertThrows(() => pool.observe(null as never), TypeError, "an object");
});

test("creates and destroys of all keys have ids of the whole", async () => {
  const { observer, heard } = hearing(
    ...["createBegan", "created", "createFailed"] as const,
    ...["destroyBegan", "destroyed"] as const,
  );
  const { pool } = keyed({
    observer,
    create: (key) => {
      if (key === "bad") throw new Error(key);
      return key;
    },
  });
  for (const key of ["a", "b", "c", "bad", "a"]) {
    await pool.use(key, () => {}).catch(() => {});
  }
  await pool.close();
  const ids = (...names: string[]) =>
    heard.filter(([name]) => names.includes(name))
      .map(([, { id }]) => id as number).sort((a, b) => a - b);
  const began = [...ids("createBegan"), ...ids("destroyBegan")];
  assertEquals(new Set(began).size, 9);
  assertEquals(ids("created", "createFailed"), ids("createBegan"));
  assertEquals(ids("destroyed"), ids("destroyBegan"));
  for (const id of began) {
    const [first, last] = heard.filter(([, event]) => event.id === id);
    assertEquals(first![0].endsWith("Began"), true);
    assertEquals(last![1].resource, last![1].resource ?? first![1].resource);
  }
});

test("a create and a destroy of one key at once have ids of their own", async () => {
  const { observer, heard } = hearing("createBegan", "destroyBegan");
  const { promise, resolve } = Promise.withResolvers<string>();
  let made = 0;
  const { pool } = keyed({
    observer,
    create: (key) => made++ === 0 ? promise : key,
  });
  const [first, second] = [1, 2].map(() => watch(pool.acquire("a")));
  await settled();
  leaseOf(first!).destroy();
  await settled();
  resolve("a");
  await settled();
  leaseOf(second!).release();
  const ids = heard.map(([, { id }]) => id);
  assertEquals([made, new Set(ids).size], [2, 3]);
});

test("how many are pending is told over all keys, also those before", async () => {
  const { observer, heard } = hearing("pendingChanged");
  const { pool } = keyed({ max: 1 });
  const lease = await pool.acquire("a");
  const waits = ["a", "b"].map((key) => watch(pool.acquire(key)));
  await settled();
  using _observing = pool.observe(observer);
  waits.push(watch(pool.acquire("c")));
  await settled();
  lease.release();
  for (const wait of waits) {
    await settled();
    leaseOf(wait).release();
  }
  await settled();
  const told = heard.map(([, { pending }]) => pending);
  assertEquals(told, [3, 2, 1, 0]);
  assertEquals(heard[0]![1].pool, "pool");
});

test("where nobody asks how many are pending nobody counts them", async () => {
  const { observer } = hearing("acquired");
  let asked = 0;
  const proxy = new Proxy(observer, {
    get(target, name: keyof PoolObserver<string>) {
      if (name === "pendingChanged") asked++;
      return target[name];
    },
  });
  const { pool } = keyed({ observer: proxy, max: 1 });
  await pool.use("a", () => {});
  const before = asked;
  await Promise.all([1, 2, 3].map(() => pool.use("a", () => {})));
  assertEquals(asked, before);
});

test("an observer of all keys that was taken away is asked nothing more", async () => {
  let asked = 0;
  const observer: PoolObserver<string> = {
    get pendingChanged() {
      asked++;
      return () => {};
    },
  };
  const { pool } = keyed({ max: 1 });
  const observing = pool.observe(observer);
  const uses = () => Promise.all([1, 2, 3].map(() => pool.use("a", () => {})));
  await uses();
  observing[Symbol.dispose]();
  const before = asked;
  await uses();
  assertEquals([before > 3, asked], [true, before]);
});

test("an observer of all keys that throws or rejects changes nothing", async () => {
  const methods = ["created", "acquired", "released", "closed"] as const;
  for (const fail of [() => Promise.reject(new Error()), thrower]) {
    const { observer, heard } = hearing(...methods);
    const failing = Object.fromEntries(methods.map((name) => [name, fail]));
    const { pool } = keyed({ observer: failing });
    using _observing = pool.observe(observer);
    await pool.use("a", () => {});
    await pool.close();
    await settled();
    assertEquals(heard.map(([name]) => name), methods.slice());
  }
});

function thrower(): never {
  throw new Error("of an observer");
}

test("the methods of an observer of all keys are called on the observer", async () => {
  class Counting implements PoolObserver<string> {
    #n = 0;
    acquired(): void {
      this.#n++;
    }
    closed(): void {
      this.#n += 10;
    }
    get n(): number {
      return this.#n;
    }
  }
  const observer = new Counting();
  const { pool } = keyed({ observer });
  await pool.use("a", () => {});
  await pool.close();
  assertEquals(observer.n, 11);
});

test("the details of all keys are those of one pool", async () => {
  const { pool, clock } = keyed({ max: 3, maxPerKey: 2, growth: "eager" });
  assertEquals(pool.stats({ details: true }), {
    ...{ idle: 0, used: 0, creating: 0, destroying: 0, max: 3 },
    ...{ pending: 0, waiting: 0, validating: 0 },
    stripes: [{
      ...{ idle: 0, used: 0, creating: 0, destroying: 0, max: 3 },
      ...{ pending: 0, waiting: 0, validating: 0, overdue: 0 },
    }],
    lines: [{
      ...{ stripes: [0], isPaused: false, lacksPermit: false },
      ...{ waits: [], holders: [], checking: 0, resetting: 0 },
      ...{ noneReleasedFor: undefined, oldestCreate: undefined },
      ...{ overdue: 0, outage: undefined, cause: undefined },
    }],
  });
  for (const key of ["a", "b", "a"]) {
    await pool.acquire(key);
    await clock.advance(5);
  }
  watch(pool.acquire("b"));
  await clock.advance(5);
  watch(pool.acquire("a"));
  await clock.advance(5);
  const { stripes: [stripe], lines: [line], ...counts } = pool.stats({
    details: true,
  });
  assertEquals([counts.used, counts.pending, counts.max], [3, 2, 3]);
  assertEquals([stripe!.used, stripe!.pending, stripe!.max], [3, 2, 3]);
  assertEquals(line!.waits, [10, 5]);
  assertEquals(line!.holders.map(({ age }) => age), [25, 20, 15]);
  assertEquals(line!.noneReleasedFor, 5);
});

test("nobody has waited for a release as long as one key has them", async () => {
  const { pool, clock } = keyed({ max: 2, maxPerKey: 1 });
  const leases = [await pool.acquire("a"), await pool.acquire("b")];
  watch(pool.acquire("a"));
  await clock.advance(50);
  const { lines: [line] } = pool.stats({ details: true });
  assertEquals([line!.waits, line!.noneReleasedFor], [[50], undefined]);
  for (const lease of leases) lease.release();
});

test("the details tell of the longest outage, its error, and the oldest create", async () => {
  let isDown = false;
  const { pool, clock } = keyed({
    max: 6,
    createRetry: { delay: 1_000, maxDelay: 1_000 },
    create: (key) => {
      if (!isDown) return key;
      if (key === "slow") return new Promise<string>(() => {});
      throw new Error(key);
    },
  });
  const keys = ["early", "late", "slow"];
  for (const key of keys) watch(pool.acquire(key));
  await settled();
  isDown = true;
  for (const key of ["slow", "late"]) watch(pool.acquire(key));
  await clock.advance(100);
  watch(pool.acquire("early"));
  await clock.advance(30);
  const { stripes: [stripe], lines: [line] } = pool.stats({ details: true });
  assertEquals([line!.oldestCreate, line!.outage?.since], [130, 130]);
  assertEquals((line!.cause as Error).message, "late");
  assertEquals([stripe!.overdue, line!.overdue], [0, 0]);
  await clock.advance(500);
  const later = pool.stats({ details: true });
  assertEquals([later.stripes[0]!.overdue, later.lines[0]!.overdue], [1, 1]);
});

test("inspect shows all keys as one pool, however many come and go", async () => {
  const { pool, clock } = keyed({ name: "hosts", max: 4, idleTimeout: 10 });
  using handler = inspect([pool], { authorize: "anyone", clock });
  for (let n = 0; n < 100; n++) await pool.use(`${n % 50}`, () => {});
  await clock.advance(2_000);
  const request = (path: string) =>
    handler(new Request(`http://localhost/${path}`)).then((it) => it.text());
  const { pools }: Snapshot = JSON.parse(await request("stats"));
  const [shown] = pools;
  assertEquals([pools.length, shown!.name, shown!.max], [1, "hosts", 4]);
  assertEquals(shown!.acquires.served, 100);
  assertEquals(shown!.creates.made, 100);
  assertEquals(shown!.destroyed, { idle: 4, budget: 96 });
  assertEquals(shown!.lines[0]!.sentence, "nobody waits; no resource exists");
  const lines = (await request("metrics")).split("\n");
  const names = new Set(lines.flatMap((line) => line.match(/pool="[^"]*"/)));
  assertEquals([...names].filter(Boolean), ['pool="hosts"']);
});

test("otel has one series for all keys, which ends with the whole", async () => {
  const { pool, clock } = keyed({ name: "hosts", max: 4, idleTimeout: 10 });
  let collect: (result: BatchResult) => void;
  const meter: Meter = {
    createCounter: () => ({ add: () => {} }),
    createHistogram: () => ({ record: () => {} }),
    createObservableUpDownCounter: (name) => ({ name }),
    addBatchObservableCallback: (callback) => void (collect = callback),
  };
  const series = () => {
    const seen: [name: string, value: number][] = [];
    collect({
      observe: (it, value, attributes) =>
        seen.push([
          [(it as { name: string }).name, ...Object.values(attributes)]
            .join(" ").replace("db.client.connection.", ""),
          value,
        ]),
    });
    return seen;
  };
  otelObserver(meter).watch(pool);
  for (let n = 0; n < 20; n++) await pool.use(`${n}`, () => {});
  const lease = await pool.acquire("a");
  const expected = (idle: number, used: number) => [
    ["count hosts idle", idle],
    ["count hosts used", used],
    ["idle.max hosts", 4],
    ["idle.min hosts", 0],
    ["limit hosts", 4],
    ["pending_requests hosts", 0],
  ];
  assertEquals(series(), expected(3, 1));
  lease.release();
  await clock.advance(2_000);
  assertEquals(pool.stats().keys.size, 0);
  assertEquals(series(), expected(0, 0));
  await pool.close();
  assertEquals(series().map(([, value]) => value), [0, 0, 0, 0, 0, 0]);
  assertEquals(series(), []);
});

test("what comes late from a key that was dropped is told, until nobody hears", async () => {
  const made: ((key: string) => void)[] = [];
  const { observer, heard } = hearing("destroyed");
  const { pool, clock } = keyed({
    create: () => new Promise<string>((resolve) => void made.push(resolve)),
    createTimeout: 10,
  });
  const observing = pool.observe(observer);
  const waits = ["a", "b"].map((key) => watch(pool.acquire(key)));
  await clock.advance(10);
  assertEquals(waits.map(({ settled }) => settled), [true, true]);
  assertEquals(pool.stats().keys.size, 0);
  made[0]!("a");
  await settled();
  assertEquals(heard.map(([, { reason }]) => reason), ["late"]);
  observing[Symbol.dispose]();
  made[1]!("b");
  await settled();
  assertEquals(heard.length, 1);
});
