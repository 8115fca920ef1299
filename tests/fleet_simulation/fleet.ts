import type { Book } from "../../src/fleet/book.ts";
import { DRIFT } from "../../src/fleet/tenure.ts";
import { Random } from "../simulation/random.ts";
import { Engine } from "./engine.ts";
import { type Census, Member } from "./member.ts";
import { Timeline } from "./timeline.ts";

/** Milliseconds of a lease of a small fleet: the default. */
export const TTL = 10_000;
/** Permits for each member. */
const PERMITS = 2;
/** Every so many-th member has a floor of one. */
const FLOORS = 10;

/** Members that share one maximum, on virtual time. */
export class Fleet implements Census {
  readonly timeline = new Timeline();
  readonly engine: Engine;
  readonly max: number;
  readonly #random: Random;
  readonly #seed: number;
  #members: Member[] = [];
  #born = 0;
  #used = 0;
  #fault: Error | undefined;

  constructor(seed: number, size: number) {
    this.#seed = seed;
    this.#random = new Random(seed, size);
    this.max = PERMITS * size;
    this.engine = new Engine(
      this.timeline,
      new Random(seed, size, 1),
      this.max,
      (book) => this.#judge(book),
    );
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** How many resources those have that could use some. */
  get #inUse(): number[] {
    return this.#members.filter(({ wanted }) => wanted > 0)
      .map(({ used }) => used);
  }

  /** How much of what could be used is. */
  get use(): number {
    let [wanted, reserved, used] = [0, 0, 0];
    for (const member of this.#members) {
      wanted += member.wanted;
      if (member.wanted === 0) reserved += member.floor;
      else used += member.used;
    }
    return used / Math.min(wanted, this.max - reserved);
  }

  /** Jain's index over all members that want equally much. */
  get fairness(): number {
    const used = this.#inUse;
    const sum = used.reduce((all, it) => all + it, 0);
    const squares = used.reduce((all, it) => all + it * it, 0);
    return squares === 0 ? 0 : sum * sum / (used.length * squares);
  }

  /** A member joins. */
  join(wanted: number): Member {
    const number = this.#born++;
    const floor = number % FLOORS === 0 ? 1 : 0;
    const pace = 1 + (2 * this.#random.real() - 1) * DRIFT;
    // As long as those that members draw.
    const id = `member-${number}`.padEnd(32, "-");
    const terms = { id, max: this.max, floor, ttl: TTL, floorTtl: 2 * TTL };
    const member = new Member(this.timeline, this.engine, this, terms, {
      pace,
      wanted,
    });
    this.#members.push(member);
    return member;
  }

  /** One of them dies. */
  kill(): Member {
    const at = this.#random.below(this.#members.length);
    const member = this.#members[at]!;
    this.#members[at] = this.#members.at(-1)!;
    this.#members.pop();
    member.kill();
    return member;
  }

  /** Moves on by so many ms, after something is done to it. */
  async run(ms: number, act: () => void): Promise<void> {
    const { random } = Math;
    Math.random = () => this.#random.real();
    try {
      act();
      await this.timeline.run(this.timeline.now + ms);
    } finally {
      Math.random = random;
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  used(change: number): void {
    this.#used += change;
    if (this.#used <= this.max) return;
    this.failed(new Error(`${this.#used} resources of ${this.max}`));
  }

  failed(error: unknown): void {
    const message = error instanceof Error ? error.message : `${error}`;
    const { now } = this.timeline;
    this.#fault ??= new Error(`Seed ${this.#seed}, at ${now} ms: ${message}`);
  }

  /** What holds of each book that is written. */
  #judge(book: Book): void {
    let taken = 0;
    for (const { floor, block } of book.members.values()) {
      taken += floor + block;
    }
    if (taken > this.max) {
      this.failed(new Error(`${taken} permits in the book of ${this.max}`));
    }
    for (const { id, used } of this.#members) {
      const account = book.members.get(id);
      if (used <= (account?.floor ?? 0) + (account?.block ?? 0)) continue;
      this.failed(new Error(`${id} uses ${used} that lapsed`));
    }
  }
}
