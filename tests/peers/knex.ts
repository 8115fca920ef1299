import { install, mocha, pare } from "./command.ts";
import { replacePgPool, serve } from "./database.ts";
import type { Outcome, Peer } from "./peer.ts";

/** What its tests of PostgreSQL need. */
const PACKAGES = [
  "JSONStream@1",
  "chai-as-promised@7",
  "chai-subset-in-order@3",
  "chai@4",
  "cli-testlab@3",
  "mocha@10",
  "mock-fs@5",
  "mysql2@3",
  "mysql@2",
  "pg-query-stream@4",
  "pg@8.23.1",
  "rimraf@5",
  "semver@7",
  "sinon-chai@3",
  "sinon@15",
  "source-map-support",
  "tedious@18",
  "toxiproxy-node-client@4",
];

/** Tests of other databases that fail to load without their drivers. */
const LEFT_OUT = ["better-sqlite3", "sqlite"].map((name) =>
  `--ignore=test/integration2/dialects/${name}.spec.js`
);

/**
 * Gives every instance for PostgreSQL our pool in the place of tarn's, as Knex
 * wraps one that it is given as `connectionPool`, and in the words of tarn's that
 * it looks for.
 */
const HOOK = `
const { promisify } = require("util");
const { TimeoutError } = require("tarn");
const { Client, Pool } = require("pg");
const Base = require("./lib/client");
const Client_PG = require("./lib/dialects/postgres");
let uid = 0;
Client_PG.prototype.initializePool = function (config = this.config) {
  const isOther = this.constructor !== Client_PG ||
    typeof config.connection === "function" || config.connectionPool;
  if (isOther || this.pool) {
    return Base.prototype.initializePool.call(this, config);
  }
  const { afterCreate, max } = config.pool ?? {};
  const pool = new Pool({
    ...this.connectionSettings,
    password: this.connectionSettings.password,
    max,
    connectionTimeoutMillis: config.acquireConnectionTimeout ?? 60000,
    onConnect: async (client) => {
      client.__knexUid = \`lease\${++uid}\`;
      await this.setSchemaSearchPath(client);
      if (afterCreate) await promisify(afterCreate)(client);
    },
  });
  const wrapped = this.wrapNativePool(pool);
  const held = new Set();
  this._ownsPool = true;
  this.pool = {
    destroyed: false,
    acquire: () => ({
      promise: wrapped.acquire().promise.then((client) => {
        held.add(client);
        return client;
      }, (error) => {
        throw error.code === "ACQUIRE_TIMEOUT"
          ? new TimeoutError(error.message)
          : error;
      }),
    }),
    release: (client) => held.delete(client) && wrapped.release(client),
    destroy() {
      this.destroyed = true;
      return pool.end();
    },
  };
};
`;

export const knex: Peer = {
  name: "knex",
  version: "3.3.0, PostgreSQL",
  entry: "pg",
  reasons: {},
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("knex/", folder);
  await pare(cwd);
  await install(cwd, "--ignore-scripts", ...PACKAGES);
  await replacePgPool(cwd, bundle);
  const hook = new URL("lease_pool.cjs", cwd);
  await Deno.writeTextFile(hook, HOOK);
  await using server = await serve("knex_test", "testuser", "knextest");
  const settings = {
    ...{ adapter: "postgresql", host: "127.0.0.1", port: server.port },
    ...{ database: "knex_test", user: "testuser", password: "knextest" },
  };
  const config = new URL("lease_config.json", cwd);
  await Deno.writeTextFile(config, JSON.stringify({ postgres: settings }));
  return await mocha([
    "--timeout=10000",
    "--config=test/mocha-integration-config-test.js",
    `--require=${hook.pathname}`,
    ...LEFT_OUT,
  ], { cwd, env: { DB: "postgres", KNEX_TEST: config.pathname } });
}
