import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
} from "../mod.ts";
import { type PgPoolOptions, Pool, type PoolClient } from "../src/pg/mod.ts";
import { settled, SpySignal, watch } from "./fixture.ts";
import { type FakeClient, FakeServer, Refusal } from "./pg_client.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A pool of clients of a server of its own, and what it tells. */
function pooled(options: Partial<PgPoolOptions<FakeClient>> = {}) {
  const server = new FakeServer();
  const clock = new VirtualClock();
  const { Client } = server;
  const pool = new Pool<FakeClient>({ clock, ...options }, Client);
  const events: string[] = [];
  for (const event of ["connect", "acquire", "remove"] as const) {
    pool.on(event, ({ number }) => events.push(`${event} ${number}`));
  }
  pool.on("release", (error, { number }) => {
    events.push(`release ${number}${error ? ` ${error}` : ""}`);
  });
  return { pool, server, clock, events };
}

/** What is scheduled as a microtask while `act` runs. */
async function microtasks(act: () => unknown): Promise<(() => void)[]> {
  const { queueMicrotask } = globalThis;
  const tasks: (() => void)[] = [];
  globalThis.queueMicrotask = (task) => void tasks.push(task);
  try {
    await act();
    await settled();
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  return tasks;
}

function counts({ totalCount, idleCount, waitingCount }: Pool<FakeClient>) {
  return { total: totalCount, idle: idleCount, waiting: waitingCount };
}

// Queries.

test("pg: a query connects a client, which is idle once it has answered", async () => {
  const { pool, server, events } = pooled();
  const answer = pool.query("select 1");
  assertEquals(counts(pool), { total: 1, idle: 0, waiting: 0 });
  assertEquals((await answer).rows, [{ text: "select 1" }]);
  assertEquals(counts(pool), { total: 1, idle: 1, waiting: 0 });
  assertEquals((await pool.query({ text: "two" }, [2])).rows.length, 1);
  assertEquals(server.texts, ["1 select 1", "1 two"]);
  const lent = ["acquire 1", "release 1"];
  assertEquals(events, ["connect 1", ...lent, ...lent]);
});

test("pg: a query calls back with its result, or with what it fails with", async () => {
  const { pool } = pooled();
  const calls: unknown[][] = [];
  const callback = (...args: unknown[]) => void calls.push(args);
  assertStrictEquals(pool.query("one", callback), undefined);
  await settled();
  assertStrictEquals(pool.query("two", [2], callback), undefined);
  await settled();
  pool.query("bad", callback);
  await settled();
  assertEquals(calls.slice(0, 2), [
    [undefined, { rows: [{ text: "one" }] }],
    [undefined, { rows: [{ text: "two" }] }],
  ]);
  assertInstanceOf(calls[2]![0], Refusal);
  assertEquals(calls.length, 3);
});

test("pg: a query that the server refuses costs no client, which is idle when that is ready", async () => {
  const { pool, server, events } = pooled({ max: 1 });
  for (let i = 0; i < 3; i++) {
    await assertRejects(() => pool.query("bad"), Refusal);
  }
  await settled();
  assertEquals([server.clients.length, pool.idleCount], [1, 1]);
  assertEquals(events.filter((event) => event.startsWith("remove")), []);
  assert(events.includes("release 1 Error: bad"));
});

test("pg: a query that the client itself throws on costs no client", async () => {
  const { pool, server } = pooled();
  await assertRejects(() => pool.query(null as never), TypeError, "null");
  await pool.query("one");
  assertEquals(server.clients.length, 1);
});

test("pg: a query that fails and still runs costs its client at once", async () => {
  const { pool, server, clock } = pooled({ max: 1 });
  server.hung.add("slow");
  const slow = watch(pool.query("slow"));
  await settled();
  server.last.giveUp(new Error("Query read timeout"));
  await settled();
  assertMatch(`${slow.error}`, /read timeout/);
  await clock.advance(1);
  assert(server.clients[0]!.isDead);
  await pool.query("one");
  assertEquals(server.texts.at(-1), "2 one");
});

test("pg: a query on a connection that breaks costs its client", async () => {
  const { pool, server } = pooled({ max: 1 });
  server.hung.add("slow");
  const slow = watch(pool.query("slow"));
  await settled();
  server.last.die(new Error("reset by peer"));
  await settled();
  assertMatch(`${slow.error}`, /reset by peer/);
  await pool.query("one");
  assertEquals(server.texts.at(-1), "2 one");
});

test("pg: the stack of a failure leads to who waits, that of a reason to who aborts", async () => {
  const { pool, server } = pooled({ max: 1 });
  const asks = async () => await pool.query("bad");
  const connects = async () => await pool.connect();
  const stacks = [await asks().catch(({ stack }) => stack)];
  server.refusal = new Error("refused");
  server.last.die();
  stacks.push(await connects().catch(({ stack }) => stack));
  // JavaScriptCore names nobody who waits.
  if (!("Bun" in globalThis)) {
    assertMatch(stacks[0], /Error: bad\n(.*\n)*.*at async asks/);
    assertMatch(stacks[1], /Error: refused\n(.*\n)*.*at async connects/);
  }
  const reason = new Error("given up");
  const { stack } = reason;
  const signal = AbortSignal.abort(reason);
  await pool.connect({ signal }).catch(() => {});
  await pool.query({ text: "one", signal }).catch(() => {});
  assertEquals(reason.stack, stack);
  server.refusal = Object.freeze(new Error("frozen"));
  assertStrictEquals(await pool.connect().catch((e) => e), server.refusal);
});

test("pg: a callback that is null is none", async () => {
  const { pool } = pooled({ max: 1 });
  const none = null as never;
  const answer: unknown = await pool.query("one", [], none);
  assertEquals(answer, { rows: [{ text: "one" }] });
  const client: unknown = await pool.connect(none);
  (client as PoolClient<FakeClient>).release();
  assertEquals(await pool.end(none), undefined);
  assert(pool.ended);
});

test("pg: a function in the place of a query is refused", async () => {
  const { pool } = pooled();
  const calls: unknown[] = [];
  pool.query(((error: unknown) => void calls.push(error)) as never);
  assertEquals(calls, []);
  await settled();
  assertMatch(`${calls[0]}`, /first parameter to pool.query/);
});

// Clients.

test("pg: a connect calls back later, with a client and its release", async () => {
  const { pool } = pooled();
  await pool.query("warm");
  const calls: unknown[][] = [];
  const given = pool.connect((...args) => void calls.push(args));
  assertEquals([given, calls.length], [undefined, 0]);
  await settled();
  const [error, client, release] = calls[0]!;
  assertStrictEquals(error, undefined);
  assertEquals((client as FakeClient).number, 1);
  (release as () => void)();
  assertEquals(pool.idleCount, 1);
});

test("pg: a connect that fails calls back with a release that does nothing", async () => {
  const { pool, server } = pooled();
  server.refusal = new Error("refused");
  const calls: unknown[][] = [];
  pool.connect((...args) => void calls.push(args));
  await settled();
  const [error, client, release] = calls[0]!;
  assertStrictEquals(error, server.refusal);
  assertStrictEquals(client, undefined);
  (release as () => void)();
  assertEquals(pool.totalCount, 0);
});

test("pg: what a callback or a listener throws is uncaught, and breaks nothing", async () => {
  const { pool } = pooled({ max: 1 });
  await pool.query("warm");
  const boom = new Error("boom");
  pool.on("acquire", () => {
    throw boom;
  });
  const tasks = await microtasks(() => {
    pool.connect((_error, client) => {
      client!.release();
      throw boom;
    });
  });
  assertEquals(tasks.length, 2);
  for (const task of tasks) assertStrictEquals(assertThrows(task), boom);
  assertEquals(pool.idleCount, 1);
});

test("pg: a release is counted at once, and a second one throws and harms nobody", async () => {
  const { pool } = pooled({ max: 1 });
  const first = await pool.connect();
  const { release } = first;
  first.release();
  assertEquals(pool.idleCount, 1);
  assertThrows(() => first.release(), Error, "already been released");
  const second = await pool.connect();
  assertThrows(() => release(), Error, "already been released");
  assertEquals(pool.idleCount, 0);
  second.release();
});

for (const reason of [new Error("broken"), true]) {
  test(`pg: a client released with ${reason} is ended at once`, async () => {
    const { pool, events } = pooled({ max: 1 });
    const client = await pool.connect();
    client.release(reason);
    assertEquals([pool.totalCount, client._ending], [0, true]);
    await settled();
    assertEquals([client.isEnded, client.ends], [true, 1]);
    assertEquals(events.slice(-2), [`release 1 ${reason}`, "remove 1"]);
    await pool.query("one");
  });
}

test("pg: a client that cannot be queried, or is ending, is not kept", async () => {
  const { pool, server } = pooled({ max: 1 });
  const first = await pool.connect();
  first._queryable = false;
  first.release();
  assertEquals(pool.totalCount, 0);
  const second = await pool.connect();
  second.end(() => {});
  second.release();
  assertEquals(pool.totalCount, 0);
  await settled();
  assertEquals([pool.totalCount, server.clients.length], [0, 2]);
});

test("pg: a client serves maxUses times, and is ended by the last release", async () => {
  const messages: string[] = [];
  const log = (message: string) => void messages.push(message);
  const { pool, server } = pooled({ max: 1, maxUses: 2, log });
  const first = await pool.connect();
  first.release();
  const second = await pool.connect();
  assertStrictEquals(second, first);
  second.release();
  assertEquals([second._ending, pool.totalCount], [true, 0]);
  await pool.query("one");
  assertEquals(server.clients.length, 2);
  assert(messages.includes("remove expended client"));
});

test("pg: a client is not lent beyond maxLifetimeSeconds", async () => {
  const { pool, server, clock } = pooled({ maxLifetimeSeconds: 1 });
  const client = await pool.connect();
  await clock.advance(999);
  assertEquals(pool.expiredCount, 0);
  await clock.advance(1);
  assertEquals(pool.expiredCount, 1);
  client.release();
  assertEquals([pool.expiredCount, pool.totalCount], [0, 0]);
  await pool.query("one");
  assertEquals(server.clients.length, 2);
});

test("pg: a client ends when it has been idle for idleTimeoutMillis", async () => {
  const { pool, clock, events } = pooled();
  await pool.query("one");
  await clock.advance(9_998);
  assertEquals(pool.idleCount, 1);
  await clock.advance(2);
  assertEquals(counts(pool), { total: 0, idle: 0, waiting: 0 });
  assertEquals(events.at(-1), "remove 1");
  for (const idleTimeoutMillis of [0, null]) {
    const never = pooled({ idleTimeoutMillis });
    await never.pool.query("one");
    await never.clock.advance(1_000_000);
    assertEquals(never.pool.idleCount, 1);
  }
});

test("pg: idle clients are kept at min, and not replaced when they go", async () => {
  const { pool, clock, server } = pooled({ min: 1, idleTimeoutMillis: 10 });
  const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
  for (const client of clients.slice(0, 2)) client.release();
  await clock.advance(5);
  clients[2]!.release();
  await clock.advance(5);
  assertEquals(pool.idleCount, 1);
  await clock.advance(1_000);
  assertEquals(pool.idleCount, 1);
  (await pool.connect()).release(true);
  await clock.advance(1_000);
  assertEquals([pool.totalCount, server.clients.length], [0, 3]);
});

test("pg: with a min, each client has its whole time, and those in use are left alone", async () => {
  const { pool, clock } = pooled({ min: 1, idleTimeoutMillis: 10 });
  const clients = await Promise.all([1, 2, 3, 4].map(() => pool.connect()));
  clients[0]!.release();
  await clock.advance(1);
  clients[1]!.release();
  await clock.advance(9);
  assertEquals(pool.idleCount, 1);
  await clock.advance(1);
  assertEquals(pool.idleCount, 0);
  clients[2]!.release();
  clients[3]!.release();
  assertEquals(pool.idleCount, 2);
  await clock.advance(9);
  assertEquals(pool.idleCount, 2);
  await clock.advance(1);
  assertEquals(pool.idleCount, 1);
  (await pool.connect()).release();
  await pool.end();
  assertEquals(clock.timers, 0);
});

// Transactions.

for (const [state, texts] of [["open", []], ["failed", ["bad"]]] as const) {
  test(`pg: an ${state} transaction is rolled back before anybody gets the client`, async () => {
    const { pool, server } = pooled({ max: 1 });
    const client = await pool.connect();
    for (const text of ["begin", ...texts]) {
      await new Promise((resolve) => client.query(text, resolve));
    }
    const next = pool.query("next");
    client.release();
    assertEquals([pool.totalCount, pool.idleCount], [1, 0]);
    await next;
    assertEquals(server.texts.slice(-2), ["1 rollback", "1 next"]);
    assertEquals(pool.idleCount, 1);
  });
}

test("pg: a client that is disposed of is released, rolled back if need be", async () => {
  const { pool, server, clock } = pooled({ max: 1 });
  {
    await using client = await pool.connect();
    await new Promise((resolve) => client.query("begin", resolve));
  }
  await pool.query("one");
  {
    using client = await pool.connect();
    client.release();
  }
  assertEquals(pool.idleCount, 1);
  assertEquals(server.texts, ["1 begin", "1 rollback", "1 one"]);
  await pool.end();
  assertEquals(clock.timers, 0);
});

test("pg: a client outside of a transaction is sent nothing", async () => {
  const { pool, server } = pooled({ max: 1 });
  const client = await pool.connect();
  for (const text of ["begin", "commit"]) {
    await new Promise((resolve) => client.query(text, resolve));
  }
  client.release();
  assertEquals(pool.idleCount, 1);
  assertEquals(server.texts, ["1 begin", "1 commit"]);
});

test("pg: what a client still runs ends before anybody gets it", async () => {
  const { pool, server } = pooled({ max: 1 });
  server.hung.add("begin");
  const client = await pool.connect();
  client.query("begin", () => {});
  client.release();
  const next = watch(pool.query("next"));
  await settled();
  assertEquals(next.settled, false);
  client.answer();
  await settled();
  assertEquals(server.texts, ["1 begin", "1 rollback", "1 next"]);
  assert(next.settled);
});

test("pg: a client for which a query waits is not given to anybody", async () => {
  const { pool, server } = pooled({ max: 1 });
  const client = await pool.connect();
  client._queryQueue.push("select 1");
  client.release();
  await settled();
  assertEquals(pool.idleCount, 0);
  client._queryQueue.pop();
  client.emit("drain");
  await settled();
  assertEquals([pool.idleCount, server.clients.length], [1, 1]);
});

test("pg: a client that is lost while it still runs something leaves at once", async () => {
  const { pool, server } = pooled({ max: 1 });
  server.hung.add("slow");
  const client = await pool.connect();
  client.query("slow", () => {});
  client.release();
  client.die(new Error("reset by peer"));
  await pool.query("next");
  assertEquals(server.texts.at(-1), "2 next");
});

test("pg: a refused query costs no client though that is ready later", async () => {
  const { pool, server, clock } = pooled({ max: 1 });
  server.hung.add("slow");
  const slow = watch(pool.query("slow"));
  await settled();
  server.last.giveUp(new Refusal("refused"));
  await clock.advance(10);
  assertEquals([slow.settled, pool.idleCount], [true, 0]);
  server.last.answer();
  await settled();
  assertEquals([pool.idleCount, server.clients.length], [1, 1]);
});

test("pg: a query that is refused with its connection is no error of the pool", async () => {
  const { pool, server } = pooled({ max: 1 });
  const errors: unknown[] = [];
  pool.on("error", (error) => errors.push(error));
  server.hung.add("slow");
  const slow = watch(pool.query("slow"));
  await settled();
  server.last.giveUp(new Refusal("terminated by an administrator"));
  await settled();
  server.last.die(new Error("closed"));
  await settled();
  assertMatch(`${slow.error}`, /administrator/);
  assertEquals([errors, pool.totalCount], [[], 0]);
  await pool.query("bad").catch(() => {});
  server.last.die(new Error("closed"));
  assertEquals(errors.length, 1);
});

test("pg: a client that does not get fit in 5 s is ended", async () => {
  const { pool, server, clock } = pooled({ max: 1 });
  server.hung.add("slow");
  const client = await pool.connect();
  client.query("slow", () => {});
  client.release();
  const next = watch(pool.query("next"));
  await clock.advance(4_999);
  assertEquals([client.isDead, next.settled], [false, false]);
  await clock.advance(1);
  await settled();
  assertEquals([client.isDead, next.settled], [true, true]);
  assertEquals(server.texts.at(-1), "2 next");
});

test("pg: a client that is lost or cannot roll back is ended", async () => {
  const { pool, server } = pooled({ max: 1 });
  server.hung.add("rollback");
  const client = await pool.connect();
  await new Promise((resolve) => client.query("begin", resolve));
  client.release();
  await settled();
  const told: unknown[] = [];
  pool.on("error", (error) => void told.push(error.message));
  client.die(new Error("reset by peer"));
  await settled();
  assertEquals([told, pool.totalCount], [["reset by peer"], 0]);
  await pool.query("next");
  assertEquals(server.texts.at(-1), "2 next");
});

test("pg: with reset, every release makes the client as new, transactions first", async () => {
  const { pool, server } = pooled({ max: 1, reset: true });
  const client = await pool.connect();
  await new Promise((resolve) => client.query("begin", resolve));
  client.release();
  await settled();
  assertEquals(pool.idleCount, 1);
  assertEquals(server.texts[1], "1 rollback");
  assertMatch(server.texts[2]!, /reset all; .*discard temp/);
  await pool.query("one");
  await settled();
  assertEquals(server.texts.slice(3), ["1 one", server.texts[2]!]);
});

// What goes wrong.

test("pg: an idle client that fails leaves in the same tick, and the pool tells", async () => {
  const { pool, server } = pooled();
  const told: unknown[] = [];
  pool.on("error", (...args) => {
    told.push(...args, pool.totalCount);
  });
  await pool.query("one");
  const error = new Error("reset by peer");
  server.last.die(error);
  assertEquals(told, [error, server.last, 0]);
  assertStrictEquals(Reflect.get(error, "client"), server.last);
  await settled();
  assertEquals(told.length, 3);
});

test("pg: an idle client that ends without a word leaves as well", async () => {
  const { pool, server } = pooled();
  await pool.query("one");
  server.last.emit("end");
  assertEquals(pool.totalCount, 0);
  await settled();
});

test("pg: an idle client that fails where nobody listens is no uncaught error", async () => {
  const { pool, server } = pooled();
  await pool.query("one");
  server.last.emit("error", "no error");
  server.last.emit("error", new Error("once more"));
  assertEquals(pool.totalCount, 0);
  await settled();
});

test("pg: a client that fails in use is for its user to hear, and is not kept", async () => {
  const { pool, server } = pooled({ max: 1 });
  const told: unknown[] = [];
  pool.on("error", (error) => void told.push(error));
  const client = await pool.connect();
  client.emit("error", new Error("reset by peer"));
  assertEquals([told.length, pool.totalCount], [0, 1]);
  client.release();
  await pool.query("one");
  assertEquals(server.clients.length, 2);
});

test("pg: each connect that fails rejects one who waits, unless they are tried again", async () => {
  const { pool, server } = pooled({ max: 1 });
  (await pool.connect()).release(true);
  server.refusal = new Error("refused");
  const outcomes = [watch(pool.connect()), watch(pool.connect())];
  await settled();
  assertEquals(outcomes.map(({ error }) => error), [
    server.refusal,
    server.refusal,
  ]);
  const patient = pooled({ max: 1, createRetry: {} });
  await patient.pool.query("one");
  patient.server.refusal = new Error("refused");
  patient.server.last.die();
  const next = watch(patient.pool.query("next"));
  await patient.clock.advance(500);
  assertEquals(next.settled, false);
  patient.server.refusal = undefined;
  await patient.clock.advance(2_000);
  assertEquals(patient.server.texts.at(-1)?.slice(-4), "next");
});

test("pg: connectionTimeoutMillis ends a wait, in the words of pg-pool", async () => {
  const { pool, clock } = pooled({ max: 1, connectionTimeoutMillis: 100 });
  using _client = await pool.connect();
  const waiting = watch(pool.query("one"));
  assertEquals(counts(pool), { total: 1, idle: 0, waiting: 1 });
  await clock.advance(100);
  assertInstanceOf(waiting.error, AcquireTimeoutError);
  assertMatch(
    waiting.error.message,
    /^timeout exceeded when trying to connect: .* the only one is used/,
  );
  assertEquals(waiting.error.stats.used, 1);
});

test("pg: connectionTimeoutMillis breaks off a connect that hangs", async () => {
  const failures: unknown[] = [];
  const { pool, server, clock } = pooled({
    connectionTimeoutMillis: 100,
    observer: { createFailed: ({ error }) => void failures.push(error) },
  });
  server.refusal = "hang";
  const waiting = watch(pool.connect());
  await clock.advance(101);
  assertMatch(`${waiting.error}`, /timeout/);
  assert(server.last.isDead);
  assertInstanceOf(failures[0], CallTimeoutError);
});

test("pg: a native client that has connected is not waited for any longer", async () => {
  const { server, clock } = pooled();
  server.refusal = "hang";
  const Client = class extends server.Client {
    isConnected(): boolean {
      return true;
    }
  };
  const pool = new Pool({ Client, clock });
  using client = await pool.connect();
  assertEquals(client.isConnected(), true);
});

test("pg: a native client is not ended while it connects, and is when it has", async () => {
  const { server, clock } = pooled();
  const told: string[] = [];
  const connecting: (() => void)[] = [];
  const Client = class extends server.Client {
    #isConnected = false;
    override connection = undefined!;
    isConnected(): boolean {
      return this.#isConnected;
    }
    override connect(callback: (error?: Error) => void): void {
      connecting.push(() => {
        this.#isConnected = true;
        callback();
      });
    }
    override end(callback: () => void): void {
      told.push(`end ${this.#isConnected}`);
      callback();
    }
  };
  const pool = new Pool({
    Client,
    clock,
    onConnect: () => void told.push("onConnect"),
    connectionTimeoutMillis: 100,
  });
  pool.on("connect", () => told.push("connect"));
  const late = watch(pool.connect());
  await clock.advance(101);
  assertMatch(`${late.error}`, /timeout/);
  assertEquals(told, []);
  connecting[0]!();
  await clock.advance(0);
  assertEquals(told, ["end true"]);
  await pool.end();
});

test("pg: clients that cannot even be ended keep nobody from the next", async () => {
  const { server, clock } = pooled();
  const nope = new Error("nope");
  const failures: unknown[] = [];
  let isWell = false;
  const Client = class extends server.Client {
    override end(): never {
      throw new Error("no end");
    }
  };
  const pool = new Pool({
    Client,
    clock,
    max: 1,
    onConnect: () => isWell || Promise.reject(nope),
    observer: { destroyed: ({ error }) => void failures.push(`${error}`) },
  });
  const error = await pool.connect().catch((error) => error);
  assertStrictEquals(error, nope);
  isWell = true;
  (await pool.connect()).release(true);
  (await pool.connect()).release();
  assertEquals([server.clients.length, pool.idleCount], [3, 1]);
  assertEquals(failures, ["Error: no end"]);
  await assertRejects(() => pool.end(), Error, "no end");
  assertEquals([pool.ended, pool.totalCount], [true, 0]);
});

// Hooks and options.

test("pg: onConnect and verify see each new client once, and are waited for", async () => {
  const seen: string[] = [];
  const { pool, events } = pooled({
    onConnect: async ({ number }) => {
      await settled();
      seen.push(`onConnect ${number}`);
    },
    verify: ({ number }, callback) => {
      seen.push(`verify ${number}`);
      callback();
    },
  });
  await pool.query("one");
  await pool.query("two");
  assertEquals(seen, ["onConnect 1", "verify 1"]);
  assertEquals(events[0], "connect 1");
});

test("pg: a hook that fails ends its client, and rejects who waits for it", async () => {
  const nope = new Error("nope");
  for (
    const hook of [
      { onConnect: () => Promise.reject(nope) },
      {
        verify: (_: unknown, callback: (error: Error) => void) =>
          callback(nope),
      },
    ]
  ) {
    const { pool, server, events } = pooled(hook);
    const error = await pool.connect().catch((error) => error);
    assertStrictEquals(error, nope);
    await settled();
    assertEquals([pool.totalCount, server.clients.length], [0, 1]);
    assert(server.last.isEnded);
    assertEquals(events, []);
  }
});

test("pg: idle clients let the process end only with allowExitOnIdle", async () => {
  const { pool, server } = pooled({ allowExitOnIdle: true });
  const client = await pool.connect();
  assertEquals(client.isRef, true);
  client.release();
  assertEquals(client.isRef, false);
  using again = await pool.connect();
  assertEquals([again.isRef, server.clients.length], [true, 1]);
  const controller = new AbortController();
  const { signal } = controller;
  const left = watch(pool.connect({ signal }));
  controller.abort();
  await settled();
  assertEquals([left.settled, pool.idleCount], [true, 1]);
  assertEquals(server.last.isRef, false);
  const holding = pooled();
  await holding.pool.query("one");
  assertEquals(holding.server.last.isRef, true);
});

test("pg: options are copied with defaults, and secrets are carried but not shown", async () => {
  const given = { password: "secret", ssl: { ca: "ca", key: "key" }, port: 1 };
  const { pool, server } = pooled({ ...given, poolSize: 3 });
  assertEquals(pool.options.max, 3);
  assertEquals(given.ssl, { ca: "ca", key: "key" });
  const { max, min, idleTimeoutMillis, maxUses } = pooled().pool.options;
  assertEquals([max, min, idleTimeoutMillis, maxUses], [
    ...[10, 0, 10_000, Infinity],
  ]);
  assertEquals(JSON.stringify(pool.options).includes("secret"), false);
  assertEquals(JSON.stringify(pool.options).includes('"key"'), false);
  await pool.query("one");
  const passed = server.last.options as typeof given;
  assertEquals([passed.password, passed.ssl.key], ["secret", "key"]);
  const again = new Pool<FakeClient>(pool.options, server.Client);
  assertEquals(again.options["password"], "secret");
  assertEquals((again.options["ssl"] as typeof given.ssl).key, "key");
});

test("pg: numbers may be strings, as from the environment, and must be numbers", () => {
  const { Client } = new FakeServer();
  const numbers = { max: "5", idleTimeoutMillis: "1" } as never;
  assertEquals(new Pool(numbers, Client).options.max, 5);
  for (const bad of [{ max: "many" }, { max: -1 }, { maxUses: 1.5 }]) {
    assertThrows(() => new Pool(bad as never, Client), RangeError);
  }
});

test("pg: a max of Infinity is no limit", async () => {
  const { pool } = pooled({ max: Infinity });
  const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
  assertEquals([pool.options.max, pool.totalCount], [Infinity, 3]);
  for (const client of clients) client.release();
});

test("pg: without a Client there is no pool", () => {
  assertThrows(() => new Pool(), TypeError, "'Client' must be a function");
  assertThrows(() => new Pool(null as never), TypeError, "'options'");
  const { Client } = new FakeServer();
  assertStrictEquals(new Pool({ Client }).Client, Client);
});

test("pg: promises are of the class that is given", async () => {
  class Own<R> extends Promise<R> {}
  const { pool } = pooled({ Promise: Own as PromiseConstructor });
  const connecting = pool.connect();
  assertInstanceOf(connecting, Own);
  (await connecting).release();
  assertInstanceOf(pool.query("one"), Own);
  assertInstanceOf(pool.end(), Own);
});

test("pg: the class is called Pool, and its counts are those of its pool", async () => {
  const { pool, server } = pooled({ name: "main" });
  assertMatch(pool.constructor.name, /Pool/);
  await pool.query("one");
  assertEquals([pool.stats().idle, pool.stats().max], [1, 10]);
  assertEquals(pool._clients, [server.last]);
});

// Signals.

test("pg: a signal ends a wait for a client", async () => {
  const { pool } = pooled({ max: 1 });
  using _client = await pool.connect();
  const controller = new AbortController();
  const { signal } = controller;
  const connecting = watch(pool.connect({ signal }));
  const asking = watch(pool.query({ text: "one", signal }));
  const gone = new Error("gone");
  controller.abort(gone);
  await settled();
  assertEquals([connecting.error, asking.error], [gone, gone]);
  assertEquals(pool.waitingCount, 0);
});

test("pg: a signal ends a query that runs, and with it its connection", async () => {
  const { pool, server } = pooled({ max: 1 });
  server.hung.add("slow");
  const controller = new AbortController();
  const { signal } = controller;
  const slow = watch(pool.query({ text: "slow", signal }));
  await settled();
  const gone = new Error("gone");
  controller.abort(gone);
  await settled();
  assertStrictEquals(slow.error, gone);
  assertEquals([server.last.isDead, pool.totalCount], [true, 0]);
  await pool.query("one");
  assertEquals(server.texts.at(-1), "2 one");
});

test("pg: a signal that aborts after its query does nothing", async () => {
  const { pool, server } = pooled();
  const spy = new SpySignal();
  const { signal } = spy;
  await pool.query({ text: "one", signal });
  assertEquals(spy.listeners, 0);
  spy.abort();
  await pool.query("two");
  assertEquals(server.texts, ["1 one", "1 two"]);
});

// The end.

test("pg: an end serves those who wait, and refuses newcomers", async () => {
  const { pool, server, clock } = pooled({ max: 1 });
  const client = await pool.connect();
  const waiting = [watch(pool.query("one")), watch(pool.query("two"))];
  const ending = watch(pool.end());
  assertEquals([pool.ending, pool.ended], [true, false]);
  for (const late of [pool.connect(), pool.query("late")]) {
    const error = await late.catch((error) => error);
    assertInstanceOf(error, PoolClosedError);
    assertMatch(error.message, /^Cannot use a pool after calling end/);
  }
  await assertRejects(() => pool.end(), Error, "more than once");
  client.release();
  await settled();
  await clock.advance(10);
  assertEquals(waiting.map(({ error }) => error), [undefined, undefined]);
  assertEquals(server.texts, ["1 one", "1 two"]);
  assert(ending.settled && pool.ended);
  assertEquals([pool.totalCount, clock.timers], [0, 0]);
});

test("pg: an end calls back, and a second one with an error", async () => {
  const { pool } = pooled();
  const calls: unknown[][] = [];
  const callback = (...args: unknown[]) => void calls.push(args);
  assertStrictEquals(pool.end(callback), undefined);
  await settled();
  pool.end(callback);
  pool.connect(callback);
  await settled();
  assertStrictEquals(calls[0]![0], undefined);
  assertMatch(`${calls[1]![0]}`, /more than once/);
  assertMatch(`${calls[2]![0]}`, /after calling end/);
});

test("pg: a pool ends with its block, ended before or not", async () => {
  const { pool, server } = pooled();
  {
    await using _pool = pool;
    await pool.query("one");
    await pool.end();
  }
  assert(server.last.isEnded);
});

test("pg: a farewell without an answer is broken off", async () => {
  const { pool, server, clock } = pooled({ idleTimeoutMillis: 10 });
  server.hung.add("end");
  await pool.query("one");
  await clock.advance(10);
  assertEquals([server.last._ending, server.last.isDead], [true, false]);
  await clock.advance(5_001);
  assertEquals(server.last.isDead, true);
});

/** A client of another make: without a socket, without `end` before it is there. */
test("pg: a client without a socket is ended where a socket would be destroyed", async () => {
  const { server, clock } = pooled();
  server.refusal = new Error("refused");
  const ended: string[] = [];
  const Client = class extends server.Client {
    constructor(options: unknown) {
      super(options);
      Reflect.deleteProperty(this, "connection");
    }
    override end(): void {
      ended.push("end");
      throw new Error("no end");
    }
  };
  const pool = new Pool({ Client, clock });
  const error = await pool.connect().catch((error) => error);
  assertStrictEquals(error, server.refusal);
  assertEquals(ended, ["end"]);
});

test("pg: a client is typed as the driver's, and as released", async () => {
  const { pool } = pooled();
  const client: PoolClient<FakeClient> = await pool.connect();
  assertEquals(typeof client.number, "number");
  client.release();
});

/** As in the types of pg, whose interfaces know of no other clients. */
interface PeerConfig {
  max?: number | undefined;
  application_name?: string | undefined;
  Promise?: PromiseConstructorLike | undefined;
  Client?: (new () => EventTarget) | undefined;
  verify?:
    | ((client: PoolClient<FakeClient>, done: (error?: Error) => void) => void)
    | undefined;
}

test("pg: options and queries that are typed as the driver's are taken", async () => {
  const config: PeerConfig = { max: 1, application_name: "app" };
  const { Client } = new FakeServer();
  await using pool = new Pool(config, Client);
  const client: PoolClient<FakeClient> = await pool.connect();
  client.release();
  const { rows } = await pool.query<[number]>({ text: "1", rowMode: "array" });
  assertEquals([pool.options.max, rows.length], [1, 1]);
  // As pg binds its own, whose options may be left out.
  class Bound extends Pool<FakeClient> {
    constructor(config?: PeerConfig) {
      super(config, Client);
    }
  }
  await using bound = new Bound();
  assertEquals(bound.options.max, 10);
});
