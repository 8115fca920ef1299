import { assertEquals, assertThrows } from "@std/assert";
import { type Lease, Pool, type PoolOptions } from "../mod.ts";
import { allocate, swap } from "../src/threads/memory.ts";
import { SharedBudget } from "../src/threads/mod.ts";
import { end, enter, step, unanswer } from "../src/threads/step.ts";
import { leaseOf, settled, until, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Milliseconds between two beats. */
const BEAT = 100;

/** One thread as far as the budget can tell: a clock, a budget, a pool. */
interface Thread {
  readonly clock: VirtualClock;
  readonly budget: SharedBudget;
  readonly pool: Pool<string>;
}

/** What several threads share, all within this one. */
class House implements AsyncDisposable {
  readonly threads: Thread[] = [];
  readonly log: string[] = [];
  /** Those that the first thread keeps of each invitation. */
  readonly ports: MessagePort[] = [];
  live = 0;
  peak = 0;
  readonly #first: SharedBudget;
  readonly #budgets: SharedBudget[] = [];
  readonly #permits: number;

  constructor(permits: number, names: string, threads = 8) {
    this.#permits = permits;
    const clock = new VirtualClock();
    const silence = 10 * BEAT;
    this.#first = new SharedBudget({ max: permits, threads, silence, clock });
    for (const name of names) {
      if (this.threads.length > 0) this.move(name);
      else this.#add(name, this.#first, clock);
    }
  }

  /** A thread more. */
  move(name: string, options: Partial<PoolOptions<string>> = {}): Thread {
    const clock = new VirtualClock();
    const { MessageChannel: Real } = globalThis;
    const { ports } = this;
    globalThis.MessageChannel = class extends Real {
      constructor() {
        super();
        ports.push(this.port1);
      }
    };
    const invitation = this.#first.invite();
    globalThis.MessageChannel = Real;
    const budget = new SharedBudget({ ...invitation, clock });
    return this.#add(name, budget, clock, options);
  }

  #add(
    name: string,
    budget: SharedBudget,
    clock: VirtualClock,
    options: Partial<PoolOptions<string>> = {},
  ): Thread {
    this.#budgets.push(budget);
    const pool = new Pool({
      create: () => {
        this.peak = Math.max(this.peak, ++this.live);
        this.log.push(`create ${name}`);
        return name;
      },
      destroy: (_, { reason }) => {
        this.live--;
        this.log.push(`destroy ${name} ${reason}`);
      },
      max: this.#permits,
      growth: "eager",
      createRetry: false,
      idleTimeout: Infinity,
      clock,
      budget,
      ...options,
    });
    const thread = { clock, budget, pool };
    this.threads.push(thread);
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const signal = AbortSignal.abort();
    for (const { pool } of this.threads) await pool.close({ signal });
    for (const budget of this.#budgets) budget.close();
    for (const { clock } of this.threads) assertEquals(clock.timers, 0);
    await turns();
  }
}

/** A lease, as soon as it is there. */
async function lease(pool: Pool<string>): Promise<Lease<string>> {
  const outcome = watch(pool.acquire({ timeout: Infinity }));
  await until(() => outcome.settled);
  return leaseOf(outcome);
}

test("threads of one budget never have more than it together", async () => {
  await using house = new House(2, "abc");
  const waiters = house.threads.flatMap(({ pool }) => [
    watch(pool.acquire()),
    watch(pool.acquire()),
  ]);
  for (let served = 0; served < waiters.length;) {
    await until(() => waiters.filter(({ settled }) => settled).length > served);
    served = waiters.filter(({ settled }) => settled).length;
    for (const waiter of waiters) waiter.value?.release();
  }
  assertEquals(house.peak, 2);
});

test("what is idle in one thread leaves for one who waits in another", async () => {
  await using house = new House(2, "ab");
  const [a, b] = house.threads;
  const leases = [await lease(a!.pool), await lease(a!.pool)];
  for (
    const { release } of leases.map((it) => ({ release: () => it.release() }))
  ) {
    release();
  }
  await lease(b!.pool);
  assertEquals(house.log.slice(2), ["destroy a budget", "create b"]);
  assertEquals(a!.pool.stats().idle, 1);
});

test("one idle resource in one of many threads leaves for one who waits", async () => {
  await using house = new House(3, "abcd");
  const [a, b, c, d] = house.threads;
  for (const { pool } of [a!, b!, c!]) (await lease(pool)).release();
  await lease(d!.pool);
  await until(() => house.log.includes("create d"));
  // Others that were asked as well have heard of it.
  await turns();
  assertEquals(house.log.filter((it) => it.startsWith("destroy")).length, 1);
});

test("what is released in one thread goes to who waits in another", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  const held = await lease(a!.pool);
  const waiter = watch(b!.pool.acquire());
  await turns();
  await a!.clock.advance(1);
  const late = watch(a!.pool.acquire());
  held.release();
  await until(() => waiter.settled);
  assertEquals([leaseOf(waiter).value, late.settled], ["b", false]);
  leaseOf(waiter).release();
  await until(() => late.settled);
  assertEquals(house.peak, 1);
});

