/**
 * `deno task simulate --seed N --steps M --minutes K`: runs scenarios from a
 * seed on, until so many steps are done or so much time has passed.
 *
 * @module
 */

import { type Campaign, campaign } from "./campaign.ts";

/** Steps of a run that does not say how many. */
const STEPS = 1_000_000;
/** From this many on, a fault that was never met counts as a defect. */
const ENOUGH = 200_000;
/** Milliseconds between two lines of progress. */
const PROGRESS = 10_000;

function options(args: readonly string[]): Map<string, number> {
  const known = new Map<string, number>();
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]!;
    const value = Number(args[i + 1]);
    if (!["--seed", "--steps", "--minutes"].includes(name) || !(value >= 0)) {
      console.error("usage: simulate [--seed N] [--steps M] [--minutes K]");
      Deno.exit(2);
    }
    known.set(name, value);
  }
  return known;
}

function summary({ seed, scenarios, steps, tally }: Campaign, ms: number) {
  const rate = Math.round(steps / ms * 1000);
  return `${tally}\n\nseeds ${seed} to ${seed + scenarios - 1}: ` +
    `${scenarios} scenarios, ${steps} steps in ${(ms / 1000).toFixed(1)} s, ` +
    `${rate} steps/s, no violation`;
}

async function main(args: readonly string[]): Promise<number> {
  const given = options(args);
  const seed = given.get("--seed") ?? Math.floor(Math.random() * 2 ** 31);
  const minutes = given.get("--minutes");
  const limit = given.get("--steps") ??
    (minutes === undefined ? STEPS : Infinity);
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
    });
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
