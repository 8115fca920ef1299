import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type AcquireOptions,
  AcquireTimeoutError,
  type Pool,
  PoolClosedError,
} from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Resource,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Notes who is served, in order; each gives back at once. */
function queue(pool: Pool<Resource>): {
  served: string[];
  join(name: string, options?: AcquireOptions): Promise<void>;
} {
  const served: string[] = [];
  return {
    served,
    join: (name, options) => pool.use(() => void served.push(name), options),
  };
}

test("a step of priority is a head start of one second", async () => {
  const { pool, clock } = fixture();
  const held = await pool.acquire();
  const { served, join } = queue(pool);
  const uses = [join("plain at 0")];
  await clock.advance(999);
  uses.push(join("one at 999", { priority: 1 }));
  await clock.advance(2);
  uses.push(join("one at 1001", { priority: 1 }));
  uses.push(join("two at 1001", { priority: 2 }));
  await clock.advance(1_998);
  uses.push(join("three at 2999", { priority: 3 }));
  await clock.advance(2);
  uses.push(join("three at 3001", { priority: 3 }));
  held.release();
  await Promise.all(uses);
  assertEquals(served, [
    "two at 1001",
    "one at 999",
    "three at 2999",
    "plain at 0",
    "one at 1001",
    "three at 3001",
  ]);
});

test("of two that are level with their head starts, the first to come is served", async () => {
  for (const priority of [1, 2, 3]) {
    const { pool, clock } = fixture();
    const held = await pool.acquire();
    const { served, join } = queue(pool);
    const uses = [join("first")];
    await clock.advance(1_000 * priority);
    uses.push(join("second", { priority }));
    held.release();
    await Promise.all(uses);
    assertEquals(served, ["first", "second"]);
  }
});

test("within one priority waiters are served in their order of arrival", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const { served, join } = queue(pool);
  const uses = [0, 3, 1, 2, 3, 0, 2, 1].map((priority, i) =>
    join(`${priority} ${i}`, { priority })
  );
  held.release();
  await Promise.all(uses);
  assertEquals(served, [
    ...["3 1", "3 4", "2 3", "2 6"],
    ...["1 2", "1 7", "0 0", "0 5"],
  ]);
});

test("nobody is overtaken by one who comes more than three seconds later", async () => {
  const { pool, clock } = fixture();
  const held = await pool.acquire();
  const { served, join } = queue(pool);
  const uses = [join("patient")];
  for (let i = 0; i < 50; i++) {
    await clock.advance(100);
    uses.push(join(`urgent at ${clock.now()}`, { priority: 3 }));
  }
  held.release();
  await Promise.all(uses);
  assertEquals(served.indexOf("patient"), 29, "those from 100 to 2900 ms");
  assertEquals(served.length, 51);
});

test("a priority overtakes nobody where something is idle, and waits for none", async () => {
  const f = fixture({ max: 2 });
  await fill(f.pool, 2);
  const leases = [
    await f.pool.acquire({ priority: 0 }),
    await f.pool.acquire({ priority: 3 }),
  ];
  assertEquals(leases.map(({ value }) => value.id), [2, 1]);
  for (const lease of leases) lease.release();
  await assertClosesClean(f);
});

test("a taker sent back returns by arrival within its own priority", async () => {
  const { pool, clock, factory } = validated();
  factory.manual.add("validate");
  const held = await pool.acquire();
  const { served, join } = queue(pool);
  const uses = [join("urgent 1", { priority: 2 })];
  await clock.advance(500);
  uses.push(join("urgent 2", { priority: 2 }), join("plain"));
  held.release();
  await settled();
  // The first one's resource is under validate: its place must be the old one.
  uses.push(join("urgent 3", { priority: 2 }), join("most", { priority: 3 }));
  factory.manual.delete("validate");
  factory.validations.shift()!.resolve(false);
  await Promise.all(uses);
  assertEquals(served, ["most", "urgent 1", "urgent 2", "urgent 3", "plain"]);
});

test("a taker sent back counts from its arrival, not from its return", async () => {
  const { pool, clock, factory } = validated();
  factory.manual.add("validate");
  const held = await pool.acquire();
  const { served, join } = queue(pool);
  const uses = [join("plain at 0")];
  held.release();
  await clock.advance(2_500);
  uses.push(join("two at 2500", { priority: 2 }));
  factory.manual.delete("validate");
  factory.validations.shift()!.resolve(false);
  await Promise.all(uses);
  assertEquals(served, ["plain at 0", "two at 2500"]);
});

