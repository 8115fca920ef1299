import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  type BunRedisSubscriber,
  denoKvLedger,
  type KvStore,
  type KvWrite,
  type PostgresClient,
  postgresLedger,
  type RedisClient,
  redisLedger,
} from "../src/fleet/mod.ts";
import { settled, until, watch } from "./fixture.ts";
import { test } from "./test.ts";

type Listener = (...values: unknown[]) => void;

/** A client of a PostgreSQL that has one row. */
class FakePostgres implements PostgresClient {
  static version = 0;
  static value = "";
  readonly queries: string[] = [];
  readonly listeners = new Map<string, Listener>();
  fails = false;
  ended = 0;

  on(event: string, listener: (value: never) => void): void {
    this.listeners.set(event, listener as Listener);
  }

  query(text: string, values: unknown[] = []) {
    this.queries.push(text);
    if (this.fails) return Promise.reject(new Error("query"));
    const row = { version: FakePostgres.version, value: FakePostgres.value };
    if (text.startsWith("select")) return Promise.resolve({ rows: [row] });
    if (!text.startsWith("with")) return Promise.resolve({ rows: [] });
    if (values[1] !== `${row.version}`) return Promise.resolve({ rows: [] });
    FakePostgres.value = `${values[2]}`;
    return Promise.resolve({ rows: [{ version: ++FakePostgres.version }] });
  }

  end(): Promise<void> {
    this.ended++;
    return this.ended > 1 || this.fails
      ? Promise.reject(new Error("end"))
      : Promise.resolve();
  }
}

test("fleet: the ledger of PostgreSQL is a row, and what is notified", async () => {
  const clients: FakePostgres[] = [];
  const ledger = postgresLedger(() => {
    clients.push(new FakePostgres());
    return Promise.resolve(clients.at(-1)!);
  }, { name: 'a"b' });
  const heard: string[] = [];
  const end = ledger.watch((version) => void heard.push(version));
  assertEquals(await ledger.read(), { value: "", version: "0" });
  assertEquals(await ledger.swap("0", "one"), "1");
  assertEquals(await ledger.swap("0", "two"), undefined);
  assertEquals(await ledger.read(), { value: "one", version: "1" });
  const [client] = clients;
  client!.listeners.get("notification")!({ payload: "1" });
  client!.listeners.get("notification")!({});
  assertEquals([heard, clients.length], [["1", ""], 1]);
  assertEquals(client!.queries[2], 'listen "lease_a""b"');
  await end();
  assertEquals(client!.ended, 1);
  assertMatch(`${await ledger.read().catch((it) => it)}`, /ledger is closed/);
});

test("fleet: budgets of one ledger in PostgreSQL all hear, and it ends with the last", async () => {
  const clients: FakePostgres[] = [];
  const ledger = postgresLedger(() => {
    clients.push(new FakePostgres());
    return Promise.resolve(clients.at(-1)!);
  });
  const heard: string[] = [];
  const ends = ["a", "b"].map((name) =>
    ledger.watch((version) => void heard.push(name + version))
  );
  await ledger.read();
  clients[0]!.listeners.get("notification")!({ payload: "1" });
  assertEquals(heard, ["a1", "b1"]);
  await ends[0]!();
  await ledger.read();
  clients[0]!.listeners.get("notification")!({ payload: "2" });
  assertEquals([heard.at(-1), clients[0]!.ended], ["b2", 0]);
  await ends[1]!();
  assertEquals(clients[0]!.ended, 1);
  // The next budget opens it again.
  const end = ledger.watch(() => {});
  await ledger.read();
  await end();
  assertEquals(clients.map(({ ended }) => ended), [1, 1]);
});

test("fleet: a ledger in PostgreSQL whose row was deleted begins anew", async () => {
  class Emptied extends FakePostgres {
    override query(text: string, values?: unknown[]) {
      const isRead = text.startsWith("select");
      if (!isRead) return super.query(text, values);
      this.queries.push(text);
      return Promise.resolve({ rows: [] });
    }
  }
  const client = new Emptied();
  const ledger = postgresLedger(() => Promise.resolve(client));
  assertEquals(await ledger.read(), { value: "", version: "0" });
  assertMatch(client.queries.at(-2)!, /^select/);
  assertMatch(client.queries.at(-1)!, /^insert/);
});

