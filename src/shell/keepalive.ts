import type { Entry } from "../core/entry.ts";
import type { Line } from "../core/line.ts";
import type { Chore } from "./agenda.ts";
import type { Eviction } from "./eviction.ts";
import type { Parts } from "./parts.ts";
import type { Validating } from "./validating.ts";

/** The chore that validates what has been idle for long, one at a time. */
export class Keepalive<T> implements Chore {
  readonly #parts: Parts<T>;
  readonly #validating: Validating<T>;
  readonly #eviction: Eviction<T>;
  readonly #keepalive: number;
  #isChecking = false;
  /** Invariant: `Infinity` while nothing is idle, and during a check. */
  due = Infinity;

  constructor(
    parts: Parts<T>,
    validating: Validating<T>,
    eviction: Eviction<T>,
  ) {
    this.#parts = parts;
    this.#validating = validating;
    this.#eviction = eviction;
    this.#keepalive = parts.settings.keepalive;
    parts.agenda.add(this);
  }

  /** Something has become idle, or is so after a pause, and may be due. */
  watch(now: number): void {
    if (this.due !== Infinity || this.#isChecking) return;
    this.due = now;
    this.#parts.agenda.advance(this.due);
  }

  work(now: number): void {
    this.due = Infinity;
    let line: Line<T> | undefined;
    let entry: Entry<T> | undefined;
    let earliest = Infinity;
    for (const candidate of this.#parts.partition.lines) {
      const found = candidate.leastChecked();
      const time = found?.trustedAt ?? Infinity;
      if (time >= earliest) continue;
      earliest = time;
      line = candidate;
      entry = found;
    }
    if (line === undefined || entry === undefined) {
      this.#parts.watches = true;
    } else if (now < earliest + this.#keepalive) {
      this.due = earliest + this.#keepalive;
    } else this.#check(line, entry);
  }

  /** Without a timer nothing is checked. */
  fail(): void {
    this.due = Infinity;
    this.#parts.watches = true;
  }

  #check(line: Line<T>, entry: Entry<T>): void {
    this.#isChecking = true;
    line.inspect(entry);
    this.#validating.inspect(entry, () => {
      this.#isChecking = false;
      // A sweep meanwhile did not see it.
      if (entry.place === "idle") this.#eviction.expect(entry.endsAt);
      // The next one may be due already; it has a turn of its own.
      this.due = this.#parts.time.now();
      this.#parts.agenda.advance(this.due);
    });
  }
}
