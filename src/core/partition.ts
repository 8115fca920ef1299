import type { Effects } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { Gate } from "./gate.ts";
import { IdleOrder } from "./idle_order.ts";
import { Line, type LineRules } from "./line.ts";
import type { Stripe } from "./stripe.ts";
import { StripeSets } from "./stripe_set.ts";

/** How many slots a pool has, and how they are split. */
export interface Shape {
  readonly max: number;
  readonly stripes: number;
  /** Whether each stripe has a line of its own and serves no other. */
  readonly isolated: boolean;
  /** How many creates may be in flight. */
  readonly maxCreating: number;
}

/** The lines of a pool: one over all stripes, or one for each. */
export class Partition<T> {
  readonly lines: readonly Line<T>[];
  readonly stripes: readonly Stripe<T>[];
  /** The one line that serves all. */
  readonly #only: Line<T> | undefined;
  readonly #sets = new StripeSets<Stripe<T>>();
  readonly #order: IdleOrder<T> | undefined;
  /** Whose line the next one joins that no stripe can serve. */
  #turn = 0;

  constructor(shape: Shape, rules: LineRules, effects: Effects<T>) {
    const shares = split(shape.max, shape.stripes);
    this.#order = rules.oldestFirst ? new IdleOrder() : undefined;
    const gate = new Gate(shape.maxCreating);
    const line = (first: number, shares: readonly number[]) =>
      new Line(first, shares, rules, this.#sets, gate, effects, this.#order);
    this.lines = shape.isolated
      ? shares.map((share, id) => line(id, [share]))
      : [line(0, shares)];
    this.#only = this.lines.length === 1 ? this.lines[0] : undefined;
    this.stripes = this.lines.flatMap(({ stripes }) => stripes);
    // The set gives its last: so the first stripe is the first to be filled.
    for (let i = shape.stripes; i-- > 0;) {
      this.#sets.addSpare(this.stripes[i]!);
    }
  }

  /** As `Line.take`, from any line if `home` is -1. */
  take(home: number, now: number): Entry<T> | undefined {
    return this.#only !== undefined
      ? this.#only.take(home, now)
      : this.#take(home, now);
  }

  /** Splits so many slots anew. */
  resize(max: number): void {
    const shares = split(max, this.stripes.length);
    if (this.#only !== undefined) this.#only.resize(shares);
    else this.lines.forEach((line, id) => line.resize([shares[id]!]));
  }

  /** The line that one with this home waits in. */
  lineOf(home: number): Line<T> {
    return this.#only ?? this.lines[home]!;
  }

  /** The home of a newcomer that has to wait: its own, else with a spare slot. */
  homeOf(home: number): number {
    if (home >= 0 || this.#only !== undefined) return home;
    const stripe = this.#sets.withSpare() ??
      this.stripes[this.#turn++ % this.stripes.length]!;
    return stripe.id;
  }

  #take(home: number, now: number): Entry<T> | undefined {
    if (home >= 0) return this.lines[home]!.take(home, now);
    for (let stripe; (stripe = this.#withIdle()) !== undefined;) {
      const entry = this.lines[stripe.id]!.take(home, now);
      // Where somebody waits, what is idle is not for a newcomer.
      if (entry !== undefined || stripe.newest !== undefined) return entry;
    }
    return undefined;
  }

  #withIdle(): Stripe<T> | undefined {
    if (this.#order === undefined) return this.#sets.withIdle();
    const { first } = this.#order;
    return first && this.stripes[first.stripe];
  }
}

/** Splits `max` slots over `n` stripes; the first `max mod n` get one more. */
export function split(max: number, n: number): number[] {
  const least = Math.floor(max / n);
  const more = max % n;
  return Array.from({ length: n }, (_, i) => i < more ? least + 1 : least);
}

/**
 * The home stripe of an affinity among `n`: a number mod n, or a string by its
 * 32-bit FNV-1a hash over UTF-16 code units.
 */
export function home(affinity: string | number, n: number): number {
  if (typeof affinity === "number") {
    const stripe = Math.floor(affinity) % n;
    return stripe < 0 ? stripe + n : stripe;
  }
  let hash = 0x811c9dc5;
  for (let i = 0; i < affinity.length; i++) {
    hash = Math.imul(hash ^ affinity.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % n;
}
