/**
 * What one maximum over processes costs: `deno task bench:fleet`.
 *
 * A permit of each budget; creates by way of each engine; and beside a fleet of
 * pools PgBouncer in transaction mode, with as many connections to the same
 * PostgreSQL. It needs Debian's `redis-server` and `pgbouncer`.
 *
 * - `--quick` takes less time, is less exact, and is not kept.
 *
 * The rest goes into results/fleet.txt and results/fleet.svg.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { ENGINES } from "../../tests/services/fleet_engine.ts";
import { digits } from "../label.ts";
import { type Group, plot } from "../plot.ts";
import { percentile, type Spread, spread } from "../statistic.ts";
import { align } from "../table.ts";
import { prepare, together } from "./child.ts";
import type { CreatesFound, CreatesTask } from "./creates.ts";
import { BUDGETS, type PermitFound, type PermitTask } from "./permit.ts";
import { PgBouncer } from "./pgbouncer.ts";
import { promises } from "./promises.ts";
import type { QueriesFound, QueriesTask } from "./queries.ts";

const PROCESSES = 4;
const MAX = 20;

/** By case, how many clients each process has. */
const CROWDS: Record<string, number[]> = {
  "1 client in each process": [1, 1, 1, 1],
  "25 clients in each process": [25, 25, 25, 25],
  "25 clients in one, 1 in the others": [25, 1, 1, 1],
};

const PLACES = {
  fleet: "@lease/pool, FleetBudget",
  split: "@lease/pool, max 5 each",
  bouncer: "PgBouncer",
};

const PROMISES = [
  "A process that dies: its sessions end at once with either; its permits come",
  "back 1.041 × ttl after its last write was read, while PgBouncer has its",
  "connections back at once.",
  "A partition: a member that is cut off from the ledger makes nothing beyond its",
  "floor after ttl, though it may reach the server; who is cut off from PgBouncer",
  "reaches nothing, and when PgBouncer dies nobody does.",
];

/** Figures by row and column, each of some rounds. */
class Sheet {
  readonly #cells = new Map<string, Map<string, number[]>>();

  add(row: string, figures: Record<string, number | undefined>): void {
    const cells = this.#cells.get(row) ?? new Map<string, number[]>();
    this.#cells.set(row, cells);
    for (const [name, figure] of Object.entries(figures)) {
      if (figure === undefined) continue;
      cells.set(name, [...cells.get(name) ?? [], figure]);
    }
  }

  spread(row: string, name: string): Spread | undefined {
    const values = this.#cells.get(row)?.get(name);
    return values && spread(values);
  }

