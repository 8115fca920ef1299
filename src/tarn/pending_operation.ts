/** An acquire under way. */
export class PendingOperation<T> {
  /** Resolves with the resource. */
  readonly promise: Promise<T>;
  readonly #controller = new AbortController();

  /** They come from `Pool.acquire`. */
  constructor(begin: (controller: AbortController) => Promise<T>) {
    this.promise = begin(this.#controller);
  }

  /** Gives up; the promise rejects with an error whose message is `aborted`. */
  abort(): void {
    this.reject(new Error("aborted"));
  }

  /** Gives up; the promise rejects with this error. */
  reject(error: Error): void {
    this.#controller.abort(error);
  }
}
