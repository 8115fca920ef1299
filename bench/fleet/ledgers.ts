/** Ledgers on real engines, and one in memory. */
import { Redis } from "ioredis";
import pg from "pg";
import {
  denoKvLedger,
  type Ledger,
  postgresLedger,
  redisLedger,
} from "../../src/fleet/mod.ts";
import { MemoryEngine, MemoryLedger } from "../../tests/memory_ledger.ts";
import { openKv } from "../../tests/services/deno_kv.ts";

export type Engine = "memory" | "kv" | "redis" | "postgres";

export async function openLedger(engine: Engine, url: string): Promise<Ledger> {
  if (engine === "memory") return new MemoryLedger(new MemoryEngine());
  if (engine === "kv") return denoKvLedger(await openKv(url), { interval: 50 });
  if (engine === "redis") {
    return redisLedger(new Redis(url, { maxRetriesPerRequest: 1 }));
  }
  return postgresLedger(async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  });
}
