import { install, mocha } from "./command.ts";
import type { Outcome, Peer } from "./peer.ts";

export const tarn: Peer = {
  name: "tarn",
  version: "3.0.1",
  entry: "tarn",
  reasons: {},
  run,
};

async function run(folder: URL, bundle: URL): Promise<Outcome> {
  const cwd = new URL("tarn/", folder);
  await install(cwd, "bluebird@3", "expect.js@0.3", "mocha@11");
  // Where its package.json says that it is.
  await Deno.mkdir(new URL("dist/", cwd), { recursive: true });
  await Deno.writeTextFile(
    new URL("dist/tarn.js", cwd),
    `module.exports = require(${JSON.stringify(bundle.pathname)});\n`,
  );
  return await mocha(["--timeout=5000", "tests.js"], { cwd });
}
