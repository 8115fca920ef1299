/** Runs every task that must pass, to the end, and adds up what they count. */
const TASKS = [
  "check",
  "test",
  "coverage",
  "demo",
  "fleet",
  "recipes",
  "test:services",
  "test:browser",
  "test:workerd",
  "test:package",
  "model",
  "simulate --seed 1 --steps 500000",
  "mutants --sample 3",
  "bench:guard",
];

/** A task that takes longer hangs. */
const DEADLINE = 15 * 60_000;

const TOTALS = /^(\d+) passed, (\d+) failed/;

const failures: string[] = [];
let passed = 0;
let failed = 0;
for (const task of TASKS) {
  console.log(`\n##### deno task ${task}`);
  const start = performance.now();
  const { success, lastLine } = await run(task);
  const totals = lastLine.match(TOTALS);
  passed += Number(totals?.[1] ?? (success ? 1 : 0));
  const faults = Number(totals?.[2] ?? 0);
  failed += success ? faults : Math.max(faults, 1);
  if (!success || faults > 0) failures.push(task);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`##### ${task}: ${success ? "ok" : "FAILED"} in ${seconds} s`);
}
console.log(failures.length > 0 ? `\nFailed: ${failures.join(", ")}` : "");
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failures.length > 0 ? 1 : 0);

/** Runs a task and shows its output; totals are in its last line. */
async function run(
  task: string,
): Promise<{ success: boolean; lastLine: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", ...task.split(" ")],
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(DEADLINE),
  }).spawn();
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-1_000);
  }
  const lastLine = tail.trimEnd().split("\n").at(-1) ?? "";
  return { success: (await child.status).success, lastLine };
}
