/**
 * One maximum for several pools of a process.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { LocalBudget } from "@lease/pool/budget";
 *
 * const budget = new LocalBudget(20);
 * await using primary = new Pool({ create: () => ({}), max: 15, budget });
 * await using replica = new Pool({ create: () => ({}), max: 15, budget });
 * console.log(primary.stats().max + replica.stats().max); // 30, but 20 at a time
 * ```
 *
 * @module
 */

import { Check, COUNT } from "../check.ts";
import type { Budget, BudgetMember, BudgetSeat } from "../permit.ts";

export type { Budget, BudgetMember, BudgetSeat };

/** A seat at a `LocalBudget`. */
export interface LocalSeat extends BudgetSeat {
  /** It has been of use: others are asked to let go before it. */
  touch(): void;
}

/** A seat, as its budget sees it. */
class Seat implements LocalSeat {
  readonly member: BudgetMember;
  readonly #settle: (seat: Seat, freed: number) => void;
  readonly #touch: (seat: Seat) => void;
  /** How many permits it could use more, and since when one waits for them. */
  wants = 0;
  since = Infinity;
  /** How many it holds, and how many of them it was asked for or announced. */
  held = 0;
  promised = 0;
  /** Since when another waits, as it was told last. */
  yieldsTo = Infinity;

  constructor(
    member: BudgetMember,
    settle: (seat: Seat, freed: number) => void,
    touch: (seat: Seat) => void,
  ) {
    this.member = member;
    this.#settle = settle;
    this.#touch = touch;
  }

  touch(): void {
    this.#touch(this);
  }

  want(permits: number, time: number): void {
    const since = permits > 0 ? time : Infinity;
    if (permits === this.wants && since === this.since) return;
    this.wants = permits;
    this.since = since;
    this.#settle(this, 0);
  }

  leaving(permits: number): void {
    this.promised += permits;
    // What was told of that is over with it.
    this.yieldsTo = Infinity;
    this.#settle(this, 0);
  }

  giveBack(permits: number): void {
    this.held -= permits;
    this.promised = Math.max(0, this.promised - permits);
    this.#settle(this, permits);
  }
}

/**
 * At most `max` resources over all pools that are given it, those being created
 * or destroyed included. A permit is asked for before each create, in order of
 * arrival over all pools; while somebody waits for one, another pool parts with
 * what has been idle longest, else with what is released next unless its own
 * waiters came before. A create that settles only after its `createTimeout` is
 * not counted any more.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { LocalBudget } from "@lease/pool/budget";
 *
 * const budget = new LocalBudget(1);
 * await using a = new Pool({ create: () => "a", max: 1, budget });
 * await using b = new Pool({ create: () => "b", max: 1, budget });
 * await a.use((resource) => console.log(resource)); // a
 * await b.use((resource) => console.log(resource)); // b: what a had idle has left
 * ```
 */
export class LocalBudget implements Budget {
  /** Invariant: `max` less what the seats hold. */
  #free: number;
  /**
   * Those that want or hold something, the one that was touched or granted
   * something last at the end.
   */
  readonly #seats = new Set<Seat>();
  #isSettling = false;
  #isUnsettled = false;

  /**
   * @throws {TypeError} if `max` is no number
   * @throws {RangeError} if it is no positive integer
   */
  constructor(max: number) {
    new Check("Cannot create budget").that("max", max, COUNT);
    this.#free = max;
  }

  /** Called by the pools that are given it. */
  join(member: BudgetMember): LocalSeat {
    const settle = (seat: Seat, freed: number) => {
      this.#free += freed;
      if (seat.wants > 0 || seat.held > 0) this.#seats.add(seat);
      else this.#seats.delete(seat);
      this.#settle();
    };
    return new Seat(member, settle, (seat) => this.#renew(seat));
  }

  /** One after the other: a grant can make its seat want something else. */
  #settle(): void {
    this.#isUnsettled = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#isUnsettled) {
        this.#isUnsettled = false;
        this.#grant();
        this.#ask();
      }
    } finally {
      this.#isSettling = false;
    }
  }

  /** To the end of the order in which seats are asked to let go. */
  #renew(seat: Seat): void {
    if (this.#seats.delete(seat)) this.#seats.add(seat);
  }

  #grant(): void {
    while (this.#free > 0) {
      const seat = this.#first();
      if (seat === undefined) return;
      this.#free--;
      seat.wants--;
      seat.held++;
      this.#renew(seat);
      seat.member.grant(1);
    }
  }

  /** Who has waited longest. */
  #first(): Seat | undefined {
    let first: Seat | undefined;
    for (const seat of this.#seats) {
      if (seat.wants === 0) continue;
      if (first === undefined || seat.since < first.since) first = seat;
    }
    return first;
  }

  /** Asks for what those who wait for somebody lack. */
  #ask(): void {
    let lacking = 0;
    for (const { wants, since, promised } of this.#seats) {
      if (since !== Infinity) lacking += wants;
      lacking -= promised;
    }
    for (const seat of this.#seats) {
      while (lacking > 0 && seat.member.letGo()) {
        seat.promised++;
        lacking--;
      }
    }
    const since = lacking > 0 ? this.#first()!.since : Infinity;
    for (const seat of this.#seats) {
      const yieldsTo = seat.since <= since ? Infinity : since;
      if (yieldsTo === seat.yieldsTo) continue;
      seat.yieldsTo = yieldsTo;
      seat.member.yieldTo(yieldsTo);
    }
  }
}
