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

/** Puts the whole suite into one file, for runtimes that read no deno.json. */
export async function bundle(): Promise<URL> {
  await Deno.mkdir(CACHE, { recursive: true });
  const entry = new URL("suite.ts", CACHE);
  const output = new URL("suite.test.js", CACHE);
  const imports = testFiles().map((file) => `import "../${file}";\n`);
  const runner = `export * from "../tests/runtimes/collected.ts";\n`;
  await Deno.writeTextFile(entry, imports.join("") + runner);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--sourcemap=inline",
      `--output=${output.pathname}`,
      entry.pathname,
    ],
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error("Cannot bundle the suite");
  return output;
}
