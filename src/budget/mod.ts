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

/** What one line of a pool has of a budget, and what it lacks. */
class Share {
  readonly member: BudgetMember;
  /** How many permits it could use more, and since when one waits for them. */
  wants = 0;
  since = Infinity;
  /** How many it holds, and how many of them come back soon. */
  held = 0;
  promised = 0;
  /** Since when another waits, as it was told last. */
  yieldsTo = Infinity;
  /** Nothing of it has been idle since earlier, so that few need be asked. */
  idleSince = -Infinity;

  constructor(member: BudgetMember) {
    this.member = member;
  }
}

/**
 * At most `max` resources over all pools that are given it, those being created
 * or destroyed included. A permit is asked for before each create, in order of
 * arrival over all pools; while somebody waits for one, the pool in which
 * something has been idle longest parts with it, but never with its `min`, nor
 * with what a `warm` of it still waits for; where nothing is idle, what is
 * released next goes, unless who waits for it there came before. A `warm` of more
 * than there are permits waits until its signal aborts. A create that settles
 * only after its `createTimeout` is not counted any more. The pools should have
 * one `clock`, or each the default.
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
  /** Invariant: `max` less what is held. */
  #left: number;
  /** Invariant: the sum over all shares. */
  #promised = 0;
  /** Those that hold something. */
  readonly #holders = new Set<Share>();
  /** Those that want something, in the order in which they came to. */
  readonly #wanting = new Set<Share>();
  /** Since when one waits for what is released, as the holders were told. */
  #told = Infinity;
  #isSettling = false;
  #isUnsettled = false;

  /**
   * Shares out `max` permits.
   *
   * @throws {TypeError} if `max` is no number
   * @throws {RangeError} if it is no positive integer
   */
  constructor(max: number) {
    new Check("Cannot create budget").that("max", max, COUNT);
    this.#left = max;
  }

  /** Called by the pools that are given it. */
  join(member: BudgetMember): BudgetSeat {
    const share = new Share(member);
    return {
      want: (permits, since) => this.#want(share, permits, since),
      leaving: (permits) => {
        // What it was told is over with that.
        share.yieldsTo = Infinity;
        this.#promise(share, permits);
        this.#settle();
      },
      giveBack: (permits) => this.#giveBack(share, permits),
    };
  }

  #want(share: Share, permits: number, time: number): void {
    const since = permits > 0 ? time : Infinity;
    if (permits === share.wants && since === share.since) return;
    // Of two that came at the same time, the one that said so first is first.
    if (permits === 0 || since !== share.since) this.#wanting.delete(share);
    if (permits > 0) this.#wanting.add(share);
    share.wants = permits;
    share.since = since;
    this.#settle();
  }

  #giveBack(share: Share, permits: number): void {
    this.#left += permits;
    share.held -= permits;
    this.#promise(share, -Math.min(permits, share.promised));
    if (share.held === 0) {
      this.#holders.delete(share);
      this.#tell(share, Infinity);
    }
    this.#settle();
  }

  #promise(share: Share, permits: number): void {
    share.promised += permits;
    this.#promised += permits;
  }

  #tell(share: Share, since: number): void {
    if (share.yieldsTo === since) return;
    share.yieldsTo = since;
    share.member.yieldTo(since);
  }

  /** One after the other: a grant can make its pool want something else. */
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

  /** To who has waited longest. */
  #grant(): void {
    while (this.#left > 0 && this.#wanting.size > 0) {
      let first: Share | undefined;
      for (const share of this.#wanting) {
        if (first === undefined || share.since < first.since) first = share;
      }
      const share = first!;
      this.#left--;
      share.held++;
      this.#holders.add(share);
      if (--share.wants === 0) this.#wanting.delete(share);
      share.member.grant(1);
    }
  }

  /** Asks for what those who wait for somebody lack. */
  #ask(): void {
    for (;;) {
      const since = this.#lacksSince();
      const share = since === Infinity ? undefined : this.#idlest(since);
      if (share === undefined) return this.#tellAll(since);
      this.#promise(share, 1);
      share.member.letGo();
    }
  }

  /** Since when the first waits for whom nothing comes back. */
  #lacksSince(): number {
    const waiting = [...this.#wanting].sort((a, b) => a.since - b.since);
    let left = this.#promised;
    return waiting.find(({ wants }) => (left -= wants) < 0)?.since ?? Infinity;
  }

  /** Where something has been idle longest. */
  #idlest(since: number): Share | undefined {
    let idlest: Share | undefined;
    let earliest = Infinity;
    for (const share of this.#holders) {
      if (share.idleSince >= earliest) continue;
      const { idleSince } = share.member;
      // What is used now will be idle from a later time on.
      share.idleSince = Math.min(idleSince, since);
      if (idleSince >= earliest) continue;
      earliest = idleSince;
      idlest = share;
    }
    return idlest;
  }

  #tellAll(since: number): void {
    if (since === Infinity && this.#told === Infinity) return;
    this.#told = since;
    for (const share of this.#holders) this.#tell(share, since);
  }
}
