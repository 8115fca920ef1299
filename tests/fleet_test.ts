import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  AcquireTimeoutError,
  type Lease,
  Pool,
  type PoolOptions,
} from "../mod.ts";
import {
  type Account,
  advance,
  type Lapse,
  shareOf,
} from "../src/fleet/book.ts";
import { FleetBudget, type FleetBudgetOptions } from "../src/fleet/mod.ts";
import { type Outcome, settled, watch } from "./fixture.ts";
import { MemoryEngine, MemoryLedger } from "./memory_ledger.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const TTL = 1_000;

/** One process of a fleet, as far as it matters. */
class Member {
  readonly ledger: MemoryLedger;
  readonly budget: FleetBudget;
  readonly pool: Pool<string>;
  readonly told: string[] = [];
  readonly errors: unknown[] = [];
  live = 0;

  constructor(
    readonly fleet: Fleet,
    options: Partial<FleetBudgetOptions> = {},
    poolOptions: Partial<PoolOptions<string>> = {},
  ) {
    const { clock, max } = fleet;
    this.ledger = new MemoryLedger(fleet.engine);
    this.budget = new FleetBudget({
      ...{ ledger: this.ledger, max, ttl: TTL, clock },
      observer: {
        leased: ({ fence }) => void this.told.push(`leased ${fence}`),
        cutOff: ({ permits }) => void this.told.push(`cut off ${permits}`),
        ledgerFailed: ({ error }) => void this.errors.push(error),
      },
      ...options,
    });
    this.pool = new Pool<string>({
      create: () => {
        this.live++;
        fleet.live++;
        fleet.peak = Math.max(fleet.peak, fleet.live);
        return "it";
      },
      destroy: () => {
        this.live--;
        fleet.live--;
      },
      ...{ max: fleet.max, clock, budget: this.budget },
      ...{ growth: "eager", acquireTimeout: Infinity, idleTimeout: Infinity },
      ...poolOptions,
    });
  }

  /** Asks for so many leases. */
  ask(count: number): Outcome<Lease<string>>[] {
    return Array.from({ length: count }, () => watch(this.pool.acquire()));
  }

  async close(): Promise<void> {
    await this.pool.close({ signal: AbortSignal.abort() });
    const closed = watch(this.budget.close());
    for (let i = 0; i < 100 && !closed.settled; i++) {
      await this.fleet.clock.advance(10);
    }
    assertEquals([closed.settled, closed.error], [true, undefined]);
  }
}

class Fleet {
  readonly clock = new VirtualClock();
  readonly engine = new MemoryEngine();
  live = 0;
  peak = 0;

  constructor(readonly max: number) {}

  member(
    options: Partial<FleetBudgetOptions> = {},
    poolOptions: Partial<PoolOptions<string>> = {},
  ): Member {
    return new Member(this, options, poolOptions);
  }

  async end(...members: Member[]): Promise<void> {
    for (const member of members) await member.close();
    assertEquals(this.engine.members, 0);
    assertEquals(this.engine.watchers.size, 0);
    assertEquals([this.clock.timers, this.live], [0, 0]);
  }
}

function served(outcomes: Outcome<Lease<string>>[]): number {
  return outcomes.filter(({ value }) => value !== undefined).length;
}

/** Clients that acquire, hold for 5 ms and release, until it is aborted. */
function work(member: Member, clients: number, signal: AbortSignal): void {
  const { pool, fleet } = member;
  const client = async (): Promise<void> => {
    const lease = await pool.acquire({ signal });
    await new Promise<void>((resolve) => fleet.clock.setTimeout(resolve, 5));
    lease.release();
    if (!signal.aborted) await client();
  };
  // A client ends with the signal, or its pool.
  for (let i = 0; i < clients; i++) client().catch(() => {});
}

