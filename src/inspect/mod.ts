/**
 * A live page of pools, and the same as JSON and for Prometheus.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { inspect } from "@lease/pool/inspect";
 *
 * await using pool = new Pool({ create: () => ({}), max: 10, name: "db" });
 * const word = "Bearer something long that nobody guesses";
 * using handler = inspect([pool], {
 *   authorize: ({ headers }) => headers.get("authorization") === word,
 * });
 * // For the servers of Deno and Bun, a Worker's fetch, or Hono's app.mount.
 * const request = new Request("http://localhost/stats", {
 *   headers: { authorization: word },
 * });
 * console.log((await handler(request)).status); // 200
 * ```
 *
 * @module
 */

import { Check, FUNCTION, OBJECT } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { PoolObserver } from "../pool_observer.ts";
import type { PoolDetails } from "../pool_stats.ts";
import { SystemClock } from "../system_clock.ts";
import { Audience } from "./audience.ts";
import { Books } from "./books.ts";
import { cut } from "./cut.ts";
import { metrics, OPEN_METRICS, PLAIN } from "./metrics.ts";
import { page } from "./page.ts";
import { type PoolSnapshot, snapshot } from "./snapshot.ts";

export type { Column, Durations } from "./histogram.ts";
export type { LineSnapshot, PoolSnapshot, State } from "./snapshot.ts";

/** What `inspect` needs of a pool, which every `Pool` has. */
export interface InspectedPool {
  /** Names it on the page. */
  readonly name: string;
  /** How it is now. */
  stats(options: { details: true }): PoolDetails;
  /** Tells of what happens from now on. */
  observe(observer: PoolObserver<never>): Disposable;
}

/** Options of `inspect`. */
export interface InspectOptions {
  /**
   * Who may look, asked of every request: only `true` lets it in; a response is
   * sent instead, for instance one that asks for a password; else it is refused.
   * `"anyone"` is for servers that nobody else can reach. Stacks and messages of
   * errors are shown, so this has no default.
   */
  authorize:
    | ((request: Request) => Answer | PromiseLike<Answer>)
    | "anyone";
  /** Where time comes from, for tests. Default: that of a pool. */
  clock?: Clock | undefined;
}

/** What `authorize` says. */
export type Answer = boolean | Response;

/** Answers requests; disposed of, it watches the pools no more and all streams end. */
export interface Inspector extends Disposable {
  (request: Request): Promise<Response>;
}

/** What `/stats` and each event of `/events` is. */
export interface Snapshot {
  /** When, as of `Date.now()`. */
  at: number;
  /** In the order they were given. */
  pools: PoolSnapshot[];
}

/** A pool that is looked at, and what has been counted of it. */
interface Watched {
  readonly name: string;
  readonly pool: InspectedPool;
  readonly books: Books;
  readonly observing: Disposable;
}

/** For every answer: nobody keeps it, frames it, or guesses what it is. */
const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

/**
 * Watches pools from now on and gives what answers requests, by the last part of
 * their path: `/` is a live page, `/stats` the same as JSON, `/events` as
 * server-sent events each second, `/metrics` as OpenMetrics, or as the plain text
 * of Prometheus for those who accept only that. It can be mounted anywhere; a page not at the root needs the `/` at the end.
 *
 * It only reads, answers `GET` and `HEAD`, and shows nothing of the resources.
 * Times are of the last 5 minutes, by OpenTelemetry's exponential histogram:
 * quantiles are wrong by 4.4 % at most from 8 µs to 4.6 h. At most 32 listen to
 * `/events`; one that reads nothing for 30 s is dropped. It takes 66 kB of
 * counts for each pool, whatever happens.
 *
 * Rejects with what `authorize` threw.
 *
 * @throws {TypeError} if an option is missing, of the wrong kind, or not known
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { inspect } from "@lease/pool/inspect";
 *
 * await using pool = new Pool({ create: () => ({}), max: 2, name: "db" });
 * using handler = inspect([pool], { authorize: "anyone" });
 * await pool.use(() => {});
 * const response = await handler(new Request("http://localhost/stats"));
 * const text = await response.text();
 * console.log(text.includes("nobody waits; 1 of 2 is idle")); // true
 * ```
 */
