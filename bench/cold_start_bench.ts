import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { median } from "./statistic.ts";
import { Server, type SubjectModule } from "./subject.ts";

const MAX = 100;
const DELAY = 5;
const STARTS = 10;

export const question: Question = {
  name: "cold_start",
  title: `${MAX} acquires of a new pool of ${MAX}, a create takes ${DELAY} ms`,
  jobs: jobs(["to the last lease"], [
    "lease_hand_off",
    "ours",
    "generic_pool",
    "tarn",
    "lightning_pool",
    "sequelize_pool",
    "pg_pool",
    "effect",
  ]),
  figures: [{ name: "time", unit: "ms" }],
  floor: (name) => ({ case: name, subject: "lease_hand_off" }),
  limit: 15_000,
  rounds: 3,
  measure,
};

async function measure(_order: Order, module: SubjectModule) {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const server = new Server();
    const start = performance.now();
    const subject = await module.open({ max: MAX, server, createDelay: DELAY });
    const leases = await Promise.all(
      Array.from({ length: MAX }, () => subject.acquire()),
    );
    times.push(performance.now() - start);
    assert(server.created === MAX, `${server.created} creates for ${MAX}`);
    for (const lease of leases) subject.release(lease);
  }
  return { time: median(times) };
}
