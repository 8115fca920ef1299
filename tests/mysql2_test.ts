import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { PoolClosedError, PoolFullError } from "../mod.ts";
import { createPool } from "../src/mysql2/mod.ts";
import { settled, watch } from "./fixture.ts";
import {
  failure,
  type FakeConnection,
  FakeDriver,
  fakes,
} from "./mysql2_driver.ts";
import { test } from "./test.ts";

type Pool = ReturnType<typeof fakes>["pool"];

const mysql2 = (name: string, fn: () => Promise<void>) =>
  test(`mysql2: ${name}`, fn);

/** What a pool tells, in order. */
function listen(pool: Pool): string[] {
  const told: string[] = [];
  for (const event of ["connection", "acquire", "enqueue", "release"]) {
    pool.on(event, () => told.push(event));
  }
  return told;
}

/** A connection in the callback shape. */
function connect(pool: Pool): Promise<FakeConnection> {
  return new Promise((resolve, reject) =>
    pool.getConnection((error, connection) =>
      error ? reject(error) : resolve(connection)
    )
  );
}

/** The counts of a pool that are not 0. */
function counts({ leases }: Pool): Record<string, number> {
  const { idle, used, creating, destroying, pending } = leases.stats();
  const all = { idle, used, creating, destroying, pending };
  return Object.fromEntries(Object.entries(all).filter(([, n]) => n > 0));
}

mysql2("a connection is got and given back in the callback shape", async () => {
  const { pool, driver } = fakes();
  const told = listen(pool);
  let called = false;
  const got = connect(pool).finally(() => called = true);
  assertEquals(called, false);
  const connection = await got;
  assertStrictEquals(connection, driver.connections[0]);
  assertEquals(await connection.ask("select"), ["select"]);
  assertEquals(counts(pool), { used: 1 });
  pool.releaseConnection(connection);
  connection.release();
  assertEquals(counts(pool), { idle: 1 });
  await settled();
  assertEquals(told, ["connection", "acquire", "release"]);
});

mysql2("one that comes of a connect is told of before its holder", async () => {
  const { pool } = fakes();
  pool.on("connection", (connection) => connection.query("set"));
  const connection = await connect(pool);
  await connection.ask("select");
  assertEquals(connection.log, ["set", "select"]);
});

mysql2("what a listener throws harms no acquire", async () => {
  const { pool } = fakes();
  const queue = globalThis.queueMicrotask;
  const thrown: unknown[] = [];
  globalThis.queueMicrotask = (callback) =>
    queue(() => {
      try {
        callback();
      } catch (error) {
        thrown.push(error);
      }
    });
  try {
    pool.on("acquire", () => {
      throw failure("by a listener");
    });
    (await connect(pool)).release();
  } finally {
    globalThis.queueMicrotask = queue;
  }
  assertEquals(thrown.length, 1);
  assertEquals(counts(pool), { idle: 1 });
});

mysql2("a query is run on a connection, and gives it back", async () => {
  const { pool } = fakes({ connectionLimit: 1 });
  const answers: unknown[] = [];
  const answer = (...args: unknown[]) => answers.push(args);
  pool.query("select", answer);
  pool.query("select", [1], answer);
  pool.execute("select", [1], answer);
  pool.execute("select", answer);
  const query = pool.query("rows");
  query.on("result", (...args) => answers.push(args.length));
  await settled();
  const rows = [null, ["select"], ["field"]];
  assertEquals(answers, [rows, rows, rows, rows, 2]);
  assertEquals(counts(pool), { idle: 1 });
});

mysql2("who cannot have a connection for a query is told so", async () => {
  const { pool, driver } = fakes();
  driver.refusal = failure("refused");
  const told: string[] = [];
  const answer = (error: Error | null) => told.push(error!.message);
  pool.query("select", answer);
  pool.query("select").on("error", answer);
  pool.query("nobody listens");
  pool.execute("select", answer);
  pool.execute("nobody is called");
  pool.getConnection(answer);
  await settled();
  assertEquals(told, Array(4).fill("refused"));
  assertEquals(counts(pool), {});
});

