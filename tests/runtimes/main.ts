/** Runs the suite on the runtimes named as arguments and adds up its tests. */

import { bundleSuite, CACHE, ROOT, testFiles } from "./bundle.ts";
import { processExit } from "./process_exit.ts";
import { programCases } from "./program_cases.ts";
import { conclude, type Report, report, testCases } from "./report.ts";
import { BUN, executable, NODE, OLDER_NODES } from "./runtime.ts";

/** A run that takes longer hangs. */
const DEADLINE = 10 * 60_000;

type Command = [string, ...string[]];

interface Runner {
  /** Starts a program that needs no permission; its file comes last. */
  run(): Promise<Command>;
  /** The same for one that may do everything, and collect garbage. */
  runFreely(): Promise<Command>;
  /** Runs the suite and writes a JUnit report. */
  test(junit: string): Promise<Command>;
  /** What went wrong outside of the tests. */
  faults(output: string, junit: string): string[];
}

const deno: Runner = {
  run: () => Promise.resolve([Deno.execPath(), "run", "--no-prompt"]),
  runFreely: () =>
    Promise.resolve([
      Deno.execPath(),
      "run",
      "--allow-all",
      "--v8-flags=--expose-gc",
    ]),
  test: (junit) =>
    Promise.resolve([
      Deno.execPath(),
      "test",
      "--doc",
      "--no-prompt",
      `--junit-path=${junit}`,
    ]),
  faults: (output, junit) => [
    ...emptyFiles(output).map((file) => `${file} registers no test`),
    ...duplicates(junit).map((name) => `Two tests are named '${name}'`),
  ],
};

const bun: Runner = {
  run: async () => [await executable(BUN)],
  runFreely: async () => [await executable(BUN)],
  test: async (junit) => [
    await executable(BUN),
    "test",
    `--timeout=${DEADLINE}`,
    "--reporter=junit",
    `--reporter-outfile=${junit}`,
    (await bundleSuite()).pathname,
  ],
  faults: () => [],
};

const node: Runner = {
  run: async () => [await executable(NODE), "--enable-source-maps"],
  runFreely: async () => [await executable(NODE), "--expose-gc"],
  test: async (junit) => [
    await executable(NODE),
    "--enable-source-maps",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${junit}`,
    (await bundleSuite()).pathname,
  ],
  // Node tells of a rejection after the end of its test, and goes on.
  faults: (_output, junit) =>
    junit.match(/<!-- .*asynchronous activity.* -->/g) ?? [],
};

const RUNNERS: Record<string, Runner> = { deno, bun, node };

async function suite(name: string): Promise<Report> {
  console.log(`\n=== ${name} ===`);
  const path = new URL(`${name}.xml`, CACHE).pathname;
  await Deno.mkdir(CACHE, { recursive: true });
  await Deno.remove(path).catch(() => {});
  const runner = runnerOf(name);
  const { success, output } = await show(await runner.test(path));
  const junit = await Deno.readTextFile(path).catch(() => "");
  const tests = testCases(junit);
  const faults = runner.faults(output, junit);
  if (!success && tests.every((test) => test.result !== "failed")) {
    faults.push(`${name} ended with an error outside of the tests`);
  }
  return report(tests, faults);
}

async function exits(name: string): Promise<Report> {
  return report(await processExit(await runnerOf(name).run()));
}

async function programs(name: string): Promise<Report> {
  return report(await programCases(await runnerOf(name).runFreely()));
}

/** What depends on how a runtime keeps contexts, where Node did it otherwise. */
async function olderNode(version: string): Promise<Report> {
  console.log(`\n=== ${version} ===`);
  const runtime = await executable(version);
  return report(
    await programCases([runtime, "--expose-gc"], ["freed_store.ts"]),
  );
}

function runnerOf(name: string): Runner {
  const runner = RUNNERS[name];
  if (runner === undefined) throw new Error(`Unknown runtime '${name}'`);
  return runner;
}

/** Runs a command and passes its output on while keeping it. */
async function show(
  [program, ...args]: Command,
): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(DEADLINE),
  }).spawn();
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  return { success: (await child.status).success, output };
}

function emptyFiles(output: string): string[] {
  return testFiles().filter((file) =>
    output.includes(`running 0 tests from ./${file}`)
  );
}

function duplicates(junit: string): string[] {
  const names = testCases(junit).map(({ name }) => name);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

await conclude(
  Deno.args.flatMap((name) => [
    () => suite(name),
    () => exits(name),
    () => programs(name),
    ...name === "node" ? OLDER_NODES.map((old) => () => olderNode(old)) : [],
  ]),
);
