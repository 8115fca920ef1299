/** A real Redis server, that of the system: Debian's `redis-server`. */

import { join } from "node:path";
import {
  findPlace,
  LocalServer,
  type Place,
  type Program,
} from "./local_server.ts";

export class RedisServer extends LocalServer {
  readonly #settings: Record<string, string>;

  private constructor(place: Place, settings: Record<string, string>) {
    super(place, "redis.pid");
    this.#settings = settings;
  }

  /** Starts a new, empty server; settings are by their names in redis.conf. */
  static async create(
    settings: Record<string, string> = {},
  ): Promise<RedisServer> {
    const server = new RedisServer(await findPlace("redis-"), settings);
    try {
      await server.own();
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  protected override program(): Program {
    const settings = {
      bind: "127.0.0.1",
      port: `${this.port}`,
      dir: this.folder,
      pidfile: join(this.folder, "redis.pid"),
      save: "",
      ...this.#settings,
    };
    return {
      path: "redis-server",
      parameters: Object.entries(settings)
        .flatMap(([name, value]) => [`--${name}`, value]),
      ready: "Ready to accept connections",
    };
  }
}
