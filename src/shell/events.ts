import type { Entry } from "../core/entry.ts";
import type { PoolObserver } from "../pool_observer.ts";
import { isThenable } from "./user_call.ts";

/** Tells the observer, if there is one; what it throws is dropped. */
export class Events<T> {
  readonly #observer: PoolObserver<T> | undefined;

  constructor(observer: PoolObserver<T> | undefined) {
    this.#observer = observer;
  }

  released({ resource, stripe }: Entry<T>): void {
    this.tell("released", { resource, stripe });
  }

  /** Something has been given back or made: whether it went idle is told. */
  rested({ resource, stripe, place }: Entry<T>): void {
    if (place === "idle") this.tell("idled", { resource, stripe });
  }

  tell<K extends keyof PoolObserver<T>>(
    name: K,
    event: Parameters<NonNullable<PoolObserver<T>[K]>>[0],
  ): void {
    try {
      const result: unknown = this.#observer?.[name]?.(event as never);
      if (isThenable(result)) Promise.resolve(result).catch(() => {});
    } catch {
      // An observer only watches.
    }
  }
}
