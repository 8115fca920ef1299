import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Pool } from "../mod.ts";
import type { PoolOptions, ValidateContext } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  leaseOf,
  PLAIN,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** The checks so far, as numbers of resources. */
function checks({ log }: { log: string[] }): number[] {
  return log.filter((it) => it.startsWith("validate"))
    .map((it) => Number(it.slice("validate ".length)));
}

test("one released less than validateAfter ago is taken without a check", async () => {
  const { pool, clock, factory } = validated({ validateAfter: 100 });
  await fill(pool, 1);
  await clock.advance(99);
  (await pool.acquire()).release();
  assertEquals(checks(factory), []);
  await clock.advance(99);
  pool.tryAcquire()!.release();
  assertEquals(checks(factory), [], "each release counts anew");
  await clock.advance(100);
  (await pool.acquire()).release();
  assertEquals(checks(factory), [1]);
  await clock.advance(100);
  pool.tryAcquire()!.release();
  assertEquals(checks(factory), [1, 1]);
});

test("by default each reuse is checked, and what is handed on at once, too", async () => {
  const { pool, factory } = validated();
  const lease = await pool.acquire();
  const next = watch(pool.acquire());
  lease.release();
  await settled();
  leaseOf(next).release();
  await settled();
  (await pool.acquire()).release();
  assertEquals(checks(factory), [1, 1]);
});

test("what a holder hands to the next is not checked within validateAfter", async () => {
  const { pool, clock, factory } = validated({ validateAfter: 100 });
  const lease = await pool.acquire();
  const next = watch(pool.acquire());
  await clock.advance(500);
  lease.release();
  await settled();
  leaseOf(next);
  assertEquals(checks(factory), []);
});

test("validate is told how long it was idle, its age and its uses", async () => {
  const clock = new VirtualClock();
  const told: Partial<ValidateContext>[] = [];
  const pool = new Pool({
    create: () => ({}),
    validate: (_, { idle, age, uses, signal }) => {
      told.push({ idle, age, uses, signal });
      return true;
    },
    max: 1,
    clock,
    ...PLAIN,
    keepalive: 500,
  });
  const lease = await pool.acquire();
  await clock.advance(30);
  lease.release();
  await clock.advance(70);
  const second = await pool.acquire();
  await clock.advance(10);
  second.release();
  await clock.advance(500);
  pool.tryAcquire()!.release();
  const facts = told.map(({ idle, age, uses }) => [idle, age, uses]);
  assertEquals(facts, [[70, 100, 1], [500, 610, 2], [500, 610, 2]]);
  assertEquals(told.some(({ signal }) => signal!.aborted), false);
  await pool.close();
});

test("the signal of a validate aborts at validateTimeout, with the timeout", async () => {
  const signals: AbortSignal[] = [];
  const f = validated({
    validate: (_, { signal }) => {
      signals.push(signal);
      return new Promise<boolean>(() => {});
    },
    validateTimeout: 50,
  });
  await fill(f.pool, 1);
  const outcome = watch(f.pool.acquire());
  await f.clock.advance(49);
  assertEquals(signals.map(({ aborted }) => aborted), [false]);
  await f.clock.advance(1);
  assertEquals(signals[0]!.reason.name, "CallTimeoutError");
  assertEquals(leaseOf(outcome).value.id, 2);
});

test("a signal that is asked for only after the timeout has aborted, too", async () => {
  const contexts: ValidateContext[] = [];
  const f = validated({
    validate: (_, context) => {
      contexts.push(context);
      return new Promise<boolean>(() => {});
    },
    validateTimeout: 50,
  });
  await fill(f.pool, 1);
  watch(f.pool.acquire());
  await f.clock.advance(50);
  assertEquals(contexts[0]!.signal.aborted, true);
  assertStrictEquals(contexts[0]!.signal, contexts[0]!.signal);
});

test("an aborted close aborts the signal of a validate under way", async () => {
  const signals: AbortSignal[] = [];
  const f = validated({
    validate: (_, { signal }) => {
      signals.push(signal);
      return new Promise<boolean>(() => {});
    },
  });
  await fill(f.pool, 1);
  watch(f.pool.acquire());
  await settled();
  await f.pool.close({ signal: AbortSignal.abort() });
  assertEquals(signals[0]!.reason.name, "PoolClosedError");
});

