/**
 * Installs the npm tarball in an empty folder, checks the examples in the docs
 * of every entry with several compilers, and runs them on several runtimes, from
 * ESM and from CommonJS.
 */

import config from "../../deno.json" with { type: "json" };
import {
  conclude,
  type Report,
  report,
  type TestCase,
} from "../runtimes/report.ts";
import { BUN, executable, NODE, OLDER_NODES } from "../runtimes/runtime.ts";
import { type Compiler, COMPILERS, Consumer, type Run } from "./consumer.ts";
import { type Example, examplesOf, unsaid } from "./example.ts";

/**
 * Of the oldest of `engines`: without `require` of an ES module, or with stacks
 * that do not name an async function. That the examples run has to do.
 */
const OLDEST = ["node@18.20.8", "bun@1.1.45", "deno@2.0.0"];

const RUNTIMES = [...OLDER_NODES, "node@24.21.0", NODE, BUN];

/** Those that know `require` of an ES module. */
const REQUIRING: Compiler[] = ["typescript-5.9", "typescript-7.0"];

/** What an entry shows to try. */
interface Entry {
  readonly name: string;
  readonly examples: readonly Example[];
  readonly needsNode: boolean;
}

function verdict(name: string, failure: string): TestCase {
  console.log(`${name} ... ${failure === "" ? "ok" : `FAILED\n${failure}`}`);
  return { name, result: failure === "" ? "passed" : "failed" };
}

/** What compilers say to all programs, with each kind of surroundings. */
async function* checks(
  consumer: Consumer,
  entries: readonly Entry[],
): AsyncGenerator<TestCase> {
  const imports = entries.map(({ examples }) => `${examples[0]!.name}.mts`);
  const found = await consumer.compile("typescript-5.4", "node", imports, {
    module: "commonjs",
    moduleResolution: "node10",
  });
  yield verdict("types where no exports are read", found);
  // What is compiled last is what runs.
  for (const surroundings of ["dom", "node"] as const) {
    const files = entries
      .filter(({ needsNode }) => surroundings === "node" || !needsNode)
      .flatMap(({ examples }) => examples.map(({ name }) => name));
    for (const compiler of Object.keys(COMPILERS) as Compiler[]) {
      const extensions = REQUIRING.includes(compiler)
        ? [".mts", ".cts"]
        : [".mts"];
      const all = extensions.flatMap((end) => files.map((file) => file + end));
      const faults = await consumer.compile(compiler, surroundings, all);
      yield verdict(`types for ${compiler}, ${surroundings}`, faults);
    }
  }
}

/** That each entry does on a runtime what it does on Deno. */
async function* runs(
  consumer: Consumer,
  entries: readonly Entry[],
): AsyncGenerator<TestCase> {
  const names = entries
    .flatMap(({ examples }) => examples.map(({ name }) => name));
  const run = (program: string[], end: string) =>
    consumer.runAll(program, names.map((name) => name + end));
  const deno = await run([Deno.execPath(), "run", "-A"], ".mjs");
  for (const { name, examples } of entries) {
    const faults = examples.flatMap((example) =>
      unsaid(example, deno[`${example.name}.mjs`]!.lines) ?? []
    );
    yield verdict(`${name} prints what its docs say`, faults.join("\n"));
  }
  for (const runtime of [...OLDEST, ...RUNTIMES]) {
    const options = runtime.startsWith("deno@") ? ["run", "-A"] : [];
    const program = [await executable(runtime), ...options];
    const isOld = OLDEST.includes(runtime);
    for (const end of isOld ? [".mjs"] : [".mjs", ".cjs"]) {
      const seen = await run(program, end);
      const how = end === ".mjs" ? "imported" : "required";
      for (const { name, examples } of entries) {
        const faults = examples.map(({ name }) =>
          faultOf(seen[name + end]!, deno[`${name}.mjs`]!, isOld)
        );
        yield verdict(`${name} ${how} on ${runtime}`, faults.join(""));
      }
    }
  }
}

function faultOf(seen: Run, expected: Run, isOld: boolean): string {
  const failure = expected.failure ?? seen.failure;
  if (failure !== undefined) return failure;
  const [lines, due] = [seen, expected].map(({ lines }) => lines.join("\n"));
  return isOld || lines === due ? "" : `It prints\n${lines}\nand not\n${due}`;
}

async function test(): Promise<Report> {
  const exported = await Promise.all(
    Object.entries(config.exports).map(async ([name, file]) => ({
      name,
      file,
      examples: await examplesOf(name, file),
    })),
  );
  await using consumer = await Consumer.create(
    exported.flatMap(({ examples }) => examples),
  );
  const entries: Entry[] = [];
  const cases: TestCase[] = [];
  for (const { name, file, examples } of exported) {
    const needsNode = await consumer.needsNode(file);
    entries.push({ name, examples, needsNode });
  }
  const { engines } = await consumer.manifest();
  const isStated = typeof (engines as { node?: unknown })?.node === "string";
  cases.push(verdict("engines are stated", isStated ? "" : "They are not"));
  for await (const found of checks(consumer, entries)) cases.push(found);
  for await (const found of runs(consumer, entries)) cases.push(found);
  return report(cases);
}

await conclude([test]);
