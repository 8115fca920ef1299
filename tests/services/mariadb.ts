/** A real MariaDB, pools of mysql2's connections to it, and one to ask by. */

import mysql from "mysql2";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import {
  MariaDbServer,
  type MariaDbSettings,
} from "../../examples/mariadb_server.ts";
import {
  createPool,
  type MoreOptions,
  type Pool,
} from "../../src/mysql2/mod.ts";
import { until } from "../fixture.ts";

export type Mysql2 = typeof mysql;

export class MariaDbRig implements AsyncDisposable {
  readonly server: MariaDbServer;
  /** A connection of no pool. */
  #census: Connection;
  readonly #pools: Pool<Mysql2>[] = [];

  private constructor(server: MariaDbServer, census: Connection) {
    this.server = server;
    this.#census = census;
  }

  static async create(settings?: MariaDbSettings): Promise<MariaDbRig> {
    const server = await MariaDbServer.create(settings);
    return new MariaDbRig(server, await createConnection(server.url));
  }

  /** Ours in the place of mysql2's own, ended with the rig. */
  pool(
    options: mysql.PoolOptions = {},
    more?: MoreOptions<Mysql2>,
  ): Pool<Mysql2> {
    const all = { uri: this.server.url, ...options };
    const pool = createPool(all, mysql, more);
    this.#pools.push(pool);
    return pool;
  }

  /** Asks the server, by a connection of no pool. */
  async ask(sql: string, values?: unknown[]): Promise<RowDataPacket[]> {
    const [rows] = await this.#census.query<RowDataPacket[]>(sql, values);
    return rows;
  }

  /** The connections of pools that the server counts, in order. */
  async threads(): Promise<number[]> {
    const rows = await this.ask(
      "select id from information_schema.processlist where id != connection_id() and user = 'root' order by id",
    );
    return rows.map(({ id }) => Number(id));
  }

  /** Kills the connection of this number, and waits until it is gone. */
  async kill(thread: number): Promise<void> {
    await this.ask("kill ?", [thread]);
    await until(async () => !(await this.threads()).includes(thread));
  }

  /** Has the server stopped and started anew. */
  async restart(): Promise<void> {
    this.#census.destroy();
    await this.server.stop();
    await this.server.start();
    this.#census = await createConnection(this.server.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.promise().end()));
    await this.#census.end();
    await this.server[Symbol.asyncDispose]();
  }
}

/** The first row of what is selected on a connection or pool. */
export async function row(
  from: { query(sql: string): Promise<unknown> },
  sql: string,
): Promise<Record<string, unknown>> {
  const [[first]] = await from.query(sql) as [[Record<string, unknown>]];
  return first;
}

/** The number that the server knows a connection by. */
export async function thread(
  from: { query(sql: string): Promise<unknown> },
): Promise<number> {
  return Number((await row(from, "select connection_id() as id")).id);
}