mysql2("what the driver throws is told, and gives back", async () => {
  const { pool } = fakes({ connectionLimit: 1 });
  const told: string[] = [];
  const answer = (error: Error | null) => told.push(error!.message);
  pool.query("throw", answer);
  pool.execute("throw", answer);
  await settled();
  assertEquals(told, ["thrown", "thrown"]);
  assertEquals(counts(pool), { idle: 1 });
});

mysql2("the promise shape does the same, and tells the same", async () => {
  const { pool, driver } = fakes({ connectionLimit: 1 });
  const promises = pool.promise();
  assertStrictEquals(pool.promise(), promises);
  assertStrictEquals(promises.pool, pool);
  const told: unknown[] = [];
  assertEquals(pool.listenerCount("connection"), 0);
  promises.on("connection", (connection) => told.push(connection));
  promises.on("connection", () => {});
  promises.on("another", () => {});
  assertEquals([
    pool.listenerCount("connection"),
    pool.listenerCount("another"),
  ], [1, 0]);
  const answer = [["select"], ["field"]];
  assertEquals(await promises.query("select"), answer);
  assertEquals(await promises.execute("select", [1]), answer);
  assertThrows(() => promises.query("select", () => {}), TypeError, "callback");
  await assertRejects(() => promises.query("fail"), Error, "failed");
  assertEquals(told, driver.connections);
  const connection = await promises.getConnection();
  assertStrictEquals(connection.connection, driver.connections[0]);
  promises.releaseConnection(connection);
  // Its connection is on its way to it.
  const last = promises.query("select").catch((error) => error.message);
  await promises.end();
  const message = "Pool is closed.";
  assertEquals(await last, message);
  await assertRejects(() => promises.query("select"), PoolClosedError, message);
});

mysql2(
  "the promise shape listens as long as somebody listens to it",
  async () => {
    const { pool } = fakes({ connectionLimit: 1 });
    const promises = pool.promise();
    const heard = () =>
      ["acquire", "release"].map((event) => pool.listenerCount(event));
    let acquired = 0;
    const listener = () => void acquired++;
    promises.on("acquire", listener).once("acquire", listener);
    promises.once("release", () => {});
    assertEquals(heard(), [1, 1]);
    await promises.query("select");
    await settled();
    assertEquals([acquired, ...heard()], [2, 1, 0]);
    promises.off("acquire", listener);
    assertEquals(heard(), [0, 0]);
    promises.on("acquire", listener);
    await promises.query("select");
    await settled();
    assertEquals([acquired, ...heard()], [3, 1, 0]);
    await promises.end();
  },
);

mysql2(
  "the promise shape gives promises of the class that is wanted",
  async () => {
    const { pool } = fakes();
    class Wanted<T> extends Promise<T> {}
    const promises = pool.promise(Wanted);
    assertStrictEquals(promises.pool, pool);
    const getting = promises.getConnection();
    const connection = await getting;
    assertStrictEquals(connection.Wanted, Wanted);
    connection.release();
    const asked = [promises.query("select"), promises.execute("select")];
    await Promise.all(asked);
    const given = [getting, ...asked, promises.end()];
    for (const promise of given) assertInstanceOf(promise, Wanted);
    await Promise.all(given);
  },
);

mysql2("a callback that is null is none", async () => {
  const { pool } = fakes();
  for (const sql of ["select", "fail"]) {
    const query = pool.query(sql, null, null as never);
    query.on("error", () => {});
    await settled();
  }
  assertEquals(counts(pool), { idle: 1 });
});

mysql2("an error of a promise tells who asked", async () => {
  const { pool, driver } = fakes();
  const promises = pool.promise();
  const asked = () => promises.query("fail");
  const { stack } = await assertRejects(asked, Error, "failed");
  assertMatch(stack!, /^Error: failed\n[^]*assertRejects/);
  // What a driver's own options fail with can be anything.
  pool.leases.clear();
  driver.refusal = "no error";
  assertEquals(await promises.query("select").catch((e) => e), "no error");
});

