/**
 * Runs the suites of peers with our entries in their place:
 * `deno run -A tests/peers/main.ts <folder> [peer]`.
 *
 * The folder holds a checkout of each peer's repository, and is outside of this
 * one: what the suites need is installed there, and the peers' modules there are
 * written over. What came of it goes into bench/results/drop_in.txt; of a peer
 * that is not run, what it says there stays.
 */
import { ROOT } from "../runtimes/bundle.ts";
import { run } from "./command.ts";
import type { Outcome, Peer } from "./peer.ts";
import { drizzle } from "./drizzle.ts";
import { genericPool } from "./generic_pool.ts";
import { knex } from "./knex.ts";
import { kysely } from "./kysely.ts";
import { pgPool } from "./pg_pool.ts";
import { sequelizePool } from "./sequelize_pool.ts";
import { tarn } from "./tarn.ts";

const PEERS: readonly Peer[] = [
  pgPool,
  knex,
  kysely,
  drizzle,
  tarn,
  genericPool,
  sequelizePool,
];

const RESULTS = new URL("bench/results/drop_in.txt", ROOT);

/** One entry as one file, for `require`. */
async function bundle(entry: string, folder: URL): Promise<URL> {
  const file = new URL(`lease_pool_${entry}.cjs`, folder);
  const options = ["--quiet", "--format=cjs", "--platform=deno"];
  const source = `src/${entry}/mod.ts`;
  await run(
    Deno.execPath(),
    ["bundle", ...options, `--output=${file.pathname}`, source],
    { cwd: ROOT },
  );
  return file;
}

/** A part of the results; it begins with the name of the peer. */
function part({ name, version, reasons }: Peer, outcome: Outcome): string {
  const { passed, failed } = outcome;
  const date = new Date().toISOString().slice(0, 10);
  const total = passed + failed.length;
  const lines = [`${name} ${version}: ${passed} of ${total} passed, ${date}`];
  for (const { title, message } of failed) {
    const reason = Object.entries(reasons)
      .find(([part]) => title.includes(part))?.[1];
    const [first] = message.split("\n");
    lines.push(`  ${title}`, `    ${reason ?? `NOT EXPLAINED: ${first}`}`);
  }
  return lines.join("\n");
}

const [path, wanted] = Deno.args;
const peers = PEERS.filter(({ name }) => name === (wanted ?? name));
if (path === undefined || peers.length === 0) {
  const names = PEERS.map(({ name }) => name).join("|");
  console.error(`usage: tests/peers/main.ts <folder> [${names}]`);
  Deno.exit(2);
}
const folder = new URL(`file://${await Deno.realPath(path)}/`);
const parts = new Map<string, string>();
const before = await Deno.readTextFile(RESULTS).catch(() => "");
for (const text of before.split("\n\n").filter((text) => text.trim() !== "")) {
  parts.set(text.split(" ")[0]!, text.trim());
}
for (const peer of peers) {
  const outcome = await peer.run(folder, await bundle(peer.entry, folder));
  parts.set(peer.name, part(peer, outcome));
  console.log(parts.get(peer.name));
}
await Deno.writeTextFile(RESULTS, [...parts.values()].join("\n\n") + "\n");