test("fleet: members never have more than its max together, and all are served", async () => {
  const fleet = new Fleet(10);
  const members = [fleet.member(), fleet.member(), fleet.member()];
  const asked = members.map((member) => member.ask(8));
  for (let round = 0; round < 40; round++) {
    await fleet.clock.advance(50);
    for (const { value } of asked.flat()) value?.release();
  }
  assertEquals(asked.map(served), [8, 8, 8]);
  assertEquals(fleet.peak, 10);
  assert(fleet.engine.taken <= 10);
  assertEquals(members.flatMap(({ errors }) => errors), []);
  await fleet.end(...members);
});

test("fleet: shares follow the demand, and are fair", async () => {
  const fleet = new Fleet(12);
  const members = [fleet.member(), fleet.member(), fleet.member()];
  const [a, b, c] = members as [Member, Member, Member];
  const stops = [0, 1, 2].map(() => new AbortController());
  work(a, 20, stops[0]!.signal);
  await fleet.clock.advance(TTL);
  assert(a.live >= 10, `${a.live} with nobody else at work`);
  work(b, 20, stops[1]!.signal);
  await fleet.clock.advance(TTL);
  assertEquals([a.live, b.live], [6, 6]);
  work(c, 2, stops[2]!.signal);
  await fleet.clock.advance(TTL);
  assertEquals([a.live, b.live, c.live], [5, 5, 2]);
  stops[0]!.abort();
  await fleet.clock.advance(2 * TTL);
  assertEquals([b.live, c.live], [10, 2]);
  for (const stop of stops) stop.abort();
  await fleet.clock.advance(10);
  assertEquals(fleet.peak, 12);
  await fleet.end(...members);
});

test("fleet: what is let go while a write is on its way is given back after", async () => {
  const fleet = new Fleet(4);
  const [a, b] = [fleet.member(), fleet.member()];
  const held = a.ask(4);
  await fleet.clock.advance(100);
  const asked = b.ask(2);
  await fleet.clock.advance(TTL / 2);
  let isWriting = false;
  const swap = a.ledger.swap.bind(a.ledger);
  a.ledger.swap = async (version, value) => {
    isWriting = true;
    await new Promise<void>((resolve) => fleet.clock.setTimeout(resolve, 20));
    return swap(version, value);
  };
  held[0]!.value!.release();
  for (let ms = 0; ms < 10 && !isWriting; ms++) await fleet.clock.advance(1);
  assertEquals([isWriting, served(asked)], [true, 0]);
  held[1]!.value!.release();
  await fleet.clock.advance(TTL / 6);
  assertEquals([served(held), served(asked), fleet.peak], [4, 2, 4]);
  await fleet.end(a, b);
});

test("fleet: what is idle for long leaves for members that lack", async () => {
  const fleet = new Fleet(8);
  const [a, b] = [fleet.member(), fleet.member()];
  const first = a.ask(8);
  await fleet.clock.advance(100);
  for (const { value } of first) value?.release();
  const second = b.ask(8);
  await fleet.clock.advance(100);
  const share = served(second);
  assert(share >= 3 && share < 7, `${share} served at once`);
  await fleet.clock.advance(TTL);
  assertEquals(served(second), 8);
  assertEquals(fleet.peak, 8);
  await fleet.end(a, b);
});

test("fleet: a member that is gone loses its block after the ttl, not before", async () => {
  const fleet = new Fleet(6);
  const [a, b] = [fleet.member(), fleet.member()];
  const held = a.ask(5);
  await fleet.clock.advance(100);
  assertEquals(served(held), 5);
  a.ledger.state = "fails";
  const asked = b.ask(6);
  await fleet.clock.advance(TTL - 100 - TTL / 3);
  assertEquals(served(asked), 1);
  // What it has is retired by then.
  for (const { value } of held) value?.release();
  await fleet.clock.advance(TTL);
  assertEquals(served(asked), 6);
  assertEquals(fleet.peak, 6);
  assertEquals(a.told.length, 2);
  assertMatch(`${a.told}`, /^leased \d,cut off 0$/);
  const { fence } = a.budget.stats();
  a.ledger.state = "works";
  await fleet.clock.advance(TTL);
  assertEquals(a.told.at(-1), `leased ${a.budget.stats().fence}`);
  assert(a.budget.stats().fence > fence);
  await fleet.end(a, b);
});