test("threads that starve are served in the order in which they came", async () => {
  await using house = new House(1, "abcd");
  const [a, ...others] = house.threads;
  const held = await lease(a!.pool);
  const order: string[] = [];
  for (const { pool } of others) {
    void pool.use((name) => {
      order.push(name);
      throw new Error("destroyed");
    }).catch(() => {});
  }
  await turns();
  held.release();
  await until(() => order.length === 3);
  assertEquals(order, ["b", "c", "d"]);
});

test("one that is busy keeps one permit waiting, and nobody behind it", async () => {
  await using house = new House(2, "abc");
  const [a, b, c] = house.threads;
  const held = [await lease(a!.pool), await lease(a!.pool)];
  const busy = watch(b!.pool.acquire());
  const behind = watch(c!.pool.acquire());
  await turns();
  const { notify } = Atomics;
  Atomics.notify = () => 0;
  try {
    for (const lease of held) lease.destroy();
    await turns();
    await c!.clock.advance(BEAT);
    await until(() => behind.settled);
    assertEquals(busy.settled, false);
  } finally {
    Atomics.notify = notify;
  }
});

test("in one thread, the oldest idle one leaves, and the oldest waiter is served", async () => {
  await using house = new House(2, "ab");
  const [a, b] = house.threads;
  const { clock, budget } = a!;
  const create = () => "other";
  const other = new Pool({ create, max: 2, clock, budget });
  (await lease(a!.pool)).release();
  await clock.advance(5);
  (await lease(other)).release();
  const taken = await lease(b!.pool);
  assertEquals([a!.pool.stats().idle, other.stats().idle], [0, 1]);
  await lease(other);
  const first = watch(a!.pool.acquire());
  await clock.advance(5);
  const second = watch(other.acquire());
  taken.destroy();
  await until(() => first.settled);
  await turns();
  assertEquals(second.settled, false);
  await other.close({ signal: AbortSignal.abort() });
});

test("a permit that nobody waits for any more goes to the next", async () => {
  await using house = new House(1, "abc");
  const [a, b, c] = house.threads;
  const held = await lease(a!.pool);
  const controller = new AbortController();
  const { signal } = controller;
  const gone = watch(b!.pool.acquire({ signal }));
  await turns();
  const next = watch(c!.pool.acquire());
  await turns();
  controller.abort(new Error("gone"));
  held.destroy();
  await until(() => next.settled);
  assertEquals(gone.settled, true);
  assertEquals(leaseOf(next).value, "c");
});

test("one who waits no more makes no other thread part with anything", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  const held = await lease(a!.pool);
  const controller = new AbortController();
  const gone = watch(b!.pool.acquire({ signal: controller.signal }));
  await turns();
  controller.abort(new Error("gone"));
  await turns();
  held.release();
  await turns();
  assertEquals(gone.settled, true);
  assertEquals(a!.pool.stats().idle, 1);
});

