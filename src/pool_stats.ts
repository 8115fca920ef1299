/** Counts of one stripe at one moment. */
export interface StripeStats {
  /** Resources ready to be leased. */
  idle: number;
  /** Resources that are leased, or validated, or reset. */
  used: number;
  /** Calls of `create` in flight. */
  creating: number;
  /** Calls of `destroy` in flight; each still takes a slot. */
  destroying: number;
  /** Acquires not settled yet, in the line that this stripe serves. */
  pending: number;
  /** Those of them for whom nothing is under way: no create, no validation. */
  waiting: number;
  /** Those of them whose resource is under `validate`. */
  validating: number;
  /** How many slots it has. */
  max: number;
}

/**
 * Counts of a pool at one moment. All but those of acquires are the sums over
 * its stripes; stripes that share one line each report that line's.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 *
 * await using pool = new Pool({ create: () => ({}), max: 2 });
 * using _lease = await pool.acquire();
 * const { used, max } = pool.stats();
 * console.log(`${used} of ${max}`); // 1 of 2
 * ```
 */
export interface PoolStats extends StripeStats {
  /** The same for each stripe, by its number. */
  stripes: StripeStats[];
}

/** What `stats({ details: true })` gives. */
export interface PoolDetails extends PoolStats {
  /** The same for each stripe, by its number, and its overdue creates. */
  stripes: StripeDetails[];
  /** Each line: one, or where `isolated` that of each stripe. */
  lines: LineDetails[];
}

/** Counts of one stripe, and how many of its creates take too long. */
export interface StripeDetails extends StripeStats {
  /** Those of `creating` that are not counted on any more. */
  overdue: number;
}

/** How a line and its stripes are at one moment. Durations are milliseconds. */
export interface LineDetails {
  /** The numbers of the stripes that serve it. */
  stripes: number[];
  /** Whether a pause lasts. */
  isPaused: boolean;
  /** Whether a create waits for a permit of the option `budget`. */
  lacksPermit: boolean;
  /** How long those who came first have waited, 100 at most, longest first. */
  waits: number[];
  /** Those who have held longest, 10 at most, longest first. */
  holders: HolderDetails[];
  /** How many of the used are being validated, for whomever. */
  checking: number;
  /** How many of the used are being reset. */
  resetting: number;
  /** For how long no use has ended, where the first waits as long. */
  noneReleasedFor: number | undefined;
  /** How long the oldest create has taken. */
  oldestCreate: number | undefined;
  /** How many creates take too long to be counted on. */
  overdue: number;
  /** While creates fail: for how long, and in what time the next is tried. */
  outage: { since: number; nextTry: number | undefined } | undefined;
  /** What the last create failed with, unless one succeeded since. */
  cause: unknown;
}

/** Who holds a lease. With `leaks`, where it was acquired is known. */
export interface HolderDetails {
  /** For how many ms. */
  readonly age: number;
  /** Where it was acquired, as in `handle (app.ts:12:9)`. */
  readonly where?: string | undefined;
  /** The stack of that call. */
  readonly stack?: string | undefined;
  /** Whether the observer was told of it as leaked. */
  readonly isTold?: boolean | undefined;
}

/** How many waiters and holders of a line are told of. */
export const WAITS = 100;
export const HOLDERS = 10;

/** What is added up over lines and pools. */
export const COUNTS = [
  "idle",
  "used",
  "creating",
  "destroying",
  "pending",
  "waiting",
  "validating",
] as const;