mysql2("a holder cannot end the hold of the next", async () => {
  const { pool, driver } = fakes({ connectionLimit: 1 });
  const first = await pool.promise().getConnection();
  first.release();
  const second = await pool.promise().getConnection();
  assertStrictEquals(second.connection, first.connection);
  first.release();
  first.destroy();
  await first.end();
  await first[Symbol.asyncDispose]();
  assertEquals(counts(pool), { used: 1 });
  await second.end();
  assertEquals(counts(pool), { idle: 1 });
  {
    await using _third = await pool.acquire();
    assertEquals(counts(pool), { used: 1 });
  }
  assertEquals(counts(pool), { idle: 1 });
  assertEquals(driver.connections.length, 1);
});

mysql2("an acquire has a signal, and a timeout of its own", async () => {
  const { pool, clock } = fakes({ connectionLimit: 1 });
  await using _only = await pool.acquire();
  const reason = failure("gone");
  const controller = new AbortController();
  const aborted = watch(pool.acquire({ signal: controller.signal }));
  const late = watch(pool.acquire({ timeout: 100 }));
  controller.abort(reason);
  await clock.advance(100);
  assertStrictEquals(aborted.error, reason);
  assertEquals((late.error as Error).name, "TimeoutError");
});

mysql2("options are read as mysql2 does", async () => {
  const limits = (options: string | object) => {
    const { pool } = fakes(options);
    const { connectionConfig, ...limits } = pool.config;
    return { max: pool.leases.stats().max, limits, connectionConfig };
  };
  const none = limits({});
  assertEquals(none, {
    max: 10,
    limits: {
      connectionLimit: 10,
      queueLimit: Infinity,
      maxIdle: 10,
      idleTimeout: 60_000,
      connectTimeout: 10_000,
      resetOnRelease: false,
      gracefulEnd: false,
    },
    connectionConfig: {},
  });
  const all = {
    connectionLimit: 3,
    queueLimit: 4,
    maxIdle: 1,
    idleTimeout: 5,
    connectTimeout: 6,
    resetOnRelease: true,
    gracefulEnd: true,
  };
  assertEquals(limits(all).limits, all);
  assertEquals(limits({ ...all, waitForConnections: false }).limits, {
    ...all,
    queueLimit: 0,
  });
  assertEquals(limits({ connectionLimit: "3" }).max, 3);
  assertEquals(limits({ connectionLimit: null }).max, 10);
  assertEquals(limits({ connectionLimit: 0 }).max, Number.MAX_SAFE_INTEGER);
  assertEquals(
    limits({ queueLimit: 0, connectTimeout: 0 }).limits.connectTimeout,
    Infinity,
  );
  const uri = "mysql://host/test?connectionLimit=3&timezone=Z";
  const connectionConfig = { uri, connectionLimit: 3, timezone: "Z" };
  assertEquals(limits(uri).connectionConfig, connectionConfig);
  assertEquals(limits({ uri, connectionLimit: 4 }).max, 4);
  assertEquals(limits({ uri, connectionLimit: undefined }).max, 3);
  await Promise.resolve();
});

mysql2("each connection gets the options, and a copy of its own", async () => {
  const options = { host: "host", enableKeepAlive: true };
  const { pool, driver } = fakes(options);
  await connect(pool);
  await connect(pool);
  const [first, second] = driver.connections.map(({ options }) => options);
  assertEquals(first, options);
  assertEquals(first === second, false);
});

mysql2("as many wait as may, and that one waits is told", async () => {
  const { pool } = fakes({ connectionLimit: 2, queueLimit: 1 });
  const told = listen(pool);
  // Two wait for a connect of their own, so they are not in the queue.
  const connecting = [connect(pool), connect(pool)];
  const waiting = watch(connect(pool));
  const { message, poolName, stats } = await assertRejects(
    () => connect(pool),
    PoolFullError,
  );
  assertEquals(message, "Queue limit reached.");
  assertEquals([poolName, stats.pending], ["mysql2", 3]);
  const [first] = await Promise.all(connecting);
  assertEquals(told.filter((event) => event === "enqueue"), ["enqueue"]);
  first!.release();
  await settled();
  assertStrictEquals(waiting.value, first);
});

