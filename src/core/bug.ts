/** Stops at a state that the machine cannot be in. */
export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`bug: ${what}`);
}
