import type { Sample } from "./runner.ts";
import type { Effort } from "./stopwatch.ts";

/** The samples of one run of the bench, and how it came to them. */
export interface Recording {
  date: string;
  quick: boolean;
  effort: Effort;
  /** Of each runtime. */
  versions: Record<string, string>;
  /** By question. */
  samples: Record<string, Sample[]>;
}

/** Outside the repository: tables and plots say enough to keep. */
const FOLDER = new URL("../.cache/samples/", import.meta.url);

/** Of the last run of this kind on this machine: whole, or part of one. */
export type Kind = "whole" | "part";

const file = (kind: Kind): URL => new URL(`${kind}.json`, FOLDER);

export async function writeRecording(
  recording: Recording,
  kind: Kind,
): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(file(kind), `${JSON.stringify(recording)}\n`);
}

export async function readRecording(kind: Kind): Promise<Recording> {
  try {
    return JSON.parse(await Deno.readTextFile(file(kind)));
  } catch (cause) {
    throw new Error(`No recording of a ${kind} run in .cache/`, { cause });
  }
}
