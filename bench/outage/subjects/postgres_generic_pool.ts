import { createPool } from "generic-pool";
import { Connection } from "../connection.ts";
import type { Ask, Settings } from "../contender.ts";

/** generic-pool over pg, with its `use` and its test of what is lent. */
export function open(settings: Settings): Ask {
  const pool = createPool<Connection>({
    create: () => new Connection(settings).connect(),
    destroy: (connection) => connection.end(),
    validate: (connection) => connection.validate().catch(() => false),
  }, {
    max: settings.max,
    acquireTimeoutMillis: settings.patience,
    testOnBorrow: true,
  });
  return async (text) => await pool.use((connection) => connection.query(text));
}
