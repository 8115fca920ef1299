/**
 * Explores a fleet: every interleaving of the reads, writes, lost answers and leaves
 * of its members, and of their clocks. It drives the real `Tenure` and the real
 * `advance`, of which each state has a copy, and checks in every state what
 * `src/fleet/book.ts` lists. Who crashes, or stands still, does nothing more, or for
 * a while, so that is among the interleavings; that what it had lapses is checked
 * from where it may happen, for each member.
 */
import { type Account, type Book, shareOf } from "../../src/fleet/book.ts";
import { type Proposal, Tenure } from "../../src/fleet/tenure.ts";

/** How large a fleet is, and what may happen to it. */
export interface FleetScope {
  readonly name: string;
  readonly members: number;
  readonly max: number;
  /** How many permits each may want. */
  readonly demands: readonly number[];
  /** Permits that each reserves. */
  readonly floor: number;
  /** How many clocks may step back, beyond what is promised for. */
  readonly steps: number;
  /** How many members have writes on their way while other things happen. */
  readonly slow: number;
  /** From each how many-th state what becomes of it is checked. */
  readonly calm: number;
}

const PLAIN = { max: 3, demands: [0, 3], floor: 0, steps: 0, slow: 0 };

export const FLEET_SCOPES: readonly FleetScope[] = [
  { ...PLAIN, name: "two members", members: 2, calm: 1 },
  { ...PLAIN, name: "two members with floors", members: 2, floor: 1, calm: 4 },
  {
    ...{ ...PLAIN, members: 2, steps: 1, calm: 4 },
    name: "two members, one of whose clocks steps back",
  },
  {
    ...{ ...PLAIN, members: 2, max: 1, demands: [0, 1], slow: 1, calm: 32 },
    name: "two members, of which the writes of one come late",
  },
  {
    ...{ ...PLAIN, members: 3, demands: [3], calm: 16 },
    name: "three members, each of which could use all",
  },
];

/** The ttl of blocks in ticks, and of floors. */
const TTL = 2;
const FLOOR_TTL = 3;
/** Ticks after which everything has lapsed that can. */
const CALM = 6;

/** A write on its way. */
interface Letter {
  readonly base: Book;
  readonly proposal: Proposal;
}

interface Member {
  readonly tenure: Tenure;
  /** Whether its writes are on their way for a while. */
  readonly isSlow: boolean;
  /** How far its clock is behind. */
  readonly lag: number;
  /** The write whose answer it waits for, and whether that has been made. */
  readonly sent?: Letter | undefined;
  readonly answer?: boolean | undefined;
  /** A write that it has given up on. */
  readonly late?: Letter | undefined;
}

/** A state of a fleet. */
interface Fleet {
  readonly time: number;
  readonly book: Book;
  readonly members: readonly Member[];
}

/** A rule is broken; the message ends with the shortest way there. */
export class FleetViolation extends Error {}

/** What was seen of a scope. */
export interface FleetExploration {
  readonly states: number;
  readonly transitions: number;
}

/** Visits every reachable state, breadth first. */
export function exploreFleet(
  scope: FleetScope,
  Kind: typeof Tenure = Tenure,
): FleetExploration {
  const explorer = new FleetExplorer(scope, Kind);
  explorer.explore();
  return explorer;
}

class FleetExplorer implements FleetExploration {
  transitions = 0;
  readonly #scope: FleetScope;
  readonly #Kind: typeof Tenure;
  readonly #known = new Set<string>();
  /** States to be visited, and how each was reached. */
  readonly #queue: (Fleet | undefined)[] = [];
  readonly #parents: number[] = [];
  readonly #acts: string[] = [];

  constructor(scope: FleetScope, Kind: typeof Tenure) {
    this.#scope = scope;
    this.#Kind = Kind;
  }

  get states(): number {
    return this.#known.size;
  }

