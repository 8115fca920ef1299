/** What is known of a pool's close, and how it has to end. */
export class CloseWatch {
  began = false;
  /** Aborted: what was out has been given up. */
  aborted = false;
  settled = false;
  #beganIn = -1;
  /** What `close()` rejected with, an AggregateError taken apart. */
  #errors: readonly unknown[] = [];
  /** What destroys failed with while the pool was closing. */
  readonly #failures: unknown[] = [];
  /** The same at the very moment of their limit, heard before it or after. */
  readonly #onTime: unknown[] = [];
  /** The same in one epoch with the close, heard before it or after. */
  #maybe: unknown[] = [];
  #maybeIn = -1;

  begin(epoch: number): void {
    if (this.began) return;
    this.began = true;
    this.#beganIn = epoch;
    if (this.#maybeIn !== epoch) this.#maybe = [];
  }

  /** A destroy failed, for which the pool waited, or may have waited. */
  destroyFailed(epoch: number, error: unknown, isSure: boolean): void {
    if (!isSure) {
      this.#onTime.push(error);
      return;
    }
    if (this.began && epoch !== this.#beganIn) {
      this.#failures.push(error);
      return;
    }
    if (this.#maybeIn !== epoch) this.#maybe = [];
    this.#maybeIn = epoch;
    this.#maybe.push(error);
  }

  settle(errors: readonly unknown[]): void {
    this.settled = true;
    this.#errors = errors;
  }

  /** What is wrong with how the close ended. */
  get mistake(): string | undefined {
    if (!this.settled) return undefined;
    const told = new Set(this.#errors);
    const unknown = this.#errors.filter((error) =>
      ![this.#failures, this.#onTime, this.#maybe].some((errors) =>
        errors.includes(error)
      )
    );
    if (unknown.length > 0) return `close rejects with ${unknown[0]}`;
    return this.#failures.every((failure) => told.has(failure))
      ? undefined
      : "close kept a failure for itself";
  }
}
