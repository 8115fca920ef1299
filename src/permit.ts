/**
 * Shares one maximum among pools; a value for the option `budget`. What one of
 * your own throws, or tells its members, is the `cause` of the acquires that time
 * out meanwhile.
 */
export interface Budget {
  /** A line of a pool takes part from now on. */
  join(member: BudgetMember): BudgetSeat;
}

/** What a budget sees of one line of a pool. */
export interface BudgetMember {
  /**
   * Since when it could part with what has been idle longest, in ms of its
   * clock; `Infinity` if with nothing.
   */
  readonly idleSince: number;
  /** Someone waits elsewhere: it parts with what has been idle longest. */
  letGo(): void;
  /** It holds so many permits more. May be called from within `want`. */
  grant(permits: number): void;
  /**
   * Someone has waited elsewhere since this time: the next one that is released
   * goes, and none that ends is replaced, unless who waits here came before;
   * `Infinity` for nobody. With `-Infinity` nothing is created until the next
   * call.
   */
  yieldTo(time: number): void;
  /** The budget has failed: the cause of what waits in vain for a permit. */
  failed(error: unknown): void;
}

/** What one line of a pool tells its budget. */
export interface BudgetSeat {
  /**
   * It could use so many permits more, the next for one who waits since this
   * time, or, if `Infinity`, for nobody; 0 withdraws.
   */
  want(permits: number, since: number): void;
  /** So many permits come back soon, without having been asked for. */
  leaving(permits: number): void;
  /** It holds so many permits less. */
  giveBack(permits: number): void;
}
