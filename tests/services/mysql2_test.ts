/** `@lease/pool/mysql2` on a real MariaDB. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import mysql from "mysql2";
import type { PoolConnection as PromiseConnection } from "mysql2/promise";
import { type EventEmitter, once } from "node:events";
import type { MariaDbSettings } from "../../examples/mariadb_server.ts";
import { PoolClosedError } from "../../mod.ts";
import { createPool } from "../../src/mysql2/mod.ts";
import { until } from "../fixture.ts";
import { test } from "../test.ts";
import { MariaDbRig, row, thread } from "./mariadb.ts";

function onMariaDb(
  name: string,
  happen: (rig: MariaDbRig) => Promise<void>,
  settings?: MariaDbSettings,
): void {
  test(`services: mysql2: ${name}`, async () => {
    await using rig = await MariaDbRig.create(settings);
    await happen(rig);
  });
}

type AnyPool = ReturnType<typeof mysql.createPool>;

/** What a callback is called with; results by their values alone. */
function answers(ask: (callback: unknown) => void): Promise<unknown[]> {
  return new Promise((resolve) =>
    ask((error: Error | null, rows: unknown, fields?: { name: string }[]) =>
      resolve([
        error?.message,
        JSON.stringify(rows),
        fields?.map(({ name }) => name),
      ])
    )
  );
}

/** Rows of a connection in the promise shape; its types hide the other one. */
function stream(connection: PromiseConnection, sql: string) {
  const { connection: callback } = connection as unknown as {
    connection: mysql.Connection;
  };
  return callback.query(sql).stream();
}

/** What a pool says and tells when each of its calls is used as in mysql2's docs. */
async function shapes(
  pool: AnyPool,
): Promise<{ log: unknown[]; told: string[] }> {
  const log: unknown[] = [];
  const told: string[] = [];
  const promises = pool.promise();
  const events: EventEmitter = promises;
  for (const event of ["connection", "acquire", "release"]) {
    events.on(event, () => told.push(event));
  }
  // deno-lint-ignore no-explicit-any
  const by = (callback: unknown) => callback as any;
  log.push(await answers((done) => pool.query("select 1 as a", by(done))));
  log.push(await answers((done) => pool.query("select ? a", [2], by(done))));
  log.push(await answers((done) => pool.query("nonsense", by(done))));
  log.push(await answers((done) => pool.execute("select ? a", [3], by(done))));
  log.push(await answers((done) => pool.execute("select 4 a", by(done))));
  log.push(await answers((done) => pool.execute("nonsense", by(done))));
  log.push(
    await answers((done) =>
      pool.query({ sql: "select 5 a", rowsAsArray: true }, by(done))
    ),
  );
  const rows: unknown[] = [];
  for await (const row of pool.query("select seq from seq_1_to_3").stream()) {
    rows.push(row.seq);
  }
  log.push(rows);
  log.push(
    await answers((done) =>
      pool.query("nonsense").on("error", (error) => by(done)(error))
    ),
  );
  log.push(
    await answers((done) =>
      pool.getConnection((error, connection) =>
        connection.query("select 6 a", (_error, rows) => {
          connection.release();
          connection.release();
          by(done)(error, rows);
        })
      )
    ),
  );
  log.push([pool.escape("it's"), pool.escapeId("a.b"), pool.format("?", [1])]);

  log.push((await promises.query("select ? as a", [7]))[0]);
  log.push((await promises.execute("select ? as a", [8]))[0]);
  log.push(await promises.query("nonsense").catch(({ message }) => message));
  {
    await using connection = await promises.getConnection();
    await connection.beginTransaction();
    await connection.execute("create temporary table t (n int)");
    const [inserted] = await connection.execute<mysql.ResultSetHeader>(
      "insert into t values (?), (?)",
      [1, 2],
    );
    await connection.commit();
    const statement = await connection.prepare("select sum(n) as n from t");
    const [rows] = await statement.execute([]);
    await statement.close();
    log.push([inserted.affectedRows, rows]);
    const streamed: unknown[] = [];
    for await (const row of stream(connection, "select n from t")) {
      streamed.push(row.n);
    }
    log.push(streamed);
  }
  const kept = await promises.getConnection();
  log.push(await row(kept, "select 9 as a"));
  promises.releaseConnection(kept);
  await promises.end();
  await assertRejects(() => promises.query("select 1"), Error, "closed");
  return { log, told };
}

