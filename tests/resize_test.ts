import { assertEquals, assertThrows } from "@std/assert";
import type { DestroyReason, PoolOptions } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  dice,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  PLAIN,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { Pool } from "../mod.ts";
import { test } from "./test.ts";

interface Sized extends Fixture {
  /** Which were destroyed, and why. */
  readonly ends: [number, DestroyReason][];
}

function sized(options: Partial<PoolOptions<Resource>> = {}): Sized {
  const ends: [number, DestroyReason][] = [];
  const f = fixture({
    observer: {
      destroyed: ({ resource, reason }) => ends.push([resource.id, reason]),
    },
    ...options,
  });
  return { ...f, ends };
}

/** The share of each stripe. */
function shares({ pool }: Fixture): number[] {
  return pool.stats().stripes.map(({ max }) => max);
}

test("a larger pool creates for those who wait, at once", async () => {
  const f = sized({ max: 1 });
  const held = await f.pool.acquire();
  const waits = [1, 2, 3].map(() => watch(f.pool.acquire()));
  f.pool.resize(3);
  assertEquals(f.pool.stats().max, 3);
  assertCounts(f.pool, { used: 1, creating: 2, pending: 3 });
  await settled();
  assertEquals(waits.map(({ settled }) => settled), [true, true, false]);
  held.release();
  await settled();
  assertEquals(leaseOf(waits[2]!).value.id, 1);
  for (const wait of waits) leaseOf(wait).release();
  assertEquals(f.ends, []);
  await assertClosesClean(f);
});

test("a larger pool creates for nobody where nobody waits", async () => {
  const f = sized({ max: 1 });
  await fill(f.pool, 1);
  f.pool.resize(10);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a larger pool creates also where growth is measured", async () => {
  const f = sized({ max: 1, growth: "measured" });
  f.factory.manual.add("create");
  const first = watch(f.pool.acquire());
  await f.clock.advance(50);
  f.factory.finishCreate();
  await settled();
  const wait = watch(f.pool.acquire());
  f.pool.resize(2);
  await f.clock.advance(50);
  assertCounts(f.pool, { used: 1, creating: 1, pending: 1 });
  f.factory.finishCreate();
  await settled();
  leaseOf(wait).release();
  leaseOf(first).release();
  await assertClosesClean(f);
});

