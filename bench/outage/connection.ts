import { Client } from "pg";
import { type Settings, SILENCE } from "./contender.ts";

/** A connection for pools that leave it to their user to see that it has died. */
export class Connection {
  readonly #client: InstanceType<typeof Client>;
  readonly #wary: boolean;
  #usable = true;

  constructor({ url, wary }: Settings) {
    this.#wary = wary;
    this.#client = new Client({
      connectionString: url,
      ...wary && { query_timeout: SILENCE },
    });
    // Without a listener, the death of an idle connection ends the process.
    this.#client.on("error", () => this.#usable = false);
    this.#client.on("end", () => this.#usable = false);
  }

  async connect(): Promise<this> {
    await this.#client.connect();
    return this;
  }

  query(text: string): Promise<unknown> {
    return this.#client.query(text);
  }

  async validate(): Promise<boolean> {
    if (this.#usable && this.#wary) await this.#client.query("select 1");
    return this.#usable;
  }

  end(): Promise<void> {
    return this.#client.end();
  }
}
