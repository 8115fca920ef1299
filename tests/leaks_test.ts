import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Lease, Pool, PoolOptions } from "../mod.ts";
import { watchLeaks, type WatchLeaksOptions } from "../src/leaks/mod.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertClosesClean,
  assertCounts,
  collect,
  type Fixture,
  fixture,
  type Resource,
  settled,
  until,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

interface Leaked {
  readonly resource: Resource;
  readonly stripe: number;
  readonly held: number;
  readonly stack: string | undefined;
}

/** A pool that watches for a second, and what it tells of leaks. */
function watched(
  options: Partial<PoolOptions<Resource>> = {},
  watchOptions: WatchLeaksOptions = {},
): Fixture & { told: Leaked[] } {
  const told: Leaked[] = [];
  const f = fixture({
    leaks: watchLeaks({ after: 1_000, ...watchOptions }),
    observer: { leaked: (event) => void told.push(event) },
    ...options,
  });
  return { ...f, told };
}

/** The name on top of a stack, without the number that a bundler gives it. */
function top(stack: string | undefined): string | undefined {
  return stack?.match(/^\s*at (?:\w+\.)?([a-z]+)\d* /i)?.[1];
}

// Telling.

test("a lease that is held for long is told of once, with the time it was held", async () => {
  const f = watched({ max: 3, stripes: 3 });
  await f.clock.advance(50);
  const lease = await f.pool.acquire({ affinity: 2 });
  const { value } = lease;
  await f.clock.advance(999);
  assertEquals(f.told, []);
  await f.clock.advance(1);
  const [{ resource, stripe, held }] = f.told as [Leaked];
  assertEquals({ resource, stripe, held }, {
    ...{ resource: value, stripe: 2, held: 1_000 },
  });
  await f.clock.advance(10_000);
  assertEquals(f.told.length, 1);
  lease.release();
  await assertClosesClean(f);
});

test("each lease has a time of its own, the oldest first", async () => {
  const f = watched({ max: 3 });
  const leases: Lease<Resource>[] = [];
  for (let n = 0; n < 3; n++) {
    leases.push(await f.pool.acquire());
    await f.clock.advance(300);
  }
  await f.clock.advance(100);
  assertEquals(f.told.map(({ resource: { id } }) => id), [1]);
  leases[1]!.release();
  await f.clock.advance(600);
  assertEquals(f.told.map(({ resource: { id } }) => id), [1, 3]);
  assertEquals(f.told.map(({ held }) => held), [1_000, 1_000]);
});

test("a lease that ends in time, in whatever way, is not told of", async () => {
  const f = watched({ max: 4 });
  (await f.pool.acquire()).release();
  (await f.pool.acquire()).destroy();
  await f.pool.use(() => {});
  await f.pool.use(() => Promise.reject(new Error("no"))).catch(() => {});
  (await f.pool.acquire()).release();
  f.pool.tryAcquire()!.release();
  await f.clock.advance(5_000);
  assertEquals(f.told, []);
  await assertClosesClean(f);
});

test("the time counts from the lease, not from the wait for it", async () => {
  const f = watched();
  const first = await f.pool.acquire();
  const second = f.pool.acquire({ timeout: 5_000 });
  await f.clock.advance(900);
  first.release();
  const lease = await second;
  await f.clock.advance(999);
  assertEquals(f.told, []);
  await f.clock.advance(1);
  assertEquals(f.told.map(({ held }) => held), [1_000]);
  lease.release();
});

test("a pool whose leases are watched keeps no process alive", async () => {
  const f = watched();
  await f.pool.acquire();
  assertEquals(f.clock.referenced, 0);
  assertEquals(f.clock.timers, 1);
});

test("an observer that throws, acquires or closes does not stop what is told", async () => {
  const told: number[] = [];
  const f = watched({
    max: 3,
    observer: {
      leaked({ resource }) {
        told.push(resource.id);
        if (resource.id === 1) f.pool.acquire().catch(() => {});
        if (resource.id === 2) void f.pool.close();
        throw new Error("an observer's fault");
      },
    },
  });
  const leases = [];
  for (let n = 0; n < 3; n++) leases.push(await f.pool.acquire());
  leases[2]!.release();
  await f.clock.advance(1_000);
  assertEquals(told, [1, 2]);
  await f.clock.advance(1_000);
  assertEquals(told, [1, 2, 1, 2, 3], "the close has waited");
});

