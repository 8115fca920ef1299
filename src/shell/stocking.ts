import { split } from "../core/partition.ts";
import { Alarm, type Ringer } from "./alarm.ts";
import type { Context } from "./context.ts";
import type { Eviction } from "./eviction.ts";
import { removeListener } from "./listener.ts";
import type { Parts } from "./parts.ts";

/** A call of `warm` that waits. */
interface Warming {
  /** How many resources it waits for. */
  readonly n: number;
  /** How many creates had begun before it. */
  readonly begun: number;
  end(settle: () => void): void;
  fail(error: unknown): void;
  readonly resolve: () => void;
}

/** Keeps the minimum, and more while a `warm` waits for it. */
export class Stocking<T> implements Ringer {
  readonly #parts: Parts<T>;
  readonly #eviction: Eviction<T>;
  /** Keeps the process alive while a `warm` waits. */
  readonly #alarm: Alarm;
  readonly #warmings = new Set<Warming>();
  /**
   * Whether the minimum is kept: from the first acquire, or `warm`, on, and
   * without a retry until a create fails.
   */
  #isKept = false;
  /** How many resources are kept. */
  #kept = 0;
  #isClosed = false;

  constructor(parts: Parts<T>, context: Context, eviction: Eviction<T>) {
    this.#parts = parts;
    this.#eviction = eviction;
    this.#alarm = new Alarm(parts.time, context, this, true);
  }

  /** From now on the minimum is kept. */
  begin(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    if (this.#parts.settings.min > 0) this.#stock();
  }

  /** Resolves when `n` resources exist. */
  warm(
    n: number,
    begun: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (!signal!.aborted) return;
        warming.fail(signal!.reason);
        this.#parts.play();
      };
      const warming: Warming = {
        n,
        begun,
        resolve,
        fail: (error) => warming.end(() => reject(error)),
        end: (settle) => {
          if (!this.#warmings.delete(warming)) return;
          if (this.#warmings.size === 0) this.#alarm.clear();
          if (signal !== undefined) removeListener(signal, onAbort);
          settle();
          this.#stock();
        },
      };
      signal?.addEventListener("abort", onAbort);
      this.#warmings.add(warming);
      // Taking the listener may have closed the pool.
      if (this.#isClosed) return warming.fail(this.#parts.refusals.closed());
      this.#isKept = true;
      this.#alarm.set(Infinity);
      this.#stock();
      this.created();
      // Taking the listener may have aborted it.
      if (signal !== undefined) onAbort();
      this.#parts.play();
    });
  }

  /** There is room for another number. */
  resized(): void {
    this.#stock();
    this.created();
  }

  /** There is one resource more, or room for less. */
  created(): void {
    const { lines } = this.#parts.partition;
    for (const { n, resolve, end } of this.#warmings) {
      const shares = this.#shares(n);
      const isWarm = lines.every((line, i) => line.existing >= shares[i]!);
      if (isWarm) end(resolve);
    }
  }

  /** A create failed, before which so many had begun. */
  failed(begun: number, error: unknown): void {
    for (const warming of this.#warmings) {
      if (begun >= warming.begun) warming.fail(error);
    }
    if (this.#parts.settings.createRetry !== false) return;
    // Nothing would come between a failure and the next create.
    this.#isKept = false;
    this.#stock();
  }

  /** The pool closes: nothing is kept any more. */
  close(error: unknown): void {
    this.#isClosed = true;
    this.fail(error);
    for (const line of this.#parts.partition.lines) line.stock(0);
  }

  fail(error: unknown): void {
    for (const warming of this.#warmings) warming.fail(error);
  }

  #stock(): void {
    if (this.#isClosed) return;
    const warmed = [...this.#warmings].map(({ n }) => n);
    const min = this.#isKept ? this.#parts.settings.min : 0;
    const kept = Math.max(min, ...warmed);
    const shares = this.#shares(kept);
    // What was kept beyond its end is not any more.
    if (kept < this.#kept) this.#eviction.expect(this.#parts.time.now());
    this.#kept = kept;
    this.#parts.partition.lines.forEach((line, i) => line.stock(shares[i]!));
  }

  /** How many of so many resources each line has, as far as there is room. */
  #shares(resources: number): number[] {
    const { lines } = this.#parts.partition;
    const max = lines.reduce((sum, line) => sum + line.max, 0);
    return split(Math.min(resources, max), lines.length);
  }
}
