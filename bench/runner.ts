/** Runs the processes of a question, one at a time and interleaved. */
import { PostgresServer } from "../examples/postgres_server.ts";
import { PROGRAM, type Runtime } from "./program.ts";
import type { Figures, Job, Order, Question } from "./question.ts";
import type { Effort } from "./stopwatch.ts";

/** What one process has measured, or why it has not. */
export interface Sample extends Job {
  runtime: string;
  round: number;
  figures?: Figures;
  failure?: string;
}

/** How thoroughly to measure. */
export interface Plan {
  runtimes: readonly Runtime[];
  rounds: number;
  effort: Effort;
  quick: boolean;
}

/** Enough to fill the caches of files and of code: its figures are dropped. */
const GLANCE: Effort = { warmUp: 0, batch: 1, batches: 1 };

/** A server for a question that asks for one, there only while it is asked. */
export async function open(
  { database }: Question,
): Promise<PostgresServer | undefined> {
  return database
    ? await PostgresServer.create({ max_connections: 50 })
    : undefined;
}

/**
 * The samples of every job on every runtime, round after round. The first
 * round is short and dropped, and of a quick run it is the first job alone;
 * what fails once is not tried again. Each round
 * starts at another job, so that none always follows the same one.
 */
export async function run(
  question: Question,
  plan: Plan,
): Promise<Sample[]> {
  await using server = await open(question);
  const once = question.fixed === true && plan.quick;
  const rounds = once ? 1 : Math.min(plan.rounds, question.rounds ?? Infinity);
  const jobs = question.jobs.filter(({ slow }) => !(plan.quick && slow));
  const processes = jobs.flatMap((job) =>
    plan.runtimes.map((runtime) => ({ job, runtime }))
  );
  const start = question.fixed ? 1 : 0;
  const total = processes.length * (rounds + 1 - start);
  const failed = new Set<unknown>();
  const samples: Sample[] = [];
  let done = 0;
  for (let round = start; round <= rounds; round++) {
    const first = Math.floor(processes.length * round / (rounds + 1));
    const order = [...processes.slice(first), ...processes.slice(0, first)];
    for (const process of order) {
      progress(question.name, ++done, total);
      if (failed.has(process)) continue;
      if (round === 0 && plan.quick && process.job !== jobs[0]) continue;
      const { job, runtime } = process;
      const effort = round === 0 ? GLANCE : plan.effort;
      const outcome = await measure(question, runtime, {
        ...job,
        question: question.name,
        effort,
        url: server?.url,
      });
      if (outcome.failure !== undefined) failed.add(process);
      if (round > 0 || outcome.failure !== undefined) {
        samples.push({
          case: job.case,
          subject: job.subject,
          runtime: runtime.name,
          round,
          ...outcome,
        });
      }
    }
  }
  return samples;
}

function progress(question: string, done: number, total: number): void {
  if (!Deno.stderr.isTerminal()) return;
  const line = done === total ? "" : `${question} ${done}/${total}`;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
}

/** Starts one process and waits for its end, or ends it at the limit. */
export async function measure(
  question: Question,
  { command: [program, ...args] }: Runtime,
  order: Order,
): Promise<Pick<Sample, "figures" | "failure">> {
  const child = new Deno.Command(program, {
    args: [
      ...args,
      new URL("process.js", PROGRAM).pathname,
      JSON.stringify(order),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, question.limit);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (late) return { failure: `over ${question.limit / 1_000} s` };
  const decoder = new TextDecoder();
  if (success) return { figures: JSON.parse(decoder.decode(stdout)) };
  const message = decoder.decode(stderr)
    .match(/[Ee]rror: (?!Uncaught)(.+)/)?.[1];
  return { failure: message ?? "ended without a figure" };
}
