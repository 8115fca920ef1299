import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Client } from "pg";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { type PgPoolOptions, Pool } from "../../src/pg/mod.ts";
import { until } from "../fixture.ts";
import { test } from "../test.ts";

type PgClient = InstanceType<typeof Client>;

/** A test with a server of its own, and pools of it that end after. */
function served(
  name: string,
  fn: (
    open: (options?: Partial<PgPoolOptions<PgClient>>) => Pool<PgClient>,
    server: PostgresServer,
  ) => Promise<void>,
): void {
  test(`services: ${name}`, async () => {
    await using server = await PostgresServer.create();
    await using pools = new AsyncDisposableStack();
    await fn((options) => {
      const connectionString = server.url;
      return pools.use(
        new Pool<PgClient>({ connectionString, ...options }, Client),
      );
    }, server);
  });
}

const PID = "select pg_backend_pid() as pid";

async function pidOf(pool: Pool<PgClient>): Promise<number> {
  return (await pool.query(PID)).rows[0]!["pid"];
}

served(
  "pg: queries run on at most max connections, with values",
  async (open) => {
    const pool = open({ max: 3 });
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) =>
          pool.query<{ n: number; pid: number }>(
            "select $1::int as n, pg_backend_pid() as pid",
            [i],
          ),
      ),
    );
    assertEquals(
      answers.map(({ rows }) => rows[0]!.n),
      [...answers.keys()],
    );
    assert(new Set(answers.map(({ rows }) => rows[0]!.pid)).size <= 3);
    assert(pool.totalCount <= 3);
  },
);

served("pg: what the server refuses costs no connection", async (open) => {
  const pool = open({ max: 1 });
  await pool.query("create table seen (id int primary key)");
  const pid = await pidOf(pool);
  await pool.query("insert into seen values (1)");
  for (let i = 0; i < 3; i++) {
    const error = await pool.query("insert into seen values (1)")
      .catch((error) => error);
    assertEquals(error.code, "23505");
  }
  await assertRejects(() => pool.query("no sql"));
  assertEquals(await pidOf(pool), pid);
});

served(
  "pg: a client left in a transaction is rolled back, open or failed",
  async (open) => {
    const pool = open({ max: 1 });
    await pool.query("create table seen (id int primary key)");
    const pid = await pidOf(pool);
    for (const failing of [false, true]) {
      await using client = await pool.connect();
      await client.query("begin");
      await client.query("insert into seen values (1)");
      if (failing) await assertRejects(() => client.query("no sql"));
    }
    const { rows } = await pool.query("select count(*)::int as n from seen");
    assertEquals([rows[0]!["n"], await pidOf(pool)], [0, pid]);
  },
);

served(
  "pg: a commit that nobody waits for is waited for, and holds",
  async (open) => {
    const pool = open({ max: 1 });
    await pool.query("create table seen (id int)");
    const client = await pool.connect();
    await client.query("begin");
    await client.query("insert into seen values (1)");
    const commit = client.query("commit");
    client.release();
    await commit;
    const { rows } = await pool.query("select count(*)::int as n from seen");
    assertEquals(rows[0]!["n"], 1);
  },
);

served(
  "pg: with reset a session leaves nothing but prepared statements",
  async (open) => {
    const pool = open({ max: 1, reset: true });
    const named = { name: "one", text: "select $1::int as n" };
    const client = await pool.connect();
    await client.query("set statement_timeout = 1234");
    await client.query("create temp table mine (id int)");
    await client.query("select pg_advisory_lock(7)");
    await client.query("listen news");
    assertEquals((await client.query({ ...named, values: [1] })).rows[0].n, 1);
    await client.query("begin");
    client.release();
    const left = await pool.query(`select
    current_setting('statement_timeout') as timeout,
    to_regclass('mine') as temporary,
    (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
    (select count(*)::int from pg_listening_channels()) as channels`);
    assertEquals(left.rows, [
      { timeout: "0", temporary: null, locks: 0, channels: 0 },
    ]);
    assertEquals(
      (await pool.query({ ...named, values: [2] })).rows[0]!["n"],
      2,
    );
  },
);

served(
  "pg: an idle connection that the server ends leaves, and the pool tells",
  async (open) => {
    const pool = open();
    const admin = open();
    const told: Error[] = [];
    pool.on("error", (error) => void told.push(error));
    const pid = await pidOf(pool);
    await admin.query("select pg_terminate_backend($1)", [pid]);
    await until(() => pool.totalCount === 0);
    assertMatch(`${told[0]}`, /terminat/);
    assert(Reflect.get(told[0]!, "client") instanceof Client);
    assert(await pidOf(pool) !== pid);
  },
);

served(
  "pg: a signal ends a query that runs, and the server drops it",
  async (open) => {
    const pool = open({ max: 1 });
    const admin = open();
    const controller = new AbortController();
    const { signal } = controller;
    const sleeping = pool.query({ text: "select pg_sleep(60)", signal });
    const gone = new Error("gone");
    const sleepers = async () => {
      const text =
        "select 1 from pg_stat_activity where query ~ '^select pg_sl'";
      return (await admin.query(text)).rows.length;
    };
    await until(async () => await sleepers() === 1);
    controller.abort(gone);
    assertEquals(await sleeping.catch((error) => error), gone);
    assertEquals((await pool.query("select 1 as n")).rows[0]!["n"], 1);
    await until(async () => await sleepers() === 0);
  },
);

served(
  "pg: with createRetry those who wait are served when the server is back",
  async (open, server) => {
    const pool = open({ connectionTimeoutMillis: 15_000, createRetry: {} });
    await pidOf(pool);
    await server.stop("SIGKILL");
    await until(() => pool.totalCount === 0);
    const waiting = Array.from({ length: 20 }, () => pidOf(pool));
    await until(() => server.start().then(() => true, () => false));
    assertEquals((await Promise.all(waiting)).length, 20);
  },
);

served(
  "pg: without createRetry a server that is gone is told at once",
  async (open, server) => {
    const pool = open({ max: 2 });
    await pidOf(pool);
    await server.stop("SIGKILL");
    await until(() => pool.totalCount === 0);
    const outcomes = await Promise.allSettled([pidOf(pool), pidOf(pool)]);
    assertEquals(outcomes.map(({ status }) => status), [
      "rejected",
      "rejected",
    ]);
    await server.start().catch(() => {});
  },
);

served(
  "pg: a wrong password is told at once, and leaves no socket",
  async (open, { url }) => {
    const wrong = new URL(url);
    wrong.password = "wrong";
    const pool = open({ connectionString: wrong.href });
    const error = await pool.query("select 1").catch((error) => error);
    assertEquals([error.code, pool.totalCount], ["28P01", 0]);
  },
);

served("pg: an end waits for what runs and who waits", async (open) => {
  const pool = open({ max: 1 });
  const running = [1, 2, 3].map((n) =>
    pool.query("select $1::int as n, pg_sleep(0.05)", [n])
  );
  await pool.end();
  const rows = (await Promise.all(running)).map(({ rows }) => rows[0]!["n"]);
  assertEquals(rows, [1, 2, 3]);
});