onMariaDb(
  "what it answers and tells is what mysql2's own does",
  async (rig) => {
    const options = { uri: rig.server.url, connectionLimit: 1 };
    const theirs = await shapes(mysql.createPool(options));
    const ours = await shapes(createPool(options, mysql));
    assertEquals(ours, theirs);
  },
);

onMariaDb("who is lost leaves by itself, idle or used", async (rig) => {
  const pool = rig.pool({ connectionLimit: 2 });
  const used = await pool.acquire();
  const idle = await pool.acquire();
  await thread(used);
  idle.release();
  const dead = await rig.threads();
  for (const id of dead) await rig.kill(id);
  // The slot of one that is used and gone is there for others, too.
  await until(() => pool.leases.stats().stripes[0]!.used === 0);
  await assertRejects(() => used.query("select 1"), Error);
  await Promise.all(
    [1, 2].map(async () => {
      await using connection = await pool.acquire();
      assert(!dead.includes(await thread(connection)));
    }),
  );
  used.release();
  assertEquals(pool.leases.stats().idle, (await rig.threads()).length);
});

onMariaDb(
  "what is asked of a connection that is killed fails, and frees its slot",
  async (rig) => {
    const pool = rig.pool({ connectionLimit: 1 });
    const sleeps = "select sleep(30)";
    const ways = {
      promise: () => pool.promise().query(sleeps),
      executed: () => pool.promise().execute(sleeps),
      callback: () =>
        new Promise((_, reject) =>
          pool.query(sleeps, (error) => reject(error))
        ),
      held: async () => {
        const connection = await pool.promise().getConnection();
        await connection.query(sleeps);
      },
    };
    for (const way of Object.values(ways)) {
      const failed = assertRejects(way, Error);
      let asleep: { id: number }[] = [];
      await until(async () => {
        asleep = await rig.ask(
          "select id from information_schema.processlist where state = 'User sleep'",
        ) as { id: number }[];
        return asleep.length === 1;
      });
      await rig.kill(asleep[0]!.id);
      await failed;
    }
    assertEquals(typeof await thread(pool.promise()), "number");
  },
);

/** Each leaves a transaction open in its way; the table is `t`. */
const LEFT_OPEN: Record<string, (pool: AnyPool) => Promise<unknown>> = {
  "a transaction of a connection": async (pool) => {
    await using connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    await connection.query("insert into t values (1)");
  },
  "one that failed in the middle": async (pool) => {
    await using connection = await pool.promise().getConnection();
    await connection.query("start transaction");
    await connection.execute("insert into t values (1)");
    await connection.query("insert into t values (1)").catch(() => {});
  },
  "begin of a pool": (pool) => pool.promise().query("begin").then(() => {}),
  "a procedure that began and failed": async (pool) => {
    await pool.promise().query("call fails()").catch(() => {});
  },
  "no autocommit": async (pool) => {
    await using connection = await pool.promise().getConnection();
    await connection.query("set autocommit = 0");
    await connection.query("select * from t");
  },
  "a prepared statement": async (pool) => {
    await using connection = await pool.promise().getConnection();
    await connection.execute("start transaction");
    await connection.execute("insert into t values (1)");
  },
  "a release before the answer": async (pool) => {
    const connection = await pool.promise().getConnection();
    const asked = connection.query("start transaction");
    const inserted = connection.query("insert into t values (1)");
    connection.release();
    await Promise.all([asked, inserted]);
  },
  "a callback": (pool) =>
    new Promise<void>((resolve) =>
      pool.getConnection((_error, connection) => {
        connection.beginTransaction(() =>
          connection.query("insert into t values (1)", () => {
            connection.release();
            resolve();
          })
        );
      })
    ),
};

onMariaDb("no transaction reaches the next holder", async (rig) => {
  await rig.ask("create table t (n int primary key) engine = innodb");
  await rig.ask(
    "create procedure fails() begin start transaction; insert into t values (1); signal sqlstate '45000'; end",
  );
  for (const [way, leave] of Object.entries(LEFT_OPEN)) {
    const pool = rig.pool({ connectionLimit: 1 });
    const before = await thread(pool.promise());
    await leave(pool);
    await until(() => pool.leases.stats().idle === 1);
    const open = "select * from information_schema.innodb_trx";
    assertEquals(await rig.ask(open), [], way);
    const next = "select connection_id() as id, count(*) as n from t";
    assertEquals(await row(pool.promise(), next), { id: before, n: 0 }, way);
    await pool.promise().end();
  }
});

