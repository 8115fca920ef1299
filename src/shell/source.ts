import type { HeapNode } from "../core/heap.ts";
import type { Line } from "../core/line.ts";
import { Growth } from "../policy/growth.ts";
import { Outage } from "../policy/outage.ts";
import { Pace } from "../policy/pace.ts";
import type { PoolSettings } from "../pool_options.ts";
import type { Birth } from "./birth.ts";
import type { Timed } from "./deadline_list.ts";

/** A failure before any success, and whom it will reject. */
interface Trial {
  readonly error: unknown;
  /** Those who came before this place. */
  readonly order: number;
}

/** What is known of the creates of one line. */
export class Source<T> implements Timed {
  readonly line: Line<T>;
  readonly pace = new Pace();
  readonly outage: Outage | undefined;
  readonly growth: Growth | undefined;
  /** The creates in flight, the one that began first first. */
  readonly births = new Set<Birth<T>>();
  /** Those of them that are counted on. */
  readonly coming = new Set<Birth<T>>();
  trial: Trial | undefined = undefined;
  /** Tell of what began and ended that observers have not heard of yet. */
  readonly untold: (() => void)[] = [];
  /** Until then no waiter that times out gives up on a create. */
  trustsUntil = -Infinity;
  /** When it is to be looked at. */
  deadline = Infinity;
  later: Timed | HeapNode<Timed> | undefined = undefined;
  sooner: Timed | undefined = undefined;

  constructor(line: Line<T>, { createRetry, growth }: PoolSettings<T>) {
    this.line = line;
    this.outage = createRetry ? new Outage(createRetry) : undefined;
    this.growth = growth === "measured" ? new Growth() : undefined;
  }

  /** Before it, a create of this line has never succeeded. */
  get isNew(): boolean {
    return this.pace.usual === undefined;
  }

  begun(birth: Birth<T>): void {
    this.births.add(birth);
    this.coming.add(birth);
  }

  ended(birth: Birth<T>): void {
    birth.isOver = true;
    this.births.delete(birth);
    this.coming.delete(birth);
  }

  /** It is not counted on any more. */
  giveUpOn(birth: Birth<T>): void {
    this.coming.delete(birth);
    this.line.giveUpOn(birth.creation);
  }

  /**
   * Gives up on what is overdue, rejects whom a first failure rejects, opens what
   * may open, and owes those who have waited for the usual time of a create one
   * each. Gives when to look again.
   */
  look(now: number): number {
    const { outage, line } = this;
    const due = this.growth === undefined ? Infinity : this.#giveUp(now);
    if (outage !== undefined) {
      const { nextAt } = outage;
      this.#judge();
      line.allow(outage.allowance(now) + line.overdue);
      if (now < nextAt) return Math.min(due, nextAt, this.#owe(now));
    }
    return Math.min(due, this.#owe(now));
  }

  #giveUp(now: number): number {
    for (const birth of this.coming) {
      const due = birth.began + this.pace.patience;
      if (now < due) return due;
      this.pace.wasOverdue();
      this.giveUpOn(birth);
    }
    return Infinity;
  }

  #owe(now: number): number {
    const { line, pace } = this;
    const limit = Math.min(line.spare + line.creating, line.waiting);
    if (this.growth === undefined) return Infinity;
    // Nothing they could wait for is there, or comes: what was to has failed.
    if (line.existing === 0 && line.coming === 0) line.owe(limit);
    if (line.owed >= limit) return Infinity;
    const usual = pace.usual ?? pace.patience;
    // What was waited in a pause does not count.
    const least = line.resumedAt + usual;
    if (now < least) return least;
    let { count, next } = line.waitingSince(now - usual, limit);
    // By rounding one is due at `now` that seems to have come later.
    while (next + usual <= now) {
      ({ count, next } = line.waitingSince(next, limit));
    }
    line.owe(count);
    return next + usual;
  }

  #judge(): void {
    const { trial, line } = this;
    // Since the failure none has begun: those in flight are more than allowed.
    if (trial === undefined || this.coming.size > 0) return;
    // One that is lost will say itself why it failed.
    for (const { creation } of this.births) if (creation.isLost) return;
    this.trial = undefined;
    line.reject(trial.order, trial.error);
  }
}
