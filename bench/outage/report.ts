import { digits, label } from "../label.ts";
import { type Group, plot } from "../plot.ts";
import type { Figure } from "../question.ts";
import { align } from "../table.ts";
import type { Figures } from "./figures.ts";
import { SCENES } from "./scene.ts";
import type { Run } from "./target.ts";

const HEAD = [
  "Scene",
  "",
  "answered",
  "failed",
  "connects",
  "connects/s",
  "wait p50 ms",
  "p99 ms",
  "back s",
];

/** What happened, all figures, and what those who failed were told. */
export function table(run: Run): string {
  const scenes: string[] = [];
  const rows = [HEAD];
  const more: string[] = [];
  const told: string[] = [];
  for (const [scene, contenders] of run) {
    const { text } = SCENES.find(({ name }) => name === scene)!;
    scenes.push(`${scene}: ${text}`);
    for (const [subject, figures] of contenders) {
      rows.push([scene, label(subject), ...cells(figures)]);
      for (const [name, value] of Object.entries(figures.more)) {
        more.push(`${scene}, ${label(subject)}: ${name} ${digits(value)}`);
      }
      for (const [reason, times] of Object.entries(figures.errors)) {
        told.push(`${scene}, ${label(subject)}: ${times} × ${reason}`);
      }
    }
  }
  const parts = [scenes.join("\n"), align(rows)];
  if (more.length > 0) parts.push(more.join("\n"));
  if (told.length > 0) {
    parts.push(`What those who failed were told\n\n${told.join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}

function cells(figures: Figures): string[] {
  const { answered, failed, connects, rate, p50, p99, back } = figures;
  const rest = [rate, p50, p99, back].map((value) =>
    value === undefined || Number.isNaN(value) ? "–" : digits(value)
  );
  return [`${answered}`, `${failed}`, `${connects}`, ...rest];
}

/** What is drawn, each in a file of this name. */
const DRAWN: Record<string, [string, Figure, (figures: Figures) => number]> = {
  failed: [
    "Requests that fail while a real PostgreSQL is struck",
    { name: "failed", unit: "% of the requests" },
    ({ failed, answered }) => 100 * failed / (failed + answered),
  ],
  connects: [
    "Connects to it meanwhile",
    { name: "connects", unit: "number", logarithmic: true },
    ({ connects }) => connects,
  ],
};

/** The plots of a run by the names of their files. */
export function plots(run: Run): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, [title, figure, value]] of Object.entries(DRAWN)) {
    const groups = [...run].map(([scene, contenders]): Group => ({
      name: scene,
      bars: [...contenders].map(([subject, figures]) => {
        const median = value(figures);
        return { subject, median, min: median, max: median };
      }),
    }));
    files.set(`${name}.svg`, plot(title, figure, groups));
  }
  return files;
}