  /** Medians, from the least to the most; a row is named by case and subject. */
  text(title: string): string {
    const rows = [...this.#cells.keys()];
    const names = [
      ...new Set([...this.#cells.values()].flatMap((it) => [...it.keys()])),
    ];
    const lines = rows.map((row) => [
      ...[...row.split("|"), ""].slice(0, 2),
      ...names.map((name) => {
        const found = this.spread(row, name);
        if (found === undefined) return "–";
        const { median, min, max } = found;
        return `${digits(median)} (${digits(min)} to ${digits(max)})`;
      }),
    ]);
    return `${title}\n\n${align([["", "", ...names], ...lines])}`;
  }
}

async function permits(sheet: Sheet, quick: boolean): Promise<void> {
  const file = "permit";
  for (const budget of BUDGETS) {
    const [found] = await together<PermitTask, PermitFound>(file, [
      { budget, quick },
    ]);
    sheet.add(budget, {
      "permit ns": found!.permit,
      "acquire and release ns": found!.acquire,
    });
  }
}

async function creates(sheet: Sheet, duration: number): Promise<void> {
  const file = "creates";
  for (const engine of ["kv", "redis", "postgres"] as const) {
    for (const members of [1, 2, 4]) {
      // Of each round: what is left of the last is not in the way.
      await using at = await ENGINES[engine]();
      const tasks = Array.from({ length: members }, (_, place) => ({
        ...{ engine, url: at.url, duration, turns: members > 1, place },
      }));
      const found = await together<CreatesTask, CreatesFound>(file, tasks);
      const all = found.reduce((sum, { creates }) => sum + creates, 0);
      const asked = found.reduce((sum, { asked }) => sum + asked, 0);
      const crowd = members === 1 ? "1 member" : `${members} in turns`;
      sheet.add(`${engine}|${crowd}`, {
        "creates/s": all / duration * 1e3,
        "operations/create": asked / all,
        "operations/s": asked / duration * 1e3,
        "first create ms": Math.max(
          ...found.filter(({ first }) => first !== null).map((it) => it.first),
        ),
      });
    }
  }
}

async function queries(
  sheet: Sheet,
  urls: { server: string; bouncer: string },
  duration: number,
  round: number,
): Promise<void> {
  const file = "queries";
  for (const [crowd, clients] of Object.entries(CROWDS)) {
    const places = Object.keys(PLACES) as (keyof typeof PLACES)[];
    // None always follows the same one.
    const order = places.map((_, i) => places[(i + round) % places.length]!);
    for (const place of order) {
      const tasks = clients.map((clients): QueriesTask => ({
        ...{ clients, duration },
        url: place === "bouncer" ? urls.bouncer : urls.server,
        ledger: place === "fleet" ? urls.server : undefined,
        // Before PgBouncer each client has a connection.
        max: { fleet: MAX, split: MAX / PROCESSES, bouncer: clients }[place],
      }));
      const found = await together<QueriesTask, QueriesFound>(file, tasks);
      const failed = found.reduce((sum, { failed }) => sum + failed, 0);
      if (failed > 0) throw new Error(`${failed} queries have failed`);
      const times = found.flatMap(({ times }) => times);
      sheet.add(`${crowd}|${PLACES[place]}`, {
        "queries/s": times.length / duration * 1e3,
        "p50 ms": percentile(times, 0.5),
        "p99 ms": percentile(times, 0.99),
      });
    }
  }
}

function drawing(sheet: Sheet): string {
  const groups = Object.keys(CROWDS).map((crowd): Group => ({
    name: crowd,
    bars: Object.values(PLACES).flatMap((place) => {
      const found = sheet.spread(`${crowd}|${place}`, "queries/s");
      return found === undefined ? [] : [{ subject: place, ...found }];
    }),
  }));
  const title = `Short queries of ${PROCESSES} processes over ${MAX} ` +
    "connections to a real PostgreSQL";
  return plot(title, { name: "rate", unit: "queries/s", more: true }, groups);
}

/** What is missing is said before anything is measured. */
async function require(...programs: string[]): Promise<void> {
  for (const program of programs) {
    await new Deno.Command(program, {
      ...{ args: ["--version"], stdout: "null", stderr: "null" },
    }).output().catch(() => {
      console.error(`error: no ${program}: apt-get install ${program}`);
      Deno.exit(1);
    });
  }
}

async function main(quick: boolean): Promise<void> {
  await require("redis-server", "pgbouncer");
  await prepare();
  const start = performance.now();
  const [costs, asked, served] = [new Sheet(), new Sheet(), new Sheet()];
  const rounds = quick ? 1 : 3;
  const duration = quick ? 1_000 : 2_000;
  await using server = await PostgresServer.create({ max_connections: 60 });
  await using bouncer = await PgBouncer.create(server.url, MAX);
  const urls = { server: server.url, bouncer: bouncer.url };
  const [direct, pooled] = [
    await promises(urls.server),
    await promises(urls.bouncer),
  ];
  for (let round = 0; round < rounds; round++) {
    await permits(costs, quick);
    await creates(asked, duration);
    await queries(served, urls, duration, round);
    console.error(`round ${round + 1} of ${rounds}`);
  }
  const kept = Object.keys(direct).map((
    what,
  ) => [what, "", ...[direct, pooled].map((it) => it[what] ? "yes" : "no")]);
  const text = [
    `${new Date().toISOString().slice(0, 10)}: deno ${Deno.version.deno}, ` +
    `${((performance.now() - start) / 1e3).toFixed(0)} s, load ` +
    `${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores; ` +
    `${rounds} rounds, medians (least to most)`,
    costs.text("What a permit costs, and a pool without a budget"),
    asked.text("Creates of members that share 8, by engine"),
    served.text(
      `Queries of ${PROCESSES} processes over ${MAX} connections; ` +
        "the time of one has the wait for a connection in it",
    ),
    `What is promised\n\n${
      align([["", "", "a pool's connection", "PgBouncer"], ...kept])
    }\n\n${PROMISES.join("\n")}`,
  ].join("\n\n") + "\n";
  console.log(text);
  if (quick) return;
  const output = new URL("../results/", import.meta.url);
  await Deno.writeTextFile(new URL("fleet.txt", output), text);
  await Deno.writeTextFile(new URL("fleet.svg", output), drawing(served));
}

const { values } = parseArgs({
  args: Deno.args,
  options: { quick: { type: "boolean", default: false } },
});
await main(values.quick);
Deno.exit();
