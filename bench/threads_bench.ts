import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { LocalBudget } from "../src/budget/mod.ts";
import { SharedBudget } from "../src/threads/mod.ts";
import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { time } from "./stopwatch.ts";
import { turnOver } from "./turn_over.ts";

const LOCAL = "LocalBudget";

/** By case, how many threads there are besides the first. */
const CASES: Record<string, number> = {
  [LOCAL]: 0,
  "alone": 0,
  "2 threads": 2,
  "4 threads": 4,
  "8 threads": 8,
};

export const question: Question = {
  name: "threads",
  title: "A permit taken from a budget and returned, by threads all at once, " +
    "each of which can have one",
  jobs: jobs(Object.keys(CASES), ["ours"]),
  figures: [{ name: "time", unit: "ns" }],
  floor: () => ({ case: LOCAL, subject: "ours" }),
  limit: 30_000,
  measure,
};

/** Lets a thread turn over so many permits. */
type Colleague = (permits: number) => Promise<number>;

async function hire(budget: SharedBudget): Promise<Colleague> {
  const invitation = budget.invite();
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { [question.name]: invitation },
    transferList: [invitation.port as never],
  });
  const ask: Colleague = (permits) =>
    new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
      worker.postMessage(permits);
    });
  assert(await ask(1) === 1, "A thread gets no permit");
  return ask;
}

async function measure(order: Order) {
  const threads = CASES[order.case]!;
  if (threads === 0) {
    const budget = order.case === LOCAL
      ? new LocalBudget(1)
      : new SharedBudget({ max: 1 });
    const { cpu, wall } = await time(await turnOver(budget), order.effort);
    return { time: cpu, wall };
  }
  const budget = new SharedBudget({ max: threads });
  const colleagues: Colleague[] = [];
  for (let n = 0; n < threads; n++) colleagues.push(await hire(budget));
  const work = async (permits: number) => {
    const each = permits / threads;
    const done = await Promise.all(colleagues.map((ask) => ask(each)));
    return done.reduce((sum, n) => sum + n);
  };
  const { cpu, wall } = await time(work, order.effort, threads);
  return { time: cpu, wall };
}

const invitation = isMainThread ? undefined : workerData?.[question.name];
if (invitation !== undefined) {
  const turn = await turnOver(new SharedBudget(invitation));
  parentPort!.on(
    "message",
    (permits) => parentPort!.postMessage(turn(permits)),
  );
}
