import { install, output } from "./command.ts";
import type { Outcome, Peer } from "./peer.ts";
import { readTap } from "./tap.ts";

export const sequelizePool: Peer = {
  name: "sequelize-pool",
  version: "8.0.1",
  entry: "sequelize_pool",
  reasons: {},
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("sequelize-pool/", folder);
  await install(cwd, "tap@21");
  await Deno.writeTextFile(
    new URL("src/index.ts", cwd),
    `export * from ${JSON.stringify(bundle.pathname)};\n`,
  );
  const args = ["--reporter=tap", "--disable-coverage"];
  const folders = ["test/integration", "test/stress"];
  const { text } = await output("npx", ["tap", ...args, ...folders], { cwd });
  // The groups of the first depth are the files.
  return readTap(text, 1);
}
