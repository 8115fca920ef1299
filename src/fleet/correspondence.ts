import type { Clock } from "../clock.ts";
import type { Account, Book } from "./book.ts";
import type { Shelf } from "./shelf.ts";
import type { Proposal, Tenure } from "./tenure.ts";

/** How often a lease is renewed before it would end. */
const BEATS = 3;

/** In so many parts of a ttl news is read, and by who lacks something sooner. */
const NEWS = 50;
const URGENT = 500;

/** Milliseconds that one who was beaten to it waits at first, at most. */
const RETRY = 4;

/** So many members make it as much again: a part of them may be at it. */
const RIVALS = 10;

/** The longest delay of a timer. */
const LONGEST = 2 ** 31 - 1;

/** Who is written for. */
export interface Author {
  /** How many permits it could use. */
  demand(): number;
  /** What it may use has changed, or may have with time. */
  settle(now: number): void;
  /** Others lack permits: it lets go what has been idle since then. */
  lend(since: number): void;
  /** A lease began. */
  leased(event: { fence: number; permits: number }): void;
  /** A call of the ledger failed. */
  failed(error: unknown): void;
}

/** Reads and writes the ledger for one member, one call at a time. */
export class Correspondence {
  readonly #shelf: Shelf;
  readonly #tenure: Tenure;
  readonly #clock: Clock;
  readonly #author: Author;
  /** What was read or written last; of no version where that is out of date. */
  #book: Book;
  #version: string | undefined = undefined;
  /** The version that was heard of during a turn. */
  #news: string | undefined = undefined;
  #unwatch: (() => Promise<void>) | undefined = undefined;
  #isOver = false;
  /** When it is to read and write again, and to renew its lease. */
  #turnAt = Infinity;
  #beatAt = -Infinity;
  #turn: Promise<void> | undefined = undefined;
  /** Turns in a row without success, and with nothing new. */
  #tries = 0;
  #idles = 0;
  #timer: unknown = undefined;
  #timerAt = Infinity;

  constructor(shelf: Shelf, tenure: Tenure, clock: Clock, author: Author) {
    this.#shelf = shelf;
    this.#tenure = tenure;
    this.#clock = clock;
    this.#author = author;
    this.#book = { max: tenure.terms.max, writes: 0, members: new Map() };
  }

  /** How many have accounts. */
  get members(): number {
    return this.#book.members.size;
  }

  /** Joins the fleet, unless it has. */
  begin(): void {
    if (this.#unwatch !== undefined) return;
    this.#unwatch = this.#shelf.watch((version) => {
      this.#news = version;
      if (this.#turn === undefined) this.#hear();
    });
    this.#wake(0);
  }

  /** It could use more, or has something to give: a turn comes soon. */
  hasten(): void {
    if (this.#unwatch !== undefined && this.#isNews) this.#turnWithin(URGENT);
  }

  /** Leaves the fleet, which has nothing more of it. */
  async end(): Promise<void> {
    const unwatch = this.#unwatch;
    if (unwatch === undefined) return;
    this.#isOver = true;
    this.#clock.clearTimeout(this.#timer);
    await this.#turn;
    for (const act of [() => this.#leave(), () => this.#within(unwatch())]) {
      try {
        await act();
      } catch (error) {
        // What it has in the book lapses.
        this.#author.failed(error);
      }
    }
  }

  /** What it has, and what is due to it. */
  get #due(): string {
    const { permits, goal, standing } = this.#tenure;
    return [permits, goal, standing.share].join();
  }

  get #own(): Account | undefined {
    return this.#book.members.get(this.#tenure.terms.id);
  }

