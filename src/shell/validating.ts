import type { Entry } from "../core/entry.ts";
import type { ValidateContext } from "../pool_options.ts";
import type { Chore } from "./agenda.ts";
import type { Parts } from "./parts.ts";
import { LazySignal } from "./lazy_signal.ts";
import type { Pending } from "./pending.ts";
import { isThenable } from "./user_call.ts";

/**
 * How many bad verdicts one turn of the event loop deals with: each ends in
 * calls of `destroy`, `validate` and `create`.
 */
const BATCH = 1_024;

/** A call of `validate` under way. It is made each time: the less, the faster. */
class ValidateCall<T> implements ValidateContext {
  readonly idle: number;
  readonly age: number;
  readonly uses: number;
  answer: PromiseLike<boolean> | undefined = undefined;
  #abortable: LazySignal | undefined = undefined;

  constructor({ releasedAt, bornAt, uses }: Entry<T>, now: number) {
    this.idle = now - releasedAt;
    this.age = now - bornAt;
    this.uses = uses;
  }

  get signal(): AbortSignal {
    return this.#lazy().signal;
  }

  abort(reason: unknown): void {
    this.#lazy().abort(reason);
  }

  #lazy(): LazySignal {
    return this.#abortable ??= new LazySignal();
  }
}

/** What `validate` says, or will. */
export type Verdict = boolean | ValidateCall<unknown>;

/** Calls `validate`, and batches its bad verdicts. */
export class Validating<T> implements Chore {
  readonly #parts: Parts<T>;
  /** How many bad verdicts were dealt with since the last turn. */
  #dealt = 0;
  /** Those with a bad verdict that is dealt with in a later turn. */
  #bad: Entry<T>[] = [];
  due = Infinity;

  constructor(parts: Parts<T>) {
    this.#parts = parts;
    parts.agenda.add(this);
  }

  /** Asks for the verdict on an entry, in the context of whoever takes it. */
  ask(entry: Entry<T>, now: number): Verdict {
    const call = new ValidateCall(entry, now);
    try {
      const verdict = this.#parts.settings.validate!(entry.resource, call);
      if (!isThenable(verdict)) return !entry.isLost && Boolean(verdict);
      call.answer = verdict;
      return call;
    } catch (error) {
      entry.error = error;
      return false;
    }
  }

  /** Deals with a verdict on what was taken, now or when it comes. */
  judge(entry: Entry<T>, verdict: Verdict): void {
    this.#await(entry, verdict, (isValid) => this.#judge(entry, isValid));
  }

  /** Checks an entry in the background; `over` is called after. */
  inspect(entry: Entry<T>, over: () => void): void {
    const verdict = this.ask(entry, this.#parts.now());
    this.#await(entry, verdict, (isValid) => {
      const now = this.#parts.now();
      const line = this.#parts.partition.lineOf(entry.stripe);
      if (entry.place !== "used") return;
      if (isValid) line.inspected(entry, now);
      else line.invalid(entry, now, "invalid");
      over();
      this.#parts.follow(line);
    });
  }

  #await(
    entry: Entry<T>,
    verdict: Verdict,
    over: (isValid: boolean) => void,
  ): void {
    if (typeof verdict === "boolean") return over(verdict);
    const line = this.#parts.partition.lineOf(entry.stripe);
    if (entry.place === "used") line.tend(entry, "validate");
    this.#parts.calls.begin<boolean>({
      name: "validate",
      stripe: entry.stripe,
      limit: this.#parts.settings.validateTimeout,
      call: () => verdict.answer!,
      done: (isValid) => over(Boolean(isValid)),
      failed: (error, isLate) => {
        const { releasedAt } = entry;
        entry.error ??= error;
        over(false);
        // Of one that has ended meanwhile no answer is to be expected.
        if (isLate && !entry.isLost) this.#distrust(entry, releasedAt);
        verdict.abort(error);
      },
      // The close has settled its taker and destroys the entry.
      abandoned: () => verdict.abort(this.#parts.refusals.closed(entry.stripe)),
    });
  }

  /** One silence is not paid for by all. */
  #distrust({ stripe }: Entry<T>, releasedAt: number): void {
    const line = this.#parts.partition.lineOf(stripe);
    line.distrust(releasedAt, this.#parts.now(), "invalid");
    this.#parts.play();
  }

  /** Validates whatever a waiter is offered, in the context it waits in. */
  async attend(waiter: Pending<T>): Promise<never> {
    // One that is taken back may be followed by the next at once.
    const offered: Entry<T>[] = [];
    for (;;) {
      await new Promise<void>((resolve) => {
        waiter.offer = (entry) => resolve(void offered.push(entry));
      });
      for (let entry; (entry = offered.shift()) !== undefined;) {
        this.#validate(waiter, entry);
      }
    }
  }

  /** Deals with the next batch. */
  work(now: number): void {
    this.due = Infinity;
    this.#dealt = 0;
    const batch = this.#bad;
    this.#bad = batch.splice(BATCH);
    for (const entry of batch) this.#judge(entry, false);
    if (this.#bad.length > 0) this.#goOn(now);
  }

  /** Without a timer the batch goes on at once. */
  fail(): void {
    if (this.due !== Infinity) this.work(this.#parts.time.now());
  }

  #goOn(now: number): void {
    this.due = now;
    this.#parts.agenda.advance(now);
  }

  #judge(entry: Entry<T>, isValid: boolean): void {
    const now = this.#parts.now();
    // An aborted close took it back.
    if (entry.place !== "used") return;
    const line = this.#parts.partition.lineOf(entry.stripe);
    if (isValid) line.valid(entry, now);
    else if (this.#dealt >= BATCH) {
      // In line at once, so that nobody overtakes it meanwhile.
      line.sendBack(entry);
      this.#bad.push(entry);
    } else {
      line.invalid(entry, now, "invalid");
      if (++this.#dealt === BATCH) this.#goOn(this.#parts.time.now());
    }
    this.#parts.follow(line);
  }

  #validate(waiter: Pending<T>, entry: Entry<T>): void {
    if (entry.place !== "used") return;
    if (waiter.at === entry) {
      return this.judge(entry, this.ask(entry, this.#parts.now()));
    }
    // It was cancelled while this was on its way.
    const line = this.#parts.partition.lineOf(entry.stripe);
    line.pass(entry, this.#parts.now());
    this.#parts.follow(line);
  }
}
