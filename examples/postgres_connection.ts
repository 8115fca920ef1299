/** One connection to PostgreSQL, as a resource of a pool. */

import { Socket } from "node:net";
import pg from "pg";

/** How long the server may take to hang up before we do, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

export class PostgresConnection {
  readonly #client: pg.Client;
  readonly #socket = new Socket();
  readonly #ended: Promise<void>;
  #usable = true;

  private constructor(url: string, name: string, lost: () => void) {
    const target = new URL(url);
    target.searchParams.set("application_name", name);
    this.#client = new pg.Client({
      connectionString: target.href,
      stream: () => this.#socket,
    });
    this.#ended = new Promise((resolve) => this.#client.once("end", resolve));
    // Without a listener, the death of an idle connection ends the process.
    const onEnd = () => {
      this.#usable = false;
      lost();
    };
    this.#client.on("error", onEnd).on("end", onEnd);
  }

  /**
   * Connects; `signal` breaks off the attempt, wherever it has got to, and
   * `lost` is called when the connection has ended.
   */
  static async open(
    url: string,
    { name, signal, lost = () => {} }: {
      name: string;
      signal: AbortSignal;
      lost?: () => void;
    },
  ): Promise<PostgresConnection> {
    signal.throwIfAborted();
    const connection = new PostgresConnection(url, name, lost);
    const abort = () => connection.#socket.destroy(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await connection.#client.connect();
      return connection;
    } catch (error) {
      connection.#socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** False from the moment we know that the connection is lost. */
  get usable(): boolean {
    return this.#usable;
  }

  /** The process that serves this connection. */
  get pid(): number {
    return this.#client.processID;
  }

  async query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#client.query(text, values);
    return rows;
  }

  /**
   * Settles when the server has hung up, which it does after it has stopped
   * counting this connection. So a pool that waits for it keeps within `max`
   * by the server's count too.
   */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT);
    if (this.#usable) this.#client.end();
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Whether an error of a query means that its connection is lost. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true;
  const { code = "" } = error as { code?: string };
  // Classes of SQLSTATE: connection exception, operator intervention.
  return code.startsWith("08") || code.startsWith("57P");
}
