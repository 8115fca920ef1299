/**
 * Kysely on a pool of ours in the place of mysql2's. (On PostgreSQL,
 * `PostgresDialect` takes that of `@lease/pool/pg` in the same way.)
 */

import assert from "node:assert/strict";
import { createPool } from "@lease/pool/mysql2";
import { type Generated, Kysely, MysqlDialect, sql } from "kysely";
import mysql from "mysql2";
import { MariaDbServer } from "../mariadb_server.ts";

await using server = await MariaDbServer.create();

interface Database {
  users: { id: Generated<number>; name: string };
}

const pool = createPool({ uri: server.url, connectionLimit: 3 }, mysql);
const db = new Kysely<Database>({ dialect: new MysqlDialect({ pool }) });

await db.schema.createTable("users")
  .addColumn("id", "integer", (column) => column.autoIncrement().primaryKey())
  .addColumn("name", "varchar(20)", (column) => column.unique())
  .execute();

// Twenty at once share three connections.
const names = Array.from({ length: 20 }, (_, i) => `user ${i}`);
const insert = (name: string) => db.insertInto("users").values({ name });
await Promise.all(names.map((name) => insert(name).execute()));
assert.ok(pool.leases.stats().idle <= 3);

// A unique violation costs none of them; a transaction that fails, no row.
await assert.rejects(insert("user 0").execute(), /Duplicate/);
await assert.rejects(
  db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("users").execute();
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
const all = db.selectFrom("users").select("name");
const streamed: string[] = [];
for await (const { name } of all.stream()) streamed.push(name);
assert.deepEqual(streamed.sort(), names.sort());

// One that forgets to commit harms nobody: its rows are gone, and its lock.
await db.connection().execute(async (connection) => {
  await sql`start transaction`.execute(connection);
  await connection.deleteFrom("users").execute();
});
assert.equal((await all.execute()).length, 20);

await db.destroy(); // ends the pool
console.log("20 inserts on 3 connections, and two transactions rolled back");
