import { ROOT } from "../runtimes/bundle.ts";

/** A program that stands in the docs of an entry. */
export interface Example {
  /** `./keyed` has `keyed_1`, `keyed_2`, … */
  readonly name: string;
  readonly text: string;
}

const BLOCK = /^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm;
const IMPORT = /^import [^;]*;\n/gm;

/** Those of the examples in the file of an entry that `deno test --doc` runs. */
export async function examplesOf(
  entry: string,
  file: string,
): Promise<Example[]> {
  const source = await Deno.readTextFile(new URL(file, ROOT));
  const stem = entry.replace(/^\.\/?/, "").replaceAll(/\W/g, "_") || "main";
  return [...source.matchAll(BLOCK)].map(([, block], index) => ({
    name: `${stem}_${index + 1}`,
    text: block!.replaceAll(/^ *\* ?/gm, ""),
  }));
}

/** The same with `require`, which cannot await at its top. */
export function asCommonJs({ text }: Example): string {
  const imports = text.match(IMPORT) ?? [];
  const rest = text.replaceAll(IMPORT, "");
  return `${imports.join("")}export const end = (async () => {\n${rest}})();\n`;
}
