import type { Stripe } from "./stripe.ts";
import type { Effects } from "./stripe_effect.ts";
import type { Waiter } from "./waiter_queue.ts";

/**
 * A resource in a pool: the seed's `Entry`, at home in one stripe. It is the
 * `deliver` or `validate` effect that is about it as well, so that handing it
 * over allocates none: as it has one taker at a time, one such effect of it is
 * under way at most.
 */
export class Entry<T> {
  readonly resource: T;
  readonly stripe: Stripe<T>;
  /** The stripe's epoch when its create began; an older one is retired. */
  readonly epoch: number;
  /** When it became idle, in milliseconds of the clock. */
  idleSince = 0;
  /** Whether it is leased or on its way to a lease; then it is not idle. */
  used = true;

  /** Which of the two effects it is when it has a `waiter`. */
  kind: "deliver" | "validate" = "deliver";
  /** Who gets it; there only while the effect is under way. */
  waiter: Waiter | undefined = undefined;
  next: Effects<T> = undefined;

  constructor(resource: T, stripe: Stripe<T>, epoch: number) {
    this.resource = resource;
    this.stripe = stripe;
    this.epoch = epoch;
  }

  /** An entry on its way to a waiter, as an effect. */
  to(waiter: Waiter, kind: "deliver" | "validate"): this {
    this.waiter = waiter;
    this.kind = kind;
    return this;
  }
}
