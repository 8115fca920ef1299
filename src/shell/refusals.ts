import type { Line, LineStats } from "../core/line.ts";
import {
  AcquireTimeoutError,
  PoolClosedError,
  PoolFullError,
} from "../pool_error.ts";

/** What acquires are refused with. */
export class Refusals<T> {
  readonly #name: string;
  /** The last failure of `create` for each line, unless one succeeded since. */
  readonly #failures = new Map<Line<T>, unknown>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Until `createWorks`, this is the cause of what times out. */
  createFailed(line: Line<T>, error: unknown): void {
    this.#failures.set(line, error);
  }

  createWorks(line: Line<T>): void {
    this.#failures.delete(line);
  }

  closed(): PoolClosedError {
    return new PoolClosedError(this.#say("as it is closed"));
  }

  full(line: Line<T>, maxPending: number): PoolFullError {
    const counts = inWords(line.stats());
    return new PoolFullError(
      this.#say(`as ${maxPending} wait already: ${counts}`),
    );
  }

  timeout(
    line: Line<T>,
    timeout: number,
    counts: string = inWords(line.stats()),
  ): AcquireTimeoutError {
    const cause = this.#failures.get(line);
    return new AcquireTimeoutError(
      this.#say(`within ${timeout} ms: ${counts}`),
      cause === undefined ? {} : { cause },
    );
  }

  #say(why: string): string {
    return `Cannot acquire from pool '${this.#name}' ${why}`;
  }
}

/** Counts as in `9 idle, 1 used`. */
export function inWords(stats: LineStats): string {
  const { idle, used, creating, destroying, pending, max } = stats;
  const counts = { idle, used, creating, destroying, pending, max };
  return Object.entries(counts).map(([name, n]) => `${n} ${name}`).join(", ");
}
