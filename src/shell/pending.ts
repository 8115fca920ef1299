import { Waiter } from "../core/waiter.ts";
import type { Entry } from "../core/entry.ts";
import type { HeapNode } from "../core/heap.ts";
import type { Timed } from "./deadline_list.ts";

/**
 * A pending acquire. It holds the one function that settles its promise:
 * resolving with a `Rejection` rejects, so a waiter needs no second.
 */
export class Pending<T> extends Waiter implements Timed {
  /** How long it waits, in ms. */
  readonly timeout: number;
  /** How long a wait its line's growth was charged with, in ms. */
  charge = 0;
  /** The signal that can cancel it. */
  signal: AbortSignal | undefined = undefined;
  later: Timed | HeapNode<Timed> | undefined = undefined;
  sooner: Timed | undefined = undefined;
  /** Takes what it is offered to validate; set where that is asked. */
  offer: ((entry: Entry<T>) => void) | undefined = undefined;
  /** Whether an observer was there when it came: it resolves with an entry. */
  isTold = false;
  #settle: (result: unknown) => void = unset;

  constructor(
    order: number,
    home: number,
    since: number,
    timeout: number,
    priority = 0,
  ) {
    super(order, home, since, priority);
    this.timeout = timeout;
  }

  get deadline(): number {
    return this.since + this.timeout;
  }

  /** The caller's promise; asked for once, before it is settled. */
  promise<R>(): Promise<R> {
    const promise = new Promise<R>(capture);
    this.#settle = captured;
    captured = unset;
    return promise;
  }

  resolve(result: unknown): void {
    this.#settle(result);
  }

  reject(error: unknown): void {
    this.#settle(new Rejection(error));
  }
}

/** Resolving a promise with this rejects it. */
class Rejection {
  readonly #error: unknown;

  constructor(error: unknown) {
    this.#error = error;
  }

  then(_: unknown, reject: (error: unknown) => void): void {
    reject(this.#error);
  }
}

/** The resolve function of the promise made last: saves a closure for each. */
let captured: (result: unknown) => void = unset;

function capture(resolve: (result: never) => void): void {
  captured = resolve as (result: unknown) => void;
}

function unset(): never {
  throw new Error("bug: an acquire is settled before it has a promise");
}
