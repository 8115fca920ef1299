import { install, mocha, pare, run as execute } from "./command.ts";
import { replacePgPool, serve } from "./database.ts";
import { executable, NODE } from "../runtimes/runtime.ts";
import type { Outcome, Peer } from "./peer.ts";

/** What its tests of PostgreSQL, and the types of the others, need. */
const PACKAGES = [
  "@electric-sql/pglite@0.5.4",
  "@types/better-sqlite3@9.6.0",
  "@types/chai@5.2.3",
  "@types/chai-as-promised@8.0.2",
  "@types/mocha@10.0.10",
  "@types/node@26.2.0",
  "@types/pg@8.21.0",
  "@types/pg-cursor@2.7.2",
  "@types/prototype-pollution-vulnerable-lodash.merge-dont-upgrade@npm:@types/lodash.merge@4.6.1",
  "@types/semver@7.8.0",
  "@types/sinon@22.0.0",
  "better-sqlite3@13.0.3",
  "chai@6.2.2",
  "chai-as-promised@8.0.2",
  "mocha@11.8.0",
  "mysql2@3.23.2",
  "pathe@2.0.3",
  "pg@8.23.0",
  "pg-cursor@2.22.0",
  "prototype-pollution-vulnerable-lodash.merge-dont-upgrade@npm:lodash.merge@4.6.1",
  "remeda@2.39.0",
  "semver@7.8.5",
  "sinon@22.1.0",
  "std-env@4.2.0",
  "tarn@3.1.2",
  "tedious@20.0.0",
  "tsx@4.23.11",
  "typescript@7.0.2",
];

const SETUP = "test/node/dist/test-setup.js";

export const kysely: Peer = {
  name: "kysely",
  version: "0.29.5, PostgreSQL",
  entry: "pg",
  reasons: {},
  run,
};

/** Our pool is `pg.Pool` there. */
async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("kysely/", folder);
  await pare(cwd);
  await install(cwd, "--ignore-scripts", ...PACKAGES);
  await execute("npx", ["tsc"], { cwd });
  await execute("npx", ["tsc", "-p", "test/node"], { cwd });
  await replacePgPool(cwd, bundle);
  await using server = await serve("kysely_test", "kysely", "kysely");
  const setup = new URL(SETUP, cwd);
  const text = await Deno.readTextFile(setup);
  const port = `port: ${server.port},`;
  await Deno.writeTextFile(setup, text.replace("port: 5434,", port));
  // It needs a newer one than may be there.
  const node = await executable(NODE);
  const path = `${node.replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
  const args = ["--timeout=15000", "test/node/dist/**/*.test.js"];
  return await mocha(args, { cwd, env: { DIALECTS: "postgres", PATH: path } });
}
