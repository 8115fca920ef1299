import type { DestroyReason } from "./core/destroy_reason.ts";
import type { Entry } from "./core/entry.ts";
import type { Lease, Lessor } from "./lease.ts";
import type { Told } from "./pool_observer.ts";
import type { HolderDetails, PoolStats } from "./pool_stats.ts";

export type { Entry };

/** Made by `watchLeaks` of `@lease/pool/leaks`; pools can share one. */
export interface LeaseWatch {
  /**
   * A pool asks for its own watcher when it is built.
   *
   * @internal
   */
  <T>(pool: WatchedPool<T>, lessor: Lessor<T>): LeaseWatcher<T>;
}

/** Made by `watchNesting` of `@lease/pool/nesting`; pools can share one. */
export interface NestingWatch {
  /**
   * A pool asks for what stands in front of its own acquirer when it is built.
   *
   * @internal
   */
  <T>(pool: WatchedPool<T>, acquirer: Acquirer<T>): Acquirer<T>;
}

/** Stands in front of what makes leases, and of where they end. */
export interface LeaseWatcher<T> extends Lessor<T> {
  /** What makes leases from now on. */
  inFront(acquirer: Acquirer<T>): Acquirer<T>;
  /** The pool has begun to close. */
  closing(): void;
  /**
   * Those who have held longest, if any do, in the stripes that it is asked of;
   * as many as an error names, or `limit`.
   */
  holders(
    isOf: (stripe: number) => boolean,
    now: number,
    limit?: number,
  ): HolderDetails[] | undefined;
}

/** What makes leases. */
export interface Acquirer<T> {
  acquire(
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
  ): Promise<Lease<T>>;
  tryAcquire(home: number): Lease<T> | undefined;
  use<R>(
    fn: (resource: T, lease: Lease<T>) => R | PromiseLike<R>,
    home: number,
    timeout: number,
    signal: AbortSignal | undefined,
    isAborted: boolean,
    priority: number,
    isFatal: ((error: unknown) => boolean) | undefined,
  ): Promise<R>;
}

/** What a watcher needs of its pool. */
export interface WatchedPool<T> {
  readonly settings: { readonly name: string };
  /** What the pool's methods call. */
  readonly acquiring: Acquirer<T>;
  readonly time: { now(): number };
  readonly agenda: {
    /** Has it work at its due times, without keeping the process alive. */
    add(
      chore: {
        readonly due: number;
        work(now: number): void;
        fail(error: unknown): void;
      },
    ): void;
    /** It has become due earlier. */
    advance(due: number): void;
  };
  readonly events: {
    tell<K extends "leaked" | "acquireFailed">(
      name: K,
      event: Told<T, K>,
    ): void;
  };
  stats(): PoolStats;
  destroy(entry: Entry<T>, reason: DestroyReason): void;
}
