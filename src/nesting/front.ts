import type { Lease } from "../lease.ts";
import type { Acquirer, WatchedPool } from "../lease_watch.ts";
import { Trace } from "../trace.ts";
import { NestedAcquireError } from "./nested_acquire_error.ts";
import { enter, held, Hold, isInTask, run } from "./task.ts";

/** Told of a nested acquire, and of its place; says whether it is refused. */
export type Report = (
  error: NestedAcquireError,
  place: string | undefined,
) => boolean;

/** Stands in front of what makes leases, and sees which task calls it. */
export class Front<T> implements Acquirer<T> {
  readonly #pool: WatchedPool<T>;
  readonly #acquirer: Acquirer<T>;
  readonly #report: Report;

  constructor(pool: WatchedPool<T>, acquirer: Acquirer<T>, report: Report) {
    this.#pool = pool;
    this.#acquirer = acquirer;
    this.#report = report;
  }

  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
  ): Promise<Lease<T>> {
    const refusal = this.#refusal("acquire", timeout, isAborted);
    if (refusal !== undefined) return refusal;
    const acquired = this.#acquirer
      .acquire(home, timeout, signal, isAborted, priority);
    if (!isInTask()) return acquired;
    const hold = new Hold(this.#pool);
    enter([...held(), hold]);
    return acquired.then((lease) => {
      hold.begin(lease);
      return lease;
    });
  }

  /** Seen by nobody: it does not wait, and its caller may not be a task. */
  tryAcquire(home: number): Lease<T> | undefined {
    return this.#acquirer.tryAcquire(home);
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
    // What is not held yet is beside it, and may be held once `fn` runs.
    const holds = held();
    const holding = (resource: T, lease: Lease<T>) =>
      run([...holds, new Hold(this.#pool, lease)], () => fn(resource, lease));
    return this.#refusal("use", timeout, isAborted) ?? this.#acquirer
      .use(holding, home, timeout, signal, isAborted, priority, isFatal);
  }

  /** Reports a call that can wait while its task holds. */
  #refusal(
    method: "acquire" | "use",
    timeout: number,
    isAborted: boolean,
  ): Promise<never> | undefined {
    if (timeout === 0 || isAborted) return undefined;
    const count = held().filter(({ pool }) => pool === this.#pool).length;
    if (count === 0) return undefined;
    const error = this.#error(count);
    // Who watches leaks stands between the pool's method and this.
    const depth = this.#pool.acquiring === this ? 1 : 2;
    const { place, words } = new Trace(this[method], depth);
    if (words !== undefined) error.stack = `${error}\n${words}`;
    if (!this.#report(error, place)) return undefined;
    this.#pool.events.tell("acquireFailed", { error, wait: 0 });
    return Promise.reject(error);
  }

  #error(count: number): NestedAcquireError {
    const { stripes: _, ...stats } = this.#pool.stats();
    const { name: poolName } = this.#pool.settings;
    return new NestedAcquireError(
      `A task that holds ${count} of pool '${poolName}' acquires another: ` +
        "such tasks can wait for each other for ever unless 'max' is at least " +
        `tasks × (${count + 1} − 1) + 1, and it is ${stats.max}`,
      { poolName, stats: Object.freeze(stats), waited: 0 },
      count,
    );
  }
}
