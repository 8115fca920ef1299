import type { Clock } from "../../mod.ts";
import type { StepClock, Timer } from "./step_clock.ts";

/**
 * A moment: the time, and how much more or less than the time that has passed
 * until then the pool may have counted, had it always read the clock.
 */
export interface Moment {
  readonly time: number;
  readonly lead: number;
  readonly lag: number;
  /** How many timers could not be set before. */
  readonly failures: number;
}

/** What is wrong with a reading or a timer: it throws, or is no number. */
export type ClockFault = (
  role: "reading" | "timer",
) => Error | "no number" | undefined;

/**
 * The clock as the pool sees it: timers keep time, but readings may be behind,
 * stand still or be none. A pool that takes a reading below the one before, or
 * none, for that one counts at most `most` and at least `least` since a moment:
 * between two readings it counts their difference. One that believes its timers
 * where they sleep more than twice what the clock moves on is ahead by that too,
 * also for what it stamps meanwhile.
 */
export class SeenClock implements Clock {
  /** How many timers could not be set. */
  failures = 0;
  readonly #clock: StepClock;
  readonly #fault: ClockFault;
  #behind = 0;
  /** Where it stands still. */
  #still: number | undefined = undefined;
  /** The highest reading the pool has seen, and when it last read. */
  #last: number | undefined = undefined;
  #readAt = 0;
  /** Until then. */
  #lead = 0;
  #lag = 0;
  #moment: Moment = { time: 0, lead: 0, lag: 0, failures: 0 };

  constructor(clock: StepClock, fault: ClockFault) {
    this.#clock = clock;
    this.#fault = fault;
  }

  now(): number {
    // What is stamped in this moment may be so by this reading.
    void this.moment;
    const reading = this.#reading();
    const fault = this.#last === undefined ? undefined : this.#fault("reading");
    const counted = fault === undefined ? reading : -Infinity;
    [this.#lead, this.#lag] = this.#count(counted);
    this.#last = Math.max(this.#last ?? -Infinity, counted);
    this.#readAt = this.#clock.now();
    if (fault instanceof Error) throw fault;
    return fault === undefined ? reading : NaN;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const fault = this.#fault("timer");
    if (fault === undefined) return this.#clock.setTimeout(callback, delay);
    this.failures++;
    throw fault;
  }

  clearTimeout(handle: unknown): void {
    this.#clock.clearTimeout(handle);
  }

  stepBack(ms: number): void {
    if (this.#still !== undefined) this.#still -= ms;
    else this.#behind += ms;
    this.#begin();
  }

  standStill(): void {
    this.#still = this.#reading();
    this.#begin();
  }

  /** It goes on from where it stands. */
  goOn(): void {
    this.#behind = this.#clock.now() - this.#reading();
    this.#still = undefined;
    this.#begin();
  }

  /** It tells the time. */
  correct(): void {
    this.#behind = 0;
    this.#still = undefined;
    this.#begin();
  }

  /** As it is before any reading in it. */
  get moment(): Moment {
    if (this.#moment.time !== this.#clock.now()) this.#begin();
    return this.#moment;
  }

  /** What the pool may count since a moment, were it to read now. */
  most(since: Moment): number {
    return this.#most(since, this.#clock.now());
  }

  /** The same as of the time up to which timers have fired. */
  mostFired(since: Moment): number {
    return this.#most(since, this.#clock.fired);
  }

  /** What it has to count since a moment when its timers have fired. */
  least(since: Moment): number {
    const [, lag] = this.#count(this.#reading());
    return this.#clock.fired - since.time - (lag - since.lag);
  }

  /** Between which a time is that the pool counts since a moment. */
  between(since: Moment): { least: number; most: number } {
    const most = this.most(since);
    const [, lag] = this.#count(this.#reading());
    const least = this.#clock.now() - since.time - (lag - since.lag);
    return { least, most };
  }

  /** Whether readings were in order since a moment. */
  isTrueSince({ lead, lag }: Moment): boolean {
    const now = this.#count(this.#reading());
    return now[0] === lead && now[1] === lag;
  }

  #most(since: Moment, time: number): number {
    const [lead, lag] = this.#count(this.#reading());
    return time - since.time + (lead - since.lead) + 2 * lag;
  }

  #begin(): void {
    const [lead, lag] = this.#count(this.#reading());
    const { failures } = this;
    this.#moment = { time: this.#clock.now(), lead, lag, failures };
  }

  #reading(): number {
    return this.#still ?? this.#clock.now() - this.#behind;
  }

  /** Lead and lag with a reading of now. */
  #count(reading: number): [lead: number, lag: number] {
    if (this.#last === undefined) return [0, 0];
    const passed = this.#clock.now() - this.#readAt;
    const seen = Math.max(reading - this.#last, 0);
    return [
      this.#lead + Math.max(seen - passed, 0),
      this.#lag + Math.max(passed - seen, 0),
    ];
  }
}
