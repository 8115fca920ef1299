import process from "node:process";
import { assert } from "./assertion.ts";
import { collect } from "./host.ts";

/** How much time a process spends; the rounds are the runner's. */
export interface Effort {
  /** Milliseconds on a processor before anything is measured. */
  warmUp: number;
  /** Milliseconds on a processor that a batch takes at least. */
  batch: number;
  batches: number;
}

/** Enough for a figure that is to be kept. */
export const FULL: Effort = { warmUp: 600, batch: 40, batches: 7 };
/** Enough for a look. */
export const QUICK: Effort = { warmUp: 250, batch: 15, batches: 5 };

/** How many times as long as planned the batches may take altogether. */
const PATIENCE = 8;

/** Nanoseconds per unit of work. */
export interface Times {
  /**
   * Time on a processor, all threads of the process together: garbage
   * collection counts, other programs on the machine do not.
   */
  cpu: number;
  /** Time on the wall. */
  wall: number;
}

/**
 * The time that a unit of work takes in the fastest of some batches: compilers
 * in the background and neighbours in the caches only ever add to it.
 * `work(n)` does `n` units and returns how many it did. Batches grow until one
 * is long enough for the clocks and for many a collection of garbage, which
 * also warms the code up.
 */
export async function time(
  work: (n: number) => number | Promise<number>,
  effort: Effort,
  unit = 1,
): Promise<Times> {
  const batch = async (n: number): Promise<Times> => {
    const start = performance.now();
    const usage = process.cpuUsage();
    const done = await work(n);
    const { user, system } = process.cpuUsage(usage);
    const wall = performance.now() - start;
    assert(done === n, `${done} of ${n} done`);
    return { cpu: (user + system) / n * 1e3, wall: wall / n * 1e6 };
  };
  let n = unit;
  let warm = 0;
  let duration = 0;
  while (duration < effort.batch || warm < effort.warmUp) {
    if (duration < effort.batch) n = grown(n, duration, effort.batch, unit);
    duration = (await batch(n)).cpu * n / 1e6;
    warm += duration;
  }
  collect();
  const times: Times[] = [];
  let left = effort.batch * effort.batches * PATIENCE;
  while (times.length < effort.batches && left > 0) {
    const result = await batch(n);
    times.push(result);
    left -= result.wall * n / 1e6;
  }
  return {
    cpu: Math.min(...times.map(({ cpu }) => cpu)),
    wall: Math.min(...times.map(({ wall }) => wall)),
  };
}

/** Milliseconds of one kind of work until it is the turn of the other. */
const TURN = 2;

/**
 * How many times as long as `base` a unit of `work` takes, in one process and in
 * short turns, so that what else runs on the machine is in the way of both.
 */
export async function ratio(
  work: (n: number) => Promise<number>,
  base: (n: number) => Promise<number>,
  effort: Effort,
): Promise<{ ratio: number }> {
  const took = async (run: typeof work, n: number): Promise<number> => {
    const start = performance.now();
    assert(await run(n) === n, "not all is done");
    return performance.now() - start;
  };
  let n = 1;
  for (let warm = 0; warm < effort.warmUp;) {
    const duration = await took(base, n);
    warm += duration + await took(work, n);
    if (duration < TURN) n = grown(n, duration, TURN, 1);
  }
  collect();
  let [best, floor] = [Infinity, Infinity];
  for (let left = effort.batch * effort.batches / TURN; left > 0; left--) {
    floor = Math.min(floor, await took(base, n));
    best = Math.min(best, await took(work, n));
  }
  return { ratio: best / floor };
}

/** The next size to try: at least twice as much, in whole units. */
function grown(
  n: number,
  duration: number,
  goal: number,
  unit: number,
): number {
  const factor = Math.min(
    Math.max(goal * 1.2 / Math.max(duration, 0.01), 2),
    16,
  );
  return Math.ceil(n * factor / unit) * unit;
}
