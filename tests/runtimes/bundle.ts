import { globSync } from "node:fs";
import config from "../../deno.json" with { type: "json" };

/** The project, whose folders all paths here start from. */
export const ROOT = new URL("../../", import.meta.url);

/** Where bundles and reports go. */
export const CACHE = new URL(".cache/", ROOT);

/** The test files that deno.json names for `deno test`, from the root. */
export function testFiles(): string[] {
  const patterns = config.test.include.filter((path) => path.includes("*"));
  return globSync(patterns, { cwd: ROOT.pathname }).sort();
}

/** What needs `node:events`, `node:diagnostics_channel`, or shared memory. */
export const NOT_IN_A_WORKER = [
  "tests/diagnostics_test.ts",
  "tests/drop_in_test.ts",
  "tests/generic_pool_test.ts",
  "tests/mysql2_test.ts",
  "tests/pg_test.ts",
  "tests/tarn_test.ts",
  "tests/threads_test.ts",
];

/** What needs more than a page has. */
export const NOT_IN_A_PAGE = ["tests/nesting_test.ts", ...NOT_IN_A_WORKER];

/** Puts the suite into one file, for runtimes that read no deno.json. */
export async function bundleSuite(leftOut: string[] = []): Promise<URL> {
  await Deno.mkdir(CACHE, { recursive: true });
  const entry = new URL("suite.test.ts", CACHE);
  const imports = testFiles().filter((file) => !leftOut.includes(file))
    .map((file) => `import "../${file}";\n`);
  const runner = `export * from "../tests/runtimes/collected.ts";\n`;
  await Deno.writeTextFile(entry, imports.join("") + runner);
  return await bundle(entry);
}

const bundles = new Map<string, Promise<URL>>();

/** Puts a program and all it imports into one file, once. */
export function bundle(entry: URL, flags: string[] = []): Promise<URL> {
  const made = bundles.get(entry.href) ?? make(entry, flags);
  bundles.set(entry.href, made);
  return made;
}

async function make(entry: URL, flags: string[]): Promise<URL> {
  const name = entry.pathname.split("/").at(-1)!.replace(/\.ts$/, ".js");
  const output = new URL(name, CACHE);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      ...flags,
      "--sourcemap=inline",
      `--output=${output.pathname}`,
      entry.pathname,
    ],
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error(`Cannot bundle ${entry.pathname}`);
  return output;
}
