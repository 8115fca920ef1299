import {
  COUNTS,
  HOLDERS,
  type LineDetails,
  type PoolDetails,
  type StripeDetails,
  WAITS,
} from "../pool_stats.ts";

/** How the pools of all keys are, as if they were one pool of one stripe. */
export function merged(
  pools: readonly PoolDetails[],
  max: number,
): PoolDetails {
  const counts = {
    ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
    ...{ pending: 0, waiting: 0, validating: 0, max },
  };
  for (const name of COUNTS) {
    for (const pool of pools) counts[name] += pool[name];
  }
  const line = lineOf(pools);
  const stripe: StripeDetails = { ...counts, overdue: line.overdue };
  return { ...counts, stripes: [stripe], lines: [line] };
}

function lineOf(pools: readonly PoolDetails[]): LineDetails {
  const lines = pools.flatMap((pool) => pool.lines);
  const down = lines.filter(({ outage }) => outage !== undefined)
    .sort((a, b) => b.outage!.since - a.outage!.since);
  const failed = [...down, ...lines].find(({ cause }) => cause !== undefined);
  const creates = lines.map(({ oldestCreate }) => oldestCreate)
    .filter((age) => age !== undefined);
  return {
    stripes: [0],
    isPaused: false,
    // Its budget is its own `max`.
    lacksPermit: false,
    waits: lines.flatMap(({ waits }) => waits)
      .sort((a, b) => b - a).slice(0, WAITS),
    holders: lines.flatMap(({ holders }) => holders)
      .sort((a, b) => b.age - a.age).slice(0, HOLDERS),
    checking: sum(lines, "checking"),
    resetting: sum(lines, "resetting"),
    noneReleasedFor: stuckFor(pools),
    oldestCreate: creates.length > 0
      ? creates.reduce((a, b) => Math.max(a, b))
      : undefined,
    overdue: sum(lines, "overdue"),
    outage: down[0]?.outage,
    cause: failed?.cause,
  };
}

function sum(
  lines: readonly LineDetails[],
  name: "checking" | "resetting" | "overdue",
): number {
  return lines.reduce((total, line) => total + line[name], 0);
}

/** For how long no use of any key has ended, where that is known of each. */
function stuckFor(pools: readonly PoolDetails[]): number | undefined {
  const times = pools.filter(({ used }) => used > 0)
    .flatMap(({ lines }) =>
      lines.map(({ noneReleasedFor }) => noneReleasedFor)
    );
  const known = times.filter((time) => time !== undefined);
  if (known.length === 0 || known.length < times.length) return undefined;
  return known.reduce((a, b) => Math.min(a, b));
}
