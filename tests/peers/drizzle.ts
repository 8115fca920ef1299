import { CACHE, ROOT } from "../runtimes/bundle.ts";
import { install, output } from "./command.ts";
import { serve } from "./database.ts";
import type { Outcome, Peer } from "./peer.ts";

/** Uses what Drizzle does with a pool: queries, transactions, one that fails. */
const PROGRAM = `
const { Client } = require("pg");
const { drizzle } = require("drizzle-orm/node-postgres");
const { integer, pgTable } = require("drizzle-orm/pg-core");
const { Pool } = require(process.env.BUNDLE);
const assert = require("node:assert/strict");

const item = pgTable("item", { id: integer("id").primaryKey() });

const TESTS = {
  async "queries"(db) {
    await db.insert(item).values([{ id: 1 }, { id: 2 }]);
    assert.deepEqual(await db.select().from(item), [{ id: 1 }, { id: 2 }]);
  },
  async "transactions commit, on one client"(db, pool) {
    await db.transaction(async (tx) => {
      await tx.insert(item).values({ id: 3 });
      // Only where it has known the pool for one is this elsewhere.
      const { rows } = await pool.query("select count(*)::int as n from item");
      assert.equal(rows[0].n, 2);
    });
    assert.equal((await db.select().from(item)).length, 3);
  },
  async "transactions that fail roll back, nested ones too"(db, pool) {
    await assert.rejects(db.transaction(async (tx) => {
      await tx.insert(item).values({ id: 4 });
      await tx.transaction((inner) => inner.insert(item).values({ id: 4 }));
    }));
    assert.equal((await db.select().from(item)).length, 3);
    assert.equal(pool.totalCount, pool.idleCount);
  },
};

(async () => {
  const pool = new Pool({ connectionString: process.env.URL, max: 2 }, Client);
  await pool.query("create table item (id int primary key)");
  const db = drizzle({ client: pool });
  for (const [name, test] of Object.entries(TESTS)) {
    await test(db, pool).then(
      () => console.log("passed"),
      (error) => console.log(\`failed \${name}: \${error.message}\`),
    );
  }
  await pool.end();
})();
`;

/** Its types, those of Kysely, and `pg.Pool` itself. */
const TYPES = `
// @ts-types="npm:@types/pg@8.21.0"
import pg from "npm:pg@8.23.1";
import { drizzle } from "npm:drizzle-orm@0.45.4/node-postgres";
import { Kysely, PostgresDialect } from "npm:kysely@0.29.5";
import { Pool } from "../src/pg/mod.ts";

const pool = new Pool({ max: 2, statement_timeout: 5 }, pg.Client);
const asPeer: pg.Pool = pool;
const config: pg.PoolConfig = { max: 2, idleTimeoutMillis: null };
const typed: Pool<pg.Client> = new Pool(config, pg.Client);
const dialect = new PostgresDialect({ pool });
const client: pg.Client = await pool.connect();
const { rows } = await pool.query<{ n: number }>("select 1 as n", []);
const n: number = rows[0]!.n;
await typed.query({ text: "select 1", rowMode: "array" });
pool.connect((_error, client, done) => {
  client?.query("select 1");
  done();
});
console.log(asPeer, drizzle(pool), new Kysely({ dialect }), client, n);
`;

export const drizzle: Peer = {
  name: "drizzle",
  version: "0.45.4, a program of our own",
  entry: "pg",
  reasons: {},
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("drizzle/", folder);
  await Deno.mkdir(cwd, { recursive: true });
  await Deno.writeTextFile(new URL("package.json", cwd), "{}");
  await install(cwd, "drizzle-orm@0.45.4", "pg@8.23.1");
  await Deno.writeTextFile(new URL("program.cjs", cwd), PROGRAM);
  await using server = await serve("drizzle", "drizzle", "drizzle");
  const env = { BUNDLE: bundle.pathname, URL: server.url };
  const types = await check();
  const { success, text } = await output("node", ["program.cjs"], { cwd, env });
  if (!success) throw new Error(text);
  const lines = [types, ...text.trim().split("\n")];
  return {
    passed: lines.filter((line) => line === "passed").length,
    failed: lines.filter((line) => line.startsWith("failed ")).map((line) => ({
      title: line.slice("failed ".length).split(": ")[0]!,
      message: line,
    })),
  };
}

/** Whether our pool is of the types that are asked for, as a line. */
async function check(): Promise<string> {
  await Deno.mkdir(CACHE, { recursive: true });
  const file = new URL("peers_types.ts", CACHE);
  await Deno.writeTextFile(file, TYPES);
  const args = ["check", "--no-lock", file.pathname];
  const { success, text } = await output(Deno.execPath(), args, { cwd: ROOT });
  return success ? "passed" : `failed types: ${text.replaceAll("\n", " ")}`;
}
