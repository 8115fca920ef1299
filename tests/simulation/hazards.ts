/**
 * What the world around a pool can do beyond the ordinary faults. Each has a
 * switch of its own: `simulate --hazards skew,timers` or `--hazards all`, and
 * `ON` for whoever does not say.
 */
export const HAZARDS = [
  /** The clock steps back, or stands still for a while. */
  "skew",
  /** A reading of the clock is no number, or throws. */
  "readings",
  /** The clock cannot set a timer. */
  "timers",
  /** A signal that gets a listener runs user code. */
  "listeners",
  /** An "abort" event comes from somebody else than an abort. */
  "dispatch",
  /** A destroy closes the pool with a signal that has aborted. */
  "closes",
] as const;

export type Hazard = typeof HAZARDS[number];

/**
 * Those that are on by default. Where readings are wrong for long, the limits
 * that the ledger expects are too strict in about one scenario of a thousand.
 */
export const ON: readonly Hazard[] = [
  "timers",
  "listeners",
  "dispatch",
  "closes",
];
