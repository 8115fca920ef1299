/**
 * MySQL and MariaDB by `mysql2`: its own pool's calls, answered by ours. No open
 * transaction reaches the next holder, what dies leaves, and waits have an end.
 */

import assert from "node:assert/strict";
import { createPool } from "@lease/pool/mysql2";
import mysql, { type ResultSetHeader, type RowDataPacket } from "mysql2";
import { MariaDbServer } from "../mariadb_server.ts";
import { until } from "./parts/until.ts";

await using server = await MariaDbServer.create();

const pool = createPool({ uri: server.url, connectionLimit: 3 }, mysql, {
  acquireTimeout: 5_000,
});
const promises = pool.promise(); // as of mysql2/promise

await pool.leases.warm(); // The check at boot: a wrong password shows here.
await promises.query("create table jar (coins int)");
const [{ affectedRows }] = await promises.execute<ResultSetHeader>(
  "insert into jar values (?), (?)",
  [1, 2],
);
assert.equal(affectedRows, 2);

// A transaction that fails leaves no trace: to give it back is enough.
const before = await thread();
{
  await using connection = await promises.getConnection();
  await connection.beginTransaction();
  await connection.query("delete from jar");
}
await until(() => pool.leases.stats().used === 0); // it is rolled back by then
const [[jar]] = await promises.query<RowDataPacket[]>(
  "select cast(sum(coins) as int) as coins, connection_id() as thread from jar",
);
assert.deepEqual({ ...jar }, { coins: 3, thread: before });

// Rows as a stream.
const coins: number[] = [];
for await (const row of pool.query("select coins from jar").stream()) {
  coins.push(row.coins);
}
assert.deepEqual(coins, [1, 2]);

// Waits have an end, which those of mysql2 have not.
const held = await Promise.all([1, 2, 3].map(() => pool.acquire()));
const wait = pool.acquire({ signal: AbortSignal.timeout(100) });
await assert.rejects(wait, { name: "TimeoutError" });
for (const connection of held) connection.release();

// Killed while idle: it leaves the pool by itself.
const dead = await thread();
await using other = mysql.createConnection(server.url).promise();
await other.query("kill ?", [dead]);
await until(() => pool.leases.stats().idle < 3);
assert.notEqual(await thread(), dead);

await promises.end();
console.log("a transaction rolled back, a wait ended, a death survived");

/** The number of the connection that comes first. */
async function thread(): Promise<number> {
  const [[row]] = await promises.query<RowDataPacket[]>(
    "select connection_id() as id",
  );
  return row!.id;
}
