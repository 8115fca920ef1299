import { EventEmitter } from "node:events";
import { createPool, type MoreOptions } from "../src/mysql2/mod.ts";
import { VirtualClock } from "./virtual_clock.ts";

type Answer = (
  error: Error | null,
  rows?: unknown,
  fields?: unknown,
) => unknown;

const [IN_TRANSACTION, AUTOCOMMIT] = [1, 2];

/** Errors of the driver's or the server's own. */
export function failure(message: string, details: object = {}): Error {
  return Object.assign(new Error(message), details);
}

/** A command in mysql2's way: by a callback, or by events. */
class FakeCommand extends EventEmitter {
  onResult: Answer | undefined;

  constructor(readonly sql: string, answer: unknown) {
    super();
    this.onResult = answer as Answer | undefined;
  }
}

class FakeStream extends EventEmitter {
  isClosed = false;

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.emit("close"));
  }
}

/**
 * A connection that answers in the order it was asked: `begin`, `commit` and
 * `rollback` do that, `off` ends autocommit, `fail` fails, `hang` is not
 * answered, `read-only` says that the server is; all else is one row.
 */
export class FakeConnection extends EventEmitter {
  readonly stream: FakeStream = new FakeStream();
  readonly log: string[] = [];
  readonly id: number;
  readonly options: Record<string, unknown>;
  readonly #driver: FakeDriver;
  #queue: FakeCommand[] = [];
  #status: number;

  constructor(driver: FakeDriver, options: Record<string, unknown>) {
    super();
    this.#driver = driver;
    this.options = options;
    this.id = driver.connections.push(this);
    this.#status = driver.status;
    this.stream.on("close", () => this.#fail());
  }

  connect(answer: (error: unknown, handshake?: object) => void): void {
    const { refusal } = this.#driver;
    this.stream.once("close", () => answer(failure("closed")));
    if (refusal === "hang") return;
    const handshake = { statusFlags: this.#status };
    queueMicrotask(() => refusal ? answer(refusal) : answer(null, handshake));
  }

  addCommand(command: FakeCommand): FakeCommand {
    if (this.#queue.push(command) === 1) this.#next();
    return command;
  }

  query(sql: unknown, values?: unknown, answer?: unknown): FakeCommand {
    if (sql === "throw") throw failure("thrown");
    const command = sql instanceof FakeCommand
      ? sql
      : new FakeCommand(String(sql), answer ?? values);
    if (command.sql === "throw") throw failure("thrown");
    return this.addCommand(command);
  }

  execute(...args: unknown[]): FakeCommand {
    const answer = args.find((arg) => typeof arg === "function");
    return this.query(args[0], answer);
  }

  rollback(answer: Answer): void {
    this.query("rollback", answer);
  }

  reset(answer: Answer): void {
    this.query("reset", answer);
  }

  end(_callback?: () => void): void {
    this.query("quit");
  }

  destroy(): void {
    throw failure("the driver's own would leave commands unanswered");
  }

  release(): void {
    throw failure("the driver has none");
  }

  promise(Wanted: PromiseConstructor): FakePromiseConnection {
    return new FakePromiseConnection(this, Wanted);
  }

  /** Asks by a promise. */
  ask(sql: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.query(
        sql,
        (error: Error | null, rows: unknown) =>
          error ? reject(error) : resolve(rows),
      );
    });
  }

  #next(): void {
    const command = this.#queue[0];
    if (command === undefined) return;
    const { sql } = command;
    this.log.push(sql);
    if (sql === "hang") return;
    queueMicrotask(() => {
      if (this.#queue[0] !== command) return;
      this.#queue.shift();
      if (sql === "quit") this.stream.destroy();
      else if (sql === "fail") this.#answer(command, failure("failed"));
      else if (sql === "read-only") {
        this.#answer(command, failure("read-only", { errno: 1290 }));
      } else this.#succeed(command);
      this.#next();
    });
  }

  #succeed(command: FakeCommand): void {
    if (command.sql === "begin") this.#status |= IN_TRANSACTION;
    if (command.sql === "off") this.#status &= ~AUTOCOMMIT;
    if (/commit|rollback/.test(command.sql)) this.#status &= ~IN_TRANSACTION;
    if (/begin|off|commit|rollback/.test(command.sql)) {
      command.emit("result", { serverStatus: this.#status });
    } else if (command.onResult === undefined) {
      command.emit("result", { serverStatus: IN_TRANSACTION }, 0);
    }
    this.#answer(command, null);
  }

  #answer(command: FakeCommand, error: Error | null): void {
    if (command.onResult) command.onResult(error, [command.sql], ["field"]);
    else if (error) command.emit("error", error);
    command.emit("end");
  }

  #fail(): void {
    const error = failure("connection lost", { fatal: true });
    for (const command of this.#queue.splice(0)) command.onResult?.(error);
    this.emit("error", error);
  }
}

/** What `promise()` of a connection gives. */
export class FakePromiseConnection {
  constructor(
    readonly connection: FakeConnection,
    readonly Wanted: PromiseConstructor,
  ) {}

