import { EventEmitter } from "node:events";
import type { AcquireOptions } from "../pool_options.ts";
import type { PromiseConnection } from "./driver.ts";
import type { Session } from "./session.ts";

const EVENTS = ["connection", "acquire", "enqueue", "release"];

/** What it needs of the pool in the callback shape. */
interface CallbackPool extends EventEmitter {
  session(options?: AcquireOptions): Promise<Session>;
  end(callback: (error?: unknown) => void): void;
  escape(value: unknown): string;
  escapeId(value: unknown): string;
  format(sql: unknown, values: unknown): string;
}

/** The same pool in the shape of mysql2/promise. */
export class PromisePool extends EventEmitter implements AsyncDisposable {
  readonly pool: CallbackPool;

  constructor(pool: CallbackPool) {
    super();
    this.pool = pool;
    for (const event of EVENTS) {
      pool.on(event, (...args) => this.emit(event, ...args));
    }
  }

  async getConnection(options?: AcquireOptions): Promise<PromiseConnection> {
    return held(await this.pool.session(options));
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  query(...args: unknown[]): Promise<unknown> {
    return this.#use((connection) => connection.query(...args));
  }

  execute(...args: unknown[]): Promise<unknown> {
    return this.#use((connection) => connection.execute(...args));
  }

  end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pool.end((error) => error ? reject(error) : resolve());
    });
  }

  escape(value: unknown): string {
    return this.pool.escape(value);
  }

  escapeId(value: unknown): string {
    return this.pool.escapeId(value);
  }

  format(sql: unknown, values: unknown): string {
    return this.pool.format(sql, values);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #use(
    fn: (connection: PromiseConnection) => Promise<unknown>,
  ): Promise<unknown> {
    const connection = await this.getConnection();
    try {
      return await fn(connection);
    } finally {
      connection.release();
    }
  }
}

/** A connection of its own for each holder, who cannot end another's hold. */
function held(session: Session): PromiseConnection {
  const { connection, lease } = session;
  const ifHeld = (act: () => void) => () => {
    if (session.lease === lease) act();
  };
  const release = ifHeld(() => connection.release());
  const end = ifHeld(() => connection.end());
  return Object.assign(connection.promise(), {
    release,
    destroy: ifHeld(() => connection.destroy()),
    end: async () => await end(),
    [Symbol.asyncDispose]: async () => await release(),
  });
}
