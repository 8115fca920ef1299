/**
 * A pool of real PostgreSQL connections under load.
 *
 * 200 clients ask 50 queries each over at most 10 connections. Some of them
 * lose patience in the line, and three connections are killed under their
 * hands. In the end the server's own count is held against the pool's.
 *
 * It starts a server of its own, or uses the one that `DATABASE_URL` names.
 */

/// <reference path="../tests/async.d.ts" />

import process from "node:process";
import { Pool } from "@lease/pool";
import { inspect, type Snapshot } from "@lease/pool/inspect";
import { delay } from "@std/async/delay";
import { PostgresCensus } from "./postgres_census.ts";
import { isConnectionLost, PostgresConnection } from "./postgres_connection.ts";
import { PostgresServer } from "./postgres_server.ts";
import { PostgresTally } from "./postgres_tally.ts";
import { ProgressLine } from "./progress_line.ts";
import { histogram } from "./terminal_picture.ts";

const CLIENTS = 200;
const QUERIES = 50;
const MAX = 10;
const KILLS = 3;

interface Run {
  pool: Pool<PostgresConnection>;
  census: PostgresCensus;
  tally: PostgresTally;
  signal: AbortSignal;
}

async function demo(signal: AbortSignal): Promise<void> {
  const { DATABASE_URL } = process.env;
  await using server = DATABASE_URL ? undefined : await startServer(signal);
  const url = server?.url ?? checkUrl(DATABASE_URL!);
  // A name of its own each time: others may use the same server.
  const name = `lease-demo-${crypto.randomUUID().slice(0, 8)}`;
  await using census = await openCensus(url, name, signal);
  console.log(`PostgreSQL ${await census.version()} at ${host(url)}`);
  console.log(`${CLIENTS} clients, ${QUERIES} queries each, max ${MAX}\n`);

  const queries = CLIENTS * QUERIES;
  const tally = new PostgresTally({ queries, kills: KILLS, max: MAX });
  const pool = new Pool<PostgresConnection>({
    create: ({ signal, lost }) =>
      PostgresConnection.open(url, { name, signal, lost }),
    destroy: (connection) => connection.close(),
    isFatal: isConnectionLost,
    max: MAX,
    observer: tally.observer,
  });
  using handler = inspect([pool], { authorize: "anyone" });
  try {
    await work({ pool, census, tally, signal });
  } finally {
    await pool.close({ signal: AbortSignal.timeout(5_000) });
  }
  tally.report(pool.stats(), census, await census.pids());
  const response = await handler(new Request("http://localhost/stats"));
  const { pools: [seen] }: Snapshot = await response.json();
  console.log("  how long acquires waited, up to");
  console.log(histogram(seen!.waits).join("\n"));
  console.log("\n  the same and more as a live page: deno task dashboard");
}

/** All clients at once, and somebody at the server. */
async function work(run: Run): Promise<void> {
  using line = new ProgressLine(() => run.tally.progress(run.pool.stats()));
  const over = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, id) => client(run, id));
  await Promise.all([
    Promise.all(clients).finally(() => over.abort()),
    watch(run, line, over.signal),
  ]);
}

async function client(run: Run, id: number): Promise<void> {
  for (let n = 0; n < QUERIES; n++) {
    if (n % 25 === 12) await losePatience(run);
    await ask(run, id * QUERIES + n);
  }
}

/** Asks until the answer comes. */
async function ask(run: Run, question: number): Promise<void> {
  let asked = false;
  const rows = await run.pool.use((connection) => {
    asked = true;
    return connection.query<{ answer: number }>(
      "select $1::int as answer, pg_sleep(random() * 0.005)",
      [question],
    );
  }, { signal: run.signal }).catch((error) => {
    // Killed under our hands: the pool has destroyed it, and asking is safe.
    if (asked && isConnectionLost(error)) return undefined;
    throw error;
  });
  if (rows === undefined) {
    run.tally.repeated++;
    return await ask(run, question);
  }
  if (rows[0]?.answer !== question) throw new Error("an answer went astray");
  run.tally.answered++;
}

/** Leaves the line before its turn. */
async function losePatience({ pool, tally, signal }: Run): Promise<void> {
  const patience = AbortSignal.timeout(5);
  const either = AbortSignal.any([signal, patience]);
  try {
    using _lease = await pool.acquire({ signal: either });
  } catch (error) {
    if (error !== patience.reason) throw error;
    tally.aborted++;
  }
}

/** Counts the connections at the server, and kills one of them now and then. */
async function watch(
  { census, tally }: Run,
  line: ProgressLine,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await census.pids();
    const share = (tally.killed + 1) / (KILLS + 1);
    if (share < 1 && tally.answered >= share * CLIENTS * QUERIES) {
      tally.killed += await census.terminate(1);
      line.note(`  killed a connection (${tally.killed} of ${KILLS})`);
    }
    await delay(10);
  }
}

async function startServer(signal: AbortSignal): Promise<PostgresServer> {
  try {
    return await PostgresServer.create({}, signal);
  } catch (error) {
    throw new Error(`cannot start PostgreSQL: ${message(error)}`);
  }
}

async function openCensus(
  url: string,
  name: string,
  signal: AbortSignal,
): Promise<PostgresCensus> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
  try {
    return await PostgresCensus.open(url, { name, signal: limit });
  } catch (error) {
    const reason = message(error);
    throw new Error(`cannot reach PostgreSQL at ${host(url)}: ${reason}`);
  }
}

function checkUrl(url: string): string {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Error(
    "DATABASE_URL must be postgres://user:password@host/database",
  );
}

function host(url: string): string {
  return new URL(url).host || "localhost";
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
try {
  await demo(stop.signal);
} catch (error) {
  console.error(`demo: ${message(stop.signal.reason ?? error)}`);
  process.exitCode = 1;
}
