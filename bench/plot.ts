/** Draws figures as bars, in SVG that follows the reader's light or dark. */
import { digits, label } from "./label.ts";
import type { Figure, Question } from "./question.ts";
import type { Results } from "./results.ts";
import type { Spread } from "./statistic.ts";

const WIDTH = 860;
const LEFT = 230;
const RIGHT = 110;
const TOP = 56;
const ROW = 20;
const GAP = 26;

const STYLE = `
    svg { color: #1f2328; background: #ffffff; }
    text { font: 12px system-ui, sans-serif; fill: currentColor; }
    .title { font-size: 15px; font-weight: 600; }
    .group { font-weight: 600; }
    .number { font-variant-numeric: tabular-nums; }
    .axis { stroke: currentColor; opacity: 0.25; }
    .whisker { stroke: currentColor; stroke-width: 1.5; }
    .peer { fill: #9aa4b2; }
    .floor { fill: #c7a252; }
    .ours { fill: #2f7de1; }
    .mine { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      svg { color: #e6edf3; background: #0d1117; }
      .peer { fill: #5d6876; }
      .floor { fill: #94752f; }
      .ours { fill: #4b9bff; }
    }`;

const FLOORS = ["promise", "hand_off", "lease_hand_off", "unobserved"];

/** The class of a bar in `STYLE`. */
function kind(subject: string): "ours" | "floor" | "peer" {
  if (subject.endsWith("ours")) return "ours";
  return FLOORS.includes(subject) ? "floor" : "peer";
}

interface Bar extends Spread {
  subject: string;
}

export interface Group {
  name: string;
  bars: Bar[];
}

/** The plots of a question by the names of their files: one for each case with a peer. */
export function plots(
  question: Question,
  results: Results,
  runtimes: readonly string[],
): Map<string, string> {
  const jobs = question.jobs.filter((job) =>
    runtimes.some((runtime) => results.has(job, runtime))
  );
  const cases = [...new Set(jobs.map((job) => job.case))];
  const files = new Map<string, string>();
  for (const figure of question.figures) {
    for (const name of cases) {
      const shown = jobs.filter((job) => job.case === name);
      if (!shown.some(({ subject }) => kind(subject) === "peer")) continue;
      const bars = (runtime: string): Bar[] =>
        shown.flatMap(({ subject }) => {
          const job = { case: name, subject };
          const found = results.spread(job, runtime, figure.name);
          return found === undefined ? [] : [{ subject, ...found }];
        });
      const groups = runtimes
        .map((runtime) => ({ name: runtime, bars: bars(runtime) }))
        .filter(({ bars }) => bars.length > 0);
      if (groups.length === 0) continue;
      const file = [question.name, name, figure.name].join("_")
        .replace(/\W+/g, "_").replace(/_+/g, "_");
      const title = `${question.title}: ${name}`;
      files.set(`${file}.svg`, plot(title, figure, groups));
    }
  }
  return files;
}

/** One plot of a figure: a group of bars for each name. */
export function plot(
  title: string,
  figure: Figure,
  groups: readonly Group[],
): string {
  const scale = scaleOf(groups, figure.logarithmic ?? false);
  let y = TOP;
  const parts: string[] = [];
  for (const { name, bars } of groups) {
    const rows = bars.map((bar, i) => draw(bar, y + 10 + i * ROW, scale));
    // One line for each runtime: a run changes no more of the file than that.
    parts.push([text(LEFT, y + 2, name, "group"), ...rows].join(""));
    y += 10 + bars.length * ROW + GAP;
  }
  const better = figure.more ? "more" : "less";
  const axis = `${figure.name} in ${figure.unit}, ${better} is better` +
    (figure.logarithmic ? "; logarithmic" : "");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${title}">
  <style>${STYLE}
  </style>
  ${text(12, 22, title, "title")}
  ${text(12, 40, axis, "")}
  <line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${TOP + 6}" y2="${y - GAP}"/>
  ${parts.join("\n  ")}
</svg>
`;
}

/** From a figure to its place on the x axis. */
function scaleOf(
  groups: readonly Group[],
  logarithmic: boolean,
): (value: number) => number {
  const bars = groups.flatMap(({ bars }) => bars);
  const most = Math.max(...bars.map(({ max }) => max));
  const width = WIDTH - LEFT - RIGHT;
  if (!logarithmic) return (value) => LEFT + width * value / most;
  const some = bars.map(({ min }) => min).filter((value) => value > 0);
  const least = Math.min(...some) / 2;
  const whole = Math.log(most / least);
  // Nothing has no logarithm, and no bar.
  return (value) =>
    value > 0 ? LEFT + width * Math.log(value / least) / whole : LEFT;
}

function draw(bar: Bar, y: number, scale: (value: number) => number): string {
  const { subject, median, min, max } = bar;
  const middle = y + ROW / 2;
  const mine = kind(subject) === "ours" ? "mine" : "";
  const width = (scale(median) - LEFT).toFixed(1);
  return [
    text(LEFT - 8, middle + 4, label(subject), mine, "end"),
    `<rect class="${kind(subject)}" x="${LEFT}" y="${
      y + 3
    }" width="${width}" height="${ROW - 6}" rx="2"/>`,
    `<line class="whisker" x1="${scale(min).toFixed(1)}" x2="${
      scale(max).toFixed(1)
    }" y1="${middle}" y2="${middle}"/>`,
    text(scale(max) + 6, middle + 4, digits(median), `number ${mine}`.trim()),
  ].join("");
}

function text(
  x: number,
  y: number,
  content: string,
  style: string,
  anchor = "start",
): string {
  return `<text x="${
    x.toFixed(1)
  }" y="${y}" class="${style}" text-anchor="${anchor}">${content}</text>`;
}
