/**
 * PostgreSQL by Bun.SQL, one reserved connection a resource, on Bun: a use can
 * span statements, a wait can be aborted and limited, and what was left open is
 * rolled back.
 */

import assert from "node:assert/strict";
import process from "node:process";
// In a project of its own: bunx jsr add @lease/pool
import { Pool } from "../../mod.ts";
import { until } from "./parts/until.ts";

type Query = (
  text: TemplateStringsArray,
  ...values: unknown[]
) => Promise<Record<string, unknown>[]>;

/** What this program uses of Bun.SQL, as Deno checks its types. */
interface BunSql extends Query {
  reserve(): Promise<Query & { release(): void }>;
  close(options: { timeout: number }): Promise<void>;
}

declare const Bun: {
  SQL: new (
    url: string,
    options: { max: number; onclose?: () => void },
  ) => BunSql;
};

/** A connection, and what ends it. */
class Session {
  private constructor(readonly sql: Query, readonly owner: BunSql) {}

  static async open(signal: AbortSignal, lost: () => void): Promise<Session> {
    const options = { max: 1, onclose: lost };
    const owner = new Bun.SQL(process.env.DATABASE_URL!, options);
    signal.addEventListener("abort", () => void owner.close({ timeout: 0 }));
    return new Session(await owner.reserve(), owner);
  }

  async close(): Promise<void> {
    await this.owner.close({ timeout: 0 });
  }
}

const pool = new Pool({
  create: ({ signal, lost }) => Session.open(signal, lost),
  reset: ({ sql }, { failed }) => failed ? sql`rollback` : undefined,
  destroy: (session) => session.close(),
  max: 3,
});

const pidOf = async ({ sql }: Session): Promise<unknown> =>
  (await sql`select pg_backend_pid() as pid`)[0]!["pid"];

// Statements of one use run on one connection, in one transaction.
await pool.use(async ({ sql }) => {
  await sql`create table jar (coins int)`;
  await sql`begin`;
  await sql`insert into jar values (1)`;
  await sql`commit`;
});
const pid = await pool.use(pidOf);
await assert.rejects(
  pool.use(async ({ sql }) => {
    await sql`begin`;
    await sql`insert into jar values (2)`;
    throw new Error("changed my mind");
  }),
  /changed my mind/,
);
await until(() => pool.stats().used === 0); // it is rolled back by then
assert.equal(await pool.use(pidOf), pid);
const [row] = await pool.use(({ sql }) => sql`select sum(coins) from jar`);
assert.equal(row!["sum"], "1");

// A wait has an end.
const held = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
const wait = pool.acquire({ signal: AbortSignal.timeout(100) });
await assert.rejects(wait, { name: "TimeoutError" });
for (const lease of held) lease.release();

// Killed while idle: it leaves the pool by itself.
await until(() => pool.stats().idle === 3);
const other = new Bun.SQL(process.env.DATABASE_URL!, { max: 1 });
await other`select pg_terminate_backend(${pid}::int)`;
await other.close({ timeout: 1 });
await until(() => pool.stats().idle === 2);
assert.notEqual(await pool.use(pidOf), pid);

await pool.use(({ sql }) => sql`drop table jar`);
await pool.close({ signal: AbortSignal.timeout(5_000) });
console.log(
  "reserved: a transaction rolled back, a wait ended, a death survived",
);
