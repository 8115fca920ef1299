/** A signal that is made only if somebody reads it. */
export class LazySignal {
  #controller: AbortController | undefined = undefined;
  #isAborted = false;
  #reason: unknown = undefined;

  get signal(): AbortSignal {
    const controller = this.#controller ??= new AbortController();
    if (this.#isAborted) controller.abort(this.#reason);
    return controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
