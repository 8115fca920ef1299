import { EventEmitter } from "node:events";
import type { Clock } from "../clock.ts";
import type { Lease } from "../lease.ts";
import { Pool } from "../pool.ts";
import { PoolClosedError, PoolFullError } from "../pool_error.ts";
import type {
  AcquireOptions,
  CreateContext,
  DestroyContext,
  PoolOptions,
} from "../pool_options.ts";
import { SystemClock } from "../system_clock.ts";
import type { Callback, Command, Connection, Module } from "./driver.ts";
import { PromisePool } from "./promise_pool.ts";
import { Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** Milliseconds that more than `maxIdle` may be idle, as in mysql2. */
const GRACE = 1_000;

/** Milliseconds that a connection may take to be made fit for the next. */
const PATIENCE = 5_000;

/** Why a connection ends that would not hear a farewell. */
const ENDED = ["lost", "invalid"];

/** A pool in the shape of mysql2's own. */
export class CallbackPool extends EventEmitter implements Disposable {
  readonly leases: Pool<Connection>;
  readonly #driver: Module;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #sessions = new WeakMap<Connection, Session>();
  #promises: PromisePool | undefined;
  /** A timer, while more than `maxIdle` may be idle. */
  #trimming: unknown;

  constructor(
    driver: Module,
    settings: Settings,
    more: Partial<PoolOptions<Connection>>,
  ) {
    super();
    this.#driver = driver;
    this.#settings = settings;
    const { connectionLimit, idleTimeout, connectTimeout } = settings;
    this.#clock = more.clock ?? new SystemClock();
    this.leases = new Pool<Connection>({
      name: "mysql2",
      idleTimeout,
      createTimeout: connectTimeout,
      ...more,
      clock: this.#clock,
      max: connectionLimit,
      create: (context) => this.#create(context),
      destroy: (connection, context) => this.#destroy(connection, context),
    });
  }

  get config(): object {
    const { connection, ...limits } = this.#settings;
    return { ...limits, connectionConfig: connection };
  }

  getConnection(callback: Callback): void {
    this.session().then(
      ({ connection }) => queueMicrotask(() => callback(null, connection)),
      (error) => queueMicrotask(() => callback(error)),
    );
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  acquire(options?: AcquireOptions): Promise<unknown> {
    return this.promise().getConnection(options);
  }

  query(sql: unknown, values?: unknown, callback?: unknown): Command {
    const { connection: options } = this.#settings;
    const { createQuery } = this.#driver.Connection;
    const query = createQuery(sql, values, callback, options);
    const failed = (error: Error) => {
      if (query.onResult) query.onResult(error);
      // Who listens to nothing wants to hear of nothing.
      else if (query.listenerCount("error") > 0) query.emit("error", error);
    };
    this.#run((connection) => connection.query(query), failed);
    return query;
  }

  execute(...args: unknown[]): void {
    const callback = args.find((arg) => typeof arg === "function");
    const failed = (error: Error) =>
      (callback as Callback | undefined)?.(error);
    this.#run((connection) => connection.execute(...args), failed);
  }

  end(callback?: (error?: unknown) => void): void {
    this.#clock.clearTimeout(this.#trimming);
    // As there: what is under way is answered, holders are not waited for.
    this.leases.close({ signal: AbortSignal.abort() }).then(
      () => queueMicrotask(() => callback?.()),
      (error) => queueMicrotask(() => callback?.(error)),
    );
  }

  promise(Wanted: PromiseConstructor = Promise): PromisePool {
    if (Wanted !== Promise) return new PromisePool(this, Wanted);
    return this.#promises ??= new PromisePool(this, Promise);
  }

  escape(value: unknown): string {
    const { stringifyObjects, timezone } = this.#settings.connection;
    return this.#driver.escape(value, stringifyObjects, timezone);
  }

  escapeId(value: unknown): string {
    return this.#driver.escapeId(value);
  }

  format(sql: unknown, values: unknown): string {
    const { stringifyObjects, timezone } = this.#settings.connection;
    return this.#driver.format(sql, values, stringifyObjects, timezone);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  /** Acquires as mysql2 does, and tells of it. */
  async session(options?: AcquireOptions): Promise<Session> {
    this.#queue();
    try {
      const lease = await this.leases.acquire(options);
      const session = this.#sessions.get(lease.value)!;
      session.lease = lease;
      this.#tell("acquire", session.connection);
      return session;
    } catch (error) {
      // Some look for the words of mysql2.
      if (error instanceof PoolClosedError) error.message = "Pool is closed.";
      throw error;
    }
  }

  /** @throws {PoolFullError} if it would have to wait, and may not */
  #queue(): void {
    const { queueLimit } = this.#settings;
    if (queueLimit === Infinity && !this.listenerCount("enqueue")) return;
    const stats = this.leases.stats();
    const { idle, used, creating, destroying, pending, max } = stats;
    if (idle > 0 || used + creating + destroying < max) return;
    if (pending - creating >= queueLimit) {
      throw new PoolFullError(
        queueLimit > 0 ? "Queue limit reached." : "No connections available.",
        { poolName: this.leases.name, stats, waited: 0 },
      );
    }
    this.#tell("enqueue");
  }

  /** Runs one command on a connection, and releases it when that has ended. */
  #run(
    run: (connection: Connection) => Command,
    failed: (error: Error) => void,
  ): void {
    this.session().then((session) => {
      try {
        run(session.connection).once("end", () => this.#release(session));
      } catch (error) {
        this.#release(session);
        throw error;
      }
    }).catch((error) => queueMicrotask(() => failed(error)));
  }

  /** Later, so that what listeners throw harms nobody. */
  #tell(event: string, ...args: Connection[]): void {
    if (this.listenerCount(event) === 0) return;
    queueMicrotask(() => this.emit(event, ...args));
  }

  #create({ signal, lost }: CreateContext): Promise<Connection> {
    const { connection: options, gracefulEnd } = this.#settings;
    const connection = this.#driver.createConnection({ ...options });
    // Always heard, also where connecting fails more than once.
    connection.on("error", (error) => {
      this.#sessions.get(connection)?.end(error);
    });
    signal.addEventListener("abort", () => connection.stream.destroy());
    return new Promise((resolve, reject) => {
      connection.connect((error, handshake) => {
        if (error) {
          connection.stream.destroy();
          return reject(error);
        }
        const release = () => this.#release(session);
        const session = new Session(
          ...[connection, handshake, lost, release, gracefulEnd] as const,
        );
        this.#sessions.set(connection, session);
        this.#tell("connection", connection);
        resolve(connection);
      });
    });
  }

  /** Takes it back, if somebody holds it. */
  #release(session: Session): void {
    const lease = session.take();
    if (lease === undefined) return;
    const { resetOnRelease } = this.#settings;
    if (session.isClean && !resetOnRelease) this.#giveBack(session, lease);
    else void this.#clean(session, lease);
  }

  /** Makes it fit for the next, whoever that is; in vain, it is destroyed. */
  async #clean(session: Session, lease: Lease<Connection>): Promise<void> {
    const timer = this.#clock.setTimeout(() => session.destroy(), PATIENCE);
    const { connection } = session;
    try {
      await new Promise<void>((resolve, reject) => {
        const done: Callback = (error) => error ? reject(error) : resolve();
        if (this.#settings.resetOnRelease) connection.reset(done);
        else connection.rollback(done);
      });
      this.#giveBack(session, lease);
    } catch {
      lease.destroy();
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  #giveBack({ connection }: Session, lease: Lease<Connection>): void {
    lease.release();
    this.#tell("release", connection);
    const { maxIdle, connectionLimit } = this.#settings;
    if (maxIdle >= connectionLimit || this.#trimming !== undefined) return;
    this.#trimming = this.#clock.setTimeout(() => this.#trim(), GRACE);
    (this.#trimming as { unref?: () => void }).unref?.();
  }

  #destroy(
    connection: Connection,
    { reason, signal }: DestroyContext,
  ): Promise<void> {
    const session = this.#sessions.get(connection)!;
    if (ENDED.includes(reason)) connection.stream.destroy();
    else session.quit(signal);
    return session.closed;
  }

  /** Evicts what has been idle longest, of more than `maxIdle`. */
  #trim(): void {
    this.#trimming = undefined;
    const idle = new Map<Connection, number>();
    this.leases.evict((connection, context) => {
      const isHeld = this.#sessions.get(connection)!.lease !== undefined;
      if (!isHeld) idle.set(connection, context.idle);
      return false;
    });
    const byIdle = [...idle].sort(([, a], [, b]) => a - b);
    const over = new Set(
      byIdle.slice(this.#settings.maxIdle).map(([connection]) => connection),
    );
    this.leases.evict((connection) => over.has(connection));
  }
}
