import { ROOT } from "../runtimes/bundle.ts";

/** A program that stands in the docs of an entry. */
export interface Example {
  /** `./keyed` has `keyed_1`, `keyed_2`, … */
  readonly name: string;
  readonly text: string;
  /** What its comments say that it prints, in order, among other things. */
  readonly says: string[];
}

const BLOCK = /^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm;
const PRINT = /console\.\w+\(.*\); \/\/ (.*)$/gm;
const IMPORT = /^import [^;]*;\n/gm;

/** Those of the examples in the file of an entry that `deno test --doc` runs. */
export async function examplesOf(
  entry: string,
  file: string,
): Promise<Example[]> {
  const source = await Deno.readTextFile(new URL(file, ROOT));
  const stem = entry.replace(/^\.\/?/, "").replaceAll(/\W/g, "_") || "main";
  return [...source.matchAll(BLOCK)].map(([, block], index) => {
    const text = block!.replaceAll(/^ *\* ?/gm, "");
    const says = [...text.matchAll(PRINT)].map(([, comment]) => comment!);
    return { name: `${stem}_${index + 1}`, text, says };
  });
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
