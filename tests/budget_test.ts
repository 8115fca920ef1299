import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  AcquireTimeoutError,
  type Lease,
  Pool,
  type PoolOptions,
} from "../mod.ts";
import {
  type Budget,
  type BudgetMember,
  LocalBudget,
} from "../src/budget/mod.ts";
import { dice, leaseOf, type Outcome, settled, watch } from "./fixture.ts";
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

test("however one leaves, its permit goes to who has waited longest", async () => {
  const losts: (() => void)[] = [];
  const ways: Record<string, Partial<PoolOptions<string>>> = {
    destroy: {},
    detach: {},
    lost: { create: ({ lost }) => (losts.push(lost), "a") },
    "used up": { maxUses: 1 },
    "reset fails": { reset: () => Promise.reject(new Error("reset")) },
  };
  for (const [way, options] of Object.entries(ways)) {
    const { pools: [a, b], clock } = shared(1, ["a", "b"], options);
    const held = await a!.acquire();
    const elsewhere = watch(b!.acquire());
    await clock.advance(5);
    const here = watch(a!.acquire());
    await clock.advance(5);
    if (way === "lost") losts[0]!();
    if (way === "destroy" || way === "detach") held[way]();
    else held.release();
    await clock.advance(5);
    assertEquals([elsewhere.settled, here.settled], [true, false], way);
    leaseOf(elsewhere).destroy();
    await clock.advance(5);
    leaseOf(here);
  }
});

test("the permit of a create that failed goes to who has waited longest", async () => {
  const { pools: [b], clock, budget } = shared(1, ["b"]);
  const a = new Pool<string>({
    create: () =>
      new Promise((_, reject) =>
        void clock.setTimeout(() => reject(new Error("create")), 10)
      ),
    ...{ max: 1, clock, budget, growth: "eager", createRetry: false },
  });
  const first = watch(a.acquire());
  await clock.advance(1);
  const elsewhere = watch(b!.acquire());
  await clock.advance(1);
  const here = watch(a.acquire());
  await clock.advance(10);
  assertEquals([first.settled, here.settled], [true, false]);
  leaseOf(elsewhere).destroy();
  await clock.advance(10);
  assertEquals(here.settled, true);
});

test("one of the minimum that is destroyed keeps its permit", async () => {
  const { clock, budget, pools: [b], log } = shared(1, ["b"]);
  const create = () => (log.push("create a"), "a");
  const a = new Pool<string>({ create, max: 1, min: 1, clock, budget });
  const held = await a.acquire();
  const elsewhere = watch(b!.acquire());
  await clock.advance(5);
  held.destroy();
  await settled();
  assertEquals(elsewhere.settled, false);
  assertEquals(log, ["create a", "create a"]);
});

test("what yields within user code is not replaced before the budget is told", async () => {
  const clock = new VirtualClock();
  const budget = new LocalBudget(2);
  const options = { max: 2, clock, budget, growth: "eager" as const };
  const here: Outcome<Lease<string>>[] = [];
  const a = new Pool({ create: () => "a", ...options });
  const b: Pool<string> = new Pool({
    ...options,
    create: () => "b",
    destroy: () => {
      second.release();
      if (here.length === 0) here.push(watch(b.acquire()), watch(b.acquire()));
    },
  });
  const [first, second] = [await b.acquire(), await b.acquire()];
  const elsewhere = watch(a.acquire());
  await clock.advance(5);
  first.destroy();
  await clock.advance(5);
  leaseOf(elsewhere);
  assertEquals(here.map(({ settled }) => settled), [true, false]);
});

test("a permit that comes before the budget is told of what yields is one more", async () => {
  const clock = new VirtualClock();
  const budget = new LocalBudget(4);
  const options = { max: 4, clock, budget, growth: "eager" as const };
  const a = new Pool({ create: () => "a", ...options });
  const c = new Pool({ create: () => "c", ...options });
  let ended = () => {
    ended = () => {};
    yields.release();
    for (const lease of elsewhere) lease.detach();
  };
  const b = new Pool({ create: () => "b", destroy: () => ended(), ...options });
  const [first, yields] = [await b.acquire(), await b.acquire()];
  const elsewhere = [await c.acquire(), await c.acquire()];
  const served = watch(a.acquire());
  await clock.advance(5);
  for (let i = 0; i < 4; i++) void b.use(() => {});
  first.destroy();
  await clock.advance(5);
  leaseOf(served);
  const more = [1, 2, 3].map(() => watch(a.acquire()));
  await clock.advance(5);
  assertEquals(more.map(({ settled }) => settled), [true, true, true]);
});

