/**
 * Pages by puppeteer. A page keeps its cookies and storage, so each has a browser
 * context of its own, which `reset` empties before the next gets it.
 */

import assert from "node:assert/strict";
import { Pool } from "@lease/pool";
import puppeteer, { type Page } from "puppeteer-core";
import { LAUNCH, openShop, VISIT } from "./parts/shop.ts";
import { until } from "./parts/until.ts";

await using shop = openShop();
const url = `http://127.0.0.1:${shop.addr.port}/`;

/** Its cookies, permissions and storage, and where it was. */
async function empty(page: Page): Promise<void> {
  const { origin } = new URL(page.url());
  const session = await page.createCDPSession();
  await page.goto("about:blank");
  await session.send("Network.clearBrowserCookies"); // of this context only
  await session.send("Storage.clearDataForOrigin", {
    origin,
    storageTypes: "all",
  });
  await page.browserContext().clearPermissionOverrides();
  await session.detach();
}

const browser = await puppeteer.launch(LAUNCH);
const pages = new Pool<Page>({
  create: async ({ lost }) => {
    const page = await (await browser.createBrowserContext()).newPage();
    return page.on("error", lost).on("close", lost); // it crashed, or was closed
  },
  reset: (page) => empty(page),
  destroy: (page) => page.browserContext().close(),
  max: 2,
  growth: "eager", // a visit takes longer than to open a page
  maxUses: 200,
});

async function visit(page: Page): Promise<unknown> {
  await page.goto(url);
  return await page.evaluate(VISIT);
}

const first = await pages.use(visit);
await until(() => pages.stats().used === 0); // it is empty by then
const [second, again] = await pages.use(async (page) => [
  await visit(page),
  await visit(page), // finds what was left by the line above
]);
assert.deepEqual([first, second, again], ["", "", "customer=1full"]);

// A page that a use has closed is not handed out again.
const closed = await pages.use(async (page) => {
  await page.close();
  return page;
});
await pages.use(async (page) => {
  assert.notEqual(page, closed);
  assert.equal(await visit(page), "");
});

await pages.close();
await browser.close();
console.log("a page emptied between visitors, one that was closed replaced");
