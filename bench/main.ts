/**
 * Measures `@lease/pool` beside its peers:
 * `deno task bench [--quick] [question…]`.
 */
import { PostgresServer } from "../examples/postgres_server.ts";
import { question as acquire } from "./acquire_bench.ts";
import { TITLE, weigh } from "./bundle_bench.ts";
import { question as cancel } from "./cancel_bench.ts";
import { question as coldStart } from "./cold_start_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { question as memory } from "./memory_bench.ts";
import { question as observer } from "./observer_bench.ts";
import { question as postgres } from "./postgres_bench.ts";
import { question as stripes } from "./stripes_bench.ts";
import { question as sweep } from "./sweep_bench.ts";
import { plots } from "./plot.ts";
import { bundle, RUNTIMES, runtimes } from "./program.ts";
import type { Question } from "./question.ts";
import { Results } from "./results.ts";
import { type Plan, run, type Sample } from "./runner.ts";
import type { Effort } from "./stopwatch.ts";
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
  postgres,
];

/** The question that is about one file, and asks no process. */
const BUNDLE = "bundle";

const ALL = [...QUESTIONS.map(({ name }) => name), BUNDLE];

const FULL: Effort = { warmUp: 600, batch: 40, batches: 7 };
const QUICK: Effort = { warmUp: 250, batch: 15, batches: 5 };

const OUTPUT = new URL("results/", import.meta.url);

/** The questions that the command line names, all if it names none. */
function selected(args: readonly string[]): string[] {
  const wrong = args.find((arg) => arg !== "--quick" && !ALL.includes(arg));
  if (wrong !== undefined) {
    const usage = `deno task bench [--quick] [${ALL.join(" | ")}]`;
    console.error(`error: Unknown '${wrong}': ${usage}`);
    Deno.exit(2);
  }
  const names = args.filter((arg) => arg !== "--quick");
  return names.length === 0 ? ALL : names;
}

/** Measures one question and writes what it found. */
async function answer(question: Question, plan: Plan): Promise<Results> {
  await using server = question.database ? await database() : undefined;
  const samples = await run(question, { ...plan, url: server?.url }, progress);
  const results = new Results(samples);
  await write(`${question.name}.json`, raw(question.title, plan, samples));
  await forgetPlots(question.name);
  const names = plan.runtimes.map(({ name }) => name);
  for (const [file, svg] of plots(question, results, names)) {
    await write(file, svg);
  }
  return results;
}

/** Removes the plots of an earlier run, which may have had other cases. */
async function forgetPlots(question: string): Promise<void> {
  for await (const { name } of Deno.readDir(OUTPUT)) {
    if (name.startsWith(`${question}_`) && name.endsWith(".svg")) {
      await Deno.remove(new URL(name, OUTPUT));
    }
  }
}

/** A server that is there only while it is asked; it takes a while to start. */
async function database(): Promise<PostgresServer> {
  return await PostgresServer.create({ max_connections: 50 });
}

function progress(question: string, done: number, total: number): void {
  if (!Deno.stderr.isTerminal()) return;
  const line = done === total ? "" : `${question} ${done}/${total}`;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
}

/** What was measured and how, in a form that programs read. */
function raw(title: string, plan: Plan, samples: readonly Sample[]): string {
  const versions = plan.runtimes.map(({ name, version }) => [name, version]);
  const head = JSON.stringify({
    question: title,
    date: new Date().toISOString(),
    quick: plan.quick,
    effort: plan.effort,
    versions: Object.fromEntries(versions),
  });
  const lines = samples.map((sample) => JSON.stringify(sample));
  return `{"run":${head},"samples":[\n${lines.join(",\n")}\n]}\n`;
}

async function write(name: string, content: string): Promise<void> {
  await Deno.mkdir(OUTPUT, { recursive: true });
  await Deno.writeTextFile(new URL(name, OUTPUT), content);
}

const start = performance.now();
const quick = Deno.args.includes("--quick");
const names = selected(Deno.args);
await bundle();
const plan: Plan = {
  runtimes: await runtimes(RUNTIMES),
  rounds: quick ? 2 : 5,
  effort: quick ? QUICK : FULL,
  quick,
};
const hosts = plan.runtimes.map(({ name }) => name);
const answers = new Map<string, Results>();
let text = "";
const say = (part: string): void => {
  console.log(part);
  text += `${part}\n`;
};
say(plan.runtimes.map(({ name, version }) => `${name} ${version}`).join(", "));
for (const question of QUESTIONS) {
  if (!names.includes(question.name)) continue;
  const results = await answer(question, plan);
  answers.set(question.name, results);
  say(`\n${table(question, results, hosts)}`);
}
if (names.includes(BUNDLE)) {
  const samples = await weigh();
  answers.set(BUNDLE, new Results(samples));
  await write(`${BUNDLE}.json`, raw(TITLE, plan, samples));
  const { minified, gzip } = samples[0]!.figures!;
  say(`\n${TITLE}: ${minified} B, ${gzip} B\n`);
}
say(verdicts(answers, hosts));
if (names.length === ALL.length) await write("table.txt", text);
const seconds = (performance.now() - start) / 1_000;
console.log(`${quick ? "Quick" : "Full"} run in ${seconds.toFixed(0)} s`);
