import type { Line } from "../core/line.ts";
import type { Partition } from "../core/partition.ts";
import {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
  type PoolError,
  PoolFullError,
  PoolOverloadedError,
} from "../pool_error.ts";
import { type Circumstance, sentence } from "../sentence.ts";
import type { Pending } from "./pending.ts";
import type { Call } from "./user_call.ts";

/** Knows how a line is at a moment, beside its counts. */
type Witness<T> = (
  line: Line<T>,
  now: number,
) => Omit<Circumstance, "stats">;

/** What those who are refused in one line at one moment are told. */
type Details = Pick<PoolError, "poolName" | "stats"> & ErrorOptions;

/** What acquires are refused with, and calls that pass their limit fail with. */
export class Refusals<T> {
  readonly #name: string;
  readonly #partition: Partition<T>;
  readonly #witness: Witness<T>;
  /** The last failure of `create` for each line, unless one succeeded since. */
  readonly #failures = new Map<Line<T>, unknown>();

  constructor(name: string, partition: Partition<T>, witness: Witness<T>) {
    this.#name = name;
    this.#partition = partition;
    this.#witness = witness;
  }

  /** Until `createWorks`, this is the cause of what is refused. */
  createFailed(line: Line<T>, error: unknown): void {
    this.#failures.set(line, error);
  }

  createWorks(line: Line<T>): void {
    this.#failures.delete(line);
  }

  causeOf(line: Line<T>): unknown {
    return this.#failures.get(line);
  }

  /** Something comes too late, of a stripe, or of the pool. */
  closed(home = -1, act = "acquire from"): PoolClosedError {
    const line = this.#partition.lineOf(this.#partition.homeOf(home));
    return this.closing(line, 0, act)({ since: 0 });
  }

  /**
   * Those who wait in a line when it closes. As they come in order of arrival,
   * those who have waited equally long, in whole ms, share one error.
   */
  closing(
    line: Line<T>,
    now: number,
    act = "acquire from",
  ): (waiter: Pick<Pending<T>, "since">) => PoolClosedError {
    const details = this.#details(line);
    const message = `Cannot ${act} pool '${this.#name}' as it is closed`;
    let last: PoolClosedError | undefined;
    return ({ since }) => {
      const waited = Math.round(now - since);
      if (last?.waited !== waited) {
        last = new PoolClosedError(message, { ...details, waited });
      }
      return last;
    };
  }

  /** Where those who wait are shed: the turn of one that waited too long came. */
  overloaded(
    line: Line<T>,
    now: number,
    { since }: Pick<Pending<T>, "since">,
  ): PoolOverloadedError {
    const waited = Math.round(now - since);
    return new PoolOverloadedError(
      `${this.#cannotAcquire} as it is overloaded: waited for ${waited} ms`,
      { ...this.#details(line), waited },
      line.shed!.retryAfter,
    );
  }

  full(line: Line<T>, now: number): PoolFullError {
    const details = { ...this.#details(line), waited: 0 };
    const { pending } = details.stats;
    const why = `as ${pending} ${pending === 1 ? "waits" : "wait"} already`;
    return new PoolFullError(
      `${this.#cannotAcquire} ${why}: ${this.#state(line, now, details)}`,
      details,
    );
  }

  /**
   * Those who time out in a line at one moment; they share what it is made of.
   * `first` is the one who has waited longest, if any has.
   */
  timeouts(
    line: Line<T>,
    now: number,
    first?: Pending<T>,
  ): (waiter: Pick<Pending<T>, "since" | "timeout">) => AcquireTimeoutError {
    const details = this.#details(line);
    const state = this.#state(line, now, details, first);
    return ({ since, timeout }) =>
      new AcquireTimeoutError(
        `${this.#cannotAcquire} within ${timeout} ms: ${state}`,
        { ...details, waited: Math.round(now - since) },
      );
  }

  /** A call of user code passed its limit. */
  late({ name, limit, stripe }: Call, took: number): CallTimeoutError {
    const { stats } = this.#details(this.#partition.lineOf(stripe));
    // Without a cause: each would be that of the next.
    return new CallTimeoutError(
      `'${name}' of pool '${this.#name}' did not settle within ${limit} ms`,
      { poolName: this.#name, stats, waited: Math.round(took) },
      `${name.toUpperCase() as Uppercase<Call["name"]>}_TIMEOUT`,
    );
  }

  get #cannotAcquire(): string {
    return `Cannot acquire from pool '${this.#name}'`;
  }

  #details(line: Line<T>): Details {
    const { spare: _, ...stats } = line.stats();
    const cause = this.causeOf(line);
    return {
      poolName: this.#name,
      stats: Object.freeze(stats),
      ...cause !== undefined && { cause },
    };
  }

  /** A sentence, and the counts as in `9 idle, 1 used`. */
  #state(
    line: Line<T>,
    now: number,
    details: Details,
    first?: Pending<T>,
  ): string {
    const noneReleasedFor = first !== undefined && line.isStuck(first)
      ? now - first.since
      : undefined;
    const known = { ...this.#witness(line, now), ...details, noneReleasedFor };
    const { waiting: _, validating: __, ...shown } = details.stats;
    const counts = Object.entries(shown).map(([name, n]) => `${n} ${name}`);
    return `${sentence(known)} (${counts.join(", ")})`;
  }
}
