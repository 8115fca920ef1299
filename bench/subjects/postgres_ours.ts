import { Client } from "pg";
import { type Lease, Pool } from "../../mod.ts";
import type { Database } from "../subject.ts";

/** `@lease/pool` of connections of pg. */
export function open(
  url: string,
  max: number,
): Database<Lease<InstanceType<typeof Client>>> {
  const pool = new Pool({
    create: async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return client;
    },
    destroy: (client) => client.end(),
    max,
  });
  return {
    acquire: () => pool.acquire(),
    query: async (lease, text) => {
      const { rows } = await lease.value.query(text);
      return rows[0].n;
    },
    release: (lease) => lease.release(),
  };
}
