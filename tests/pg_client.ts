import { EventEmitter } from "node:events";

/** How a server treats those who connect and query. */
export class FakeServer {
  /** What a connect fails with; `"hang"` is never to answer. */
  refusal: Error | "hang" | undefined;
  /** Every client there was, and what it was asked. */
  readonly clients: FakeClient[] = [];
  readonly texts: string[] = [];
  /** What hangs until `answer`; a farewell as `"end"`. */
  readonly hung = new Set<string>();

  /** A class of clients of this server. */
  get Client(): new (options: unknown) => FakeClient {
    // deno-lint-ignore no-this-alias -- a class has its own
    const server = this;
    return class extends FakeClient {
      constructor(options: unknown) {
        super(server, options);
      }
    };
  }

  get last(): FakeClient {
    return this.clients.at(-1)!;
  }
}

/** What a server refuses. */
export class Refusal extends Error {
  readonly severity = "ERROR";
}

type Callback = (error?: Error, result?: unknown) => void;

/** A client of `pg` without a database, which keeps account of a transaction. */
export class FakeClient extends EventEmitter {
  readonly number: number;
  readonly connection = Object.assign(new EventEmitter(), {
    stream: { destroy: () => this.die() },
  });
  readonly #server: FakeServer;
  #status = "I";
  #connecting: Callback | undefined;
  /** What is under way: a query with its text, or a farewell. */
  #current: { text: string; callback: Callback } | undefined;
  #farewell: (() => void) | undefined;
  readyForQuery = false;
  readonly _queryQueue: unknown[] = [];
  _queryable = true;
  _ending = false;
  isRef = true;
  /** Ended without farewell. */
  isDead = false;
  isEnded = false;
  /** How often it was asked to end. */
  ends = 0;

  constructor(server: FakeServer, readonly options: unknown) {
    super();
    this.#server = server;
    this.number = server.clients.push(this);
  }

  connect(callback: Callback): void {
    const { refusal } = this.#server;
    this.#connecting = callback;
    if (refusal === "hang") return;
    queueMicrotask(() => {
      if (refusal !== undefined) return callback(refusal);
      this.#connecting = undefined;
      this.#ready();
      callback();
    });
  }

  query(text: unknown, ...rest: unknown[]): void {
    const callback = rest.at(-1) as Callback;
    if (text === null) throw new TypeError("null or undefined query");
    const words = typeof text === "string"
      ? text
      : (text as { text: string }).text;
    this.#server.texts.push(`${this.number} ${words}`);
    if (this._ending || !this._queryable) {
      return queueMicrotask(() => callback(new Error("not queryable")));
    }
    this.readyForQuery = false;
    this.#current = { text: words, callback };
    if (!this.#server.hung.has(words)) queueMicrotask(() => this.answer());
  }

  /** Ends the query that is under way. */
  answer(): void {
    const { text, callback } = this.#current ?? {};
    if (text === undefined) return;
    this.#current = undefined;
    const isRefused = text.startsWith("bad") || this.#status === "E";
    if (text === "begin") this.#status = "T";
    else if (text === "commit" || text === "rollback") this.#status = "I";
    else if (isRefused && this.#status === "T") this.#status = "E";
    if (isRefused && text !== "rollback") {
      callback!(new Refusal(text));
      return this.#ready();
    }
    this.#ready(() => callback!(undefined, { rows: [{ text }] }));
  }

  /** Fails the query that is under way, and lets it go on. */
  giveUp(error: Error): void {
    this.#current!.callback(error);
  }

  end(callback: () => void): void {
    this._ending = true;
    this.ends++;
    if (this.isEnded) return callback();
    this.#farewell = callback;
    if (this.#current !== undefined) return this.die();
    if (this.#server.hung.has("end")) return;
    queueMicrotask(() => this.#gone());
  }

  /** The connection breaks, with what it says of that. */
  die(error?: Error): void {
    this.isDead = true;
    this._queryable = false;
    const { callback } = this.#current ?? {};
    this.#current = undefined;
    const reason = error ?? new Error("Connection terminated");
    if (callback !== undefined) queueMicrotask(() => callback(reason));
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (connecting !== undefined) connecting(reason);
    else if (!this._ending) this.emit("error", reason);
    queueMicrotask(() => this.#gone());
  }

  ref(): void {
    this.isRef = true;
  }

  unref(): void {
    this.isRef = false;
  }

  #ready(callback?: () => void): void {
    this.connection.emit("readyForQuery", { status: this.#status });
    this.readyForQuery = true;
    callback?.();
    if (this.readyForQuery) this.emit("drain");
  }

  #gone(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.emit("end");
    this.#farewell?.();
  }
}