mysql2("with waitForConnections off nobody waits for another", async () => {
  const { pool } = fakes({ connectionLimit: 1, waitForConnections: false });
  const connection = await connect(pool);
  const message = "No connections available.";
  await assertRejects(() => connect(pool), PoolFullError, message);
  connection.release();
  assertStrictEquals(await connect(pool), connection);
});

/** What is asked of a connection when it is given back after this was. */
async function asked(
  use: (connection: FakeConnection) => unknown,
  options: object = {},
  status = 2,
): Promise<string[]> {
  const { pool, driver } = fakes({ connectionLimit: 1, ...options });
  driver.status = status;
  const connection = await connect(pool);
  await use(connection);
  const { length } = connection.log;
  connection.release();
  await settled();
  assertEquals(counts(pool), { idle: 1 });
  return connection.log.slice(length);
}

mysql2("what is left open is rolled back, and only that", async () => {
  const ask = (...sqls: string[]) => async (connection: FakeConnection) => {
    for (const sql of sqls) await connection.ask(sql).catch(() => {});
  };
  assertEquals(await asked(() => {}), []);
  assertEquals(await asked(ask("select")), []);
  assertEquals(await asked(ask("begin", "commit")), []);
  assertEquals(await asked(ask("begin", "select")), ["rollback"]);
  assertEquals(await asked(ask("begin", "fail", "rollback")), []);
  // A procedure may have begun one and failed.
  assertEquals(await asked(ask("fail")), ["rollback"]);
  // Any read opens one then.
  assertEquals(await asked(ask("off", "commit")), ["rollback"]);
  assertEquals(await asked(() => {}, {}, 0), ["rollback"]);
});

mysql2("what a command tells by events counts as well", async () => {
  const emitted = (sql: string) => (connection: FakeConnection) => {
    const query = connection.query(sql);
    query.on("error", () => {});
    return new Promise<void>((resolve) => query.on("end", () => resolve()));
  };
  // The rows of a select have what looks like a status.
  assertEquals(await asked(emitted("select")), []);
  assertEquals(await asked(emitted("begin")), ["rollback"]);
  assertEquals(await asked(emitted("fail")), ["rollback"]);
});

mysql2("what still runs is followed by a rollback", async () => {
  const { pool } = fakes();
  const connection = await connect(pool);
  for (const sql of ["select", "select", "begin"]) connection.query(sql);
  connection.release();
  await settled();
  assertEquals(connection.log, ["select", "select", "begin", "rollback"]);
  assertEquals(counts(pool), { idle: 1 });
});

mysql2(
  "with resetOnRelease each is reset, whatever it was used for",
  async () => {
    const options = { resetOnRelease: true };
    assertEquals(await asked(() => {}, options), ["reset"]);
    const begin = (connection: FakeConnection) => connection.ask("begin");
    assertEquals(await asked(begin, options), ["reset"]);
  },
);

mysql2("one that cannot be rolled back serves nobody again", async () => {
  const { pool, driver, clock } = fakes({ connectionLimit: 1 });
  const connection = await connect(pool);
  connection.query("hang");
  connection.release();
  await settled();
  assertEquals(counts(pool), { used: 1 });
  await clock.advance(5_000);
  assertEquals(connection.stream.isClosed, true);
  assertEquals(counts(pool), {});
  const refused = await connect(pool);
  refused.rollback = (answer) => void answer(failure("refused"));
  await refused.ask("begin");
  refused.release();
  await settled();
  assertEquals([counts(pool), driver.connections.length], [{}, 2]);
});

mysql2("who is lost leaves, idle or used", async () => {
  const { pool } = fakes({ connectionLimit: 2 });
  const [idle, used] = await Promise.all([connect(pool), connect(pool)]);
  idle.release();
  idle.emit("end");
  await settled();
  assertEquals(counts(pool), { used: 1 });
  assertEquals(idle.stream.isClosed, true);
  const error = watch(used.ask("hang"));
  used.stream.destroy();
  await settled();
  assertEquals((error.error as Error).message, "connection lost");
  assertEquals(counts(pool), {});
  used.release();
});

