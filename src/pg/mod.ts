/**
 * A pool of clients of `pg`, in the place of its own: the options, methods,
 * events and counts of pg-pool 3.14, over the pool of `@lease/pool`.
 *
 * ```ts ignore
 * import pg from "pg";
 * import { Pool } from "@lease/pool/pg";
 *
 * const connectionString = "postgres://app@localhost/app";
 * await using pool = new Pool({ connectionString, max: 20 }, pg.Client);
 * pool.on("error", console.error); // an idle client has failed, and is gone
 *
 * const { rows } = await pool.query("select $1::int as n", [1]);
 * console.log(rows[0].n); // 1
 *
 * await using client = await pool.connect({ signal: AbortSignal.timeout(1_000) });
 * await client.query("begin");
 * await client.query("insert into log values (1)");
 * // Thrown here, or forgotten: the client is rolled back before anybody gets it.
 * await client.query("commit");
 * ```
 *
 * Kysely, Drizzle and Knex take it wherever they take a `pg.Pool`. Prisma's adapter
 * asks whether it is one, and makes its own of what is none; so make ours that:
 *
 * ```ts ignore
 * class Bound extends Pool<pg.Client> {
 *   constructor(config?: pg.PoolConfig) {
 *     super(config, pg.Client);
 *   }
 * }
 * Object.assign(pg, { Pool: Bound });
 * const adapter = new PrismaPg(new Bound({ connectionString }));
 * ```
 *
 * What is not as there:
 *
 * - **The driver is given**: `new Pool(options, pg.Client)`, or `{ Client }`.
 * - **A query that fails costs no connection**, as long as that is well. One that
 *   may still run, as after a `query_timeout`, does.
 * - **A client is fit when somebody gets it.** One that is released inside of an
 *   open or failed transaction is rolled back first. The server says so with each
 *   answer, so others are asked nothing. What a client still runs ends first. Who
 *   is not fit within 5 s is ended. With `reset: true` settings, locks, temporary
 *   tables and the like go as well. The native client does not tell what the
 *   server said, so nothing is rolled back there.
 * - **An `AbortSignal`** ends a wait (`connect({ signal })`) and a query
 *   (`query({ text, signal })`). One that runs is ended with its connection, so
 *   that nobody gets that; the server may go on until it sees it.
 * - **Outages can be waited for**: with `createRetry: {}`, while the server
 *   restarts, those who wait keep their place for `connectionTimeoutMillis`, and
 *   one connect is tried at a time. Without, each that fails rejects one of them.
 * - **Fewer connections**: a client in use is waited for where that is shorter than
 *   a connect.
 * - **Errors** are those of `@lease/pool`, whose messages begin with pg-pool's:
 *   an `AcquireTimeoutError` with counts, the reason and the cause.
 *   `connectionTimeoutMillis` limits `onConnect` and `verify` as well.
 * - **`end` serves those who wait**, then ends what is released.
 * - An idle client that fails is never an uncaught error: the event `error` is
 *   emitted where somebody listens. A client in use that fails is its user's.
 *
 * @module
 */

export type { Leases } from "../drop_in/leases.ts";
export type {
  Lent,
  PgClient,
  PoolClient,
  QueryConfig,
  QueryResult,
  QueryRow,
} from "./client.ts";
export { type ConnectCallback, Pool, type QueryCallback } from "./pool.ts";
export type {
  ClientClass,
  PgPoolOptions,
  SettledOptions,
} from "./pool_options.ts";