test("fleet: one that is cut off makes nothing more, and retires what it has", async () => {
  const fleet = new Fleet(4);
  const a = fleet.member();
  const held = a.ask(4);
  await fleet.clock.advance(100);
  held[0]!.value!.release();
  a.ledger.state = "hangs";
  await fleet.clock.advance(TTL);
  assertEquals([a.live, a.budget.stats().isCutOff], [3, true]);
  const waiting = a.ask(2);
  held[1]!.value!.release();
  // Lost: nothing takes its place.
  held[2]!.value!.destroy();
  await fleet.clock.advance(5 * TTL);
  assertEquals([a.live, served(waiting)], [1, 0]);
  assertMatch(`${a.errors[0]}`, /The ledger has not answered for 333.* ms/);
  a.ledger.state = "works";
  await fleet.clock.advance(TTL);
  assertEquals([a.live, served(waiting)], [3, 2]);
  await fleet.end(a);
});

test("fleet: one that is cut off makes nothing of its minimum anew", async () => {
  const fleet = new Fleet(4);
  const a = fleet.member({}, { min: 1 });
  const [held] = a.ask(1);
  await fleet.clock.advance(100);
  a.ledger.state = "hangs";
  await fleet.clock.advance(TTL);
  held!.value!.destroy();
  await fleet.clock.advance(5 * TTL);
  assertEquals(a.live, 0);
  a.ledger.state = "works";
  await fleet.clock.advance(TTL);
  assertEquals(a.live, 1);
  await fleet.end(a);
});

test("fleet: after a standstill nothing is made, though no timer has fired", async () => {
  for (const act of ["acquire", "release", "destroy"] as const) {
    const fleet = new Fleet(4);
    const a = fleet.member();
    const held = a.ask(2);
    await fleet.clock.advance(100);
    const { live } = a;
    a.ledger.state = "fails";
    fleet.clock.jump(2 * TTL);
    const more = a.ask(4);
    if (act !== "acquire") held[0]!.value![act]();
    await settled();
    assertEquals(served(more), 0, act);
    assert(a.live <= live, act);
    await fleet.end(a).catch(() => {});
  }
});

test("fleet: a floor is for when the ledger is gone, and nobody else's", async () => {
  const fleet = new Fleet(6);
  const floor = { permits: 2, ttl: 10 * TTL };
  const [a, b] = [fleet.member({ floor }), fleet.member()];
  const held = a.ask(4);
  await fleet.clock.advance(100);
  assertEquals([served(held), a.budget.stats().floor], [4, 2]);
  a.ledger.state = "fails";
  const asked = b.ask(6);
  await fleet.clock.advance(TTL / 2);
  for (const { value } of held.slice(0, 3)) value?.release();
  await fleet.clock.advance(2 * TTL);
  assertEquals([a.live, served(asked)], [2, 4]);
  assertEquals(a.told.slice(1), ["cut off 2"]);
  // It may replace what is lost.
  held[3]!.value!.destroy();
  const more = a.ask(3);
  await fleet.clock.advance(TTL);
  assertEquals([a.live, served(more)], [2, 2]);
  for (const { value } of more) value?.release();
  await settled();
  more[2]!.value!.release();
  await fleet.clock.advance(12 * TTL);
  assertEquals([a.live, served(asked), fleet.peak], [0, 6, 6]);
  a.ledger.state = "works";
  for (const { value } of asked) value?.release();
  await fleet.clock.advance(TTL);
  assertEquals(a.budget.stats().floor, 2);
  await fleet.end(a, b);
});

