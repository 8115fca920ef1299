/**
 * Applies every patch of this folder, one at a time, to a copy of the project,
 * and runs the layers of tests against it until one fails. A mutant that all
 * of them let pass has survived: something is not tested.
 *
 * Usage: deno task mutants [--all] [part of a patch's name …]
 *
 * With `--all` every layer runs against every mutant, which shows what each of
 * them sees.
 *
 * @module
 */

/** What runs against a mutant, the quickest first. */
const LAYERS = [
  { name: "suite", files: "tests" },
  { name: "simulation", files: "tests/simulation" },
  { name: "model", files: "tests/model" },
];

/** A mutant can make a layer hang; then it is seen. */
const LIMIT = 180_000;

const WORKERS = 2;

interface Mutant {
  readonly name: string;
  readonly patch: string;
  /** The first line of the patch. */
  readonly about: string;
}

const project = new URL("../../", import.meta.url).pathname;

async function mutants(wanted: string[]): Promise<Mutant[]> {
  const found: Mutant[] = [];
  for await (const { name } of Deno.readDir(`${project}tests/mutants`)) {
    if (!name.endsWith(".patch")) continue;
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) {
      continue;
    }
    const patch = `${project}tests/mutants/${name}`;
    const about = (await Deno.readTextFile(patch)).split("\n", 1)[0]!;
    found.push({ name: name.replace(".patch", ""), patch, about });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function isGreen(
  command: string,
  args: string[],
  cwd: string,
): Promise<boolean> {
  const options = { args, cwd, stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(command, options).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  const { success } = await child.status;
  clearTimeout(limit);
  return success;
}

/** Runs one layer in a copy of the project. */
async function passes(files: string, copy: string): Promise<boolean> {
  const tests: string[] = [];
  for await (const { name } of Deno.readDir(`${copy}/${files}`)) {
    if (name.endsWith("_test.ts")) tests.push(`${files}/${name}`);
  }
  const flags = ["--no-check", "--no-prompt", "--quiet", "--fail-fast"];
  return await isGreen(Deno.execPath(), ["test", ...flags, ...tests], copy);
}

/** Copies what the tests need. */
async function copyProject(): Promise<string> {
  const copy = await Deno.makeTempDir({ prefix: "mutant-" });
  const parts = ["deno.json", "deno.lock", "mod.ts", "src", "tests"];
  const from = parts.map((part) => project + part);
  if (!await isGreen("cp", ["-R", ...from, copy], project)) {
    throw new Error(`Cannot copy the project to ${copy}`);
  }
  await Deno.symlink(`${project}node_modules`, `${copy}/node_modules`);
  return copy;
}

/** The layers that see a mutant: the first of them, or all. */
async function killers(
  { name, patch }: Mutant,
  copy: string,
  all: boolean,
): Promise<string[]> {
  if (!await isGreen("git", ["apply", patch], copy)) {
    throw new Error(`The patch ${name} does not apply any more`);
  }
  const seen: string[] = [];
  for (const layer of LAYERS) {
    if (!all && seen.length > 0) break;
    if (!await passes(layer.files, copy)) seen.push(layer.name);
  }
  await isGreen("git", ["apply", "--reverse", patch], copy);
  return seen;
}

async function main(args: string[]): Promise<boolean> {
  const all = args.includes("--all");
  const queue = await mutants(args.filter((arg) => arg !== "--all"));
  if (queue.length === 0) throw new Error("There is no such mutant");
  const copies = await Promise.all(
    Array.from({ length: WORKERS }, () => copyProject()),
  );
  const count = { passed: 0, failed: 0 };
  try {
    for (const { name, files } of LAYERS) {
      if (await passes(files, copies[0]!)) continue;
      throw new Error(`The ${name} fails without a mutant`);
    }
    await Promise.all(copies.map(async (copy) => {
      for (let mutant; (mutant = queue.shift()) !== undefined;) {
        const seen = await killers(mutant, copy, all);
        const verdict = seen.length > 0
          ? `killed by ${seen.join(", ")}`
          : "SURVIVED";
        console.log(`${mutant.name}: ${verdict} (${mutant.about})`);
        count[seen.length > 0 ? "passed" : "failed"]++;
      }
    }));
  } finally {
    for (const copy of copies) await Deno.remove(copy, { recursive: true });
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0;
}

Deno.exit(await main(Deno.args) ? 0 : 1);
