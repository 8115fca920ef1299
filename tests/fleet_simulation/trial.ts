import { encode } from "../../src/fleet/book.ts";
import { Fleet } from "./fleet.ts";

/** How many permits a member could use: few enough for all, or too many. */
const [FEW, MANY] = [3, 8];
/** In so many steps a second it is looked how they fare. */
const LOOKS = 4;
/** When a shift is over: almost all that can be used is, and fairly. */
const DONE = { use: 0.99, fairness: 0.98 };
/** Seconds after which one that is not is given up. */
const LIMIT = 600;

/** What was seen in some seconds; loads are per second. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly reads: number;
  readonly swaps: number;
  /** Swaps that came too late, of those. */
  readonly lost: number;
  readonly told: number;
  /** The mean, and the least. */
  readonly use: number;
  readonly leastUse: number;
  readonly fairness: number;
  readonly leastFairness: number;
  /** At the end. */
  readonly accounts: number;
  readonly bytes: number;
}

/** How one size of a fleet is tried. */
export interface Plan {
  readonly seed: number;
  readonly members: number;
  /** How long it is looked at a state that lasts. */
  readonly seconds: number;
  /** How many percent of the members die in each second, and as many join. */
  readonly churn: number;
}

/**
 * A fleet of which half the members could use something: first less than there is,
 * then more; then it is the other half; then members die and others join.
 */
export async function* trial(plan: Plan): AsyncGenerator<Phase> {
  const { seed, members, seconds, churn } = plan;
  const fleet = new Fleet(seed, members);
  let joined = 0;
  yield await phase("all join", fleet, seconds, (time) => {
    while (joined < members * time / seconds) {
      fleet.join(joined++ % 2 === 0 ? 0 : FEW);
    }
  });
  yield await phase("enough for all", fleet, seconds);
  yield await shift("half want more", fleet, (wanted) => wanted > 0);
  yield await phase("too little", fleet, seconds);
  yield await shift("the other half", fleet, (wanted) => wanted === 0);
  let dead = 0;
  yield await phase(`${churn} % a second`, fleet, 2 * seconds, (time) => {
    for (; dead < time * members * churn / 100; dead++) {
      fleet.join(fleet.kill().wanted);
    }
  });
}

/** From now on those want much, and the others nothing. */
function shift(
  name: string,
  fleet: Fleet,
  isGreedy: (wanted: number) => boolean,
): Promise<Phase> {
  return phase(name, fleet, LIMIT, (time) => {
    if (time > 1 / LOOKS) return;
    for (const member of fleet.members) {
      member.want(isGreedy(member.wanted) ? MANY : 0);
    }
  }, ({ use, fairness }) => use >= DONE.use && fairness >= DONE.fairness);
}

/** Lets a fleet go on, until it is over; what is done to it is told the time. */
async function phase(
  name: string,
  fleet: Fleet,
  limit: number,
  act: (time: number) => void = () => {},
  isOver: (fleet: Fleet) => boolean = () => false,
): Promise<Phase> {
  const before = { ...fleet.engine.load };
  const [uses, indices]: [number[], number[]] = [[], []];
  do {
    await fleet.run(1_000 / LOOKS, () => act((uses.length + 1) / LOOKS));
    uses.push(fleet.use);
    indices.push(fleet.fairness);
  } while (uses.length < limit * LOOKS && !isOver(fleet));
  const seconds = uses.length / LOOKS;
  const { book, load } = fleet.engine;
  return {
    ...{ name, seconds, accounts: book.members.size },
    reads: (load.reads - before.reads) / seconds,
    swaps: (load.swaps - before.swaps) / seconds,
    lost: (load.lost - before.lost) / seconds,
    told: (load.told - before.told) / seconds,
    ...{ use: mean(uses), leastUse: Math.min(...uses) },
    ...{ fairness: mean(indices), leastFairness: Math.min(...indices) },
    bytes: encode(book).length,
  };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((all, it) => all + it, 0) / numbers.length;
}
