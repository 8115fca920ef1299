import { assert } from "./assertion.ts";
import type { Order, Question } from "./question.ts";
import { time } from "./stopwatch.ts";
import { Server, type SubjectModule, type SubjectOptions } from "./subject.ts";
import { sequence } from "./work.ts";

const MAX = 10;

type Observer = NonNullable<SubjectOptions["observer"]>;

export const question: Question = {
  name: "observer",
  title: "One acquire and release after the other, with somebody watching",
  jobs: [
    { case: "cut out of the source", subject: "unobserved" },
    { case: "absent", subject: "ours" },
    { case: "empty", subject: "ours" },
    { case: "full", subject: "ours" },
  ],
  figures: [{ name: "time", unit: "ns" }],
  floor: () => ({ case: "cut out of the source", subject: "unobserved" }),
  limit: 15_000,
  measure,
};

async function measure(order: Order, module: SubjectModule) {
  const server = new Server();
  const observer = observers[order.case];
  const subject = await module.open({
    max: MAX,
    server,
    ...observer !== undefined && { observer },
  });
  const work = (n: number) => sequence(subject, n);
  const { cpu, wall } = await time(work, order.effort);
  assert((events > 0) === (order.case === "full"), `${events} events`);
  return { time: cpu, wall };
}

let events = 0;

function count(): void {
  events++;
}

const observers: Record<string, Observer> = {
  empty: {},
  full: {
    created: count,
    createFailed: count,
    destroyed: count,
    acquired: count,
    acquireFailed: count,
    released: count,
  },
};
