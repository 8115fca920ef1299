/** An acquire under way. */
export class PendingOperation<T> {
  /** Resolves with the resource. */
  readonly promise: Promise<T>;
  readonly #controller = new AbortController();
  /** What was given to `resolve`. */
  #given: { readonly resource: T } | undefined;

  /** They come from `Pool.acquire`. */
  constructor(begin: (controller: AbortController) => Promise<T>) {
    this.promise = begin(this.#controller).catch((error) => {
      if (this.#given === undefined) throw error;
      return this.#given.resource;
    });
  }

  /** Gives up; the promise rejects with an error whose message is `aborted`. */
  abort(): void {
    this.reject(new Error("aborted"));
  }

  /** Gives up; the promise rejects with this error. */
  reject(error: Error): void {
    this.#controller.abort(error);
  }

  /** Gives up; the promise resolves with this, which the pool knows nothing of. */
  resolve(resource: T): void {
    this.#given = { resource };
    this.abort();
  }
}
