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

  /** Called once. */
  abort(reason: unknown): void {
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
