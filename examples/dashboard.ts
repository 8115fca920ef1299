/**
 * A pool of real PostgreSQL connections under a load that comes and goes, and
 * its page: open the address that it prints, and break things by key.
 *
 * `PORT` is where the page is, by default any that is free. Over SSH forward it
 * (`ssh -L 8080:127.0.0.1:8080 …`), or look at the picture in the terminal.
 */

import process from "node:process";
import { type Lease, Pool } from "@lease/pool";
import { inspect, type Snapshot } from "@lease/pool/inspect";
import { watchLeaks } from "@lease/pool/leaks";
import { PostgresCensus } from "./postgres_census.ts";
import { isConnectionLost, PostgresConnection } from "./postgres_connection.ts";
import { PostgresServer } from "./postgres_server.ts";
import { picture } from "./terminal_picture.ts";

const NAME = "orders";

/** How often, in ms, load is made, and the picture drawn. */
const STEP = 50;
const FRAME = 500;

/** How wide what is said of a key is. */
const COLUMN = 26;

/** Requests a second, at the least and at the most, and how long a tide is. */
const EBB = 20;
const FLOOD = 400;
const TIDE = 60_000;

/** Milliseconds of a query, at most, and of a slow one. */
const SHORT = 30;
const SLOW = 2_000;

class Dashboard implements AsyncDisposable {
  readonly pool: Pool<PostgresConnection>;
  readonly #server: PostgresServer;
  readonly #url: string;
  readonly #leaked: Lease<PostgresConnection>[] = [];
  readonly #load: ReturnType<typeof setInterval>;
  #isSlow = false;
  #isStopped = false;
  #due = 0;
  #change: Promise<void> = Promise.resolve();

  constructor(server: PostgresServer) {
    this.#server = server;
    this.#url = server.url;
    this.pool = new Pool<PostgresConnection>({
      create: ({ signal, lost }) =>
        PostgresConnection.open(this.#url, { name: NAME, signal, lost }),
      destroy: (connection) => connection.close(),
      isFatal: isConnectionLost,
      max: 10,
      maxPending: 5_000,
      name: NAME,
      leaks: watchLeaks({ after: 5_000 }),
    });
    this.#load = setInterval(() => this.#request(), STEP);
  }

  /** What each key does; gives a word on it. */
  readonly keys: Record<string, { help: string; press: () => unknown }> = {
    k: { help: "kill 3 connections", press: () => this.#kill() },
    s: { help: "stop, start the server", press: () => this.#toggle() },
    q: { help: "slow queries or short", press: () => this.#slow() },
    l: { help: "leak a lease", press: () => this.#leak() },
    r: { help: "release what leaked", press: () => this.#release() },
    b: { help: "a burst of 500", press: () => this.#burst() },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#load);
    this.#release();
    await this.#change;
    await this.pool.close({ signal: AbortSignal.timeout(2_000) })
      // A server that is stopped cannot say good-bye.
      .catch(() => {});
  }

  #request(): void {
    const phase = Math.sin(Date.now() / TIDE * 2 * Math.PI);
    const rate = EBB + (FLOOD - EBB) * (1 + phase) / 2;
    this.#due += rate * STEP / 1_000;
    for (; this.#due >= 1; this.#due--) placeOrder(this.pool, this.#time());
  }

  #time(): number {
    return this.#isSlow ? SLOW : Math.random() * SHORT;
  }

  async #kill(): Promise<string> {
    const signal = AbortSignal.timeout(2_000);
    const who = { name: NAME, signal };
    await using census = await PostgresCensus.open(this.#url, who);
    return `killed ${await census.terminate(3)} connections`;
  }

  #toggle(): Promise<string> {
    const isStopped = this.#isStopped = !this.#isStopped;
    this.#change = this.#change.then(() =>
      isStopped ? this.#server.stop() : this.#server.start()
    );
    return this.#change.then(() =>
      `the server ${isStopped ? "stops" : "runs"}`
    );
  }

  #slow(): string {
    this.#isSlow = !this.#isSlow;
    return `queries are ${this.#isSlow ? "slow" : "short"}`;
  }

  #leak(): string {
    exportReport(this.pool).then((lease) => this.#leaked.push(lease), () => {});
    return "somebody forgets to release";
  }

  #release(): string {
    const leases = this.#leaked.splice(0);
    for (const lease of leases) lease.release();
    return `released ${leases.length}`;
  }

  #burst(): string {
    for (let n = 0; n < 500; n++) placeOrder(this.pool, this.#time());
    return "500 come at once";
  }
}

/** A request; what it fails with, the page counts. */
function placeOrder(pool: Pool<PostgresConnection>, ms: number): void {
  pool.use((connection) =>
    connection.query("select pg_sleep($1)", [ms / 1_000])
  ).catch(() => {});
}

/** Its lease is named where it is held for too long. */
async function exportReport(
  pool: Pool<PostgresConnection>,
): Promise<Lease<PostgresConnection>> {
  return await pool.acquire();
}

/** Calls with each key, until that ends; raw, if it is a terminal. */
async function listen(pressed: (key: string) => void): Promise<void> {
  const { stdin } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  for await (const chunk of stdin) for (const key of `${chunk}`) pressed(key);
}

/** Draws over what was drawn before; elsewhere than in a terminal, a word a second. */
class Screen {
  readonly #live = process.stdout.isTTY === true;
  #frames = 0;

