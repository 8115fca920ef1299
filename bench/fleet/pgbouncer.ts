/** A real PgBouncer, that of the system: Debian's `pgbouncer`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  findPlace,
  LocalServer,
  type Place,
  type Program,
} from "../../examples/local_server.ts";

export class PgBouncer extends LocalServer {
  readonly #target: URL;

  private constructor(place: Place, target: URL) {
    super(place, "pgbouncer.pid");
    this.#target = target;
  }

  /** In front of a server, in transaction mode, with so many connections to it. */
  static async create(url: string, max: number): Promise<PgBouncer> {
    const bouncer = new PgBouncer(await findPlace("pgbouncer-"), new URL(url));
    try {
      await bouncer.#write(max);
      await bouncer.own();
      await bouncer.start();
      return bouncer;
    } catch (error) {
      await bouncer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect, password included. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = `${this.port}`;
    return url.href;
  }

  protected override program(): Program {
    return {
      path: "pgbouncer",
      parameters: ["pgbouncer.ini"],
      ready: "process up",
    };
  }

  async #write(max: number): Promise<void> {
    const { hostname, port, pathname, username, password } = this.#target;
    const settings = {
      listen_addr: "127.0.0.1",
      listen_port: this.port,
      unix_socket_dir: "",
      pidfile: "pgbouncer.pid",
      auth_type: "scram-sha-256",
      auth_file: "users.txt",
      pool_mode: "transaction",
      default_pool_size: max,
      max_client_conn: 1_000,
    };
    const database = pathname.slice(1);
    const lines = [
      "[databases]",
      `${database} = host=${hostname} port=${port} dbname=${database}`,
      "[pgbouncer]",
      ...Object.entries(settings).map((setting) => setting.join(" = ")),
    ];
    await writeFile(join(this.folder, "pgbouncer.ini"), lines.join("\n"));
    const user = `"${username}" "${decodeURIComponent(password)}"\n`;
    await writeFile(join(this.folder, "users.txt"), user);
  }
}
