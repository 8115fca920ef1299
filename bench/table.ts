import { digits, label } from "./label.ts";
import type { Figure, Job, Question } from "./question.ts";
import type { Results } from "./results.ts";

/** The figures of one question: medians, spreads and ratios, as text. */
export function table(
  question: Question,
  results: Results,
  runtimes: readonly string[],
): string {
  return question.figures.map((figure) => {
    const rows = question.jobs.filter((job) =>
      runtimes.some((runtime) => results.has(job, runtime))
    ).map((job) => [
      job.case,
      label(job.subject),
      ...runtimes.map((runtime) =>
        cell(question, results, job, runtime, figure)
      ),
    ]);
    const head = ["", figure.unit, ...runtimes];
    const title =
      `${question.title}: ${figure.name}, median (least to most), ratio`;
    return `${title}\n\n${align([head, ...rows])}\n`;
  }).join("\n");
}

function cell(
  question: Question,
  results: Results,
  job: Job,
  runtime: string,
  figure: Figure,
): string {
  const found = results.spread(job, runtime, figure.name);
  if (found === undefined) return results.failure(job, runtime) ?? "–";
  const { median, min, max } = found;
  const floor = question.floor(job.case);
  const ratio = results.ratio(job, floor, runtime, figure.name);
  const figures = `${digits(median)} (${digits(min)} to ${digits(max)})`;
  return ratio === undefined ? figures : `${figures} ${digits(ratio)}×`;
}

/** Rows in columns; the first column is written where it changes. */
export function align(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from(
    { length: columns },
    (_, i) => Math.max(...rows.map((row) => row[i]!.length)),
  );
  return rows.map((row, y) =>
    row.map((text, i) => {
      const shown = i === 0 && text === rows[y - 1]?.[0] ? "" : text;
      return i < 2 ? shown.padEnd(widths[i]!) : shown.padStart(widths[i]!);
    }).join("  ").trimEnd()
  ).join("\n");
}
