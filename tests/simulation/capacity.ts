import type { PoolStats, StripeStats } from "../../mod.ts";

/** How many slots each stripe has, and how many it may still have. */
export class Capacity {
  max: number;
  /** The least `max` of this epoch. */
  least: number;
  shares: readonly number[];
  /** By stripe: after a shrink it may have more than its share, fewer and fewer. */
  #most: number[];
  /** By stripe, the last epoch in which it had too many. */
  readonly #owedIn: number[];

  constructor(max: number, stripes: number) {
    this.max = this.least = max;
    this.shares = split(max, stripes);
    this.#most = [...this.shares];
    this.#owedIn = this.shares.map(() => -1);
  }

  /** Before the pool gets another `max`. */
  resize(max: number, { stripes }: PoolStats, epoch: number): void {
    this.max = max;
    this.least = Math.min(this.least, max);
    this.shares = split(max, stripes.length);
    this.#most = this.#most.map((most, i) =>
      Math.max(this.shares[i]!, Math.min(most, taken(stripes[i]!)))
    );
    this.see(stripes, epoch);
  }

  /** The rule that is broken by what the stripes have. */
  see(stripes: readonly StripeStats[], epoch: number): string | undefined {
    let mistake: string | undefined;
    stripes.forEach((stripe, i) => {
      const share = this.shares[i]!;
      const sum = taken(stripe);
      const most = this.#most[i]!;
      if (!(sum <= most)) mistake = `stripe ${i} has ${sum} of ${most}`;
      this.#most[i] = Math.max(share, Math.min(most, sum));
      if (sum > share) this.#owedIn[i] = epoch;
    });
    return mistake;
  }

  /** How many slots there may be. */
  get most(): number {
    return this.#most.reduce((sum, most) => sum + most, 0);
  }

  /** Whether a stripe had too many in this epoch. */
  owes(stripe: number, epoch: number): boolean {
    return this.#owedIn[stripe] === epoch;
  }

  endEpoch(): void {
    this.least = this.max;
  }
}

function taken({ idle, used, creating, destroying }: StripeStats): number {
  return idle + used + creating + destroying;
}

function split(max: number, stripes: number): number[] {
  return Array.from(
    { length: stripes },
    (_, i) => Math.ceil((max - i) / stripes),
  );
}
