import type { DestroyReason } from "./destroy_reason.ts";

/** A create in flight; its slot is reserved. */
export class Creation {
  /** The number of its stripe. */
  readonly stripe: number;
  /** Whose place is below this came before it. */
  readonly order: number;
  /** When the newcomer came that it was reserved for, if one did. */
  readonly since: number;
  /** Whether it is not to be counted on any more. */
  isOverdue = false;
  /** Whether what it makes has ended before it was there. */
  isLost = false;
  /** Why what it makes is not used again. */
  retired: DestroyReason | undefined = undefined;

  constructor(stripe: number, order: number, since = Infinity) {
    this.stripe = stripe;
    this.order = order;
    this.since = since;
  }
}
