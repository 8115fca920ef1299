import type { Budget } from "../src/permit.ts";

/**
 * Takes and returns so many permits, one after the other. The first of a fleet comes
 * when the ledger has been written.
 */
export async function turnOver(
  budget: Budget,
): Promise<(permits: number) => number> {
  let granted = 0;
  let first = () => {};
  const begun = new Promise<void>((resolve) => first = resolve);
  const seat = budget.join({
    idleSince: Infinity,
    letGo: () => {},
    grant: (permits) => {
      granted += permits;
      first();
    },
    yieldTo: () => {},
    failed: () => {},
  });
  seat.want(1, 0);
  await begun;
  seat.giveBack(1);
  return (permits) => {
    granted = 0;
    for (let n = 0; n < permits; n++) {
      seat.want(1, 0);
      seat.giveBack(1);
    }
    return granted;
  };
}
