import { PostgresServer } from "../../examples/postgres_server.ts";
import { Client } from "pg";

/** A server with a database and a user of its own, as a suite wants them. */
export async function serve(
  database: string,
  user: string,
  password: string,
): Promise<PostgresServer> {
  const server = await PostgresServer.create({ max_connections: 100 });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(
    `create role ${user} superuser login password '${password}'`,
  );
  await client.query(`create database ${database} owner ${user}`);
  await client.end();
  return server;
}

/** Puts the bundle in the place of the pool that `pg` has in a folder. */
export async function replacePgPool(cwd: URL, bundle: URL): Promise<void> {
  await Deno.writeTextFile(
    new URL("node_modules/pg-pool/index.js", cwd),
    `module.exports = require(${JSON.stringify(bundle.pathname)}).Pool;\n`,
  );
}
