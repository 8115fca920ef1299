import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Lease, Pool, type PoolOptions } from "../mod.ts";
import { LocalBudget } from "../src/budget/mod.ts";
import { leaseOf, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Pools on one budget, and how many resources there are in all. */
function shared(
  permits: number,
  names: string[],
  options: Partial<PoolOptions<string>> = {},
) {
  const clock = new VirtualClock();
  const budget = new LocalBudget(permits);
  const log: string[] = [];
  const live = { now: 0, peak: 0 };
  const pools = names.map((name) =>
    new Pool<string>({
      create: () => {
        live.now++;
        live.peak = Math.max(live.peak, live.now);
        log.push(`create ${name}`);
        return name;
      },
      destroy: (_, { reason }) => {
        live.now--;
        log.push(`destroy ${name} ${reason}`);
      },
      max: permits,
      clock,
      budget,
      growth: "eager",
      createRetry: false,
      ...options,
    })
  );
  return { clock, budget, log, live, pools };
}

test("pools of one budget never have more than it together", async () => {
  const { pools, live, clock } = shared(2, ["a", "b", "c"]);
  const waiters = pools.flatMap((pool) => [
    watch(pool.acquire()),
    watch(pool.acquire()),
  ]);
  for (let served = 0; served < waiters.length;) {
    await settled();
    const leases = waiters.flatMap(({ value }) => value ?? []);
    assertEquals(leases.length > served, true, `${served} served`);
    served = leases.length;
    for (const lease of leases) lease.release();
    await clock.advance(1);
  }
  assertEquals(live.peak, 2);
  for (const pool of pools) await pool.close();
  assertEquals(live.now, 0);
});

test("what another pool has idle longest leaves for one who waits", async () => {
  const { pools: [a, b], log, clock } = shared(2, ["a", "b"]);
  const leases = await Promise.all([a!.acquire(), a!.acquire()]);
  leases[1]!.release();
  await clock.advance(5);
  leases[0]!.release();
  const lease = watch(b!.acquire());
  await settled();
  assertEquals(leaseOf(lease).value, "b");
  assertEquals(log.slice(2), ["destroy a budget", "create b"]);
  assertEquals(a!.stats().idle, 1);
});

test("what is released goes to who has waited longest, in whichever pool", async () => {
  const { pools: [a, b], log, clock } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const elsewhere = watch(b!.acquire());
  await clock.advance(5);
  const here = watch(a!.acquire());
  await clock.advance(5);
  held.release();
  await settled();
  assertEquals([elsewhere.settled, here.settled], [true, false]);
  await clock.advance(5);
  leaseOf(elsewhere).release();
  await settled();
  assertEquals(leaseOf(here).value, "a");
  assertEquals(log, [
    "create a",
    "destroy a budget",
    "create b",
    "destroy b budget",
    "create a",
  ]);
});

test("one who came before keeps what is released in its own pool", async () => {
  const { pools: [a, b], log, clock } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const here = watch(a!.acquire());
  await clock.advance(5);
  const elsewhere = watch(b!.acquire());
  await settled();
  held.release();
  await settled();
  assertEquals([here.settled, elsewhere.settled], [true, false]);
  leaseOf(here).release();
  await settled();
  assertEquals(elsewhere.settled, true);
  assertEquals(log, ["create a", "destroy a budget", "create b"]);
});

test("who came before keeps it, though one with priority is ahead there", async () => {
  const { pools: [a, b], log, clock } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const here = watch(a!.acquire());
  await clock.advance(5);
  const elsewhere = watch(b!.acquire());
  await clock.advance(5);
  const ahead = watch(a!.acquire({ priority: 1 }));
  await settled();
  held.release();
  await settled();
  assertEquals(
    [here, elsewhere, ahead].map(({ settled }) => settled),
    [false, false, true],
  );
  leaseOf(ahead).release();
  await settled();
  assertEquals([here.settled, elsewhere.settled], [true, false]);
  assertEquals(log, ["create a"]);
});

test("who waits no more wants no permit", async () => {
  const { pools: [a, b], log } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const controller = new AbortController();
  const waiter = watch(b!.acquire({ signal: controller.signal }));
  await settled();
  controller.abort(new Error("gone"));
  await settled();
  assertEquals(waiter.settled, true);
  held.release();
  await settled();
  assertEquals(a!.stats().idle, 1);
  assertEquals(log, ["create a"]);
});

test("a minimum makes no other pool part with anything", async () => {
  const { pools: [a, b], log } = shared(1, ["a", "b"], { min: 1 });
  (await a!.acquire()).release();
  const warm = watch(b!.warm());
  await settled();
  assertEquals(warm.settled, false);
  assertEquals(log, ["create a"]);
  await b!.close();
  await settled();
  assertEquals(warm.settled, true);
});

test("a failed create gives its permit back", async () => {
  const clock = new VirtualClock();
  const budget = new LocalBudget(1);
  const failing = new Pool({
    create: () => Promise.reject(new Error("down")),
    ...{ max: 1, clock, budget, createRetry: false as const },
  });
  const other = new Pool({ create: () => "b", max: 1, clock, budget });
  await assertRejects(() => failing.acquire(), Error, "down");
  const lease = await other.acquire({ timeout: 10 });
  assertEquals(lease.value, "b");
});

test("a detached resource gives its permit back", async () => {
  const { pools: [a, b] } = shared(1, ["a", "b"]);
  const waiter = watch(b!.acquire());
  await settled();
  leaseOf(waiter).detach();
  const lease: Lease<string> = await a!.acquire({ timeout: 10 });
  assertEquals(lease.value, "a");
});

test("a budget must be a positive integer", () => {
  for (const max of [0, 1.5, NaN]) {
    assertThrows(() => new LocalBudget(max), RangeError, "'max'");
  }
  assertThrows(() => new LocalBudget("1" as never), TypeError, "'max'");
});
