/** What the sets need of a stripe; the flags are theirs. */
interface Giver {
  /** Something idle, if there is any. */
  readonly newest: unknown;
  readonly spare: number;
  inIdle: boolean;
  inSpare: boolean;
}

/**
 * The stripes of a pool that have something to give. Adding and picking are
 * O(1), the latter amortised: one that has nothing left is dropped when met, so
 * a stripe that gives and gets in turn costs nothing here.
 */
export class StripeSets<S extends Giver> {
  /** Invariant: holds every stripe with an idle entry, and each once. */
  readonly #idle: S[] = [];
  /** Invariant: holds every stripe with a spare slot, and each once. */
  readonly #spare: S[] = [];

  addIdle(stripe: S): void {
    if (stripe.inIdle) return;
    stripe.inIdle = true;
    this.#idle.push(stripe);
  }

  addSpare(stripe: S): void {
    if (stripe.inSpare) return;
    stripe.inSpare = true;
    this.#spare.push(stripe);
  }

  /** The stripe added last of those with an idle entry. */
  withIdle(): S | undefined {
    for (let stripe; (stripe = this.#idle.at(-1)) !== undefined;) {
      if (stripe.newest !== undefined) return stripe;
      stripe.inIdle = false;
      this.#idle.pop();
    }
    return undefined;
  }

  /** The stripe added last of those with a spare slot. */
  withSpare(): S | undefined {
    for (let stripe; (stripe = this.#spare.at(-1)) !== undefined;) {
      if (stripe.spare > 0) return stripe;
      stripe.inSpare = false;
      this.#spare.pop();
    }
    return undefined;
  }
}
