/**
 * Measures `@lease/pool` beside its peers:
 * `deno task bench [--quick] [question…]`.
 */
import { question as acquire } from "./acquire_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { plot } from "./plot.ts";
import { bundle, type Runtime, RUNTIMES, runtimes } from "./program.ts";
import type { Question } from "./question.ts";
import { Results } from "./results.ts";
import { type Plan, run } from "./runner.ts";
import type { Effort } from "./stopwatch.ts";
import { table } from "./table.ts";
import { verdicts } from "./target.ts";

const QUESTIONS: readonly Question[] = [acquire, contended];

const FULL: Effort = { warmUp: 300, batch: 60, batches: 7 };
const QUICK: Effort = { warmUp: 80, batch: 20, batches: 4 };

const OUTPUT = new URL("results/", import.meta.url);

/** The questions that the command line names, all if it names none. */
function selected(args: readonly string[]): Question[] {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const known = QUESTIONS.map(({ name }) => name);
  const wrong = args.find((arg) =>
    arg.startsWith("--") ? arg !== "--quick" : !known.includes(arg)
  );
  if (wrong !== undefined) {
    console.error(
      `error: Unknown '${wrong}': deno task bench [--quick] [${
        known.join(" | ")
      }]`,
    );
    Deno.exit(2);
  }
  return QUESTIONS.filter(({ name }) =>
    names.length === 0 || names.includes(name)
  );
}

/** Measures one question, writes what it found and prints its table. */
async function answer(question: Question, plan: Plan): Promise<Results> {
  const names = plan.runtimes.map(({ name }) => name);
  const terminal = Deno.stderr.isTerminal();
  const samples = await run(question, plan, (done, total) => {
    if (!terminal) return;
    const line = done === total ? "" : `${question.name} ${done}/${total}`;
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
  });
  const results = new Results(samples);
  await write(`${question.name}.json`, raw(question, plan, results));
  for (const name of new Set(question.jobs.map((job) => job.case))) {
    for (const figure of question.figures) {
      const file = [question.name, name, figure.name].join("_")
        .replace(/\W+/g, "_");
      const svg = plot(question, results, names, name, figure);
      await write(`${file}.svg`, svg);
    }
  }
  return results;
}

function raw(question: Question, plan: Plan, results: Results): string {
  const versions = plan.runtimes.map(({ name, version }) => [name, version]);
  const head = JSON.stringify({
    question: question.title,
    date: new Date().toISOString(),
    rounds: plan.rounds,
    effort: plan.effort,
    versions: Object.fromEntries(versions),
  });
  const lines = results.samples.map((sample) => JSON.stringify(sample));
  return `{"run":${head},"samples":[\n${lines.join(",\n")}\n]}\n`;
}

async function write(name: string, content: string): Promise<void> {
  await Deno.mkdir(OUTPUT, { recursive: true });
  await Deno.writeTextFile(new URL(name, OUTPUT), content);
}

const start = performance.now();
const quick = Deno.args.includes("--quick");
const questions = selected(Deno.args);
await bundle();
const hosts: Runtime[] = await runtimes(RUNTIMES);
const plan: Plan = {
  runtimes: hosts,
  rounds: quick ? 3 : 7,
  effort: quick ? QUICK : FULL,
};
const names = hosts.map(({ name }) => name);
console.log(hosts.map(({ name, version }) => `${name} ${version}`).join(", "));
const answers = new Map<string, Results>();
let text = "";
const say = (part: string): void => {
  console.log(part);
  text += `${part}\n`;
};
for (const question of questions) {
  const results = await answer(question, plan);
  answers.set(question.name, results);
  say(`\n${table(question, results, names)}`);
}
say(verdicts(answers, names));
if (questions.length === QUESTIONS.length) await write("table.txt", text);
const seconds = (performance.now() - start) / 1_000;
console.log(`${quick ? "Quick" : "Full"} run in ${seconds.toFixed(0)} s`);
