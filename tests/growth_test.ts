import { assertEquals } from "@std/assert";
import { type Lease, Pool, type PoolOptions } from "../mod.ts";
import {
  assertCounts,
  type Fixture,
  fixture,
  leaseOf,
  type Outcome,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** How long a create takes. */
const C = 100;

interface Growing {
  readonly clock: VirtualClock;
  readonly pool: Pool<number>;
  /** How many creates have begun, and whether they fail. */
  readonly made: { count: number; fails: boolean };
}

function growing(options: Partial<PoolOptions<number>> = {}): Growing {
  const clock = new VirtualClock();
  const made = { count: 0, fails: false };
  const pool = new Pool<number>({
    create: () =>
      new Promise((resolve, reject) => {
        const id = ++made.count;
        const end = () =>
          made.fails ? reject(new Error("create")) : resolve(id);
        clock.setTimeout(end, C);
      }),
    max: 100,
    clock,
    growth: "measured",
    createRetry: false,
    ...options,
  });
  return { clock, pool, made };
}

/** Uses a resource for so long. */
function use({ pool, clock }: Growing, ms: number): Promise<void> {
  return pool.use(() =>
    new Promise((resolve) => clock.setTimeout(resolve, ms))
  );
}

/** As `growing`, after `count` uses at once of `ms` each, all by new ones. */
async function warmed(
  count: number,
  ms: number,
  options: Partial<PoolOptions<number>> = {},
): Promise<Growing> {
  const it = growing(options);
  for (let i = 0; i < count; i++) void use(it, ms);
  await it.clock.advance(C + ms);
  assertEquals(it.pool.stats().idle, count);
  it.made.count = 0;
  return it;
}

test("fifty short uses at once on five warm resources open at most three", async () => {
  const it = await warmed(5, 2);
  const uses = Array.from({ length: 50 }, () => watch(use(it, 2)));
  await it.clock.advance(30);
  assertEquals(uses.filter(({ settled }) => settled).length, 50);
  assertEquals(it.made.count <= 3, true, `${it.made.count} were opened`);
});

test("a cold pool of fifty long uses opens fifty at once", async () => {
  const it = growing({ max: 50 });
  const uses = Array.from({ length: 50 }, () => watch(use(it, 5_000)));
  await it.clock.advance(0);
  assertEquals(it.made.count, 50);
  await it.clock.advance(C);
  assertCounts(it.pool, { used: 50 });
  assertEquals(uses.some(({ settled }) => settled), false);
});

test("uses believed short that take long have it grow after the time of a create", async () => {
  const it = await warmed(5, 2);
  for (let i = 0; i < 50; i++) void use(it, 5_000);
  await it.clock.advance(C - 1);
  assertEquals(it.made.count <= 3, true, `${it.made.count} were opened`);
  await it.clock.advance(1);
  assertEquals(it.made.count, 45);
  await it.clock.advance(C);
  assertCounts(it.pool, { used: 50 });
});

test("a waiter that would wait as long as a create has one", async () => {
  const it = await warmed(3, 240);
  for (let i = 0; i < 3; i++) void use(it, 240);
  const made: number[] = [];
  for (let i = 0; i < 3; i++) {
    void use(it, 240);
    await it.clock.advance(0);
    made.push(it.made.count);
  }
  // A third of a use is shorter than C, two thirds are not.
  assertEquals(made, [0, 1, 2]);
});

test("what a use usually takes follows the uses, down faster than up", async () => {
  const it = await warmed(1, 400);
  const grows = async () => {
    it.made.count = 0;
    const held = it.pool.tryAcquire()!;
    it.pool.tryAcquire()?.destroy();
    await settled();
    const controller = new AbortController();
    const { signal } = controller;
    watch(it.pool.acquire({ signal }));
    await it.clock.advance(0);
    controller.abort();
    held.release();
    await it.clock.advance(C);
    return it.made.count > 0;
  };
  // Each of these is itself a use of no time: 400, 200, 100, 50.
  assertEquals([await grows(), await grows(), await grows(), await grows()], [
    ...[true, true, true],
    false,
  ]);
  void use(it, 1_000);
  await it.clock.advance(1_000);
  assertEquals([await grows(), await grows()], [true, false]);
});

test("only those who have waited for the time of a create are covered", async () => {
  const it = await warmed(1, 2);
  void use(it, 5_000);
  const waiters = [[0, 2], [10, 1], [20, 5]] as const;
  for (const [, count] of waiters) {
    for (let i = 0; i < count; i++) void use(it, 5_000);
    await it.clock.advance(10);
  }
  const made: number[] = [];
  for (let ms = 30; ms < 125; ms += 5) {
    await it.clock.advance(5);
    made.push(it.made.count);
  }
  assertEquals(made.slice(-7), [0, 2, 2, 3, 3, 8, 8]);
});

/** One holds a resource, and hands it on to the next after 20 ms. */
class Chain {
  readonly #it: Growing;
  #held: Lease<number>;

  constructor(it: Growing) {
    this.#it = it;
    this.#held = it.pool.tryAcquire()!;
  }

  async wait(): Promise<void> {
    const next = watch(this.#it.pool.acquire());
    await this.#it.clock.advance(20);
    this.end();
    await settled();
    this.#held = next.value!;
  }

  end(): void {
    this.#held.release();
  }
}

test("small waits that recur buy a create once they add up to one", async () => {
  const it = await warmed(1, 20);
  const chain = new Chain(it);
  for (let i = 1; i <= 4; i++) {
    await chain.wait();
    assertEquals(it.made.count, 0, `${i} waits of a fifth`);
  }
  await chain.wait();
  assertEquals(it.made.count, 1);
});

test("a waiter that leaves unserved takes its wait off the credit", async () => {
  for (const leave of ["by signal", "by timeout", "as a create fails"]) {
    const it = await warmed(1, 20);
    const chain = new Chain(it);
    for (let i = 0; i < 3; i++) await chain.wait();
    const controller = new AbortController();
    const outcome = watch(it.pool.acquire(
      leave === "by timeout" ? { timeout: 1 } : { signal: controller.signal },
    ));
    if (leave === "by signal") controller.abort();
    if (leave === "as a create fails") {
      it.made.fails = true;
      watch(it.pool.warm(2));
      await it.clock.advance(C - 1);
    }
    await it.clock.advance(1);
    assertEquals(outcome.settled, true, leave);
    Object.assign(it.made, { count: 0, fails: false });
    await chain.wait();
    assertEquals(it.made.count, 0, leave);
    await chain.wait();
    assertEquals(it.made.count, 1, leave);
  }
});

/** Waits have saved some, then all leaves: how many there are after one more. */
async function madeAfter(
  it: Growing,
  leave: () => Promise<void>,
): Promise<number> {
  let chain = new Chain(it);
  for (let i = 0; i < 4; i++) await chain.wait();
  await it.clock.advance(20);
  chain.end();
  await leave();
  assertCounts(it.pool, {});
  void use(it, 20);
  await it.clock.advance(C + 20);
  assertEquals(it.made.count, 1);
  chain = new Chain(it);
  await chain.wait();
  return it.made.count;
}

test("the credit is zero after a resource was idle for too long", async () => {
  const it = await warmed(1, 20, { idleTimeout: 1_000 });
  assertEquals(await madeAfter(it, () => it.clock.advance(1_001)), 1);
});

test("the credit outlasts a resource that was not idle for too long", async () => {
  const it = await warmed(1, 20);
  const clear = () => {
    it.pool.clear();
    return it.clock.advance(0);
  };
  assertEquals(await madeAfter(it, clear), 2);
});

test("with maxPending 0 one who is let in has a create, however short the uses", async () => {
  const it = await warmed(1, 2, { max: 3, maxPending: 0 });
  const held = it.pool.tryAcquire()!;
  const waiters = [1, 2, 3].map(() => watch(it.pool.acquire()));
  await it.clock.advance(0);
  assertEquals(it.made.count, 2);
  assertEquals(waiters.map(({ error }) => (error as Error)?.name), [
    undefined,
    undefined,
    "PoolFullError",
  ]);
  await it.clock.advance(C);
  assertEquals([leaseOf2(waiters[0]!), leaseOf2(waiters[1]!)].length, 2);
  held.release();
});

function leaseOf2(outcome: Outcome<Lease<number>>): Lease<number> {
  if (outcome.value === undefined) throw new Error(`${outcome.error}`);
  return outcome.value;
}

test("with growth eager each who waits has a create", async () => {
  const it = await warmed(5, 2, { growth: "eager" });
  for (let i = 0; i < 50; i++) void use(it, 2);
  await it.clock.advance(0);
  assertEquals(it.made.count, 45);
});

test("a destroyed resource is replaced for one who waits", async () => {
  const it = await warmed(1, 2);
  const held = it.pool.tryAcquire()!;
  const waiter = watch(it.pool.acquire());
  await it.clock.advance(10);
  assertEquals(it.made.count, 0);
  held.destroy();
  await it.clock.advance(0);
  assertEquals(it.made.count, 1);
  await it.clock.advance(C);
  leaseOf2(waiter);
});

test("what is detached is replaced for one who has just come", async () => {
  const it = await warmed(2, 2);
  const [, held] = [it.pool.tryAcquire()!, it.pool.tryAcquire()!];
  watch(it.pool.acquire());
  await it.clock.advance(10);
  assertEquals(it.made.count, 0);
  held.detach();
  await it.clock.advance(0);
  assertEquals(it.made.count, 1);
});

test("a slot that comes free has a create for who has waited long at max", async () => {
  const f: Fixture = fixture({ max: 2, growth: "measured" });
  const [first] = [await f.pool.acquire(), await f.pool.acquire()];
  f.factory.manual.add("destroy");
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  first!.destroy();
  await f.clock.advance(1_000);
  assertEquals(f.factory.log.length, 3);
  f.factory.destroys[0]!.resolve();
  await settled();
  assertEquals(leaseOf(waiters[0]!).value.id, 3);
  assertEquals(waiters[1]!.settled, false);
});

test("a slot that a detached one leaves has a create for who waits at max", async () => {
  const f: Fixture = fixture({ max: 3, growth: "measured" });
  const [first, second] = [await f.pool.acquire(), await f.pool.acquire()];
  f.factory.manual.add("create");
  const third = watch(f.pool.acquire());
  first!.release();
  await settled();
  assertEquals(third.settled, true);
  assertEquals(f.pool.stats().creating, 1);
  for (let i = 0; i < 2; i++) watch(f.pool.acquire());
  await f.clock.advance(10);
  second!.detach();
  await settled();
  assertEquals(f.pool.stats().creating, 2);
});

/** Pseudo-random numbers below 1, by their seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ state >>> 15, state | 1);
    bits ^= bits + Math.imul(bits ^ bits >>> 7, bits | 61);
    return ((bits ^ bits >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A random load; gives the first moment at which a waiter is not covered. */
async function uncovered(seed: number): Promise<string | undefined> {
  const next = random(seed);
  const upTo = (limit: number) => Math.floor(next() * limit);
  const max = 1 + upTo(10);
  const maxCreating = next() < 0.3 ? 1 + upTo(4) : Infinity;
  const it = await warmed(1, 1 + upTo(5), { max, maxCreating });
  const { pool, clock } = it;
  const waiting = new Map<object, number>();
  const arrive = async () => {
    const hold = next() < 0.7 ? upTo(10) : upTo(400);
    const isDestroyed = next() < 0.1;
    const timeout = next() < 0.2 ? 1 + upTo(300) : Infinity;
    const key = {};
    waiting.set(key, clock.now());
    const lease = await pool.acquire({ timeout }).catch(() => undefined);
    waiting.delete(key);
    if (lease === undefined) return;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, hold));
    if (isDestroyed) lease.destroy();
    else lease.release();
  };
  const pace = next() ** 2;
  for (let step = 0; step < 400; step++) {
    const isBurst = next() < 0.01;
    for (let i = isBurst ? upTo(20) : next() < pace ? 1 : 0; i > 0; i--) {
      void arrive();
    }
    await clock.advance(1);
    const { idle, used, creating, destroying } = pool.stats();
    const long = [...waiting.values()]
      .filter((since) => clock.now() - since >= C).length;
    const isFull = idle + used + creating + destroying === max;
    if (long > creating && !isFull && creating < maxCreating) {
      return `seed ${seed}, step ${step}: ${long} have waited for ${C} ms, ` +
        `${creating} are coming, ${JSON.stringify(pool.stats())}`;
    }
    if (idle > 0 && waiting.size > 0) {
      return `seed ${seed}: idle beside waiters`;
    }
  }
}

