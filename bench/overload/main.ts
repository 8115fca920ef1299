/**
 * Gives `@lease/pool`, with and without `shed`, and its peers more to do than can
 * be done: `deno task bench:overload`. What is done after its client has lost
 * patience is done in vain.
 *
 * - `--virtual` plays the scenes on virtual time alone, which need no server and
 *   are the same in every run. Peers are not in them: they have no clock of
 *   their own.
 *
 * A run of all of them goes into results/overload/.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { CONTENDERS } from "./contender.ts";
import { type Figures, LOADS, MAX, PATIENCE } from "./load.ts";
import { overload } from "./postgres.ts";
import { drawing, type Run, table, verdicts } from "./report.ts";
import { simulate } from "./virtual.ts";

const OUTPUT = new URL("../results/overload/", import.meta.url);

const LEAVE = `clients leave after ${PATIENCE} ms`;

const { values: { virtual } } = parseArgs({
  args: Deno.args,
  options: { virtual: { type: "boolean" } },
});
const start = performance.now();
const parts: string[] = [];
const files = new Map<string, string>();

await show(
  "virtual",
  `On virtual time, ${LEAVE}`,
  "shedding_ours",
  simulated(true),
);
await show(
  "virtual_untold",
  `On virtual time, ${LEAVE}, of which the pool is not told`,
  "shedding_ours",
  simulated(false),
);
if (!virtual) {
  await show(
    "postgres",
    `On a real PostgreSQL, ${LEAVE}`,
    "postgres_shedding_ours",
    overload(Object.keys(CONTENDERS)),
  );
}

const seconds = ((performance.now() - start) / 1_000).toFixed(0);
const text = [
  `${new Date().toISOString().slice(0, 10)}: deno ${Deno.version.deno}, ` +
  `${seconds} s, load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores, ` +
  `pools of ${MAX}`,
  ...parts,
].join("\n\n") + "\n";
console.log(text);
if (!virtual) {
  await Deno.mkdir(OUTPUT, { recursive: true });
  for (const [name, content] of files.set("table.txt", text)) {
    await Deno.writeTextFile(new URL(name, OUTPUT), content);
  }
}

/** Has a scene shown: its table, its targets and its plot. */
async function show(
  name: string,
  text: string,
  contender: string,
  run: Promise<Run>,
): Promise<void> {
  const found = await run;
  parts.push(table(text, found), verdicts(contender, found));
  files.set(`${name}.svg`, drawing(text, found));
}

async function simulated(isTold: boolean): Promise<Run> {
  const run: Run = new Map();
  for (const load of LOADS) {
    const figures = new Map<string, Figures>();
    run.set(load, figures);
    figures.set("ours", await simulate(false, isTold, load));
    figures.set("shedding_ours", await simulate(true, isTold, load));
  }
  return run;
}
