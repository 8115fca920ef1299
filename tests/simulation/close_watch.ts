/** What is known of a pool's close, and how it has to end. */
export class CloseWatch {
  began = false;
  /** Aborted: what was out has been given up. */
  aborted = false;
  settled = false;
  /** What `close()` rejected with, an AggregateError taken apart. */
  #errors: readonly unknown[] = [];
  #beganIn = -1;
  /** What destroys failed with while closing; undefined: it took too long. */
  #failures: unknown[] = [];
  /** The same in the epoch in which the close began, heard before or after. */
  #maybe: unknown[] = [];

  begin(epoch: number): void {
    if (this.began) return;
    this.began = true;
    this.#beganIn = epoch;
    this.#maybe = this.#maybe.filter((failure) =>
      (failure as [number])[0] === epoch
    );
  }

  /** A destroy failed, for which the pool waited. */
  destroyFailed(epoch: number, error: unknown): void {
    if (!this.began || epoch === this.#beganIn) {
      this.#maybe.push([epoch, error]);
    } else this.#failures.push(error);
  }

  settle(errors: readonly unknown[]): void {
    this.settled = true;
    this.#errors = errors;
  }

  /** What is wrong with how the close ended. */
  get mistake(): string | undefined {
    if (!this.settled) return undefined;
    const errors = this.#errors;
    const least = this.#failures.length;
    if (errors.length < least || errors.length > least + this.#maybe.length) {
      return `close told of ${errors.length} failures, not of ${least}`;
    }
    const lost = this.#failures.some((failure) =>
      failure !== undefined && !errors.includes(failure)
    );
    return lost ? "close kept a failure for itself" : undefined;
  }
}
