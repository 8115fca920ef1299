/**
 * Plants every mutant, one at a time, in a copy of the project, and runs the
 * layers of tests against it until one fails. A mutant that all of them let
 * pass has survived: something is not tested.
 *
 * Usage: deno task mutants [--sample N] [part of a name …]
 *
 * A sample is chosen by the commit, so that in time every mutant has its turn.
 * The file that killed a mutant last is asked first, as `killers.json` says, which
 * a run that is no sample writes anew.
 *
 * @module
 */

import { BUDGETS } from "./budget.ts";
import { CODEL } from "./codel.ts";
import { CORE } from "./core.ts";
import { DROP_INS } from "./drop_in.ts";
import { ERRORS } from "./errors.ts";
import { INSPECT } from "./inspect.ts";
import { FLEET } from "./fleet.ts";
import { LEAKS } from "./leaks.ts";
import { type Mutant, plant } from "./mutant.ts";
import { MYSQL2 } from "./mysql2.ts";
import { NESTING } from "./nesting.ts";
import { OBSERVING } from "./observing.ts";
import { POLICY } from "./policy.ts";
import { POOL_MUTANTS } from "./pool.ts";
import { PRESSURE } from "./pressure.ts";
import { RESOURCES } from "./resources.ts";
import { sample } from "./sample.ts";
import { SHELL } from "./shell.ts";
import { TESTING } from "./testing.ts";
import { THREADS } from "./threads.ts";
import { TIMERS } from "./timers.ts";

interface Layer {
  readonly name: string;
  /** The folder of its test files, or one program. */
  readonly path: string;
  readonly flags: readonly string[];
  /** Matches what the first of its failures is called. */
  readonly failed: RegExp;
}

const TEST = {
  flags: ["test", "--no-check", "--no-prompt", "--quiet", "--fail-fast"],
  failed: /^(.*) \.\.\. FAILED/m,
};

/** Collects garbage, and knows each request's context. */
const PROGRAM = {
  flags: ["run", "--no-check", "-A", "--v8-flags=--expose-gc"],
  failed: /"([^"]+)":"/,
};

const PROGRAMS = "tests/runtimes/programs";

/** What runs against a mutant, what sees most first. */
const LAYERS: readonly Layer[] = [
  { name: "suite", path: "tests", ...TEST },
  { name: "simulation", path: "tests/simulation", ...TEST },
  { name: "model", path: "tests/model", ...TEST },
  { name: "context", path: `${PROGRAMS}/context.ts`, ...PROGRAM },
  { name: "memory", path: `${PROGRAMS}/freed_store.ts`, ...PROGRAM },
];

/** What killed a mutant: the first failure, and in which file. */
interface Failure {
  readonly what: string;
  readonly file: string | undefined;
}

/**
 * Milliseconds after which a layer, and one file of it, hangs, also where others
 * work beside it.
 */
const LIMIT = 300_000;
const FILE_LIMIT = 60_000;

const WORKERS = 2;

const project = new URL("../../", import.meta.url).pathname;

const KILLERS = new URL("killers.json", import.meta.url);

/** The mutants whose names contain one of the parts; all if there is none. */
async function mutants(parts: string[]): Promise<Mutant[]> {
  const all = [
    ...CORE,
    ...SHELL,
    ...TESTING,
    ...POLICY,
    ...RESOURCES,
    ...TIMERS,
    ...ERRORS,
    ...FLEET,
    ...LEAKS,
    ...INSPECT,
    ...MYSQL2,
    ...DROP_INS,
    ...NESTING,
    ...OBSERVING,
    ...CODEL,
    ...BUDGETS,
    ...POOL_MUTANTS,
    ...PRESSURE,
    ...THREADS,
  ];
  const names = new Set(all.map(({ name }) => name));
  if (names.size < all.length) throw new Error("Two mutants share a name");
  for (const mutant of all) {
    plant(mutant, await Deno.readTextFile(project + mutant.file));
  }
  return parts.length === 0
    ? all
    : all.filter(({ name }) => parts.some((part) => name.includes(part)));
}

/** Copies what the tests need. */
async function copyProject(): Promise<string> {
  const copy = await Deno.makeTempDir({ prefix: "mutant-" });
  const parts = ["deno.json", "deno.lock", "mod.ts", "src", "tests"];
  const args = ["-R", ...parts.map((part) => project + part), copy];
  const { success } = await new Deno.Command("cp", { args }).output();
  if (!success) throw new Error(`Cannot copy the project to ${copy}`);
  await Deno.symlink(`${project}node_modules`, `${copy}/node_modules`);
  return copy;
}

