import { Client } from "pg";
import { Pool } from "../../../src/pg/mod.ts";
import { type Ask, type Settings, SILENCE } from "../contender.ts";

/** `@lease/pool/pg` with its `query`, told to wait for a server that is back. */
export function open({ url, max, patience, wary }: Settings): Ask {
  const pool = new Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: patience,
    createRetry: {},
    ...wary && { query_timeout: SILENCE },
  }, Client);
  return (text) => pool.query(text);
}
