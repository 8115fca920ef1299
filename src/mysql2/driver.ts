/** What is used of mysql2, public or not, and not more. */

import type { EventEmitter } from "node:events";

/** The answer to a callback of the driver's: an error, or what there is. */
export type Callback = (error: DriverError | null, ...rest: unknown[]) => void;

/** An error of the driver's own, or of the server. */
export interface DriverError extends Error {
  /** Whether the connection is gone with it. */
  fatal?: boolean;
  /** The server's number of it. */
  errno?: number;
}

/** What a server says when it is connected to. */
export interface Handshake {
  statusFlags: number;
}

/** The header of a result, as of its `result` event. */
export interface Header {
  serverStatus: number;
}

/** A query or another command; it emits `result`, `error` and `end`. */
export interface Command extends EventEmitter {
  onResult?: Callback | undefined;
}

/** A connection, to which a pool adds `release`. */
export interface Connection extends EventEmitter {
  stream: EventEmitter & { destroy(): void };
  addCommand(command: Command): Command;
  connect(
    callback: (error: DriverError | null, handshake: Handshake) => void,
  ): void;
  query(command: Command): Command;
  execute(...args: unknown[]): Command;
  reset(callback: Callback): void;
  rollback(callback: Callback): void;
  end(callback?: () => void): void;
  destroy(): void;
  promise(Wanted: PromiseConstructor): PromiseConnection;
  release(): void;
}

/** What `promise()` of a connection gives. */
export interface PromiseConnection extends AsyncDisposable {
  query(...args: unknown[]): Promise<unknown>;
  execute(...args: unknown[]): Promise<unknown>;
  release(): void;
  end(): Promise<void>;
  destroy(): void;
}

/** The module. */
export interface Module {
  createConnection(options: object): Connection;
  Connection: {
    createQuery(
      sql: unknown,
      values: unknown,
      callback: unknown,
      options: object,
    ): Command;
  };
  escape(value: unknown, stringifyObjects: unknown, timezone: unknown): string;
  escapeId(value: unknown): string;
  format(
    sql: unknown,
    values: unknown,
    stringifyObjects: unknown,
    timezone: unknown,
  ): string;
}
