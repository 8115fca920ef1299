import type { Entry } from "./entry.ts";
import type { DestroyReason } from "./pool_observer.ts";
import type { Stripe } from "./stripe.ts";
import type { Waiter } from "./waiter_queue.ts";

/**
 * What a transition intends, to be run once, in order, after its commit.
 *
 * - `deliver`: the waiter gets a lease on the entry
 * - `validate`: the entry is validated for the waiter, who is not settled yet
 * - `reject`: the waiter's acquire rejects
 * - `create`: a slot is reserved, call `create` for it
 * - `destroy`: the entry has left, call `destroy` for it
 */
export type StripeEffect<T> =
  | { kind: "deliver"; waiter: Waiter; entry: Entry<T> }
  | { kind: "validate"; waiter: Waiter; entry: Entry<T> }
  | { kind: "reject"; waiter: Waiter; error: unknown }
  | { kind: "create"; stripe: Stripe<T>; epoch: number }
  | { kind: "destroy"; entry: Entry<T>; reason: DestroyReason };

/** The effects of a transition that intends none. */
export const NONE: readonly never[] = Object.freeze([]);
