/**
 * Lints the docs of every entry and fails unless publishing would ship what
 * it must, and nothing else.
 */
import config from "../deno.json" with { type: "json" };

const REQUIRED = ["deno.json", "mod.ts", "README.md", "LICENSE"];
const ALLOWED = /^(?:deno\.json|mod\.ts|README\.md|LICENSE|src\/.+\.ts)$/;

await deno("doc", "--lint", ...Object.values(config.exports));

const root = new URL("../", import.meta.url).href;
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
];
for (const fault of faults) console.error(`error: ${fault}`);
if (faults.length > 0) Deno.exit(1);
console.log(`The package is ${shipped.length} files`);

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
