/**
 * Fails when mod.ts or src/ names a runtime or imports a package: what the
 * type check without runtime types cannot see, and what readers grep for.
 */
const FORBIDDEN = [
  /\b(?:Deno|Bun|process)\b\s*[.[?]/,
  /\bnode:/,
  /\brequire\s*\(/,
  /\bimport\s*\(/,
  /^(?!\s*\*).*\b(?:from|import) "(?!\.)/,
];

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

const offences: string[] = [];
for (const file of ["mod.ts", ...await Array.fromAsync(sources("src"))]) {
  const lines = (await Deno.readTextFile(file)).split("\n");
  for (const [index, line] of lines.entries()) {
    if (FORBIDDEN.some((pattern) => pattern.test(line))) {
      offences.push(`${file}:${index + 1}: ${line.trim()}`);
    }
  }
}
if (offences.length > 0) {
  console.error(`error: Not Web standards only:\n${offences.join("\n")}`);
  Deno.exit(1);
}
