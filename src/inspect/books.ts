import { PoolError } from "../pool_error.ts";
import { reason } from "../sentence.ts";
import { Histogram } from "./histogram.ts";
import { cut } from "./cut.ts";

/** What acquires fail with, by its code. What is not in here is `other`. */
const FAILURES = new Map<string, string>([
  ["ACQUIRE_TIMEOUT", "timeout"],
  ["FULL", "full"],
  ["OVERLOADED", "overloaded"],
  ["NESTED", "nested"],
  ["CLOSED", "closed"],
]);

/** How often something of a few kinds has been. */
class Tally extends Map<string, number> {
  count(kind: string): void {
    this.set(kind, (this.get(kind) ?? 0) + 1);
  }
}

/** What is counted of a pool, from its events; of fixed size. */
export class Books {
  readonly waits = new Histogram();
  readonly uses = new Histogram();
  readonly creates = new Histogram();
  readonly failures = new Tally();
  readonly destroyed = new Tally();
  served = 0;
  created = 0;
  createsFailed = 0;
  detached = 0;
  leaked = 0;
  outages = 0;
  isClosed = false;
  /** What the last create that failed did so with, and when. */
  lastFailure: { message: string; at: number } | undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a pool is to tell. */
  readonly observer = {
    created: ({ duration }: { duration: number }): void => {
      this.created++;
      this.creates.add(duration, this.#now());
    },
    createFailed: ({ error }: { error: unknown }): void => {
      this.createsFailed++;
      this.lastFailure = { message: cut(reason(error)), at: this.#now() };
    },
    acquired: ({ wait }: { wait: number }): void => {
      this.served++;
      this.waits.add(wait, this.#now());
    },
    acquireFailed: ({ error }: { error: unknown }): void => {
      this.failures.count(kind(error));
    },
    released: ({ use }: { use: number }): void => {
      this.uses.add(use, this.#now());
    },
    destroyed: ({ reason, use }: { reason: string; use?: number }): void => {
      this.destroyed.count(reason);
      if (use !== undefined) this.uses.add(use, this.#now());
    },
    detached: ({ use }: { use: number }): void => {
      this.detached++;
      this.uses.add(use, this.#now());
    },
    leaked: (): void => {
      this.leaked++;
    },
    outageBegan: (): void => {
      this.outages++;
    },
    closed: (): void => {
      this.isClosed = true;
    },
  };
}

/** An aborted signal and a failed create have whatever errors they have. */
function kind(error: unknown): string {
  const code = error instanceof PoolError ? error.code : "";
  return FAILURES.get(code) ?? "other";
}
