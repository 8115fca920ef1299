/**
 * Fails when the pool has become much slower or heavier than it was: its ratios
 * to the floor beyond twice those in results/guard.json, the lowest of some
 * recordings as they differ widely from run to run. The best of some
 * rounds counts, and a question that is beyond is asked again, so that a busy
 * machine fails nobody.
 * `deno task bench:guard [--record]`
 */
import { question as acquire } from "./acquire_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { digits } from "./label.ts";
import { question as memory } from "./memory_bench.ts";
import { bundle, RUNTIMES, runtimes } from "./program.ts";
import type { Job, Question } from "./question.ts";
import { Results } from "./results.ts";
import { type Plan, run } from "./runner.ts";
import { QUICK } from "./stopwatch.ts";
import { align } from "./table.ts";

/** How many times the recorded ratio is too much. */
const MARGIN = 2;

/** How often a question is asked before its ratio is believed to be beyond. */
const ATTEMPTS = 5;

const RECORD = new URL("results/guard.json", import.meta.url);

/** Ratios to the floor by what was measured and where; less is better. */
type Ratios = Record<string, number>;

const GUARDED: readonly (readonly [Question, readonly string[]])[] = [
  [acquire, ["acquire", "tryAcquire"]],
  [contended, ["1 000 over 10"]],
  [memory, ["bare", "with a timeout"]],
];

/** Measures a question for ours and its floors alone. */
async function ratios(
  question: Question,
  cases: readonly string[],
  plan: Plan,
): Promise<Ratios> {
  const watched = cases.map((name): Job => ({ case: name, subject: "ours" }));
  const floors = cases.map((name) => question.floor(name));
  const jobs = question.jobs.filter((job) =>
    [...watched, ...floors].some((other) =>
      other.case === job.case && other.subject === job.subject
    )
  );
  const samples = await run({ ...question, jobs }, plan);
  const results = new Results(samples);
  const figure = question.figures[0]!;
  const found: Ratios = {};
  for (const { name: runtime } of plan.runtimes) {
    for (const job of watched) {
      const name = `${runtime}: ${question.name}, ${job.case}`;
      const floor = question.floor(job.case);
      const ratio = results.best(job, floor, runtime, figure);
      if (ratio === undefined) {
        const failure = results.failure(job, runtime) ??
          results.failure(floor, runtime);
        throw new Error(`No figure for ${name}: ${failure}`);
      }
      found[name] = ratio;
    }
  }
  return found;
}

/** Whether a ratio is no more than it may be; not if none is recorded. */
function holds(name: string, ratio: number, recorded: Ratios): boolean {
  return ratio <= (recorded[name] ?? NaN) * MARGIN;
}

/** Asks a question until every ratio holds, and keeps the best of each. */
async function ask(
  question: Question,
  cases: readonly string[],
  plan: Plan,
  recorded: Ratios,
): Promise<Ratios> {
  const best: Ratios = {};
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await ratios(question, cases, plan);
    for (const [name, ratio] of Object.entries(found)) {
      best[name] = Math.min(best[name] ?? Infinity, ratio);
    }
    const all = Object.entries(best);
    if (all.every(([name, ratio]) => holds(name, ratio, recorded))) break;
  }
  return best;
}

/** Prints the ratios beside the recorded ones; returns how many are beyond. */
function compare(found: Ratios, recorded: Ratios): number {
  const rows = Object.entries(found).map(([name, ratio]) => {
    const limit = (recorded[name] ?? NaN) * MARGIN;
    const verdict = holds(name, ratio, recorded) ? "ok" : "BEYOND";
    return [name, `${digits(ratio)}×`, `at most ${digits(limit)}×`, verdict];
  });
  console.log(align([["ratio to the floor", "", "", ""], ...rows]));
  return rows.filter((row) => row[3] === "BEYOND").length;
}

await bundle();
const plan: Plan = {
  runtimes: await runtimes(RUNTIMES),
  rounds: 2,
  effort: QUICK,
  quick: true,
};
const isRecording = Deno.args.includes("--record");
const recorded: Ratios = isRecording
  ? {}
  : JSON.parse(await Deno.readTextFile(RECORD));
const found: Ratios = {};
for (const [question, cases] of GUARDED) {
  const asked = isRecording
    ? await ratios(question, cases, plan)
    : await ask(question, cases, plan, recorded);
  Object.assign(found, asked);
}
if (isRecording) {
  await Deno.writeTextFile(RECORD, `${JSON.stringify(found, null, 2)}\n`);
} else {
  const beyond = compare(found, recorded);
  const checks = Object.keys(found).length;
  console.log(`${checks - beyond} passed, ${beyond} failed`);
  if (beyond > 0) Deno.exit(1);
}