test("fleet: while a floor is waited for, members write as often as at rest", async () => {
  const fleet = new Fleet(6);
  const floor = { permits: 2, ttl: 20 * TTL };
  const [a, ...others] = [
    fleet.member({ floor }),
    fleet.member(),
    fleet.member(),
  ];
  await fleet.clock.advance(100);
  a!.ledger.state = "fails";
  await fleet.clock.advance(2 * TTL);
  const { swaps } = fleet.engine;
  await fleet.clock.advance(10 * TTL);
  assertEquals(fleet.engine.swaps - swaps, 60);
  a!.ledger.state = "works";
  await fleet.clock.advance(TTL);
  await fleet.end(a!, ...others);
});

test("fleet: floors are reserved out of max, the last member finds none", async () => {
  const fleet = new Fleet(5);
  const floor = { permits: 2, ttl: TTL };
  const members = [0, 1, 2, 3].map(() => fleet.member({ floor }));
  await fleet.clock.advance(TTL);
  const floors = members.map(({ budget }) => budget.stats().floor);
  assertEquals(floors.sort(), [0, 1, 2, 2]);
  assertEquals(members[0]!.budget.stats().members, 4);
  await fleet.end(...members);
});

test("fleet: a permit is not used before its write has been confirmed", async () => {
  const fleet = new Fleet(4);
  const a = fleet.member();
  await fleet.clock.advance(100);
  const { permits } = a.budget.stats();
  a.ledger.state = "loses";
  const asked = a.ask(4);
  await fleet.clock.advance(20);
  assertEquals(fleet.engine.taken, 4);
  assertEquals([a.budget.stats().permits, served(asked)], [permits, permits]);
  assertMatch(`${a.errors[0]}`, /lost/);
  a.ledger.state = "works";
  // Sooner than with the next renewal.
  await fleet.clock.advance(TTL / 5);
  assertEquals(served(asked), 4);
  await fleet.end(a);
});

test("fleet: a pool that is to part with what it has creates for what it gets", async () => {
  const fleet = new Fleet(4);
  const [a, b] = [fleet.member(), fleet.member()];
  const { clock } = fleet;
  await using pool = new Pool<string>({
    ...{ create: () => "it", max: 4, clock, budget: a.budget },
    ...{ growth: "eager", acquireTimeout: Infinity },
  });
  const ask = () => watch(pool.acquire());
  const held = [...a.ask(2), ask(), ask()];
  await clock.advance(100);
  assertEquals(served(held), 4);
  const waiting = [ask(), ...b.ask(1)];
  await clock.advance(100);
  assertEquals([served(waiting), a.budget.stats().held], [0, 4]);
  // Two permits at once: one leaves for the other member, one stays.
  await a.pool.close({ signal: AbortSignal.abort() });
  await clock.advance(100);
  assertEquals(served(waiting), 2);
  await pool.close({ signal: AbortSignal.abort() });
  await fleet.end(a, b);
});

test("fleet: a write that comes late does not count beside what came after", async () => {
  const fleet = new Fleet(4);
  const [a, b] = [fleet.member(), fleet.member()];
  const held = a.ask(4);
  await fleet.clock.advance(100);
  a.ledger.state = "hangs";
  held[0]!.value!.destroy();
  held[1]!.value!.destroy();
  await fleet.clock.advance(TTL / 3 + 10);
  a.ledger.state = "works";
  const asked = [a.ask(2), b.ask(4)];
  await fleet.clock.advance(5);
  for (const swap of a.ledger.late) swap();
  await fleet.clock.advance(TTL);
  assertEquals(fleet.peak, 4);
  assertEquals(asked.map(served).reduce((a, b) => a + b), 2);
  await fleet.end(a, b);
});

