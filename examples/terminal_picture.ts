/** A pool as a picture in a terminal, of what its page shows. */

import type { Durations, PoolSnapshot } from "@lease/pool/inspect";

const HEIGHTS = "▁▂▃▄▅▆▇█";

/** Lines that say how a pool is; none is wider than `width`. */
export function picture(pool: PoolSnapshot, width: number): string[] {
  const { name, state, max, pending, creates } = pool;
  const waits = pool.lines.flatMap((line) => line.waits);
  const longest = Math.max(0, ...waits);
  const line = waits.slice(0, 40).map((wait) => height(wait, longest)).join("");
  const told = pool.lines.map(({ sentence }) => `${sentence}.`);
  const failures = creates.last === undefined
    ? ""
    : `, last ${time(creates.last.ago)} ago: ${creates.last.message}`;
  return [
    `${name} – ${state.toUpperCase()}`,
    ...told.flatMap((text) => wrapped(plain(text), width)),
    "",
    `slots    ${pool.stripes.map(slots).join(" ")}  of ${max}`,
    `line     ${line}${pending > 0 ? `  ${pending} wait` : "nobody waits"}`,
    `waits    ${summary(pool.waits)}`,
    `uses     ${summary(pool.uses)}`,
    `creates  ${creates.made} made, ${creates.failed} failed${failures}`,
    ...pool.lines.flatMap(({ holders }) => holders).slice(0, 3).map((
      { age, where = "" },
    ) => `held     ${time(age)} ${where}`),
  ].map((text) => plain(text).slice(0, width));
}

/** Durations as a histogram, a row for each doubling. */
export function histogram({ columns, count }: Durations): string[] {
  const most = Math.max(...columns.map((column) => column.count));
  return columns.map(({ upTo, count: n }) => {
    const bar = "█".repeat(Math.ceil(32 * n / most)).padEnd(32);
    const share = (100 * n / count).toFixed(1).padStart(5);
    return `${time(upTo).padStart(9)} ${bar} ${share} %`;
  });
}

/** Milliseconds as people say them. */
export function time(ms: number | undefined): string {
  if (ms === undefined) return "–";
  if (ms < 10) return `${Number(ms.toFixed(ms < 1 ? 2 : 1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1_000).toFixed(ms < 10_000 ? 1 : 0))} s`;
}

/** One sign for each slot. */
function slots(stripe: PoolSnapshot["stripes"][number]): string {
  const { idle, used, creating, overdue, destroying, max } = stripe;
  const there = "■".repeat(used) + "!".repeat(overdue) +
    "+".repeat(creating - overdue) + "×".repeat(destroying) + "□".repeat(idle);
  return there.padEnd(max, "·");
}

function summary({ count, p50, p99, columns }: Durations): string {
  if (count === 0) return "none in 5 minutes";
  const most = Math.max(...columns.map((column) => column.count));
  const bars = columns.map(({ count: n }) => n === 0 ? " " : height(n, most));
  const [low, high] = [columns[0]!.upTo / 2, columns.at(-1)!.upTo];
  return `p50 ${time(p50)}, p99 ${time(p99)}, ${count} in 5 minutes  ` +
    `${time(low)} ${bars.join("")} ${time(high)}`;
}

function height(value: number, most: number): string {
  const step = most > 0 ? Math.ceil(HEIGHTS.length * value / most) : 1;
  return HEIGHTS[Math.max(1, step) - 1]!;
}

/** A terminal does what control characters say; an error's are not ours. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, " ");
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
