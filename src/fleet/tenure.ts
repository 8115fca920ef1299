import {
  advance,
  type Book,
  type Lapse,
  type Report,
  shareOf,
  withoutMember,
} from "./book.ts";

/** By how much the pace of a clock may be off: two in a hundred. */
export const DRIFT = 0.02;

/** For how many of its ttls others wait for one whose clock may be slow. */
const PATIENCE = (1 + DRIFT) / (1 - DRIFT);

/** What a member of a fleet always says of itself. */
export type Terms = Pick<Report, "id" | "max" | "floor" | "ttl" | "floorTtl">;

/** A next value of the book, to be swapped for the one it was made from. */
export interface Proposal {
  readonly book: Book;
  /** When it was made, by the clock of the member. */
  readonly began: number;
  /** Whether another loses something. */
  readonly takes: boolean;
}

/** Which write the book was of that was read, and when. */
interface Reading {
  readonly writes: number;
  readonly since: number;
}

/** In which of them, from old to new, a beat was seen first. */
function seen(readings: readonly Reading[], beat: number): Reading | undefined {
  let [from, to] = [0, readings.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (readings[middle]!.writes < beat) from = middle + 1;
    else to = middle;
  }
  return readings[from];
}

/** All that a member knows. */
export interface Standing {
  /** The number of its lease, and what it may use of it. */
  readonly fence: number;
  readonly floor: number;
  readonly block: number;
  /** When that runs out. */
  readonly blockEnd: number;
  readonly floorEnd: number;
  /** The block that is due to it. */
  readonly share: number;
  /** Of when it has read the book, those in which it first saw a beat. */
  readonly readings: readonly Reading[];
}

/**
 * What a member may use, by what it has read and written so far, and its own
 * clock. The rules that keep it covered by the book:
 *
 *  - a permit is given up before the write that says so is sent;
 *  - none is taken before a write has been confirmed that says so. That it can be
 *    read is not enough: a write of before, which gives it back, may be on its way;
 *  - a lease runs from before its write was sent, so that nobody can have seen it
 *    earlier; who waits for its end waits from after it has been read.
 */
export class Tenure {
  readonly terms: Terms;
  standing: Standing = {
    ...{ fence: 0, floor: 0, block: 0, share: 0 },
    ...{ blockEnd: -Infinity, floorEnd: -Infinity, readings: [] },
  };

  constructor(terms: Terms) {
    this.terms = terms;
  }

  /** How many permits it may have. */
  get permits(): number {
    const { floor, block } = this.standing;
    return floor + block;
  }

  /** How many it should have, and if that is less, come down to. */
  get goal(): number {
    const { floor, block, share } = this.standing;
    return floor + Math.min(block, share);
  }

  /** When the next of what it has runs out. */
  endAfter(now: number): number {
    const { blockEnd, floorEnd } = this.standing;
    return Math.min(...[blockEnd, floorEnd].filter((end) => end > now));
  }

  /** Whether it has a lease. */
  isLeased(now: number): boolean {
    return now < this.standing.blockEnd;
  }

  /** Ends what has run out. */
  expire(now: number): void {
    const { floorEnd } = this.standing;
    if (!this.isLeased(now)) this.#change({ block: 0 });
    if (now >= floorEnd) this.#change({ floor: 0 });
  }

  /** It has come down to so many permits. */
  lower(permits: number): void {
    const { floor, block } = this.standing;
    this.#change({ block: Math.min(block, Math.max(0, permits - floor)) });
  }

  /** Since when it knows of a write. */
  since(beat: number): number {
    return seen(this.standing.readings, beat)?.since ?? Infinity;
  }

  /** Reads the book. */
  read(book: Book, now: number): void {
    const { id } = this.terms;
    const { floor, block } = this.standing;
    // Who was cut off has not heard of the others either.
    const known = this.isLeased(now) ? this.standing.readings : [];
    const all = known.filter(({ writes }) => writes <= book.writes);
    if (all.at(-1)?.writes !== book.writes) {
      all.push({ writes: book.writes, since: now });
    }
    const first = new Set<Reading | undefined>();
    for (const { beat } of book.members.values()) first.add(seen(all, beat));
    const readings = all.filter((reading) => first.has(reading));
    const own = book.members.get(id);
    this.#change({
      block: Math.min(block, own?.block ?? 0),
      floor: Math.min(floor, own?.floor ?? 0),
      share: shareOf(book, id),
      readings,
    });
  }

  /** What to write, if it could use so many permits. */
  propose(book: Book, now: number, demand: number): Proposal {
    this.expire(now);
    const report = { ...this.terms, block: this.standing.block, demand };
    const lapses = this.#lapses(book, now);
    const next = advance(book, report, lapses);
    this.#change({ share: shareOf(next, this.terms.id) });
    return { book: next, began: now, takes: lapses.length > 0 };
  }

  /** What to write to leave: nothing is used any more. */
  resign(book: Book): Book {
    this.#change({ floor: 0, block: 0 });
    return withoutMember(book, this.terms.id);
  }

  /** That was written. */
  confirm({ book, began }: Proposal): void {
    const { fence, floor, block, ttl, floorTtl } = book.members.get(
      this.terms.id,
    )!;
    const [blockEnd, floorEnd] = [began + ttl, began + floorTtl];
    this.#change({ fence, floor, block, blockEnd, floorEnd });
  }

  #lapses(book: Book, now: number): Lapse[] {
    const lapses: Lapse[] = [];
    for (const [id, { beat, fence, ttl, floorTtl }] of book.members) {
      const waited = (now - this.since(beat)) / PATIENCE;
      // Of whom only the floor is left, that is what there is to wait for.
      const due = fence > 0 ? ttl : floorTtl;
      if (id === this.terms.id || waited < due) continue;
      lapses.push({ id, beat, isWhole: waited >= floorTtl });
    }
    return lapses;
  }

  #change(change: Partial<Standing>): void {
    this.standing = { ...this.standing, ...change };
  }
}