export function inspect(
  pools: Iterable<InspectedPool>,
  options: InspectOptions,
): Inspector {
  const { all, authorize, clock } = settle(pools, options);
  const now = () => clock.now();
  const watched = watch(all, now);
  const state = () => JSON.stringify(look(watched, now()));
  const audience = new Audience(clock, state);
  const handler = async (request: Request): Promise<Response> => {
    if (authorize !== "anyone") {
      const answer = await authorize(request);
      if (answer instanceof Response) return answer;
      if (answer !== true) return text("Not allowed", 403);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text("Only GET and HEAD", 405, { Allow: "GET, HEAD" });
    }
    const { pathname } = new URL(request.url);
    const isHead = request.method === "HEAD";
    switch (pathname.slice(pathname.lastIndexOf("/") + 1)) {
      case "":
        return pageAt(isHead);
      case "stats":
        return respond(isHead ? null : state(), 200, "application/json");
      case "metrics":
        return metricsFor(request, watched, isHead);
      case "events":
        return events(audience, isHead);
      default:
        return text("Not found", 404);
    }
  };
  return Object.assign(handler, {
    [Symbol.dispose]() {
      audience.close();
      for (const { observing } of watched) observing[Symbol.dispose]();
    },
  });
}

function settle(
  pools: Iterable<InspectedPool>,
  options: InspectOptions,
): {
  all: readonly InspectedPool[];
  authorize: InspectOptions["authorize"];
  clock: Clock;
} {
  const check = new Check("Cannot inspect");
  check.that("pools", pools, OBJECT);
  // Before any is watched: nobody could end that if another is refused.
  const all = [...pools];
  for (const [i, pool] of all.entries()) {
    check.that(`pools[${i}]`, pool, OBJECT);
    for (const name of ["stats", "observe"] as const) {
      check.that(`pools[${i}].${name}`, pool[name], FUNCTION);
    }
  }
  check.that("options", options, OBJECT);
  check.names(options, ["authorize", "clock"]);
  const { authorize, clock = new SystemClock() } = options;
  if (authorize !== "anyone" && typeof authorize !== "function") {
    check.mistake("authorize", 'a function or "anyone"', authorize);
  }
  for (const name of ["now", "setTimeout", "clearTimeout"] as const) {
    check.that(`clock.${name}`, clock[name], FUNCTION);
  }
  return { all, authorize, clock };
}

/** Pools that share a name get numbers, as series and headings must differ. */
function watch(pools: readonly InspectedPool[], now: () => number): Watched[] {
  const names = new Set<string>();
  /** The next number of those of one name. */
  const numbers = new Map<string, number>();
  return pools.map((pool) => {
    // Halves of characters, which a cut can make, would all be sent as the same.
    const own = cut(`${pool.name}`).replace(/\p{Surrogate}/gu, "\ufffd");
    let name = own;
    let n = numbers.get(own) ?? 2;
    for (; names.has(name); n++) name = `${own} (${n})`;
    numbers.set(own, n);
    names.add(name);
    const books = new Books(now);
    const observing = pool.observe(books.observer);
    return { name, pool, books, observing };
  });
}

function look(watched: readonly Watched[], now: number): Snapshot {
  return {
    at: Date.now(),
    pools: watched.map(({ name, pool, books }) =>
      snapshot(name, pool.stats({ details: true }), books, now)
    ),
  };
}

/** OpenMetrics, but for those who can read the plain text alone. */
function metricsFor(
  { headers }: Request,
  watched: readonly Watched[],
  isHead: boolean,
): Response {
  const accepted = headers.get("Accept") ?? "";
  const isPlain = accepted.includes("text/plain") &&
    !accepted.includes("application/openmetrics-text");
  const type = isPlain ? PLAIN : OPEN_METRICS;
  if (isHead) return respond(null, 200, type);
  const measured = watched.map(({ name, pool, books }) => ({
    name,
    books,
    details: pool.stats({ details: true }),
  }));
  return respond(metrics(measured, type), 200, type);
}

function events(audience: Audience, isHead: boolean): Response {
  const stream = isHead ? null : audience.listen();
  if (stream === undefined) {
    return text("Too many listen", 503, { "Retry-After": "30" });
  }
  // A proxy is not to gather them.
  const headers = { "X-Accel-Buffering": "no" };
  return respond(stream, 200, "text/event-stream", headers);
}

function pageAt(isHead: boolean): Response {
  const nonce = btoa(
    String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))),
  );
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const headers = { "Content-Security-Policy": policy };
  const type = "text/html; charset=utf-8";
  return respond(isHead ? null : page(nonce), 200, type, headers);
}

function text(
  words: string,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return respond(`${words}\n`, status, "text/plain; charset=utf-8", headers);
}

function respond(
  body: BodyInit | null,
  status: number,
  type: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...HEADERS, "Content-Type": type, ...headers },
  });
}
