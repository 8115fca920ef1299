import { bundle, ROOT } from "./bundle.ts";
import type { TestCase } from "./report.ts";

/** A program, and what it prints before its process ends by itself. */
const PROGRAMS = [
  { file: "forgotten_close.ts", output: "1 idle" },
  { file: "pending_acquire.ts", output: "TimeoutError" },
  { file: "pending_warm.ts", output: "CallTimeoutError" },
  { file: "close_deadline.ts", output: "destroyed\nclosed" },
  { file: "close_during_create.ts", output: "PoolClosedError\nclosed" },
];

/** Half a minute is long for a start and short for an idle timeout. */
const DEADLINE = 30_000;

/** Whether a pool keeps its process alive just as long as it should. */
export async function processExit(
  runtime: [string, ...string[]],
): Promise<TestCase[]> {
  const results: TestCase[] = [];
  for (const { file, output } of PROGRAMS) {
    const entry = new URL(`tests/runtimes/programs/${file}`, ROOT);
    const seen = await run([...runtime, (await bundle(entry)).pathname]);
    const result = seen === `${output}\n` ? "passed" : "failed";
    console.log(`process exit of ${file} ... ${result}`);
    if (result === "failed") console.log(seen);
    results.push({ name: `process exit of ${file}`, result });
  }
  return results;
}

async function run([program, ...args]: [string, ...string[]]): Promise<string> {
  const { code, signal, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE),
  }).output();
  const [output, errors] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  return code === 0 ? output! : `${output}${errors}exit ${signal ?? code}`;
}
