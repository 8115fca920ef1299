import { assert } from "./assertion.ts";
import { collect } from "./host.ts";
import { turns } from "./pause.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { Server, type SubjectModule } from "./subject.ts";

const IDLE = 100_000;
const TIMEOUT = 200;

export const question: Question = {
  name: "sweep",
  title: `${IDLE} resources have been idle for too long and are destroyed`,
  jobs: [
    ...jobs(["sweep"], ["ours", "generic_pool", "lightning_pool"]),
    ...jobs(["sweep"], ["tarn", "sequelize_pool", "pg_pool", "effect"], {
      slow: true,
    }),
  ],
  figures: [
    { name: "time", unit: "ms", logarithmic: true },
    { name: "pause", unit: "ms", logarithmic: true },
  ],
  floor: (name) => ({ case: name, subject: "ours" }),
  limit: 30_000,
  rounds: 3,
  fixed: true,
  measure,
};

async function measure(_order: Order, module: SubjectModule) {
  const server = new Server();
  const subject = await module.open({
    max: IDLE,
    server,
    idleTimeout: TIMEOUT,
    acquireTimeout: 60_000,
  });
  const leases = await Promise.all(
    Array.from({ length: IDLE }, () => subject.acquire()),
  );
  assert(server.live === IDLE, `${server.live} of ${IDLE} were created`);
  for (const lease of leases) subject.release(lease);
  collect();
  const end = performance.now() + TIMEOUT + 2;
  while (performance.now() < end);
  const span = await turns(() => server.live, 20_000);
  return { ...span };
}
