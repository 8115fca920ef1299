import { EventEmitter } from "node:events";
import { Check, FUNCTION, OBJECT } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Leases } from "../drop_in/leases.ts";
import type { Lease } from "../lease.ts";
import { Pool as ClientPool } from "../pool.ts";
import {
  AcquireTimeoutError,
  CallTimeoutError,
  PoolClosedError,
} from "../pool_error.ts";
import type { AcquireOptions, CreateContext } from "../pool_options.ts";
import type { PoolStats } from "../pool_stats.ts";
import { SystemClock } from "../system_clock.ts";
import type {
  Lent,
  PgClient,
  PgInternals,
  PoolClient,
  QueryConfig,
  QueryResult,
  QueryRow,
} from "./client.ts";
import { Connection } from "./connection.ts";
import { Eviction } from "./eviction.ts";
import {
  type ClientClass,
  type PgPoolOptions,
  settle,
  type SettledOptions,
} from "./pool_options.ts";

/** How long a client may take to be fit for the next, in ms. */
const PATIENCE = 5_000;

/**
 * What `DISCARD ALL` is made of, less what ends prepared statements: a client
 * believes that it still has them. Measured on busy cores, with one of them run
 * in between, it takes 0.7 ms, and `DISCARD ALL` with a new one 1.0 ms.
 */
const RESET = [
  "set session authorization default",
  "reset all",
  "close all",
  "unlisten *",
  "select pg_advisory_unlock_all()",
  "discard temp",
  "discard sequences",
].join("; ");

/** How `connect` calls back. */
export type ConnectCallback<C> = (
  error: Error | undefined,
  client: PoolClient<C> | undefined,
  release: Lent["release"],
) => void;

/** How `query` calls back. */
export type QueryCallback<R extends QueryRow> = (
  error: Error,
  result: QueryResult<R>,
) => void;

/**
 * A pool of clients of `pg`, in the place of its own. It emits
 *
 * - `connect`, with a client that has connected
 * - `acquire`, with one that is lent
 * - `release`, with an error or `undefined`, and one that is given back
 * - `remove`, with one that has ended
 * - `error`, with an error, whose `client` is set, and one that failed while idle;
 *   not where nobody listens
 *
 * @example
 * ```ts
 * import { EventEmitter } from "node:events";
 * import { Pool } from "@lease/pool/pg";
 *
 * // In the place of pg.Client, as there is no server here.
 * class Client extends EventEmitter {
 *   connect(callback: (error?: Error) => void) {
 *     callback();
 *   }
 *   end(callback: () => void) {
 *     callback();
 *   }
 *   query(text: string, ...rest: unknown[]) {
 *     const callback = rest.at(-1) as (error: unknown, result: object) => void;
 *     callback(undefined, { rows: [{ text }] });
 *   }
 * }
 *
 * await using pool = new Pool({ max: 2 }, Client);
 * const { rows } = await pool.query("select 1");
 * console.log(rows[0]?.text, pool.totalCount, pool.idleCount); // select 1 1 1
 *
 * await using client = await pool.connect();
 * console.log(pool.idleCount, client instanceof Client); // 0 true
 * ```
 */
