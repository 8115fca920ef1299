/**
 * A process of a fleet, for fleet_test.ts: clients that use connections of one
 * PostgreSQL without a pause, and say each 100 ms how many have been served.
 */
import { Pool } from "@lease/pool";
import { delay } from "@std/async/delay";
import { Redis } from "ioredis";
import { Client } from "pg";
import { PostgresConnection } from "../../examples/postgres_connection.ts";
import {
  denoKvLedger,
  FleetBudget,
  type Ledger,
  postgresLedger,
  redisLedger,
} from "../../src/fleet/mod.ts";
import { openKv } from "./deno_kv.ts";

/** What it is told in its only argument. */
export interface MemberTask {
  engine: "postgres" | "redis" | "kv";
  /** Where the engine is, and the server whose connections are counted. */
  ledger: string;
  server: string;
  max: number;
  ttl: number;
  floor: number;
  clients: number;
  /** How fast its clock runs. */
  pace: number;
}

const task: MemberTask = JSON.parse(Deno.args[0]!);
const { max, ttl, floor, pace } = task;

async function open(ends: AsyncDisposableStack): Promise<Ledger> {
  if (task.engine === "postgres") {
    return postgresLedger(async () => {
      const connectionString = task.ledger;
      const client = new Client({ connectionString, query_timeout: ttl / 3 });
      await client.connect();
      return client;
    });
  }
  if (task.engine === "redis") {
    const redis = new Redis(task.ledger, {
      maxRetriesPerRequest: 0,
      retryStrategy: () => 100,
    });
    redis.on("error", () => {});
    ends.defer(() => redis.disconnect());
    return redisLedger(redis);
  }
  const kv = await openKv(task.ledger);
  ends.defer(() => kv.close());
  return denoKvLedger(kv, { interval: 50 });
}

async function run(signal: AbortSignal): Promise<void> {
  await using ends = new AsyncDisposableStack();
  const budget = ends.use(
    new FleetBudget({
      ...{ ledger: await open(ends), max, ttl },
      ...(floor > 0 ? { floor: { permits: floor, ttl: 10 * ttl } } : {}),
      observer: {
        leased: ({ fence }) => console.log(`leased ${fence}`),
        cutOff: () => console.log("cutOff"),
        ledgerFailed: ({ error }) => console.error(`${error}`),
      },
      clock: {
        now: () => performance.now() * pace,
        setTimeout: (callback, delay) =>
          setTimeout(callback, Math.min(delay / pace, 2 ** 31 - 1)),
        clearTimeout: (handle) => clearTimeout(handle as number),
      },
    }),
  );
  const pool = ends.use(
    new Pool<PostgresConnection>({
      create: (context) =>
        PostgresConnection.open(task.server, { name: "member", ...context }),
      destroy: (connection) => connection.close(),
      ...{ max, budget, growth: "eager", idleTimeout: ttl / 4 },
    }),
  );
  let served = 0;
  const client = async () => {
    while (!signal.aborted) {
      const use = pool.use((it) => it.query("select pg_sleep(0.1)"));
      // Its server may have ended the session: then it asks again.
      await use.then(() => served++, () => delay(10));
    }
  };
  const report = setInterval(() => console.log(`served ${served}`), 100);
  await Promise.all(Array.from({ length: task.clients }, client));
  clearInterval(report);
}

const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
if (import.meta.main) await run(stop.signal);
Deno.exit();
