/**
 * The part of the graph of states that liveness goes by: the transitions that
 * end something begun.
 */
export class Liveness {
  /** Where the ends of each state lead. */
  readonly #ends: Uint32Array[] = [];
  readonly #atRest: boolean[] = [];

  /** Adds the next state. */
  add(ends: readonly number[], isAtRest: boolean): void {
    this.#ends.push(Uint32Array.from(ends));
    this.#atRest.push(isAtRest);
  }

  /**
   * If holders release and creates, destroys and validates settle, all comes to
   * rest, in whatever order and with whatever result they do: what ends
   * something never goes round in a circle, and stops only at rest. So all is
   * at rest sooner or later from every state. Gives what speaks against it.
   */
  fault(): { readonly state: number; readonly fault: string } | undefined {
    const into = new Uint32Array(this.#ends.length);
    for (const targets of this.#ends) {
      for (const target of targets) into[target]!++;
    }
    const ready: number[] = [];
    into.forEach((n, state) => n === 0 && ready.push(state));
    let seen = 0;
    for (let state; (state = ready.pop()) !== undefined; seen++) {
      const targets = this.#ends[state]!;
      if (targets.length === 0 && !this.#atRest[state]) {
        return { state, fault: "liveness: something never settles" };
      }
      for (const target of targets) {
        if (--into[target]! === 0) ready.push(target);
      }
    }
    if (seen === into.length) return undefined;
    const state = into.findIndex((n) => n > 0);
    return { state, fault: "liveness: settling goes round in a circle" };
  }
}