onMariaDb("where none is open, nothing is asked at release", async (rig) => {
  await rig.ask("create table t (n int primary key)");
  const pool = rig.pool({ connectionLimit: 1 });
  const count = () =>
    row(pool.promise(), "show session status like 'Questions'");
  const before = Number((await count()).Value);
  {
    await using connection = await pool.acquire();
    await connection.query("select 1");
    await connection.execute("insert into t values (1)"); // prepares, executes
    await connection.beginTransaction();
    await connection.query("insert into t values (2)");
    await connection.commit();
  }
  assertEquals(Number((await count()).Value) - before, 6);
});

onMariaDb("unique violations cost no connection", async (rig) => {
  await rig.ask("create table t (n int primary key)");
  const pool = rig.pool({ connectionLimit: 2 });
  await Promise.all([pool.acquire(), pool.acquire()])
    .then((both) => both.forEach((connection) => connection.release()));
  const before = await rig.threads();
  const results = await Promise.allSettled(
    Array.from(
      { length: 40 },
      (_, i) => pool.promise().query("insert into t values (?)", [i % 20]),
    ),
  );
  const failed = results.filter(({ status }) => status === "rejected");
  assertEquals(failed.length, 20);
  assertEquals(await rig.threads(), before);
});

onMariaDb(
  "with resetOnRelease nothing of a session reaches the next holder",
  async (rig) => {
    const pool = rig.pool({ connectionLimit: 1, resetOnRelease: true });
    const state =
      "select connection_id() as id, @a as a, @@time_zone as zone, " +
      "@@character_set_client as charset, @@autocommit as autocommit";
    const fresh = await row(pool.promise(), state);
    {
      await using connection = await pool.acquire();
      await connection.query("set @a = 1, time_zone = '+3:00', autocommit = 0");
      await connection.query("create temporary table t (n int)");
      await connection.execute("select ?", [1]);
    }
    assertEquals(await row(pool.promise(), state), fresh);
    await assertRejects(() => pool.promise().query("table t"), Error);
    await pool.promise().execute("select ?", [1]);
  },
);

onMariaDb(
  "a connection that still has rows to give serves nobody again",
  async (rig) => {
    const pool = rig.pool({ connectionLimit: 1 });
    const connection = await pool.promise().getConnection();
    const before = await thread(connection);
    const rows = stream(connection, "select * from seq_1_to_1000000");
    await once(rows, "data");
    rows.pause();
    connection.connection.pause();
    connection.release();
    const next = deadline(thread(pool.promise()), 20_000);
    assert(await next !== before);
  },
);

onMariaDb("who waits outlasts a restart of the server", async (rig) => {
  const pool = rig.pool({ connectionLimit: 5 });
  await thread(pool.promise());
  const restarted = rig.restart();
  await until(() => pool.leases.stats().idle === 0);
  const asked = Array.from({ length: 50 }, () => thread(pool.promise()));
  await restarted;
  assertEquals((await Promise.all(asked)).length, 50);
});

onMariaDb("a wrong password is told at once", async (rig) => {
  const pool = rig.pool({ password: "wrong" });
  await assertRejects(
    () => pool.promise().query("select 1"),
    Error,
    "Access denied",
  );
  assertEquals(pool.leases.stats().used, 0);
});

onMariaDb("a server that became read-only is left", async (rig) => {
  await rig.ask("create table t (n int)");
  await rig.ask("create user writer");
  await rig.ask("grant insert, select on test.* to writer");
  const pool = rig.pool({ user: "writer", connectionLimit: 1 });
  const before = await thread(pool.promise());
  await rig.ask("set global read_only = 1");
  const insert = () => pool.promise().query("insert into t values (1)");
  await assertRejects(insert, Error, "read-only");
  await rig.ask("set global read_only = 0");
  await insert();
  assert(await thread(pool.promise()) !== before);
});

onMariaDb(
  "the end answers what is under way, and waits for no holder",
  async (rig) => {
    const pool = rig.pool({ connectionLimit: 2 });
    const held = await pool.acquire();
    const asked = pool.promise().query("select sleep(0.3) as slept");
    await until(() => pool.leases.stats().used === 2);
    const waiting = pool.promise().query("select 1");
    const refused = assertRejects(() => waiting, PoolClosedError);
    const ended = pool.promise().end();
    assertEquals((await asked)[0], [{ slept: 0 }] as unknown as mysql.OkPacket);
    await deadline(ended, 2_000);
    await refused;
    await until(async () => (await rig.threads()).length === 0);
    await assertRejects(() => held.query("select 1"), Error, "closed state");
    held.release();
  },
);
