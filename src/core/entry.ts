import type { DestroyReason } from "./destroy_reason.ts";
import type { HeapNode } from "./heap.ts";
import type { Waiter } from "./waiter.ts";

/**
 * Where an entry is: idle; leased or on its way to a lease; destroyed, its slot
 * not vacated yet; gone.
 */
export type Place = "idle" | "used" | "destroying" | "gone";

/** What is done to an entry that is used and that nobody holds. */
export type Care = "validate" | "reset";

/**
 * A resource in a pool, at home in one stripe. Times are in ms of the clock, and
 * start as what V8 keeps as doubles: else each new one would be allocated.
 */
export class Entry<T> {
  readonly resource: T;
  /** The number of its stripe. */
  readonly stripe: number;
  place: Place = "used";
  /** When its use began. */
  usedAt = -Infinity;
  /** When it was released last, or born. */
  releasedAt = -Infinity;
  /** How many leases it had, and with how many it is not released to idle. */
  uses = 0;
  maxUses: number;
  /** Taken or released later than this it is destroyed, and why. */
  diesAt: number;
  /** While idle, the earlier of its idle end and `diesAt`. */
  endsAt = -Infinity;
  /** Neighbours among the idle ones of its stripe. */
  newer: Entry<T> | undefined = undefined;
  older: Entry<T> | undefined = undefined;
  readonly bornAt: number;
  /** When it was found good in the background. */
  checkedAt = -Infinity;
  fate: DestroyReason = "lifetime";
  /** Why it is destroyed when it has been used enough. */
  reason: DestroyReason = "uses";
  /** What user code said was wrong with it. */
  error: unknown = undefined;
  /** Whether it has ended by itself. */
  isLost = false;
  /** Who waits for the verdict on it. */
  taker: Waiter | undefined = undefined;
  /** Set by its line, which counts them. */
  care: Care | undefined = undefined;
  /** Where it is among the lives that end. */
  life: HeapNode<Entry<T>> | undefined = undefined;
  /** Neighbours in an `IdleOrder`. */
  before: Entry<T> | undefined = undefined;
  after: Entry<T> | undefined = undefined;

  constructor(
    resource: T,
    stripe: number,
    now: number,
    maxUses: number,
    diesAt: number,
  ) {
    this.resource = resource;
    this.stripe = stripe;
    this.bornAt = this.usedAt = this.releasedAt = now;
    this.maxUses = maxUses;
    this.diesAt = diesAt;
  }

  /** Whether it is leased, or on its way to a lease. */
  get isHeld(): boolean {
    return this.place === "used" && this.care === undefined;
  }

  /** When it was released or found good last. */
  get trustedAt(): number {
    return Math.max(this.releasedAt, this.checkedAt);
  }

  /** It is not used again; the first reason stays. */
  retire(reason: DestroyReason): void {
    if (this.maxUses > 0) this.reason = reason;
    this.maxUses = 0;
  }
}