test("a minimum takes what is free, and makes nobody part with anything", async () => {
  await using house = new House(1, "a");
  const [a] = house.threads;
  const held = await lease(a!.pool);
  const b = house.move("b", { min: 1 });
  const warm = watch(b.pool.warm());
  await turns();
  held.release();
  await turns();
  assertEquals([warm.settled, a!.pool.stats().idle], [false, 1]);
  a!.pool.clear();
  await until(async () => {
    await b.clock.advance(BEAT);
    return warm.settled;
  });
  assertEquals(house.log, ["create a", "destroy a clear", "create b"]);
});

test("a pool that holds nothing any more is asked for nothing, and forgotten", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  let asked = 0;
  const seat = a!.budget.join({
    get idleSince() {
      asked++;
      return Infinity;
    },
    ...{
      letGo: () => {},
      grant: () => {},
      yieldTo: () => {},
      failed: () => {},
    },
  });
  seat.want(1, 0);
  seat.giveBack(1);
  const before = asked;
  const held = await lease(a!.pool);
  watch(b!.pool.acquire());
  await turns();
  await a!.clock.advance(BEAT);
  assertEquals(asked, before);
  held.release();
});

test("a thread that is closed gives all back", async () => {
  await using house = new House(2, "ab");
  const [a, b] = house.threads;
  await lease(a!.pool);
  await lease(a!.pool);
  const waiter = watch(b!.pool.acquire());
  await turns();
  a!.budget.close();
  a!.budget.close();
  await until(() => waiter.settled);
  assertEquals(leaseOf(waiter).value, "b");
  assertThrows(
    () => new Pool({ create: () => "", max: 1, budget: a!.budget }),
    Error,
    "closed",
  );
});

test("what a thread holds is to be had as soon as its port has closed", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  const c = house.move("c");
  (await lease(b!.pool)).release();
  await lease(c.pool);
  const waiter = watch(b!.pool.acquire());
  await turns();
  assertEquals(waiter.settled, false);
  // Not all runtimes tell of what is closed within one thread.
  house.ports.at(-1)!.dispatchEvent(new Event("close"));
  await until(() => waiter.settled);
  assertEquals([leaseOf(waiter).value, a!.pool.stats().used], ["b", 0]);
});

test("a thread that is closed ends no other, though its ports close", async () => {
  await using house = new House(1, "abc");
  const [a, b, c] = house.threads;
  await lease(b!.pool);
  const waiter = watch(c!.pool.acquire());
  a!.budget.close();
  // That of b, of whom c would have it.
  house.ports[0]!.dispatchEvent(new Event("close"));
  await turns();
  assertEquals([waiter.settled, house.peak], [false, 1]);
});

test("what a silent thread holds is to be had after ten beats of another", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  await lease(a!.pool);
  const waiter = watch(b!.pool.acquire());
  for (let beat = 0; beat < 10; beat++) {
    await b!.clock.advance(BEAT);
    await turns();
    assertEquals(waiter.settled, false, `after ${beat} beats`);
  }
  await b!.clock.advance(BEAT);
  await until(() => waiter.settled);
  assertEquals(leaseOf(waiter).value, "b");
});

test("a thread that shows signs of life keeps what it holds", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  await lease(a!.pool);
  const waiter = watch(b!.pool.acquire());
  for (let beat = 0; beat < 30; beat++) {
    if (beat % 9 === 0) await a!.clock.advance(BEAT);
    await b!.clock.advance(BEAT);
    await turns();
  }
  assertEquals(waiter.settled, false);
});

test("one that was taken for dead parts with what others have got", async () => {
  await using house = new House(2, "ab");
  const [a, b] = house.threads;
  const held = [await lease(a!.pool), await lease(a!.pool)];
  held[0]!.release();
  const taken = [watch(b!.pool.acquire()), watch(b!.pool.acquire())];
  held[0] = await lease(a!.pool);
  for (let beat = 0; beat < 11; beat++) await b!.clock.advance(BEAT);
  await until(() => taken.every(({ settled }) => settled));
  // Late, with two that it has no permits for: what is released leaves.
  await a!.clock.advance(BEAT);
  const late = watch(a!.pool.acquire());
  held[0].release();
  held[1]!.release();
  await turns();
  assertEquals(house.live, 2);
  assertEquals(late.settled, false);
  // And it is served in its turn as any other.
  leaseOf(taken[0]!).destroy();
  await until(() => late.settled);
  assertEquals(house.live, 2);
});

