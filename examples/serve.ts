/**
 * An HTTP server in which at most four requests at a time use something dear.
 * A request that waits leaves the line when its client goes away.
 *
 * The same file runs on Deno and on Bun:
 *
 * ```sh
 * deno run -A --unstable-no-legacy-abort examples/serve.ts 8080
 * bun run examples/serve.ts 8080
 * ```
 *
 * `GET /` uses a session, `GET /stats` shows the pool.
 */

import process from "node:process";
// Bun does not know the names in deno.json.
import { Pool } from "../mod.ts";

/** Stands for a connection, a browser or a device: slow, and few. */
class Session {
  static #last = 0;
  readonly #number = ++Session.#last;
  #answers = 0;

  async answer(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 250));
    return `answer ${++this.#answers} of session ${this.#number}\n`;
  }
}

const pool = new Pool({
  create: () => new Session(),
  max: 4,
  maxPending: 100,
  acquireTimeout: 10_000,
});

async function handle(request: Request): Promise<Response> {
  if (new URL(request.url).pathname === "/stats") {
    return Response.json(pool.stats());
  }
  try {
    using lease = await pool.acquire({ signal: request.signal });
    return new Response(await lease.value.answer());
  } catch (error) {
    // Nobody reads this if the client is gone.
    return new Response(`${error}\n`, { status: 503 });
  }
}

/** What both runtimes share, and this program uses, of Bun. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch: (request: Request) => Promise<Response>;
  }): { port: number; stop(): Promise<void> };
};

/** Starts the server, on this machine only; returns what stops it. */
function serve(port: number): () => Promise<void> {
  const hostname = "127.0.0.1";
  if ("Deno" in globalThis) {
    const onListen = announce;
    const server = Deno.serve({ hostname, port, onListen }, handle);
    return () => server.shutdown();
  }
  const server = Bun.serve({ hostname, port, fetch: handle });
  announce(server);
  return () => server.stop();
}

function announce({ port }: { port: number }): void {
  console.log(`Listening on http://127.0.0.1:${port}`);
}

const stop = serve(Number(process.argv[2] ?? process.env.PORT ?? 8000));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await stop();
    await pool.close();
    process.exit();
  });
}
