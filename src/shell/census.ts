import type { Line } from "../core/line.ts";
import type { Partition } from "../core/partition.ts";
import {
  COUNTS,
  type LineDetails,
  type PoolDetails,
  type PoolStats,
} from "../pool_stats.ts";
import type { Events } from "./events.ts";

/** Counts what is where, and tells of a change in who is pending. */
export class Census<T> {
  readonly #partition: Partition<T>;
  readonly #events: Events<T>;
  /** How many acquires were pending when that was told last. */
  #told = 0;

  constructor(partition: Partition<T>, events: Events<T>) {
    this.#partition = partition;
    this.#events = events;
  }

  get max(): number {
    return this.#partition.lines.reduce((sum, { max }) => sum + max, 0);
  }

  stats(): PoolStats {
    const { lines, stripes } = this.#partition;
    const stats: PoolStats = {
      ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
      ...{ pending: 0, waiting: 0, validating: 0, max: this.max },
      stripes: stripes.map((stripe) => {
        const { spare: _, ...slots } = stripe.slots();
        const line = this.#partition.lineOf(stripe.id);
        const { pending, waiting, validating } = line.stats();
        return { ...slots, pending, waiting, validating, max: stripe.max };
      }),
    };
    for (const line of lines) {
      const counts = line.stats();
      for (const name of COUNTS) stats[name] += counts[name];
    }
    return stats;
  }

  /** As `stats`, and what there is to tell of each line. */
  details(detail: (line: Line<T>) => LineDetails): PoolDetails {
    const { lines, stripes } = this.#partition;
    const stats = this.stats();
    return {
      ...stats,
      stripes: stats.stripes.map((counts, i) => ({
        ...counts,
        overdue: stripes[i]!.overdue,
      })),
      lines: lines.map(detail),
    };
  }

  /** From now on changes are told: who is pending already is none. */
  begin(): void {
    this.#told = this.#pending;
  }

  /** Gives whether it told of a change, which may have caused more. */
  tell(): boolean {
    if (!this.#events.asksPending) return false;
    const pending = this.#pending;
    if (pending === this.#told) return false;
    this.#told = pending;
    this.#events.tell("pendingChanged", { pending });
    return true;
  }

  get #pending(): number {
    return this.#partition.lines.reduce((sum, { pending }) => sum + pending, 0);
  }
}
