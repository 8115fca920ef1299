import type { Config } from "./scenario.ts";
import type { Moment, SeenClock } from "./seen_clock.ts";

/** A call of `create` as its line counts it. */
export interface CreateCall {
  readonly signal: AbortSignal;
  readonly since: Moment;
  readonly clears: number;
  /** Milliseconds after which the pool stops waiting for it. */
  readonly limit: number;
  readonly epoch: number;
  readonly stripe: number;
  /** How many had come before it. */
  readonly arrivals: number;
  /** Whether `lost` was called for it, and in which epoch. */
  lostIn: number | undefined;
  /** Whether a waiter timed out while it was in flight. */
  disappointed: boolean;
  /** How many evictions are to ask of what it makes when that is there. */
  asks: number;
}

/** Between which a number is. */
interface Bounds {
  least: number;
  most: number;
}

/** Milliseconds after which a create may be overdue, and while none succeeded. */
const LEAST_PATIENCE = 250;
const FIRST_PATIENCE = 1_000;
/** More than what is lost where times are added. */
export const ROUNDING = 1e-6;
const NONE: Bounds = { least: Infinity, most: Infinity };
/** For what is rounded, and for timers that are set to a whole one. */
const SLACK = 1;

/**
 * What is to be known from outside of the creates of one line: their usual time,
 * which of them are overdue, the outage. Within an epoch nobody can tell in
 * which order the pool hears things; so all is known between bounds, and a rule
 * is broken only where it is by both.
 */
export class LineWatch {
  /** Creates that have neither answered nor been given up. */
  readonly inFlight: Set<CreateCall> = new Set();
  /** The usual time of a create; undefined while none has succeeded. */
  usual: Bounds | undefined = undefined;
  /** The last epoch in which one succeeded, and in which one failed. */
  succeededIn = -1;
  failedIn = -1;
  /** What was known when the last one failed. */
  #failedAt: Moment | undefined = undefined;
  /** When the first one of this epoch failed. */
  #failingSince: Moment | undefined = undefined;
  #deviation = 0;
  /** How many that ended may have been overdue since one succeeded. */
  #slowEnded = 0;
  #succeeded: CreateCall[] = [];
  #failed: CreateCall[] = [];
  /** The allowance, apart from the overdue. */
  readonly #allowance: Bounds = { least: Infinity, most: Infinity };
  readonly #backoff: Bounds = { least: 0, most: 0 };
  readonly #nextAt: Bounds = { least: -Infinity, most: -Infinity };
  /** When the last failure came that lengthened the backoff. */
  readonly #lengthenedIn: Bounds = { least: -1, most: -1 };
  readonly #config: Config;
  readonly #clock: SeenClock;

