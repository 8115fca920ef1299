/** A seeded source of numbers: the same seed gives the same ones anywhere. */
export class Random {
  #state: number;

  /** Several seeds are mixed, so near ones give unrelated numbers. */
  constructor(...seeds: number[]) {
    let state = 0x9e3779b9;
    for (const seed of seeds) {
      state = Math.imul(state ^ seed, 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      state ^= state >>> 16;
    }
    this.#state = state;
  }

  /** An integer from 0 up to, but not, `n`. */
  below(n: number): number {
    return Math.floor(this.real() * n);
  }

  /** From 0 up to, but not, 1 (mulberry32). */
  real(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(percent: number): boolean {
    return this.below(1000) < percent * 10;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
