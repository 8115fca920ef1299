/**
 * Several processes, one PostgreSQL, one maximum.
 *
 * Six processes want 60 connections of a server with max_connections 20, of which
 * they share 12. Two are killed, one stands still for twice the ttl of its lease and
 * goes on. All the while the server's own count of their connections is shown; in
 * the end the highest is held against the maximum.
 *
 * It starts a server of its own, and again itself for each process.
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Pool } from "@lease/pool";
import { FleetBudget, postgresLedger } from "@lease/pool/fleet";
import { delay } from "@std/async/delay";
import pg from "pg";
import { PostgresCensus } from "./postgres_census.ts";
import { PostgresConnection } from "./postgres_connection.ts";
import { PostgresServer } from "./postgres_server.ts";
import { ProgressLine } from "./progress_line.ts";

const MEMBERS = 6;
const CLIENTS = 10;
const MAX = 12;
const TTL = 2_000;
const NAME = "fleet";

/** One process of the fleet: clients that query without a pause. */
async function member(url: string, signal: AbortSignal): Promise<void> {
  const ledger = postgresLedger(async () => {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: TTL / 3,
      query_timeout: TTL / 3,
    });
    await client.connect();
    return client;
  });
  const target = new URL(url);
  // The server ends what a process holds that stands still, before others have it.
  target.searchParams.set("options", `-c idle_session_timeout=${TTL / 2}`);
  await using budget = new FleetBudget({ ledger, max: MAX, ttl: TTL });
  await using pool = new Pool<PostgresConnection>({
    create: (context) =>
      PostgresConnection.open(target.href, { name: NAME, ...context }),
    destroy: (connection) => connection.close(),
    idleTimeout: TTL / 4,
    max: MAX,
    budget,
  });
  let served = 0;
  const report = setInterval(() => {
    console.log(`${served} ${budget.stats().permits}`);
  }, 100);
  const client = async () => {
    while (!signal.aborted) {
      const sleep = "select pg_sleep(random() * 0.02)";
      const use = pool.use((connection) => connection.query(sleep));
      // After a standstill the server has ended the session: it asks again.
      await use.then(() => served++, () => delay(10));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  clearInterval(report);
}

/** A process, as it is seen from here. */
interface Seen {
  readonly child: ChildProcess;
  served: number;
  permits: number;
  state: "works" | "dead" | "stopped";
}

function start(url: string): Seen {
  const args = [fileURLToPath(import.meta.url), "member", url];
  const child = spawn(process.execPath, ["run", "-A", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const seen: Seen = { child, served: 0, permits: 0, state: "works" };
  createInterface(child.stdout!).on("line", (line) => {
    [seen.served, seen.permits] = line.split(" ").map(Number) as [
      number,
      number,
    ];
  });
  return seen;
}

/** By its number: on Deno 2.9 a `ChildProcess` passes on its first signal only. */
function send(
  { child }: Seen,
  signal: "SIGKILL" | "SIGSTOP" | "SIGCONT",
): void {
  process.kill(child.pid!, signal);
}

async function fleet(signal: AbortSignal): Promise<void> {
  const settings = { max_connections: 20, superuser_reserved_connections: 1 };
  await using server = await PostgresServer.create(settings, signal);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
  await using census = await PostgresCensus.open(server.url, {
    ...{ name: NAME, signal: limit },
  });
  console.log(`PostgreSQL ${await census.version()}, max_connections 20`);
  console.log(`${MEMBERS} processes, ${CLIENTS} clients each, max ${MAX}\n`);
  const members = Array.from({ length: MEMBERS }, () => start(server.url));
  try {
    await show(census, members, signal);
  } finally {
    for (const member of members) {
      if (member.state !== "dead") send(member, "SIGKILL");
    }
  }
  const all = members.map(({ served }) => served);
  console.log(`\nqueries served by each: ${all.join(", ")}`);
  const { peak, samples } = census;
  console.log(`the server counted ${peak} of ${MAX} at most, ${samples} times`);
  if (peak !== MAX) throw new Error(`it should have been ${MAX}`);
}

/** What happens to the fleet, and the counts meanwhile. */
async function show(
  census: PostgresCensus,
  members: Seen[],
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  const over = new AbortController();
  using line = new ProgressLine(() => {
    const shares = members.map(({ permits, state }) =>
      state === "works" ? `${permits}` : state
    );
    return `  server counts ${count} of ${MAX}; leased: ${shares.join(", ")}`;
  });
  const counting = (async () => {
    while (!over.signal.aborted) {
      count = (await census.pids()).length;
      await delay(5);
    }
  })();
  try {
    await delay(4_000, { signal });
    const [first, second, third] = members as [Seen, Seen, Seen];
    for (const member of [first, second]) {
      send(member, "SIGKILL");
      member.state = "dead";
    }
    line.note("killed two: the others have their permits after the ttl");
    await delay(3 * TTL, { signal });
    send(third, "SIGSTOP");
    third.state = "stopped";
    line.note("stopped one: so with its permits");
    await delay(2 * TTL, { signal });
    send(third, "SIGCONT");
    third.state = "works";
    line.note("it goes on, without a lease at first");
    await delay(2 * TTL, { signal });
  } finally {
    over.abort();
    await counting;
  }
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
try {
  const [role, url] = process.argv.slice(2);
  if (role === "member") {
    // Ends where who has started it is no more, even if that was killed.
    process.stdin.resume().on("end", () => process.exit());
    await member(url!, stop.signal);
  } else await fleet(stop.signal);
} catch (failure) {
  const error = stop.signal.reason ?? failure;
  console.error(`fleet: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
// After its processes were killed it would not end by itself on Deno 2.9.
process.exit();