test("without a timer nobody is told, and nothing else breaks", async () => {
  const clock = new FaultyClock();
  const f = watched({ max: 2, clock, idleTimeout: Infinity });
  (await f.pool.acquire()).release();
  await clock.advance(1_000);
  clock.refusal = new Error("no timer");
  const lease = f.pool.tryAcquire()!;
  await settled();
  clock.refusal = undefined;
  await clock.advance(5_000);
  assertEquals(f.told, []);
  await f.pool.acquire();
  await clock.advance(1_000);
  assertEquals(f.told.map(({ held }) => held), [6_000, 1_000]);
  lease.release();
  assertCounts(f.pool, { idle: 1, used: 1 });
});

test("pools that share a watch each tell of their own", async () => {
  const leaks = watchLeaks({ after: 1_000 });
  const [a, b] = [watched({ leaks }), watched({ leaks })];
  await a.pool.acquire();
  (await b.pool.acquire()).release();
  await a.clock.advance(1_000);
  await b.clock.advance(1_000);
  assertEquals([a.told.length, b.told.length], [1, 0]);
});

test("what throws in a use is reset with the word that it failed", async () => {
  const failures: boolean[] = [];
  const f = watched({ reset: (_, { failed }) => void failures.push(failed) });
  await f.pool.use(() => Promise.reject(new Error("no"))).catch(() => {});
  await f.pool.use(() => {});
  await settled();
  assertEquals(failures, [true, false]);
});

// Closing.

test("a close that has waited for long tells of each lease it waits for, again if need be", async () => {
  const f = watched({ max: 3 });
  const leases = [await f.pool.acquire(), await f.pool.acquire()];
  await f.clock.advance(1_400);
  leases.push(await f.pool.acquire());
  const closed = f.pool.close();
  const { lines: [line] } = f.pool.stats({ details: true });
  const areTold = line!.holders.map(({ isTold }) => isTold);
  assertEquals(areTold, [true, true, false], "as they were");
  await f.clock.advance(200);
  leases[1]!.release();
  await f.clock.advance(799);
  assertEquals(f.told.map(({ resource: { id } }) => id), [1, 2]);
  await f.clock.advance(1);
  assertEquals(f.told.map(({ resource: { id } }) => id), [1, 2, 1, 3]);
  assertEquals(f.told.map(({ held }) => held), [1_000, 1_000, 2_400, 1_000]);
  await f.clock.advance(5_000);
  assertEquals(f.told.length, 4);
  leases[0]!.release();
  leases[2]!.release();
  await closed;
  assertEquals(f.clock.timers, 0);
});

test("a lease that an aborted close took back is not told of, nor named", async () => {
  const f = watched({ max: 2 });
  f.factory.manual.add("destroy");
  const lease = await f.pool.acquire();
  const closed = f.pool.close({ signal: AbortSignal.abort() });
  await f.clock.advance(2_000);
  assertEquals(f.told, []);
  assertThrows(() => lease.value, Error, "closed");
  lease.release();
  for (const { resolve } of f.factory.destroys) resolve();
  await closed;
});

// Stacks.

test("the stack begins with the caller, however it came to its lease", async () => {
  const f = watched({ max: 5 });
  const { pool, clock } = f;
  const leases: Lease<Resource>[] = [];
  async function creates() {
    leases.push(await pool.acquire());
  }
  async function takes() {
    leases.push(await pool.acquire({ timeout: 5_000 }));
  }
  async function takesNow() {
    leases.push(await pool.acquire({ timeout: 0 }));
  }
  function tries() {
    const lease = pool.tryAcquire();
    leases.push(lease!);
  }
  async function uses() {
    await pool.use(() => new Promise(() => {}));
  }
  for (let n = 0; n < 5; n++) await creates();
  void creates();
  void uses();
  await settled();
  for (const lease of leases.splice(0)) lease.release();
  await settled();
  await takes();
  await takesNow();
  tries();
  await clock.advance(1_000);
  const names = ["creates", "uses", "takes", "takesNow", "tries"];
  assertEquals(f.told.map(({ stack }) => top(stack)), names);
});

