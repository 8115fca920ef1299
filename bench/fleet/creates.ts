/** A member of a fleet that creates as much as it may, and counts what that asks. */
import { Pool } from "../../mod.ts";
import { FleetBudget } from "../../src/fleet/mod.ts";
import { ready } from "./child.ts";
import { type Engine, openLedger } from "./ledgers.ts";

export interface CreatesTask {
  engine: Engine;
  url: string;
  /** Milliseconds that it lasts. */
  duration: number;
  /** Whether it is at work only in turns with the others, each half a second. */
  turns: boolean;
  place: number;
}

export interface CreatesFound {
  creates: number;
  /** Reads and writes of the ledger. */
  asked: number;
  /** Milliseconds until the first was created. */
  first: number;
}

const MAX = 8;
const TURN = 500;

async function run(task: CreatesTask): Promise<CreatesFound> {
  const found: CreatesFound = { creates: 0, asked: 0, first: NaN };
  const ledger = await openLedger(task.engine, task.url);
  await ledger.read();
  await ready();
  const start = performance.now();
  const budget = new FleetBudget({
    ledger: {
      read: () => (found.asked++, ledger.read()),
      swap: (...write) => (found.asked++, ledger.swap(...write)),
      watch: (changed) => ledger.watch(changed),
    },
    max: MAX,
  });
  const pool = new Pool({
    create: () => {
      if (found.creates++ === 0) found.first = performance.now() - start;
      return {};
    },
    // Each use is a create.
    ...{ max: MAX, maxUses: 1, budget },
  });
  const pause = (ms: number) =>
    new Promise((resolve) => setTimeout(resolve, ms));
  const signal = AbortSignal.timeout(task.duration);
  const client = async () => {
    while (!signal.aborted) {
      const turn = Math.floor((performance.now() - start) / TURN);
      if (task.turns && turn % 2 !== task.place % 2) await pause(5);
      // What is created is held for a millisecond, as by a short query.
      else await pool.use(() => pause(1), { signal }).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: MAX }, client));
  return found;
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(JSON.parse(Deno.args[0]!))));
}
