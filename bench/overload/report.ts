import { digits, label } from "../label.ts";
import { type Group, plot } from "../plot.ts";
import { align } from "../table.ts";
import { type Figures, LOADS } from "./load.ts";

/** The figures of a scene: by load, then by contender. */
export type Run = Map<number, Map<string, Figures>>;

const COLUMNS: readonly (keyof Figures)[] = [
  "offered",
  "goodput",
  "useful",
  "rejected",
  "left",
  "p99",
];

const HEAD = [
  "Load",
  "",
  "requests/s",
  "goodput %",
  "in time %",
  "rejected %",
  "left %",
  "wait p99 ms",
];

/** All figures of a scene, with what it shows in a line above. */
export function table(text: string, run: Run): string {
  const rows = [HEAD];
  for (const [load, contenders] of run) {
    for (const [contender, figures] of contenders) {
      const cells = COLUMNS.map((name) =>
        Number.isNaN(figures[name]) ? "–" : digits(figures[name])
      );
      rows.push([`${load}×`, label(contender), ...cells]);
    }
  }
  return `${text}\n\n${align(rows)}`;
}

interface Target {
  readonly text: string;
  readonly limit: number;
  /** Whether the limit is the least; else it is the most. */
  readonly atLeast?: boolean;
  /** At what loads it is to hold. */
  readonly at: (load: number) => boolean;
  readonly figure: (figures: Figures, load: number) => number;
}

/** An interval and a target of `codel()`, in ms. */
const SLOWEST = 1_000 + 50;

const TARGETS: readonly Target[] = [
  {
    text: "of the served, done in time, %",
    limit: 90,
    atLeast: true,
    at: () => true,
    figure: ({ useful }) => useful,
  },
  {
    text: "goodput, % of what can be done",
    limit: 95,
    atLeast: true,
    at: (load) => load > 1,
    figure: ({ goodput }) => goodput,
  },
  {
    text: "wait p99 of the served, ms",
    limit: SLOWEST,
    at: () => true,
    figure: ({ p99 }) => p99,
  },
  {
    text: "rejected, %",
    limit: 0,
    at: (load) => load < 1,
    figure: ({ rejected }) => rejected,
  },
];

/** Each target, what was found, and whether that meets it. */
export function verdicts(contender: string, run: Run): string {
  const rows = [[`Target of ${label(contender)}`, "", ...LOADS.map(times)]];
  for (const { text, limit, atLeast, at, figure } of TARGETS) {
    const cells = LOADS.map((load) => {
      if (!at(load)) return "";
      const found = figure(run.get(load)!.get(contender)!, load);
      const isMet = atLeast ? found >= limit : found <= limit;
      return `${digits(found)} ${isMet ? "met" : "MISSED"}`;
    });
    rows.push([text, `${atLeast ? "≥" : "≤"} ${limit}`, ...cells]);
  }
  return align(rows);
}

/** The goodput of each contender at each load, as a plot. */
export function drawing(text: string, run: Run): string {
  const figure = { name: "goodput", unit: "% of what can be done", more: true };
  const groups = [...run].map(([load, contenders]): Group => ({
    name: `${times(load)} of what can be done`,
    bars: [...contenders].map(([subject, { goodput }]) => (
      { subject, median: goodput, min: goodput, max: goodput }
    )),
  }));
  return plot(text, figure, groups);
}

function times(load: number): string {
  return `${load}×`;
}
