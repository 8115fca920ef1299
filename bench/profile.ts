/**
 * Shows where the time of `@lease/pool` goes, by the profilers of the runtimes:
 * `deno task bench:profile [question…]`.
 */
import { globSync } from "node:fs";
import { basename } from "node:path";
import { question as acquire, SIGNAL, VALIDATE } from "./acquire_bench.ts";
import { question as cancel } from "./cancel_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { question as postgres } from "./postgres_bench.ts";
import {
  bundle,
  PROGRAM,
  type Runtime,
  RUNTIMES,
  runtimes,
} from "./program.ts";
import type { Order, Question } from "./question.ts";
import { measure, open } from "./runner.ts";
import { section, title, writeProfiles } from "./shares.ts";
import type { Effort } from "./stopwatch.ts";

/** Of each question the jobs of ours in these cases. */
const PROFILED: readonly (readonly [Question, readonly string[]])[] = [
  [acquire, ["acquire", "tryAcquire", SIGNAL, VALIDATE]],
  [contended, ["1 000 over 10"]],
  [cancel, [
    "100 000 by abort",
    "1 000 000 by abort",
    "100 000 by timeout",
    "1 000 000 by timeout",
  ]],
  [postgres, ["one query each time"]],
];

/** Long beside the start of a process and the warm-up. */
const EFFORT: Effort = { warmUp: 500, batch: 50, batches: 30 };

/**
 * The function of pause.ts that measures: what comes before it, such as filling
 * a line and collecting garbage, is long but no part of the figures.
 */
const METER = "turns";

/** How many functions are shown of each profile. */
const TOP = 6;

/** The part of a .cpuprofile that is read here; all three runtimes write it. */
interface Profile {
  /** A tree, the callers before the called. */
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[];
  /** The ids of the nodes that were found running. */
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

interface CallFrame {
  functionName: string;
  url: string;
  /** From 0. */
  lineNumber: number;
}

/** From a line of a file of the bundled program to what is shown of it. */
type Sources = (url: string, line: number) => string;

/** The profile of one case in a process of its own. */
async function record(
  question: Question,
  order: Order,
  runtime: Runtime,
): Promise<Profile> {
  const folder = new URL("profile/", PROGRAM);
  const file = `${title(order.question, order.case)} ${runtime.name}.cpuprofile`
    .replaceAll(/[, ]+/g, "_");
  const profiled: Runtime = {
    ...runtime,
    command: [
      ...runtime.command,
      "--cpu-prof",
      `--cpu-prof-dir=${folder.pathname}`,
      `--cpu-prof-name=${file}`,
    ],
  };
  const { failure } = await measure(question, profiled, order);
  if (failure !== undefined) throw new Error(`${file}: ${failure}`);
  return JSON.parse(await Deno.readTextFile(new URL(file, folder)));
}

/** The functions with the largest shares of the time that was not idle. */
function top(profile: Profile, sources: Sources): string {
  const { nodes, samples, timeDeltas } = profile;
  const places = new Map(
    nodes.map((node) => [node.id, place(node.callFrame, sources)]),
  );
  const times = new Map<string, number>();
  let total = 0;
  for (let i = begin(profile); i < samples.length; i++) {
    const name = places.get(samples[i]!)!;
    if (name === "(idle)") continue;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]!);
    total += timeDeltas[i]!;
  }
  return [...times].sort(([, a], [, b]) => b - a).slice(0, TOP).map(
    ([name, time]) => `${(time / total * 100).toFixed(1)} % ${name}`,
  ).join(", ");
}

/** The first sample in `METER` or in what it calls, the first of all if none. */
function begin({ nodes, samples }: Profile): number {
  const measured = new Set<number>();
  for (const { id, callFrame, children } of nodes) {
    if (callFrame.functionName !== METER && !measured.has(id)) continue;
    measured.add(id);
    for (const child of children ?? []) measured.add(child);
  }
  return Math.max(samples.findIndex((id) => measured.has(id)), 0);
}

/** A function and the source file it is in, if it is in one. */
function place(frame: CallFrame, sources: Sources): string {
  const { functionName, url, lineNumber } = frame;
  const name = functionName || "(anonymous)";
  return url === "" ? name : `${name} ${sources(url, lineNumber)}`;
}

/** The bundler writes the path of each source file above what came of it. */
function bundledSources(): Sources {
  const paths = new Map<string, string[]>();
  for (const name of globSync("{,subjects/}*.js", { cwd: PROGRAM.pathname })) {
    const lines = Deno.readTextFileSync(new URL(name, PROGRAM)).split("\n");
    let path = name;
    const sources = lines.map((line) =>
      path = line.match(/^\/\/ (\S+\.[cm]?[jt]s)$/)?.[1] ?? path
    );
    paths.set(basename(name), sources);
  }
  return (url, line) => {
    const file = basename(url);
    const path = paths.get(file)?.[line] ?? file;
    return path.split("node_modules/").at(-1)!;
  };
}

/** The questions that the command line names, all if it names none. */
function selected(names: readonly string[]): typeof PROFILED {
  const all = PROFILED.map(([{ name }]) => name);
  const wrong = names.find((name) => !all.includes(name));
  if (wrong !== undefined) {
    const usage = `deno task bench:profile [${all.join(" | ")}]`;
    console.error(`error: Unknown '${wrong}': ${usage}`);
    Deno.exit(2);
  }
  if (names.length === 0) return PROFILED;
  return PROFILED.filter(([{ name }]) => names.includes(name));
}

const chosen = selected(Deno.args);
await bundle();
const sources = bundledSources();
const hosts = await runtimes(RUNTIMES);
let text = "";
const say = (part: string): void => {
  console.log(part);
  text += `${part}\n`;
};
say(
  hosts.map(({ name, version }) => `${name} ${version}`).join(", ") +
    "\nTime of the main thread in each function itself; what cancel prepares is left" +
    "\nout, and bun does not tell garbage collection from the function that it stops",
);
for (const [question, cases] of chosen) {
  await using server = await open(question);
  for (const name of cases) {
    const job = question.jobs.find((job) =>
      job.case === name && job.subject.endsWith("ours")
    )!;
    const shares = new Map<string, string>();
    for (const host of hosts) {
      const order = {
        ...job,
        question: question.name,
        effort: EFFORT,
        url: server?.url,
      };
      shares.set(host.name, top(await record(question, order, host), sources));
    }
    say(`\n${section(title(question.name, name), shares)}`);
  }
}
// Of some questions alone it is only shown: the file holds one whole run.
if (chosen === PROFILED) await writeProfiles(text);
