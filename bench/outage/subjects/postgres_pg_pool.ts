import { Client } from "pg";
import PgPool from "pg-pool";
import { type Ask, type Settings, SILENCE } from "../contender.ts";

/** pg-pool with its `query`; it cannot ask a connection before its use. */
export function open({ url, max, patience, wary }: Settings): Ask {
  const pool = new PgPool({
    Client,
    connectionString: url,
    max,
    connectionTimeoutMillis: patience,
    ...wary && { query_timeout: SILENCE },
  });
  // As its documentation says: else a connection that dies ends the process.
  pool.on("error", () => {});
  return (text) => pool.query(text);
}
