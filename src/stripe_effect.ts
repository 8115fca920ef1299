import type { Entry } from "./entry.ts";
import type { DestroyReason } from "./pool_observer.ts";
import type { Stripe } from "./stripe.ts";
import type { Waiter } from "./waiter_queue.ts";

/**
 * What a transition intends, to be run once, in order, after its commit; the
 * list of them is linked by `next`, and `undefined` is the seed's `None`.
 *
 * - `deliver`: the waiter gets a lease on the entry
 * - `validate`: the entry is validated for the waiter, who is not settled yet
 * - `reject`: the waiter's acquire rejects
 * - `create`: a slot is reserved, call `create` for it
 * - `destroy`: the entry has left, call `destroy` for it
 */
export type StripeEffect<T> =
  & { next: Effects<T> }
  & (
    | Entry<T>
    | { kind: "reject"; waiter: Waiter; error: unknown }
    | { kind: "create"; stripe: Stripe<T>; epoch: number }
    | { kind: "destroy"; entry: Entry<T>; reason: DestroyReason }
  );

/** The first of the effects of a transition, if it intends any. */
export type Effects<T> = StripeEffect<T> | undefined;

/** Effects that run one after the other, first in, first out. */
export class EffectQueue<T> {
  private head: Effects<T> = undefined;
  private tail: Effects<T> = undefined;

  get first(): Effects<T> {
    return this.head;
  }

  push(effects: Effects<T>): void {
    if (effects === undefined) return;
    if (this.tail === undefined) this.head = effects;
    else this.tail.next = effects;
    let last = effects;
    while (last.next !== undefined) last = last.next;
    this.tail = last;
  }

  shift(): Effects<T> {
    const effect = this.head;
    if (effect === undefined) return undefined;
    this.head = effect.next;
    if (this.head === undefined) this.tail = undefined;
    effect.next = undefined;
    return effect;
  }
}
