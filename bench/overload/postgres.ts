import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PostgresServer } from "../../examples/postgres_server.ts";
import type { Order } from "./client.ts";
import { type Figures, figures, LOADS, type Request } from "./load.ts";
import type { Run } from "./report.ts";

const run = promisify(execFile);

/** How long a use takes, in ms. */
const USE = 20;

/** How long a load lasts: an overload takes a second to be seen. */
const DURATION = { under: 5_000, over: 20_000 };

/** How often and for how long it is looked how much can be done. */
const TRIALS = 5;
const TRIAL = 2_000;

/** Lets each contender be overloaded in front of a real PostgreSQL. */
export async function overload(contenders: readonly string[]): Promise<Run> {
  await using server = await PostgresServer.create({ max_connections: 100 });
  const { url } = server;
  const found: Run = new Map();
  // The best, as what else runs on the machine only ever makes it less.
  let capacity = 0;
  for (let i = 0; i < TRIALS; i++) {
    const trial = { contender: "postgres_ours", url, use: USE };
    const order = { ...trial, duration: TRIAL, rate: undefined };
    capacity = Math.max(capacity, await ask<number>(order));
  }
  for (const load of LOADS) {
    const duration = load < 1 ? DURATION.under : DURATION.over;
    const row = new Map<string, Figures>();
    found.set(load, row);
    for (const contender of contenders) {
      const order = { contender, url, use: USE, duration };
      const rate = load * capacity;
      const requests = await ask<Request[]>({ ...order, rate });
      row.set(contender, figures(requests, capacity, duration));
    }
    console.error(`${load}×`);
  }
  return found;
}

/** Has a process of its own do it. */
async function ask<Answer>(order: Order): Promise<Answer> {
  const args = ["run", "-A", "--quiet", "--lock=bench/deno.lock"];
  args.push("bench/overload/client.ts", JSON.stringify(order));
  const { stdout } = await run(Deno.execPath(), args, {
    cwd: new URL("../../", import.meta.url),
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(stdout);
}