test("fleet: a ledger in PostgreSQL asks for one thing at a time", async () => {
  class Slow extends FakePostgres {
    #underWay = 0;
    most = 0;

    override async query(text: string, values?: unknown[]) {
      this.most = Math.max(this.most, ++this.#underWay);
      await undefined;
      this.#underWay--;
      return await super.query(text, values);
    }
  }
  const client = new Slow();
  const ledger = postgresLedger(() => Promise.resolve(client));
  const reads = [1, 2, 3].map(() => ledger.read());
  assertEquals((await Promise.all(reads)).length, 3);
  assertEquals(client.most, 1);
});

test("fleet: a connection of a ledger that is lost, or fails, is opened anew", async () => {
  const clients: FakePostgres[] = [];
  let isGone = false;
  const ledger = postgresLedger(() => {
    if (isGone) throw new Error("gone");
    clients.push(new FakePostgres());
    return Promise.resolve(clients.at(-1)!);
  });
  const end = ledger.watch(() => {});
  for (const [i, event] of ["error", "end"].entries()) {
    await ledger.read();
    clients[i]!.listeners.get(event)!();
  }
  await ledger.read();
  // One that has been followed by another already changes nothing.
  clients[0]!.listeners.get("end")!();
  await ledger.read();
  assertEquals(clients.length, 3);
  clients[2]!.fails = true;
  const both = [watch(ledger.read()), watch(ledger.swap("0", ""))];
  await settled();
  assertEquals(both.map(({ error }) => `${error}`), [
    "Error: query",
    "Error: query",
  ]);
  assert(clients[2]!.ended > 0);
  isGone = true;
  assertEquals(`${await ledger.read().catch((it) => it)}`, "Error: gone");
  isGone = false;
  await ledger.read();
  assertEquals(clients.length, 4);
  await end();
});

test("fleet: a connection of a ledger whose first words fail is ended", async () => {
  const client = new FakePostgres();
  client.fails = true;
  const ledger = postgresLedger(() => Promise.resolve(client));
  assertEquals(`${await ledger.read().catch((it) => it)}`, "Error: query");
  assertEquals(client.ended, 1);
  await ledger.watch(() => {})();
});

test("fleet: the ledger of Redis is a hash, a script and a channel", async () => {
  const hash: Record<string, string> = {};
  const calls: unknown[][] = [];
  const on = new Map<string, Listener>();
  const subscribed: string[] = [];
  let ended = 0;
  const client: RedisClient = {
    hmget: (_, ...names) =>
      Promise.resolve(names.map((name) => hash[name] ?? null)),
    eval: (...call) => {
      calls.push(call.slice(1));
      if (`${call[3]}` !== (hash["version"] ?? "0")) {
        return Promise.resolve(null);
      }
      hash["version"] = `${Number(call[3]) + 1}`;
      hash["value"] = `${call[4]}`;
      return Promise.resolve(Number(hash["version"]));
    },
    duplicate: () => ({
      subscribe: (channel) => {
        subscribed.push(channel);
        return Promise.reject(new Error("gone"));
      },
      on: (event: string, listener: unknown) =>
        on.set(event, listener as Listener),
      disconnect: () => void ended++,
    }),
  };
  const ledger = redisLedger(client);
  const heard: string[] = [];
  const end = ledger.watch((version) => void heard.push(version));
  assertEquals(await ledger.read(), { value: "", version: "0" });
  assertEquals(await ledger.swap("0", "one"), "1");
  assertEquals(await ledger.swap("0", "two"), undefined);
  assertEquals(await ledger.read(), { value: "one", version: "1" });
  // A client's prefix is put before the key alone, and not before a channel.
  assertEquals(calls[0], [1, "lease:fleet", "0", "one", "lease:fleet"]);
  on.get("message")!("lease:fleet", "1");
  on.get("error")!(new Error("gone"));
  assertEquals([heard, subscribed], [["1"], ["lease:fleet"]]);
  // The server was gone when it was to listen.
  on.get("ready")!();
  assertEquals(subscribed, ["lease:fleet", "lease:fleet"]);
  await end();
  assertEquals(ended, 1);
});

test("fleet: a connection of Bun's client listens once more after it is lost", async () => {
  const calls: string[] = [];
  let isLost = false, ended = 0;
  const subscriber: BunRedisSubscriber = {
    subscribe: (channel, listener) => {
      calls.push(`subscribe ${channel}`);
      if (isLost) throw new Error("gone");
      listener("1");
      return Promise.resolve(1);
    },
    unsubscribe: (channel) => {
      calls.push(`unsubscribe ${channel}`);
      if (isLost) throw new Error("gone");
      return Promise.resolve();
    },
    onconnect: null,
    close: () => void ended++,
  };
  const client: RedisClient = {
    hmget: () => Promise.resolve([null, null]),
    eval: () => Promise.resolve(null),
    duplicate: () => Promise.resolve(subscriber),
  };
  const heard: string[] = [];
  const end = redisLedger(client).watch((version) => void heard.push(version));
  await settled();
  assertEquals([calls.splice(0), heard], [["subscribe lease:fleet"], ["1"]]);
  const both = ["unsubscribe lease:fleet", "subscribe lease:fleet"];
  for (const lost of [false, true]) {
    isLost = lost;
    subscriber.onconnect!();
    await settled();
    assertEquals([calls.splice(0), heard], [both, ["1", "1"]]);
  }
  await end();
  assertEquals(ended, 1);
});

test("fleet: where Bun's client has made no connection, there is none to end", async () => {
  const client: RedisClient = {
    hmget: () => Promise.resolve([null, null]),
    eval: () => Promise.resolve(null),
    duplicate: () => Promise.reject(new Error("gone")),
  };
  const end = redisLedger(client).watch(() => {});
  await settled();
  await end();
});

/** A store of Deno KV with one key. */
class FakeKv implements KvStore {
  value: unknown = null;
  versionstamp: string | null = null;
  stream: ReadableStreamDefaultController | undefined;
  error: Error | undefined;

  get() {
    if (this.error !== undefined) return Promise.reject(this.error);
    const { value, versionstamp } = this;
    return Promise.resolve({ value, versionstamp });
  }

  atomic(): KvWrite {
    let version: string | null = null;
    let next: unknown;
    const write: KvWrite = {
      check: ({ versionstamp }) => {
        version = versionstamp;
        return write;
      },
      set: (_, value) => {
        next = value;
        return write;
      },
      commit: () => {
        if (this.error !== undefined) return Promise.reject(this.error);
        if (version !== this.versionstamp) {
          return Promise.resolve({ ok: false });
        }
        this.value = next;
        this.versionstamp = `${Number(version) + 1}`;
        return Promise.resolve({ ok: true, versionstamp: this.versionstamp });
      },
    };
    return write;
  }

  watch() {
    return new ReadableStream({
      start: (controller) => void (this.stream = controller),
    });
  }
}

test("fleet: the ledger of Deno KV is a key, and one that is locked is taken", async () => {
  const kv = new FakeKv();
  const ledger = denoKvLedger(kv, { interval: Infinity });
  assertEquals(await ledger.read(), { value: "", version: "" });
  assertEquals(await ledger.swap("", "one"), "1");
  assertEquals(await ledger.swap("", "two"), undefined);
  assertEquals(await ledger.read(), { value: "one", version: "1" });
  kv.error = new TypeError("database is locked");
  assertEquals(await ledger.swap("1", "two"), undefined);
  kv.error = new Error("gone");
  assertEquals(await ledger.swap("1", "").catch((it) => it), kv.error);
  const heard: string[] = [];
  const end = ledger.watch((version) => void heard.push(version));
  for (const versionstamp of [null, "2", "2"]) {
    kv.stream!.enqueue([{ versionstamp }]);
  }
  await until(() => heard.length === 2);
  assertEquals(heard, ["", "2"]);
  await end();
});

test("fleet: a look at Deno KV sees what its watch does not, or fails", async () => {
  const kv = new FakeKv();
  const ledger = denoKvLedger(kv, { key: ["mine"], interval: 1 });
  const heard: string[] = [];
  const end = ledger.watch((version) => void heard.push(version));
  await until(() => heard.length === 1);
  kv.error = new Error("gone");
  kv.stream!.error(kv.error);
  await new Promise((resolve) => setTimeout(resolve, 5));
  kv.error = undefined;
  await ledger.swap("", "one");
  await until(() => heard.length === 2);
  assertEquals(heard, ["", "1"]);
  await end().catch((error) => assertMatch(`${error}`, /gone/));
});

test("fleet: options of ledgers are checked", () => {
  const kv = new FakeKv();
  const connect = () => Promise.resolve(new FakePostgres());
  const client = {} as RedisClient;
  postgresLedger(connect, { name: "e".repeat(57) });
  const wrong = (value: unknown) => value as never;
  for (
    const [act, message] of [
      [() => denoKvLedger(wrong(1)), /'kv' must be an object/],
      [() => denoKvLedger(kv, wrong(null)), /'options'/],
      [() => denoKvLedger(kv, wrong({ kee: 1 })), /'kee'/],
      [() => denoKvLedger(kv, { key: wrong("a") }), /'key' must be an obj/],
      [() => denoKvLedger(kv, { interval: 0 }), /'interval'/],
      [() => redisLedger(wrong(1)), /'client' must be an object/],
      [() => redisLedger(client, wrong(1)), /'options'/],
      [() => redisLedger(client, wrong({ kee: 1 })), /'kee'/],
      [() => redisLedger(client, { key: wrong(1) }), /'key' must be a string/],
      [() => postgresLedger(wrong(1)), /'connect' must be a function/],
      [() => postgresLedger(connect, wrong(1)), /'options'/],
      [() => postgresLedger(connect, wrong({ nam: 1 })), /'nam'/],
      [() => postgresLedger(connect, { name: wrong(1) }), /'name'/],
      // Names of channels have 63 bytes at most.
      [() => postgresLedger(connect, { name: "é".repeat(29) }), /57 bytes/],
    ] as const
  ) assertMatch(assertThrows(act, Error).message, message);
});
