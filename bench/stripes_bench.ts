import { jobs, type Order, type Question } from "./question.ts";
import { time } from "./stopwatch.ts";
import { Server, type Subject, type SubjectModule } from "./subject.ts";
import { inTurn, sequence } from "./work.ts";

const MAX = 1_000;
const STRIPES = [1, 4, 31, 1_000];
const KEYS = Array.from({ length: 64 }, (_, i) => `user-${i}`);

const NEAR = " with affinity";

const cases = STRIPES.map((stripes) => `${stripes}`);

export const question: Question = {
  name: "stripes",
  title: `One acquire and release after the other, a pool of ${MAX} in stripes`,
  jobs: jobs([...cases, ...cases.map((name) => name + NEAR)], ["ours"]),
  figures: [{ name: "time", unit: "ns" }],
  floor: (name) => ({ case: name.replace(/^\d+/, "1"), subject: "ours" }),
  limit: 15_000,
  measure,
};

async function measure(order: Order, module: SubjectModule) {
  const server = new Server();
  const stripes = parseInt(order.case);
  const subject = await module.open({ max: MAX, server, stripes });
  const leases = await Promise.all(
    Array.from({ length: MAX }, () => subject.acquire()),
  );
  for (const lease of leases) subject.release(lease);
  const work = order.case.endsWith(NEAR)
    ? (n: number) => nearby(subject, n)
    : (n: number) => sequence(subject, n);
  const { cpu, wall } = await time(work, order.effort);
  return { time: cpu, wall };
}

function nearby(subject: Subject, n: number): Promise<number> {
  let i = 0;
  const next = () => subject.acquireNear!(KEYS[i++ % KEYS.length]!);
  return inTurn(subject, n, next);
}
