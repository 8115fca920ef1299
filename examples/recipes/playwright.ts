/**
 * Browsers and their pages by Playwright. A pool of pages within one browser:
 * each page in a context of its own, which `reset` empties, as it keeps cookies and
 * storage. A pool of browsers, where each use gets a new context: slower, and
 * nothing at all is shared; one that has grown old or has died is replaced.
 */

import assert from "node:assert/strict";
import { Pool } from "@lease/pool";
import { type Browser, chromium, type Page } from "playwright-core";
import { LAUNCH, openShop, VISIT } from "./parts/shop.ts";
import { until } from "./parts/until.ts";

await using shop = openShop();
const url = `http://127.0.0.1:${shop.addr.port}/`;

async function visit(page: Page): Promise<string> {
  await page.goto(url);
  return await page.evaluate<string>(VISIT);
}

// A pool of pages.

/** Its cookies, permissions and storage, and where it was. */
async function empty(page: Page): Promise<void> {
  const context = page.context();
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await page.goto("about:blank");
  await context.clearCookies();
  await context.clearPermissions();
  await session.send("Storage.clearDataForOrigin", {
    origin,
    storageTypes: "all",
  });
  await session.detach();
}

const browser = await chromium.launch(LAUNCH);
const pages = new Pool<Page>({
  create: async ({ lost }) => {
    const page = await (await browser.newContext()).newPage();
    return page.on("crash", lost).on("close", lost);
  },
  reset: (page) => empty(page),
  destroy: (page) => page.context().close(),
  max: 2,
  growth: "eager", // a visit takes longer than to open a page
  maxUses: 200,
});

const first = await pages.use(visit);
await until(() => pages.stats().used === 0); // it is empty by then
const [second, again] = await pages.use(async (page) => [
  await visit(page),
  await visit(page), // finds what was left by the line above
]);
assert.deepEqual([first, second, again], ["", "", "customer=1full"]);
await pages.close();
await browser.close();

// A pool of browsers.

const browsers = new Pool<Browser>({
  create: async ({ lost }) => {
    const browser = await chromium.launch(LAUNCH);
    return browser.on("disconnected", lost);
  },
  destroy: (browser) => browser.close(),
  isFatal: () => false, // a page that fails costs no browser; a dead one is lost
  max: 2,
  growth: "eager", // one that takes long to start is worth the wait
  maxUses: 50, // they grow fat
});

/** Runs with a page that nobody has used, and nobody will. */
function withPage<R>(fn: (page: Page) => Promise<R>): Promise<R> {
  return browsers.use(async (browser) => {
    const context = await browser.newContext();
    try {
      return await fn(await context.newPage());
    } finally {
      await context.close();
    }
  });
}

assert.equal(await withPage(visit), "");
assert.equal(await withPage(visit), "");
await assert.rejects(withPage(() => Promise.reject(new Error("no title"))));

// One that dies leaves by itself.
const dead = await browsers.use(async (browser) => {
  await browser.close();
  return browser;
});
await browsers.use((browser) => assert.notEqual(browser, dead));
assert.equal(await withPage(visit), "");

await browsers.close();
console.log("a page emptied between visitors, a browser that died replaced");