test("six half-open resources cost one validateTimeout, and none is asked again", async () => {
  const f = validated({ max: 20, validateTimeout: 5_000 });
  await fill(f.pool, 6);
  await f.clock.advance(1_000);
  f.factory.manual.add("validate");
  const outcome = watch(f.pool.acquire());
  await f.clock.advance(4_999);
  assertEquals(outcome.settled, false);
  await f.clock.advance(1);
  assertEquals(leaseOf(outcome).value.id, 7);
  assertEquals(checks(f.factory), [6]);
  assertCounts(f.pool, { used: 1 });
  assertEquals(f.factory.destroyedTwice, []);
});

test("a validate that fails before its time says nothing of the others", async () => {
  const f = validated({
    max: 3,
    validate: ({ id }) => id < 3 || Promise.reject(new Error("reset by peer")),
  });
  await fill(f.pool, 3);
  const outcome = watch(f.pool.acquire());
  await settled();
  assertEquals(leaseOf(outcome).value.id, 2);
  assertCounts(f.pool, { used: 1, idle: 1 });
});

test("a keepalive checks the one unchecked for longest on whatever stripe", async () => {
  const f = validated({ max: 2, stripes: 2, isolated: true, keepalive: 100 });
  const [first, second] = [
    await f.pool.acquire({ affinity: 0 }),
    await f.pool.acquire({ affinity: 1 }),
  ];
  second.release();
  await f.clock.advance(50);
  first.release();
  await f.clock.advance(50);
  assertEquals(checks(f.factory), [2]);
  await f.clock.advance(50);
  assertEquals(checks(f.factory), [2, 1]);
});

test("nothing is checked beside a check that hangs", async () => {
  const f = validated({ max: 2, keepalive: 100, idleTimeout: 150 });
  f.factory.manual.add("validate");
  const held = await f.pool.acquire();
  (await f.pool.acquire()).release();
  await f.clock.advance(160);
  assertEquals(checks(f.factory), [2]);
  held.release();
  await f.clock.advance(100);
  assertCounts(f.pool, { idle: 1, used: 1 });
  assertEquals(checks(f.factory), [2]);
});