test("of a sample each call has its share of stacks, whatever the period", async () => {
  const f = watched({ max: 1_000 }, { sample: 0.25 });
  async function odd() {
    await f.pool.acquire();
  }
  async function even() {
    await f.pool.acquire();
  }
  for (let n = 0; n < 500; n++) {
    await odd();
    await even();
  }
  await f.clock.advance(1_000);
  const names = f.told.map(({ stack }) => top(stack));
  for (const name of ["odd", "even"]) {
    const count = names.filter((each) => each === name).length;
    assertEquals(Math.abs(count - 125) < 10, true, `${count} ${name}`);
  }
});

test("of a sample of none no stack is captured", async () => {
  const f = watched({}, { sample: 0 });
  await f.pool.acquire();
  const late = watch(f.pool.acquire({ timeout: 2_000 }));
  await f.clock.advance(2_000);
  assertEquals(f.told.map(({ stack }) => stack), [undefined]);
  const { message } = late.error as Error;
  assertMatch(message, /the only one is used, for 2 s;/);
});

test("a stack that cannot be had breaks nothing", async () => {
  const before: unknown = Reflect.get(Error, "prepareStackTrace");
  const f = watched({ max: 2 });
  try {
    for (const answer of [[], undefined]) {
      Reflect.set(Error, "prepareStackTrace", () => {
        if (answer === undefined) throw new Error("no stack");
        return answer;
      });
      await f.pool.acquire();
      await f.clock.advance(1_000);
    }
  } finally {
    Reflect.set(Error, "prepareStackTrace", before);
  }
  assertEquals(f.told.length, 2);
  assertEquals(f.told[0]!.stack, undefined);
});

// Timeouts.

