/**
 * Shows where the time of `@lease/pool` goes, by the profilers of the runtimes:
 * `deno task bench:profile [question…]`.
 */
import { question as acquire } from "./acquire_bench.ts";
import { question as cancel } from "./cancel_bench.ts";
import { question as contended } from "./contended_bench.ts";
import {
  bundle,
  PROGRAM,
  type Runtime,
  RUNTIMES,
  runtimes,
} from "./program.ts";
import type { Question } from "./question.ts";
import { measure } from "./runner.ts";
import type { Effort } from "./stopwatch.ts";
import { align } from "./table.ts";

const PROFILED: readonly (readonly [Question, readonly string[]])[] = [
  [acquire, ["acquire", "tryAcquire"]],
  [contended, ["1 000 over 10"]],
  [cancel, [
    "100 000 by abort",
    "100 000 by timeout",
    "1 000 000 by timeout",
  ]],
];

/** Long beside the start of a process and the warm-up. */
const EFFORT: Effort = { warmUp: 500, batch: 50, batches: 30 };

/**
 * The function of pause.ts that measures: what comes before it, such as filling
 * a line and collecting garbage, is long but no part of the figures.
 */
const METER = "turns";

/** How many functions are shown of each profile. */
const TOP = 8;

const OUTPUT = new URL("results/profile.txt", import.meta.url);

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

/** The profile of one case in a process of its own. */
async function record(
  question: Question,
  name: string,
  runtime: Runtime,
): Promise<Profile> {
  const folder = new URL("profile/", PROGRAM);
  const file = `${question.name} ${name} ${runtime.name}.cpuprofile`
    .replaceAll(" ", "_");
  const profiled: Runtime = {
    ...runtime,
    command: [
      ...runtime.command,
      "--cpu-prof",
      `--cpu-prof-dir=${folder.pathname}`,
      `--cpu-prof-name=${file}`,
    ],
  };
  const { failure } = await measure(question, profiled, {
    question: question.name,
    case: name,
    subject: "ours",
    effort: EFFORT,
  });
  if (failure !== undefined) throw new Error(`${file}: ${failure}`);
  return JSON.parse(await Deno.readTextFile(new URL(file, folder)));
}

/** The functions with the largest shares of the time that was not idle. */
function top(profile: Profile): string[] {
  const { nodes, samples, timeDeltas } = profile;
  const places = new Map(nodes.map((node) => [node.id, place(node.callFrame)]));
  const times = new Map<string, number>();
  let total = 0;
  for (let i = begin(profile); i < samples.length; i++) {
    const name = places.get(samples[i]!)!;
    if (name === "(idle)") continue;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]!);
    total += timeDeltas[i]!;
  }
  return [...times].sort(([, a], [, b]) => b - a).slice(0, TOP).map(
    ([name, time]) =>
      `${(time / total * 100).toFixed(1).padStart(4)} % ${name}`,
  );
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

/** A function and where it is in the bundled program, if it is in a file. */
function place({ functionName, url, lineNumber }: CallFrame): string {
  if (url === "") return functionName || "(anonymous)";
  const file = url.slice(url.lastIndexOf("/") + 1);
  return `${functionName} ${file}:${lineNumber + 1}`.trimStart();
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
const hosts = await runtimes(RUNTIMES);
let text = "";
const say = (part: string): void => {
  console.log(part);
  text += `${part}\n`;
};
say(hosts.map(({ name, version }) => `${name} ${version}`).join(", "));
say(
  "Time of the main thread in each function itself; what cancel prepares is left\n" +
    "out, and bun does not tell garbage collection from the function that it stops",
);
for (const [question, cases] of chosen) {
  for (const name of cases) {
    const rows: string[][] = [];
    for (const host of hosts) {
      const functions = top(await record(question, name, host));
      rows.push(...functions.map((line) => [host.name, line]));
    }
    say(`\n${question.name}, ${name}\n\n${align(rows)}`);
  }
}
await Deno.writeTextFile(OUTPUT, text);
