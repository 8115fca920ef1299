import { Client } from "pg";
import { Pool } from "../../../mod.ts";
import { type Ask, type Settings, SILENCE } from "../contender.ts";

/** `@lease/pool` of connections of pg, as in the first program of the README. */
export function open({ url, max, patience, wary }: Settings): Ask {
  const pool = new Pool({
    create: async ({ signal, lost }) => {
      const client = new Client({
        connectionString: url,
        ...wary && { query_timeout: SILENCE },
      });
      client.on("error", lost).on("end", lost);
      signal.addEventListener("abort", () => client.end());
      await client.connect();
      return client;
    },
    reset: (client, { failed }) =>
      failed ? client.query("rollback") : undefined,
    destroy: (client) => client.end(),
    max,
    acquireTimeout: patience,
    validate: wary ? answers : undefined,
    validateTimeout: wary ? SILENCE : undefined,
  });
  return (text) => pool.use((client) => client.query(text));
}

async function answers(client: InstanceType<typeof Client>): Promise<boolean> {
  await client.query("select 1");
  return true;
}
