import type { Entry } from "../core/entry.ts";
import type { Chore } from "./agenda.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";
import { isThenable } from "./user_call.ts";

/**
 * How many bad verdicts one turn of the event loop deals with: each ends in
 * calls of `destroy`, `validate` and `create`.
 */
const BATCH = 1_024;

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
  ask(entry: Entry<T>): boolean | PromiseLike<boolean> {
    try {
      const verdict = this.#parts.settings.validate!(entry.resource);
      return isThenable(verdict) ? verdict : Boolean(verdict);
    } catch {
      return false;
    }
  }

  /** Deals with a verdict, now or when it comes. */
  judge(entry: Entry<T>, verdict: boolean | PromiseLike<boolean>): void {
    if (typeof verdict === "boolean") return this.#judge(entry, verdict);
    this.#parts.calls.begin<boolean>({
      name: "validate",
      stripe: entry.stripe,
      limit: this.#parts.settings.validateTimeout,
      call: () => verdict,
      done: (isValid) => this.#judge(entry, Boolean(isValid)),
      failed: () => this.#judge(entry, false),
      // The close has settled its taker and destroys the entry.
      abandoned: () => {},
    });
  }

  /** Validates whatever a waiter is offered, in the context it waits in. */
  async attend(waiter: Pending<T>): Promise<never> {
    for (;;) {
      const entry = await new Promise<Entry<T>>((resolve) => {
        waiter.offer = resolve;
      });
      this.#validate(waiter, entry);
    }
  }

  /** Deals with the next batch. */
  work(now: number): void {
    this.due = Infinity;
    this.#dealt = 0;
    const batch = this.#bad;
    this.#bad = batch.splice(BATCH);
    for (const entry of batch) this.#judge(entry, false);
    if (this.#bad.length > 0) this.#await(now);
  }

  /** Without a timer the batch goes on at once. */
  fail(): void {
    if (this.due !== Infinity) this.work(this.#parts.time.now());
  }

  #await(now: number): void {
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
      line.invalid(entry, now);
      if (++this.#dealt === BATCH) this.#await(this.#parts.time.now());
    }
    this.#parts.follow(line);
  }

  #validate(waiter: Pending<T>, entry: Entry<T>): void {
    if (entry.place !== "used") return;
    // It may have been cancelled while this was on its way.
    this.judge(entry, waiter.at === entry ? this.ask(entry) : true);
  }
}
