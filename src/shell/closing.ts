import { withoutStack } from "../pool_error.ts";
import { removeListener } from "./listener.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";

/** The close of a pool, once. */
export class Closing<T> {
  readonly #parts: Parts<T>;
  readonly #begun: (error: unknown) => void;
  readonly #abandon: () => void;
  #closing: Promise<void> | undefined = undefined;
  /** Settles `closing`; `undefined` before and after. */
  #settle: (() => void) | undefined = undefined;
  /** How many lines are not empty yet. */
  #linesLeft = 0;
  /** What listens to the signals that end the wait. */
  readonly #listeners = new Map<AbortSignal, () => void>();
  readonly #destroyErrors: unknown[] = [];

  /**
   * `begun` ends what only an open pool does, `abandon` waits no longer for
   * what is out.
   */
  constructor(
    parts: Parts<T>,
    begun: (error: unknown) => void,
    abandon: () => void,
  ) {
    this.#parts = parts;
    this.#begun = begun;
    this.#abandon = abandon;
  }

  get hasBegun(): boolean {
    return this.#closing !== undefined;
  }

  /** Begins to close, or goes on; when `signal` aborts it waits no longer. */
  close(signal: AbortSignal | undefined): Promise<void> {
    const closing = this.#closing ?? this.#begin();
    if (this.#settle !== undefined && signal !== undefined) {
      if (signal.aborted) this.#abandon();
      else this.#listen(signal);
    }
    return closing;
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
  }

  #begin(): Promise<void> {
    const { lines } = this.#parts.partition;
    // One step after the last destroy, so those rejected now know it first.
    this.#closing = new Promise<void>((resolve) => {
      this.#settle = resolve;
    }).then(() => this.#throw());
    this.#linesLeft = lines.length;
    this.#parts.agenda.hold();
    const error = this.#parts.refusals.closed();
    const now = this.#parts.time.now();
    withoutStack(() => {
      for (const line of lines) {
        const errorOf = this.#parts.refusals.closing(line, now);
        line.close((waiter) => errorOf(waiter as Pending<T>));
      }
    });
    this.#begun(error);
    this.#parts.play();
    return this.#closing;
  }

  #listen(signal: AbortSignal): void {
    if (this.#listeners.has(signal)) return;
    const listener = () => {
      if (signal.aborted && this.#settle !== undefined) this.#abandon();
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
