/** A real PostgreSQL server behind a proxy, and pools of pg's own clients. */

import { delay } from "@std/async/delay";
import pg from "pg";
import { PostgresCensus } from "../../examples/postgres_census.ts";
import {
  PostgresServer,
  type PostgresSettings,
} from "../../examples/postgres_server.ts";
import { Pool, type PoolOptions } from "../../mod.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const NAME = "survivor";

/** One connection of pg; it says itself that it has died. */
export type Client = InstanceType<typeof pg.Client>;

export class SurvivalRig implements AsyncDisposable {
  readonly server: PostgresServer;
  readonly proxy: TcpProxy;
  readonly #pools: Pool<Client>[] = [];
  /** The reasons why connections were destroyed. */
  readonly reasons: string[] = [];

  private constructor(server: PostgresServer, proxy: TcpProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  static async create(settings?: PostgresSettings): Promise<SurvivalRig> {
    const server = await PostgresServer.create(settings);
    return new SurvivalRig(server, await TcpProxy.create(server.port));
  }

  /** A connection through the proxy, as the first program of the README has it. */
  async connect(lost: () => void, timeout = 0): Promise<Client> {
    const url = new URL(this.server.url);
    url.port = `${this.proxy.port}`;
    url.searchParams.set("application_name", NAME);
    const client = new pg.Client({
      connectionString: url.href,
      connectionTimeoutMillis: timeout,
    });
    client.on("error", lost).on("end", lost);
    await client.connect();
    return client;
  }

  /** A pool of such connections, closed with the rig. */
  pool(options: Partial<PoolOptions<Client>> = {}): Pool<Client> {
    const pool = new Pool<Client>({
      create: ({ lost }) => this.connect(lost),
      reset: (client, { failed }) =>
        failed ? client.query("rollback") : undefined,
      destroy: (client) => client.end(),
      max: 10,
      observer: { destroyed: ({ reason }) => this.reasons.push(reason) },
      ...options,
    });
    this.#pools.push(pool);
    return pool;
  }

  /** Asks the server itself, not through the proxy. */
  async census<R>(ask: (census: PostgresCensus) => Promise<R>): Promise<R> {
    await using census = await PostgresCensus.open(this.server.url, {
      name: NAME,
      signal: AbortSignal.timeout(5_000),
    });
    return await ask(census);
  }

  /** The backends that the server counts, in order. */
  async pids(): Promise<number[]> {
    return (await this.census((census) => census.pids())).sort();
  }

  /** Kills so many backends. */
  async terminate(count: number): Promise<void> {
    await this.census((census) => census.terminate(count));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What nothing answers any more would keep the pools waiting.
    const signal = AbortSignal.timeout(5_000);
    const closed = this.#pools.map((pool) => pool.close({ signal }));
    await Promise.race([Promise.allSettled(closed), delay(0)]);
    await this.proxy[Symbol.asyncDispose]();
    await Promise.allSettled(closed);
    await this.server[Symbol.asyncDispose]();
  }
}

/** Holds so many connections at once, so that there are as many. */
export async function fill(pool: Pool<Client>, count: number): Promise<void> {
  const leases = await Promise.all(
    Array.from({ length: count }, () => pool.acquire()),
  );
  for (const lease of leases) lease.release();
}

/** So many uses at once; how many of them failed, and what with. */
export async function failures(
  pool: Pool<Client>,
  count: number,
  text = "select pg_sleep(0.002)",
): Promise<unknown[]> {
  const uses = Array.from(
    { length: count },
    () => pool.use((client) => client.query(text)),
  );
  const failed: unknown[] = [];
  for (const result of await Promise.allSettled(uses)) {
    if (result.status === "rejected") failed.push(result.reason);
  }
  return failed;
}