  query(sql: string): Promise<unknown[]> {
    return this.connection.ask(sql).then((rows) => [rows]);
  }

  execute(sql: string): Promise<unknown[]> {
    return this.query(sql);
  }

  release(): void {}

  end(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): void {}

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

interface FakePromises extends EventEmitter, AsyncDisposable {
  readonly pool: FakePool;
  getConnection(): Promise<FakePromiseConnection>;
  releaseConnection(connection: FakePromiseConnection): void;
  query(sql: string, values?: unknown): Promise<unknown[]>;
  execute(sql: string, values?: unknown): Promise<unknown[]>;
  end(): Promise<void>;
  escape(value: unknown): string;
  escapeId(value: unknown): string;
  format(sql: string, values: unknown): string;
}

interface FakePool extends EventEmitter, Disposable {
  readonly config: Record<string, unknown>;
  getConnection(
    callback: (error: Error | null, connection: FakeConnection) => void,
  ): void;
  releaseConnection(connection: FakeConnection): void;
  query(sql: string, values?: unknown, answer?: Answer): EventEmitter;
  execute(sql: string, values?: unknown, answer?: Answer): void;
  end(callback?: (error?: unknown) => void): void;
  promise(Wanted?: PromiseConstructor): FakePromises;
  escape(value: unknown): string;
  escapeId(value: unknown): string;
  format(sql: string, values: unknown): string;
}

/** mysql2 without a server. */
export class FakeDriver {
  readonly connections: FakeConnection[] = [];
  /** How the next connects fail, if they do. */
  refusal: unknown;
  /** What the server says of itself to who connects. */
  status: number = AUTOCOMMIT;

  readonly createConnection = (
    options: Record<string, unknown>,
  ): FakeConnection => new FakeConnection(this, options);

  readonly createPool = (_options: object): FakePool => {
    throw failure("of use for its type only");
  };

  readonly Connection = {
    createQuery: (
      sql: string,
      values: unknown,
      answer: unknown,
      _options: object,
    ): object =>
      new FakeCommand(sql, typeof values === "function" ? values : answer),
  };

  readonly escape = (...args: unknown[]): string => args.join();
  readonly escapeId = (...args: unknown[]): string => args.join();
  readonly format = (...args: unknown[]): string => args.join();
}

/** A pool of a driver and on a clock that the test controls. */
export function fakes(
  options: string | object = {},
  more: MoreOptions<FakeDriver> = {},
) {
  const driver = new FakeDriver();
  const clock = new VirtualClock();
  const pool = createPool(options, driver, {
    clock,
    growth: "eager",
    createRetry: false,
    ...more,
  });
  return { driver, clock, pool };
}
