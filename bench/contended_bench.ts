import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { time } from "./stopwatch.ts";
import { Server, type SubjectModule } from "./subject.ts";
import { check, crowd } from "./work.ts";

const CASES: Record<string, { tasks: number; max: number }> = {
  "1 000 over 10": { tasks: 1_000, max: 10 },
  "10 000 over 100": { tasks: 10_000, max: 100 },
};

const FLOORS = ["hand_off", "lease_hand_off", "ours"];
const QUICK = [
  "generic_pool",
  "lightning_pool",
  "sequelize_pool",
  "pg_pool",
  "async_sema",
];
const SLOW = ["tarn", "effect"];

export const question: Question = {
  name: "contended",
  title: "Many tasks at once, each of which acquires and releases",
  jobs: [
    ...jobs(["1 000 over 10"], [...FLOORS, ...QUICK]),
    ...jobs(["1 000 over 10"], SLOW, { slow: true }),
    ...jobs(["10 000 over 100"], FLOORS),
    ...jobs(["10 000 over 100"], [...QUICK, ...SLOW], { slow: true }),
  ],
  figures: [{ name: "rate", unit: "tasks/ms", more: true }],
  floor: (name) => ({ case: name, subject: "lease_hand_off" }),
  limit: 15_000,
  measure,
};

async function measure(order: Order, module: SubjectModule) {
  const { tasks, max } = CASES[order.case]!;
  const server = new Server();
  const subject = await module.open({ max, server });
  await check(subject, server, tasks / 10, max);
  const work = async (n: number) => {
    let served = 0;
    for (let i = 0; i < n; i += tasks) served += await crowd(subject, tasks);
    return served;
  };
  const { cpu, wall } = await time(work, order.effort, tasks);
  assert(server.peak <= max, `${server.peak} resources where ${max} may be`);
  return { rate: 1e6 / cpu, wall: 1e6 / wall };
}