test("fleet: members that were cut off together wait for each other again", async () => {
  const fleet = new Fleet(6);
  const members = [fleet.member(), fleet.member()];
  const held = members.map((member) => member.ask(3));
  await fleet.clock.advance(TTL);
  for (const { ledger } of members) ledger.state = "fails";
  await fleet.clock.advance(10 * TTL);
  members[0]!.ledger.state = "works";
  await fleet.clock.advance(TTL / 2);
  // The other's block is still its own.
  assertEquals(fleet.engine.taken, 6);
  members[1]!.ledger.state = "works";
  await fleet.clock.advance(TTL);
  assertEquals(members.map(({ budget }) => budget.stats().permits), [3, 3]);
  assertEquals([fleet.peak, ...held.map(served)], [6, 3, 3]);
  await fleet.end(...members);
});

test("fleet: a close waits for its pools, and gives all at once", async () => {
  const fleet = new Fleet(2);
  const [a, b] = [fleet.member(), fleet.member()];
  const held = a.ask(2);
  await fleet.clock.advance(100);
  const asked = b.ask(2);
  const closed = watch(a.budget.close());
  assertEquals(a.budget.close(), a.budget.close());
  await fleet.clock.advance(2 * TTL);
  assertEquals([closed.settled, served(asked)], [false, 0]);
  for (const { value } of held) value!.release();
  await fleet.clock.advance(100);
  assertEquals([closed.settled, served(asked)], [true, 2]);
  assertEquals([fleet.engine.members, a.ledger.isWatched], [1, false]);
  // It gives nothing any more.
  const late = a.ask(1);
  await fleet.clock.advance(2 * TTL);
  assertEquals(served(late), 0);
  await fleet.end(a, b);
});

test("fleet: a close while the ledger is gone tells that, and ends", async () => {
  const fleet = new Fleet(2);
  const a = fleet.member();
  await fleet.clock.advance(100);
  a.ledger.state = "fails";
  const pools = a.pool.close();
  const closed = watch(a.budget.close());
  await fleet.clock.advance(100);
  await pools;
  assertEquals([closed.settled, closed.error], [true, undefined]);
  assertMatch(`${a.errors}`, /gone/);
  assertEquals([fleet.engine.members, fleet.clock.timers], [1, 0]);
});

test("fleet: a close that others are faster than tries again", async () => {
  const fleet = new Fleet(2);
  const [a, b] = [fleet.member(), fleet.member()];
  await fleet.clock.advance(100);
  await a.pool.close();
  const swap = a.ledger.swap.bind(a.ledger);
  let beaten = 0;
  a.ledger.swap = (version, value) => {
    if (beaten++ < 3) return Promise.resolve(undefined);
    return swap(version, value);
  };
  await fleet.end(a, b);
  assertEquals(beaten > 3, true);
});

test("fleet: no pool joins a budget that closes or has closed", async () => {
  const fleet = new Fleet(2);
  const a = fleet.member();
  const [held] = a.ask(1);
  await fleet.clock.advance(100);
  const { budget } = a;
  const join = () => new Pool({ create: () => ({}), max: 1, budget });
  const closed = budget.close();
  assertThrows(join, Error, "Cannot join budget as it is closed");
  held!.value!.release();
  await Promise.all([fleet.clock.advance(100), a.pool.close(), closed]);
  assertThrows(join, Error, "Cannot join budget as it is closed");
});

test("fleet: without a pool a budget does nothing, and closes", async () => {
  const engine = new MemoryEngine();
  const ledger = new MemoryLedger(engine);
  await using budget = new FleetBudget({ ledger, max: 3 });
  assertEquals(budget.stats(), {
    ...{ permits: 0, floor: 0, held: 0, fence: 0, members: 0 },
    isCutOff: true,
  });
  assertEquals([engine.reads, engine.watchers.size], [0, 0]);
});

test("fleet: it runs on the clock of the system by default", async () => {
  const engine = new MemoryEngine();
  const ledger = new MemoryLedger(engine);
  await using budget = new FleetBudget({ ledger, max: 3 });
  await using pool = new Pool({ create: () => "it", max: 2, budget });
  assertEquals(await pool.use((it) => it), "it");
});