test("a larger pool creates also after a failure that is not tried again", async () => {
  const f = sized({ max: 1, createRetry: false });
  f.factory.manual.add("create");
  const waits = [1, 2, 3].map(() => watch(f.pool.acquire()));
  await settled();
  f.factory.failCreate(new Error("down"));
  await settled();
  assertCounts(f.pool, { creating: 1, pending: 2 });
  f.pool.resize(2);
  assertCounts(f.pool, { creating: 2, pending: 2 });
  await settled();
  f.factory.finishCreate();
  f.factory.finishCreate();
  await settled();
  for (const wait of waits.slice(1)) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a smaller pool evicts what is idle, oldest first, and only as many as are too many", async () => {
  const f = sized({ max: 5 });
  await fill(f.pool, 4);
  f.pool.resize(2);
  await settled();
  assertEquals(f.ends, [[1, "resize"], [2, "resize"]]);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("a smaller pool that is within its size evicts nothing", async () => {
  const f = sized({ max: 5 });
  await fill(f.pool, 2);
  f.pool.resize(2);
  await settled();
  assertEquals(f.ends, []);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("used resources are destroyed at release, only as many as are owed", async () => {
  const f = sized({ max: 4 });
  const held = await Promise.all([1, 2, 3, 4].map(() => f.pool.acquire()));
  f.pool.resize(2);
  await settled();
  assertEquals(f.ends, []);
  assertCounts(f.pool, { used: 4 });
  for (const lease of held) lease.release();
  await settled();
  assertEquals(f.ends, [[1, "resize"], [2, "resize"]]);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("what is being destroyed already counts for what is owed", async () => {
  const f = sized({ max: 3 });
  f.factory.manual.add("destroy");
  const held = await Promise.all([1, 2, 3].map(() => f.pool.acquire()));
  held[0]!.destroy();
  held[1]!.release();
  f.pool.resize(2);
  held[2]!.release();
  await settled();
  assertEquals(f.factory.log.filter((line) => line.startsWith("destroy")), [
    "destroy 1",
  ]);
  assertCounts(f.pool, { idle: 2, destroying: 1 });
  f.factory.destroys.shift()!.resolve();
  await settled();
  assertCounts(f.pool, { idle: 2 });
  f.factory.manual.clear();
  await assertClosesClean(f);
});

test("a released one that is owed is not handed over; the waiter gets the next", async () => {
  const f = sized({ max: 2 });
  const held = await Promise.all([1, 2].map(() => f.pool.acquire()));
  const wait = watch(f.pool.acquire());
  f.pool.resize(1);
  held[0]!.release();
  await settled();
  assertEquals([wait.settled, f.ends], [false, [[1, "resize"]]]);
  assertCounts(f.pool, { used: 1, pending: 1 });
  held[1]!.release();
  await settled();
  assertEquals(leaseOf(wait).value.id, 2);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a vacated slot pays what is owed before anybody is created for", async () => {
  const f = sized({ max: 2 });
  const held = await Promise.all([1, 2].map(() => f.pool.acquire()));
  const wait = watch(f.pool.acquire());
  f.pool.resize(1);
  held[0]!.destroy();
  await settled();
  assertEquals(f.factory.log, ["create 1", "create 2", "destroy 1"]);
  held[1]!.destroy();
  await settled();
  assertEquals(leaseOf(wait).value.id, 3);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("creates in flight come, and one too many is destroyed", async () => {
  const f = sized({ max: 3 });
  f.factory.manual.add("create");
  const controller = new AbortController();
  const waits = [1, 2, 3].map(() =>
    watch(f.pool.acquire({ signal: controller.signal }))
  );
  await settled();
  controller.abort();
  f.pool.resize(1);
  assertCounts(f.pool, { creating: 3 });
  for (let i = 0; i < 3; i++) f.factory.finishCreate();
  await settled();
  assertEquals(waits.every(({ settled }) => settled), true);
  assertEquals(f.ends, [[1, "resize"], [2, "resize"]]);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("creates in flight for those who wait serve them once, then pay", async () => {
  const f = sized({ max: 3 });
  f.factory.manual.add("create");
  const waits = [1, 2, 3].map(() => watch(f.pool.acquire()));
  await settled();
  f.pool.resize(1);
  for (let i = 0; i < 3; i++) f.factory.finishCreate();
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  await settled();
  assertEquals(f.ends, [[1, "resize"], [2, "resize"]]);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a create that fails pays as well", async () => {
  const f = sized({ max: 2, createRetry: { delay: 100 } });
  await fill(f.pool, 1);
  const held = await f.pool.acquire();
  f.factory.manual.add("create");
  const wait = watch(f.pool.acquire());
  await settled();
  f.pool.resize(1);
  f.factory.failCreate(new Error("down"));
  await f.clock.advance(1_000);
  assertCounts(f.pool, { used: 1, pending: 1 });
  held.release();
  await settled();
  assertEquals([leaseOf(wait).value.id, f.ends], [1, []]);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a detached one pays as well", async () => {
  const f = sized({ max: 2 });
  const held = await Promise.all([1, 2].map(() => f.pool.acquire()));
  f.pool.resize(1);
  f.factory.live.delete(held[0]!.detach());
  held[1]!.release();
  await settled();
  assertEquals(f.ends, []);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a pool made smaller and larger again owes nothing", async () => {
  const f = sized({ max: 4 });
  const held = await Promise.all([1, 2, 3, 4].map(() => f.pool.acquire()));
  const wait = watch(f.pool.acquire());
  f.pool.resize(1);
  f.pool.resize(3);
  f.pool.resize(5);
  await settled();
  assertEquals(leaseOf(wait).value.id, 5);
  for (const lease of [...held, leaseOf(wait)]) lease.release();
  await settled();
  assertEquals(f.ends, []);
  assertCounts(f.pool, { idle: 5 });
  await assertClosesClean(f);
});

test("sizes that follow one another count by the last", async () => {
  const f = sized({ max: 2 });
  const held = await Promise.all([1, 2].map(() => f.pool.acquire()));
  for (const max of [5, 1, 3, 1]) f.pool.resize(max);
  for (const lease of held) lease.release();
  await settled();
  assertEquals(f.ends, [[1, "resize"]]);
  f.pool.resize(2);
  await fill(f.pool, 2);
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("each stripe gets its share anew, the first ones one more", async () => {
  const f = sized({ max: 7, stripes: 3 });
  assertEquals(shares(f), [3, 2, 2]);
  for (
    const [max, expected] of [
      [8, [3, 3, 2]],
      [3, [1, 1, 1]],
      [5, [2, 2, 1]],
      [9, [3, 3, 3]],
      [4, [2, 1, 1]],
    ] as const
  ) {
    f.pool.resize(max);
    assertEquals([shares(f), f.pool.stats().max], [[...expected], max]);
  }
  await fill(f.pool, 4);
  assertEquals(f.pool.stats().stripes.map(({ idle }) => idle), [2, 1, 1]);
  await assertClosesClean(f);
});

test("each stripe pays with its own, whatever is spare elsewhere", async () => {
  const f = sized({ max: 4, stripes: 2 });
  const held = [
    await f.pool.acquire({ affinity: 1 }),
    await f.pool.acquire({ affinity: 1 }),
  ];
  assertEquals(held.map(({ stripe }) => stripe), [1, 1]);
  f.pool.resize(2);
  const other = await f.pool.acquire({ affinity: 0 });
  assertEquals(other.stripe, 0);
  for (const lease of [...held, other]) lease.release();
  await settled();
  assertEquals(f.ends, [[1, "resize"]]);
  assertEquals(f.pool.stats().stripes.map(({ idle }) => idle), [1, 1]);
  await assertClosesClean(f);
});

test("a stripe that grows serves those who wait for any", async () => {
  const f = sized({ max: 2, stripes: 2 });
  const held = [await f.pool.acquire(), await f.pool.acquire()];
  const waits = [1, 0].map((affinity) => watch(f.pool.acquire({ affinity })));
  f.pool.resize(3);
  await settled();
  assertEquals(leaseOf(waits[0]!).stripe, 0, "the slot more is the first's");
  assertEquals(waits[1]!.settled, false);
  for (const lease of [...held, leaseOf(waits[0]!)]) lease.release();
  await settled();
  leaseOf(waits[1]!).release();
  await assertClosesClean(f);
});

test("isolated stripes grow and shrink each by its share", async () => {
  const f = sized({ max: 2, stripes: 2, isolated: true });
  const held = [0, 1].map((affinity) => watch(f.pool.acquire({ affinity })));
  const waits = [0, 1].map((affinity) => watch(f.pool.acquire({ affinity })));
  await settled();
  f.pool.resize(3);
  await settled();
  assertEquals(waits.map(({ settled }) => settled), [true, false]);
  f.pool.resize(4);
  await settled();
  for (const outcome of [...held, ...waits]) leaseOf(outcome).release();
  assertCounts(f.pool, { idle: 4 });
  f.pool.resize(2);
  await settled();
  assertEquals(f.pool.stats().stripes.map(({ idle }) => idle), [1, 1]);
  await assertClosesClean(f);
});

test("never are there more than with the larger of two sizes, and it converges", async () => {
  const roll = dice(1_000);
  for (const stripes of [1, 3]) {
    let live = 0;
    let most = 0;
    const pool = new Pool({
      create: async () => {
        most = Math.max(most, ++live);
        for (let i = roll() % 5; i > 0; i--) await undefined;
        return {};
      },
      destroy: async () => {
        for (let i = roll() % 5; i > 0; i--) await undefined;
        live--;
      },
      max: 3,
      stripes,
      ...PLAIN,
    });
    for (let round = 0, last = 3; round < 100; round++) {
      const uses = Array.from({ length: 20 }, () =>
        pool.use(async () => {
          for (let i = roll() % 9; i > 0; i--) await undefined;
        }));
      for (let i = roll() % 20; i > 0; i--) await undefined;
      most = live;
      const max = 3 + roll() % 10;
      pool.resize(max);
      await Promise.all(uses);
      await settled();
      assertEquals(most <= Math.max(last, max), true, `${most} live`);
      const { idle, destroying } = pool.stats();
      assertEquals(idle + destroying, live, "no slot is lost");
      assertEquals(live <= max, true, `${live} of ${max} after the release`);
      last = max;
    }
    // Nothing is owed, and no slot was lost on the way.
    pool.resize(5);
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => pool.acquire()));
    for (const lease of all) lease.release();
    await pool.close();
  }
});

test("the minimum counts for no more than the size, and again when it grows", async () => {
  const f = sized({ max: 4, min: 3 });
  (await f.pool.acquire()).release();
  await settled();
  assertCounts(f.pool, { idle: 3 });
  f.pool.resize(2);
  await settled();
  assertCounts(f.pool, { idle: 2 });
  await f.clock.advance(100_000);
  assertCounts(f.pool, { idle: 2 });
  assertEquals(f.factory.log.length, 4, "nothing was made again");
  f.pool.resize(5);
  await settled();
  assertCounts(f.pool, { idle: 3 });
  await assertClosesClean(f);
});

test("a minimum that begins in a pool made smaller is kept whole once it is larger", async () => {
  const f = sized({ max: 4, min: 3 });
  f.pool.resize(1);
  (await f.pool.acquire()).release();
  f.pool.resize(4);
  await settled();
  assertCounts(f.pool, { idle: 3 });
  await assertClosesClean(f);
});

test("a minimum is not begun by a resize of a pool that nobody has used", async () => {
  const f = sized({ max: 4, min: 3 });
  f.pool.resize(5);
  await settled();
  assertEquals(f.factory.log, []);
  await f.pool.warm();
  assertCounts(f.pool, { idle: 3 });
  await assertClosesClean(f);
});

test("a warm that waits is content with the size that the pool has now", async () => {
  const f = sized({ max: 5 });
  f.factory.manual.add("create");
  const warm = watch(f.pool.warm(5));
  await settled();
  f.factory.finishCreate();
  await settled();
  f.pool.resize(2);
  for (let left = 4; left > 0; left--) {
    assertEquals(warm.settled, false);
    f.factory.finishCreate();
    await settled();
  }
  assertEquals(warm, { settled: true, value: undefined });
  assertCounts(f.pool, { idle: 2 });
  await assertClosesClean(f);
});

test("a warm ends when the pool shrinks to what there is", async () => {
  for (const isolated of [false, true]) {
    const f = sized({ max: 4, stripes: isolated ? 2 : 1, isolated });
    await f.pool.warm(2);
    const pause = await f.pool.pause();
    const warm = watch(f.pool.warm(4));
    f.pool.resize(3);
    await settled();
    assertEquals(warm.settled, false);
    f.pool.resize(2);
    await settled();
    assertEquals(warm, { settled: true, value: undefined });
    await pause[Symbol.asyncDispose]();
    assertCounts(f.pool, { idle: 2 });
    await assertClosesClean(f);
  }
});

test("a warm of more than the size is refused, by the size of now", async () => {
  const f = sized({ max: 1 });
  f.pool.resize(3);
  await f.pool.warm(3);
  f.pool.resize(2);
  const warm = watch(f.pool.warm(3));
  await settled();
  assertEquals(
    (warm.error as Error).message,
    "Cannot warm pool as 'n' must be at most 'max' (2): received 3",
  );
  await assertClosesClean(f);
});

test("a pool that closes can be resized, and creates nothing", async () => {
  const f = sized({ max: 2, min: 2 });
  const held = await f.pool.acquire();
  await settled();
  const closing = f.pool.close();
  f.pool.resize(1);
  f.pool.resize(5);
  await settled();
  assertCounts(f.pool, { used: 1 });
  held.release();
  await closing;
  f.pool.resize(3);
  assertEquals(f.pool.stats().max, 3);
  await assertClosesClean(f);
});

test("a paused pool that grows creates when it goes on", async () => {
  const f = sized({ max: 1 });
  await fill(f.pool, 1);
  const pause = await f.pool.pause();
  const waits = [1, 2].map(() => watch(f.pool.acquire()));
  f.pool.resize(2);
  await settled();
  assertCounts(f.pool, { idle: 1, pending: 2 });
  await pause[Symbol.asyncDispose]();
  await settled();
  assertEquals(waits.map((wait) => leaseOf(wait).value.id), [1, 2]);
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a paused pool that shrinks evicts at once", async () => {
  const f = sized({ max: 3 });
  await fill(f.pool, 3);
  const pause = await f.pool.pause();
  const wait = watch(f.pool.acquire());
  f.pool.resize(1);
  await settled();
  assertEquals(f.ends, [[1, "resize"], [2, "resize"]]);
  await pause[Symbol.asyncDispose]();
  await settled();
  assertEquals(leaseOf(wait).value.id, 3);
  leaseOf(wait).release();
  await assertClosesClean(f);
});

test("while creates fail a larger pool tries no more at a time", async () => {
  const f = sized({ max: 1, createRetry: { delay: 100 } });
  const held = await f.pool.acquire();
  f.factory.manual.add("create");
  held.destroy();
  const waits = [1, 2, 3].map(() => watch(f.pool.acquire()));
  await settled();
  f.factory.failCreate(new Error("down"));
  await settled();
  f.pool.resize(3);
  await settled();
  assertCounts(f.pool, { pending: 3 });
  await f.clock.advance(100);
  assertCounts(f.pool, { creating: 1, pending: 3 });
  f.factory.finishCreate();
  await settled();
  f.factory.finishCreate();
  f.factory.finishCreate();
  await settled();
  for (const wait of waits) leaseOf(wait).release();
  await assertClosesClean(f);
});

test("a size is a positive integer, and at least the stripes", () => {
  const { pool } = fixture({ max: 4, stripes: 2 });
  for (const max of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () => pool.resize(max),
      RangeError,
      "Cannot resize pool as 'max' must be a positive integer",
    );
  }
  for (const max of ["2", undefined, null]) {
    assertThrows(() => pool.resize(max as never), TypeError);
  }
  const error = assertThrows(() => pool.resize(1), RangeError) as Error;
  assertEquals(
    error.message,
    "Cannot resize pool as 'max' must be at least 'stripes' (2): received 1",
  );
  assertEquals(pool.stats().max, 4);
  pool.resize(2);
});