export class Pool<C extends PgClient = PgClient> extends EventEmitter
  implements AsyncDisposable {
  /** A copy of the options, with defaults. */
  readonly options: SettledOptions;
  /** What makes clients. */
  readonly Client: ClientClass<C>;
  /** The class of the promises that are returned. */
  readonly Promise: PromiseConstructor;
  /** Whether `end` has been called. */
  ending = false;
  /** Whether it has ended. */
  ended = false;
  readonly #settled: PgPoolOptions<C> & SettledOptions;
  readonly #pool: ClientPool<C>;
  readonly #clock: Clock;
  /** Only with a `min`: what a pool keeps at least it would also replace. */
  readonly #eviction: Eviction<C> | undefined;
  /** Invariant: those that have connected and are not ending. */
  readonly #connections = new Map<C, Connection<C>>();

  /**
   * Connects nothing: that is done when somebody needs a client.
   *
   * @throws {TypeError} if there is no `Client`, or an option is of the wrong kind
   * @throws {RangeError} if an option is out of range
   */
  constructor(options?: PgPoolOptions<C>, Client?: ClientClass<C>);
  /** As the other, with options of the type that `pg.Pool` takes. */
  // deno-lint-ignore no-explicit-any -- that type knows of no clients but pg's
  constructor(options: PgPoolOptions<any> | undefined, Client: ClientClass<C>);
  constructor(options: PgPoolOptions<C> = {}, Client?: ClientClass<C>) {
    super();
    const check = new Check("Cannot create pool");
    check.that("options", options, OBJECT);
    const settled = settle(options);
    const life = settled.maxLifetimeSeconds * 1_000;
    const limit = Number(settled.connectionTimeoutMillis || Infinity);
    const type = settled.Client ?? Client;
    check.that("Client", type, FUNCTION);
    this.options = settled;
    this.#settled = settled;
    this.Client = type!;
    this.Promise = (settled.Promise ?? Promise) as PromiseConstructor;
    this.#clock = settled.clock ?? new SystemClock();
    // Of one millisecond less, as theirs ends what is as old as its limit.
    const idleTimeout = Math.max(settled.idleTimeoutMillis || Infinity, 1) - 1;
    this.#pool = new ClientPool<C>({
      create: (context) => this.#create(context),
      destroy: (client, { signal }) => this.#destroy(client, signal),
      // As there, it may be Infinity.
      max: Math.min(settled.max, Number.MAX_SAFE_INTEGER),
      idleTimeout: settled.min > 0 ? Infinity : idleTimeout,
      maxLifetime: life || Infinity,
      maxUses: settled.maxUses,
      acquireTimeout: limit,
      createTimeout: limit,
      createRetry: settled.createRetry ?? false,
      name: settled.name ?? "pg",
      observer: settled.observer,
      clock: this.#clock,
    });
    if (settled.min > 0 && idleTimeout < Infinity) {
      this.#eviction = new Eviction(
        this.#pool,
        this.#clock,
        settled.min,
        idleTimeout,
      );
    }
  }

  /** How many clients there are, those that connect included. */
  get totalCount(): number {
    const { idle, used, creating } = this.#pool.stats();
    return idle + used + creating;
  }

  /** How many clients are idle. */
  get idleCount(): number {
    return this.#pool.stats().idle;
  }

  /** How many wait for whom no client connects. */
  get waitingCount(): number {
    return this.#pool.stats().waiting;
  }

  /** How many clients are lent that are older than `maxLifetimeSeconds`. */
  get expiredCount(): number {
    const life = this.options.maxLifetimeSeconds * 1_000 || Infinity;
    const leases = [...this.#connections.values()].map(({ lease }) => lease);
    return leases.filter((lease) => lease && lease.age >= life).length;
  }

  /** The clients that have connected, for code that looks into pg-pool. */
  get _clients(): C[] {
    return [...this.#connections.keys()];
  }

  /**
   * The pool of `@lease/pool` beneath: `leases.observe(observer)` tells what
   * happens, and `inspect`, and `watch` of an `otelObserver`, take it.
   *
   * @example
   * ```ts ignore
   * import pg from "pg";
   * import { inspect } from "@lease/pool/inspect";
   * import { Pool } from "@lease/pool/pg";
   *
   * await using pool = new Pool({ connectionString, name: "orders" }, pg.Client);
   * Deno.serve(inspect([pool.leases], { authorize }));
   * ```
   */
  get leases(): Leases<C> {
    return this.#pool;
  }

  /** Counts, now: as of the pool of `@lease/pool`. */
  stats(): PoolStats {
    return this.#pool.stats();
  }

  /**
   * Resolves with a client, which must be released, or calls back with it, never
   * synchronously: what the callback throws is uncaught.
   *
   * Rejects with `signal.reason` when the signal aborts, with an
   * `AcquireTimeoutError` after `connectionTimeoutMillis`, with a
   * `PoolClosedError` once `end` has been called, and with what a connect, or a
   * hook, failed with.
   */
  connect(options?: AcquireOptions): Promise<PoolClient<C>>;
  /** As the other, with a callback. */
  connect(callback: ConnectCallback<C>): void;
  connect(
    given?: AcquireOptions | ConnectCallback<C>,
  ): Promise<PoolClient<C>> | void {
    const [options, callback] = typeof given === "function"
      ? [undefined, given]
      : [given ?? undefined, undefined];
    return this.#answer<PoolClient<C>>(
      (resolve, reject) => {
        const lent = ({ client }: Connection<C>) =>
          resolve(client as PoolClient<C>);
        this.#acquire(options).then(lent, reject);
      },
      callback &&
        ((error, client) =>
          callback(error as Error, client, client?.release ?? (() => {}))),
      options?.signal,
    );
  }

  /**
   * Runs a query on a client of the pool. One that fails does not cost the client,
   * as long as its connection is well.
   *
   * Rejects with what the query fails with, and as `connect` does.
   */
  query<R extends QueryRow = QueryRow>(
    query: string | QueryConfig,
    // deno-lint-ignore no-explicit-any -- as in the types of pg
    values?: any[],
  ): Promise<QueryResult<R>>;
  /** As the first, with a callback. */
  query<R extends QueryRow = QueryRow>(
    query: string | QueryConfig,
    callback: QueryCallback<R>,
  ): void;
  /** As the first, with values and a callback. */
  query<R extends QueryRow = QueryRow>(
    query: string | QueryConfig,
    // deno-lint-ignore no-explicit-any -- as in the types of pg
    values: any[] | undefined,
    callback: QueryCallback<R>,
  ): void;
  query(
    query: unknown,
    values?: unknown,
    callback?: unknown,
  ): Promise<unknown> | void {
    if (typeof values === "function") [values, callback] = [undefined, values];
    if (typeof query === "function") callback = query;
    return this.#answer(
      (resolve, reject) => {
        if (typeof query === "function") {
          const act = "Passing a function as the first parameter to pool.query";
          return reject(new Error(`${act} is not supported`));
        }
        this.#query(query, values, resolve, reject);
      },
      callback as ((error: unknown, result?: unknown) => void) | undefined,
      Object(query).signal,
    );
  }

  /**
   * Refuses newcomers, serves those who wait, ends what is idle or released, and
   * resolves when all clients have ended. A second call rejects.
   */
  end(): Promise<void>;
  /** As the other, with a callback. */
  end(callback: (error?: Error) => void): void;
  end(callback?: (error?: Error) => void): Promise<void> | void {
    const isAgain = this.ending;
    const closing = this.#close();
    return this.#answer<void>(
      (resolve, reject) => {
        if (isAgain) reject(new Error("Called end on pool more than once"));
        else closing.then(resolve, reject);
      },
      callback as ((error: unknown) => void) | undefined,
    );
  }

  /** As `end()`, but as often as one likes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  async #close(): Promise<void> {
    if (!this.ending) this.#log("ending");
    this.ending = true;
    this.#eviction?.stop();
    try {
      await this.#pool.close({ serve: true });
    } finally {
      this.ended = true;
    }
  }

  /** Gives a promise, or calls back, out of reach of what a callback throws. */
  #answer<R>(
    act: (
      resolve: (result: R) => void,
      reject: (error: unknown) => void,
    ) => void,
    callback: ((error: unknown, result?: R) => void) | undefined,
    signal?: AbortSignal,
  ): Promise<R> | void {
    // As there, `null` is none.
    if (!callback) {
      return new this.Promise<R>(act).catch((error) => {
        if (error !== signal?.reason) retrace(error);
        throw error;
      });
    }
    act(
      (result) => queueMicrotask(() => callback(undefined, result)),
      (error) => queueMicrotask(() => callback(error)),
    );
  }

  async #acquire(options?: AcquireOptions): Promise<Connection<C>> {
    try {
      return this.#lend(await this.#pool.acquire(options));
    } catch (error) {
      throw inTheirWords(error);
    }
  }

  #lend(lease: Lease<C>): Connection<C> {
    const connection = this.#connections.get(lease.value)!;
    const { client } = connection;
    connection.lease = lease;
    connection.isUnheard = false;
    if (this.options.allowExitOnIdle) connection.ref();
    const dispose = () => void this.#release(connection, lease);
    const lent: Lent = {
      release: (error) => {
        if (this.#release(connection, lease, error, Boolean(error))) return;
        throw new Error(
          "Release called on client which has already been released to the pool.",
        );
      },
      [Symbol.dispose]: dispose,
      [Symbol.asyncDispose]: dispose,
    };
    Object.assign(client, lent);
    this.#tell("acquire", client);
    return connection;
  }

  #query(
    query: unknown,
    values: unknown,
    resolve: (result: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const { signal } = Object(query) as Partial<QueryConfig>;
    const run = (connection: Connection<C>) => {
      const { client, lease } = connection;
      const end = (error: unknown, isBad: boolean) => {
        signal?.removeEventListener("abort", abort);
        return this.#release(connection, lease!, error, isBad);
      };
      const abort = () => {
        if (end(signal!.reason, true)) reject(signal!.reason);
      };
      signal?.addEventListener("abort", abort);
      const done = (error: unknown, result?: unknown) => {
        if (!end(error, false)) return;
        if (error) reject(error);
        else resolve(result);
      };
      this.#log("dispatching query");
      try {
        (client as unknown as PgInternals).query(query, values, done);
      } catch (error) {
        done(error);
      }
    };
    this.#acquire(signal && { signal }).then(run, reject);
  }

  /** Takes back what is lent; `false` if it has been already. */
  #release(
    connection: Connection<C>,
    lease: Lease<C>,
    error?: unknown,
    isBad = false,
  ): boolean {
    if (connection.lease !== lease) return false;
    connection.lease = undefined;
    // Who is told of an error may have been told of its end.
    connection.isUnheard = !error;
    this.#tell("release", error, connection.client);
    if (isBad || !connection.isFit) {
      void connection.end();
      lease.destroy();
    } else if (lease.uses + 1 >= this.options.maxUses) {
      this.#log("remove expended client");
      void connection.end();
      lease.release();
    } else if (connection.isClean && !this.options.reset) {
      this.#giveBack(connection, lease);
    } else {
      // Of what the server did not refuse, nobody knows when it ends.
      const isRefused = !error || Object(error).severity !== undefined;
      void this.#clean(connection, lease, isRefused ? PATIENCE : 0);
    }
    return true;
  }

  /** Makes it fit for the next, whoever that is; in vain, it is ended. */
  async #clean(
    connection: Connection<C>,
    lease: Lease<C>,
    patience: number,
  ): Promise<void> {
    const timer = this.#clock.setTimeout(() => lease.destroy(), patience);
    try {
      await connection.settle();
      if (connection.isInTransaction) await connection.query("rollback");
      if (this.options.reset) await connection.query(RESET);
      this.#giveBack(connection, lease);
    } catch (error) {
      this.#log(`client cannot be used again: ${error}`);
      lease.destroy();
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  #giveBack(connection: Connection<C>, lease: Lease<C>): void {
    if (this.options.allowExitOnIdle) connection.unref();
    connection.isUnheard = true;
    lease.release();
    this.#eviction?.watch();
  }

  async #create({ signal, lost }: CreateContext): Promise<C> {
    const { onConnect, verify, allowExitOnIdle } = this.#settled;
    this.#log("connecting new client");
    const client = new this.Client(this.options);
    const connection = new Connection(client, (error) => {
      lost(error);
      this.#lost(connection, error);
    });
    signal.addEventListener("abort", () => connection.breakOff());
    try {
      await connection.open();
      signal.throwIfAborted();
    } catch (error) {
      this.#log("client failed to connect");
      connection.breakOff();
      throw error;
    }
    try {
      await onConnect?.(client);
      if (verify !== undefined) {
        await new Promise<void>((resolve, reject) =>
          verify(client, (error) => error ? reject(error) : resolve())
        );
      }
    } catch (error) {
      // What that fails with would hide why.
      await connection.end().catch(() => {});
      throw error;
    }
    this.#log("new client connected");
    this.#connections.set(client, connection);
    this.#tell("connect", client);
    if (allowExitOnIdle) connection.unref();
    return client;
  }

  async #destroy(client: C, signal: AbortSignal): Promise<void> {
    const connection = this.#connections.get(client)!;
    this.#connections.delete(client);
    signal.addEventListener("abort", () => connection.breakOff());
    await connection.end();
    this.#tell("remove", client);
  }

  /** A client has failed or ended by itself; its user hears of it from it. */
  #lost(connection: Connection<C>, error: unknown): void {
    const { client, isUnheard } = connection;
    if (!isUnheard || error === undefined) return;
    Reflect.defineProperty(Object(error), "client", {
      value: client,
      configurable: true,
      writable: true,
    });
    if (this.listenerCount("error") > 0) this.#tell("error", error, client);
  }

  /** What a listener throws is uncaught, and stops nothing here. */
  #tell(event: string, ...args: unknown[]): void {
    outside(() => this.emit(event, ...args));
  }

  #log(message: string): void {
    outside(() => this.#settled.log?.(message));
  }
}

function outside(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The stack leads to who awaits it, as there, and not to a socket or a timer. */
function retrace(error: unknown): void {
  if (!(error instanceof Error) || !Object.isExtensible(error)) return;
  Error.captureStackTrace(error);
}

/** Our errors begin with the words that code for pg-pool looks for. */
function inTheirWords(error: unknown): unknown {
  if (error instanceof AcquireTimeoutError) {
    const words = "timeout exceeded when trying to connect";
    return new AcquireTimeoutError(`${words}: ${error.message}`, error);
  }
  if (error instanceof CallTimeoutError) {
    const words = "Connection terminated due to connection timeout";
    return new CallTimeoutError(
      `${words}: ${error.message}`,
      error,
      error.code,
    );
  }
  if (error instanceof PoolClosedError) {
    const words = "Cannot use a pool after calling end on the pool";
    return new PoolClosedError(`${words}: ${error.message}`, error);
  }
  return error;
}
