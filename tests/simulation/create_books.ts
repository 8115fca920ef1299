import { CallTimeoutError, PoolClosedError } from "../../mod.ts";
import type { CloseWatch } from "./close_watch.ts";
import { type CreateCall, LineWatch, ROUNDING } from "./line_watch.ts";
import type { Config } from "./scenario.ts";
import type { SeenClock } from "./seen_clock.ts";
import type { Fault } from "./tally.ts";

/** What a lost one fails with when it passes its limit, unknown to its signal. */
const OF_LIMIT = Symbol("of limit");

/** Who was told that a create failed. */
interface Told {
  readonly line: number;
  readonly order: number;
  readonly epoch: number;
}

/** The creates of a pool, and what each failed with. */
export class CreateBooks {
  /** One for each line of the pool. */
  readonly lines: readonly LineWatch[];
  /** Those that have neither answered nor been given up. */
  readonly calls: Set<CreateCall> = new Set();
  /** How many began, and ended, in this epoch. */
  begun = 0;
  ended = 0;
  /** Whether one ever began. */
  hasBegun = false;
  readonly #config: Config;
  readonly #clock: SeenClock;
  readonly #closing: CloseWatch;
  readonly #clockErrors: ReadonlySet<unknown>;
  readonly #fail: (rule: string) => void;
  /** What creates failed with, and in which epoch. */
  readonly #failures: Map<unknown, { call: CreateCall; epoch: number }[]> =
    new Map();
  /** Failures of which one waiter was told. */
  readonly #told: Set<CreateCall> = new Set();

  constructor(
    config: Config,
    clock: SeenClock,
    closing: CloseWatch,
    clockErrors: ReadonlySet<unknown>,
    fail: (rule: string) => void,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#closing = closing;
    this.#clockErrors = clockErrors;
    this.#fail = fail;
    const count = config.isolated ? config.stripes : 1;
    this.lines = Array.from(
      { length: count },
      () => new LineWatch(config, clock),
    );
  }