  /** The picture is cut where a terminal has too few rows, so that it does not scroll. */
  draw(head: string[], picture: string[], foot: string[]): void {
    if (this.#live) {
      const room = process.stdout.rows - 1 - head.length - foot.length;
      const lines = [...head, ...picture.slice(0, Math.max(2, room)), ...foot];
      const text = lines.map((line) => `${line}\x1b[K\n`).join("");
      process.stdout.write(`\x1b[H${text}\x1b[J`);
    } else if (this.#frames++ % (1_000 / FRAME) === 0) {
      console.log(picture.slice(0, 2).join(": "));
    }
  }

  get width(): number {
    return this.#live ? Math.max(40, process.stdout.columns - 1) : Infinity;
  }

  /** Texts side by side, as many as fit. */
  rows(texts: string[]): string[] {
    const many = Math.max(1, Math.floor(this.width / COLUMN));
    return texts.flatMap((_, i) =>
      i % many === 0
        ? texts.slice(i, i + many).map((text) => text.padEnd(COLUMN)).join("")
        : []
    );
  }
}

async function main(signal: AbortSignal): Promise<void> {
  await using server = await PostgresServer.create({}, signal);
  await using dashboard = new Dashboard(server);
  // On this machine alone; elsewhere say who may look.
  using handler = inspect([dashboard.pool], { authorize: "anyone" });
  const port = Number(process.env.PORT ?? 0);
  const options = { hostname: "127.0.0.1", port, onListen: () => {} };
  await using page = Deno.serve(options, handler);
  const url = `http://127.0.0.1:${page.addr.port}/`;
  console.log(`The page is at ${url}`);
  const { keys } = dashboard;
  const end = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => end.resolve());
  let word = "";
  const press = (key: string) => {
    if (key === "x" || key === "\x03") return end.resolve();
    Promise.try(() => keys[key]?.press())
      .catch((error) => `that failed: ${error.message}`)
      .then((said) => word = said === undefined ? word : `${key}: ${said}`);
  };
  listen(press).catch(end.reject);
  const screen = new Screen();
  const help = Object.entries(keys).map(([key, { help }]) => `${key} ${help}`)
    .concat("x end");
  const draw = async () => {
    const { pools: [pool] }: Snapshot = await (await handler(
      new Request(`${url}stats`),
    )).json();
    const foot = ["", ...screen.rows(help), word];
    screen.draw([`The page is at ${url}`], picture(pool!, screen.width), foot);
  };
  const frames = setInterval(() => draw().catch(end.reject), FRAME);
  try {
    await end.promise;
  } finally {
    clearInterval(frames);
    // So that the server's last connection is not waited for.
    handler[Symbol.dispose]();
  }
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
try {
  if (process.stdout.isTTY) process.stdout.write("\x1b[2J\x1b[H");
  await main(stop.signal);
  console.log("Ended.");
} catch (failure) {
  const error = stop.signal.reason ?? failure;
  console.error(`dashboard: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
if (process.stdin.isTTY) process.stdin.setRawMode(false);
// What waits for a key would keep it alive.
process.exit();
