/**
 * A pool under load, on a real PostgreSQL server behind a proxy, for something
 * to go wrong with.
 */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { PostgresCensus } from "../../examples/postgres_census.ts";
import { PostgresConnection } from "../../examples/postgres_connection.ts";
import {
  PostgresServer,
  type PostgresSettings,
} from "../../examples/postgres_server.ts";
import { type Lease, Pool } from "../../mod.ts";
import { until } from "../fixture.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const NAME = "rig";
const CLIENTS = 40;

// Limits, in milliseconds. A client waits for a connection, then for an answer.
const ACQUIRE_TIMEOUT = 2_000;
const QUERY_TIMEOUT = 1_000;
const CREATE_TIMEOUT = 1_000;
/** How long the most impatient clients wait for a connection. */
const PATIENCE = 10;
/** What a fault has broken is whole again, and what must end has ended. */
const DEADLINE = 15_000;

export interface RigOptions {
  settings?: PostgresSettings;
  max?: number;
  stripes?: number;
  /** How many connections the pool can have, if not `max`. */
  reach?: number;
}

/** What happened, as seen from outside of the pool. */
export class RigCounts {
  acquires = 0;
  granted = 0;
  /** Acquires given up by their client, and those that failed. */
  aborted = 0;
  rejected = 0;
  answered = 0;
  unanswered = 0;
  created = 0;
  destroyed = 0;
  /** The most connections that the server has counted. */
  peak = 0;
}

export class FaultRig {
  readonly counts = new RigCounts();
  readonly server: PostgresServer;
  readonly proxy: TcpProxy;
  readonly pool: Pool<PostgresConnection>;
  readonly #reach: number;
  /** What went wrong that never may. */
  readonly #wrongs: unknown[] = [];
  readonly #loaded = new AbortController();
  readonly #watched = new AbortController();
  #paused = false;
  #census: PostgresCensus | undefined;
  /** What the server listed when it was last asked, and how often it was. */
  #pids: number[] = [];
  #looks = 0;

  private constructor(
    server: PostgresServer,
    proxy: TcpProxy,
    { max = 10, stripes = 1, reach = max }: RigOptions,
  ) {
    this.server = server;
    this.proxy = proxy;
    this.#reach = reach;
    this.pool = new Pool<PostgresConnection>({
      create: ({ signal }) => this.#create(signal),
      destroy: (connection) => this.#destroy(connection),
      validate: (connection) => connection.usable,
      max,
      stripes,
      acquireTimeout: ACQUIRE_TIMEOUT,
      createTimeout: CREATE_TIMEOUT,
      destroyTimeout: DEADLINE,
      observer: {
        destroyed: ({ error }) => {
          if (error !== undefined) this.#wrongs.push(error);
        },
      },
    });
  }

