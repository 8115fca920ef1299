import { Check, OBJECT, STRING } from "../check.ts";
import type { Ledger, Versioned } from "./ledger.ts";

/** What is needed of a client of Redis or Valkey: `ioredis` and Bun's own have it. */
export interface RedisClient {
  /** Runs a script. */
  eval(
    script: string,
    keys: number,
    ...values: (string | number)[]
  ): Promise<unknown>;
  /** Reads fields of a hash. */
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  /** Another connection like this one. */
  duplicate(): RedisSubscriber | Promise<BunRedisSubscriber>;
}

/** What is needed of a connection of `ioredis` that listens. */
export interface RedisSubscriber {
  /** Listens to a channel. */
  subscribe(channel: string): Promise<unknown>;
  /** Is told of what is said there. */
  on(
    event: "message",
    listener: (channel: string, message: string) => void,
  ): unknown;
  /** Is told of failures. */
  on(event: "error", listener: (error: unknown) => void): unknown;
  /** Is told that it has connected, each time. */
  on(event: "ready", listener: () => void): unknown;
  /** Ends the connection. */
  disconnect(): void;
}

/** What is needed of a connection of Bun's own client that listens. */
export interface BunRedisSubscriber {
  /** Listens to a channel. */
  subscribe(
    channel: string,
    listener: (message: string) => void,
  ): Promise<unknown>;
  /** Listens no more. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Called when it has connected again. */
  onconnect: (() => unknown) | null;
  /** Ends the connection. */
  close(): void;
}

/** Options of `redisLedger`. */
export interface RedisLedgerOptions {
  /**
   * The hash with the value, and the channel for changes, which has no `keyPrefix` of
   * the client. Default: `"lease:fleet"`.
   */
  key?: string | undefined;
}

const SWAP = `
local version = tonumber(redis.call("hget", KEYS[1], "version") or "0")
if version ~= tonumber(ARGV[1]) then return false end
redis.call("hset", KEYS[1], "version", version + 1, "value", ARGV[2])
redis.call("publish", ARGV[3], version + 1)
return version + 1`;

/**
 * A ledger in Redis or Valkey, as one hash and a channel of the same name. The
 * server must keep what it has confirmed: `appendonly yes` with `appendfsync
 * always`; a replica that takes over with less breaks the promise. The client is the
 * caller's, and stays open.
 *
 * @throws {TypeError} if an argument is of the wrong kind, or an option not known
 *
 * @example
 * ```ts ignore
 * import { FleetBudget, redisLedger } from "@lease/pool/fleet";
 * import { Redis } from "ioredis";
 *
 * const redis = new Redis("redis://127.0.0.1", { maxRetriesPerRequest: 1 });
 * const budget = new FleetBudget({ ledger: redisLedger(redis), max: 20 });
 * ```
 *
 * With Bun's own client it is `redisLedger(new Bun.RedisClient(url, settings))`; its
 * `maxRetries` must outlast the longest outage, as it never connects again after.
 */
export function redisLedger(
  client: RedisClient,
  options: RedisLedgerOptions = {},
): Ledger {
  const check = new Check("Cannot create ledger");
  check.that("client", client, OBJECT);
  check.that("options", options, OBJECT);
  check.names(options, ["key"]);
  const { key = "lease:fleet" } = options;
  check.that("key", key, STRING);
  return new RedisLedger(client, key);
}

class RedisLedger implements Ledger {
  readonly #client: RedisClient;
  readonly #key: string;

  constructor(client: RedisClient, key: string) {
    this.#client = client;
    this.#key = key;
  }

  async read(): Promise<Versioned> {
    const key = this.#key;
    const [value, version] = await this.#client.hmget(key, "value", "version");
    return { value: value ?? "", version: version ?? "0" };
  }

  async swap(version: string, value: string): Promise<string | undefined> {
    const key = this.#key;
    // Twice, as a prefix of the client's is put before keys alone.
    const values = [key, version, value, key];
    const next = await this.#client.eval(SWAP, 1, ...values);
    return next === null ? undefined : `${next}`;
  }

  watch(changed: (version: string) => void): () => Promise<void> {
    const subscriber = this.#client.duplicate();
    if ("then" in subscriber) return listen(subscriber, this.#key, changed);
    subscriber.on("message", (_, version) => changed(version));
    // It connects again by itself; that the server is gone shows in the calls.
    subscriber.on("error", () => {});
    const attend = () => {
      subscriber.subscribe(this.#key).catch(() => {});
    };
    // It listens again after an outage, unless that was before it first did.
    subscriber.on("ready", attend);
    attend();
    return () => {
      subscriber.disconnect();
      return Promise.resolve();
    };
  }
}

/** Bun's client connects again by itself, but has to be told to listen again. */
function listen(
  connection: Promise<BunRedisSubscriber>,
  key: string,
  changed: (version: string) => void,
): () => Promise<void> {
  // Either may throw at once.
  const attend = async (subscriber: BunRedisSubscriber) => {
    await subscriber.subscribe(key, changed);
  };
  const ignore = async (subscriber: BunRedisSubscriber) => {
    await subscriber.unsubscribe(key);
  };
  connection.then((subscriber) => {
    // It still has the listener, which would be called twice.
    subscriber.onconnect = () =>
      ignore(subscriber).catch(() => {}).then(() => attend(subscriber))
        .catch(() => {});
    return attend(subscriber);
  }).catch(() => {});
  return () => connection.then((subscriber) => subscriber.close(), () => {});
}
