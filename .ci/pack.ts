/**
 * Makes .cache/lease-pool.tgz, the package for npm: what `deno pack` makes, and
 * what npm and TypeScript need besides.
 */

/** The oldest lines that the test of the package runs it on. */
const ENGINES = { deno: ">=2", bun: ">=1.1", node: ">=18.20" };

const DESCRIPTION =
  "A resource pool on Web standards that rides out what happens to real connections";

/** Users whose `lib` is es2022 know no `Disposable`; JSR refuses it in ours. */
const REFERENCE = `/// <reference lib="esnext.disposable" />\n`;

const root = new URL("../", import.meta.url).pathname;
const output = ".cache/lease-pool.tgz";
const folder = await Deno.makeTempDir();
try {
  const files = await unpack(folder);
  await complete(`${files}/package.json`);
  for await (const file of typesIn(files)) {
    await Deno.writeTextFile(file, REFERENCE + await Deno.readTextFile(file));
  }
  await Deno.mkdir(`${root}.cache`, { recursive: true });
  await run("tar", "-C", folder, "-czf", output, "package");
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${output}, ${(await Deno.stat(root + output)).size} bytes`);

/** Where the files are that `deno pack` puts into its tarball. */
async function unpack(folder: string): Promise<string> {
  const tarball = `${folder}/deno.tgz`;
  const options = ["--allow-dirty", "--quiet", "--no-source-maps"];
  await run(Deno.execPath(), "pack", ...options, `--output=${tarball}`);
  await run("tar", "-C", folder, "-xzf", tarball);
  return `${folder}/package`;
}

/** Says in package.json what deno.json has no place for. */
async function complete(file: string): Promise<void> {
  const manifest = JSON.parse(await Deno.readTextFile(file));
  Object.assign(manifest, {
    description: DESCRIPTION,
    engines: ENGINES,
    sideEffects: false,
    typesVersions: { "*": typesOf(manifest.exports) },
  });
  // Where a workflow publishes with provenance, npm compares it.
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = Deno.env.toObject();
  if (GITHUB_REPOSITORY !== undefined) {
    const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`;
    manifest.repository = { type: "git", url };
  }
  await Deno.writeTextFile(file, JSON.stringify(manifest, null, 2) + "\n");
}

/** Where the types of each entry are, for TypeScript's `node10`: it reads no `exports`. */
function typesOf(
  entries: Record<string, { types: string }>,
): Record<string, string[]> {
  const types = Object.entries(entries)
    .map(([name, entry]) => [name.slice("./".length), [entry.types]]);
  return Object.fromEntries(types.filter(([name]) => name !== ""));
}

async function* typesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* typesIn(`${folder}/${name}`);
    else if (name.endsWith(".d.ts")) yield `${folder}/${name}`;
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args,
    cwd: root,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}
