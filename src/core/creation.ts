import type { DestroyReason } from "./destroy_reason.ts";

/** A create in flight; its slot is reserved. */
export class Creation {
  /** The number of its stripe. */
  readonly stripe: number;
  /** Why what it makes is not used again. */
  retired: DestroyReason | undefined = undefined;

  constructor(stripe: number) {
    this.stripe = stripe;
  }
}