test("fleet: what is in the ledger and is no book is told, and left alone", async () => {
  for (
    const value of [
      "text",
      "[]",
      '{"members":[]}',
      '{"max":1,"writes":1,"members":[["a"]]}',
    ]
  ) {
    const fleet = new Fleet(2);
    fleet.engine.value = value;
    const a = fleet.member();
    await fleet.clock.advance(100);
    assertMatch(`${a.errors[0]}`, /TypeError: The ledger holds no book/);
    assertEquals(fleet.engine.value, value);
    assertEquals(a.budget.stats().permits, 0);
    await a.close();
  }
});

test("fleet: who waits in vain for a permit learns why, who waits for a release does not", async () => {
  const fleet = new Fleet(2);
  const a = fleet.member({}, { max: 1, acquireTimeout: 100 });
  const [held] = a.ask(1);
  await fleet.clock.advance(50);
  const b = fleet.member({}, { acquireTimeout: 100 });
  a.ledger.state = b.ledger.state = "fails";
  const [first] = b.ask(1);
  await fleet.clock.advance(TTL / 2);
  const [second] = a.ask(1);
  await fleet.clock.advance(101);
  assertEquals([a, b].map(({ errors }) => errors.length > 0), [true, true]);
  assertInstanceOf(first!.error, AcquireTimeoutError);
  assert(b.errors.includes(first!.error.cause));
  assertInstanceOf(second!.error, AcquireTimeoutError);
  assertEquals(second!.error.cause, undefined);
  held!.value!.release();
  a.ledger.state = b.ledger.state = "works";
  await fleet.end(a, b);
});

test("fleet: a pool that holds and wants nothing any more is forgotten", async () => {
  const fleet = new Fleet(2);
  const a = fleet.member();
  let [held, failures] = [0, 0];
  const seat = a.budget.join({
    ...{ idleSince: Infinity, letGo: () => {}, yieldTo: () => {} },
    grant: (permits) => void (held += permits),
    failed: () => void failures++,
  });
  /** How often it is told of a ledger that is gone for a while. */
  const told = async () => {
    const [before, errors] = [failures, a.errors.length];
    a.ledger.state = "fails";
    await fleet.clock.advance(TTL);
    a.ledger.state = "works";
    assert(a.errors.length > errors);
    return failures - before;
  };
  seat.want(2, 0);
  assert(await told() > 0, "it wants something");
  await fleet.clock.advance(3 * TTL);
  seat.want(0, Infinity);
  assertEquals(held, 2);
  assert(await told() > 0, "it holds something");
  seat.giveBack(2);
  assertEquals(await told(), 0);
  await fleet.end(a);
});

test("fleet: an observer that throws breaks nothing", async () => {
  const fleet = new Fleet(2);
  const fail = () => {
    throw new Error("observer");
  };
  const observer = { leased: fail, cutOff: fail, ledgerFailed: fail };
  const a = fleet.member({ observer });
  const asked = a.ask(2);
  await fleet.clock.advance(100);
  a.ledger.state = "fails";
  await fleet.clock.advance(2 * TTL);
  a.ledger.state = "works";
  await fleet.clock.advance(TTL);
  assertEquals([served(asked), a.budget.stats().permits], [2, 2]);
  await fleet.end(a);
});

test("fleet: the member that came last sets max, and the others come down", async () => {
  const fleet = new Fleet(8);
  const a = fleet.member();
  const held = a.ask(8);
  await fleet.clock.advance(100);
  const b = fleet.member({ max: 4 });
  const asked = b.ask(3);
  await fleet.clock.advance(TTL);
  assertEquals(served(asked), 0);
  for (const { value } of held) value!.release();
  await fleet.clock.advance(2 * TTL);
  assertEquals([served(asked), fleet.peak], [3, 8]);
  assert(fleet.engine.taken <= 4, `${fleet.engine.taken} taken`);
  await fleet.end(a, b);
});