test("one whose idle resource proves bad waits with its priority", async () => {
  const { pool, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  const { served, join } = queue(pool);
  const uses = [
    join("urgent", { priority: 2 }),
    join("less", { priority: 1 }),
    join("most", { priority: 3 }),
  ];
  factory.manual.delete("validate");
  factory.validations.shift()!.resolve(false);
  await Promise.all(uses);
  assertEquals(served, ["most", "urgent", "less"]);
});

test("who has waited for as long as a create takes is owed one, whatever the priority", async () => {
  const f = fixture({ max: 4, growth: "measured" });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  leaseOf(first).release();
  const held = await f.pool.acquire();
  const waits = [3, 1, 0].map((priority) =>
    watch(f.pool.acquire({ priority }))
  );
  await f.clock.advance(99);
  assertCounts(f.pool, { used: 1, pending: 3 });
  await f.clock.advance(1);
  assertCounts(f.pool, { used: 1, creating: 3, pending: 3 });
  for (let i = 0; i < 3; i++) f.factory.finishCreate();
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  held.release();
  await assertClosesClean(f);
});

test("an abort takes out the one it is for, of each priority", async () => {
  for (const priority of [0, 1, 2, 3]) {
    const f = fixture();
    const held = await f.pool.acquire();
    const { served, join } = queue(f.pool);
    const controller = new AbortController();
    const { signal } = controller;
    const uses = [0, 1, 2, 3].map((priority) =>
      join(`${priority}`, { priority })
    );
    const gone = watch(f.pool.acquire({ priority, signal }));
    uses.push(join("last", { priority }));
    controller.abort("gone");
    await settled();
    assertEquals(gone, { settled: true, error: "gone" });
    assertCounts(f.pool, { used: 1, pending: 5 });
    held.release();
    await Promise.all(uses);
    const expected = ["3", "2", "1", "0"];
    expected.splice(expected.indexOf(`${priority}`) + 1, 0, "last");
    assertEquals(served, expected);
    await assertClosesClean(f);
  }
});

test("a priority does not lengthen the wait: each times out at its own time", async () => {
  const f = fixture();
  using _held = await f.pool.acquire();
  const waits = [0, 1, 2, 3].map((priority) =>
    watch(f.pool.acquire({ priority, timeout: 100 * (4 - priority) }))
  );
  const ended = [];
  for (let i = 0; i < 4; i++) {
    await f.clock.advance(100);
    ended.push(waits.filter(({ settled }) => settled).length);
  }
  assertEquals(ended, [1, 2, 3, 4]);
  for (const [priority, { error }] of waits.entries()) {
    assertInstanceOf(error, AcquireTimeoutError);
    assertEquals(error.waited, 100 * (4 - priority));
  }
  assertCounts(f.pool, { used: 1 });
});

test("a close rejects those of every priority", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const waits = [0, 1, 2, 3].map((priority) =>
    watch(f.pool.acquire({ priority }))
  );
  const closing = f.pool.close();
  await settled();
  for (const { error } of waits) assertInstanceOf(error, PoolClosedError);
  held.release();
  await closing;
  await assertClosesClean(f);
});

test("without a retry a failure rejects the one whose turn was next", async () => {
  const f = fixture({ createRetry: false });
  f.factory.manual.add("create");
  const plain = watch(f.pool.acquire());
  await settled();
  f.factory.failCreate(new Error("one"));
  await settled();
  assertEquals((plain.error as Error).message, "one");
  const waits = [0, 2, 1].map((priority) =>
    watch(f.pool.acquire({ priority }))
  );
  await settled();
  // This create began for the first of them, so it rejects nobody but that one.
  f.factory.failCreate(new Error("two"));
  await settled();
  assertEquals(waits.map(({ settled }) => settled), [true, false, false]);
  // The next one began when all were there.
  f.factory.failCreate(new Error("three"));
  await settled();
  assertEquals(waits.map(({ settled }) => settled), [true, true, false]);
  f.factory.finishCreate();
  await settled();
  leaseOf(waits[2]!).release();
  await assertClosesClean(f);
});

test("a first failure rejects who came before it, of every priority", async () => {
  const f = fixture({ createRetry: { delay: 100 } });
  f.factory.manual.add("create");
  const before = [0, 3, 1].map((priority) =>
    watch(f.pool.acquire({ priority }))
  );
  await settled();
  const error = new Error("refused");
  f.factory.failCreate(error);
  await settled();
  const after = watch(f.pool.acquire({ priority: 3, timeout: 1_000 }));
  await settled();
  for (const outcome of before) assertStrictEquals(outcome.error, error);
  assertEquals(after.settled, false);
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  leaseOf(after).release();
  await assertClosesClean(f);
});

test("each isolated line has priorities of its own", async () => {
  const { pool } = fixture({ max: 2, stripes: 2, isolated: true });
  const held = [
    await pool.acquire({ affinity: 0 }),
    await pool.acquire({ affinity: 1 }),
  ];
  const plain = watch(pool.acquire({ affinity: 0 }));
  const urgent = watch(pool.acquire({ affinity: 1, priority: 3 }));
  held[0]!.release();
  await settled();
  assertEquals([plain.settled, urgent.settled], [true, false]);
});

test("priorities that come and go leave the pool as it was", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const waits = Array.from(
    { length: 1_000 },
    (_, i) => watch(f.pool.acquire({ priority: i % 4, timeout: 1 + i % 7 })),
  );
  await f.clock.advance(10);
  assertEquals(waits.filter(({ settled }) => settled).length, 1_000);
  held.release();
  assertCounts(f.pool, { idle: 1 });
  (await f.pool.acquire()).release();
  await assertClosesClean(f);
});

test("a priority is 0, 1, 2 or 3, and nothing else", async () => {
  const { pool, factory } = fixture();
  for (const priority of [-1, 4, 0.5, NaN, Infinity]) {
    const error = await assertRejects(
      () => pool.acquire({ priority }),
      RangeError,
    );
    const value = Object.is(priority, NaN) ? "NaN" : `${priority}`;
    assertEquals(
      error.message,
      `Cannot acquire as 'priority' must be 0, 1, 2 or 3: received ${value}`,
    );
    await assertRejects(() => pool.use(() => {}, { priority }), RangeError);
  }
  for (const priority of ["1", null, {}, true]) {
    await assertRejects(
      () => pool.acquire({ priority: priority as never }),
      TypeError,
      "'priority' must be a number",
    );
  }
  assertEquals(factory.log, []);
  (await pool.acquire({ priority: undefined })).release();
});

test("tryAcquire, which does not wait, has no priority", () => {
  const { pool } = fixture();
  assertThrows(
    () => pool.tryAcquire({ priority: 1 } as never),
    TypeError,
    "'priority' is no option",
  );
});
