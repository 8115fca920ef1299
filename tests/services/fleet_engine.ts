import { PostgresServer } from "../../examples/postgres_server.ts";
import { RedisServer } from "../../examples/redis_server.ts";

/** The engine of a ledger; one that can be stopped can be started again. */
export interface FleetEngine extends AsyncDisposable {
  readonly url: string;
  stop?(): Promise<void>;
  start?(): Promise<void>;
}

/** A new engine of each kind, which keeps what it has confirmed. */
export const ENGINES = {
  postgres: () => PostgresServer.create({ fsync: "on" }),
  redis: () => RedisServer.create({ appendonly: "yes", appendfsync: "always" }),
  kv: async () => {
    const folder = await Deno.makeTempDir({ prefix: "fleet-" });
    return {
      url: `${folder}/kv.db`,
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
} satisfies Record<string, () => Promise<FleetEngine>>;