  explore(): void {
    this.#add(this.#start(), -1, "");
    for (let i = 0; i < this.#queue.length; i++) {
      const fleet = this.#queue[i]!;
      this.#queue[i] = undefined;
      for (const [act, next] of this.#after(fleet)) {
        this.transitions++;
        const fault = stepFault(fleet, next) ?? stateFault(next);
        if (fault !== undefined) throw this.#violation(fault, i, act);
        this.#add(next, i, act);
      }
      if (i % this.#scope.calm > 0) continue;
      const ids = [undefined, ...fleet.members.keys()];
      for (const lost of ids) {
        const fault = this.#calmFault(fleet, lost);
        if (fault !== undefined) throw this.#violation(fault, i);
      }
    }
  }

  #start(): Fleet {
    const { members, max, floor, slow } = this.#scope;
    return {
      time: 0,
      book: { max, writes: 0, members: new Map() },
      members: Array.from({ length: members }, (_, i) => ({
        ...{ isSlow: i < slow, lag: 0 },
        tenure: new this.#Kind({
          ...{ id: "abc"[i]!, max, floor, ttl: TTL, floorTtl: FLOOR_TTL },
        }),
      })),
    };
  }

  /** All that can happen next. */
  *#after(fleet: Fleet): Generator<[string, Fleet]> {
    const { members } = fleet;
    yield ["a tick", { ...fleet, time: fleet.time + 1 }];
    for (const [i, member] of members.entries()) {
      const { id } = member.tenure.terms;
      yield* this.#arrivals(fleet, i);
      yield* this.#moves(fleet, i);
      if (members.filter(({ lag }) => lag > 0).length < this.#scope.steps) {
        yield [`${id}'s clock steps back`, change(fleet, i, { lag: 2 })];
      }
    }
  }

  /** Writes that were on their way. */
  *#arrivals(fleet: Fleet, i: number): Generator<[string, Fleet]> {
    const { tenure: { terms: { id } }, sent, answer, late } = fleet.members[i]!;
    if (sent !== undefined && answer === undefined) {
      const isFirst = sent.base === fleet.book;
      const book = isFirst ? sent.proposal.book : fleet.book;
      const next = { ...change(fleet, i, { answer: isFirst }), book };
      yield [`${id}'s write arrives`, next];
    }
    if (late?.base === fleet.book) {
      const { book } = late.proposal;
      const next = { ...change(fleet, i, { late: undefined }), book };
      yield [`${id}'s late write arrives`, next];
    }
  }

  /** What a member does that works. */
  *#moves(fleet: Fleet, i: number): Generator<[string, Fleet]> {
    const member = fleet.members[i]!;
    const { sent, answer } = member;
    const { id } = member.tenure.terms;
    const over = { sent: undefined, answer: undefined };
    if (sent === undefined) return yield* this.#writes(fleet, i);
    const late = answer === undefined ? sent : member.late;
    yield [`${id} gives up its write`, change(fleet, i, { ...over, late })];
    if (answer === undefined) return;
    const tenure = this.#copy(member);
    if (answer) tenure.confirm(sent.proposal);
    const word = answer ? "confirmed" : "refused";
    yield [`${id} is ${word}`, change(fleet, i, { ...over, tenure })];
  }

  *#writes(fleet: Fleet, i: number): Generator<[string, Fleet]> {
    const member = fleet.members[i]!;
    const { id } = member.tenure.terms;
    const left = this.#copy(member);
    const book = left.resign(fleet.book);
    const joins = new this.#Kind(left.terms);
    yield [`${id} leaves`, { ...change(fleet, i, { tenure: joins }), book }];
    for (const demand of this.#scope.demands) {
      for (const comesDown of [false, true]) {
        const tenure = this.#copy(member);
        const proposal = write(fleet, member, tenure, demand, comesDown);
        const act = `${id} ${comesDown ? "comes down and " : ""}asks ${demand}`;
        const { book } = proposal;
        const sent = { base: fleet.book, proposal };
        const next = change(fleet, i, { tenure });
        if (member.isSlow) {
          yield [`${act}`, change(next, i, { sent })];
          continue;
        }
        yield [`${act}, unanswered`, { ...next, book }];
        const confirmed = this.#copy({ ...member, tenure });
        confirmed.confirm(proposal);
        const last = change(fleet, i, { tenure: confirmed });
        yield [`${act}, confirmed`, { ...last, book }];
      }
    }
  }

  /** When nothing happens any more but writes, each has its share in the end. */
  #calmFault(fleet: Fleet, lost: number | undefined): string | undefined {
    const { max } = this.#scope;
    let { time, book } = fleet;
    const members = fleet.members.filter((_, i) => i !== lost)
      .map((member) => ({ ...member, tenure: this.#copy(member) }));
    for (; time < fleet.time + CALM; time++) {
      for (let round = 0; round < 2; round++) {
        for (const member of members) {
          const { tenure } = member;
          const now = { ...fleet, time, book };
          const proposal = write(now, member, tenure, max, true);
          tenure.confirm(proposal);
          book = proposal.book;
        }
      }
    }
    if (book.members.size > members.length) {
      return `Lapse: that of ${"abc"[lost!]} never does`;
    }
    for (const { tenure } of members) {
      const { id } = tenure.terms;
      const share = shareOf(book, id);
      if (tenure.standing.block === share) continue;
      return `Fair: ${id} has ${tenure.standing.block}, its share is ${share}`;
    }
    const left = max - taken(book);
    if (left > 0) return `Fair: ${left} are left`;
  }

  #copy({ tenure }: Pick<Member, "tenure">): Tenure {
    const copy = new this.#Kind(tenure.terms);
    copy.standing = tenure.standing;
    return copy;
  }

  #add(fleet: Fleet, parent: number, act: string): void {
    const key = keyOf(fleet);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#queue.push(fleet);
    this.#parents.push(parent);
    this.#acts.push(act);
  }

  #violation(fault: string, state: number, act?: string): FleetViolation {
    const acts = act === undefined ? [] : [act];
    for (let at = state; at > 0; at = this.#parents[at]!) {
      acts.push(this.#acts[at]!);
    }
    const lines = acts.reverse().map((act, i) => `  ${i + 1}. ${act}`);
    return new FleetViolation(
      `${this.#scope.name}: ${fault}\n${lines.join("\n")}`,
    );
  }
}

