import { assert, assertThrows } from "@std/assert";
import type { Account, Book } from "../../src/fleet/book.ts";
import { type Proposal, Tenure } from "../../src/fleet/tenure.ts";
import { test } from "../test.ts";
import { exploreFleet, FLEET_SCOPES, FleetViolation } from "./fleet.ts";

const [plain, floors, steps] = FLEET_SCOPES;

for (const scope of [plain!, floors!, steps!]) {
  test(`model: the rules of a fleet hold: ${scope.name}`, () => {
    assert(exploreFleet(scope).states > 1_000);
  });
}

/** The account of another as it would be with other numbers. */
function changed(
  { book, ...rest }: Proposal,
  id: string,
  change: (account: Account) => object,
): Proposal {
  const account = book.members.get(id);
  if (account === undefined) return { book, ...rest };
  const next = { ...account, ...change(account) };
  const members = new Map(book.members).set(id, next);
  return { book: { ...book, members }, ...rest };
}

/** A tenure that is wrong, by what is wrong with it, and the rule it breaks. */
const WRONG: [string, typeof Tenure, RegExp][] = [
  [
    "a permit more is used than can be read in the book",
    class extends Tenure {
      override read(book: Book, now: number) {
        super.read(book, now);
        const own = book.members.get(this.terms.id);
        if (own === undefined) return;
        this.standing = { ...this.standing, block: own.block + 1 };
      }
    },
    /Cover: /,
  ],
  [
    "a permit is given up only once that is written",
    class extends Tenure {
      #due = Infinity;
      override lower(permits: number) {
        this.#due = permits;
      }
      override propose(book: Book, now: number, demand: number) {
        const { block } = this.standing;
        super.lower(this.#due);
        const proposal = super.propose(book, now, demand);
        this.standing = { ...this.standing, block };
        return proposal;
      }
    },
    /Cover: /,
  ],
  [
    "a lease runs from when its write was confirmed, two ticks later",
    class extends Tenure {
      override confirm(proposal: Proposal) {
        super.confirm({ ...proposal, began: proposal.began + 2 });
      }
    },
    /Safety: |Cover: /,
  ],
  [
    "who is late is waited for no longer than its ttl less a tick",
    class extends Tenure {
      override read(book: Book, now: number) {
        super.read(book, now);
        const readings = this.standing.readings.map(({ writes, since }) => ({
          ...{ writes, since: since - 1 },
        }));
        this.standing = { ...this.standing, readings };
      }
    },
    /Safety: |Cover: /,
  ],
  [
    "a lease does not end by one's own clock",
    class extends Tenure {
      override confirm(proposal: Proposal) {
        super.confirm({ ...proposal, began: Infinity });
      }
    },
    /Safety: |Cover: /,
  ],
  [
    "who has not been heard of is never given up",
    class extends Tenure {
      override read(book: Book, now: number) {
        super.read(book, now);
        this.standing = { ...this.standing, readings: [] };
      }
    },
    /Lapse: that of \w never does/,
  ],
  [
    "a member takes what is left, without a look at its share",
    class extends Tenure {
      override get goal() {
        return this.permits;
      }
    },
    /Fair: /,
  ],
  [
    "a write counts one permit less than the member has",
    class extends Tenure {
      override propose(book: Book, now: number, demand: number) {
        const proposal = super.propose(book, now, demand);
        return changed(proposal, this.terms.id, ({ block }) => ({
          block: block > 1 ? block + 1 : block,
        }));
      }
    },
    /Capacity: /,
  ],
  [
    "another's block is taken in part",
    class extends Tenure {
      override propose(book: Book, now: number, demand: number) {
        const proposal = super.propose(book, now, demand);
        const other = [...book.members.keys()]
          .find((id) => id !== this.terms.id);
        return changed(proposal, other ?? "", ({ block }) => ({
          block: Math.max(0, block - 1),
        }));
      }
    },
    /Lapse: |Fair: /,
  ],
];

for (const [fault, Wrong, rule] of WRONG) {
  test(`model: the explorer of fleets notices that ${fault}`, () => {
    const violation = assertThrows(
      () => exploreFleet(plain!, Wrong),
      FleetViolation,
    );
    assert(rule.test(violation.message), violation.message);
  });
}