  /** How long its leases are. */
  get #lease(): number {
    return this.#own?.ttl ?? this.#tenure.terms.ttl;
  }

  /** Within so long the members that may be at it have a turn each. */
  get #shortest(): number {
    return RETRY * (1 + this.members / RIVALS);
  }

  /** The longest it waits for a turn that it knows a reason for. */
  get #longest(): number {
    return this.#lease / 2 / BEATS;
  }

  /** A turn comes within such a part of a lease, drawn so that not all do at once. */
  #turnWithin(parts: number, patience = 1): void {
    const limit = Math.min(
      Math.max(this.#lease / parts, this.#shortest) * patience,
      this.#longest,
    );
    if (this.#turnAt <= this.#clock.now() + limit) return;
    this.#wake(Math.random() * limit);
  }

  /** One who has no lease yet has none to lose, and leaves way to who has. */
  #retry(): number {
    const longest = this.#own === undefined ? this.#lease : this.#longest;
    return Math.random() *
      Math.min(this.#shortest * 2 ** this.#tries++, longest);
  }

  /** Whether the book does not say what it has, or could use. */
  get #isNews(): boolean {
    const own = this.#own;
    const demand = Math.min(this.#author.demand(), this.#tenure.terms.max);
    return own === undefined || own.floor + own.wants < demand ||
      own.floor + own.block !== this.#tenure.permits;
  }

  /** What was written elsewhere is read; its own is known. */
  #hear(): void {
    const news = this.#news;
    this.#news = undefined;
    // One that is to read already has a turn to come.
    if (news === undefined || this.#version === undefined) return;
    if (news === this.#version) return;
    this.#version = undefined;
    const { permits } = this.#tenure;
    const parts = this.#author.demand() > permits ? URGENT : NEWS;
    // What was nothing to it for some time is likely to be nothing again.
    this.#turnWithin(parts, 2 ** this.#idles);
  }

  #wake(delay: number): void {
    if (this.#isOver) return;
    this.#turnAt = Math.min(this.#turnAt, this.#clock.now() + delay);
    this.#arm();
  }

  /** One timer for the next turn, and for the end of what is leased. */
  #arm(): void {
    const turnAt = this.#turn === undefined ? this.#turnAt : Infinity;
    const now = this.#clock.now();
    const time = Math.min(turnAt, this.#tenure.endAfter(now));
    if (time === this.#timerAt || this.#isOver) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = time;
    const delay = Math.min(Math.max(0, time - now), LONGEST);
    this.#timer = this.#clock.setTimeout(() => this.#ring(), delay);
  }

  #ring(): void {
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    this.#author.settle(now);
    if (this.#turn === undefined && now >= this.#turnAt) {
      this.#turnAt = Infinity;
      this.#turn = this.#exchange();
    }
    this.#arm();
  }

  async #exchange(): Promise<void> {
    let isDone = false;
    const before = this.#due;
    try {
      isDone = await this.#write();
      if (isDone) this.#tries = 0;
      else this.#version = undefined;
    } catch (error) {
      // Whether a call that failed has been heard is not known.
      this.#version = undefined;
      this.#author.failed(error);
    }
    this.#turn = undefined;
    this.#idles = this.#due === before ? this.#idles + 1 : 0;
    const now = this.#clock.now();
    this.#author.settle(now);
    this.#wake(isDone ? this.#beatAt - now : this.#retry());
    this.#hear();
  }

  /** Writes what is to be written; gives `false` where another was faster. */
  async #write(): Promise<boolean> {
    const version = this.#version ?? await this.#read();
    const now = this.#clock.now();
    this.#author.settle(now);
    if (this.#areOthersShort) this.#author.lend(now - this.#lease / BEATS);
    const { fence } = this.#tenure.standing;
    const proposal = this.#tenure.propose(
      this.#book,
      now,
      this.#author.demand(),
    );
    if (!this.#isWorth(proposal)) return true;
    this.#version = await this.#within(
      this.#shelf.swap(version, proposal.book),
    );
    if (this.#version === undefined) return false;
    this.#book = proposal.book;
    this.#tenure.confirm(proposal);
    this.#beatAt = now + this.#lease / BEATS;
    this.#author.settle(this.#clock.now());
    const { permits, standing } = this.#tenure;
    if (standing.fence === fence) return true;
    this.#author.leased({ fence: standing.fence, permits });
    return true;
  }

  async #read(): Promise<string> {
    const { book, version } = await this.#within(this.#shelf.read());
    this.#book = book;
    this.#tenure.read(this.#book, this.#clock.now());
    return this.#version = version;
  }

  /** Whether it is time to write, or there is more to say than how it fares. */
  #isWorth({ book, began, takes }: Proposal): boolean {
    const own = this.#own;
    const next = book.members.get(this.#tenure.terms.id)!;
    return own === undefined || takes || began >= this.#beatAt ||
      own.fence !== next.fence ||
      next.floor + next.block !== this.#tenure.permits ||
      own.block !== next.block || own.wants < next.wants ||
      (own.wants > next.wants && this.#areOthersShort);
  }

  get #areOthersShort(): boolean {
    for (const [other, { wants, block }] of this.#book.members) {
      if (other !== this.#tenure.terms.id && wants > block) return true;
    }
    return false;
  }

  async #leave(): Promise<void> {
    while (this.#own !== undefined) {
      const version = await this.#read();
      const book = this.#tenure.resign(this.#book);
      const swap = this.#shelf.swap(version, book);
      if (await this.#within(swap) !== undefined) return;
      await this.#pause(this.#retry());
    }
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, delay));
  }

  /** A call that hangs is waited for no longer; it may yet be heard. */
  async #within<R>(call: Promise<R>): Promise<R> {
    const limit = this.#tenure.terms.ttl / BEATS;
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimeout(() => {
        reject(new Error(`The ledger has not answered for ${limit} ms`));
      }, limit);
    });
    try {
      return await Promise.race([call, late]);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}
