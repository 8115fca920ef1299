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
  const { success, text } = await output("node", ["program.cjs"], { cwd, env });
  if (!success) throw new Error(text);
  const lines = text.trim().split("\n");
  return {
    passed: lines.filter((line) => line === "passed").length,
    failed: lines.filter((line) => line.startsWith("failed ")).map((line) => ({
      title: line.slice("failed ".length).split(": ")[0]!,
      message: line,
    })),
  };
}
