/** What the server itself says about the connections of one application. */

import { PostgresConnection } from "./postgres_connection.ts";

export class PostgresCensus implements AsyncDisposable {
  readonly #connection: PostgresConnection;
  readonly #name: string;
  #peak = 0;
  #samples = 0;

  private constructor(connection: PostgresConnection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /** Counts the connections called `name`, over one with another name. */
  static async open(
    url: string,
    { name, signal }: { name: string; signal: AbortSignal },
  ): Promise<PostgresCensus> {
    const observer = { name: `${name}-census`, signal };
    return new PostgresCensus(
      await PostgresConnection.open(url, observer),
      name,
    );
  }

  /** The most connections that any count has found. */
  get peak(): number {
    return this.#peak;
  }

  get samples(): number {
    return this.#samples;
  }

  /** The processes that serve these connections now. */
  async pids(): Promise<number[]> {
    const rows = await this.#connection.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = $1",
      [this.#name],
    );
    this.#samples++;
    this.#peak = Math.max(this.#peak, rows.length);
    return rows.map(({ pid }) => pid);
  }

  /** Kills the backends of so many connections; returns how many it found. */
  async terminate(limit: number): Promise<number> {
    const rows = await this.#connection.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = $1 order by random() limit $2`,
      [this.#name, limit],
    );
    return rows.length;
  }

  async version(): Promise<string> {
    const [row] = await this.#connection.query<{ server_version: string }>(
      "show server_version",
    );
    return row!.server_version;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}
