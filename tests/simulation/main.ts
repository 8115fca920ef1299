/**
 * `deno task simulate --seed N --steps M --minutes K --hazards A,B`: runs
 * scenarios from a seed on, until so many steps are done or so much time has
 * passed; with the named hazards, `all` or `none`.
 *
 * @module
 */

import { type Campaign, campaign } from "./campaign.ts";
import { type Hazard, HAZARDS, ON } from "./hazards.ts";

/** Steps of a run that does not say how many. */
const STEPS = 1_000_000;
/** From this many on, a fault that was never met counts as a defect. */
const ENOUGH = 200_000;
/** Milliseconds between two lines of progress. */
const PROGRESS = 10_000;

interface Options {
  seed?: number;
  steps?: number;
  minutes?: number;
  hazards: readonly Hazard[];
}

function options(args: readonly string[]): Options {
  const known: Options = { hazards: ON };
  for (let i = 0; i < args.length; i += 2) {
    const [name, value = ""] = [args[i]!.replace(/^--/, ""), args[i + 1]];
    if (name === "hazards") known.hazards = hazards(value);
    else if (name !== "seed" && name !== "steps" && name !== "minutes") usage();
    else if (value === "" || !(Number(value) >= 0)) usage();
    else known[name] = Number(value);
  }
  return known;
}

function hazards(list: string): readonly Hazard[] {
  if (list === "all") return HAZARDS;
  if (list === "none") return [];
  const names = list.split(",");
  const known = HAZARDS.filter((hazard) => names.includes(hazard));
  return known.length === names.length ? known : usage();
}

function usage(): never {
  console.error(
    "usage: simulate [--seed N] [--steps M] [--minutes K] " +
      `[--hazards all|none|${HAZARDS.join()}]`,
  );
  Deno.exit(2);
}

function summary({ seed, scenarios, steps, tally }: Campaign, ms: number) {
  const rate = Math.round(steps / ms * 1000);
  return `${tally}\n\nseeds ${seed} to ${seed + scenarios - 1}: ` +
    `${scenarios} scenarios, ${steps} steps in ${(ms / 1000).toFixed(1)} s, ` +
    `${rate} steps/s, no violation`;
}

async function main(args: readonly string[]): Promise<number> {
  const given = options(args);
  const { minutes, seed = Math.floor(Math.random() * 2 ** 31) } = given;
  const limit = given.steps ?? (minutes === undefined ? STEPS : Infinity);
  console.log(`seed ${seed}`);
  let at = seed;
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    console.error(`Nobody handled a rejection near seed ${at}:`, event.reason);
    Deno.exit(1);
  });
  const began = performance.now();
  let told = began;
  try {
    const done = await campaign(seed, ({ scenarios, steps }) => {
      at = seed + scenarios;
      const now = performance.now();
      if (now - told > PROGRESS) {
        told = now;
        console.log(`seed ${at}: ${steps} steps`);
      }
      return steps < limit && now - began < (minutes ?? Infinity) * 60_000;
    }, given.hazards);
    console.log(summary(done, performance.now() - began));
    const { missing } = done.tally;
    if (done.steps < ENOUGH || missing.length === 0) return 0;
    console.error(`never met: ${missing.join("; ")}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  return 1;
}

Deno.exit(await main(Deno.args));
