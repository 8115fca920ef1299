/**
 * Drizzle on a pool of ours in the place of mysql2's. (On PostgreSQL, `drizzle`
 * of `drizzle-orm/node-postgres` takes that of `@lease/pool/pg`.)
 */

import assert from "node:assert/strict";
import { createPool } from "@lease/pool/mysql2";
import { eq, sql } from "drizzle-orm";
import { int, mysqlTable, varchar } from "drizzle-orm/mysql-core";
import { drizzle } from "drizzle-orm/mysql2";
import mysql from "mysql2";
import { MariaDbServer } from "../mariadb_server.ts";
import { until } from "./parts/until.ts";

await using server = await MariaDbServer.create();

const users = mysqlTable("users", {
  id: int().primaryKey().autoincrement(),
  name: varchar({ length: 20 }).notNull().unique(),
});

const pool = createPool({ uri: server.url, connectionLimit: 3 }, mysql);
const db = drizzle({ client: pool });

await db.execute(
  sql`create table users (id int auto_increment primary key, name varchar(20) unique)`,
);

// Twenty at once share three connections.
const names = Array.from({ length: 20 }, (_, i) => `user ${i}`);
await Promise.all(names.map((name) => db.insert(users).values({ name })));
assert.ok(pool.leases.stats().idle <= 3);

// A unique violation costs none of them; a transaction that fails, no row.
await assert.rejects(db.insert(users).values({ name: "user 0" }));
await assert.rejects(
  db.transaction(async (transaction) => {
    await transaction.delete(users);
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
assert.equal(await db.$count(users), 20);
const [user] = await db.select().from(users).where(eq(users.name, "user 7"));
assert.equal(user?.name, "user 7");

// Rows one by one, of a connection that is given back at the end.
const streamed: string[] = [];
const all = db.select({ name: users.name }).from(users).prepare();
for await (const { name } of all.iterator()) streamed.push(name);
assert.deepEqual(streamed.sort(), names.sort());
await until(() => pool.leases.stats().used === 0);

await pool.promise().end();
console.log("20 inserts on 3 connections, and a transaction rolled back");
