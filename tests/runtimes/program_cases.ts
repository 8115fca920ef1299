import { bundle, ROOT } from "./bundle.ts";
import { Peer } from "./peer.ts";
import type { TestCase } from "./report.ts";

type Command = [string, ...string[]];

/** Programs that print their cases: what needs a process of its own. */
const PROGRAMS = [
  "context.ts",
  "freed_store.ts",
  "standstill.ts",
  "fake_timers.ts",
  "threads.ts",
  "inspect_serve.ts",
];

/** No program takes half of this, however busy the machine is. */
const DEADLINE = 60_000;

/** Runs the cases of all these programs, or of the one that is named. */
export async function programCases(
  runtime: Command,
  programs: string[] = PROGRAMS,
): Promise<TestCase[]> {
  const results: TestCase[] = [];
  for (const file of programs) {
    const entry = new URL(`tests/runtimes/programs/${file}`, ROOT);
    const output = await run([...runtime, (await bundle(entry)).pathname]);
    for (const [name, failure] of Object.entries(cases(file, output))) {
      const result = failure === null ? "passed" : "failed";
      console.log(`${name} ... ${result}`);
      if (failure !== null) console.log(failure);
      results.push({ name, result });
    }
  }
  return results;
}

/** Why each case failed. A program that does not get to print them is one. */
function cases(file: string, output: string): Record<string, string | null> {
  try {
    return JSON.parse(output);
  } catch {
    return { [file]: output };
  }
}

/** Runs a program that knows the port of its peer, and gives what it prints. */
async function run([program, ...args]: Command): Promise<string> {
  const peer = new Peer(resume);
  const child = new Deno.Command(program, {
    args: [...args, `${peer.port}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Only this ends one that is frozen.
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE);
  const input = child.stdin.getWriter();
  async function resume(order: string): Promise<void> {
    if (order === "freeze") child.kill("SIGCONT");
    else await input.write(new Uint8Array(1));
  }
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  peer.close();
  const [output, errors] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  return code === 0 ? output! : `${output}${errors}exit ${signal ?? code}`;
}
