import type { Clock } from "../clock.ts";
import { type Account, type Book, decode, encode } from "./book.ts";
import type { Ledger } from "./ledger.ts";
import type { Proposal, Tenure } from "./tenure.ts";

/** How often a lease is renewed before it would end. */
const BEATS = 3;

/** In so many parts of a ttl news is read, and by who lacks something sooner. */
const NEWS = 50;
const URGENT = 500;

/** Milliseconds that one who was beaten to it waits at first, at most. */
const RETRY = 4;

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
  readonly #ledger: Ledger;
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
  /** Turns in a row without success. */
  #tries = 0;
  #timer: unknown = undefined;
  #timerAt = Infinity;

  constructor(ledger: Ledger, tenure: Tenure, clock: Clock, author: Author) {
    this.#ledger = ledger;
    this.#tenure = tenure;
    this.#clock = clock;
    this.#author = author;
    this.#book = decode("", tenure.terms.max);
  }

  /** How many have accounts. */
  get members(): number {
    return Object.keys(this.#book.members).length;
  }

  /** Joins the fleet, unless it has. */
  begin(): void {
    if (this.#unwatch !== undefined) return;
    this.#unwatch = this.#ledger.watch((version) => {
      this.#news = version;
      if (this.#turn === undefined) this.#hear();
    });
    this.#wake(0);
  }

  /** It could use more, or has something to give: a turn comes soon. */
  hasten(): void {
    if (this.#unwatch !== undefined) this.#wake(this.#gap(URGENT));
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

  get #own(): Account | undefined {
    return this.#book.members[this.#tenure.terms.id];
  }

  /** How long its leases are. */
  get #lease(): number {
    return this.#own?.ttl ?? this.#tenure.terms.ttl;
  }

  /** A while, drawn so that not all come at once. */
  #gap(parts: number): number {
    return Math.random() * this.#lease / parts;
  }

  #retry(): number {
    const longest = Math.min(
      RETRY * 2 ** this.#tries++,
      this.#lease / 2 / BEATS,
    );
    return Math.random() * longest;
  }

  /** What was written elsewhere is read; its own is known. */
  #hear(): void {
    if (this.#news === undefined || this.#news === this.#version) return;
    this.#news = this.#version = undefined;
    const { permits } = this.#tenure;
    this.#wake(this.#gap(this.#author.demand() > permits ? URGENT : NEWS));
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
      this.#ledger.swap(version, encode(proposal.book)),
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
    const { value, version } = await this.#within(this.#ledger.read());
    this.#book = decode(value, this.#tenure.terms.max);
    this.#tenure.read(this.#book, this.#clock.now());
    return this.#version = version;
  }

  /** Whether it is time to write, or there is more to say than how it fares. */
  #isWorth({ book, began }: Proposal): boolean {
    const { id } = this.#tenure.terms;
    const { members } = this.#book;
    const [own, next] = [members[id], book.members[id]!];
    return own === undefined || began >= this.#beatAt ||
      own.fence !== next.fence ||
      next.floor + next.block !== this.#tenure.permits ||
      own.block !== next.block || own.wants < next.wants ||
      (own.wants > next.wants && this.#areOthersShort) ||
      Object.keys(members).some((other) =>
        other !== id && book.members[other] !== members[other]
      );
  }

  get #areOthersShort(): boolean {
    const { id } = this.#tenure.terms;
    return Object.entries(this.#book.members)
      .some(([other, { wants, block }]) => other !== id && wants > block);
  }

  async #leave(): Promise<void> {
    while (this.#own !== undefined) {
      const version = await this.#read();
      const book = this.#tenure.resign(this.#book);
      const swap = this.#ledger.swap(version, encode(book));
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