  constructor(config: Config, clock: SeenClock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Creates that count on; at most. */
  get coming(): number {
    return this.inFlight.size - this.#overdue().least;
  }

  /** The rule that a create breaks by beginning now. */
  began(call: CreateCall): string | undefined {
    this.inFlight.add(call);
    if (this.#config.createRetry === false) return undefined;
    // Where the clock stands still, timers are believed.
    const { time, lead } = this.#clock.moment;
    const now = time + lead;
    if (now < this.#nextAt.least - SLACK) {
      return `Outage: a create ${this.#nextAt.least - now} ms too early`;
    }
    const allowed = this.#allowance.most + this.#overdue().most;
    // One that has just been given up is still in the books.
    const count = [...this.inFlight]
      .filter(({ signal, lostIn }) => !signal.aborted || lostIn !== undefined)
      .length;
    return count > allowed
      ? `Outage: ${count} creates where ${allowed} may be`
      : undefined;
  }

  succeeded(call: CreateCall): void {
    this.#end(call);
    this.#succeeded.push(call);
    // It may have opened what a create that follows at once goes through.
    if (call.epoch < this.#lengthenedIn.least) return;
    this.#allowance.most *= 2;
    this.#backoff.least = 0;
    this.#nextAt.least = -Infinity;
  }

  failed(call: CreateCall): void {
    this.#end(call);
    this.#fail(call);
  }

  /** What one makes has ended before it was there: as good as a failure. */
  lost(call: CreateCall): void {
    this.#fail(call);
  }

  /** One who waited was told that its time is over, which may give up on these. */
  disappoint(): void {
    for (const call of this.inFlight) call.disappointed = true;
    // They may have been in flight when the pool told it.
    for (const call of this.#failed) {
      if (!this.#isSlow(call)) this.#slowEnded++;
      call.disappointed = true;
    }
  }

  /** All promises have settled. */
  endEpoch(epoch: number): void {
    // Without a timer for its limit one was given up before it was heard.
    const isGivenUp = ({ signal }: CreateCall) => signal.aborted;
    const succeeded = this.#succeeded.filter((call) => !isGivenUp(call));
    const failed = [...this.#failed, ...this.#succeeded.filter(isGivenUp)];
    this.#succeeded = [];
    this.#failed = [];
    const failingSince = this.#failingSince ?? this.#clock.moment;
    this.#failingSince = undefined;
    const before = this.succeededIn;
    if (succeeded.length > 0) {
      if (failed.length === 0) this.#open(succeeded);
      this.#measure(succeeded);
      this.succeededIn = epoch;
      this.#slowEnded = failed.length;
    }
    if (failed.length > 0) {
      this.#close(failed, before, epoch, failingSince.time);
      this.failedIn = epoch;
      this.#failedAt = failingSince;
    }
  }

  /** How long one waits at most until a create is coming for it. */
  get covers(): number {
    if (this.usual !== undefined) return this.usual.most + SLACK;
    return FIRST_PATIENCE * 2 ** this.#slow() + SLACK;
  }

  /** Whether a create may be held back by an outage. */
  get isHeldBack(): boolean {
    const { failures } = this.#clock;
    if (this.#failedAt === undefined) return false;
    if (this.#failedAt.failures < failures) return true;
    const fired = this.#failedAt.time + this.#clock.least(this.#failedAt);
    if (fired < this.#nextAt.most + SLACK) return true;
    const { size } = this.inFlight;
    return size >= this.#allowance.least + this.#overdue().least;
  }

  /**
   * The epoch before which all who came have to be told that creates fail:
   * none has ever succeeded, and none that may be counted on was in flight when
   * the last one failed.
   */
  get rejectsBefore(): number {
    if (this.succeededIn >= 0 || this.#failedAt === undefined) return -1;
    // Without a timer one may have been given up, and told, before.
    if (this.#failedAt.failures < this.#clock.failures) return -1;
    for (const call of this.inFlight) {
      // One that is lost will say itself why it failed.
      const isOver = call.lostIn === undefined && this.#isOverdue(call);
      if (!isOver && call.epoch <= this.failedIn) return -1;
    }
    return this.failedIn;
  }

  /** What the usual time can be now; `Infinity` for none. */
  get usualNow(): Bounds {
    const took = this.#succeeded.map(({ since }) => this.#clock.least(since));
    const { least, most } = this.usual ?? NONE;
    return {
      least: Math.min(least, ...took) - ROUNDING,
      most: Math.max(most, ...took) + ROUNDING,
    };
  }

  /** Whether one has ended in this epoch. */
  get isMoved(): boolean {
    return this.#succeeded.length + this.#failed.length > 0;
  }

  /** How many that are in flight may have become overdue. */
  get mayBeOverdue(): number {
    return this.#overdue().most;
  }

  #fail(call: CreateCall): void {
    this.#failed.push(call);
    // A timer that failed while it was in flight may have had it given up, and
    // the one for the next try may have failed before its answer is known here.
    const { failures } = call.since;
    this.#failingSince ??= { ...this.#clock.moment, failures };
  }

  #end(call: CreateCall): void {
    this.inFlight.delete(call);
    if (this.#isSlow(call)) this.#slowEnded++;
  }

  /** Successes that are sure to end an outage, or to open it further. */
  #open(calls: readonly CreateCall[]): void {
    for (const { epoch } of calls) {
      if (epoch <= this.#lengthenedIn.most) continue;
      this.#allowance.least *= 2;
      this.#backoff.most = 0;
      this.#nextAt.most = -Infinity;
    }
  }

  /** Failures that begin an outage or lengthen it. */
  #close(
    calls: readonly CreateCall[],
    before: number,
    epoch: number,
    since: number,
  ): void {
    const { createRetry } = this.#config;
    if (createRetry === false) return;
    const { delay, maxDelay } = createRetry;
    const now = this.#clock.moment.time;
    // Also where it only says that a server takes no more.
    this.#allowance.least = 1;
    // One that began before the latest success begins nothing.
    const counted = calls.filter((call) => call.epoch >= before);
    if (counted.length === 0) return;
    // Those that fail together count once, but for what begins and fails.
    const together = counted.filter((call) => call.epoch < epoch);
    const count = counted.length - Math.max(together.length - 1, 0);
    for (let i = 0; i < count; i++) {
      const { most } = this.#backoff;
      this.#backoff.most = Math.min(Math.max(most * 2, delay), maxDelay);
    }
    this.#nextAt.most = now + this.#backoff.most;
    const lengthenedIn = this.#lengthenedIn.most;
    this.#lengthenedIn.most = epoch;
    // Where a timer failed meanwhile one may have been given up before.
    const sure = calls.filter(({ epoch, since }) =>
      epoch > this.succeededIn && since.failures === this.#clock.failures
    );
    if (sure.length === 0) return;
    this.#allowance.most = 1;
    if (!sure.some((call) => call.epoch > lengthenedIn)) return;
    const { least } = this.#backoff;
    this.#backoff.least = Math.min(least * 2 || delay, maxDelay);
    // A freeze may come between, in the same epoch.
    this.#nextAt.least = since + 0.75 * this.#backoff.least;
    this.#lengthenedIn.least = epoch;
  }

  #measure(calls: readonly CreateCall[]): void {
    const took = calls.map(({ since }) => this.#clock.most(since));
    took.sort((a, b) => a - b);
    const [first, last] = [took[0]!, took.at(-1)!];
    const { usual } = this;
    if (usual === undefined) {
      this.usual = { least: first, most: last };
      this.#deviation = last / 2 + last - first;
      return;
    }
    for (const time of took) {
      const { least, most } = usual;
      const error = Math.max(Math.abs(time - least), Math.abs(time - most));
      this.#deviation += (error - this.#deviation) / 4;
      usual.most += (time - most) / 8;
    }
    for (const time of took.reverse()) {
      usual.least += (time - usual.least) / 8;
    }
  }

  /** How many are overdue. */
  #overdue(): Bounds {
    const bounds = { least: 0, most: 0 };
    for (const call of this.inFlight) {
      if (this.#isOverdue(call)) bounds.least++;
      if (call.lostIn !== undefined || this.#isSlow(call)) bounds.most++;
    }
    return bounds;
  }

  /** Whether it may have been overdue. */
  #isSlow({ since, disappointed }: CreateCall): boolean {
    return this.#config.growth === "measured" &&
      (disappointed || this.#clock.most(since) >= LEAST_PATIENCE - ROUNDING);
  }

  /** Whether it is sure to be overdue. */
  #isOverdue(call: CreateCall): boolean {
    if (call.lostIn !== undefined) return true;
    if (!this.#isSlow(call)) return false;
    if (call.since.failures < this.#clock.failures) return false;
    const base = this.usual === undefined
      ? FIRST_PATIENCE
      : Math.max(LEAST_PATIENCE, this.usual.most + 4 * this.#deviation);
    const patience = base * 2 ** (this.#slow() - 1) + SLACK;
    return this.#clock.least(call.since) > patience;
  }

  /** How many may have been overdue since one succeeded. */
  #slow(): number {
    let slow = this.#slowEnded;
    for (const call of this.inFlight) if (this.#isSlow(call)) slow++;
    return slow;
  }
}
