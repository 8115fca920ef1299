import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { time } from "./stopwatch.ts";
import { Server, type Subject, type SubjectModule } from "./subject.ts";
import { check, inTurn, sequence } from "./work.ts";

const MAX = 10;

/** With one signal that lives long, as that of a server's end. */
export const SIGNAL = "acquire with a signal";
/** With a `validate` that answers at once. */
export const VALIDATE = "acquire with a validate";

/** Does a case `n` times and returns how many resources it had in hand. */
type Work = (n: number) => number | Promise<number>;

const WORKS: Record<string, (subject: Subject) => Work> = {
  acquire: (subject) => (n) => sequence(subject, n),
  [SIGNAL]: (subject) => {
    const { signal } = new AbortController();
    return (n) => inTurn(subject, n, () => subject.acquireWith!(signal));
  },
  [VALIDATE]: (subject) => (n) => sequence(subject, n),
  tryAcquire: (subject) => (n) => {
    let served = 0;
    for (let i = 0; i < n; i++) {
      const lease = subject.tryAcquire!();
      served += subject.resource(lease).weight;
      subject.release(lease);
    }
    return served;
  },
  use: (subject) => async (n) => {
    let served = 0;
    for (let i = 0; i < n; i++) served += await subject.use!(weigh);
    return served;
  },
  using: (subject) => async (n) => {
    let served = 0;
    for (let i = 0; i < n; i++) {
      using lease = await subject.acquire() as Disposable;
      served += subject.resource(lease).weight;
    }
    return served;
  },
  "await using": (subject) => async (n) => {
    let served = 0;
    for (let i = 0; i < n; i++) {
      await using lease = await subject.acquire() as AsyncDisposable;
      served += subject.resource(lease).weight;
    }
    return served;
  },
};

function weigh(resource: { weight: number }): number {
  return resource.weight;
}

export const question: Question = {
  name: "acquire",
  title: "One acquire and release after the other, with nobody else waiting",
  jobs: [
    ...jobs(["acquire"], [
      "promise",
      "hand_off",
      "lease_hand_off",
      "ours",
      "generic_pool",
      "lightning_pool",
      "sequelize_pool",
      "pg_pool",
      "effect",
      "async_sema",
    ]),
    ...jobs(["acquire"], ["tarn"], { slow: true }),
    ...jobs([SIGNAL, VALIDATE], ["lease_hand_off", "ours"]),
    ...jobs(["tryAcquire"], [
      "hand_off",
      "lease_hand_off",
      "ours",
      "async_sema",
    ]),
    ...jobs(["use"], ["lease_hand_off", "ours", "generic_pool", "effect"]),
    ...jobs(["using", "await using"], ["lease_hand_off", "ours"]),
  ],
  figures: [{ name: "time", unit: "ns", logarithmic: true }],
  floor: (name) =>
    name === "tryAcquire"
      ? { case: "acquire", subject: "promise" }
      : { case: name, subject: "lease_hand_off" },
  limit: 15_000,
  measure,
};

let validations = 0;

function validate(): boolean {
  validations++;
  return true;
}

async function measure(order: Order, module: SubjectModule) {
  const server = new Server();
  const subject = await module.open({
    max: MAX,
    server,
    ...order.case === VALIDATE && { validate },
  });
  if (order.subject !== "promise") await check(subject, server, 100, MAX);
  const work = WORKS[order.case]!(subject);
  const { cpu, wall } = await time(work, order.effort);
  assert(server.peak <= MAX, `${server.peak} resources where ${MAX} may be`);
  assert(
    (validations > 0) === (order.case === VALIDATE),
    `${validations} validations`,
  );
  return { time: cpu, wall };
}