test("a waiter that has waited for the time of a create is covered, in random loads", async () => {
  const first = Math.floor(Math.random() * 1e6) * 1_000;
  for (let seed = first; seed < first + 200; seed++) {
    assertEquals(await uncovered(seed), undefined);
  }
});

test("one who came while a create for the minimum was coming is owed one when that fails", async () => {
  const growth = "measured";
  const { pool, factory } = fixture({ max: 1, min: 1, growth });
  factory.manual.add("create");
  const outcome = watch(pool.acquire());
  await settled();
  factory.failCreate("down");
  await settled();
  assertEquals([outcome.settled, factory.creates.length], [false, 1]);
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(outcome).value.id, 2);
});

test("a waiter whose end is due by rounding alone is covered, and not looked at for ever", async () => {
  const clock = new VirtualClock();
  let made = 0;
  const pool = new Pool({
    create: () => {
      made++;
      return new Promise<object>((resolve) =>
        clock.setTimeout(() => resolve({}), 1.3)
      );
    },
    max: 2,
    clock,
  });
  watch(pool.use(() => {}));
  await clock.advance(1.3);
  using _held = pool.tryAcquire();
  await clock.advance(0.2);
  watch(pool.acquire());
  // It came at 1.5, and 2.8 - 1.3 < 1.5.
  await clock.advance(1.3);
  assertEquals([clock.now(), made], [2.8, 2]);
  await pool.close({ signal: AbortSignal.abort() });
});
