import { EventEmitter } from "node:events";
import type { AcquireOptions } from "../pool_options.ts";
import type { Callback, PromiseConnection } from "./driver.ts";
import type { Session } from "./session.ts";

const EVENTS = ["connection", "acquire", "enqueue", "release"];

/** What it needs of the pool in the callback shape. */
interface CallbackPool extends EventEmitter {
  session(options?: AcquireOptions): Promise<Session>;
  query(sql: unknown, values: unknown, done: Callback): unknown;
  execute(sql: unknown, values: unknown, done: Callback): void;
  end(callback: (error?: unknown) => void): void;
  escape(value: unknown): string;
  escapeId(value: unknown): string;
  format(sql: unknown, values: unknown): string;
}

/** The same pool in the shape of mysql2/promise. */
export class PromisePool extends EventEmitter implements AsyncDisposable {
  readonly pool: CallbackPool;
  /** The class of the promises that are returned. */
  readonly Promise: PromiseConstructor;

  constructor(pool: CallbackPool, Wanted: PromiseConstructor) {
    super();
    this.pool = pool;
    this.Promise = Wanted;
    for (const event of EVENTS) {
      const tell = (...args: unknown[]) => this.emit(event, ...args);
      const isUnheard = (name: unknown) =>
        name === event && this.listenerCount(event) === 0;
      this.on("newListener", (name) => {
        if (isUnheard(name)) pool.on(event, tell);
      });
      this.on("removeListener", (name) => {
        if (isUnheard(name)) pool.off(event, tell);
      });
    }
  }

  getConnection(options?: AcquireOptions): Promise<PromiseConnection> {
    return new this.Promise((resolve, reject) => {
      this.pool.session(options)
        .then((session) => held(session, this.Promise))
        .then(resolve, reject);
    });
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  query(sql: unknown, values?: unknown): Promise<unknown> {
    return this.#ask(values, (done) => this.pool.query(sql, values, done));
  }

  execute(sql: unknown, values?: unknown): Promise<unknown> {
    return this.#ask(values, (done) => this.pool.execute(sql, values, done));
  }

  end(): Promise<void> {
    return new this.Promise((resolve, reject) => {
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

  /** The rows and fields of an answer; its errors tell who asked. */
  #ask(
    values: unknown,
    ask: (done: Callback) => unknown,
  ): Promise<[rows: unknown, fields: unknown]> {
    if (typeof values === "function") {
      throw new TypeError("A pool of promises takes no callback");
    }
    const asked = new Error();
    return new this.Promise((resolve, reject) => {
      ask((error, rows, fields) => {
        if (!error) return resolve([rows, fields]);
        if (error instanceof Error) {
          const callers = asked.stack!.split("\n").slice(1).join("\n");
          error.stack = `${error.name}: ${error.message}\n${callers}`;
        }
        reject(error);
      });
    });
  }
}

/** A connection of its own for each holder, who cannot end another's hold. */
function held(
  session: Session,
  Wanted: PromiseConstructor,
): PromiseConnection {
  const { connection, lease } = session;
  const ifHeld = (act: () => void) => () => {
    if (session.lease === lease) act();
  };
  const release = ifHeld(() => connection.release());
  const end = ifHeld(() => connection.end());
  return Object.assign(connection.promise(Wanted), {
    release,
    destroy: ifHeld(() => connection.destroy()),
    end: async () => await end(),
    [Symbol.asyncDispose]: async () => await release(),
  });
}