test("what was checked in the background goes to who has waited longest", async () => {
  const verdicts: ((isValid: boolean) => void)[] = [];
  const validate = () =>
    new Promise<boolean>((resolve) => void verdicts.push(resolve));
  const { pools: [a, b], clock } = shared(1, ["a", "b"], {
    ...{ validate, keepalive: 10, validateTimeout: Infinity },
  });
  (await a!.acquire()).release();
  await clock.advance(10);
  const elsewhere = watch(b!.acquire());
  await clock.advance(5);
  const here = watch(a!.acquire());
  verdicts[0]!(true);
  await settled();
  assertEquals([elsewhere.settled, here.settled], [true, false]);
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

/** Asserts that of so many permits none is lost and none is there twice. */
async function assertWhole(
  { budget, clock }: { budget: LocalBudget; clock: VirtualClock },
  permits: number,
): Promise<void> {
  const options = { clock, budget, growth: "eager" as const };
  const pool = new Pool({ create: () => "", max: permits + 1, ...options });
  const all = Array.from({ length: permits + 1 }, () => watch(pool.acquire()));
  await settled();
  const served = all.filter(({ settled }) => settled).length;
  await pool.close({ signal: AbortSignal.abort() });
  await settled();
  assertEquals(served, permits, "permits left");
}

/** A promise that the test settles. */
function hanging(): { calls: PromiseWithResolvers<string>[] } & {
  begin: () => Promise<string>;
} {
  const calls: PromiseWithResolvers<string>[] = [];
  const begin = () => {
    const call = Promise.withResolvers<string>();
    calls.push(call);
    return call.promise;
  };
  return { calls, begin };
}

test("every order of acquires, releases, leaves and failures is one line", async () => {
  // The reference: whoever came first gets what comes free, wherever that was.
  for (const [permits, names] of [[1, "ab"], [2, "ab"], [1, "abc"]] as const) {
    const acts = [...names].flatMap((name) => [
      { act: "acquire", name },
      { act: "release", name },
    ]).concat({ act: "cancel", name: "" }, { act: "fail", name: "" });
    const depth = 4;
    // All begin with what fills the budget.
    const fill = Array(permits).fill({ act: "acquire", name: "a" });
    for (let code = 0; code < acts.length ** depth; code++) {
      const steps = Array.from({ length: depth }, (_, i) => {
        return acts[Math.floor(code / acts.length ** i) % acts.length]!;
      });
      await replay(permits, names, [...fill, ...steps]);
    }
  }
});

/** Runs some acts, one per ms, beside the reference. */
async function replay(
  permits: number,
  names: string,
  steps: readonly { act: string; name: string }[],
): Promise<void> {
  const words: string[] = [];
  let failing = false;
  const { pools, clock, ...shares } = shared(permits, [...names], {
    create: () => {
      if (failing) throw new Error("down");
      return "";
    },
    destroy: () => {},
  });
  const queue: { name: string; result: Outcome<Lease<string>> }[] = [];
  const held: typeof queue = [];
  const gone: typeof queue = [];
  const cancels = new Map<Outcome<Lease<string>>, AbortController>();
  const hand = () => {
    while (held.length < permits && queue.length > 0) held.push(queue.shift()!);
  };
  for (const { act, name } of steps) {
    words.push(`${act} ${name}`);
    if (act === "acquire") {
      const pool = pools[names.indexOf(name)]!;
      const controller = new AbortController();
      const result = watch(pool.acquire({ signal: controller.signal }));
      cancels.set(result, controller);
      queue.push({ name, result });
    } else if (act === "release") {
      const at = held.findIndex((holder) => holder.name === name);
      if (at < 0) return closeAll(pools);
      leaseOf(held.splice(at, 1)[0]!.result).release();
    } else {
      const last = act === "cancel" ? queue.pop() : held.pop();
      if (last === undefined) return closeAll(pools);
      if (act === "cancel") {
        cancels.get(last.result)!.abort(new Error("gone"));
        gone.push(last);
      } else {
        // The first who waits is to have another, which fails: the next gets it.
        failing = true;
        leaseOf(last.result).destroy();
        await settled();
        failing = false;
        gone.push(...queue.splice(0));
      }
    }
    hand();
    await settled();
    const where = `${permits} permits: ${words.join(", ")}`;
    const all = [...held, ...queue, ...gone].map(({ result }) => result);
    assertEquals(
      all.map(({ value, error }) => value !== undefined ? 1 : error ? -1 : 0),
      [...held.map(() => 1), ...queue.map(() => 0), ...gone.map(() => -1)],
      where,
    );
    await clock.advance(1);
  }
  await closeAll(pools);
  await assertWhole({ ...shares, clock }, permits);
}

async function closeAll(pools: Pool<string>[]): Promise<void> {
  const signal = AbortSignal.abort();
  await Promise.all(pools.map((pool) => pool.close({ signal })));
}

test("whatever happens to its pools, a budget keeps all its permits", async () => {
  for (let round = 0; round < 40; round++) await disturb(round);
});

/** Acts at random on pools whose creates and destroys fail, hang and come late. */
async function disturb(round: number): Promise<void> {
  const roll = dice(2 ** 20);
  for (let i = 0; i < 50 * round; i++) roll();
  const permits = 1 + round % 2;
  const clock = new VirtualClock();
  const budget = new LocalBudget(permits);
  let counted = 0;
  const hung: (() => void)[] = [];
  const later = <R>(result: R): R | Promise<R> => {
    if (roll() % 3 > 0) return result;
    return new Promise((resolve) => hung.push(() => resolve(result)));
  };
  const losses: (() => void)[] = [];
  const pools = Array.from({ length: 3 }, (_, i) =>
    new Pool<string>({
      create: ({ lost }) => {
        const { length } = losses;
        losses.push(lost);
        if (roll() % 5 === 0) throw new Error("down");
        if (roll() % 5 === 0) losses[length]!();
        return later("");
      },
      destroy: () => {
        if (roll() % 5 === 0) throw new Error("stuck");
        return later(undefined);
      },
      max: 2,
      min: i === 2 ? 1 : 0,
      stripes: i === 1 ? 2 : 1,
      isolated: i === 1,
      maxCreating: 1 + roll() % 2,
      createTimeout: 20,
      destroyTimeout: 20,
      idleTimeout: 30,
      growth: roll() % 2 === 0 ? "eager" : "measured",
      createRetry: roll() % 2 === 0 ? false : { delay: 5, maxDelay: 10 },
      clock,
      budget,
    }));
  const leases: Lease<string>[] = [];
  const pauses: AsyncDisposable[] = [];
  for (let step = 0; step < 60; step++) {
    const pool = pools[roll() % 3]!;
    const lease = leases[roll() % (leases.length || 1)];
    const timeout = 1 + roll() % 40;
    const acts: (() => void)[] = [
      () => pool.acquire({ timeout }).then((got) => leases.push(got), () => {}),
      () => lease?.release(),
      () => lease?.destroy(),
      () => lease !== undefined && roll() % 4 === 0 && detach(lease),
      () => hung.splice(roll() % (hung.length || 1), 1)[0]?.(),
      () => losses[roll() % (losses.length || 1)]?.(),
      () => pool.resize(2 + roll() % 2),
      () => pool.clear(),
      () => pool.evict(() => roll() % 2 === 0, { within: roll() % 10 }),
      () => void pool.warm(1).catch(() => {}),
      () => pool.pause().then((pause) => pauses.push(pause), () => {}),
      () => void pauses.pop()?.[Symbol.asyncDispose](),
    ];
    // Half of them acquire or release.
    acts[roll() % 2 === 0 ? roll() % 2 : roll() % acts.length]!();
    if (step === 50) void pools[roll() % 3]!.close().catch(() => {});
    await clock.advance(roll() % 4);
    const counts = pools.map((pool) => pool.stats());
    counted = counts.reduce(
      (sum, { idle, used, creating, destroying }) =>
        sum + idle + used + creating + destroying,
      0,
    );
    assertEquals(counted <= permits, true, `${counted} in round ${round}`);
  }
  const signal = AbortSignal.abort();
  const closed = pools.map((pool) => pool.close({ signal }).catch(() => {}));
  await clock.advance(100);
  await Promise.all(closed);
  await assertWhole({ budget, clock }, permits);
}

function detach(lease: Lease<string>): void {
  try {
    lease.detach();
  } catch {
    // It is spent.
  }
}

test("one whose create is coming does not lend its place to those behind it", async () => {
  const { pools: [a, b, c], log, clock } = shared(2, ["a", "b", "c"]);
  const held = [await c!.acquire(), await c!.acquire()];
  const waiters = [];
  for (const pool of [a, b, a]) {
    await clock.advance(1);
    waiters.push(watch(pool!.acquire()));
  }
  await clock.advance(1);
  for (const lease of held) lease.release();
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, true, false]);
  assertEquals(log.slice(-2), ["create a", "create b"]);
});