function change(fleet: Fleet, i: number, change: Partial<Member>): Fleet {
  const member = { ...fleet.members[i]!, ...change };
  return { ...fleet, members: fleet.members.with(i, member) };
}

function clock({ time }: Fleet, { lag }: Member): number {
  return time - lag;
}

/** What a member writes, and does before that. */
function write(
  fleet: Fleet,
  member: Member,
  tenure: Tenure,
  demand: number,
  comesDown: boolean,
): Proposal {
  const now = clock(fleet, member);
  tenure.expire(now);
  tenure.read(fleet.book, now);
  if (comesDown) tenure.lower(tenure.goal);
  return tenure.propose(fleet.book, now, demand);
}

function taken({ members }: Book): number {
  return [...members.values()]
    .reduce((all, { floor, block }) => all + floor + block, 0);
}

/** What a member may use now: nothing that has run out by its clock. */
function allowed(fleet: Fleet, member: Member): Account {
  const now = clock(fleet, member);
  const { fence, floor, block, blockEnd, floorEnd } = member.tenure.standing;
  return {
    ...{ fence, beat: 0, wants: 0, ttl: TTL, floorTtl: FLOOR_TTL },
    floor: now < floorEnd ? floor : 0,
    block: now < blockEnd ? block : 0,
  };
}

/** The rules that hold in every state. */
function stateFault(fleet: Fleet): string | undefined {
  const { book, members } = fleet;
  if (taken(book) > book.max) return `Capacity: ${taken(book)} of ${book.max}`;
  const accounts = [...book.members.values()];
  for (const { floor, block, wants } of accounts) {
    if (![floor, block, wants].every((it) => Number.isInteger(it) && it >= 0)) {
      return "Types: a number of permits is none";
    }
  }
  const fences = accounts.map(({ fence }) => fence).filter((it) => it > 0);
  if (new Set(fences).size < fences.length) return "Fencing: two have the same";
  let used = 0;
  let excess = 0;
  for (const member of members) {
    const own = allowed(fleet, member);
    used += own.floor + own.block;
    if (member.lag > 0) {
      // Its clock is not within the bound: that is what it may have too much.
      excess += own.floor + own.block;
      continue;
    }
    const { id } = member.tenure.terms;
    const noted = book.members.get(id);
    const isNoted = noted !== undefined && noted.floor >= own.floor &&
      noted.floor + noted.block >= own.floor + own.block;
    if (own.floor + own.block > 0 && !isNoted) {
      return `Cover: ${id} may use what is not its own in the book`;
    }
    if (own.block > 0 && noted?.fence !== own.fence) {
      return `Fencing: ${id} has a lease that has ended`;
    }
  }
  if (used - excess > book.max || used > book.max + excess) {
    return `Safety: ${used} may be used of ${book.max}`;
  }
}

