import { Client } from "pg";
import { Pool, type PoolClient } from "../../src/pg/mod.ts";
import type { Database } from "../subject.ts";

type PgClient = InstanceType<typeof Client>;

/** `@lease/pool/pg`, in the place of pg-pool. */
export function open(url: string, max: number): Database<PoolClient<PgClient>> {
  const pool = new Pool<PgClient>({ connectionString: url, max }, Client);
  return {
    acquire: () => pool.connect(),
    query: async (lease, text) => {
      const { rows } = await lease.query(text);
      return rows[0].n;
    },
    release: (lease) => lease.release(),
  };
}
