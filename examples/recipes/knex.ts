/**
 * Knex on a pool of ours, by its `connectionPool`. It leaves such a pool alone:
 * who made it ends it.
 */

import assert from "node:assert/strict";
import { createPool } from "@lease/pool/mysql2";
import knex, { type Knex } from "knex";
import mysql from "mysql2";
import { MariaDbServer } from "../mariadb_server.ts";
import { until } from "./parts/until.ts";

await using server = await MariaDbServer.create();

const pool = createPool({ uri: server.url, connectionLimit: 3 }, mysql);
const db = knex.default({
  client: "mysql2",
  // Its types take no pool of mysql2's, though it does.
  connectionPool: pool as unknown as Knex.ConnectionPool,
});

await db.schema.createTable("users", (table) => {
  table.increments("id");
  table.string("name", 20).unique();
});

// Twenty at once share three connections.
const names = Array.from({ length: 20 }, (_, i) => `user ${i}`);
await Promise.all(names.map((name) => db("users").insert({ name })));
assert.ok(pool.leases.stats().idle <= 3);

// A unique violation costs none of them; a transaction that fails, no row.
await assert.rejects(db("users").insert({ name: "user 0" }), /Duplicate/);
await assert.rejects(
  db.transaction(async (transaction) => {
    await transaction("users").delete();
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
assert.deepEqual(await db("users").count({ n: "*" }), [{ n: 20 }]);

// Rows as a stream, and one that is left in the middle.
const streamed: string[] = [];
for await (const { name } of db("users").stream()) streamed.push(name);
assert.deepEqual(streamed.sort(), names.sort());
for await (const _row of db("users").stream()) break;
await until(() => pool.leases.stats().used === 0);

await db.destroy();
await pool.promise().end();
console.log("20 inserts on 3 connections, and a transaction rolled back");
