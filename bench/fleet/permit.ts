/** A process that measures what a permit costs, and a pool that needs none. */
import { Pool } from "../../mod.ts";
import type { Budget } from "../../src/budget/mod.ts";
import { assert } from "../assertion.ts";
import { FULL, QUICK, time } from "../stopwatch.ts";
import { turnOver } from "../turn_over.ts";
import { ready } from "./child.ts";

export interface PermitTask {
  budget: keyof typeof OPEN;
  quick: boolean;
}

/** Nanoseconds on a processor. */
export interface PermitFound {
  /** A permit taken from the budget and returned. */
  permit: number | undefined;
  /** An idle resource acquired and released. */
  acquire: number;
}

/** Nothing of a budget is loaded unless it is asked for. */
const OPEN = {
  "none, nothing loaded": () => Promise.resolve(undefined),
  "none, all loaded": async () => {
    await OPEN.LocalBudget();
    await OPEN.SharedBudget();
    await OPEN.FleetBudget();
    return undefined;
  },
  LocalBudget: async (): Promise<Budget> => {
    const { LocalBudget } = await import("../../src/budget/mod.ts");
    return new LocalBudget(4);
  },
  SharedBudget: async (): Promise<Budget> => {
    const { SharedBudget } = await import("../../src/threads/mod.ts");
    return new SharedBudget({ max: 4 });
  },
  FleetBudget: async (): Promise<Budget> => {
    const { FleetBudget } = await import("../../src/fleet/mod.ts");
    const { openLedger } = await import("./ledgers.ts");
    // As a floor it has them all, whatever becomes of its share meanwhile.
    const floor = { permits: 4, ttl: 3_600_000 };
    const ledger = await openLedger("memory", "");
    return new FleetBudget({ ledger, max: 4, floor });
  },
};

export const BUDGETS = Object.keys(OPEN) as (keyof typeof OPEN)[];

async function measure({ budget: name, quick }: PermitTask) {
  const effort = quick ? QUICK : FULL;
  const budget = await OPEN[name]();
  const pool = new Pool({ create: () => ({}), max: 1, budget });
  await pool.use(() => {});
  const { cpu: acquire } = await time(async (n) => {
    for (let i = 0; i < n; i++) (await pool.acquire()).release();
    return n;
  }, effort);
  assert(pool.stats().idle === 1, "the resource did not stay");
  if (budget === undefined) return { acquire };
  const { cpu: permit } = await time(await turnOver(budget), effort);
  return { acquire, permit };
}

if (import.meta.main) {
  const task = JSON.parse(Deno.args[0]!);
  await ready();
  console.log(JSON.stringify(await measure(task)));
}
