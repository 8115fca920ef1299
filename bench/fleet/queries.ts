/** A process whose clients ask one PostgreSQL short queries, by way of a pool. */
import pg from "pg";
import { Pool } from "../../mod.ts";
import { FleetBudget } from "../../src/fleet/mod.ts";
import { ready } from "./child.ts";
import { openLedger } from "./ledgers.ts";

export interface QueriesTask {
  /** Where the queries go, and the ledger; without one the pool is its own. */
  url: string;
  ledger: string | undefined;
  max: number;
  clients: number;
  duration: number;
}

export interface QueriesFound {
  /** Milliseconds that each has taken, with the wait for a connection. */
  times: number[];
  failed: number;
}

async function run(task: QueriesTask): Promise<QueriesFound> {
  const { url, max, clients, duration } = task;
  const budget = task.ledger === undefined ? undefined : new FleetBudget({
    ledger: await openLedger("postgres", task.ledger),
    max,
  });
  const pool = new Pool({
    create: async ({ lost }) => {
      const client = new pg.Client({
        connectionString: url,
        application_name: "fleet",
      });
      client.on("error", lost).on("end", lost);
      await client.connect();
      return client;
    },
    destroy: (client) => client.end(),
    ...{ max, budget, acquireTimeout: Infinity },
  });
  const work = async (signal: AbortSignal) => {
    const found: QueriesFound = { times: [], failed: 0 };
    await Promise.all(Array.from({ length: clients }, async () => {
      while (!signal.aborted) {
        const start = performance.now();
        try {
          await pool.use((client) => client.query("select 1"));
          found.times.push(performance.now() - start);
        } catch {
          found.failed++;
        }
      }
    }));
    return found;
  };
  await ready();
  // Connections are made and shares found before anything is measured.
  await work(AbortSignal.timeout(1_500));
  const { times, failed } = await work(AbortSignal.timeout(duration));
  return { failed, times: times.map((time) => Math.round(time * 1e3) / 1e3) };
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(JSON.parse(Deno.args[0]!))));
}
