/**
 * Lints the docs of every entry and fails unless publishing would ship what
 * it must, and nothing else, and JSR's score would be full, as far as can be
 * told here: its `description` and the runtimes are set at JSR.
 */
import config from "../deno.json" with { type: "json" };

const REQUIRED = ["deno.json", "mod.ts", "README.md", "LICENSE"];
const ALLOWED =
  /^(?:deno\.json|mod\.ts|README\.md|LICENSE|src\/.+\.ts|.+\.(?:svg|png))$/;
const ENTRIES = Object.values(config.exports);

const root = new URL("../", import.meta.url).href;

// Each symbol has docs, or this fails.
await deno("doc", "--lint", ...ENTRIES);
// No slow types, or this fails.
const shipped = (await deno("publish", "--dry-run", "--allow-dirty"))
  .split("\n")
  .map((line) => line.match(/^\s+(file:.*) \(\S+\)$/)?.[1])
  .filter((url) => url !== undefined)
  .map((url) => url.replace(root, ""));
const faults = [
  ...REQUIRED.filter((file) => !shipped.includes(file))
    .map((file) => `${file} is not shipped`),
  ...shipped.filter((file) => !ALLOWED.test(file))
    .map((file) => `${file} is shipped`),
  ...(await undocumented()).map((file) => `${file} has no module doc`),
  ...await lacks("README.md", "```ts"),
  ...await lacks(".github/workflows/publish.yml", "id-token: write"),
];
for (const fault of faults) console.error(`error: ${fault}`);
if (faults.length > 0) Deno.exit(1);
console.log(`The package is ${shipped.length} files`);

/** The entries whose page would begin without a word. */
async function undocumented(): Promise<string[]> {
  const { nodes }: { nodes: Record<string, { module_doc?: unknown }> } = JSON
    .parse(await deno("doc", "--json", ...ENTRIES));
  return ENTRIES.filter((file) => {
    const { href } = new URL(file, root);
    return nodes[href]?.module_doc === undefined;
  });
}

/** An example, or the right that provenance needs. */
async function lacks(file: string, text: string): Promise<string[]> {
  const content = await Deno.readTextFile(new URL(file, root));
  return content.includes(text) ? [] : [`${file} has no '${text}'`];
}

/** Runs a command of Deno and returns what it says. */
async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const output = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes)).join("");
  if (success) return output;
  console.error(output);
  Deno.exit(1);
}
