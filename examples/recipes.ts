/**
 * Runs the recipes, or those whose names begin with a word that is given, each
 * to its end: each asserts that it does what it says. One that connects to
 * `DATABASE_URL` gets a PostgreSQL server of its own.
 */

import { ROOT } from "../tests/runtimes/bundle.ts";
import {
  conclude,
  type Report,
  report,
  type TestCase,
} from "../tests/runtimes/report.ts";
import { BUN, executable } from "../tests/runtimes/runtime.ts";
import { PostgresServer } from "./postgres_server.ts";

const FOLDER = new URL("examples/recipes/", ROOT);

/** No recipe takes a tenth of this. */
const DEADLINE = 120_000;

async function run(file: string): Promise<TestCase> {
  console.log(`\n=== ${file} ===`);
  const text = await Deno.readTextFile(new URL(file, FOLDER));
  await using server = text.includes("DATABASE_URL")
    ? await PostgresServer.create()
    : undefined;
  const [program, ...args] = await commandOf(file);
  const start = performance.now();
  const { success } = await new Deno.Command(program!, {
    args: [...args, `examples/recipes/${file}`],
    cwd: ROOT,
    env: server === undefined ? {} : { DATABASE_URL: server.url },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE),
  }).spawn().status;
  const time = `${Math.round(performance.now() - start)} ms`;
  console.log(`${file} ... ${success ? "ok" : "FAILED"} in ${time}`);
  return { name: file, result: success ? "passed" : "failed" };
}

/** What runs a recipe; its name says if that is Bun. */
async function commandOf(file: string): Promise<string[]> {
  if (file.startsWith("bun_")) return [await executable(BUN), "run"];
  const lock = "--lock=examples/recipes/deno.lock";
  const abort = "--unstable-no-legacy-abort"; // of requests, as on Bun
  return [Deno.execPath(), "run", "--quiet", "-A", abort, lock];
}

async function all(): Promise<Report> {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".ts")).sort();
  const chosen = names.filter((name) =>
    Deno.args.length === 0 || Deno.args.some((word) => name.startsWith(word))
  );
  const cases: TestCase[] = [];
  for (const file of chosen) cases.push(await run(file));
  const index = await Deno.readTextFile(new URL("examples/README.md", ROOT));
  const absent = names.filter((name) => !index.includes(`(recipes/${name})`));
  return report(
    cases,
    absent.map((name) => `${name} is not in examples/README.md`),
  );
}

await conclude([all]);