mysql2("an error of the connection, or a fatal one, loses it", async () => {
  const { pool } = fakes({ connectionLimit: 2 });
  const [idle, used] = await Promise.all([connect(pool), connect(pool)]);
  idle.release();
  idle.emit("error", failure("reset by peer"));
  used.query("hang", () => used.release());
  used.stream.destroy();
  await settled();
  assertEquals(counts(pool), {});
});

mysql2("one whose server became read-only is left", async () => {
  const { pool, driver } = fakes({ connectionLimit: 1 });
  await assertRejects(() => pool.promise().query("read-only"), Error);
  await pool.promise().query("select");
  assertEquals(driver.connections.length, 2);
});

mysql2("a holder can destroy it, and what it asked fails", async () => {
  const { pool } = fakes({ connectionLimit: 1 });
  const told = listen(pool);
  const connection = await connect(pool);
  const error = watch(connection.ask("hang"));
  connection.destroy();
  assertEquals(counts(pool), { destroying: 1 });
  await settled();
  assertEquals((error.error as Error).message, "connection lost");
  assertEquals(counts(pool), {});
  assertEquals(told, ["connection", "acquire"]);
});

mysql2("the end of a connection by its holder gives it back", async () => {
  const { pool } = fakes({ connectionLimit: 1 });
  const connection = await connect(pool);
  let ended = false;
  connection.end(() => ended = true);
  connection.end();
  assertEquals([ended, counts(pool)], [true, { idle: 1 }]);
});

mysql2("with gracefulEnd that ends it", async () => {
  const { pool } = fakes({ connectionLimit: 1, gracefulEnd: true });
  const connection = await connect(pool);
  connection.end();
  await settled();
  assertEquals([connection.log, counts(pool)], [["quit"], {}]);
});

mysql2(
  "idle ones leave with a farewell when their time has passed",
  async () => {
    const { pool, clock } = fakes({ idleTimeout: 1_000 });
    const connection = await connect(pool);
    connection.release();
    await clock.advance(1_001);
    assertEquals([connection.log, counts(pool)], [["quit"], {}]);
  },
);

mysql2("one that does not hear its farewell is cut off", async () => {
  const { pool, clock } = fakes({ idleTimeout: 1_000 });
  const connection = await connect(pool);
  connection.release();
  connection.query("hang");
  await clock.advance(1_001);
  assertEquals(counts(pool), { destroying: 1 });
  await clock.advance(5_000);
  assertEquals([connection.stream.isClosed, counts(pool)], [true, {}]);
});

mysql2("of more than maxIdle those idle longest leave", async () => {
  const { pool, clock } = fakes({ connectionLimit: 4, maxIdle: 1 });
  const all = await Promise.all([1, 2, 3, 4].map(() => connect(pool)));
  for (const connection of [all[2]!, all[0]!, all[1]!]) {
    connection.release();
    await clock.advance(10);
  }
  await clock.advance(969);
  assertEquals(counts(pool), { used: 1, idle: 3 });
  await clock.advance(1);
  assertEquals(counts(pool), { used: 1, idle: 1 });
  assertEquals(all.map(({ log }) => log), [["quit"], [], ["quit"], []]);
  all[3]!.release();
  await pool.promise().end();
  assertEquals(clock.timers, 0);
});

mysql2(
  "a pool of as many idle as there may be has no timer for it",
  async () => {
    const { pool, clock } = fakes({ idleTimeout: Infinity });
    const connection = await connect(pool);
    const { armed } = clock;
    connection.release();
    assertEquals(clock.armed, armed);
  },
);

mysql2("a connect that fails leaves nothing", async () => {
  const { pool, driver } = fakes();
  driver.refusal = failure("refused");
  await assertRejects(() => connect(pool), Error, "refused");
  const [connection] = driver.connections;
  assertEquals(connection!.stream.isClosed, true);
  connection!.emit("error", failure("once more"));
});

