/**
 * Lets the same things go wrong in front of `@lease/pool` and its peers, on a
 * real PostgreSQL: `deno task bench:outage`.
 *
 * - `--scene=NAME` plays that one alone, `--subject=NAME` that one alone.
 *
 * A run of all of them goes into results/outage/.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { TcpProxy } from "../../tests/services/tcp_proxy.ts";
import { type Figures, figures } from "./figures.ts";
import { plots, table } from "./report.ts";
import { DEFAULTS, type Scene, SCENES } from "./scene.ts";
import { administer, ROLE, Stage } from "./stage.ts";
import { OURS, verdicts } from "./target.ts";

const SUBJECTS = [
  OURS,
  "postgres_pg_ours",
  "postgres_pg_pool",
  "postgres_js",
  "postgres_tarn",
  "postgres_generic_pool",
];

const OUTPUT = new URL("../results/outage/", import.meta.url);

/** What the command line asks for; everything if it names nothing. */
function wishes(): { scenes: readonly Scene[]; subjects: readonly string[] } {
  const { values: { scene, subject } } = parseArgs({
    args: Deno.args,
    options: { scene: { type: "string" }, subject: { type: "string" } },
  });
  const scenes = SCENES.filter(({ name }) => name === (scene ?? name));
  const subjects = SUBJECTS.filter((name) => name === (subject ?? name));
  if (scenes.length > 0 && subjects.length > 0) return { scenes, subjects };
  const names = SCENES.map(({ name }) => `"${name}"`);
  console.error(
    `usage: deno task bench:outage [--scene=${names.join("|")}] [--subject=${
      SUBJECTS.join("|")
    }]`,
  );
  Deno.exit(2);
}

/** A server with a role for the contenders, and a table with a unique key. */
async function prepare(): Promise<PostgresServer> {
  const server = await PostgresServer.create({ max_connections: 100 });
  const { password } = new URL(server.url);
  await administer(
    server,
    `create role ${ROLE} login password '${password}'`,
    // Else errors cost what it takes to write them to a log.
    `alter role ${ROLE} set log_min_messages = fatal`,
    "create table seen (id bigint primary key)",
    "insert into seen values (0)",
    `grant insert on seen to ${ROLE}`,
  );
  return server;
}

/** One contender in one scene; each has its own proxy and its own pool. */
async function play(
  server: PostgresServer,
  scene: Scene,
  subject: string,
): Promise<Figures> {
  await using proxy = await TcpProxy.create(server.port);
  const settings = { ...DEFAULTS, ...scene };
  await using stage = new Stage(server, proxy, subject, settings);
  return figures(scene, await scene.play(stage), stage);
}

const start = performance.now();
const { scenes, subjects } = wishes();
const run = new Map<string, Map<string, Figures>>();
// The server goes when the run is over, also when a scene fails.
{
  await using server = await prepare();
  for (const scene of scenes) {
    const contenders = new Map<string, Figures>();
    run.set(scene.name, contenders);
    for (const subject of subjects) {
      contenders.set(subject, await play(server, scene, subject));
    }
    console.error(`${scene.name} ${seconds()} s`);
  }
}
const text = [
  `${new Date().toISOString().slice(0, 10)}: deno ${Deno.version.deno}, ` +
  `${seconds()} s, load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores`,
  table(run),
  verdicts(run),
].join("\n\n");
console.log(text);
if (scenes.length === SCENES.length && subjects.length === SUBJECTS.length) {
  await Deno.mkdir(OUTPUT, { recursive: true });
  const files = plots(run).set("table.txt", text);
  for (const [name, content] of files) {
    await Deno.writeTextFile(new URL(name, OUTPUT), content);
  }
}

function seconds(): string {
  return ((performance.now() - start) / 1_000).toFixed(0);
}
