import type { DestroyReason } from "./core/destroy_reason.ts";

export type { DestroyReason };

/**
 * Callbacks that watch a pool. Each is optional, is called after the change it
 * tells of is committed, and may call the pool. What it throws, or rejects
 * with, is dropped. Without an observer nothing of this is done; with one, even an
 * empty one, each act reads the clock.
 *
 * Durations are milliseconds.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 1,
 *   observer: {
 *     destroyed: ({ reason, error }) => console.log(reason, error),
 *   },
 * });
 * ```
 */
export interface PoolObserver<T> {
  /** `create` is about to be called; what becomes of it has the same `id`. */
  createBegan?(event: { id: number; stripe: number }): void;
  /** `create` resolved. */
  created?(
    event: { id: number; resource: T; stripe: number; duration: number },
  ): void;
  /** `create` threw, rejected or timed out, or a `close` gave it up. */
  createFailed?(
    event: { id: number; error: unknown; stripe: number; duration: number },
  ): void;
  /**
   * `destroy` is about to be called; how it ends has the same `id`. `error` is
   * there if `validate` or `reset` failed with it, or `lost` was called with it.
   */
  destroyBegan?(
    event: {
      id: number;
      resource: T;
      stripe: number;
      reason: DestroyReason;
      error?: unknown;
    },
  ): void;
  /** `destroy` settled, or `destroyTimeout` passed; `error` is there if it failed. */
  destroyed?(
    event: {
      id: number;
      resource: T;
      stripe: number;
      reason: DestroyReason;
      duration: number;
      error?: unknown;
    },
  ): void;
  /**
   * A create failed where none had since one succeeded: the line of this stripe
   * has nothing new until one that begins later succeeds.
   */
  outageBegan?(event: { stripe: number; error: unknown }): void;
  /** The first create that began after its line's last failure succeeded. */
  outageEnded?(event: { stripe: number; duration: number }): void;
  /** An acquire, after `wait`, is about to resolve with a lease. */
  acquired?(event: { resource: T; stripe: number; wait: number }): void;
  /** An acquire, after `wait`, is about to reject with `error`. */
  acquireFailed?(event: { error: unknown; wait: number }): void;
  /** A lease ended with `release()`, by hand or by `using`. */
  released?(event: { resource: T; stripe: number }): void;
  /** A resource is idle: given back and reset, or new with nobody to wait for it. */
  idled?(event: { resource: T; stripe: number }): void;
  /**
   * With `leaks`: a lease is held for too long, a close has waited too long for
   * it, or it was garbage collected unreleased. `stack` is that of the call that
   * acquired it, from the caller of the pool on, if it is in the sample.
   */
  leaked?(
    event: {
      resource: T;
      stripe: number;
      held: number;
      stack: string | undefined;
    },
  ): void;
}
