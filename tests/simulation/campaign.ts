/// <reference path="../async.d.ts" />

import { delay } from "@std/async/delay";
import {
  generateBudget,
  shrinkBudget,
  simulateBudget,
  tellBudget,
} from "./budget.ts";
import { generate } from "./generator.ts";
import { type Hazard, ON } from "./hazards.ts";
import { shrink, tell } from "./shrink.ts";
import { simulate } from "./simulation.ts";
import { Tally } from "./tally.ts";

/** Scenarios between two looks at the event loop. */
const SCENARIOS_PER_TURN = 16;

/** Of so many seeds, one has pools that share a budget as well. */
const SEEDS_PER_BUDGET = 2;

/** How many scenarios went well, and what they met. */
export interface Campaign {
  readonly seed: number;
  readonly hazards: readonly Hazard[];
  scenarios: number;
  steps: number;
  readonly tally: Tally;
}

/** Runs the scenarios of `seed`, `seed + 1` and so on while there is more to do. */
export async function campaign(
  seed: number,
  more: (campaign: Campaign) => boolean,
  hazards: readonly Hazard[] = ON,
): Promise<Campaign> {
  const tally = new Tally(hazards);
  const done: Campaign = { seed, hazards, scenarios: 0, steps: 0, tally };
  const limit = Error.stackTraceLimit;
  // Stacks of errors that nobody reads would take a third of the time.
  Error.stackTraceLimit = 0;
  try {
    await runAll(done, more);
  } finally {
    Error.stackTraceLimit = limit;
  }
  return done;
}

async function runAll(
  done: Campaign,
  more: (campaign: Campaign) => boolean,
): Promise<void> {
  const { seed, hazards } = done;
  const again = String(hazards) === String(ON)
    ? ""
    : ` --hazards ${hazards.join() || "none"}`;
  do {
    const next = seed + done.scenarios;
    const scenario = generate(next, hazards);
    const { steps, violation } = await simulate(scenario, done.tally);
    done.steps += steps;
    const failure = violation === undefined
      ? await runBudget(next, done)
      : { violation, minimal: await tell(await shrink(scenario)) };
    if (failure !== undefined) {
      throw new Error(
        `Seed ${next}: ${failure.violation}\n\n` +
          `Again: deno task simulate --seed ${next} --steps 1${again}\n\n` +
          `The least that fails like it:\n${failure.minimal}`,
      );
    }
    done.scenarios++;
    if (done.scenarios % SCENARIOS_PER_TURN === 0) await delay(0);
  } while (more(done));
  // Lets the runtime tell of rejections that nobody handled.
  await delay(0);
}

async function runBudget(
  seed: number,
  done: Campaign,
): Promise<{ violation: string; minimal: string } | undefined> {
  if (seed % SEEDS_PER_BUDGET > 0) return undefined;
  const scenario = generateBudget(seed);
  const { steps, violation } = await simulateBudget(scenario, done.tally);
  done.steps += steps;
  if (violation === undefined) return undefined;
  return { violation, minimal: await tellBudget(await shrinkBudget(scenario)) };
}
