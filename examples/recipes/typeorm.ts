/**
 * TypeORM on a pool of ours in the place of mysql2's: it makes its pool itself,
 * by the driver that it is given.
 */

import assert from "node:assert/strict";
import { createPool, type Pool } from "@lease/pool/mysql2";
import mysql from "mysql2";
import { DataSource, EntitySchema } from "typeorm";
import { MariaDbServer } from "../mariadb_server.ts";

await using server = await MariaDbServer.create();

interface User {
  id: number;
  name: string;
}

const User = new EntitySchema<User>({
  name: "User",
  columns: {
    id: { type: Number, primary: true, generated: true },
    name: { type: String, length: 20, unique: true },
  },
});

let pool: Pool<typeof mysql> | undefined;
const source = new DataSource({
  type: "mysql",
  url: server.url,
  poolSize: 3,
  entities: [User],
  synchronize: true,
  driver: {
    ...mysql,
    createPool: (options: mysql.PoolOptions) =>
      pool = createPool(options, mysql, { name: "typeorm" }),
  },
});
await source.initialize();

// Twenty at once share three connections.
const users = source.getRepository(User);
const names = Array.from({ length: 20 }, (_, i) => `user ${i}`);
await Promise.all(names.map((name) => users.insert({ name })));
assert.ok(pool!.leases.stats().idle <= 3);

// A unique violation costs none of them; a transaction that fails, no row.
await assert.rejects(users.insert({ name: "user 0" }), /Duplicate/);
await assert.rejects(
  source.transaction(async (manager) => {
    await manager.insert(User, { name: "in vain" });
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
assert.equal(await users.countBy({ name: "in vain" }), 0);

// A runner that is given back in the middle harms nobody.
const runner = source.createQueryRunner();
await runner.query("start transaction");
await runner.query("insert into user (name) values ('forgotten')");
await runner.release();
assert.equal(await users.countBy({ name: "forgotten" }), 0);

await source.destroy(); // ends the pool
console.log("20 inserts on 3 connections, and two transactions rolled back");