test("two permits at once go to the two who have waited longest", async () => {
  const { pools: [a, b, c], clock } = shared(2, ["a", "b", "c"]);
  for (const lease of [await c!.acquire(), await c!.acquire()]) lease.release();
  const pause = await c!.pause();
  using _one = await a!.acquire();
  using _two = await a!.acquire();
  const waiters = [];
  for (const pool of [b, b, c]) {
    await clock.advance(1);
    waiters.push(watch(pool!.acquire()));
  }
  await pause[Symbol.asyncDispose]();
  await clock.advance(1);
  a!.clear();
  _one.release();
  _two.release();
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, true, false]);
});

test("of pools that waited since the same time the first to ask is first", async () => {
  const { pools: [a, b, c] } = shared(1, ["a", "b", "c"]);
  (await b!.acquire()).release();
  const held = await c!.acquire();
  const order: string[] = [];
  const uses = [a!, b!].map((pool) =>
    pool.use((name) => void order.push(name))
  );
  held.release();
  await Promise.all(uses);
  assertEquals(order, ["a", "b"]);
});

test("what has been idle longest leaves, whichever pool was granted it first", async () => {
  const { pools: [a, b, c], log, clock } = shared(2, ["a", "b", "c"]);
  for (const pool of [a, b, a]) {
    await pool!.use(() => {});
    await clock.advance(1);
  }
  await c!.use(() => {});
  assertEquals(log.slice(2), ["destroy b budget", "create c"]);
});

