import type { Creation } from "./creation.ts";
import type { DestroyReason } from "./destroy_reason.ts";
import type { Entry } from "./entry.ts";
import type { Waiter } from "./waiter.ts";

/**
 * What a transition intends. The line only notes it here, in order; it is to
 * be run once, after the verb has returned.
 */
export interface Effects<T> {
  /** The waiter gets a lease on the entry. */
  deliver(waiter: Waiter, entry: Entry<T>): void;
  /** The entry is validated for the waiter, who is not settled yet. */
  validate(waiter: Waiter, entry: Entry<T>): void;
  /** The waiter's acquire rejects. */
  reject(waiter: Waiter, error: unknown): void;
  /** A slot is reserved: call `create` for it. */
  create(creation: Creation): void;
  /** The entry has left: call `destroy` for it. */
  destroy(entry: Entry<T>, reason: DestroyReason): void;
  /** The waiter's turn has come, and it is to leave: it has waited too long. */
  shed(waiter: Waiter): void;
  /** A line that is paused has nothing in use. */
  paused(): void;
  /** A line was closed, and nothing of it is left. */
  closed(): void;
}