test("a check that closes the pool leaves what that took back", async () => {
  const f = validated({
    keepalive: 100,
    validate: () => {
      void f.pool.close({ signal: AbortSignal.abort() });
      return true;
    },
  });
  await fill(f.pool, 1);
  await f.clock.advance(100);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("a silence condemns those under validate that were idle as long, and no others", async () => {
  const f = validated({ max: 4, validateTimeout: 100 });
  const [a, b, c] = [
    await f.pool.acquire(),
    await f.pool.acquire(),
    await f.pool.acquire(),
  ];
  a!.release();
  await f.clock.advance(10);
  b!.release();
  c!.release();
  f.factory.manual.add("validate");
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  await f.clock.advance(50);
  const third = watch(f.pool.acquire());
  await f.clock.advance(0);
  assertEquals(checks(f.factory), [3, 2, 1]);
  // The oldest answers nothing only after the others are judged.
  await f.clock.advance(50);
  assertEquals(waiters.map(({ settled }) => settled), [true, true]);
  assertEquals(third.settled, true, "idle for longer than they");
  assertEquals(f.factory.log.slice(-6).sort(), [
    "create 4",
    "create 5",
    "create 6",
    "destroy 1",
    "destroy 2",
    "destroy 3",
  ]);
});

test("a silence does not condemn what was released after it", async () => {
  const f = validated({ max: 3, validateTimeout: 100 });
  const [old, young] = [await f.pool.acquire(), await f.pool.acquire()];
  old!.release();
  f.factory.manual.add("validate");
  const outcome = watch(f.pool.acquire());
  await f.clock.advance(50);
  young!.release();
  await f.clock.advance(50);
  // It is offered to the one whose resource was silent.
  assertEquals(checks(f.factory), [1, 2]);
  f.factory.validations[1]!.resolve(true);
  await settled();
  assertEquals(leaseOf(outcome).value.id, 2);
});

test("a no that comes in time condemns no other", async () => {
  const { pool, factory } = validated({ max: 3 });
  await fill(pool, 2);
  factory.manual.add("validate");
  const outcome = watch(pool.acquire());
  await settled();
  factory.validations[0]!.resolve(false);
  await settled();
  factory.validations[1]!.resolve(true);
  await settled();
  assertEquals(checks(factory), [2, 1]);
  assertEquals(leaseOf(outcome).value.id, 1);
});

function kept(
  options: Partial<PoolOptions<Resource>> = {},
): ReturnType<typeof validated> {
  return validated({
    keepalive: 1_000,
    idleTimeout: Infinity,
    max: 3,
    ...options,
  });
}

test("what is idle for keepalive is checked in the background, again and again", async () => {
  const { pool, clock, factory } = kept();
  await fill(pool, 1);
  await clock.advance(999);
  assertEquals(checks(factory), []);
  await clock.advance(1);
  assertEquals(checks(factory), [1]);
  await clock.advance(3_000);
  assertEquals(checks(factory), [1, 1, 1, 1]);
  assertCounts(pool, { idle: 1 });
});

test("a keepalive goes on beside an idle end and a lifetime", async () => {
  const { pool, clock, factory } = kept({
    idleTimeout: 100_000,
    maxLifetime: 1_000_000,
    validateAfter: 10_000,
  });
  await fill(pool, 1);
  await clock.advance(500);
  const lease = pool.tryAcquire()!;
  await clock.advance(5_000);
  assertEquals(checks(factory), [], "nothing is idle");
  lease.release();
  await clock.advance(2_000);
  assertEquals(checks(factory), [1, 1]);
});

test("a keepalive checks the one unchecked for longest, one at a time", async () => {
  const { pool, clock, factory } = kept();
  const leases = [
    await pool.acquire(),
    await pool.acquire(),
    await pool.acquire(),
  ];
  for (const index of [1, 0, 2]) {
    leases[index]!.release();
    await clock.advance(10);
  }
  factory.manual.add("validate");
  await clock.advance(2_000);
  assertEquals(checks(factory), [2], "while it is checked no other is");
  assertCounts(pool, { idle: 2, used: 1 });
  factory.validations[0]!.resolve(true);
  await clock.advance(0);
  assertEquals(checks(factory), [2, 1], "the next one is due");
  factory.validations[1]!.resolve(true);
  await clock.advance(0);
  factory.validations[2]!.resolve(true);
  await clock.advance(900);
  assertEquals(checks(factory), [2, 1, 3]);
  await clock.advance(100);
  assertEquals(checks(factory), [2, 1, 3, 2]);
});

test("a keepalive returns a resource to its place, as if it had not been away", async () => {
  const { pool, clock, factory } = kept({
    idleTimeout: 2_500,
    validateAfter: 600,
  });
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  for (const lease of leases) {
    lease.release();
    await clock.advance(10);
  }
  await clock.advance(975);
  assertEquals(checks(factory), [1]);
  const newest = pool.tryAcquire()!;
  assertEquals([newest.value.id, checks(factory).length], [3, 2]);
  await clock.advance(500);
  assertEquals(checks(factory), [1, 3, 2]);
  const taken = [pool.tryAcquire()!, pool.tryAcquire()!];
  assertEquals(taken.map(({ value }) => value.id), [2, 1]);
  assertEquals(checks(factory).length, 3, "checked less than 600 ms ago");
});

test("a keepalive does not put off the idle end", async () => {
  const f = kept({ idleTimeout: 2_500 });
  await fill(f.pool, 2);
  await f.clock.advance(2_500);
  assertEquals(checks(f.factory), [1, 2, 1, 2]);
  assertCounts(f.pool, { idle: 2 });
  await f.clock.advance(1);
  assertCounts(f.pool, {});
});

test("a check that outlasts the idle end puts it off until its verdict", async () => {
  const f = kept({ idleTimeout: 1_000, max: 1 });
  f.factory.manual.add("validate");
  await fill(f.pool, 1);
  await f.clock.advance(1_005);
  f.factory.validations[0]!.resolve(true);
  await f.clock.advance(1);
  assertEquals(checks(f.factory), [1]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a check in the background is no use", async () => {
  const { pool, clock, factory } = kept({ maxUses: 2, max: 1 });
  await fill(pool, 1);
  await clock.advance(5_000);
  assertEquals(checks(factory).length, 5);
  (await pool.acquire()).release();
  await settled();
  assertEquals(factory.log.at(-1), "destroy 1");
});

test("a line that forms during a check gets the resource", async () => {
  const { pool, clock, factory } = kept({ max: 1 });
  await fill(pool, 1);
  factory.manual.add("validate");
  await clock.advance(1_000);
  const [first, second] = [watch(pool.acquire()), watch(pool.acquire())];
  await settled();
  assertCounts(pool, { used: 1, pending: 2 });
  factory.validations[0]!.resolve(true);
  await settled();
  assertEquals(leaseOf(first).value.id, 1);
  assertEquals([second.settled, checks(factory).length], [false, 1]);
});

test("a bad check evicts, and a line that forms meanwhile gets a new one", async () => {
  const { pool, clock, factory } = kept({ max: 1 });
  await fill(pool, 1);
  factory.manual.add("validate");
  await clock.advance(1_000);
  const outcome = watch(pool.acquire());
  factory.validations[0]!.resolve(false);
  await settled();
  assertEquals(factory.log.slice(-2), ["destroy 1", "create 2"]);
  assertEquals(leaseOf(outcome).value.id, 2);
});

test("a check that throws or rejects evicts", async () => {
  for (
    const validate of [
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject<boolean>(new Error("rejected")),
    ]
  ) {
    const f = kept({ validate });
    await fill(f.pool, 2);
    await f.clock.advance(1_100);
    assertEquals(f.factory.log.slice(2), ["destroy 1", "destroy 2"]);
    await assertClosesClean(f);
  }
});

test("a check that hangs ends at validateTimeout, with all that are as old", async () => {
  const f = kept({ validateTimeout: 300 });
  await fill(f.pool, 3);
  const young = await f.pool.acquire();
  await f.clock.advance(500);
  young.release();
  f.factory.manual.add("validate");
  await f.clock.advance(500 + 299);
  assertCounts(f.pool, { idle: 2, used: 1 });
  await f.clock.advance(1);
  assertEquals(f.factory.log.slice(-2), ["destroy 1", "destroy 2"]);
  assertCounts(f.pool, { idle: 1 });
  await f.clock.advance(200);
  assertEquals(checks(f.factory), [3, 1, 3], "the keepalive goes on");
  f.factory.validations.at(-1)!.resolve(true);
  await assertClosesClean(f);
});

test("a keepalive goes on with other lines when a waiter got what was checked", async () => {
  const { pool, clock, factory } = kept({
    ...{ max: 2, stripes: 2, isolated: true },
  });
  const [a, b] = [
    await pool.acquire({ affinity: 0 }),
    await pool.acquire({ affinity: 1 }),
  ];
  a!.release();
  b!.release();
  factory.manual.add("validate");
  await clock.advance(1_000);
  const outcome = watch(pool.acquire({ affinity: 0 }));
  factory.validations[0]!.resolve(true);
  await clock.advance(0);
  leaseOf(outcome);
  assertEquals(checks(factory), [1, 2]);
});

test("a pool that closes checks nothing more", async () => {
  const f = kept({ max: 2 });
  await fill(f.pool, 2);
  const lease = f.pool.tryAcquire()!;
  const closing = f.pool.close();
  await f.clock.advance(5_000);
  lease.release();
  await closing;
  assertEquals(checks(f.factory), [2]);
  await assertClosesClean(f);
});

test("options of validate and reset throw without it", () => {
  const create = () => ({});
  for (
    const [name, needed] of [
      ["validateAfter", "validate"],
      ["validateTimeout", "validate"],
      ["keepalive", "validate"],
      ["resetTimeout", "reset"],
    ]
  ) {
    assertThrows(
      () => new Pool({ create, max: 1, [name!]: 100 }),
      TypeError,
      `'${name}' must be absent without '${needed}': received 100`,
    );
    new Pool({ create, max: 1, [name!]: undefined });
    new Pool({ create, max: 1, [name!]: 100, [needed!]: () => true });
  }
});
