import { Pool } from "tarn";
import { Connection } from "../connection.ts";
import type { Ask, Settings } from "../contender.ts";

/** tarn over pg, with a `validate` that knows dead connections, as in Knex. */
export function open(settings: Settings): Ask {
  const pool = new Pool<Connection>({
    create: () => new Connection(settings).connect(),
    destroy: (connection) => connection.end(),
    // Its types do not say so, but it waits for a promise.
    validate: (connection) => connection.validate() as unknown as boolean,
    min: 0,
    max: settings.max,
    acquireTimeoutMillis: settings.patience,
  });
  return async (text) => {
    const connection = await pool.acquire().promise;
    try {
      return await connection.query(text);
    } finally {
      pool.release(connection);
    }
  };
}
