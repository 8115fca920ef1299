import { Client, type PoolClient } from "pg";
import PgPool from "pg-pool";
import type { Database } from "../subject.ts";

/** pg-pool, the pool of pg. */
export function open(url: string, max: number): Database<PoolClient> {
  const pool = new PgPool({ Client, connectionString: url, max });
  return {
    acquire: () => pool.connect(),
    query: async (lease, text) => {
      const { rows } = await lease.query(text);
      return rows[0].n;
    },
    release: (lease) => lease.release(),
  };
}
