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

/** With which beat another was seen, and since when. */
interface Sighting {
  readonly beat: number;
  readonly since: number;
}

/** A next value of the book, to be swapped for the one it was made from. */
export interface Proposal {
  readonly book: Book;
  /** When it was made, by the clock of the member. */
  readonly began: number;
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
  /** Since when others have been seen with the same beat. */
  #sightings = new Map<string, Sighting>();
  #fence = 0;
  #floor = 0;
  #block = 0;
  /** How long what was last confirmed lasts. */
  #blockEnd = -Infinity;
  #floorEnd = -Infinity;
  /** What is due to it. */
  #share = 0;

  constructor(terms: Terms) {
    this.terms = terms;
  }

  get fence(): number {
    return this.#fence;
  }

  get floor(): number {
    return this.#floor;
  }

  /** What it may have. */
  get permits(): number {
    return this.#floor + this.#block;
  }

  /** What it should have, and if that is less, come down to. */
  get goal(): number {
    return this.#floor + Math.min(this.#block, this.#share);
  }

  /** When the next of what it has runs out. */
  endAfter(now: number): number {
    const ends = [this.#blockEnd, this.#floorEnd].filter((end) => end > now);
    return Math.min(...ends);
  }

  /** Whether it has a lease. */
  isLeased(now: number): boolean {
    return now < this.#blockEnd;
  }

  /** Ends what has run out. */
  expire(now: number): void {
    if (now >= this.#blockEnd) this.#block = 0;
    if (now >= this.#floorEnd) this.#floor = 0;
  }

  /** It has come down to so many permits. */
  lower(permits: number): void {
    this.#block = Math.min(this.#block, Math.max(0, permits - this.#floor));
  }

  /** Reads the book. */
  read(book: Book, now: number): void {
    // Who was cut off has not heard of the others either.
    if (!this.isLeased(now)) this.#sightings.clear();
    const { id } = this.terms;
    const sightings = new Map<string, Sighting>();
    for (const [other, { beat }] of Object.entries(book.members)) {
      if (other === id) continue;
      const seen = this.#sightings.get(other);
      const isSame = seen?.beat === beat;
      sightings.set(other, isSame ? seen : { beat, since: now });
    }
    this.#sightings = sightings;
    const own = book.members[id];
    const isLost = own === undefined || own.fence !== this.#fence;
    this.#block = isLost ? 0 : Math.min(this.#block, own.block);
    this.#floor = Math.min(this.#floor, own?.floor ?? 0);
    this.#share = shareOf(book, id);
  }

  /** What to write, if it could use so many permits. */
  propose(book: Book, now: number, demand: number): Proposal {
    this.expire(now);
    const next = advance(book, {
      ...this.terms,
      fence: this.#fence,
      block: this.#block,
      demand,
    }, this.#lapses(book, now));
    this.#share = shareOf(next, this.terms.id);
    return { book: next, began: now };
  }

  /** What to write to leave: nothing is used any more. */
  resign(book: Book): Book {
    this.#block = this.#floor = 0;
    return withoutMember(book, this.terms.id);
  }

  /** That was written. */
  confirm({ book, began }: Proposal): void {
    const own = book.members[this.terms.id]!;
    this.#fence = own.fence;
    this.#floor = own.floor;
    this.#block = own.block;
    this.#blockEnd = began + own.ttl;
    this.#floorEnd = began + own.floorTtl;
  }

  #lapses(book: Book, now: number): Lapse[] {
    return [...this.#sightings].flatMap(([id, { beat, since }]) => {
      const { ttl, floorTtl } = book.members[id] ?? { ttl: Infinity };
      if (now - since < ttl * PATIENCE) return [];
      const isWhole = now - since >= (floorTtl ?? Infinity) * PATIENCE;
      return [{ id, beat, isWhole }];
    });
  }
}
