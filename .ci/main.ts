/** Runs every task that must pass, to the end, and adds up what they count. */

/** Runs alone: it installs what the others need. */
const FIRST = "check";

/** Run two at a time, the longest first. */
const TASKS = [
  "test:services",
  "test",
  "coverage",
  "test:browser",
  "model",
  "mutants --sample 3",
  "test:package",
  "recipes",
  "test:workerd",
  "fleet",
  "simulate --seed 1 --steps 500000",
  "demo",
];

/** Runs alone: it measures. */
const LAST = "bench:guard";

const LANES = 2;

/** A task that takes longer hangs. */
const DEADLINE = 15 * 60_000;

const TOTALS = /^(\d+) passed, (\d+) failed/;

/** Lines of a task that failed, said again at the end. */
const TAIL = 80;

const failures: string[] = [];
let passed = 0;
let failed = 0;
await judge(FIRST);
await Promise.all(Array.from({ length: LANES }, async () => {
  for (let task; (task = TASKS.shift()) !== undefined;) await judge(task);
}));
await judge(LAST);
console.log(failures.join("\n"));
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failures.length > 0 ? 1 : 0);

/** Runs a task, shows its output when it has ended, and counts what it says. */
async function judge(task: string): Promise<void> {
  const start = performance.now();
  const { success, output } = await run(task);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`\n##### deno task ${task}\n${output}`);
  console.log(`##### ${task}: ${success ? "ok" : "FAILED"} in ${seconds} s`);
  const lines = output.trimEnd().split("\n");
  const totals = lines.at(-1)!.match(TOTALS);
  passed += Number(totals?.[1] ?? (success ? 1 : 0));
  const faults = Number(totals?.[2] ?? 0);
  failed += success ? faults : Math.max(faults, 1);
  if (success && faults === 0) return;
  failures.push(`Failed: ${task}\n${lines.slice(-TAIL).join("\n")}\n`);
}

/** All that a task writes. */
async function run(
  task: string,
): Promise<{ success: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...task.split(" ")],
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { success, output: `${err}${out}` };
}
