import { Miniflare } from "miniflare";
import { conclude, report, type TestCase } from "./report.ts";
import { bundleSuite, NOT_IN_A_WORKER } from "./bundle.ts";

/** A worker that runs the suite within one request. */
const WORKER = `
import { runCollected } from "./suite.test.js";
export default {
  async fetch() {
    return Response.json(await runCollected());
  },
};
`;

async function runInWorker(): Promise<TestCase[]> {
  const suite = await Deno.readTextFile(await bundleSuite(NOT_IN_A_WORKER));
  const miniflare = new Miniflare({
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_als"],
    modules: [
      { type: "ESModule", path: "worker.js", contents: WORKER },
      { type: "ESModule", path: "suite.test.js", contents: suite },
    ],
  });
  console.log("\n=== workerd ===");
  try {
    const response = await miniflare.dispatchFetch("http://localhost/");
    if (!response.ok) throw new Error(await response.text());
    return await response.json() as TestCase[];
  } finally {
    await miniflare.dispose();
  }
}

await conclude([async () => report(await runInWorker())]);