  /** How long one waits at most until a create is coming for it. */
  get covers(): number {
    if (this.#config.growth === "eager") return 0;
    return Math.max(...this.lines.map(({ covers }) => covers));
  }

  lineOf(stripe: number): LineWatch {
    return this.lines[this.#config.isolated ? stripe : 0]!;
  }

  began(call: CreateCall): void {
    this.calls.add(call);
    this.begun++;
    this.hasBegun = true;
    const mistake = this.lineOf(call.stripe).began(call);
    if (mistake !== undefined) this.#fail(mistake);
    const { maxCreating } = this.#config;
    const count = this.sure();
    if (count > maxCreating) this.#fail(`Gate: ${count} creates at once`);
  }

  /** One gave a resource; whether the pool is sure to have waited for it. */
  succeeded(call: CreateCall, epoch: number): boolean {
    if (!this.calls.has(call)) return false;
    const isSure = this.isSure(call);
    if (isSure && !this.#closing.began && call.lostIn === undefined) {
      this.lineOf(call.stripe).succeeded(call);
    } else this.#failed(call, call.signal.reason, epoch);
    this.#end(call);
    return isSure;
  }

  failed(call: CreateCall, error: unknown, epoch: number): void {
    if (!this.calls.has(call)) return;
    const { aborted, reason } = call.signal;
    this.#failed(call, error, epoch);
    if (aborted && reason !== error) this.note(call, reason, epoch);
    this.#end(call);
  }

  /** What one makes has ended before it was there. */
  lost(call: CreateCall, error: unknown, epoch: number): void {
    this.lineOf(call.stripe).lost(call);
    this.note(call, error, epoch);
  }

  /** Whether the pool cannot have given up a create yet. */
  isSure(call: CreateCall): boolean {
    const { signal, since, limit } = call;
    if (!signal.aborted) return true;
    if (!this.isMaybe(call)) return false;
    // Without a timer for their limits it gives up all it waits for.
    return limit === Infinity ||
      since.failures === this.#clock.failures &&
        this.#clock.mostFired(since) < limit - ROUNDING;
  }

  /** Whether it may wait for it: a lost one's signal has aborted before. */
  isMaybe({ signal, lostIn }: CreateCall): boolean {
    const { aborted, reason } = signal;
    if (!aborted) return true;
    if (this.#closing.aborted) return false;
    return lostIn !== undefined ||
      this.#closing.began && reason instanceof PoolClosedError;
  }

  /** How many the pool is sure to wait for. */
  sure(): number {
    let count = 0;
    for (const call of this.calls) if (this.isSure(call)) count++;
    return count;
  }

  /** How many it may wait for. */
  most(): number {
    let count = 0;
    for (const call of this.calls) if (this.isMaybe(call)) count++;
    return count;
  }

  /** A waiter of a line, -1 for any, is or will be told that its time is over. */
  disappoint(line: number): void {
    const lines = line < 0 ? this.lines : [this.lines[line]!];
    for (const watch of lines) watch.disappoint();
  }

  /** Why one may be told of a failure. */
  refusal(told: Told, error: unknown): Fault | undefined {
    const found = this.#find(error);
    if (found.length === 0) return undefined;
    const mistakes = found.map((failure) => this.#mistake(told, failure));
    const right = mistakes.indexOf(undefined);
    // Those whose own timer could not be set are told so, too.
    if (right < 0 && this.#clockErrors.has(error)) return undefined;
    if (right < 0) this.#fail(mistakes[0]!);
    const { call } = found[Math.max(right, 0)]!;
    // Nor is it known whether it was told of this create or of its own timer.
    if (this.#clockErrors.has(error)) return "create: given up without a timer";
    this.#told.add(call);
    if (call.lostIn !== undefined) return "acquire: rejected by a lost create";
    if (error === call.signal.reason) {
      return "create: given up at createTimeout";
    }
    if (this.#config.createRetry !== false) {
      return "acquire: rejected as none ever succeeded";
    }
    return "acquire: rejected by a failed create";
  }

  /** Whether something is what a create failed with. */
  isFailure(error: unknown): boolean {
    // The limit of one that was lost before is not told to its signal.
    return error instanceof CallTimeoutError || this.#clockErrors.has(error) ||
      this.#find(error).length > 0;
  }

  /** Whether a create that began after this moment failed with it. */
  isFailureSince(error: unknown, epoch: number): boolean {
    return this.#find(error).some(({ call }) => call.epoch >= epoch);
  }

  /** All promises have settled. */
  endEpoch(epoch: number): void {
    for (const call of this.calls) this.#giveUp(call, epoch);
    for (const line of this.lines) line.endEpoch(epoch);
  }

  /** Forgets one that the pool has given up, and not too early. */
  #giveUp(call: CreateCall, epoch: number): void {
    const { signal, since, limit } = call;
    if (!signal.aborted) return;
    const clock = this.#clock;
    if (this.isMaybe(call)) {
      if (clock.least(since) < limit) return;
    } else if (
      !this.#closing.aborted && !this.#clockErrors.has(signal.reason)
    ) {
      if (clock.most(since) < limit - ROUNDING) {
        this.#fail("a create is given up too early");
      }
    }
    this.#failed(call, signal.reason, epoch);
    this.#end(call);
  }

  #end(call: CreateCall): void {
    this.calls.delete(call);
    this.ended++;
  }

  #failed(call: CreateCall, error: unknown, epoch: number): void {
    this.lineOf(call.stripe).failed(call);
    this.note(call, error, epoch);
    // A lost one may have passed its limit before its answer was heard.
    const { lostIn, since, limit } = call;
    if (lostIn !== undefined && this.#clock.most(since) >= limit - ROUNDING) {
      this.note(call, OF_LIMIT, epoch);
    }
  }

  /** This may be told of as what a create failed with. */
  note(call: CreateCall, error: unknown, epoch: number): void {
    const known = this.#failures.get(error);
    if (known === undefined) this.#failures.set(error, [{ call, epoch }]);
    else known.push({ call, epoch });
  }

  #find(error: unknown): { call: CreateCall; epoch: number }[] {
    const isOfLimit = error instanceof CallTimeoutError ||
      this.#clockErrors.has(error);
    const found = [...this.#failures.get(error) ?? []];
    // A lost one that is given up was aborted with something else before.
    const perhaps = isOfLimit ? [...this.#failures.get(OF_LIMIT) ?? []] : [];
    for (const call of this.calls) {
      const { signal, lostIn } = call;
      if (!signal.aborted) continue;
      const known = { call, epoch: Infinity };
      if (signal.reason === error) found.push(known);
      else if (isOfLimit && lostIn !== undefined) perhaps.push(known);
    }
    return [...found, ...perhaps];
  }

  /** What is wrong with telling somebody of a failure. */
  #mistake(
    told: Told,
    { call, epoch }: { call: CreateCall; epoch: number },
  ): string | undefined {
    const { isolated, createRetry } = this.#config;
    const { stripe, arrivals } = call;
    if (isolated && told.line >= 0 && told.line !== stripe) {
      return "one of another line is told of a failure";
    }
    if (createRetry === false) {
      if (this.#told.has(call)) return "two are told of one failure";
      return told.order > arrivals
        ? "one who came after a create began is told of its failure"
        : undefined;
    }
    const { succeededIn } = this.lineOf(stripe);
    if (succeededIn >= 0) return "one is told of a failure after a success";
    return told.epoch > epoch
      ? "one who came after a failure is told of it"
      : undefined;
  }
}
