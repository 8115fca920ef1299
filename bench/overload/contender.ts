/** The pools of connections to PostgreSQL, each taken from in its own way. */

import { createPool } from "generic-pool";
import { Client } from "pg";
import PgPool from "pg-pool";
import { Pool as Tarn } from "tarn";
import { Pool } from "../../mod.ts";
import { codel } from "../../src/codel/mod.ts";
import { MAX, PATIENCE, type Take, type Turn } from "./load.ts";

type Connection = InstanceType<typeof Client>;

/** Opens a pool whose waiters give up when they have lost patience. */
type Open = (url: string) => Take;

export const CONTENDERS: Readonly<Record<string, Open>> = {
  postgres_ours: ours,
  postgres_shedding_ours: (url) => ours(url, true),
  postgres_pg_pool: (url) => {
    const pool = new PgPool({
      Client,
      connectionString: url,
      max: MAX,
      connectionTimeoutMillis: PATIENCE,
    });
    return async () => {
      const client = await pool.connect();
      return turn(client, () => client.release());
    };
  },
  postgres_tarn: (url) => {
    const pool = new Tarn<Connection>({
      ...factory(url),
      min: 0,
      max: MAX,
      acquireTimeoutMillis: PATIENCE,
    });
    return async () => {
      const client = await pool.acquire().promise;
      return turn(client, () => void pool.release(client));
    };
  },
  postgres_generic_pool: (url) => {
    const options = { max: MAX, acquireTimeoutMillis: PATIENCE };
    const pool = createPool<Connection>(factory(url), options);
    return async () => {
      const client = await pool.acquire();
      return turn(client, () => void pool.release(client));
    };
  },
};

function ours(url: string, sheds = false): Take {
  const pool = new Pool<Connection>({
    ...factory(url),
    max: MAX,
    acquireTimeout: PATIENCE,
    shed: sheds ? codel() : undefined,
  });
  return async () => {
    const lease = await pool.acquire();
    return turn(lease.value, () => lease.release());
  };
}

function factory(url: string) {
  return {
    create: async (): Promise<Connection> => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return client;
    },
    destroy: (client: Connection): Promise<void> => client.end(),
  };
}

function turn(client: Connection, release: () => void): Turn {
  return {
    use: (ms) => client.query(`select pg_sleep(${ms / 1_000})`),
    release,
  };
}
