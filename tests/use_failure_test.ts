import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Pool, type PoolOptions } from "../mod.ts";
import { PLAIN, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** What a pool of these holds: a connection with at most one transaction. */
class Connection {
  inTransaction = false;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  /** Does what it is told; `select 1` succeeds in a transaction, too. */
  query(sql: string): Promise<void> {
    if (sql === "begin") this.inTransaction = true;
    if (sql === "rollback") this.inTransaction = false;
    if (sql === "insert twice") return Promise.reject(VIOLATION);
    return Promise.resolve();
  }
}

const VIOLATION = new Error("unique violation");

/** A pool of one connection, and what was done with each. */
function connections(options: Partial<PoolOptions<Connection>> = {}) {
  const log: string[] = [];
  let ids = 0;
  const pool = new Pool<Connection>({
    ...PLAIN,
    create: () => new Connection(++ids),
    destroy: ({ id }, { reason }) => void log.push(`destroy ${id} ${reason}`),
    max: 1,
    clock: new VirtualClock(),
    ...options,
  });
  const reset = (connection: Connection, { failed }: { failed: boolean }) => {
    log.push(`reset ${connection.id} ${failed}`);
    return failed ? connection.query("rollback") : undefined;
  };
  return { pool, log, reset };
}

/** As `connections`, with a reset that rolls back after a use that threw. */
function resetting(options: Partial<PoolOptions<Connection>> = {}) {
  const { reset, log } = connections();
  const { pool } = connections({
    ...options,
    reset,
    destroy: ({ id }, { reason }) => void log.push(`destroy ${id} ${reason}`),
  });
  return { pool, log };
}

/** Lets a use fail with that error, and gives who is next. */
async function after(
  pool: Pool<Connection>,
  error: unknown,
  isFatal?: (error: unknown) => boolean,
): Promise<number> {
  const use = watch(pool.use(() => Promise.reject(error), { isFatal }));
  await settled();
  assertEquals([use.settled, use.error], [true, error]);
  return await pool.use(({ id }) => id);
}

test("what the callback of use throws costs the resource, unless something says no", async () => {
  const { pool, log } = connections();
  assertEquals(await after(pool, VIOLATION), 2);
  assertEquals(log, ["destroy 1 lease"]);
});

test("the isFatal of the pool decides, and gets the very error", async () => {
  const asked: unknown[] = [];
  const { pool, log } = connections({
    isFatal: (error) => {
      asked.push(error);
      return error !== VIOLATION;
    },
  });
  assertEquals(await after(pool, VIOLATION), 1);
  assertEquals(await after(pool, undefined), 2);
  assertEquals(asked.length, 2);
  assertStrictEquals(asked[0], VIOLATION);
  assertEquals(log, ["destroy 1 lease"]);
});

test("the isFatal of a call decides instead of the pool's, for that call", async () => {
  const { pool } = connections({ isFatal: () => true });
  assertEquals(await after(pool, VIOLATION, () => false), 1);
  assertEquals(await after(pool, VIOLATION), 2);
  const { pool: other } = connections({ isFatal: () => false });
  assertEquals(await after(other, VIOLATION, () => true), 2);
  assertEquals(await after(other, VIOLATION), 2);
});

test("a pool with reset resets what a failed use leaves, and nothing is destroyed", async () => {
  const { pool, log } = resetting();
  assertEquals(await after(pool, VIOLATION), 1);
  assertEquals(log, ["reset 1 true", "reset 1 false"]);
});

test("isFatal, of the pool or of the call, comes before reset", async () => {
  const { pool, log } = resetting({ isFatal: (error) => error !== VIOLATION });
  assertEquals(await after(pool, VIOLATION), 1);
  assertEquals(log, ["reset 1 true", "reset 1 false"]);
  assertEquals(await after(pool, "protocol error"), 2);
  assertEquals(log.slice(2), ["destroy 1 lease", "reset 2 false"]);
  assertEquals(await after(pool, VIOLATION, () => true), 3);
  assertEquals(log.slice(4), ["destroy 2 lease", "reset 3 false"]);
});

test("an isFatal that throws, rejects or answers with a promise costs the resource", async () => {
  const verdicts: (() => unknown)[] = [
    () => {
      throw "no verdict";
    },
    () => Promise.resolve(false),
    () => Promise.reject("no verdict"),
  ];
  for (const verdict of verdicts) {
    const isFatal = verdict as () => boolean;
    const { pool, log } = resetting();
    assertEquals(await after(pool, VIOLATION, isFatal), 2);
    assertEquals(log, ["destroy 1 lease", "reset 2 false"]);
    const { pool: other } = connections({ isFatal });
    assertEquals(await after(other, VIOLATION), 2);
  }
});

test("whatever a callback throws, at once or later, use passes it on and has it judged", async () => {
  const thrown = [VIOLATION, "text", undefined, null, false, 0];
  const ways: ((error: unknown) => unknown)[] = [
    (error) => {
      throw error;
    },
    (error) => Promise.reject(error),
    (error) => ({
      then: (_: unknown, reject: (error: unknown) => void) => reject(error),
    }),
  ];
  for (const error of thrown) {
    for (const way of ways) {
      const { pool, log } = resetting();
      const use = watch(pool.use(() => way(error)));
      await settled();
      assertEquals("error" in use, true);
      assertStrictEquals(use.error, error);
      assertEquals(log, ["reset 1 true"]);
    }
  }
});

test("a use that succeeds, or has released its lease before it throws, has not failed", async () => {
  const { pool, log } = resetting({ isFatal: () => true });
  await pool.use(() => {});
  const use = pool.use((_, lease) => {
    lease.release();
    throw VIOLATION;
  });
  await assertRejects(() => use, Error, "unique violation");
  await settled();
  assertEquals(log, ["reset 1 false", "reset 1 false"]);
});

test("in a pool that closes a failed use is not judged and costs the resource", async () => {
  const { pool, log } = resetting({ isFatal: () => false });
  let fail: (error: unknown) => void = () => {};
  const use = watch(pool.use(() => new Promise((_, reject) => fail = reject)));
  await settled();
  const closed = pool.close();
  fail(VIOLATION);
  await closed;
  assertStrictEquals(use.error, VIOLATION);
  assertEquals(log, ["destroy 1 lease"]);
});

test("an open transaction never reaches the next holder", async () => {
  const validate = () => true;
  const isFatal = (error: unknown) => error !== VIOLATION;
  const pools = [
    connections(),
    connections({ validate }),
    resetting(),
    resetting({ validate }),
    resetting({ isFatal }),
  ];
  for (const [i, { pool }] of pools.entries()) {
    const seen: boolean[] = [];
    const use = async (connection: Connection) => {
      seen.push(connection.inTransaction);
      await connection.query("begin");
      await connection.query("insert twice");
    };
    // One after the other, and from one to the next.
    for (let n = 0; n < 2; n++) await assertRejects(() => pool.use(use));
    const uses = Array.from({ length: 3 }, () => watch(pool.use(use)));
    await settled();
    assertEquals(uses.map(({ error }) => error), uses.map(() => VIOLATION));
    assertEquals(seen, Array(5).fill(false), `pool ${i}`);
    using lease = await pool.acquire();
    assertEquals(lease.value.inTransaction, false, `pool ${i}`);
  }
});
