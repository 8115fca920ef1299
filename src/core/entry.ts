import type { DestroyReason } from "./destroy_reason.ts";
import type { Waiter } from "./waiter.ts";

/**
 * Where an entry is: idle; leased or on its way to a lease; destroyed, its slot
 * not vacated yet; gone.
 */
export type Place = "idle" | "used" | "destroying" | "gone";

/** A resource in a pool, at home in one stripe. */
export class Entry<T> {
  readonly resource: T;
  /** The number of its stripe. */
  readonly stripe: number;
  place: Place = "used";
  /** While idle: taken later than this, in ms of the clock, it is evicted. */
  endsAt = 0;
  /** Released with none left it is destroyed. */
  usesLeft = Infinity;
  /** Why it is destroyed when none is left. */
  reason: DestroyReason | undefined = undefined;
  /** Who waits for the verdict on it. */
  taker: Waiter | undefined = undefined;
  /** Neighbours among the idle ones of its stripe. */
  newer: Entry<T> | undefined = undefined;
  older: Entry<T> | undefined = undefined;

  constructor(resource: T, stripe: number) {
    this.resource = resource;
    this.stripe = stripe;
  }

  /** It is not used again; the first reason stays. */
  retire(reason: DestroyReason): void {
    this.usesLeft = 0;
    this.reason ??= reason;
  }
}