/** The rules that hold in every step. */
function stepFault(before: Fleet, after: Fleet): string | undefined {
  const [old, { members, writes }] = [before.book, after.book];
  if (old === after.book) return undefined;
  if (writes < old.writes) return "Fencing: the number of writes falls";
  const writers = [...members.keys()].filter((id) =>
    members.get(id)!.beat !== old.members.get(id)?.beat
  );
  if (writers.length > 1) return `Owner: ${writers} write at once`;
  for (const [id, { block, floor }] of old.members) {
    const now = members.get(id) ?? { block: 0, floor: 0 };
    if (writers.includes(id)) continue;
    if (now.block > block || now.floor > floor) {
      return `Owner: another gives ${id} something`;
    }
    if (now.block !== block && now.block !== 0) {
      return `Lapse: another takes a part from ${id}`;
    }
  }
}

/**
 * States with the same key go on alike: of times the ages count, of beats which are
 * the last, of fences which are older, and which member is which does not.
 */
function keyOf(fleet: Fleet): string {
  const keys = fleet.members.map((member, i) =>
    [memberKey(fleet, member), i] as const
  ).sort(([a], [b]) => a < b ? -1 : 1);
  const order = keys.map(([, i]) => "abc"[i]!);
  const parts = keys.map(([key, i]) => {
    const { sent, answer, late, ...member } = fleet.members[i]!;
    const now = clock(fleet, member);
    return [
      key,
      ...order.map((id) => age(fleet, member, id)),
      letterKey(fleet, member, sent, now, answer, order),
      letterKey(fleet, member, late, now, undefined, order),
    ].join();
  });
  return [bookKey(fleet.book, order), ...parts].join("|");
}

function bookKey({ members }: Book, order: string[]): string {
  return [...members]
    .sort(([, a], [, b]) => a.fence - b.fence)
    .map(([id, { fence, floor, block, wants }]) =>
      [order.indexOf(id), Math.min(fence, 1), floor, block, wants].join()
    ).join(";");
}

/** What can be said of a member without the others. */
function memberKey(fleet: Fleet, member: Member): string {
  const { id } = member.tenure.terms;
  const { fence, blockEnd, floorEnd } = member.tenure.standing;
  const now = clock(fleet, member);
  const account = fleet.book.members.get(id);
  const { floor, block } = allowed(fleet, member);
  return [
    ...[member.isSlow, member.lag, floor, block, Math.max(0, blockEnd - now)],
    ...[floor > 0 && floorEnd - now, fence > 0 && account?.fence === fence],
    ...[account?.floor, account?.block, account?.wants],
  ].join();
}

/** For how long a member has seen another as it is; who is cut off forgets that. */
function age(fleet: Fleet, member: Member, id: string): number | undefined {
  const { tenure, tenure: { standing } } = member;
  const now = clock(fleet, member);
  const account = fleet.book.members.get(id);
  if (now >= standing.blockEnd || account === undefined) return undefined;
  if (id === tenure.terms.id) return undefined;
  const since = tenure.since(account.beat);
  if (since === Infinity) return undefined;
  return Math.min(now - since, (account.floor > 0 ? FLOOR_TTL : TTL) + 1);
}

function letterKey(
  { book }: Fleet,
  { tenure: { terms: { id }, standing: { fence } } }: Member,
  letter: Letter | undefined,
  now: number,
  answer: boolean | undefined,
  order: string[],
): string {
  if (letter === undefined) return "";
  const { base, proposal } = letter;
  if (answer !== true && base !== book) return `${answer}`;
  const age = Math.min(now - proposal.began, FLOOR_TTL);
  const isNew = proposal.book.members.get(id)?.fence !== fence;
  return `${answer}:${age}:${isNew}:${bookKey(proposal.book, order)}`;
}

if (import.meta.main) {
  for (const scope of FLEET_SCOPES) {
    const began = performance.now();
    const { states, transitions } = exploreFleet(scope);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    console.log(
      `${scope.name}: ${states} states, ${transitions} transitions, ${seconds} s`,
    );
  }
}