test("fleet: one who was beaten to it reads, and tries again", async () => {
  const fleet = new Fleet(4);
  const [a, b] = [fleet.member(), fleet.member()];
  const swap = a.ledger.swap.bind(a.ledger);
  let ahead = 2;
  a.ledger.swap = async (version, value) => {
    // Another is on its way at the same time.
    if (ahead-- > 0) b.ask(1);
    await new Promise<void>((resolve) => fleet.clock.setTimeout(resolve, 5));
    return swap(version, value);
  };
  const asked = a.ask(2);
  await fleet.clock.advance(TTL);
  assert(fleet.engine.beaten > 0);
  assertEquals([served(asked), a.errors, fleet.peak], [2, [], 4]);
  a.ledger.swap = swap;
  await fleet.end(a, b);
});

test("fleet: what is written before an answer has come is read after", async () => {
  const fleet = new Fleet(4);
  const members = [fleet.member()];
  const [a] = members as [Member];
  const swap = a.ledger.swap.bind(a.ledger);
  a.ledger.swap = async (version, value) => {
    const answer = await swap(version, value);
    if (members.length === 1) members.push(fleet.member());
    await new Promise<void>((resolve) => fleet.clock.setTimeout(resolve, 20));
    return answer;
  };
  await fleet.clock.advance(TTL / 5);
  assertEquals(a.budget.stats().members, 2);
  await fleet.end(...members);
});

test("fleet: pools of one process share what it has, in order of arrival", async () => {
  const fleet = new Fleet(2);
  const a = fleet.member();
  const { clock } = fleet;
  const other = new Pool({
    ...{ create: () => "other", max: 2, clock, budget: a.budget },
  });
  const held = a.ask(2);
  await clock.advance(100);
  const waiting = watch(other.acquire());
  await clock.advance(1);
  const later = a.ask(1);
  held[0]!.value!.release();
  await clock.advance(1);
  assertEquals([waiting.value?.value, served(later)], ["other", 0]);
  waiting.value!.release();
  await clock.advance(1);
  assertEquals(served(later), 1);
  await other.close();
  await fleet.end(a);
});

/** An account that matters in some numbers only. */
function account(numbers: Partial<Account>): Account {
  return {
    ...{ fence: 1, beat: 1, floor: 0, block: 0, wants: 0, ttl: 1, floorTtl: 1 },
    ...numbers,
  };
}

test("fleet: who wants least has it, the others equally much, and little is left", () => {
  const shares = (max: number, ...wants: number[]) => {
    const rows = wants.map((wants, i) =>
      [`${i}`, account({ fence: i + 1, wants })] as const
    );
    const book = { max, writes: 9, members: new Map(rows) };
    return wants.map((_, i) => shareOf(book, `${i}`));
  };
  assertEquals(shares(10, 1, 20, 20), [1, 4, 5]);
  assertEquals(shares(11, 20, 20, 20), [3, 4, 4]);
  assertEquals(shares(2, 5, 5, 5), [0, 1, 1]);
  // Nothing moves while all who lack some want now more, now less.
  for (const wants of [[3, 4, 5], [5, 4, 3], [4, 5, 3]]) {
    assertEquals(shares(7, ...wants), [2, 2, 3]);
  }
  // Of what nobody wants at most a quarter is given in advance.
  assertEquals(shares(20, 2, 3), [4, 5]);
  assertEquals(shares(10, 4, 5), [4, 5]);
});

