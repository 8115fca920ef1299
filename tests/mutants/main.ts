/**
 * Plants every mutant, one at a time, in a copy of the project, and runs the
 * layers of tests against it until one fails. A mutant that all of them let
 * pass has survived: something is not tested.
 *
 * Usage: deno task mutants [--sample N] [part of a name …]
 *
 * A sample is chosen by the commit, so that in time every mutant has its turn.
 *
 * @module
 */

import { CORE } from "./core.ts";
import { type Mutant, plant } from "./mutant.ts";
import { POOL_MUTANTS } from "./pool.ts";
import { sample } from "./sample.ts";
import { SHELL } from "./shell.ts";
import { TIMERS } from "./timers.ts";

/** What runs against a mutant, what sees most first. */
const LAYERS = [
  { name: "suite", files: "tests" },
  { name: "simulation", files: "tests/simulation" },
  { name: "model", files: "tests/model" },
];

/** Milliseconds after which a layer hangs: the suite takes ten seconds. */
const LIMIT = 60_000;

const WORKERS = 2;

const FAILED = /^(.*) \.\.\. FAILED/m;

const project = new URL("../../", import.meta.url).pathname;

/** The mutants whose names contain one of the parts; all if there is none. */
async function mutants(parts: string[]): Promise<Mutant[]> {
  const all = [...CORE, ...SHELL, ...TIMERS, ...POOL_MUTANTS];
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
  files: string,
  copy: string,
): Promise<string | undefined> {
  const tests: string[] = [];
  for await (const { name } of Deno.readDir(`${copy}/${files}`)) {
    if (name.endsWith("_test.ts")) tests.push(`${files}/${name}`);
  }
  const flags = ["--no-check", "--no-prompt", "--quiet", "--fail-fast"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...flags, ...tests.sort()],
    cwd: copy,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let hangs = false;
  const limit = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, LIMIT);
  const { success, stdout } = await child.output();
  clearTimeout(limit);
  if (success) return undefined;
  if (hangs) return `hangs for ${LIMIT / 1_000} s`;
  const test = new TextDecoder().decode(stdout).match(FAILED)?.[1];
  return test ?? "an error outside of the tests";
}

/** The layer that fails, and what in it. */
async function killer(copy: string): Promise<string | undefined> {
  for (const { name, files } of LAYERS) {
    const failed = await failure(files, copy);
    if (failed !== undefined) return `${name}: ${failed}`;
  }
  return undefined;
}

/** Plants a mutant in a copy, and whatever becomes of it, takes it out. */
async function judge(mutant: Mutant, copy: string): Promise<boolean> {
  const path = `${copy}/${mutant.file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, plant(mutant, text));
  const killedBy = await killer(copy);
  await Deno.writeTextFile(path, text);
  const verdict = killedBy === undefined ? "SURVIVED" : "killed";
  console.log(`${mutant.name}: ${verdict} (${mutant.about})`);
  if (killedBy !== undefined) console.log(`    by ${killedBy}`);
  return killedBy !== undefined;
}

async function main(args: string[]): Promise<boolean> {
  const isSample = args[0] === "--sample";
  const found = await mutants(isSample ? args.slice(2) : args);
  const queue = isSample
    ? await sample(found, Number(args[1]), project)
    : found;
  if (queue.length === 0) throw new Error("There is no such mutant");
  const copies = await Promise.all(
    Array.from({ length: WORKERS }, () => copyProject()),
  );
  const count = { passed: 0, failed: 0 };
  const work = async (copy: string, first: () => Promise<void>) => {
    await first();
    for (let mutant; (mutant = queue.shift()) !== undefined;) {
      count[await judge(mutant, copy) ? "passed" : "failed"]++;
    }
  };
  try {
    await Promise.all(copies.map((copy, i) =>
      work(copy, async () => {
        const failed = i === 0 ? await killer(copy) : undefined;
        if (failed !== undefined) {
          throw new Error(`Without a mutant there is a failure of ${failed}`);
        }
      })
    ));
  } finally {
    for (const copy of copies) await Deno.remove(copy, { recursive: true });
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0;
}

Deno.exit(await main(Deno.args) ? 0 : 1);
