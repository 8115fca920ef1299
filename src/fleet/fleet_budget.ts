import { LocalBudget } from "../budget/mod.ts";
import { BOUND, Check, COUNT, DELAY, FUNCTION, OBJECT } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";
import { Correspondence } from "./correspondence.ts";
import type { Ledger } from "./ledger.ts";
import { WrittenShelf } from "./shelf.ts";
import { Tenure } from "./tenure.ts";

/** Is told what becomes of a `FleetBudget`; what it throws is dropped. */
export interface FleetObserver {
  /** A lease began: with this number, on so many permits, the floor included. */
  leased?(event: { fence: number; permits: number }): void;
  /** The lease ran out unrenewed: only so many permits are left, the floor. */
  cutOff?(event: { permits: number }): void;
  /** A call of the ledger failed or hung; it is tried again. */
  ledgerFailed?(event: { error: unknown }): void;
}

/** Options of a `FleetBudget`. */
export interface FleetBudgetOptions {
  /** Where all members of the fleet keep what they share. */
  ledger: Ledger;
  /**
   * The most resources over all members. Of members with different maxima, the
   * one whose lease began last is right, so that a deployment can change it.
   */
  max: number;
  /**
   * Milliseconds after which others take what a member has leased that died or was
   * cut off, and after which one that is cut off makes nothing more; each member
   * writes three times as often. Of more than 100 members it is longer, by the
   * root of how many times more, lest the engine be overrun: of 1 000, 3.2 times.
   * Default 10 000: a failover of an engine rarely takes longer.
   */
  ttl?: number | undefined;
  /**
   * How many permits are reserved for this member, for when the engine is gone, and
   * for how many milliseconds: one that died keeps others from them for as long.
   * Default: none.
   */
  floor?: { permits: number; ttl: number } | undefined;
  /** Is told what becomes of it. Default: none. */
  observer?: FleetObserver | undefined;
  /**
   * Where it gets its time and timers; that of its pools. Default: as that of a
   * pool, but each reading is fresh.
   */
  clock?: Clock | undefined;
}

/** What a `FleetBudget` has. */
export interface FleetStats {
  /** How many permits it may use, the floor included. */
  permits: number;
  /** How many it may use while it is cut off. */
  floor: number;
  /** How many its pools hold. */
  held: number;
  /** The number of its lease; each new one in the fleet has a higher one. */
  fence: number;
  /** How many members have accounts in the ledger, as far as it has read. */
  members: number;
  /** Whether it has no lease now. */
  isCutOff: boolean;
}

const NAMES = ["ledger", "max", "ttl", "floor", "observer", "clock"];

/** Unlike that of a pool, it reads the time each time: much hangs on it. */
const SYSTEM: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
  clearTimeout: (handle) => globalThis.clearTimeout(handle as number),
};

/** Nothing is to be done. */
const ignore = () => {};

/**
 * At most `max` resources over all pools of all processes that are given a budget
 * with the same ledger: a value for the option `budget`. Within a process it is as
 * a `LocalBudget`. See the head of this entry for what it promises.
 *
 * It keeps the process alive from when the first pool joins until it is closed.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { FleetBudget, type Ledger } from "@lease/pool/fleet";
 *
 * let value = "", version = 0; // a ledger for one process, as a toy
 * const ledger: Ledger = {
 *   read: () => Promise.resolve({ value, version: `${version}` }),
 *   swap: (from, to) => {
 *     if (from !== `${version}`) return Promise.resolve(undefined);
 *     value = to;
 *     return Promise.resolve(`${++version}`);
 *   },
 *   watch: () => () => Promise.resolve(),
 * };
 * await using budget = new FleetBudget({ ledger, max: 20 });
 * await using pool = new Pool({ create: () => "it", max: 15, budget });
 * await pool.use((it) => console.log(it)); // it
 * console.log(budget.stats().held); // 1
 * ```
 */
export class FleetBudget implements Budget, AsyncDisposable {
  readonly #max: number;
  readonly #observer: FleetObserver;
  readonly #clock: Clock;
  readonly #tenure: Tenure;
  readonly #mail: Correspondence;
  /** What the pools of this process share, and the seat of all other processes. */
  readonly #inner: LocalBudget;
  readonly #elsewhere: BudgetSeat;
  /** How many permits that has. Invariant: the rest is here. */
  #away = 0;
  /** How many permits the pools hold, and how many more they could use. */
  #held = 0;
  #wants = 0;
  /** Those that hold something, or could use more. */
  readonly #members = new Set<BudgetMember>();
  #wasLeased = false;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  /** Called when all permits are elsewhere. */
  #empty: () => void = ignore;

