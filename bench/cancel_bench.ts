import { delay } from "@std/async/delay";
import { assert } from "./assertion.ts";
import { collect } from "./host.ts";
import { turns } from "./pause.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { Server, type Subject, type SubjectModule } from "./subject.ts";

const FEW = "100 000";
const MANY = "1 000 000";
const ABORT = "by abort";
const TIMEOUT = "by timeout";

/** Aborts in one turn of the event loop, as many requests may end in one. */
const BURST = 1_000;
/** Milliseconds until those who time out do, and until the others would. */
const SOON = 20;
const LATE = 600_000;

/** Milliseconds for either half to settle. */
const PROMPT = 60_000;

/** How many give up in a row, after which the next must still be served. */
const ROW = 10_000;

export const question: Question = {
  name: "cancel",
  title: "Every second of many who wait gives up, the others are then served",
  jobs: [
    ...jobs([`${FEW} ${ABORT}`], ["lease_hand_off", "ours", "effect"]),
    ...jobs([`${FEW} ${ABORT}`], ["tarn"], { slow: true }),
    ...jobs([`${MANY} ${ABORT}`], ["ours"]),
    ...jobs([`${MANY} ${ABORT}`], ["lease_hand_off", "effect"], { slow: true }),
    ...jobs([`${FEW} ${TIMEOUT}`], [
      "lease_hand_off",
      "ours",
      "generic_pool",
      "lightning_pool",
    ]),
    ...jobs([`${FEW} ${TIMEOUT}`], [
      "tarn",
      "sequelize_pool",
      "pg_pool",
      "effect",
    ], { slow: true }),
    ...jobs([`${MANY} ${TIMEOUT}`], ["ours"]),
    ...jobs([`${MANY} ${TIMEOUT}`], ["lease_hand_off", "generic_pool"], {
      slow: true,
    }),
  ],
  figures: [
    { name: "time", unit: "ms", logarithmic: true },
    { name: "pause", unit: "ms", logarithmic: true },
  ],
  floor: (name) => ({ case: name, subject: "lease_hand_off" }),
  limit: 40_000,
  rounds: 3,
  fixed: true,
  measure,
};

/** How many have been served and how many have given up. */
interface Tally {
  served: number;
  cancelled: number;
}

async function measure(order: Order, module: SubjectModule) {
  const waiters = order.case.startsWith(MANY) ? 1_000_000 : 100_000;
  const half = waiters / 2;
  const subject = await module.open({ max: 1, server: new Server() });
  const lease = await subject.acquire();
  const tally = { served: 0, cancelled: 0 };
  const begin = order.case.endsWith(ABORT) ? beginAborts : beginTimeouts;
  const step = begin(subject, waiters, tally);
  const span = await turns(() => half - tally.cancelled, PROMPT, step);
  assert(tally.served === 0, "some were served while the resource was held");
  subject.release(lease);
  await turns(() => half - tally.served, PROMPT);
  const { served, cancelled } = tally;
  assert(
    served === half && cancelled === half,
    `${served} served, ${cancelled} cancelled of ${waiters}`,
  );
  await giveUpInARow(subject);
  return { ...span };
}

/** Some pools walk over those who have gone by recursion, and are lost then. */
async function giveUpInARow(subject: Subject): Promise<void> {
  if (subject.acquireWithin === undefined) return;
  const lease = await subject.acquire();
  let gone = 0;
  for (let i = 0; i < ROW; i++) {
    subject.acquireWithin(SOON).catch(() => gone++);
  }
  await turns(() => ROW - gone, PROMPT);
  const served = subject.acquireWithin(LATE).then((next) => {
    subject.release(next);
    return true;
  });
  subject.release(lease);
  const late = delay(2_000).then(() => false);
  const message = `serves nobody after ${ROW} gave up in a row`;
  assert(await Promise.race([served, late]), message);
}

function follow(
  subject: Subject,
  promise: Promise<unknown>,
  tally: Tally,
): void {
  promise.then((lease) => {
    tally.served++;
    subject.release(lease);
  }, () => tally.cancelled++);
}

function beginAborts(
  subject: Subject,
  waiters: number,
  tally: Tally,
): () => void {
  const cancels: (() => void)[] = [];
  for (let i = 0; i < waiters; i++) {
    const { promise, cancel } = subject.begin!();
    follow(subject, promise, tally);
    if (i % 2 === 0) cancels.push(cancel);
  }
  collect();
  let next = 0;
  return () => {
    const end = Math.min(next + BURST, cancels.length);
    while (next < end) cancels[next++]!();
  };
}

/** All deadlines have passed before the event loop gets its first turn. */
function beginTimeouts(
  subject: Subject,
  waiters: number,
  tally: Tally,
): () => void {
  for (let i = 0; i < waiters; i++) {
    const promise = subject.acquireWithin!(i % 2 === 0 ? SOON : LATE);
    follow(subject, promise, tally);
  }
  collect();
  const end = performance.now() + SOON + 2;
  while (performance.now() < end);
  return () => {};
}
