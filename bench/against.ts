import { question as acquire, SIGNAL, VALIDATE } from "./acquire_bench.ts";
import { question as cancel } from "./cancel_bench.ts";
import { question as contended } from "./contended_bench.ts";
import { question as memory } from "./memory_bench.ts";
import { digits } from "./label.ts";
import { bundleOurs, ROOT } from "./program.ts";
import { jobs, type Question } from "./question.ts";
import { Results } from "./results.ts";
import { type Plan, run } from "./runner.ts";
import { align, table } from "./table.ts";

const BEFORE = "before";
const NOW = "now";

const COMPARED: readonly (readonly [Question, readonly string[]])[] = [
  [acquire, ["acquire", "tryAcquire", SIGNAL, VALIDATE]],
  [contended, ["1 000 over 10"]],
  [memory, ["bare", "with a timeout", "with its own signal"]],
  [cancel, ["100 000 by abort", "100 000 by timeout"]],
];

/**
 * Measures `@lease/pool` as it is here and as it is in another checkout, both
 * in each round, and prints the ratios of now to before.
 */
export async function compare(
  checkout: URL,
  plan: Plan,
  names: readonly string[],
): Promise<void> {
  await bundleOurs(checkout, BEFORE);
  await bundleOurs(ROOT, NOW);
  const hosts = plan.runtimes.map(({ name }) => name);
  const rows = [["now to before, best rounds, less is better", "", ...hosts]];
  for (const [question, cases] of COMPARED) {
    if (!names.includes(question.name)) continue;
    const pair: Question = {
      ...question,
      jobs: jobs(cases, [BEFORE, NOW]),
      floor: (name) => ({ case: name, subject: BEFORE }),
    };
    const results = new Results(await run(pair, plan));
    console.log(`\n${table(pair, results, hosts)}`);
    rows.push(...ratios(pair, results, hosts));
  }
  console.log(`\n${align(rows)}\n`);
}

/** A row for each figure of each case. */
function ratios(
  { name, jobs, floor, figures }: Question,
  results: Results,
  hosts: readonly string[],
): string[][] {
  return jobs.filter(({ subject }) => subject === NOW).flatMap((job) =>
    figures.map((figure) => [
      `${name}, ${job.case}`,
      figure.name,
      ...hosts.map((host) => {
        const ratio = results.best(job, floor(job.case), host, figure);
        return ratio === undefined ? "–" : `${digits(ratio)}×`;
      }),
    ])
  );
}
