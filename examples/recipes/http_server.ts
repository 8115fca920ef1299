/**
 * An HTTP server that is a good citizen: a request whose client has gone leaves
 * the line; one that cannot be served in time is told so at once, and when to
 * come again; on SIGTERM it finishes what it has begun, within a deadline.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { Pool, PoolError, PoolOverloadedError } from "@lease/pool";
import { until } from "./parts/until.ts";

/** How long a stop may take, in ms: less than until the platform kills. */
const DEADLINE = 1_000;

/** Stands for a connection: it takes 300 ms, or as long as it is there. */
class Session {
  readonly #ended = Promise.withResolvers<never>();

  async answer(path: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    if (path !== "/stuck") setTimeout(() => resolve(`${path}\n`), 300);
    return await Promise.race([promise, this.#ended.promise]);
  }

  end(): void {
    this.#ended.promise.catch(() => {});
    this.#ended.reject(new Error("the session has ended"));
  }
}

const pool = new Pool({
  create: () => new Session(),
  destroy: (session) => session.end(),
  max: 2,
  maxPending: 4, // as many as are served within the patience of a client
  acquireTimeout: 5_000, // less than the patience of a client
});

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    // A body that streams from the resource must end within `use`.
    const body = await pool.use((session) => session.answer(pathname), {
      signal: request.signal,
    });
    return new Response(body);
  } catch (error) {
    // The client has gone: nobody reads this.
    if (error === request.signal.reason) return new Response(null);
    if (error instanceof PoolError) return tooMuch(error);
    return new Response("something broke\n", { status: 500 });
  }
}

function tooMuch(error: PoolError): Response {
  const delay = error instanceof PoolOverloadedError ? error.retryAfter : 1_000;
  const headers = { "Retry-After": `${Math.ceil(delay / 1_000)}` };
  return new Response("come again later\n", { status: 503, headers });
}

const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  handle,
);

/** Takes no new connections, answers what it has, and is gone in time. */
async function stop(): Promise<void> {
  const deadline = AbortSignal.timeout(DEADLINE);
  const late = new Promise((resolve) => {
    deadline.addEventListener("abort", resolve);
  });
  await Promise.race([server.shutdown(), late]);
  await pool.close({ signal: deadline }); // what is out by then is destroyed
}

const stopped = new Promise<void>((resolve) => {
  process.once("SIGTERM", () => resolve(stop()));
});

// From here on, its clients.

const url = `http://127.0.0.1:${server.addr.port}`;
async function get(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url + path, signal ? { signal } : {});
  await response.text();
  return response;
}

// While all sessions are held four wait, and the others are sent away at once.
const held = [await pool.acquire(), await pool.acquire()];
const statuses: string[] = [];
const burst = Array.from({ length: 10 }, async () => {
  const { status, headers } = await get("/");
  statuses.push(`${status} ${headers.get("retry-after")}`);
});
await until(() => pool.stats().pending === 4 && statuses.length === 6);
for (const lease of held) lease.release();
await Promise.all(burst);
assert.equal(
  statuses.join(),
  `${"503 1,".repeat(6)}${"200 null,".repeat(4)}`.slice(0, -1),
);

// Whoever goes away leaves the line.
const patience = new AbortController();
const both = [await pool.acquire(), await pool.acquire()];
const waiting = get("/", patience.signal);
await until(() => pool.stats().pending === 1);
patience.abort();
await assert.rejects(waiting, { name: "AbortError" });
await until(() => pool.stats().pending === 0);
for (const lease of both) lease.release();

// Stopped while one is at work and one is stuck: the first is answered.
const [working, stuck] = [get("/"), get("/stuck")];
stuck.catch(() => {});
await until(() => pool.stats().used === 2);
const told = performance.now();
process.kill(process.pid, "SIGTERM");
assert.equal((await working).status, 200);
await stopped;
const took = performance.now() - told;
assert.ok(took < DEADLINE + 10_000, `it took ${took} ms`);
assert.equal(pool.stats().used, 0);
await server.finished;
console.log(`four served, six sent away, stopped in ${Math.round(took)} ms`);