mysql2("a connect that is late is broken off", async () => {
  const { pool, driver, clock } = fakes({ connectTimeout: 500 });
  driver.refusal = "hang";
  const late = watch(connect(pool));
  await clock.advance(500);
  assertEquals((late.error as Error).name, "CallTimeoutError");
  assertEquals(driver.connections[0]!.stream.isClosed, true);
});

mysql2("the end waits for answers, but for no holder", async () => {
  const { pool } = fakes({ connectionLimit: 2 });
  const held = await connect(pool);
  const asked = watch(pool.promise().query("select"));
  await settled();
  const slow = await connect(pool);
  const answer = watch(slow.ask("select"));
  const waiting = watch(connect(pool));
  let ended = 0;
  pool.end(() => ended++);
  pool.end();
  await settled();
  assertEquals(asked.value, [["select"], ["field"]]);
  assertEquals(answer.value, ["select"]);
  assertInstanceOf(waiting.error, PoolClosedError);
  assertEquals([ended, counts(pool)], [1, {}]);
  assertEquals([held.log, slow.log], [
    ["quit"],
    ["select", "select", "quit"],
  ]);
  held.release();
});

mysql2("what an end fails with is told", async () => {
  const { pool, driver } = fakes();
  await connect(pool);
  driver.connections[0]!.query = () => {
    throw failure("no farewell");
  };
  await assertRejects(() => pool.promise().end(), Error, "no farewell");
  const quiet = fakes();
  await connect(quiet.pool);
  quiet.driver.connections[0]!.query = driver.connections[0]!.query;
  quiet.pool.end();
  await settled();
});

mysql2("a pool ends with its scope", async () => {
  const { pool } = fakes();
  {
    using scoped = pool;
    await using _promises = scoped.promise();
    await connect(pool);
  }
  const ended = await connect(pool).catch(({ name }) => name);
  assertEquals([ended, counts(pool)], ["PoolClosedError", {}]);
});

mysql2("values are escaped as the driver does, by the options", async () => {
  const options = { stringifyObjects: true, timezone: "Z" };
  const { pool } = fakes(options);
  for (const shape of [pool, pool.promise()]) {
    assertEquals(shape.escape(1), "1,true,Z");
    assertEquals(shape.escapeId("a"), "a");
    assertEquals(shape.format("?", 1), "?,1,true,Z");
  }
  await pool.promise().end();
});

mysql2("options of ours work, and those it sets are refused", async () => {
  const reasons: string[] = [];
  const { pool } = fakes({}, {
    observer: { destroyed: ({ reason }) => void reasons.push(reason) },
  });
  const connection = await connect(pool);
  assertEquals(pool.leases.evict((one) => one === connection), 1);
  connection.release();
  await settled();
  assertEquals(reasons, ["evict"]);
  const refused = (more: object) => () =>
    createPool({}, new FakeDriver(), more as never);
  assertThrows(refused({ max: 1 }), TypeError, "'max' must be absent");
  assertThrows(refused({ nonsense: 1 }), TypeError, "'nonsense'");
});

mysql2("only mysql2 is its driver", async () => {
  const make = (driver: unknown, options: unknown = {}) => () =>
    createPool(options as object, driver as FakeDriver);
  const message = "'driver' must be mysql2, and not mysql2/promise";
  assertThrows(make(undefined), TypeError, message);
  assertThrows(make({ Connection: class {} }), TypeError, message);
  assertThrows(make(new FakeDriver(), 1), TypeError, "'options'");
  await Promise.resolve();
});

mysql2(
  "a driver whose types do not tell of its connections is taken",
  async () => {
    // So they were before mysql2 3.20.
    type Older = Pick<FakeDriver, "createConnection" | "createPool">;
    const driver: Older = new FakeDriver();
    const pool = createPool({ connectionLimit: 1 }, driver).promise();
    assertEquals(await pool.query("select"), [["select"], ["field"]]);
    await pool.end();
    // As mysql2/promise is, whose pools are of promises.
    const other = { createConnection: () => ({}), createPool: () => ({}) };
    // @ts-expect-error -- what it refuses
    assertThrows(() => createPool("mysql://localhost", other), TypeError);
  },
);
