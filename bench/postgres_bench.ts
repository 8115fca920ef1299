import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { percentile } from "./statistic.ts";
import type { Database, DatabaseModule } from "./subject.ts";

const CLIENTS = 500;
const MAX = 10;

const QUERY = "select 1 as n";
const BACKENDS =
  "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend'";

export const question: Question = {
  name: "postgres",
  title: `${CLIENTS} clients over ${MAX} connections to a real PostgreSQL`,
  jobs: jobs(["one query each time"], [
    "postgres_ours",
    "postgres_pg_ours",
    "postgres_pg_pool",
    "postgres_js",
  ]),
  figures: [
    { name: "rate", unit: "queries/ms", more: true },
    { name: "wait p99", unit: "ms" },
  ],
  floor: (name) => ({ case: name, subject: "postgres_pg_pool" }),
  limit: 60_000,
  database: true,
  measure,
};

async function measure(order: Order, module: DatabaseModule) {
  const database = module.open(order.url!, MAX);
  await load(database, 2);
  const turns = order.effort.batches * 6;
  const start = performance.now();
  const waits = await load(database, turns);
  const duration = performance.now() - start;
  const lease = await database.acquire();
  const backends = await database.query(lease, BACKENDS);
  assert(backends <= MAX, `${backends} connections where ${MAX} may be`);
  return {
    rate: waits.length / duration,
    "wait p99": percentile(waits, 0.99),
  };
}

/** All clients at once, each with some queries; returns how long they waited. */
async function load(database: Database, turns: number): Promise<number[]> {
  const waits: number[] = [];
  let sum = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (let i = 0; i < turns; i++) {
      const start = performance.now();
      const lease = await database.acquire();
      waits.push(performance.now() - start);
      const one = await database.query(lease, QUERY);
      database.release(lease);
      sum += one;
    }
  }));
  assert(sum === CLIENTS * turns, `${sum} of ${CLIENTS * turns} queries`);
  return waits;
}
