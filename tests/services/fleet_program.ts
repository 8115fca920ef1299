/**
 * Two members of a fleet in one process, for fleet_client_test.ts, on any runtime:
 * they serve, then say so; after the engine has been started again, which they are
 * told by a line, they hear of writes once more.
 */
import process from "node:process";
import { Redis } from "ioredis";
import pg from "pg";
import { Pool } from "../../mod.ts";
import {
  FleetBudget,
  type Ledger,
  postgresLedger,
  type RedisClient,
  redisLedger,
} from "../../src/fleet/mod.ts";

const MAX = 3;

/** What of Bun is used. */
interface BunHost {
  RedisClient: new (url: string) => RedisClient & { close(): void };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** By client, a ledger and how it ends. */
const OPEN: Record<
  string,
  (url: string, name: string) => [Ledger, () => void]
> = {
  pg: (connectionString, name) => {
    const connect = async () => {
      const client = new pg.Client({ connectionString, query_timeout: 1_000 });
      await client.connect();
      return client;
    };
    return [postgresLedger(connect, { name }), () => {}];
  },
  ioredis: (url, key) => {
    const settings = { maxRetriesPerRequest: 0, keyPrefix: "shop:" };
    const redis = new Redis(url, settings);
    redis.on("error", () => {});
    return [redisLedger(redis, { key }), () => redis.disconnect()];
  },
  bun: (url, key) => {
    const { Bun } = globalThis as unknown as { Bun: BunHost };
    const redis = new Bun.RedisClient(url);
    return [redisLedger(redis, { key }), () => redis.close()];
  },
};

const [client, url] = process.argv.slice(2);
const name = `${client}_${process.pid}`;
let open = 0, peak = 0;

/** A member, and how often its pool has served. */
async function member(): Promise<number> {
  const [ledger, end] = OPEN[client!]!(url!, name);
  await using budget = new FleetBudget({ ledger, max: MAX, ttl: 3_000 });
  await using pool = new Pool({
    create: () => {
      peak = Math.max(peak, ++open);
      return {};
    },
    destroy: () => void open--,
    ...{ max: MAX, budget },
  });
  let served = 0;
  const clients = Array.from({ length: 2 * MAX }, async () => {
    for (let i = 0; i < 10; i++) await pool.use(() => pause(5));
    served += 10;
  });
  await Promise.all(clients);
  await pool.close();
  await budget.close();
  end();
  return served;
}

const [ledger, end] = OPEN[client!]!(url!, name);
const heard = new Set<string>();
const unwatch = ledger.watch((version) => void heard.add(version));
/** A write that is heard of, by whoever wrote it. */
async function hears(): Promise<void> {
  for (;;) {
    try {
      const { value, version } = await ledger.read();
      const next = await ledger.swap(version, value);
      await pause(50);
      if (next !== undefined && heard.has(next)) return;
    } catch {
      // It is not there again yet.
      await pause(50);
    }
  }
}

await hears();
const served = await Promise.all([member(), member()]);
console.log(JSON.stringify({ served, peak, open }));
await new Promise((resolve) => process.stdin.once("data", resolve));
await hears();
console.log("heard");
await unwatch();
end();
process.stdin.destroy();
