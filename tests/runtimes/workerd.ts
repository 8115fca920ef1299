import { Miniflare } from "miniflare";
import { bundle, bundleSuite, NOT_IN_A_WORKER, ROOT } from "./bundle.ts";
import { inspectInHono, inspectInWorker } from "./inspect_servers.ts";
import { conclude, type Report, report, type TestCase } from "./report.ts";

/** A worker that runs the suite within one request. */
const SUITE = `
import { runCollected } from "./suite.test.js";
export default {
  async fetch() {
    return Response.json(await runCollected());
  },
};
`;

/** As the worker imports it, its text. */
type Modules = Record<string, string>;

async function inWorker(
  modules: Modules,
  run: (miniflare: Miniflare) => Promise<TestCase[]>,
): Promise<Report> {
  const miniflare = new Miniflare({
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_als"],
    modules: Object.entries(modules).map(([path, contents]) => ({
      ...{ type: "ESModule", path, contents },
    })),
  });
  console.log("\n=== workerd ===");
  try {
    return report(await run(miniflare));
  } finally {
    await miniflare.dispose();
  }
}

async function suite(): Promise<Report> {
  const url = await bundleSuite(NOT_IN_A_WORKER);
  const modules = {
    "worker.js": SUITE,
    "suite.test.js": await Deno.readTextFile(url),
  };
  return await inWorker(modules, async (miniflare) => {
    const response = await miniflare.dispatchFetch("http://localhost/");
    if (!response.ok) throw new Error(await response.text());
    return await response.json() as TestCase[];
  });
}

async function page(): Promise<Report> {
  const entry = new URL("tests/runtimes/programs/inspect_worker.ts", ROOT);
  const lock = "--lock=tests/runtimes/deno.lock";
  const url = await bundle(entry, [lock]);
  const modules = { "worker.js": await Deno.readTextFile(url) };
  return await inWorker(modules, inspectInWorker);
}

const hono = async () => report(await inspectInHono());

await conclude([page, hono, suite]);
