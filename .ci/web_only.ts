/**
 * Fails when an entry needs more than Web standards and the built-ins that it
 * lists here. Those of the others are checked without the types of a runtime, and
 * all code for what a type check cannot see, and what readers grep for.
 */
import config from "../deno.json" with { type: "json" };

/** What is not of the Web that each entry may import, and does. */
const BUILT_INS: Record<keyof typeof config.exports, string[]> = {
  ".": [],
  "./budget": [],
  "./codel": [],
  "./diagnostics": [],
  "./fleet": [],
  "./generic-pool": ["node:events"],
  "./inspect": [],
  "./keyed": [],
  "./leaks": [],
  "./mysql2": ["node:events"],
  "./nesting": ["node:async_hooks"],
  "./otel": [],
  "./pg": ["node:events"],
  "./sequelize-pool": [],
  "./tarn": ["node:events"],
  "./testing": [],
  "./threads": [],
};

/** What asks the runtime for a built-in that it does without. */
const ASKS = ["src/diagnostics/mod.ts"];

const FORBIDDEN = [
  // Not a word of a sentence: `process.` at the end of one is none.
  /\b(?:Deno|Bun|process)\b\s*(?:\?\.|\.|\[)["'\w[]/,
  /\brequire\s*\(/,
  /\bimport\s*\(/,
];

const offences: string[] = [];
const reached = new Set<string>();
for (const [entry, file] of Object.entries(config.exports)) {
  const builtIns = BUILT_INS[entry as keyof typeof config.exports];
  const { files, others } = await reach(file);
  if (others.join() !== builtIns.join()) {
    offences.push(`${file} imports '${others}', not '${builtIns}'`);
  }
  for (const file of files) reached.add(file);
  if (builtIns.length > 0) continue;
  const check = ["check", "--quiet", "--config", ".ci/web_only.json", file];
  const { success } = await deno(...check);
  if (!success) offences.push(`${file} needs types that are not of the Web`);
}
for (const file of reached) {
  if (ASKS.some((asking) => file.endsWith(asking))) continue;
  const lines = (await Deno.readTextFile(new URL(file))).split("\n");
  for (const [index, line] of lines.entries()) {
    // Docs may name a runtime: their examples are run.
    const isDoc = /^\s*\/?\*/.test(line);
    if (!isDoc && FORBIDDEN.some((pattern) => pattern.test(line))) {
      offences.push(`${file}:${index + 1}: ${line.trim()}`);
    }
  }
}
if (offences.length > 0) {
  console.error(`error: Not Web standards only:\n${offences.join("\n")}`);
  Deno.exit(1);
}

/** All that a file imports, in the end: files, and others by their names. */
async function reach(
  file: string,
): Promise<{ files: string[]; others: string[] }> {
  const { stdout } = await deno("info", "--json", file);
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const isFile = (name: string) => name.startsWith("file:");
  const names = modules.map(({ specifier }) => specifier);
  return {
    files: names.filter(isFile),
    others: names.filter((name) => !isFile(name)).sort(),
  };
}

async function deno(...args: string[]): Promise<Deno.CommandOutput> {
  return await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stderr: "inherit",
  }).output();
}
