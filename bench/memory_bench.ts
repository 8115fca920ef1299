import { delay } from "@std/async/delay";
import { assert } from "./assertion.ts";
import { heapUsed } from "./host.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { Server, type Subject, type SubjectModule } from "./subject.ts";

const WAITERS = 100_000;
const LIMITED = "with a timeout";
const OWN = "with its own signal";
const SHARED = "with one shared signal";

const POOLS = [
  "ours",
  "generic_pool",
  "lightning_pool",
  "pg_pool",
];
const SLOW = ["tarn", "sequelize_pool", "effect"];

export const question: Question = {
  name: "memory",
  title: "Heap per acquire that waits, its promise included",
  jobs: [
    ...jobs(["bare"], ["hand_off", "lease_hand_off", ...POOLS, "async_sema"]),
    ...jobs([LIMITED, OWN], POOLS),
    ...jobs([SHARED], ["ours"]),
    ...jobs(["bare"], ["effect"], { slow: true }),
    ...jobs([LIMITED, OWN], SLOW, { slow: true }),
    ...jobs([SHARED], ["generic_pool", "pg_pool", "effect"], {
      slow: true,
    }),
  ],
  figures: [{ name: "heap", unit: "B" }],
  floor: () => ({ case: "bare", subject: "lease_hand_off" }),
  limit: 15_000,
  rounds: 2,
  fixed: true,
  measure,
};

async function measure(order: Order, module: SubjectModule) {
  const subject = await module.open({
    max: 1,
    server: new Server(),
    acquireTimeout: order.case === LIMITED ? 30_000 : Infinity,
  });
  const lease = await subject.acquire();
  const acquire = acquirer(order.case, subject);
  const shared = new AbortController().signal;
  const signals = Array.from(
    { length: WAITERS },
    () => order.case === OWN ? new AbortController().signal : shared,
  );
  const promises = new Array<Promise<unknown> | undefined>(WAITERS)
    .fill(undefined);
  const before = heapUsed();
  for (let i = 0; i < WAITERS; i++) promises[i] = acquire(signals[i]!);
  // Those that start in a microtask have then begun to wait.
  await delay(0);
  const heap = (heapUsed() - before) / WAITERS;
  subject.release(lease);
  const next = await promises[0];
  assert(subject.resource(next).weight === 1, "the first was not served");
  return { heap };
}

/** How a case acquires. */
function acquirer(
  name: string,
  subject: Subject,
): (signal: AbortSignal) => Promise<unknown> {
  if (name !== OWN && name !== SHARED) return () => subject.acquire();
  const { acquireWith } = subject;
  if (acquireWith !== undefined) return acquireWith;
  return (signal) => abortable(subject, signal);
}

/**
 * What users of a pool without signals have to write: a resource that comes
 * after the abort must go back.
 */
function abortable(subject: Subject, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    subject.acquire().then((lease) => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) subject.release(lease);
      else resolve(lease);
    }, reject);
  });
}
