import type { Lease } from "../lease.ts";
import type { Acquirer } from "../lease_watch.ts";
import { AcquireTimeoutError } from "../pool_error.ts";
import { Trace } from "../trace.ts";

/** An irrational step: no period in the calls escapes the sample. */
const STEP = (Math.sqrt(5) - 1) / 2;

/** Stands in front of what makes leases, and sees who calls it. */
export class Front<T> implements Acquirer<T> {
  readonly #acquirer: Acquirer<T>;
  readonly #begin: (lease: Lease<T>, trace: Trace | undefined) => void;
  readonly #sample: number;
  /** From 0 to 1; a call is in the sample while it is below. */
  #phase = 0;

  /** `begin` is told of each lease, and of the trace of who acquired it. */
  constructor(
    acquirer: Acquirer<T>,
    begin: (lease: Lease<T>, trace: Trace | undefined) => void,
    sample: number,
  ) {
    this.#acquirer = acquirer;
    this.#begin = begin;
    this.#sample = sample;
  }

  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
  ): Promise<Lease<T>> {
    const trace = this.#trace(this.acquire);
    return this.#acquirer
      .acquire(home, timeout, signal, isAborted, priority)
      .then(
        (lease) => {
          this.#begin(lease, trace);
          return lease;
        },
        (error) => {
          throw named(error, trace);
        },
      );
  }

  tryAcquire(home: number): Lease<T> | undefined {
    const trace = this.#trace(this.tryAcquire);
    const lease = this.#acquirer.tryAcquire(home);
    if (lease !== undefined) this.#begin(lease, trace);
    return lease;
  }

  use<R>(
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
    isFatal: ((error: unknown) => boolean) | undefined,
  ): Promise<R> {
    let trace = this.#trace(this.use);
    const watched = (resource: T, lease: Lease<T>) => {
      this.#begin(lease, trace);
      // What `fn` throws is not the pool's.
      trace = undefined;
      return fn(resource, lease);
    };
    return this.#acquirer
      .use(watched, home, timeout, signal, isAborted, priority, isFatal)
      .catch((error) => {
        throw named(error, trace);
      });
  }

  #trace(method: unknown): Trace | undefined {
    this.#phase = (this.#phase + STEP) % 1;
    return this.#phase < this.#sample ? new Trace(method) : undefined;
  }
}

/** A timeout comes from a timer, and has no stack of its own. */
function named(error: unknown, trace: Trace | undefined): unknown {
  if (
    error instanceof AcquireTimeoutError && trace?.words !== undefined &&
    !error.stack?.includes("\n    at ")
  ) {
    error.stack = `${error}\n${trace.words}`;
  }
  return error;
}
