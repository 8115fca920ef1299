import { PostgresServer } from "../../examples/postgres_server.ts";
import { install, mocha } from "./command.ts";
import type { Outcome, Peer } from "./peer.ts";

export const pgPool: Peer = {
  name: "pg-pool",
  version: "3.14.0",
  entry: "pg",
  reasons: {
    "recovers from query errors":
      "asserts a defect: a query that fails costs its connection",
  },
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("node-postgres/packages/pg-pool/", folder);
  await install(cwd, "pg@8.23.1", "pg-cursor", "pg-native");
  // As pg itself does it: the driver is bound where the pool is made.
  await Deno.writeTextFile(
    new URL("index.js", cwd),
    `const { Pool } = require(${JSON.stringify(bundle.pathname)});
module.exports = class BoundPool extends Pool {
  constructor(options, Client = require("pg").Client) {
    super(options, Client);
  }
};
`,
  );
  await using server = await PostgresServer.create({ max_connections: 100 });
  return await mocha([], { cwd, env: environment(server) });
}

/** What pg reads when it is told nothing. */
function environment({ url }: PostgresServer): Record<string, string> {
  const { username, password, hostname, port, pathname } = new URL(url);
  return {
    PGUSER: username,
    PGPASSWORD: password,
    PGHOST: hostname,
    PGPORT: port,
    PGDATABASE: pathname.slice(1),
  };
}
