import type { Failure, Outcome } from "./peer.ts";

/** Reads a report in TAP: what it says of the tests at this depth of groups. */
export function readTap(report: string, depth: number): Outcome {
  let passed = 0;
  const failed: Failure[] = [];
  /** What failed within the test whose own line is still to come. */
  let message = "";
  for (const line of report.split("\n")) {
    const [, indent, no, title] =
      line.match(/^( *)(not )?ok \d+ - (.*?)(?: # time=.*)?$/) ?? [];
    if (indent === undefined) continue;
    const level = indent.length / 4;
    if (level > depth && no !== undefined) message ||= title!;
    if (level !== depth) continue;
    if (no === undefined) passed++;
    else failed.push({ title: title!, message });
    message = "";
  }
  return { passed, failed };
}