test("one resource leaves for each permit that is lacking, and no more", async () => {
  const { pools: [a, b, c], log, clock } = shared(4, ["a", "b", "c"]);
  const leases = [];
  for (const pool of [a, a, b, b]) leases.push(await pool!.acquire());
  const one = watch(c!.acquire());
  await clock.advance(1);
  for (const lease of leases) lease.release();
  await settled();
  assertEquals(one.settled, true);
  assertEquals(log.slice(4), ["destroy a budget", "create c"]);
  assertEquals([a!.stats().idle, b!.stats().idle], [1, 2]);
});

test("a line gives up as many as wait elsewhere, without waiting for the first", async () => {
  const slow = hanging();
  const { pools: [a, b], clock } = shared(3, ["a", "b"], {
    destroy: slow.begin,
  });
  const leases = [await a!.acquire(), await a!.acquire(), await a!.acquire()];
  const waiters = [watch(b!.acquire()), watch(b!.acquire())];
  await clock.advance(1);
  for (const lease of leases) lease.release();
  await settled();
  assertEquals(slow.calls.length, 2);
  for (const { resolve } of slow.calls) resolve("");
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, true]);
  assertEquals(a!.stats().idle, 1);
});

test("what was used when one was asked for is let go once it is idle", async () => {
  const { pools: [a, b, c], clock } = shared(2, ["a", "b", "c"]);
  const [one, two] = [await a!.acquire(), await b!.acquire()];
  const first = watch(c!.acquire());
  await clock.advance(1);
  one.release();
  await settled();
  await clock.advance(1);
  two.release();
  const second = watch(c!.acquire());
  await settled();
  assertEquals([first.settled, second.settled], [true, true]);
});

