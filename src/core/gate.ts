/** What a gate lets in, or later runs again. */
interface Visitor {
  /** A place has come free. */
  resume(): void;
}

/** A limit that lines share; those it refused are run in order. */
export class Gate {
  #free: number;
  /** Invariant: while it is not empty, no place is free. */
  readonly #refused = new Set<Visitor>();

  constructor(places: number) {
    this.#free = places;
  }

  /** How many it would let in. */
  get places(): number {
    return this.#free;
  }

  enter(visitor: Visitor): boolean {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    this.#refused.add(visitor);
    return false;
  }

  leave(): void {
    this.#free++;
    for (const visitor of this.#refused) {
      if (this.#free <= 0) return;
      this.#refused.delete(visitor);
      visitor.resume();
    }
  }
}
