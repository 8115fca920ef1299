import { withoutStack } from "../pool_error.ts";
import { removeListener } from "./listener.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";

/** What the rest of the pool does as it closes. */
interface Steps {
  /** Refuses newcomers. */
  begin(): void;
  /** Ends what only an open pool does. */
  refuse(error: unknown): void;
  /** Breaks off what nobody can get any more. */
  abort(error: unknown): void;
}

/** The close of a pool, once. */
export class Closing<T> {
  readonly #parts: Parts<T>;
  readonly #steps: Steps;
  #closing: Promise<void> | undefined = undefined;
  /** Whether nobody is served any more. */
  hasBegun = false;
  /** Whether those who wait are to be served first. */
  #serves = false;
  /** Settles `closing`; `undefined` before and after. */
  #settle: (() => void) | undefined = undefined;
  /** How many lines are not empty yet. */
  #linesLeft = 0;
  /** What listens to the signals that end the wait. */
  readonly #listeners = new Map<AbortSignal, () => void>();
  readonly #destroyErrors: unknown[] = [];

  constructor(parts: Parts<T>, steps: Steps) {
    this.#parts = parts;
    this.#steps = steps;
  }

  /** Whether a close has ended. */
  get isOver(): boolean {
    return this.#closing !== undefined && this.#settle === undefined;
  }

  /**
   * Begins to close, or goes on; if it `serves`, those who wait come first. When
   * `signal` aborts it waits no longer.
   */
  close(signal: AbortSignal | undefined, serves: boolean): Promise<void> {
    const closing = this.#closing ?? this.#begin();
    if (!serves) this.#end();
    else if (!this.#serves && !this.hasBegun) {
      this.#serves = true;
      this.#steps.refuse(this.#parts.refusals.closed());
      this.look();
    }
    if (this.#settle !== undefined && signal !== undefined) {
      if (signal.aborted) this.#giveUp();
      else this.#listen(signal);
    }
    return closing;
  }

  /** All who waited may have been served. */
  look(): void {
    const { lines } = this.#parts.partition;
    const isOver = this.#serves && lines.every(({ pending }) => pending === 0);
    if (isOver) this.#end();
  }

  /** A `destroy` failed; it makes the close reject. */
  destroyFailed(error: unknown): void {
    if (this.#settle !== undefined) this.#destroyErrors.push(error);
  }

  /** One more line is empty; after the last the close settles. */
  lineClosed(): void {
    if (--this.#linesLeft > 0) return;
    const settle = this.#settle!;
    this.#settle = undefined;
    this.#parts.agenda.stop();
    this.#parts.time.stop();
    for (const [signal, listener] of this.#listeners) {
      removeListener(signal, listener);
    }
    this.#listeners.clear();
    settle();
    this.#parts.events.tell("closed", {});
  }

  #begin(): Promise<void> {
    // One step after the last destroy, so those rejected now know it first.
    this.#closing = new Promise<void>((resolve) => {
      this.#settle = resolve;
    }).then(() => this.#throw());
    this.#steps.begin();
    this.#linesLeft = this.#parts.partition.lines.length;
    this.#parts.agenda.hold();
    return this.#closing;
  }

  /** Nobody is served any more. */
  #end(): void {
    const now = this.#parts.time.now();
    // Reading the clock may have closed the pool.
    if (this.hasBegun) return;
    const error = this.#parts.refusals.closed();
    // No user code runs until the lines are closed: a create that was begun in
    // between would fail at once, and be followed by the next.
    this.hasBegun = true;
    withoutStack(() => {
      for (const line of this.#parts.partition.lines) {
        const errorOf = this.#parts.refusals.closing(line, now);
        line.close((waiter) => errorOf(waiter as Pending<T>));
      }
    });
    if (!this.#serves) this.#steps.refuse(error);
    this.#steps.abort(error);
    this.#parts.play();
  }

  /** Waits no longer, for nobody. */
  #giveUp(): void {
    this.#end();
    for (const line of this.#parts.partition.lines) line.abandon();
    this.#parts.calls.abandon();
    this.#parts.play();
  }

  #listen(signal: AbortSignal): void {
    if (this.#listeners.has(signal)) return;
    const listener = () => {
      if (signal.aborted && this.#settle !== undefined) this.#giveUp();
    };
    this.#listeners.set(signal, listener);
    signal.addEventListener("abort", listener);
    // It may have aborted while it took the listener.
    listener();
  }

  #throw(): void {
    const errors = this.#destroyErrors;
    if (errors.length === 0) return;
    if (errors.length === 1) throw errors[0];
    const message = `${errors.length} resources were not destroyed`;
    throw new AggregateError(errors, message);
  }
}