test("one that came at the same time as another elsewhere keeps its turn", async () => {
  const { pools: [a, b], log } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const elsewhere = watch(b!.acquire());
  const here = watch(a!.acquire());
  held.release();
  await settled();
  assertEquals([elsewhere.settled, here.settled], [false, true]);
  assertEquals(log, ["create a"]);
});

test("one that leaves for the first who waits does not do so for the second", async () => {
  const slow = hanging();
  const { pools: [a, b, c], log, clock } = shared(2, ["a", "b", "c"], {
    destroy: slow.begin,
  });
  const held = [await a!.acquire(), await a!.acquire()];
  const waiters = [];
  for (const pool of [b, a, c]) {
    await clock.advance(1);
    waiters.push(watch(pool!.acquire()));
  }
  held[0]!.release();
  held[1]!.release();
  await settled();
  // What is released next is for who came next: the one who waits for it here.
  assertEquals(slow.calls.length, 1);
  assertEquals(waiters.map(({ settled }) => settled), [false, true, false]);
  slow.calls[0]!.resolve("");
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, true, false]);
  assertEquals(log, ["create a", "create a", "create b"]);
});

test("one who has waited elsewhere and is served takes nothing later", async () => {
  const { pools: [a, b], log } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const waiter = watch(b!.acquire());
  await settled();
  held.destroy();
  await settled();
  leaseOf(waiter).destroy();
  await settled();
  (await a!.acquire()).release();
  assertEquals(a!.stats().idle, 1);
  assertEquals(log.at(-1), "create a");
});

test("a create that hangs has its permit until its createTimeout", async () => {
  const slow = hanging();
  const shares = shared(1, ["a"], { create: slow.begin, createTimeout: 10 });
  const { pools: [a], clock, budget } = shares;
  const b = new Pool({ create: () => "b", max: 1, clock, budget });
  const first = watch(a!.acquire());
  const second = watch(b.acquire());
  await clock.advance(9);
  assertEquals([first.settled, second.settled], [false, false]);
  await clock.advance(1);
  assertEquals([first.error !== undefined, second.settled], [true, true]);
  slow.calls[0]!.resolve("late");
  await closeAll([a!, b]);
  await assertWhole(shares, 1);
});

test("one lost before it was there gives its permit back once", async () => {
  const slow = hanging();
  const lost: (() => void)[] = [];
  const shares = shared(1, ["a"], {
    create: (context) => {
      lost.push(context.lost);
      return slow.begin();
    },
  });
  const { pools: [a] } = shares;
  const waiter = watch(a!.acquire());
  await settled();
  lost[0]!();
  slow.calls[0]!.resolve("");
  await settled();
  assertEquals(waiter.error !== undefined, true);
  lost[0]!();
  await closeAll([a!]);
  await assertWhole(shares, 1);
});

test("a destroy that hangs has its permit until its destroyTimeout", async () => {
  const slow = hanging();
  const shares = shared(1, ["a", "b"], {
    destroy: slow.begin,
    destroyTimeout: 10,
  });
  const { pools: [a, b], clock } = shares;
  (await a!.acquire()).release();
  const waiter = watch(b!.acquire());
  await clock.advance(9);
  assertEquals(waiter.settled, false);
  await clock.advance(1);
  assertEquals(leaseOf(waiter).value, "b");
  slow.calls[0]!.resolve("");
  const closed = closeAll([a!, b!]);
  await clock.advance(10);
  await closed;
  await assertWhole(shares, 1);
});

test("a pool that closes gives its permits back as each is destroyed", async () => {
  const shares = shared(2, ["a", "b"]);
  const { pools: [a, b] } = shares;
  const held = await a!.acquire();
  (await a!.acquire()).release();
  const one = watch(b!.acquire());
  const two = watch(b!.acquire());
  const closed = a!.close();
  await settled();
  assertEquals([one.settled, two.settled], [true, false]);
  held.release();
  await closed;
  await settled();
  assertEquals(two.settled, true);
  await closeAll([b!]);
  await assertWhole(shares, 2);
});

test("an aborted close gives all permits back", async () => {
  const shares = shared(2, ["a"], { create: () => new Promise(() => {}) });
  const { pools: [a], clock, budget } = shares;
  const b = new Pool({ create: () => "b", max: 2, clock, budget });
  const held = await b.acquire();
  void watch(a!.acquire());
  await settled();
  await closeAll([a!, b]);
  held.release();
  await assertWhole(shares, 2);
});

