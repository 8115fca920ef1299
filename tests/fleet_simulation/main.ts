/**
 * `deno task simulate:fleet --members N,M --seed S --seconds T --churn P`: fleets of
 * so many members on virtual time; states that last are looked at for so long, and
 * so many percent of the members die in each second of the last phase. Prints a
 * table, and writes it to bench/results/.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Phase, trial } from "./trial.ts";

const RESULTS = new URL(
  "../../bench/results/fleet_simulation.txt",
  import.meta.url,
);
const HEADS = ["members", "phase", "s", "reads/s", "swaps/s", "lost/s"]
  .concat("told/s", "accounts", "book kB", "MB/s", "used %", "least %")
  .concat("Jain", "least");

function cells(members: number, phase: Phase): string[] {
  const { name, seconds, reads, swaps, lost, told, bytes } = phase;
  const traffic = (reads + swaps) * bytes / 1e6;
  return [
    ...[`${members}`, name, seconds.toFixed(1), reads.toFixed(0)],
    ...[swaps.toFixed(0), lost.toFixed(0), told.toFixed(0)],
    ...[`${phase.accounts}`, (bytes / 1e3).toFixed(0), traffic.toFixed(1)],
    ...[phase.use, phase.leastUse].map((it) => (100 * it).toFixed(0)),
    ...[phase.fairness, phase.leastFairness].map((it) => it.toFixed(3)),
  ];
}

function line(cells: string[]): string {
  const widths = [7, 15, 6, 7, 7, 6, 8, 8, 7, 7, 6, 7, 6, 6];
  return cells.map((cell, i) =>
    i === 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
  ).join(" ");
}

const { values } = parseArgs({
  options: {
    members: { type: "string", default: "100,1000" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "10" },
    churn: { type: "string", default: "1" },
  },
});
const [seed, seconds, churn] = [values.seed, values.seconds, values.churn]
  .map(Number) as [number, number, number];
const lines = [`seed ${seed}, ttl 10 s, 2 permits for each member`, ""];
lines.push(line(HEADS));
console.log(lines.join("\n"));
for (const members of values.members.split(",").map(Number)) {
  for await (const phase of trial({ seed, members, seconds, churn })) {
    lines.push(line(cells(members, phase)));
    console.log(lines.at(-1));
    await Deno.writeTextFile(RESULTS, `${lines.join("\n")}\n`);
  }
}
