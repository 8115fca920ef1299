/** A set of things numbered from 0, with O(1) add, delete and pick. */
export class StripeSet<S extends { readonly id: number }> {
  readonly #members: S[] = [];
  /** Invariant: `#members[#places[s.id]] === s` for members, else -1. */
  readonly #places: Int32Array;

  constructor(size: number) {
    this.#places = new Int32Array(size).fill(-1);
  }

  /** The member added last, or one moved into its place. */
  get last(): S | undefined {
    return this.#members[this.#members.length - 1];
  }

  add(member: S): void {
    if (this.#places[member.id] !== -1) return;
    this.#places[member.id] = this.#members.push(member) - 1;
  }

  delete(member: S): void {
    const place = this.#places[member.id]!;
    if (place === -1) return;
    const last = this.#members.pop()!;
    this.#places[member.id] = -1;
    if (last === member) return;
    this.#members[place] = last;
    this.#places[last.id] = place;
  }
}
