/**
 * PostgreSQL by `pg`: connections that say that they are gone, transactions that
 * never outlive their use, and queries that end when nobody wants the answer.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { Pool } from "@lease/pool";
import pg from "pg";
import { until } from "./parts/until.ts";

const url = process.env.DATABASE_URL;

const destroyed: string[] = [];
const pool = new Pool({
  create: async ({ signal, lost }) => {
    const client = new pg.Client(url);
    client.on("error", lost).on("end", lost); // else a dead one ends the process
    signal.addEventListener("abort", () => client.end());
    await client.connect();
    return client;
  },
  // A failed use can leave a transaction open: nobody else may get into it.
  reset: (client, { failed }) => failed ? client.query("rollback") : undefined,
  destroy: (client) => client.end(),
  max: 5,
  observer: { destroyed: ({ reason }) => void destroyed.push(reason) },
});

/** Commits if `fn` resolves; if it throws, `reset` rolls back. */
function transaction<R>(fn: (client: pg.Client) => Promise<R>): Promise<R> {
  return pool.use(async (client) => {
    await client.query("begin");
    const result = await fn(client);
    await client.query("commit");
    return result;
  });
}

/** One query. On abort the server ends it, told by a connection of its own. */
function query(
  text: string,
  { values = [], signal }: { values?: unknown[]; signal: AbortSignal },
): Promise<pg.QueryResult> {
  return pool.use(async (client) => {
    const cancel = async () => {
      const other = new pg.Client(url);
      await other.connect();
      await other.query("select pg_cancel_backend($1)", [client.processID]);
      await other.end();
    };
    let cancelling: Promise<void> | undefined;
    const abort = () => cancelling = cancel();
    signal.addEventListener("abort", abort);
    try {
      return await client.query(text, values);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", abort);
      // Or it would hit who gets the connection next.
      await cancelling;
    }
  }, { signal });
}

await pool.warm(); // The check at boot: a wrong password shows here.
await pool.use((client) => client.query("create table jar (coins int)"));

// A transaction that fails leaves no trace, and costs no connection.
const { pid } = await pool.use(async (client) => {
  const { rows } = await client.query("select pg_backend_pid() as pid");
  return rows[0];
});
await assert.rejects(
  transaction(async (client) => {
    await client.query("insert into jar values (1)");
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
await until(() => pool.stats().used === 0); // it is rolled back by then
const { rows } = await pool.use((client) =>
  client.query(
    "select count(*)::int as coins, pg_backend_pid() as pid from jar",
  )
);
assert.deepEqual(rows, [{ coins: 0, pid }]);

await transaction((client) => client.query("insert into jar values (2)"));
const { rowCount } = await pool.use((client) =>
  client.query("select from jar")
);
assert.equal(rowCount, 1);

// Aborted: the query ends at the server too, and its connection stays.
const sleep = query("select pg_sleep(60)", {
  signal: AbortSignal.timeout(200),
});
await assert.rejects(sleep, { name: "TimeoutError" });
await until(() => pool.stats().used === 0);
const { rows: [after] } = await query(
  `select pg_backend_pid() as pid, (select count(*)::int from pg_stat_activity
    where query like '%pg_sleep(60)' and state = 'active') as asleep`,
  { signal: AbortSignal.timeout(5_000) },
);
assert.deepEqual(after, { pid, asleep: 0 });

// Killed while idle: it leaves the pool by itself.
const killer = new pg.Client(url);
await killer.connect();
await killer.query("select pg_terminate_backend($1)", [pid]);
await killer.end();
await until(() => destroyed.join() === "lost");
const { rows: [next] } = await pool.use((client) =>
  client.query("select pg_backend_pid() as pid")
);
assert.notEqual(next.pid, pid);

await pool.use((client) => client.query("drop table jar"));
await pool.close({ signal: AbortSignal.timeout(5_000) });
console.log("a transaction rolled back, a query cancelled, a death survived");