  /** Lets `fault` happen under load, and checks that nothing comes of it. */
  static async run(
    fault: (rig: FaultRig) => Promise<void>,
    options: RigOptions = {},
  ): Promise<RigCounts> {
    await using server = await PostgresServer.create(options.settings);
    await using proxy = await TcpProxy.create(server.port);
    const rig = new FaultRig(server, proxy, options);
    const watch = rig.#watch();
    await until(() => rig.#looks > 0);
    const load = Array.from({ length: CLIENTS }, () => rig.#client());
    try {
      await rig.whole();
      await fault(rig);
      await rig.whole();
      rig.#loaded.abort();
      await inTime("The load", Promise.all(load));
      await inTime("The close", rig.pool.close());
      await rig.#check();
    } finally {
      rig.#loaded.abort();
      rig.#watched.abort();
      await watch;
    }
    return rig.counts;
  }

  /** Waits until the pool has all the connections it can, and they serve. */
  async whole(): Promise<void> {
    const enough = this.counts.answered + 20 * this.#reach;
    await until(() => {
      const { idle, used } = this.pool.stats();
      return idle + used === this.#reach && this.counts.answered >= enough;
    }, { deadline: DEADLINE });
  }

  /** Waits until that has happened so many times more. */
  async more(what: keyof RigCounts, times: number): Promise<void> {
    const enough = this.counts[what] + times;
    await until(() => this.counts[what] >= enough, { deadline: DEADLINE });
  }

  /** Holds the load back, until `unpause`; then all connections are idle. */
  async pause(): Promise<void> {
    this.#paused = true;
    await until(() => this.pool.stats().idle === this.#reach);
  }

  unpause(): void {
    this.#paused = false;
  }

  /** Kills every backend of the pool, at the server. */
  async terminate(): Promise<void> {
    const killed = await this.#census!.terminate(this.pool.stats().max);
    assertEquals(killed, this.#reach);
  }

  async #create(signal: AbortSignal): Promise<PostgresConnection> {
    const url = new URL(this.server.url);
    url.port = `${this.proxy.port}`;
    const connection = await PostgresConnection.open(url.href, {
      name: NAME,
      signal,
    });
    this.counts.created++;
    return connection;
  }

  /**
   * Settles when the server has forgotten the connection: behind a proxy it
   * may still count what has long hung up here.
   */
  async #destroy(connection: PostgresConnection): Promise<void> {
    await connection.close();
    // The look that is under way may be older than this.
    const next = this.#looks + 2;
    await until(
      () => this.#looks >= next && !this.#pids.includes(connection.pid),
      { deadline: DEADLINE },
    );
    this.counts.destroyed++;
  }

  async #client(): Promise<void> {
    while (!this.#loaded.signal.aborted) {
      if (this.#paused) {
        await delay(5);
        continue;
      }
      const impatient = ++this.counts.acquires % 20 === 0;
      const patience = impatient ? AbortSignal.timeout(PATIENCE) : undefined;
      try {
        const lease = await this.pool.acquire({ signal: patience });
        this.counts.granted++;
        await this.#ask(lease);
      } catch (error) {
        if (error === patience?.reason) this.counts.aborted++;
        else this.counts.rejected++;
        await delay(PATIENCE);
      }
    }
  }

  async #ask(lease: Lease<PostgresConnection>): Promise<void> {
    const question = this.counts.granted;
    try {
      const answer = lease.value.query<{ answer: number }>(
        "select $1::int as answer, pg_sleep(0.002)",
        [question],
      );
      const [row] = await deadline(answer, QUERY_TIMEOUT);
      this.counts.answered++;
      lease.release();
      if (row?.answer !== question) this.#wrongs.push("an answer went astray");
    } catch {
      this.counts.unanswered++;
      lease.destroy();
    }
  }

  /** Asks the server again and again which connections it counts. */
  async #watch(): Promise<void> {
    while (!this.#watched.signal.aborted) {
      try {
        await using census = await PostgresCensus.open(this.server.url, {
          name: NAME,
          signal: AbortSignal.timeout(CREATE_TIMEOUT),
        });
        this.#census = census;
        await this.#look(census);
      } catch {
        // The server is down, and counts none.
        this.#pids = [];
        this.#looks++;
        await delay(10);
      }
    }
  }

  async #look(census: PostgresCensus): Promise<void> {
    while (!this.#watched.signal.aborted) {
      this.#pids = await census.pids();
      this.#looks++;
      this.counts.peak = Math.max(this.counts.peak, this.#pids.length);
      await delay(5);
    }
  }

  async #check(): Promise<void> {
    const { counts, pool } = this;
    const { granted, aborted, rejected } = counts;
    assertEquals(granted + aborted + rejected, counts.acquires);
    assertEquals(counts.answered + counts.unanswered, counts.granted);
    const { stripes, max, ...rest } = pool.stats();
    const none = {
      ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
      ...{ pending: 0, waiting: 0, validating: 0 },
    };
    assertEquals(rest, none);
    for (const { max: _, ...rest } of stripes) assertEquals(rest, none);
    assertEquals(counts.destroyed, counts.created);
    const next = this.#looks + 2;
    await until(() => this.#looks >= next);
    assertEquals(this.#pids, []);
    assertLessOrEqual(counts.peak, max);
    assertEquals(this.#wrongs, []);
  }
}

/** Rejects, and names it, if it fails or does not end within `DEADLINE`. */
async function inTime(name: string, promise: Promise<unknown>): Promise<void> {
  try {
    await deadline(promise, DEADLINE);
  } catch (cause) {
    throw new Error(`${name} failed or took over ${DEADLINE} ms`, { cause });
  }
}
