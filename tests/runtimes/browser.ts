import { type Browser, chromium } from "playwright-core";
import { conclude, type Report, report, type TestCase } from "./report.ts";
import { bundleSuite, NOT_IN_A_PAGE } from "./bundle.ts";
import { inspectPage } from "./inspect_page.ts";

/** Where Debian puts it; no browser comes from npm. */
const CHROMIUM = "/usr/bin/chromium";

/**
 * What keeps a headless Chromium off the network, able to run as root, and its
 * collector at hand.
 */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--js-flags=--expose-gc",
];

async function runInPage(browser: Browser): Promise<TestCase[]> {
  const suite = await Deno.readFile(await bundleSuite(NOT_IN_A_PAGE));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      url.endsWith("/suite.js")
        ? new Response(suite, {
          headers: { "content-type": "text/javascript" },
        })
        : new Response("<!doctype html>", {
          headers: { "content-type": "text/html" },
        }),
  );
  await using page = await browser.newPage();
  page.on("console", (message) => console.log(message.text()));
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  return await page.evaluate(
    `import("/suite.js").then((suite) => suite.runCollected())`,
  );
}

/** Runs something in a browser of its own. */
async function inBrowser(
  run: (browser: Browser) => Promise<TestCase[]>,
): Promise<Report> {
  await using browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
  });
  console.log(`\n=== chromium ${browser.version()} ===`);
  return report(await run(browser));
}

const PARTS = [inspectPage, runInPage];
await conclude(PARTS.map((part) => () => inBrowser(part)));