test("while one waits a minimum makes no other pool part with anything", async () => {
  for (const kept of [1, 3]) {
    const slow = hanging();
    const { pools: [a], clock, budget, log } = shared(3, ["a"]);
    const b = new Pool({
      create: slow.begin,
      ...{ max: 3, min: 3, clock, budget },
    });
    const leases = Array.from({ length: kept }, () => a!.acquire());
    for (const lease of await Promise.all(leases)) lease.release();
    await clock.advance(1);
    const waiter = watch(b.acquire());
    await settled();
    // One is made for who waits; for the minimum, what else was left.
    const left = Math.max(3 - kept, 1);
    assertEquals([slow.calls.length, waiter.settled], [left, false]);
    assertEquals(a!.stats().idle, 3 - left);
    a!.clear();
    await settled();
    assertEquals(slow.calls.length, 3);
    for (const { resolve } of slow.calls) resolve("b");
    await settled();
    assertEquals(leaseOf(waiter).value, "b");
    assertEquals(log.includes("destroy a budget"), kept === 3);
  }
});

test("what is above the minimum again when a warm ends is for who waits", async () => {
  const { pools: [a, b], clock } = shared(2, ["a", "b"]);
  const warm = watch(a!.warm(2));
  const waiter = watch(b!.acquire());
  await clock.advance(1);
  assertEquals(warm.settled, true);
  assertEquals(waiter.settled, true);
});

test("what a warm that is given up had made is for who waits", async () => {
  const slow = hanging();
  const { pools: [a, b], clock, log } = shared(2, ["a", "b"], {
    create: () => slow.begin(),
  });
  const controller = new AbortController();
  const warm = watch(a!.warm(2, { signal: controller.signal }));
  await settled();
  slow.calls[0]!.resolve("a");
  await settled();
  const waiter = watch(b!.acquire());
  await clock.advance(1);
  controller.abort(new Error("gone"));
  await settled();
  assertEquals(warm.settled, true);
  assertEquals(log, ["destroy a budget"]);
  slow.calls[2]!.resolve("b");
  await settled();
  assertEquals(leaseOf(waiter).value, "b");
});

test("a minimum is not let go, whoever waits", async () => {
  const { clock, budget, log } = shared(2, []);
  const [a, b] = ["a", "b"].map((name) =>
    new Pool({
      create: () => name,
      destroy: (_, { reason }) => void log.push(`destroy ${name} ${reason}`),
      ...{ max: 2, min: name === "a" ? 1 : 0, clock, budget },
      growth: "eager",
    })
  );
  const leases = await Promise.all([a!.acquire(), a!.acquire()]);
  const waiters = [watch(b!.acquire()), watch(b!.acquire())];
  await clock.advance(1);
  for (const lease of leases) lease.release();
  await clock.advance(1);
  assertEquals(waiters.map(({ settled }) => settled), [true, false]);
  assertEquals(log, ["destroy a budget"]);
  assertEquals(a!.stats().idle, 1);
});

test("creates that maxCreating holds back want no permit", async () => {
  const slow = hanging();
  const { clock, budget, log, pools: [b] } = shared(3, ["b"]);
  const a = new Pool({
    create: slow.begin,
    ...{ max: 3, maxCreating: 1, clock, budget, growth: "eager" as const },
  });
  for (const lease of await Promise.all([b!.acquire(), b!.acquire()])) {
    lease.release();
  }
  const waiters = [a, a, a].map((pool) => watch(pool.acquire()));
  await clock.advance(1);
  // The third permit is enough for the only create that may begin.
  assertEquals(b!.stats().idle, 2);
  slow.calls[0]!.resolve("a");
  await settled();
  assertEquals(log.at(-1), "destroy b budget");
  slow.calls[1]!.resolve("a");
  await settled();
  slow.calls[2]!.resolve("a");
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [true, true, true]);
});

test("each line of an isolated pool asks for itself", async () => {
  const { pools: [a, b], log, clock } = shared(2, ["a", "b"], {
    stripes: 2,
    isolated: true,
  });
  for (const affinity of [0, 1]) {
    (await a!.acquire({ affinity })).release();
    await clock.advance(1);
  }
  const lease = await b!.acquire({ affinity: 1 });
  assertEquals(lease.stripe, 1);
  assertEquals(log.slice(2), ["destroy a budget", "create b"]);
  assertEquals(a!.stats().stripes.map(({ idle }) => idle), [0, 1]);
});

