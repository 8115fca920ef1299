/** What takes a pool of mysql2's, with ours in its place, on a real MariaDB. */

import { assertEquals, assertRejects } from "@std/assert";
import { count, eq } from "drizzle-orm";
import { int, mysqlTable, varchar } from "drizzle-orm/mysql-core";
import { drizzle } from "drizzle-orm/mysql2";
import { type Generated, Kysely, MysqlDialect } from "kysely";
import mysql from "mysql2";
import { DataSource, EntitySchema } from "typeorm";
import { createPool, type Pool } from "../../src/mysql2/mod.ts";
import { until } from "../fixture.ts";
import { test } from "../test.ts";
import { MariaDbRig, type Mysql2 } from "./mariadb.ts";

const MAX = 3;
const TABLE =
  "create table users (id int auto_increment primary key, name varchar(20) unique)";

function serves(name: string, happen: (rig: MariaDbRig) => Promise<void>) {
  test(`services: ${name} works on a pool of ours`, async () => {
    await using rig = await MariaDbRig.create();
    await rig.ask(TABLE);
    await happen(rig);
    await until(async () => (await rig.threads()).length === 0);
  });
}

/** Asserts that all is given back, and that there are as many as may be. */
async function assertIdle(rig: MariaDbRig, pool: Pool<Mysql2>): Promise<void> {
  const { idle, used, pending, max } = pool.leases.stats();
  assertEquals([used, pending, max], [0, 0, MAX]);
  assertEquals((await rig.threads()).length, idle);
}

const NAMES = Array.from({ length: 50 }, (_, i) => `user ${i}`);

serves("Kysely", async (rig) => {
  interface Database {
    users: { id: Generated<number>; name: string };
  }
  const pool = rig.pool({ connectionLimit: MAX });
  let connections = 0;
  const db = new Kysely<Database>({
    dialect: new MysqlDialect({
      pool,
      onCreateConnection: () => Promise.resolve(void connections++),
    }),
  });
  const insert = (name: string, by: Kysely<Database> = db) =>
    by.insertInto("users").values({ name }).executeTakeFirst();
  await Promise.all(NAMES.map((name) => insert(name)));
  await assertRejects(() => insert(NAMES[0]!), Error, "Duplicate");
  await assertRejects(
    () =>
      db.transaction().execute(async (transaction) => {
        await insert("in vain", transaction);
        throw new Error("changed my mind");
      }),
    Error,
    "changed my mind",
  );
  const names: string[] = [];
  const all = db.selectFrom("users").select("name").orderBy("id");
  for await (const { name } of all.stream()) names.push(name);
  assertEquals(names.sort(), [...NAMES].sort());
  for await (const _row of all.stream()) break;
  await assertIdle(rig, pool);
  // Each is known to be the same one again.
  assertEquals(connections, (await rig.threads()).length);
  await db.destroy();
});

serves("Drizzle", async (rig) => {
  const users = mysqlTable("users", {
    id: int().primaryKey().autoincrement(),
    name: varchar({ length: 20 }).notNull(),
  });
  const pool = rig.pool({ connectionLimit: MAX });
  const db = drizzle(pool);
  await Promise.all(NAMES.map((name) => db.insert(users).values({ name })));
  await assertRejects(() => db.insert(users).values({ name: NAMES[0]! }));
  await assertRejects(
    () =>
      db.transaction(async (transaction) => {
        await transaction.insert(users).values({ name: "in vain" });
        throw new Error("changed my mind");
      }),
    Error,
    "changed my mind",
  );
  assertEquals(await db.select({ n: count() }).from(users), [{ n: 50 }]);
  const names: string[] = [];
  const all = db.select({ name: users.name }).from(users).prepare();
  for await (const { name } of all.iterator()) names.push(name);
  assertEquals(names.sort(), [...NAMES].sort());
  const one = await db.select().from(users).where(eq(users.name, "user 7"));
  assertEquals(one.map(({ name }) => name), ["user 7"]);
  await assertIdle(rig, pool);
  await pool.promise().end();
});

serves("TypeORM", async (rig) => {
  interface User {
    id: number;
    name: string;
  }
  const User = new EntitySchema<User>({
    name: "User",
    tableName: "users",
    columns: {
      id: { type: Number, primary: true, generated: true },
      name: { type: String, unique: true },
    },
  });
  let pool!: Pool<Mysql2>;
  const source = new DataSource({
    type: "mysql",
    url: rig.server.url,
    poolSize: MAX,
    entities: [User],
    driver: {
      ...mysql,
      createPool: (options: mysql.PoolOptions) =>
        pool = createPool(options, mysql),
    },
  });
  await source.initialize();
  const users = source.getRepository(User);
  await Promise.all(NAMES.map((name) => users.insert({ name })));
  await assertRejects(() => users.insert({ name: NAMES[0]! }));
  await assertRejects(
    () =>
      source.transaction(async (manager) => {
        await manager.insert(User, { name: "in vain" });
        throw new Error("changed my mind");
      }),
    Error,
    "changed my mind",
  );
  const names: string[] = [];
  const runner = source.createQueryRunner();
  for await (const { name } of await runner.stream("select name from users")) {
    names.push(name);
  }
  await runner.release();
  assertEquals(names.sort(), [...NAMES].sort());
  assertEquals((await users.findOneBy({ name: "user 7" }))?.name, "user 7");
  await assertIdle(rig, pool);
  await source.destroy();
});
