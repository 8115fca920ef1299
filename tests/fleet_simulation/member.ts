import { type Author, Correspondence } from "../../src/fleet/correspondence.ts";
import { Tenure, type Terms } from "../../src/fleet/tenure.ts";
import type { Engine } from "./engine.ts";
import { MachineClock, type Timeline } from "./timeline.ts";

/** Milliseconds after which a pool destroys what is idle, as it does by default. */
const IDLE_TIMEOUT = 30_000;

/** What a member tells its fleet. */
export interface Census {
  /** It has so many resources more, or less. */
  used(change: number): void;
  /** It has more than the book says. */
  failed(error: unknown): void;
}

/**
 * One process: the real correspondence and tenure, and in the place of its pools how
 * many resources they could use. Uses are short: what it is to give up it gives up
 * at once.
 */
export class Member implements Author {
  readonly id: string;
  /** How many resources it has. */
  used = 0;
  readonly #engine: Engine;
  readonly #timeline: Timeline;
  readonly #census: Census;
  readonly #clock: MachineClock;
  readonly #tenure: Tenure;
  readonly #mail: Correspondence;
  readonly #kill: () => void;
  #wanted: number;
  #idleSince = Infinity;

  constructor(
    timeline: Timeline,
    engine: Engine,
    census: Census,
    terms: Terms,
    { pace, wanted }: { pace: number; wanted: number },
  ) {
    this.id = terms.id;
    this.#engine = engine;
    this.#timeline = timeline;
    this.#census = census;
    this.#wanted = wanted;
    this.#clock = new MachineClock(timeline, pace);
    this.#tenure = new Tenure(terms);
    const { kill, ...shelf } = engine.connect();
    this.#kill = kill;
    this.#mail = new Correspondence(shelf, this.#tenure, this.#clock, this);
    this.#mail.begin();
  }

  /** How many permits it would reserve. */
  get floor(): number {
    return this.#tenure.terms.floor;
  }

  get wanted(): number {
    return this.#wanted;
  }

  /** From now on it could use so many. */
  want(permits: number): void {
    this.#wanted = permits;
    if (permits < this.used) {
      this.#idleSince = this.#clock.now();
      this.#timeline.after(IDLE_TIMEOUT, () => this.#expire());
    }
    this.settle(this.#clock.now());
  }

  /** It ends without a word, and its resources with it. */
  kill(): void {
    this.#clock.kill();
    this.#kill();
    this.#use(0);
  }

  demand(): number {
    return Math.max(this.used, this.#wanted);
  }

  settle(now: number): void {
    const tenure = this.#tenure;
    tenure.expire(now);
    const { goal, permits } = tenure;
    this.#use(Math.min(this.demand(), goal));
    tenure.lower(goal);
    // As pools do that are busy: whenever something is taken or given back.
    if (goal < permits || this.demand() > goal) this.#mail.hasten();
  }

  lend(since: number): void {
    if (this.#idleSince <= since) this.#expire();
  }

  leased(): void {}

  failed(error: unknown): void {
    this.#census.failed(error);
  }

  /** What is idle goes. */
  #expire(): void {
    this.#idleSince = Infinity;
    this.#use(Math.min(this.used, this.#wanted));
  }

  #use(count: number): void {
    const more = count - this.used;
    if (more === 0) return;
    this.used = count;
    this.#census.used(more);
    const account = this.#engine.book.members.get(this.id);
    const noted = (account?.floor ?? 0) + (account?.block ?? 0);
    if (count <= noted) return;
    this.failed(
      new Error(`${this.id} has ${count}, and in the book ${noted}`),
    );
  }
}