test("a pause gives up what it wanted, and its end wants it again", async () => {
  const { pools: [a, b], clock } = shared(1, ["a", "b"]);
  const held = await b!.acquire();
  const waiter = watch(a!.acquire());
  await clock.advance(1);
  const pause = await a!.pause();
  held.release();
  await settled();
  assertEquals(b!.stats().idle, 1);
  await pause[Symbol.asyncDispose]();
  await settled();
  assertEquals(leaseOf(waiter).value, "a");
});

/** In a pause two creates came, for two who wait; another waits elsewhere. */
async function paused() {
  const slow = hanging();
  const { pools: [b], clock, budget } = shared(2, ["b"]);
  const a = new Pool({
    create: slow.begin,
    ...{ max: 2, clock, budget, growth: "eager" as const },
  });
  const controllers = [new AbortController(), new AbortController()];
  const waiters = controllers.map(({ signal }) => watch(a.acquire({ signal })));
  await clock.advance(1);
  const pause = await a.pause();
  const other = watch(b!.acquire());
  for (const { resolve } of slow.calls) resolve("a");
  await settled();
  assertEquals([a.stats().idle, other.settled], [2, false]);
  return { controllers, waiters, pause, other };
}

test("what a pause kept for who has left is for who waits elsewhere", async () => {
  const { controllers, other } = await paused();
  controllers[0]!.abort();
  await settled();
  // The other of the two still waits, and came before.
  assertEquals(other.settled, false);
  controllers[1]!.abort();
  await settled();
  assertEquals(leaseOf(other).value, "b");
});

test("what a pause kept beyond those who wait is for who waits elsewhere", async () => {
  const { controllers, waiters, pause, other } = await paused();
  controllers[0]!.abort();
  await settled();
  assertEquals(other.settled, false);
  await pause[Symbol.asyncDispose]();
  await settled();
  assertEquals(leaseOf(waiters[1]!).value, "a");
  assertEquals(leaseOf(other).value, "b");
});

test("resize, clear and evict give permits back", async () => {
  const acts: ((pool: Pool<string>) => unknown)[] = [
    (pool) => pool.resize(1),
    (pool) => pool.clear(),
    (pool) => pool.evict(() => true),
  ];
  for (const act of acts) {
    const shares = shared(2, ["a"]);
    const { pools: [a] } = shares;
    for (const lease of await Promise.all([a!.acquire(), a!.acquire()])) {
      lease.release();
    }
    act(a!);
    await settled();
    a!.clear();
    await settled();
    await assertWhole(shares, 2);
  }
});

test("a pool that is asked within its own observer has not promised twice", async () => {
  const clock = new VirtualClock();
  const budget = new LocalBudget(2);
  const asked: Outcome<Lease<string>>[] = [];
  const options = { max: 2, clock, budget, growth: "eager" as const };
  const a = new Pool({ create: () => "a", ...options });
  const b = new Pool<string>({
    create: () => Promise.resolve("b"),
    destroy: () => {},
    ...options,
    observer: {
      created: () => {
        if (b.stats().idle === 2) asked.push(watch(a.acquire()));
      },
    },
  });
  (await b.acquire()).release();
  const warm = b.warm(2);
  await warm;
  await settled();
  assertEquals(asked.length, 1);
  leaseOf(asked[0]!).release();
  await clock.advance(1);
  for (const pool of [a, b, a, b]) {
    const leases = await Promise.all([
      pool.acquire({ timeout: 5 }),
      pool.acquire({ timeout: 5 }),
    ]);
    await clock.advance(1);
    for (const lease of leases) lease.release();
  }
});