test("one that comes back parts at once with what is idle, for what others have", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  (await lease(a!.pool)).release();
  const { notify } = Atomics;
  Atomics.notify = () => 0;
  try {
    const waiter = watch(b!.pool.acquire());
    for (let beat = 0; beat < 11; beat++) await b!.clock.advance(BEAT);
    await until(() => waiter.settled);
    await a!.clock.advance(BEAT);
    await until(() => a!.pool.stats().idle === 0);
  } finally {
    Atomics.notify = notify;
  }
  assertEquals(house.log, ["create a", "create b", "destroy a budget"]);
});

test("one that comes back gets permits for what it holds, if some are free", async () => {
  await using house = new House(2, "ab");
  const [a, b] = house.threads;
  await lease(a!.pool);
  (await lease(b!.pool)).destroy();
  for (let beat = 0; beat < 11; beat++) await b!.clock.advance(BEAT);
  await a!.clock.advance(BEAT);
  await lease(b!.pool);
  const third = watch(b!.pool.acquire());
  await turns();
  assertEquals([third.settled, house.peak], [false, 2]);
});

test("one that is said to have ended comes back a beat later, as it may be gone by then", async () => {
  await using house = new House(2, "ab", 3);
  const [, b] = house.threads;
  const c = house.move("c");
  const held = await lease(c.pool);
  (await lease(c.pool)).release();
  house.ports.at(-1)!.dispatchEvent(new Event("close"));
  // It goes on for a moment: what others may have had since leaves.
  held.destroy();
  await turns();
  assertEquals(house.live, 0);
  const late = watch(c.pool.acquire());
  await turns();
  assertEquals([late.settled, c.clock.referenced], [false, 2]);
  const d = house.move("d");
  for (const { pool } of [b!, d]) await lease(pool);
  assertEquals(house.peak, 2);
  d.budget.close();
  await c.clock.advance(BEAT);
  await until(() => late.settled);
});

test("a bell that was lost costs no more than a beat", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  const { notify } = Atomics;
  const held = await lease(a!.pool);
  const waiter = watch(b!.pool.acquire());
  await turns();
  Atomics.notify = () => 0;
  try {
    held.destroy();
    await turns();
    assertEquals(waiter.settled, false);
    await b!.clock.advance(BEAT);
    await until(() => waiter.settled);
  } finally {
    Atomics.notify = notify;
  }
});

for (
  const [what, waitAsync] of [
    ["is missing", undefined],
    ["does not settle", () => ({ async: true, value: new Promise(() => {}) })],
  ] as const
) {
  test(`threads are woken by messages where waitAsync ${what}`, async () => {
    const real = Atomics.waitAsync;
    Object.assign(Atomics, { waitAsync });
    try {
      await using house = new House(1, "abc");
      const [, b, c] = house.threads;
      // From one that was invited to another, by way of who has invited both.
      const held = await lease(b!.pool);
      const waiter = watch(c!.pool.acquire());
      await until(() => b!.pool.stats().used === 1);
      await turns();
      held.release();
      await until(() => waiter.settled);
      assertEquals(leaseOf(waiter).value, "c");
    } finally {
      Object.assign(Atomics, { waitAsync: real });
    }
  });
}

test("the timer of a thread holds the process while somebody waits", async () => {
  await using house = new House(1, "ab");
  const [a, b] = house.threads;
  const held = await lease(a!.pool);
  assertEquals([a!.clock.referenced, b!.clock.referenced], [0, 0]);
  const waiter = watch(b!.pool.acquire({ timeout: Infinity }));
  await settled();
  // That of the pool, and that of the budget.
  assertEquals(b!.clock.referenced, 2);
  held.release();
  await until(() => waiter.settled);
  assertEquals(b!.clock.referenced, 0);
});

