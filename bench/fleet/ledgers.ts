/** Ledgers on real engines, and one in memory. */
import { Redis } from "ioredis";
import pg from "pg";
import {
  denoKvLedger,
  type Ledger,
  postgresLedger,
  redisLedger,
} from "../../src/fleet/mod.ts";

export type Engine = "memory" | "kv" | "redis" | "postgres";

export async function openLedger(engine: Engine, url: string): Promise<Ledger> {
  if (engine === "memory") return memoryLedger();
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

/** While another process makes the file, it is locked. */
async function openKv(url: string): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(url);
  } catch (error) {
    if (!/database is locked/.test(`${error}`)) throw error;
    return await openKv(url);
  }
}

function memoryLedger(): Ledger {
  let value = "", version = 0;
  return {
    read: () => Promise.resolve({ value, version: `${version}` }),
    swap: (from, to) => {
      if (from !== `${version}`) return Promise.resolve(undefined);
      value = to;
      return Promise.resolve(`${++version}`);
    },
    watch: () => () => Promise.resolve(),
  };
}
