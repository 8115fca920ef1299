/**
 * Measures `@lease/pool` beside its peers: `deno task bench [question…]`.
 *
 * - `--quick` takes less time, and is less exact.
 * - `--again` measures nothing: it makes the tables, plots and verdicts anew
 *   from the samples of the last whole run on this machine.
 * - `--against=FOLDER` compares with the package in another checkout.
 *
 * A run of all questions that is not quick is whole: it goes into results/.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { question as acquire } from "./acquire_bench.ts";
import { compare } from "./against.ts";
import { TITLE, weigh } from "./bundle_bench.ts";
import { question as cancel } from "./cancel_bench.ts";
import { question as coldStart } from "./cold_start_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { question as idlePolicy } from "./idle_policy_bench.ts";
import { question as keyed } from "./keyed_bench.ts";
import { question as memory } from "./memory_bench.ts";
import { question as observer } from "./observer_bench.ts";
import { question as postgres } from "./postgres_bench.ts";
import { question as stripes } from "./stripes_bench.ts";
import { question as sweep } from "./sweep_bench.ts";
import { question as threads } from "./threads_bench.ts";
import { plots } from "./plot.ts";
import { bundle, RUNTIMES, runtimes } from "./program.ts";
import type { Question } from "./question.ts";
import {
  type Kind,
  readRecording,
  type Recording,
  writeRecording,
} from "./recording.ts";
import { Results } from "./results.ts";
import { type Plan, run } from "./runner.ts";
import { readProfiles } from "./shares.ts";
import { FULL, QUICK } from "./stopwatch.ts";
import { table } from "./table.ts";
import { verdicts } from "./target.ts";

const QUESTIONS: readonly Question[] = [
  acquire,
  contended,
  memory,
  cancel,
  coldStart,
  stripes,
  sweep,
  observer,
  idlePolicy,
  keyed,
  postgres,
  threads,
];

/** The question that is about one file, and asks no process. */
const BUNDLE = "bundle";

const ALL = [...QUESTIONS.map(({ name }) => name), BUNDLE];

const OUTPUT = new URL("results/", import.meta.url);

const USAGE = `deno task bench [--quick] [--again | --against=FOLDER] [${
  ALL.join(" | ")
}]`;

/** What the command line asks for; all questions if it names none. */
function wishes() {
  try {
    const { values, positionals } = parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        again: { type: "boolean", default: false },
        against: { type: "string" },
      },
    });
    const wrong = positionals.find((name) => !ALL.includes(name));
    if (wrong !== undefined) throw new Error(`Unknown question '${wrong}'`);
    return {
      ...values,
      names: positionals.length > 0 ? [...new Set(positionals)] : ALL,
    };
  } catch (error) {
    console.error(`error: ${(error as Error).message}: ${USAGE}`);
    Deno.exit(2);
  }
}

/** Bundles the program and finds the runtimes. */
async function prepare(quick: boolean): Promise<Plan> {
  await bundle();
  return {
    runtimes: await runtimes(RUNTIMES),
    rounds: quick ? 2 : 5,
    effort: quick ? QUICK : FULL,
    quick,
  };
}

/** A recording that has no samples yet. */
function begin({ quick, effort, runtimes }: Plan): Recording {
  return {
    date: new Date().toISOString(),
    quick,
    effort,
    versions: Object.fromEntries(
      runtimes.map(({ name, version }) => [name, version]),
    ),
    samples: {},
  };
}

/** Fills a recording, or only reads it, and returns what results/ holds. */
async function report(
  recording: Recording,
  names: readonly string[],
  plan?: Plan,
): Promise<Map<string, string>> {
  const { date, quick, versions, samples } = recording;
  const hosts = Object.keys(versions);
  const files = new Map<string, string>();
  const answers = new Map<string, Results>();
  let text = "";
  const say = (part: string): void => {
    console.log(part);
    text += `${part}\n`;
  };
  const on = Object.entries(versions).map((entry) => entry.join(" "));
  say(`${date.slice(0, 10)}${quick ? ", quick" : ""}: ${on.join(", ")}`);
  for (const question of QUESTIONS) {
    const { name } = question;
    if (!names.includes(name)) continue;
    if (plan !== undefined) samples[name] = await run(question, plan);
    const results = new Results(samples[name] ?? []);
    answers.set(name, results);
    say(`\n${table(question, results, hosts)}`);
    for (const [file, svg] of plots(question, results, hosts)) {
      files.set(file, svg);
    }
  }
  if (names.includes(BUNDLE)) {
    if (plan !== undefined) samples[BUNDLE] = await weigh();
    answers.set(BUNDLE, new Results(samples[BUNDLE] ?? []));
    const { minified, gzip } = samples[BUNDLE]?.[0]?.figures ?? {};
    say(`\n${TITLE}: ${minified} B, ${gzip} B\n`);
  }
  say(verdicts(answers, hosts, await readProfiles()));
  return files.set("table.txt", text);
}

/** Puts the tables and plots of a whole run in the place of the last one's. */
async function replace(files: ReadonlyMap<string, string>): Promise<void> {
  for await (const { name } of Deno.readDir(OUTPUT)) {
    if (name.endsWith(".svg")) await Deno.remove(new URL(name, OUTPUT));
  }
  for (const [name, content] of files) {
    await Deno.writeTextFile(new URL(name, OUTPUT), content);
  }
}

async function measure(quick: boolean, names: readonly string[]) {
  const plan = await prepare(quick);
  const recording = begin(plan);
  let kind: Kind = "part";
  try {
    const files = await report(recording, names, plan);
    if (quick || names.length < ALL.length) return;
    kind = "whole";
    await replace(files);
  } finally {
    // What has been measured is kept, also if the rest has failed.
    await writeRecording(recording, kind);
  }
}

const start = performance.now();
const { quick, again, against, names } = wishes();
if (against !== undefined) {
  const checkout = pathToFileURL(`${resolve(against)}/`);
  // Of both sides only the best rounds count, so there are more of them.
  const plan = {
    ...await prepare(quick),
    rounds: quick ? 6 : 10,
    quick: false,
  };
  await compare(checkout, plan, names);
} else if (again) {
  const files = await report(await readRecording("whole"), names);
  if (names.length === ALL.length) await replace(files);
} else {
  await measure(quick, names);
}
const seconds = (performance.now() - start) / 1_000;
console.log(`Done in ${seconds.toFixed(0)} s`);