/** Runs one layer in a copy: what failed, if anything did. */
async function failure(
  { path, flags, failed }: Layer,
  copy: string,
): Promise<Failure | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...flags, ...await files(path, copy)],
    cwd: copy,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let hangs = false;
  const ms = path.endsWith("_test.ts") ? FILE_LIMIT : LIMIT;
  const limit = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, ms);
  const { success, stdout } = await child.output();
  clearTimeout(limit);
  const text = new TextDecoder().decode(stdout);
  const running = /^running \d+ tests? from \.\/(.*)$/gm;
  const file = path.endsWith(".ts")
    ? path
    : [...text.matchAll(running)].at(-1)?.[1];
  const first = text.match(failed)?.[1];
  const what = hangs ? `hangs for ${ms / 1_000} s` : first;
  if (what === undefined && success) return undefined;
  return { what: what ?? "an error outside of the tests", file };
}

async function files(path: string, copy: string): Promise<string[]> {
  if (path.endsWith(".ts")) return [path];
  const found: string[] = [];
  for await (const { name } of Deno.readDir(`${copy}/${path}`)) {
    if (name.endsWith("_test.ts")) found.push(`${path}/${name}`);
  }
  return found.sort();
}

/** What fails, in the file that is likeliest to, or else in any layer. */
async function killer(
  copy: string,
  likeliest?: string,
): Promise<Failure | undefined> {
  const first = LAYERS.findLast(({ path }) => likeliest?.startsWith(path));
  const asked = first === undefined ? [] : [{ ...first, path: likeliest! }];
  for (const layer of [...asked, ...LAYERS]) {
    const failed = await failure(layer, copy);
    if (failed === undefined) continue;
    return { ...failed, what: `${layer.name}: ${failed.what}` };
  }
  return undefined;
}

/** Plants a mutant in a copy, and whatever becomes of it, takes it out. */
async function judge(
  mutant: Mutant,
  copy: string,
  killers: Record<string, string>,
): Promise<boolean> {
  const { name, about } = mutant;
  const path = `${copy}/${mutant.file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, plant(mutant, text));
  const killedBy = await killer(copy, killers[name]);
  await Deno.writeTextFile(path, text);
  console.log(`${name}: ${killedBy ? "killed" : "SURVIVED"} (${about})`);
  if (killedBy === undefined) return false;
  console.log(`    by ${killedBy.what}`);
  if (killedBy.file !== undefined) killers[name] = killedBy.file;
  return true;
}

/** Without files that are gone, which would seem to kill whatever is asked. */
async function read(): Promise<Record<string, string>> {
  const killers: [string, string][] = [];
  const all = JSON.parse(await Deno.readTextFile(KILLERS));
  for (const [name, file] of Object.entries<string>(all)) {
    const found = await Deno.stat(project + file).catch(() => undefined);
    if (found?.isFile) killers.push([name, file]);
  }
  return Object.fromEntries(killers);
}

/** Sorted, so that a run changes few lines. */
async function write(killers: Record<string, string>): Promise<void> {
  const entries = Object.entries(killers).sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(entries), undefined, 2);
  await Deno.writeTextFile(KILLERS, text + "\n");
}

async function main(args: string[]): Promise<boolean> {
  const isSample = args[0] === "--sample";
  const found = await mutants(isSample ? args.slice(2) : args);
  const queue = isSample
    ? await sample(found, Number(args[1]), project)
    : found;
  if (queue.length === 0) throw new Error("There is no such mutant");
  const killers = await read();
  const copies = await Promise.all(
    Array.from({ length: WORKERS }, () => copyProject()),
  );
  const count = { passed: 0, failed: 0 };
  const work = async (copy: string, first: () => Promise<void>) => {
    await first();
    for (let mutant; (mutant = queue.shift()) !== undefined;) {
      const isKilled = await judge(mutant, copy, killers);
      count[isKilled ? "passed" : "failed"]++;
    }
  };
  try {
    await Promise.all(copies.map((copy, i) =>
      work(copy, async () => {
        const failed = i === 0 ? await killer(copy) : undefined;
        if (failed !== undefined) {
          const { what } = failed;
          throw new Error(`Without a mutant there is a failure of ${what}`);
        }
      })
    ));
  } finally {
    for (const copy of copies) await Deno.remove(copy, { recursive: true });
    if (!isSample) await write(killers);
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0;
}

Deno.exit(await main(Deno.args) ? 0 : 1);
