import type {
  HolderDetails,
  LineDetails,
  PoolDetails,
  StripeDetails,
} from "../pool_stats.ts";
import { diagnosis, reason } from "../sentence.ts";
import type { Books } from "./books.ts";
import { cut, STACK_LIMIT } from "./cut.ts";
import type { Durations } from "./histogram.ts";

/** How a line is, in a word. */
export type State =
  | "closed"
  | "paused"
  | "outage"
  | "leaking"
  | "saturated"
  | "waiting"
  | "healthy";

/** What is worst first. */
const STATES: readonly State[] = [
  "closed",
  "paused",
  "outage",
  "leaking",
  "saturated",
  "waiting",
  "healthy",
];

/** All there is to say of a pool that was closed since. */
const CLOSED = { state: "closed", sentence: "the pool has closed" } as const;

/** What `/stats` shows of a pool. Durations are ms. */
export interface PoolSnapshot extends Omit<PoolDetails, "lines"> {
  /** Its own; those that share one have a number. */
  name: string;
  /** The worst of its lines. */
  state: State;
  /** Each of its lines. */
  lines: LineSnapshot[];
  /** How long acquires have waited, in the last minutes. */
  waits: Durations;
  /** How long leases have been held that ended in the last minutes. */
  uses: Durations;
  /** Creates that have ended since `inspect` was called, and the last failure. */
  creates: {
    made: number;
    failed: number;
    outages: number;
    last: { message: string; ago: number } | undefined;
  };
  /** Acquires that have settled since, by what they failed with. */
  acquires: { served: number; failed: Record<string, number> };
  /** How many resources were destroyed since, by the reason. */
  destroyed: Record<string, number>;
  /** How many resources have left by `detach()` since. */
  detached: number;
  /** How many leases were told of as leaked since. */
  leaked: number;
}

/** What `/stats` shows of a line. */
export interface LineSnapshot extends Omit<LineDetails, "cause"> {
  /** The word for it. */
  state: State;
  /** What is wrong, if anything is, in one sentence. */
  sentence: string;
  /** The message of what the last create failed with. */
  cause: string | undefined;
}

/** A pool as it is now, with nothing of its resources. */
export function snapshot(
  name: string,
  details: PoolDetails,
  books: Books,
  now: number,
): PoolSnapshot {
  const { lines, stripes, ...counts } = details;
  const shown = lines.map((line) => ({
    ...lineOf(line, stripes),
    ...books.isClosed && CLOSED,
  }));
  const { lastFailure: last } = books;
  return {
    name,
    state: STATES.find((state) => shown.some((line) => line.state === state))!,
    ...counts,
    stripes,
    lines: shown,
    waits: books.waits.recent(now),
    uses: books.uses.recent(now),
    creates: {
      made: books.created,
      failed: books.createsFailed,
      outages: books.outages,
      last: last && { message: last.message, ago: now - last.at },
    },
    acquires: {
      served: books.served,
      failed: Object.fromEntries(books.failures),
    },
    destroyed: Object.fromEntries(books.destroyed),
    detached: books.detached,
    leaked: books.leaked,
  };
}

function lineOf(line: LineDetails, all: StripeDetails[]): LineSnapshot {
  const stripes = line.stripes.map((id) => all[id]!);
  const sum = (name: "idle" | "used" | "creating" | "destroying" | "max") =>
    stripes.reduce((total, stripe) => total + stripe[name], 0);
  const stats = {
    idle: sum("idle"),
    used: sum("used"),
    creating: sum("creating"),
    destroying: sum("destroying"),
    max: sum("max"),
    pending: stripes[0]!.pending,
  };
  const { cause, holders } = line;
  const shown = holders.map(held);
  return {
    ...line,
    state: stateOf(line, stats),
    sentence: cut(diagnosis({ ...line, stats, holders: shown }), 1_000),
    holders: shown,
    cause: cause === undefined ? undefined : cut(reason(cause)),
  };
}

function held({ where, stack, ...holder }: HolderDetails): HolderDetails {
  return {
    ...holder,
    where: where && cut(where),
    stack: stack && cut(stack, STACK_LIMIT),
  };
}

function stateOf(
  { isPaused, outage, holders }: LineDetails,
  { used, max, pending }: { used: number; max: number; pending: number },
): State {
  if (isPaused) return "paused";
  // Where all are used it is a release that is waited for.
  if (outage !== undefined && used < max) return "outage";
  if (holders.some(({ isTold }) => isTold)) return "leaking";
  if (pending === 0) return "healthy";
  return used >= max ? "saturated" : "waiting";
}