test("no more threads than said can take part", async () => {
  await using house = new House(1, "ab", 2);
  assertThrows(() => house.move("c"), RangeError, "raise 'threads'");
});

test("a thread that comes back to find no room waits for it", async () => {
  await using house = new House(1, "ab", 2);
  const [a, b] = house.threads;
  for (let beat = 0; beat < 11; beat++) await b!.clock.advance(BEAT);
  const c = house.move("c");
  await a!.clock.advance(BEAT);
  const waiter = watch(a!.pool.acquire());
  await turns();
  assertEquals(waiter.settled, false);
  c.budget.close();
  await a!.clock.advance(BEAT);
  await until(() => waiter.settled);
});

test("a swap that fails is computed anew, and acted on once", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const seen: number[] = [];
  const effect = swap(words, (read) => {
    const from = read(1);
    seen.push(from);
    // Another thread is faster, once.
    if (seen.length === 1) Atomics.store(words, 1, 7);
    const effect = { kind: "drawn", number: from } as const;
    let asked = 0;
    return {
      get at() {
        assertEquals(++asked, 1, "it is tried again as it was");
        return 1;
      },
      ...{ from, to: from + 1, effect },
    };
  });
  assertEquals([seen, words[1]], [[0, 7], 8]);
  assertEquals(effect, { kind: "drawn", number: 7 });
});

test("a thread takes nothing by a life that has ended", () => {
  const shape = { max: 1, threads: 1 };
  const words = allocate(shape);
  const read = (at: number) => words[at]!;
  const entry = enter(read, shape);
  assertEquals(entry?.effect.kind, "widened");
  words[entry!.at] = entry!.to;
  const { at, to } = enter(read, shape)!;
  words[at] = to;
  const self = { row: 0, life: to, wants: 1, starves: true, number: 0 };
  const next = () => step(read, shape, { ...self, spent: [] })?.effect.kind;
  assertEquals(next(), "granted");
  words[at] = end(read, 0, to)!.to;
  assertEquals(next(), undefined);
});

test("a promise that is over is not taken back", () => {
  const self = { row: 0, life: 1, wants: 0, starves: false, number: 0 };
  const swap = unanswer(() => 0, { ...self, spent: [] }, 1);
  assertEquals(swap, undefined);
});

test("the options of a shared budget are checked", () => {
  const wrong = (options: object, what: string) =>
    assertThrows(() => new SharedBudget(options as never), Error, what);
  wrong({ max: 0 }, "'max'");
  wrong({ max: 2 ** 31 }, "'max' must be at most 2147483647");
  wrong({ max: 1, threads: 257 }, "at most 256");
  wrong({ max: 1, threads: 0 }, "'threads'");
  wrong({ max: 1, silence: 0 }, "'silence'");
  wrong({ max: 1, silent: 1 }, "'silent'");
});

test("what is no invitation to a shared budget is refused with the rule", () => {
  using budget = new SharedBudget({ max: 2, threads: 1 });
  const invitation = budget.invite();
  const { port, memory } = invitation;
  const wrong = (change: object, what: string) =>
    assertThrows(
      () => new SharedBudget({ ...invitation, ...change }),
      Error,
      what,
    );
  const copy = new Int32Array(new Int32Array(memory));
  for (
    const memory of [
      ...[undefined, {}, "memory", copy.buffer, copy],
      ...[0, 3, 4_096].map((bytes) => new SharedArrayBuffer(bytes)),
    ]
  ) wrong({ memory }, "'memory' must be that of an invitation");
  wrong({ port: undefined }, "'port' must be an object");
  wrong({ guest: undefined }, "'guest'");
  wrong({ silence: NaN }, "'silence'");
  wrong({ max: 3 }, "'max' is no option");
  assertThrows(
    () => budget.ended({} as never),
    TypeError,
    "Cannot end thread as 'guest' must be a number",
  );
  new SharedBudget(invitation).close();
  port.close();
});

/** Lets some turns of the event loop pass, and with them bells and messages. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
