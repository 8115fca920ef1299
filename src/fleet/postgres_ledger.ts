import { Check, FUNCTION, OBJECT, STRING } from "../check.ts";
import type { Ledger, Versioned } from "./ledger.ts";

/** What is needed of the result of a query. */
export interface PostgresResult {
  /** The rows, in order. */
  rows: Record<string, unknown>[];
}

/** What is needed of a connected client of PostgreSQL: that of `pg` has it. */
export interface PostgresClient {
  /** Sends a query. */
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** Is told of what is said where it listens. */
  on(
    event: "notification",
    listener: (message: { payload?: string | undefined }) => void,
  ): unknown;
  /** Is told that the connection is lost, or has ended. */
  on(event: "error" | "end", listener: (error?: unknown) => void): unknown;
  /** Ends the connection. */
  end(): Promise<void>;
}

/** Options of `postgresLedger`. */
export interface PostgresLedgerOptions {
  /**
   * Which row it is of the table `lease_fleet`, and the channel: 57 bytes at most.
   * Default: `"fleet"`.
   */
  name?: string | undefined;
}

/** The server takes names of channels of 63 bytes, and `lease_` is before. */
const LONGEST = 57;

/** Of members that make it at once all but one come too late, which is no harm. */
const CREATE = `do $$ begin
  create table if not exists lease_fleet
    (name text primary key, version bigint not null, value text not null);
  exception when unique_violation or duplicate_table or duplicate_object then
    null;
end $$`;
const INSERT = `insert into lease_fleet values ($1, 0, '')
  on conflict do nothing`;
const READ = "select version, value from lease_fleet where name = $1";
const SWAP = `with swapped as (
  update lease_fleet set version = version + 1, value = $3
    where name = $1 and version = $2 returning version)
  select version, pg_notify($4, version::text) from swapped`;

/**
 * A ledger in PostgreSQL, as one row of the table `lease_fleet`, which it makes, and
 * a channel. It has one connection for each member, beside those of the budget:
 * `connect` is called for it, and again when it is lost or a query has failed; give
 * the client a `connectionTimeoutMillis` and a `query_timeout`, lest it wait on a dead
 * connection for ever. The server must keep what it has confirmed: no
 * `synchronous_commit = off`, and a replica that takes over must be a synchronous one.
 *
 * @throws {TypeError} if an argument is of the wrong kind, or an option not known
 * @throws {RangeError} if `name` is too long
 *
 * @example
 * ```ts ignore
 * import { FleetBudget, postgresLedger } from "@lease/pool/fleet";
 * import pg from "pg";
 *
 * const ledger = postgresLedger(async () => {
 *   const client = new pg.Client({
 *     connectionString: url,
 *     connectionTimeoutMillis: 3_000,
 *     query_timeout: 3_000,
 *   });
 *   await client.connect();
 *   return client;
 * });
 * const budget = new FleetBudget({ ledger, max: 20 });
 * ```
 */
export function postgresLedger(
  connect: () => Promise<PostgresClient>,
  options: PostgresLedgerOptions = {},
): Ledger {
  const check = new Check("Cannot create ledger");
  check.that("connect", connect, FUNCTION);
  check.that("options", options, OBJECT);
  check.names(options, ["name"]);
  const { name = "fleet" } = options;
  check.that("name", name, STRING);
  if (new TextEncoder().encode(name).length > LONGEST) {
    check.fail("name", `at most ${LONGEST} bytes`, name);
  }
  return new PostgresLedger(connect, name);
}

class PostgresLedger implements Ledger {
  readonly #connect: () => Promise<PostgresClient>;
  readonly #name: string;
  readonly #channel: string;
  #client: Promise<PostgresClient> | undefined = undefined;
  /** The query of this client that ends last: it has one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #watchers = new Set<(version: string) => void>();
  #isClosed = false;

  constructor(connect: () => Promise<PostgresClient>, name: string) {
    this.#connect = connect;
    this.#name = name;
    this.#channel = `lease_${name}`;
  }

  async read(): Promise<Versioned> {
    const { rows: [row] } = await this.#query(READ, [this.#name]);
    if (row !== undefined) {
      return { value: `${row["value"]}`, version: `${row["version"]}` };
    }
    // Somebody has emptied the table.
    await this.#query(INSERT, [this.#name]);
    return { value: "", version: "0" };
  }

  async swap(version: string, value: string): Promise<string | undefined> {
    const values = [this.#name, version, value, this.#channel];
    const { rows: [row] } = await this.#query(SWAP, values);
    return row === undefined ? undefined : `${row["version"]}`;
  }

  watch(changed: (version: string) => void): () => Promise<void> {
    this.#watchers.add(changed);
    this.#isClosed = false;
    return async () => {
      this.#watchers.delete(changed);
      // Another budget of this process may have it as well.
      if (this.#watchers.size > 0) return;
      this.#isClosed = true;
      const client = this.#client;
      this.#client = undefined;
      await (await client)?.end();
    };
  }

  /** After a failure the connection is of no more use, whatever it was. */
  async #query(
    ...query: [text: string, values: unknown[]]
  ): Promise<PostgresResult> {
    const connected = this.#connected();
    const client = await connected;
    const asked = this.#last.then(() => client.query(...query));
    this.#last = asked.catch(() => {});
    try {
      return await asked;
    } catch (error) {
      if (this.#client === connected) this.#client = undefined;
      end(client);
      throw error;
    }
  }

  #connected(): Promise<PostgresClient> {
    if (this.#isClosed) throw new Error("The ledger is closed");
    if (this.#client !== undefined) return this.#client;
    const forget = () => {
      if (this.#client === client) this.#client = undefined;
    };
    const client = this.#open(forget);
    client.catch(forget);
    this.#last = Promise.resolve();
    return this.#client = client;
  }

  async #open(forget: () => void): Promise<PostgresClient> {
    const client = await this.#connect();
    client.on("error", forget);
    client.on("end", forget);
    client.on("notification", ({ payload = "" }) => {
      for (const changed of this.#watchers) changed(payload);
    });
    try {
      await client.query(CREATE);
      await client.query(INSERT, [this.#name]);
      await client.query(`listen "${this.#channel.replaceAll('"', '""')}"`);
      return client;
    } catch (error) {
      end(client);
      throw error;
    }
  }
}

/** That it has failed is known. */
function end(client: PostgresClient): void {
  client.end().catch(() => {});
}
