/** What happened to a pool under load, and whether that is as promised. */

import type { PoolObserver, PoolStats } from "@lease/pool";
import type { PostgresCensus } from "./postgres_census.ts";

/** What was asked of the pool. */
export interface Plan {
  queries: number;
  kills: number;
  max: number;
}

export class PostgresTally {
  answered = 0;
  repeated = 0;
  aborted = 0;
  killed = 0;
  readonly #plan: Plan;
  readonly #start = performance.now();
  readonly #waits: number[] = [];
  readonly #destroyed: Record<string, number> = {};
  #created = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** For the option `observer` of the pool. */
  readonly observer: PoolObserver<unknown> = {
    created: () => {
      this.#created++;
    },
    destroyed: ({ reason }) => {
      this.#destroyed[reason] = (this.#destroyed[reason] ?? 0) + 1;
    },
    acquired: ({ wait }) => {
      this.#waits.push(wait);
    },
  };

  /** One line for the time between. */
  progress({ idle, used, creating, destroying, pending }: PoolStats): string {
    const { queries } = this.#plan;
    const bar = "█".repeat(20 * this.answered / queries).padEnd(20, "░");
    const open = idle + used + creating + destroying;
    const share = `${integer(this.answered)} of ${integer(queries)}`;
    return `  ${bar} ${share} answered, ${open} connections, ${pending} waiting`;
  }

  /** Prints what happened; throws if a promise was not kept. */
  report(stats: PoolStats, census: PostgresCensus, remaining: number[]): void {
    const { queries, kills, max } = this.#plan;
    const { idle, used, creating, destroying, pending } = stats;
    const seconds = (performance.now() - this.#start) / 1_000;
    const rate = integer(this.answered / seconds);
    const reasons = Object.entries(this.#destroyed);
    const destroyed = reasons.reduce((sum, [, count]) => sum + count, 0);
    const why = reasons.map(([reason, count]) => `${count} by ${reason}`);
    const leaked = idle + used + creating + destroying + pending +
      remaining.length;

    console.log();
    print("queries", `${integer(this.answered)} answered, ${rate} a second`);
    print("killed", `${this.killed} connections at the server`);
    print("repeated", `${this.repeated} queries, as their connection was lost`);
    print("aborted", `${this.aborted} acquires, by their signal`);
    print("waited", `${this.#wait(0.5)} at p50, ${this.#wait(0.99)} at p99`);
    print("created", `${this.#created} connections`);
    print("destroyed", `${destroyed} connections: ${why.join(", ")}`);
    const { peak, samples } = census;
    print("peak", `${peak} of ${max}, in ${samples} counts by the server`);
    print("left over", `${leaked}, by the pool's count and the server's`);
    console.log();

    check(this.answered === queries, "a query has no answer");
    check(this.aborted > 0, "no acquire was aborted");
    check(this.killed === kills, "too few connections were killed");
    check(this.#created === destroyed, "a connection was not destroyed");
    check(census.peak <= max, "there were too many connections");
    check(leaked === 0, "something leaked");
  }

  #wait(share: number): string {
    const waits = this.#waits.sort((a, b) => a - b);
    return `${waits[Math.floor(waits.length * share)]?.toFixed(1)} ms`;
  }
}

function print(what: string, text: string): void {
  console.log(`  ${what.padEnd(12)}${text}`);
}

function check(kept: boolean, otherwise: string): void {
  if (!kept) throw new Error(`not as promised: ${otherwise}`);
}

function integer(value: number): string {
  return Math.round(value).toLocaleString("en");
}
