/**
 * Redis by `ioredis`. Most commands need no pool: one client pipelines them. What
 * makes a connection one's own for a while does: WATCH, and commands that block.
 */

import assert from "node:assert/strict";
import { Pool } from "@lease/pool";
import { Redis } from "ioredis";
import { RedisServer } from "../redis_server.ts";
import { until } from "./parts/until.ts";

await using server = await RedisServer.create();

const pool = new Pool({
  create: async ({ signal, lost }) => {
    const client = new Redis(server.url, {
      lazyConnect: true,
      retryStrategy: () => null, // a dead one leaves; the pool makes the next
    });
    client.on("error", lost).on("end", lost); // else they only reach the console
    signal.addEventListener("abort", () => client.disconnect());
    await client.connect();
    return client;
  },
  // Ends what a use that threw has begun: WATCH, MULTI, subscriptions.
  reset: (client, { failed }) => failed ? client.reset() : undefined,
  destroy: (client) => client.quit().catch(() => client.disconnect()),
  max: 5,
});

/** Adds one, unless another was faster: then once more. */
async function increment(): Promise<void> {
  const isDone = await pool.use(async (client) => {
    await client.watch("coins");
    const coins = Number(await client.get("coins"));
    return await client.multi().set("coins", coins + 1).exec() !== null;
  });
  if (!isDone) await increment();
}

await Promise.all(Array.from({ length: 30 }, increment));
assert.equal(await pool.use((client) => client.get("coins")), "30");
assert.ok(pool.stats().idle <= 5);

// One that waits for a task has a connection of its own, so nobody else waits.
const task = pool.use((client) => client.blpop("tasks", 5));
await pool.use((client) => client.rpush("tasks", "sweep"));
assert.deepEqual(await task, ["tasks", "sweep"]);

// Killed while idle: it leaves the pool by itself.
const id = await pool.use((client) => client.client("ID"));
const { idle } = pool.stats();
const killer = new Redis(server.url);
await killer.client("KILL", "ID", id);
await until(() => pool.stats().idle < idle);
assert.notEqual(await pool.use((client) => client.client("ID")), id);
await killer.quit();

await pool.close({ signal: AbortSignal.timeout(5_000) });
console.log("30 optimistic increments, a task awaited, a death survived");