test("a timeout names the three that have held longest, and where they acquired", async () => {
  const f = watched({ max: 4 });
  async function first() {
    await f.pool.acquire();
  }
  async function other() {
    await f.pool.acquire();
  }
  await first();
  await f.clock.advance(2_000);
  for (let n = 0; n < 3; n++) await other();
  await f.clock.advance(1_000);
  const { error } = await refused(f.pool);
  const { message } = error as Error;
  assertMatch(
    message,
    /^[^(]* the oldest for 3 s \(acquired at first .*\), for 1 s \(acquired at other /,
  );
  assertEquals(message.split("acquired at ").length - 1, 3);
});

test("a timeout names holders of its own line only, and none that are gone", async () => {
  const f = watched({ max: 2, stripes: 2, isolated: true });
  (await f.pool.acquire({ affinity: 0 })).release();
  async function another() {
    await f.pool.acquire({ affinity: 0 });
  }
  async function own() {
    await f.pool.acquire({ affinity: 1 });
  }
  await another();
  await own();
  const { error } = await refused(f.pool, 1);
  const { message } = error as Error;
  assertMatch(message, /acquired at own /);
  assertEquals(message.includes("another"), false);
});

async function refused(pool: Pool<Resource>, affinity = 0) {
  const outcome = watch(pool.acquire({ timeout: 0, affinity }));
  await settled();
  return outcome;
}

test("the stack of a timeout is that of the caller who waited", async () => {
  const { pool, clock } = watched();
  const waiters = {
    async acquires() {
      await pool.acquire({ timeout: 100 });
    },
    async uses() {
      await pool.use(() => {}, { timeout: 100 });
    },
  };
  await pool.acquire();
  for (const [name, wait] of Object.entries(waiters)) {
    const outcome = watch(wait());
    await clock.advance(100);
    const { stack, message } = outcome.error as Error;
    const [header, frame] = stack!.split("\n");
    assertEquals(header, `TimeoutError: ${message}`);
    assertEquals(frame!.includes(name), true, stack);
  }
});

test("what else an acquire rejects with keeps its stack", async () => {
  const f = watched();
  const reason = new Error("given up");
  const fault = new Error("in a use");
  const { stack } = reason;
  const { stack: faultStack } = fault;
  const failed = watch(f.pool.use(() => Promise.reject(fault)));
  await settled();
  await f.pool.acquire();
  const aborter = new AbortController();
  const given = watch(f.pool.acquire({ signal: aborter.signal }));
  aborter.abort(reason);
  await settled();
  assertEquals([given.error, failed.error], [reason, fault]);
  assertEquals([reason.stack, fault.stack], [stack, faultStack]);
});

test("a timeout thrown by a use does not get the stack of the use", async () => {
  const [outer, inner] = [watched(), fixture()];
  await inner.pool.acquire();
  async function uses() {
    await outer.pool.use(() => inner.pool.acquire({ timeout: 100 }));
  }
  const outcome = watch(uses());
  await settled();
  await inner.clock.advance(100);
  await settled();
  const { stack, name } = outcome.error as Error;
  assertEquals(name, "TimeoutError");
  assertEquals(String(stack).includes("at async uses"), false, stack);
  assertEquals(String(stack).includes("at uses"), false, stack);
});

// Collecting.

/** Forgets a lease that no object of its own refers to. */
async function forgets(pool: Pool<Resource>) {
  await pool.acquire();
}

test("the resource of a lease that was garbage collected is destroyed and told of", async () => {
  const destroyed: string[] = [];
  const destroy = (_: Resource, { reason }: { reason: string }) =>
    void destroyed.push(reason);
  const f = watched({ max: 2, destroy });
  const kept = await f.pool.acquire();
  await forgets(f.pool);
  assertCounts(f.pool, { used: 2 });
  f.clock.jump(500);
  await until(() => {
    collect();
    return destroyed.length === 1;
  });
  assertEquals(destroyed, ["leaked"]);
  assertEquals(f.told.map(({ stack }) => top(stack)), ["forgets"]);
  assertEquals(f.told.map(({ held }) => held), [500]);
  assertCounts(f.pool, { used: 1 });
  kept.release();
  await f.pool.close();
});

test("a lease that was garbage collected after an aborted close is not told of", async () => {
  const [closed, open] = [watched(), watched()];
  await forgets(closed.pool);
  await closed.pool.close({ signal: AbortSignal.abort() });
  await forgets(open.pool);
  await until(() => {
    collect();
    return open.told.length === 1;
  });
  assertEquals(closed.told, []);
  assertEquals(closed.factory.log, ["create 1", "destroy 1"]);
  await open.pool.close();
});

test("once told of, a lease is kept by nothing of the pool, not even its stack", async () => {
  const destroyed: string[] = [];
  const destroy = (_: Resource, { reason }: { reason: string }) =>
    void destroyed.push(reason);
  const f = watched({ destroy });
  class Handler {
    lease: Lease<Resource> | undefined;
    async forgets() {
      this.lease = await f.pool.acquire();
    }
  }
  await new Handler().forgets();
  await f.clock.advance(1_000);
  await until(() => {
    collect();
    return destroyed.length === 1;
  });
  assertEquals(destroyed, ["leaked"]);
  assertEquals(f.told.map(({ stack }) => top(stack)), ["forgets"]);
  await f.pool.close();
});

// Options.

test("bad options of a watch throw, and name the option and the rule", () => {
  const bad: [unknown, new () => Error, string][] = [
    [null, TypeError, "'options' must be an object: received null"],
    [{ after: "1" }, TypeError, "'after' must be a number"],
    [{ after: 0 }, RangeError, "'after' must be a positive, finite"],
    [{ after: Infinity }, RangeError, "'after' must be a positive, finite"],
    [{ sample: 1.1 }, RangeError, "'sample' must be a number from 0 to 1"],
    [{ sample: -1 }, RangeError, "'sample' must be a number from 0 to 1"],
    [{ sample: NaN }, RangeError, "'sample' must be a number from 0 to 1"],
    [{ afer: 1 }, TypeError, "'afer' is no option"],
  ];
  for (const [options, kind, message] of bad) {
    const act = () => watchLeaks(options as WatchLeaksOptions);
    assertThrows(act, kind, `Cannot watch leaks as ${message}`);
  }
  const leaks = {} as unknown as ReturnType<typeof watchLeaks>;
  assertThrows(
    () => fixture({ leaks }),
    TypeError,
    "'leaks' must be a function",
  );
});

test("a lease is told of after 30 s by default", async () => {
  const f = watched({ leaks: watchLeaks() });
  await f.pool.acquire();
  await f.clock.advance(29_999);
  assertEquals(f.told, []);
  await f.clock.advance(1);
  assertEquals(f.told.length, 1);
});
