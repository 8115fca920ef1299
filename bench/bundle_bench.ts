import { gzipSync } from "node:zlib";
import { deno } from "./program.ts";
import type { Sample } from "./runner.ts";

/** What is measured once, not once on each runtime. */
export const ONCE = "once";

export const TITLE = "What mod.ts adds to a web page: esbuild's minifier, gzip";

/** Bytes of the package as one minified file, and of that compressed. */
export async function weigh(): Promise<Sample[]> {
  const text = await deno(
    ...["bundle", "--quiet", "--minify", "--platform=browser", "mod.ts"],
  );
  const bytes = new TextEncoder().encode(text);
  const figures = {
    minified: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
  };
  return [
    { case: "mod.ts", subject: "ours", runtime: ONCE, round: 1, figures },
  ];
}
