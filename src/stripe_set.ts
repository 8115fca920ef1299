/**
 * The stripes that have something to give. Adding and picking are O(1), the
 * latter amortised: one that has nothing left is dropped when met, so a stripe
 * that gives and gets in turn costs nothing here.
 */
export class StripeSet<S extends { readonly id: number }> {
  /** Invariant: holds every stripe that has something, and each once. */
  private readonly members: S[] = [];
  private readonly isMember: Uint8Array;
  private readonly has: (stripe: S) => boolean;

  constructor(size: number, has: (stripe: S) => boolean) {
    this.isMember = new Uint8Array(size);
    this.has = has;
  }

  add(stripe: S): void {
    if (this.isMember[stripe.id] === 1) return;
    this.isMember[stripe.id] = 1;
    this.members.push(stripe);
  }

  /** The stripe added last of those that have something. */
  pick(): S | undefined {
    const { members } = this;
    while (members.length > 0) {
      const last = members[members.length - 1]!;
      if (this.has(last)) return last;
      this.isMember[last.id] = 0;
      members.pop();
    }
    return undefined;
  }
}