  /**
   * Sets nothing in motion until a pool joins.
   *
   * @throws {TypeError} if an option is of the wrong kind, or not known
   * @throws {RangeError} if an option is out of range
   */
  constructor(options: FleetBudgetOptions) {
    const { ledger, max, ttl, floor, observer, clock } = checked(options);
    this.#max = max;
    this.#observer = observer;
    this.#clock = clock;
    this.#tenure = new Tenure({
      ...{ id: memberId(), max, ttl },
      ...{ floor: floor.permits, floorTtl: floor.ttl },
    });
    const shelf = new WrittenShelf(ledger, max);
    this.#mail = new Correspondence(shelf, this.#tenure, clock, {
      demand: () => this.#held + this.#wants,
      settle: (now) => this.#settle(now),
      lend: (since) => this.#lend(since),
      leased: (event) => this.#tell("leased", event),
      failed: (error) => this.#fail(error),
    });
    this.#inner = new LocalBudget(max);
    this.#elsewhere = this.#inner.join({
      ...{ idleSince: Infinity, letGo: ignore, yieldTo: ignore },
      ...{ grant: (permits) => this.#leave(permits), failed: ignore },
    });
    this.#elsewhere.want(max, -Infinity);
  }

  /**
   * Called by the pools that are given it.
   *
   * @throws {Error} if the budget is closed
   */
  join(member: BudgetMember): BudgetSeat {
    if (this.#isClosing) throw new Error("Cannot join budget as it is closed");
    this.#mail.begin();
    let [wants, held] = [0, 0];
    const change = (more: number, wanted = wants) => {
      this.#held += more;
      this.#wants += wanted - wants;
      [wants, held] = [wanted, held + more];
      if (wants + held > 0) this.#members.add(member);
      else this.#members.delete(member);
    };
    const seat = this.#inner.join({
      get idleSince() {
        return member.idleSince;
      },
      letGo: () => member.letGo(),
      yieldTo: (time) => member.yieldTo(time),
      failed: ignore,
      grant: (permits) => {
        change(permits);
        member.grant(permits);
      },
    });
    return {
      want: (permits, since) => {
        change(0, permits);
        this.#look();
        seat.want(permits, since);
      },
      leaving: (permits) => seat.leaving(permits),
      giveBack: (permits) => {
        change(-permits);
        this.#look();
        seat.giveBack(permits);
      },
    };
  }

  /** What it has now. */
  stats(): FleetStats {
    const now = this.#clock.now();
    this.#settle(now);
    const { floor, fence } = this.#tenure.standing;
    return {
      ...{ permits: this.#tenure.permits, floor, held: this.#held, fence },
      members: this.#mail.members,
      isCutOff: !this.#tenure.isLeased(now),
    };
  }

  /**
   * Waits until its pools hold nothing, as closed ones do, and gives all permits
   * to the others at once. Where the ledger fails, they have them after the ttl.
   */
  close(): Promise<void> {
    this.#isClosing = true;
    return this.#closed ??= this.#close();
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#settle(this.#clock.now());
    if (this.#away < this.#max) {
      await new Promise<void>((resolve) => this.#empty = resolve);
    }
    await this.#mail.end();
  }

  /** Its pools have changed: are they to have more, or less? */
  #look(): void {
    const now = this.#clock.now();
    // No timer is waited for: this may be the first act after a standstill.
    if (this.#wasLeased && !this.#tenure.isLeased(now)) this.#settle(now);
    if (this.#held + this.#wants > this.#tenure.permits) this.#mail.hasten();
  }

  /** Moves permits to where they belong. */
  #settle(now: number): void {
    const tenure = this.#tenure;
    tenure.expire(now);
    const wasLeased = this.#wasLeased;
    this.#wasLeased = tenure.isLeased(now);
    const goal = this.#isClosing ? 0 : Math.min(tenure.goal, this.#max);
    const excess = this.#max - this.#away - goal;
    this.#elsewhere.want(Math.max(0, excess), -Infinity);
    if (excess < 0) {
      this.#away += excess;
      this.#elsewhere.giveBack(-excess);
    }
    this.#lower();
    if (!wasLeased || this.#wasLeased) return;
    this.#tell("cutOff", { permits: tenure.standing.floor });
  }

  /** So many permits have left for elsewhere. */
  #leave(permits: number): void {
    this.#away += permits;
    this.#lower();
    if (this.#away === this.#max) this.#empty();
  }

  /** What is not here any more is given up, and the ledger hears of that soon. */
  #lower(): void {
    const { permits } = this.#tenure;
    this.#tenure.lower(this.#max - this.#away);
    if (this.#tenure.permits < permits) this.#mail.hasten();
  }

  /** Others lack permits: what has been idle since then leaves. */
  #lend(since: number): void {
    for (const member of this.#members) {
      while (member.idleSince <= since) member.letGo();
    }
  }

  #fail(error: unknown): void {
    for (const member of this.#members) member.failed(error);
    this.#tell("ledgerFailed", { error });
  }

  #tell<K extends keyof FleetObserver>(
    name: K,
    event: Parameters<NonNullable<FleetObserver[K]>>[0],
  ): void {
    try {
      this.#observer[name]?.(event as never);
    } catch {
      // An observer only watches.
    }
  }
}

function checked(options: FleetBudgetOptions): Required<FleetBudgetOptions> & {
  ttl: number;
  floor: { permits: number; ttl: number };
  observer: FleetObserver;
  clock: Clock;
} {
  const check = new Check("Cannot create fleet budget");
  check.that("options", options, OBJECT);
  check.names(options, NAMES);
  const { ledger, max, ttl = 10_000, observer = {}, clock = SYSTEM } = options;
  check.that("ledger", ledger, OBJECT);
  for (const name of ["read", "swap", "watch"] as const) {
    check.that(`ledger.${name}`, ledger[name], FUNCTION);
  }
  check.that("max", max, COUNT);
  check.that("ttl", ttl, DELAY);
  const { floor = { permits: 0, ttl } } = options;
  check.that("floor", floor, OBJECT);
  check.names(floor, ["permits", "ttl"]);
  const { permits, ttl: floorTtl } = floor;
  check.that("floor.permits", permits, BOUND);
  if (permits > max) check.fail("floor.permits", `at most ${max}`, permits);
  check.that("floor.ttl", floorTtl, DELAY);
  check.that("observer", observer, OBJECT);
  check.that("clock", clock, OBJECT);
  return {
    ...{ ledger, max, ttl, observer, clock },
    floor: { permits, ttl: floorTtl },
  };
}

/** As unlikely to be another's as a UUID; Node 18 has no global `crypto`. */
function memberId(): string {
  const part = () => Math.random().toString(36).slice(2);
  return [part(), part(), part()].join("-");
}
