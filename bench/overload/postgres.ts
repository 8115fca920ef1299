import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PostgresServer } from "../../examples/postgres_server.ts";
import type { Order } from "./client.ts";
import { type Figures, figures, LOADS, type Request } from "./load.ts";
import type { Run } from "./report.ts";

const run = promisify(execFile);

/** How long a use takes, in ms. */
const USE = 20;

const DURATION = 30_000;

/** How long it is looked how much can be done. */
const TRIAL = 2_000;

/** Lets each contender be overloaded in front of a real PostgreSQL. */
export async function overload(contenders: readonly string[]): Promise<Run> {
  await using server = await PostgresServer.create({ max_connections: 100 });
  const { url } = server;
  const found: Run = new Map();
  for (const load of LOADS) {
    // Each time anew, as others may use the machine.
    const capacity = await ask<number>({
      ...{ contender: "postgres_ours", url, use: USE },
      ...{ duration: TRIAL, rate: undefined },
    });
    const row = new Map<string, Figures>();
    found.set(load, row);
    for (const contender of contenders) {
      const order = { contender, url, use: USE, duration: DURATION };
      const rate = load * capacity;
      const requests = await ask<Request[]>({ ...order, rate });
      row.set(contender, figures(requests, capacity, DURATION));
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
