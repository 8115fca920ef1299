/**
 * Fails on a circle of imports in mod.ts and src/, and on one that runs up.
 * Imports of types count. A planted tree is judged first: were this check
 * blind, for instance as `deno info` says something else, it would show there.
 */
import { assertEquals } from "@std/assert";

/** The floors of the house; a file imports from its own and from those below. */
const FLOORS = ["entry", "mod.ts", "pool", "shell", "policy", "leaf", "core"];

/** What each file imports: files by their path from the root, else as written. */
type Graph = Map<string, string[]>;

interface Module {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** Which floor a file is on; a package, or a file outside src/, is on none. */
function floorOf(file: string): string | undefined {
  if (file === "mod.ts") return file;
  const [, folder, name] = file.match(/^src\/(?:(\w+)\/.*)?(\w*)/) ?? [];
  if (folder !== undefined) return FLOORS.includes(folder) ? folder : "entry";
  if (name === undefined) return undefined;
  return name === "pool" ? name : "leaf";
}

/** Whether an entry of its own may import it: what users can import, too. */
function isPublic(floor: string): boolean {
  return !["shell", "policy", "core"].includes(floor);
}

function isAllowed(file: string, imported: string): boolean {
  const [from, to] = [floorOf(file), floorOf(imported)];
  if (from === undefined) return false;
  // A package: none for the core; of the others, check:web is the judge.
  if (to === undefined) return from !== "core" && !imported.startsWith("file:");
  if (from === "entry") return isPublic(to);
  return FLOORS.indexOf(from) <= FLOORS.indexOf(to);
}

function upward(graph: Graph): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports.filter((imported) => !isAllowed(file, imported))
      .map((imported) => `${file} must not import ${imported}`)
  );
}

/** At least one circle if there are any. */
function circles(graph: Graph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`Circle: ${[...path.slice(start), file].join(" → ")}`);
    } else if (!done.has(file)) {
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    }
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/** Reads the imports of mod.ts and src/ under a root, with Deno's own parser. */
async function read(root: URL): Promise<Graph> {
  const src = await Array.fromAsync(sources(new URL("src/", root)));
  const files = [new URL("mod.ts", root), ...src].map(({ href }) => href);
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    all,
    files.map((file) => `import ${JSON.stringify(file)};`).join("\n"),
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config", "--no-lock", "--no-npm", all],
    stderr: "inherit",
  }).output();
  await Deno.remove(all);
  const { modules }: { modules: Module[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const path = (url: string): string =>
    files.includes(url) ? url.slice(root.href.length) : url;
  const graph: Graph = new Map();
  for (const { specifier, error, dependencies = [] } of modules) {
    if (!files.includes(specifier)) continue;
    if (error !== undefined) throw new Error(`${specifier}: ${error}`);
    const imports = dependencies.map(({ specifier, code, type }) =>
      code?.specifier ?? type?.specifier ?? specifier
    );
    graph.set(path(specifier), imports.map(path).sort());
  }
  assertEquals(graph.size, files.length, "deno info left out a file");
  return graph;
}

/** A tree with a circle, and with an import of each kind that runs up. */
const PLANTED: Record<string, string> = {
  "mod.ts": `export * from "./src/pool.ts"; import "./src/pg/client.ts";`,
  "src/pool.ts": `import { a } from "./shell/a.ts"; export const pool = a;`,
  "src/clock.ts":
    `import { pool } from "./pool.ts"; export const clock = pool;`,
  "src/shell/a.ts":
    `import type { B } from "./b.ts"; export const a = {} as B;`,
  "src/shell/b.ts": `export type B = typeof import("./a.ts").a;`,
  "src/core/line.ts":
    `import type * as clock from "../clock.ts"; import type * as pg from "pg";`,
  "src/pg/client.ts":
    `import "../shell/a.ts"; import "../pool.ts"; import "pg"; import "../../x.ts";`,
};

/** @throws {AssertionError} unless all that is wrong in the planted tree is seen */
async function assertSees(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const root = new URL(`file://${await Deno.realPath(folder)}/`);
  try {
    for (const [file, text] of Object.entries(PLANTED)) {
      const url = new URL(file, root);
      await Deno.mkdir(new URL("./", url), { recursive: true });
      await Deno.writeTextFile(url, text);
    }
    const graph = await read(root);
    assertEquals(circles(graph), [
      "Circle: src/shell/a.ts → src/shell/b.ts → src/shell/a.ts",
    ]);
    assertEquals(upward(graph).sort(), [
      "mod.ts must not import src/pg/client.ts",
      "src/clock.ts must not import src/pool.ts",
      "src/core/line.ts must not import pg",
      "src/core/line.ts must not import src/clock.ts",
      `src/pg/client.ts must not import ${new URL("x.ts", root)}`,
      "src/pg/client.ts must not import src/shell/a.ts",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await assertSees();
const graph = await read(new URL("../", import.meta.url));
const faults = [...circles(graph), ...upward(graph)];
for (const fault of faults) console.error(`error: ${fault}`);
if (faults.length > 0) Deno.exit(1);
const count = [...graph.values()].flat().length;
console.log(`${count} imports in ${graph.size} files run down`);
