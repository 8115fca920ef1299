/** A real MariaDB server, that of the system: Debian's `mariadb-server`. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  findPlace,
  LocalServer,
  type Place,
  type Program,
} from "./local_server.ts";

/** Settings by their names in my.cnf. */
export type MariaDbSettings = Record<string, string | number>;

const SETTINGS: MariaDbSettings = {
  bind_address: "127.0.0.1",
  character_set_server: "utf8mb4",
  // What lives for seconds need not survive a power cut.
  innodb_flush_log_at_trx_commit: 0,
  innodb_log_file_size: "4M",
  innodb_buffer_pool_size: "16M",
};

export class MariaDbServer extends LocalServer {
  readonly #settings: MariaDbSettings;

  private constructor(place: Place, settings: MariaDbSettings) {
    super(place, "data/mariadb.pid");
    this.#settings = settings;
  }

  /** Starts a new server with an empty database `test`. */
  static async create(settings: MariaDbSettings = {}): Promise<MariaDbServer> {
    const server = new MariaDbServer(await findPlace("mariadb-"), {
      ...SETTINGS,
      ...settings,
    });
    try {
      await server.#initialise();
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect, as a user who may do everything. */
  get url(): string {
    return `mysql://root@127.0.0.1:${this.port}/test`;
  }

  protected override program(): Program {
    const settings = Object.entries(this.#settings);
    return {
      path: "/usr/sbin/mariadbd",
      parameters: [
        ...this.#places(),
        `--socket=${join(this.folder, "socket")}`,
        `--pid-file=${join(this.folder, "data/mariadb.pid")}`,
        `--port=${this.port}`,
        ...settings.map(([name, value]) => `--${name}=${value}`),
      ],
      ready: "ready for connections",
    };
  }

  async #initialise(): Promise<void> {
    await mkdir(join(this.folder, "data"));
    await mkdir(join(this.folder, "temporary"));
    await this.own();
    const { signal } = new AbortController();
    await this.run(
      signal,
      "mariadb-install-db",
      ...this.#places(),
      "--auth-root-authentication-method=normal",
    );
  }

  /** A server that starts removes the temporary tables of all in its folder. */
  #places(): string[] {
    return [
      "--no-defaults",
      `--datadir=${join(this.folder, "data")}`,
      `--tmpdir=${join(this.folder, "temporary")}`,
    ];
  }
}
