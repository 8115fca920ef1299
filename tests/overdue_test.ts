import { assertEquals } from "@std/assert";
import type { PoolOptions } from "../mod.ts";
import {
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** A pool whose creates hang, and notes when they begin. */
function hanging(
  options: Partial<PoolOptions<Resource>> = {},
): Fixture & { readonly began: number[] } {
  const f = fixture({
    max: 5,
    growth: "measured",
    createTimeout: Infinity,
    acquireTimeout: Infinity,
    create: (context) => {
      began.push(f.clock.now());
      return f.factory.create(context);
    },
    ...options,
  });
  const began: number[] = [];
  f.factory.manual.add("create");
  return { ...f, began };
}

/** As `hanging`; one create has taken 100 ms, and its resource is gone. */
async function known(): Promise<ReturnType<typeof hanging>> {
  const f = hanging();
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  leaseOf(first).destroy();
  await settled();
  f.began.length = 0;
  return f;
}

function join({ pool }: Fixture, timeout = Infinity): void {
  watch(pool.acquire({ timeout }));
}

test("a create that hangs is made up for, each time after twice as long", async () => {
  const f = hanging();
  join(f);
  await f.clock.advance(6_999);
  assertEquals(f.began, [0, 1_000, 3_000]);
  await f.clock.advance(1);
  assertEquals(f.began, [0, 1_000, 3_000, 7_000]);
});

test("a create is overdue after what others took, not before", async () => {
  const f = await known();
  const now = f.clock.now();
  join(f);
  await f.clock.advance(299);
  assertEquals(f.began, [now]);
  await f.clock.advance(1);
  assertEquals(f.began, [now, now + 300]);
});

test("a create that has ended is never overdue", async () => {
  const f = hanging();
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await f.clock.advance(10_000);
  leaseOf(first);
  join(f);
  await f.clock.advance(100);
  assertEquals(f.began.length, 2);
});

test("a create that one who timed out has waited for is made up for", async () => {
  const f = hanging();
  join(f, 500);
  await f.clock.advance(499);
  join(f);
  await settled();
  assertEquals(f.began, [0, 499]);
  await f.clock.advance(1);
  assertEquals(f.began, [0, 499]);
  join(f);
  await settled();
  assertEquals(f.began, [0, 499, 500]);
});

test("one who times out in less than a create takes gives up on none", async () => {
  const f = await known();
  const now = f.clock.now();
  join(f, 100);
  await f.clock.advance(100);
  join(f);
  await settled();
  assertEquals(f.began, [now], "it comes for the next");
});

test("one who times out gives up on no create younger than the wait", async () => {
  const f = hanging();
  const first = watch(f.pool.acquire());
  await f.clock.advance(100);
  f.factory.finishCreate();
  await settled();
  leaseOf(first).release();
  const held = f.pool.tryAcquire();
  join(f, 250);
  await f.clock.advance(250);
  assertEquals([held?.value.id, ...f.began], [1, 0, 200]);
  join(f);
  // Overdue by itself 300 ms after it began.
  await f.clock.advance(149);
  assertEquals(f.began, [0, 200]);
  await f.clock.advance(1);
  assertEquals(f.began, [0, 200, 500]);
});

test("one who times out gives up on one create", async () => {
  const f = hanging();
  join(f, 150);
  join(f);
  await f.clock.advance(150);
  assertEquals(f.began, [0, 0]);
});

test("those who time out give up on one create per usual time", async () => {
  const f = await known();
  const now = f.clock.now();
  join(f, 150);
  join(f, 200);
  await f.clock.advance(200);
  join(f);
  await settled();
  assertEquals(f.began, [now, now]);
});
