import type { Line } from "../core/line.ts";
import type { Circumstance } from "../sentence.ts";
import {
  type HolderDetails,
  HOLDERS,
  type LineDetails,
  WAITS,
} from "../pool_stats.ts";

/** How a line is, for who looks at it, whether or not anybody is refused. */
export function detailsOf<T>(
  line: Line<T>,
  now: number,
  known: Omit<Circumstance, "stats">,
  holders: HolderDetails[] | undefined,
): LineDetails {
  const { stuckSince, overdue, checking, resetting } = line;
  const { isPaused, lacksPermit, oldestCreate, outage, cause } = known;
  return {
    stripes: line.stripes.map(({ id }) => id),
    isPaused: isPaused === true,
    lacksPermit: lacksPermit === true,
    waits: line.waitingFrom(WAITS).map((since) => now - since),
    holders: holders ??
      line.usedFrom(HOLDERS).map((since) => ({ age: now - since })),
    checking,
    resetting,
    noneReleasedFor: stuckSince === undefined ? undefined : now - stuckSince,
    oldestCreate,
    overdue,
    outage: outage && { nextTry: undefined, ...outage },
    cause,
  };
}
