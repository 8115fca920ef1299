/**
 * What the pool needs of a client: that of `pg`, its native one, or one like it.
 */
export interface PgClient {
  /** Connects, and calls back. */
  connect(callback: (error: unknown) => void): void;
  /** Says farewell, and calls back when it is over. */
  end(callback: (error?: unknown) => void): void;
  /** Sends a query, and calls back with its result. */
  query(
    text: string,
    callback: (error: unknown, result: unknown) => void,
  ): void;
  /** Listens to an event. */
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** What a client has besides, as far as it has it; the types do not say so. */
export interface PgInternals {
  /** `false` once the connection is lost, and while a query runs. */
  readonly _queryable?: boolean;
  readonly _ending?: boolean;
  readonly readyForQuery?: boolean;
  readonly _queryQueue?: readonly unknown[];
  readonly connection?: {
    on?(event: string, listener: (message: Ready) => void): unknown;
    readonly stream?: { destroy?(): void };
  };
  on(event: string, listener: (error?: unknown) => void): unknown;
  end(callback: () => void): void;
  query(
    query: unknown,
    values: unknown,
    callback: (error: unknown, result: unknown) => void,
  ): void;
  isConnected?(): boolean;
  ref?(): void;
  unref?(): void;
}

/** What the server says when it is ready for a query. */
export interface Ready {
  /** `I` outside of a transaction, `T` inside of one, `E` in a failed one. */
  readonly status?: string;
}

/** A client while it is lent. */
export interface Lent {
  /**
   * Gives the client back; with an error, or `true`, it is ended instead of used
   * again. A second call throws.
   */
  release(error?: Error | boolean | null): void;
  /** As `release()`, unless that has been called. */
  [Symbol.dispose](): void;
  /** As `release()`, unless that has been called; nobody waits for anything. */
  [Symbol.asyncDispose](): void;
}

/** A client of a pool, until it is released. */
export type PoolClient<C> = C & Lent;

/** A row of a result. */
// deno-lint-ignore no-explicit-any -- as in the types of pg
export type QueryRow = Record<string, any>;

/** The result of a query, as far as all queries have it. */
export interface QueryResult<R extends QueryRow = QueryRow> {
  /** The rows, in order. */
  rows: R[];
  /** How many rows there are, or were changed. */
  rowCount: number | null;
  /** The first word of the query. */
  command: string;
  /** Of an insert, what few tables have. */
  oid: number;
  /** The columns. */
  fields: {
    name: string;
    tableID: number;
    columnID: number;
    dataTypeID: number;
    dataTypeSize: number;
    dataTypeModifier: number;
    format: string;
  }[];
}

/** A query as an object; what else is in it is for the client. */
export interface QueryConfig {
  /** The text, with `$1` and so on where values go. */
  text: string;
  /** The values. */
  // deno-lint-ignore no-explicit-any -- as in the types of pg
  values?: any[] | undefined;
  /** Names a prepared statement. */
  name?: string | undefined;
  /**
   * Cancels the query, which then rejects with `signal.reason`. One that runs
   * already costs its connection: that is ended at once and never used again. The
   * server may go on with the query until it sees that
   * (`client_connection_check_interval`).
   */
  signal?: AbortSignal | undefined;

  /** What the client takes, as `rowMode` and `types`. */
  // deno-lint-ignore no-explicit-any -- else no interface would do, as pg's
  [option: string]: any;
}