test("user code may use another pool of the budget wherever it is called", async () => {
  const clock = new VirtualClock();
  const budget = new LocalBudget(2);
  const uses: Outcome<void>[] = [];
  const inner = new Pool({ create: () => "", max: 2, clock, budget });
  const act = () => {
    if (uses.length < 100) uses.push(watch(inner.use(() => {})));
    throw new Error("and it throws");
  };
  const outer = new Pool<string>({
    create: () => {
      if (uses.length % 2 === 0) act();
      uses.push(watch(inner.use(() => {})));
      return "";
    },
    destroy: act,
    ...{ max: 2, clock, budget, growth: "eager", createRetry: false },
    observer: {
      created: act,
      createFailed: act,
      acquired: act,
      acquireFailed: act,
      released: act,
      destroyed: act,
    },
  });
  const waiters: Outcome<Lease<string>>[] = [];
  for (let i = 0; i < 10; i++) {
    for (let j = 0; j < 3; j++) waiters.push(watch(outer.acquire()));
    await clock.advance(5);
    for (const { value } of waiters) {
      if (i % 2 === 0) value?.release();
      else value?.destroy();
    }
    await clock.advance(5);
  }
  assertEquals(uses.filter(({ settled }) => !settled), []);
  const closed = watch(outer.close());
  await settled();
  assertEquals(closed.settled, true);
  await inner.close();
  await assertWhole({ budget, clock }, 2);
});

test("a pool can be closed from within what it is asked for", async () => {
  const { budget, clock, log } = shared(1, []);
  const b = new Pool({ create: () => "b", max: 1, clock, budget });
  const a: Pool<string> = new Pool<string>({
    create: () => "a",
    destroy: (_, { reason }) => {
      log.push(reason);
      void a.close();
    },
    ...{ max: 1, clock, budget },
  });
  (await a.acquire()).release();
  const lease = await b.acquire({ timeout: 5 });
  assertEquals([lease.value, log], ["b", ["budget"]]);
  lease.release();
  await b.close();
  await assertWhole({ budget, clock }, 1);
});

/** A budget of one permit that throws when told what `fails` says. */
function failing(fails: { at: string }, boom: Error): Budget {
  return {
    join(member) {
      let left = 1;
      const check = (name: string) => {
        if (name === fails.at) throw boom;
      };
      return {
        want(permits) {
          check("want");
          if (permits > 0 && left-- > 0) member.grant(1);
        },
        leaving: () => check("leaving"),
        giveBack(permits) {
          left += permits;
          check("giveBack");
        },
      };
    },
  };
}

test("what a budget throws is the cause of what waits in vain, and breaks nothing", async () => {
  const clock = new VirtualClock();
  const boom = new Error("boom");
  const fails = { at: "want" };
  const budget = failing(fails, boom);
  const pool = new Pool({ create: () => ({}), max: 1, clock, budget });
  const waits = watch(pool.acquire({ timeout: 10 }));
  await settled();
  await clock.advance(11);
  assertInstanceOf(waits.error, AcquireTimeoutError);
  assertStrictEquals(waits.error.cause, boom);
  fails.at = "giveBack";
  const lease = await pool.acquire();
  lease.destroy();
  await settled();
  const next = await pool.acquire();
  next.release();
  await pool.close();
  assertEquals(pool.stats().used, 0);
});

test("a budget that asks for something idle where nothing is gets nothing", async () => {
  const members: BudgetMember[] = [];
  const budget: Budget = {
    join(member) {
      members.push(member);
      return {
        want: (permits) => permits > 0 && member.grant(permits),
        leaving: () => {},
        giveBack: () => {},
      };
    },
  };
  const pool = new Pool({ create: () => ({}), max: 1, budget });
  members[0]!.letGo();
  const lease = await pool.acquire();
  members[0]!.letGo();
  assertEquals([pool.stats().idle, pool.stats().used], [0, 1]);
  lease.release();
  assertEquals(pool.stats().idle, 1);
  await pool.close();
});

test("a budget must be one that can be joined", () => {
  const budget = {} as Budget;
  const build = () => new Pool({ create: () => ({}), max: 1, budget });
  assertThrows(build, TypeError, "'budget.join'");
});

test("who waits for a permit in vain is told so", async () => {
  const { pools: [a, b], clock } = shared(1, ["a", "b"]);
  const held = await a!.acquire();
  const waits = watch(b!.acquire({ timeout: 10 }));
  await settled();
  await clock.advance(11);
  assertInstanceOf(waits.error, AcquireTimeoutError);
  assertMatch(waits.error.message, / 10 ms: its budget has no permit left \(/);
  held.release();
});
