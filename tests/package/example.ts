import { ROOT } from "../runtimes/bundle.ts";

/** A program that stands in the docs of an entry. */
export interface Example {
  /** `./keyed` has `keyed_0`, `keyed_1`, … */
  readonly name: string;
  readonly text: string;
  /** What its comments say that it prints, in order, among other things. */
  readonly says: string[];
}

const BLOCK = /^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm;
const PRINT = /console\.\w+\(.*\); \/\/ (.*)$/gm;
const IMPORT = /^import [^;]*;.*\n/gm;

/**
 * Those of the examples of an entry that `deno test --doc` runs, in its file and
 * those beside it, after one that names what the entry exports.
 */
export async function examplesOf(
  entry: string,
  file: string,
): Promise<Example[]> {
  const stem = entry.replace(/^\.\/?/, "").replaceAll(/\W/g, "_") || "main";
  const name = `@lease/pool${entry.slice(1)}`;
  // What CommonJS adds does not count.
  const names = `import * as entry from "${name}";
const names = Object.keys(entry);
console.log(names.filter((name) => name !== "default").sort().join());
`;
  const texts = [names];
  for (const url of filesOf(new URL(file, ROOT))) {
    const source = await Deno.readTextFile(url);
    for (const [, block] of source.matchAll(BLOCK)) {
      texts.push(block!.replaceAll(/^ *\* ?/gm, ""));
    }
  }
  return texts.map((text, index) => ({
    name: `${stem}_${index}`,
    text,
    says: [...text.matchAll(PRINT)].map(([, comment]) => comment!),
  }));
}

/** Only an entry with a folder of its own has others beside it. */
function filesOf(entry: URL): URL[] {
  const folder = new URL("./", entry);
  if (folder.href === ROOT.href) return [entry];
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort()
    .filter((name) => name.endsWith(".ts"))
    .map((name) => new URL(name, folder));
}

/** What an example says that it prints, and does not. */
export function unsaid(
  { says }: Example,
  lines: readonly string[],
): string | undefined {
  let next = 0;
  return says.find((comment) => {
    // A comment may go on after what is printed.
    const found = lines.findIndex((line, index) =>
      index >= next && bare(comment).startsWith(bare(line))
    );
    next = found + 1;
    return found < 0;
  });
}

function bare(text: string): string {
  return text.replaceAll(/[\s"]/g, "");
}

/** The same with `require`, which cannot await at its top. */
export function asCommonJs({ text }: Example): string {
  const imports = text.match(IMPORT) ?? [];
  const rest = text.replaceAll(IMPORT, "");
  return `${imports.join("")}export const end = (async () => {\n${rest}})();\n`;
}
