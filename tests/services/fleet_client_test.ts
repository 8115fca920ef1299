/** The clients of the engines of a fleet, each on the runtimes that it is for. */
import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { Client } from "pg";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { RedisServer } from "../../examples/redis_server.ts";
import { postgresLedger } from "../../src/fleet/mod.ts";
import { bundle } from "../runtimes/bundle.ts";
import { BUN, executable, NODE } from "../runtimes/runtime.ts";
import { test } from "../test.ts";
import { linesOf } from "./lines.ts";

const PROGRAM = new URL("./fleet_program.ts", import.meta.url);

const [node, bun] = await Promise.all([NODE, BUN].map(executable)) as [
  string,
  string,
];

/** It takes a few seconds where nothing else is at work. */
const DEADLINE = 40_000;

/** A process with two members, which says a line when it has done a part. */
class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, ...args: string[]) {
    this.#child = new Deno.Command(program, {
      args,
      ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
    }).spawn();
    this.#lines = linesOf(this.#child.stdout);
  }

  async line(): Promise<string> {
    const { value } = await deadline(this.#lines.next(), DEADLINE);
    return value;
  }

  async goOn(): Promise<void> {
    const input = this.#child.stdin.getWriter();
    await input.write(new TextEncoder().encode("on\n"));
    await input.close();
  }

  /** Ends by itself: nothing of a fleet that was left keeps a process alive. */
  async end(): Promise<number> {
    return (await deadline(this.#child.status, DEADLINE)).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    while (!(await this.#lines.next()).done);
    await this.#child.status;
  }
}

/** That members of these clients share, and hear of writes after an outage. */
async function serve(
  server: PostgresServer | RedisServer,
  clients: [program: string, client: string][],
): Promise<void> {
  const { pathname } = await bundle(PROGRAM);
  await using ends = new AsyncDisposableStack();
  const programs: Program[] = [];
  for (const [program, client] of clients) {
    programs.push(
      ends.use(new Program(program, pathname, client, server.url)),
    );
  }
  for (const program of programs) {
    const done = JSON.parse(await program.line());
    assertEquals(done, { served: [60, 60], peak: 3, open: 0 });
  }
  await server.stop();
  await server.start();
  for (const program of programs) await program.goOn();
  for (const program of programs) {
    assertEquals(await program.line(), "heard");
    assertEquals(await program.end(), 0);
  }
}

test("services: fleet: pg serves a ledger on Node and on Bun", async () => {
  await using server = await PostgresServer.create();
  await serve(server, [[node, "pg"], [bun, "pg"]]);
});

test("services: fleet: ioredis serves one on Node and on Bun, and so does Bun's own client", async () => {
  await using server = await RedisServer.create({ appendonly: "yes" });
  await serve(server, [[node, "ioredis"], [bun, "ioredis"], [bun, "bun"]]);
});

test("services: fleet: members of a new PostgreSQL make the table at once", async () => {
  await using server = await PostgresServer.create();
  const ledgers = Array.from({ length: 10 }, () =>
    postgresLedger(async () => {
      const client = new Client({ connectionString: server.url });
      await client.connect();
      return client;
    }));
  const ends = ledgers.map((ledger) => ledger.watch(() => {}));
  const read = await Promise.all(ledgers.map((ledger) => ledger.read()));
  for (const versioned of read) {
    assertEquals(versioned, { value: "", version: "0" });
  }
  await Promise.all(ends.map((end) => end()));
});
