import type { Stripe } from "./stripe.ts";

/** A resource in a pool: the seed's `Entry`, at home in one stripe. */
export class Entry<T> {
  readonly resource: T;
  readonly stripe: Stripe<T>;
  /** The stripe's epoch when its create began; an older one is retired. */
  readonly epoch: number;
  /** When it became idle, in milliseconds of the clock. */
  idleSince = 0;
  /** Whether it is leased or on its way to a lease; then it is not idle. */
  used = true;

  constructor(resource: T, stripe: Stripe<T>, epoch: number) {
    this.resource = resource;
    this.stripe = stripe;
    this.epoch = epoch;
  }
}
