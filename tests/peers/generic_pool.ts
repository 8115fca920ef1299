import { install, output } from "./command.ts";
import type { Outcome, Peer } from "./peer.ts";
import { readTap } from "./tap.ts";

export const genericPool: Peer = {
  name: "generic-pool",
  version: "3.9.0",
  entry: "generic_pool",
  reasons: {
    "evictor start with acquire when autostart is false":
      "reads a private field, _scheduledEviction",
  },
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("generic-pool/", folder);
  await install(cwd, "tap@8");
  await Deno.writeTextFile(
    new URL("index.js", cwd),
    `module.exports = require(${JSON.stringify(bundle.pathname)});\n`,
  );
  let report = "";
  for await (const { name } of Deno.readDir(new URL("test/", cwd))) {
    if (!name.endsWith("-test.js")) continue;
    report += (await output("node", [`test/${name}`], { cwd })).text;
  }
  return readTap(report, 0);
}
