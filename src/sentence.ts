import { show } from "./check.ts";
import type { StripeStats } from "./pool_stats.ts";

/** What is known of a line at one moment. Durations are milliseconds. */
export interface Circumstance {
  readonly stats: Readonly<Omit<StripeStats, "waiting" | "validating">>;
  readonly isPaused?: boolean | undefined;
  /** Whether a create waits for a permit of a budget. */
  readonly lacksPermit?: boolean | undefined;
  /** How many of the used are being validated, for whomever, and reset. */
  readonly checking?: number | undefined;
  readonly resetting?: number | undefined;
  /** How long those have waited who came first, the longest first. */
  readonly waits?: readonly number[] | undefined;
  /** How long the oldest use has lasted. */
  readonly oldestUse?: number | undefined;
  /** Those who hold longest, the oldest first, and where they acquired. */
  readonly holders?:
    | readonly {
      readonly age: number;
      readonly where?: string | undefined;
      /** Whether it was told of as leaked. */
      readonly isTold?: boolean | undefined;
    }[]
    | undefined;
  /** For how long no use has ended. */
  readonly noneReleasedFor?: number | undefined;
  /** How long the oldest create has taken, and how many are overdue. */
  readonly oldestCreate?: number | undefined;
  readonly overdue?: number | undefined;
  /** While creates fail: for how long, and in what time the next is tried. */
  readonly outage?: {
    readonly since: number;
    readonly nextTry?: number | undefined;
  } | undefined;
  /** What the last create failed with. */
  readonly cause?: unknown;
}

/** Why whoever waits gets nothing, in one plain sentence without a full stop. */
export function sentence(known: Circumstance): string {
  const { stats, outage, holders, oldestUse, oldestCreate, overdue } = known;
  const { idle, used, creating, destroying, pending, max } = stats;
  const { checking = 0, resetting = 0 } = known;
  const held = used - checking - resetting;
  // After a shrink there may be more than `max` for a while.
  const all = Math.max(max, idle + used + creating + destroying);
  const clauses = [
    known.isPaused && "the pool is paused",
    // Where all are used it is a release that is waited for.
    used < max && outage && failing(outage, known.cause),
    share(held, all, "used", holders ?? aged(oldestUse)),
    share(checking, all, "being validated"),
    share(resetting, all, "being reset"),
    share(
      creating,
      all,
      overdue ? `being created, ${overdue} overdue` : "being created",
      aged(oldestCreate),
    ),
    share(destroying, all, "being destroyed"),
    share(idle, all, "idle"),
    known.lacksPermit && "its budget has no permit left",
    held > 0 && known.noneReleasedFor !== undefined &&
    `none was released ${forTime(known.noneReleasedFor)}`,
    held >= max && pending >= max && known.noneReleasedFor !== undefined &&
    "holders may be waiting for a second lease",
  ];
  return clauses.filter(Boolean).join("; ") || "no resource exists";
}

/** How a line is, whether or not anybody waits: who does, then why. */
export function diagnosis(known: Circumstance): string {
  const { pending } = known.stats;
  const wait = known.waits?.[0];
  const first = wait === undefined ? "" : `, the first ${forTime(wait)}`;
  const who = pending === 0
    ? "nobody waits"
    : `${pending} ${pending === 1 ? "waits" : "wait"}${first}`;
  const [oldest] = known.holders ?? [];
  const leak = oldest?.isTold ? "a lease may have leaked; " : "";
  // Who holds is of interest where that is what is wrong.
  const isWrong = oldest?.isTold || pending > 0;
  const where = isWrong ? oldest?.where : undefined;
  const holders = oldest && [{ ...oldest, where }];
  return `${leak}${who}; ${sentence({ ...known, holders })}`;
}

type Aged = NonNullable<Circumstance["holders"]>;

function aged(age: number | undefined): Aged {
  return age === undefined ? [] : [{ age }];
}

/** How many are in a state, and since when; nothing for none. */
function share(n: number, all: number, state: string, ages: Aged = []): string {
  if (n === 0) return "";
  const are = n === 1 ? "is" : "are";
  const whole = n === 1 ? "the only one" : `all ${n}`;
  const words = [`${n < all ? `${n} of ${all}` : whole} ${are} ${state}`];
  for (const { age, where } of ages) {
    const oldest = n > 1 && words.length === 1 ? "the oldest " : "";
    const from = where === undefined ? "" : ` (acquired at ${where})`;
    words.push(oldest + forTime(age) + from);
  }
  return words.join(", ");
}

function failing(
  { since, nextTry }: NonNullable<Circumstance["outage"]>,
  cause: unknown,
): string {
  const why = cause === undefined ? "" : `: ${reason(cause)}`;
  const next = nextTry === undefined ? "" : `, next try in ${inWords(nextTry)}`;
  return `creates have failed ${forTime(since)}${why}${next}`;
}

function forTime(age: number): string {
  return `for ${inWords(age)}`;
}

/** A time as in `250 ms`, `1.4 s`, `38 s`. */
function inWords(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1_000).toFixed(ms < 9_950 ? 1 : 0))} s`;
}

/** An error's message or code, whose getters may be anybody's. */
export function reason(error: unknown): string {
  try {
    const { message, code } = Object(error);
    return String(message || code || show(error));
  } catch {
    return "an error that cannot be read";
  }
}