test("fleet: only who was judged by its last beat lapses, its floor later", () => {
  const gone = account({ fence: 3, beat: 7, floor: 2, block: 4, wants: 5 });
  const book = { max: 10, writes: 9, members: new Map([["gone", gone]]) };
  const report = { id: "me", max: 10, floor: 0, block: 0, demand: 9 };
  const after = (lapse: Lapse) => {
    const next = advance(book, { ...report, ttl: 1, floorTtl: 1 }, [lapse]);
    return [next.members.get("gone"), next.members.get("me")?.block];
  };
  const id = "gone";
  assertEquals(after({ id, beat: 6, isWhole: true }), [gone, 4]);
  const lapsed = { ...gone, fence: 0, block: 0, wants: 0 };
  assertEquals(after({ id, beat: 7, isWhole: false }), [lapsed, 8]);
  assertEquals(after({ id, beat: 7, isWhole: true }), [undefined, 10]);
  assertEquals(after({ id: "nobody", beat: 7, isWhole: true }), [gone, 4]);
  // What comes back has another lease, and its floor.
  const terms = { ...report, id, floor: 2, ttl: 1, floorTtl: 1 };
  const back = advance(
    { ...book, members: new Map([[id, lapsed]]) },
    terms,
    [],
  );
  assertEquals([back.members.get(id)?.fence, back.members.get(id)?.floor], [
    10,
    2,
  ]);
});

test("fleet: leases of many members are longer, by the root of how many", () => {
  const rows = Array.from(
    { length: 899 },
    (_, i) => [`${i}`, account({})] as const,
  );
  const book = { max: 10, writes: 9, members: new Map(rows) };
  const report = { id: "me", max: 10, floor: 0, block: 0, demand: 0 };
  const next = advance(book, { ...report, ttl: 10, floorTtl: 20 }, []);
  const { ttl, floorTtl } = next.members.get("me")!;
  assertEquals([ttl, floorTtl], [30, 30]);
  const few = { ...book, members: new Map([["a", account({})]]) };
  const alone = advance(few, { ...report, ttl: 10, floorTtl: 20 }, []);
  assertEquals(alone.members.get("me")!.ttl, 10);
});

test("fleet: a member at rest writes as often as its lease asks, and reads nothing", async () => {
  const fleet = new Fleet(4);
  const a = fleet.member();
  const asked = a.ask(2);
  await fleet.clock.advance(TTL);
  const { reads, swaps } = fleet.engine;
  await fleet.clock.advance(100 * TTL);
  assertEquals(served(asked), 2);
  assertEquals(fleet.engine.reads - reads, 0);
  assertEquals(fleet.engine.swaps - swaps, 300);
  await fleet.end(a);
});

test("fleet: options are checked", () => {
  const ledger = new MemoryLedger(new MemoryEngine());
  const wrong = (options: unknown) => () =>
    new FleetBudget(options as FleetBudgetOptions);
  for (
    const [options, kind, message] of [
      [undefined, TypeError, /'options' must be an object/],
      [{ max: 1 }, TypeError, /'ledger' must be an object/],
      [{ ledger: {}, max: 1 }, TypeError, /'ledger.read' must be a function/],
      [{ ledger, max: 0 }, RangeError, /'max' must be a positive integer/],
      [{ ledger, max: 1, ttl: 0 }, RangeError, /'ttl'/],
      [{ ledger, max: 1, floor: 1 }, TypeError, /'floor'/],
      [{ ledger, max: 1, floor: { permit: 1 } }, TypeError, /'permit'/],
      [{ ledger, max: 1, floor: { permits: 2, ttl: 1 } }, RangeError, /most 1/],
      [{ ledger, max: 1, floor: { permits: -1, ttl: 1 } }, RangeError, /-1/],
      [{ ledger, max: 1, floor: { permits: 1 } }, TypeError, /floor.ttl/],
      [{ ledger, max: 1, observer: 1 }, TypeError, /'observer'/],
      [{ ledger, max: 1, clock: 1 }, TypeError, /'clock'/],
      [{ ledger, max: 1, tll: 1 }, TypeError, /'tll' is no option.*ttl/],
    ] as const
  ) {
    const error = assertThrows(wrong(options), kind);
    assertMatch(error.message, message);
  }
});
