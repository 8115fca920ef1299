import { assertEquals, assertMatch } from "@std/assert";
import { poll } from "@std/async/poll";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Inspector } from "../../src/inspect/mod.ts";
import { ROOT } from "./bundle.ts";
import {
  healthy,
  history,
  huge,
  leaking,
  orders,
  outage,
  saturated,
  type Scenario,
} from "./page_scenarios.ts";
import type { TestCase } from "./report.ts";

/** Where the pictures of the page are kept. */
const PICTURES = new URL("examples/page/", ROOT);

/** How long the page has to show something, in ms of real time. */
const PATIENCE = 10_000;

/** A server of the page, on a port of its own, which can go and come back. */
class PageServer implements AsyncDisposable {
  readonly #handler: Inspector;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor({ handler }: Scenario, port = 0) {
    this.#handler = handler;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      handler,
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handler[Symbol.dispose]();
    await this.#server.shutdown();
  }
}

const LOOKS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: "light", viewport: { width: 1_120, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1_120, height: 900 } },
  phone: {
    colorScheme: "light",
    viewport: { width: 390, height: 844 },
  },
};

type Test = (browser: Browser) => Promise<void>;

const TESTS: Record<string, Test> = {};

for (const make of [healthy, saturated, outage, leaking]) {
  TESTS[`the page shows a pool that is ${make.name}, in every look`] = async (
    browser,
  ) => {
    const scenario = await make();
    const { state } = scenario;
    await using server = new PageServer(scenario);
    await Deno.mkdir(PICTURES, { recursive: true });
    for (const [look, options] of Object.entries(LOOKS)) {
      await using view = await open(browser, server.url, options);
      const { page } = view;
      await says(page, ".badge", state);
      await says(page, ".say", EXPECTED[state]!);
      assertEquals(await overflow(page), 0, `${look} is too wide`);
      assertEquals(await faults(page), [], `${look} fails axe`);
      await page.screenshot({
        path: new URL(`${state}-${look}.png`, PICTURES).pathname,
        fullPage: true,
      });
      assertEquals(view.complaints, []);
    }
  };
}

/** How many seconds of used and waiting the page keeps. */
const KEPT = 120;

TESTS["the page shows when it began, in every look"] = async (browser) => {
  const scenario = await history();
  await using server = new PageServer(scenario);
  const views = await Promise.all(
    Object.values(LOOKS).map((look) => open(browser, server.url, look)),
  );
  for (let second = 1; second <= KEPT; second++) {
    for (const { page } of views) await saw(page, second);
    if (second < KEPT) await orders(scenario, 1, second < 60 ? 30 : 800);
  }
  for (const [i, look] of Object.keys(LOOKS).entries()) {
    const { page, complaints } = views[i]!;
    await page.screenshot({
      path: new URL(`history-${look}.png`, PICTURES).pathname,
      fullPage: true,
    });
    await says(page, ".badge", "saturated");
    const course = page.locator(
      `svg[aria-label^="How long acquires waited, "]`,
    );
    const words = await course.getAttribute("aria-label");
    assertMatch(
      words!,
      /99 % within \d+ s at most, within \d+ s in the last\.$/,
    );
    const used = page.locator(`svg[aria-label^="Solid: used"]`);
    assertMatch(
      (await used.getAttribute("aria-label"))!,
      /Dashed: waiting, at most \d+/,
    );
    assertEquals(complaints, []);
  }
  for (const view of views) await view[Symbol.asyncDispose]();
};

/** Waits until a page has drawn as many moments. */
async function saw(page: Page, moments: number): Promise<void> {
  const line = page.locator("path.trend").first();
  await poll(
    async () => (await line.getAttribute("d"))?.split("L").length,
    (drawn) => drawn !== undefined && drawn >= moments,
    { interval: 5, signal: AbortSignal.timeout(PATIENCE) },
  );
}

/** What the sentence of each scenario must say. */
const EXPECTED: Record<string, RegExp> = {
  healthy: /^nobody waits; .*idle\.$/,
  saturated: /^36 wait, the first for .* s; all 10 are used, .*placeOrder/,
  outage: /creates have failed for .*ECONNREFUSED.*, next try in/,
  leaking: /^a lease may have leaked; .* for 38 s \(acquired at exportReport/,
};

TESTS["the page follows the pool while it is open"] = async (browser) => {
  const scenario = await healthy();
  await using server = new PageServer(scenario);
  await using view = await open(browser, server.url);
  const { pool } = scenario;
  await says(view.page, ".badge", "healthy");
  await scenario.clock.advance(60_000);
  const { max } = pool.stats();
  const leases = Array.from({ length: max + 2 }, () => pool.acquire());
  await scenario.clock.advance(50);
  await says(view.page, ".badge", "saturated");
  await says(view.page, ".say", /^2 wait, /);
  await says(view.page, "#news", "orders: saturated");
  assertEquals(await view.page.title(), "(1) Pools");
  for (const lease of leases) void lease.then((held) => held.release());
  await says(view.page, ".badge", "healthy");
  assertEquals(await view.page.title(), "Pools");
};

TESTS["the page survives that its server goes away and comes back"] = async (
  browser,
) => {
  const first = new PageServer(await healthy());
  const { port, url } = first;
  await using view = await open(browser, url);
  await says(view.page, "#link", "Live");
  await first[Symbol.asyncDispose]();
  await says(view.page, "#link", /^The server is gone; this is how it was at/);
  await says(view.page, "main.old .badge", "healthy");
  await using _second = new PageServer(await outage(), port);
  await says(view.page, "#link", "Live");
  await says(view.page, ".badge", "outage");
  assertEquals(await view.page.locator("main.old").count(), 0);
};

TESTS["the page tries again where nobody more may listen"] = async (
  browser,
) => {
  await using server = new PageServer(await healthy());
  const streams = await Promise.all(
    Array.from({ length: 32 }, () => fetch(`${server.url}events`)),
  );
  await using view = await open(browser, server.url);
  await says(view.page, "#link", /^The server does not answer/);
  for (const { body } of streams) await body?.cancel();
  await says(view.page, "#link", "Live");
};

TESTS["what pools and errors are called is text, not markup"] = async (
  browser,
) => {
  const attack = `"'></script><script>window.hit = 1</script>` +
    `<img src=/hit onerror="window.hit = 1"><svg onload="window.hit = 1">`;
  await using server = new PageServer(await outage(attack, attack));
  await using view = await open(browser, server.url);
  await says(view.page, "h2", attack);
  const shown = await view.page.locator(".say").textContent();
  assertEquals(shown?.includes(attack), true);
  assertEquals(await view.page.evaluate("window.hit"), undefined);
  assertEquals(await view.page.locator("img").count(), 0);
  assertEquals(await view.page.locator("script").count(), 1);
  assertEquals(view.complaints, []);
  const paths = view.requests.map((url) => new URL(url).pathname);
  assertEquals([...new Set(paths)].sort(), ["/", "/events"]);
};

TESTS["a script that gets into the page is not run"] = async (browser) => {
  await using server = new PageServer(await healthy());
  await using view = await open(browser, server.url);
  await says(view.page, "#link", "Live");
  for (
    const html of ["<script>hit = 1</script>", '<img src=x onerror="hit=1">']
  ) {
    const isRefused = await view.page.evaluate(`(() => {
      try { document.body.insertAdjacentHTML("beforeend", ${
      JSON.stringify(html)
    }); }
      catch (error) { return error.name; }
    })()`);
    assertEquals(isRefused, "TypeError");
  }
  await view.page.evaluate(`{
    const button = document.createElement("button");
    try { button.setAttribute("onclick", "hit = 1"); } catch { }
    document.body.append(button);
    button.click();
  }`);
  assertEquals(await view.page.evaluate("window.hit"), undefined);
};

TESTS["1 000 slots and 100 000 waiters do not freeze the page"] = async (
  browser,
) => {
  await using server = new PageServer(await huge());
  await using view = await open(browser, server.url);
  await says(view.page, "dd >> nth=1", /^100.000$/);
  await view.page.evaluate(`{
    let last = performance.now();
    window.longest = 0;
    const turn = () => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - last);
      last = now;
      setTimeout(turn, 4);
    };
    turn();
  }`);
  await view.page.waitForTimeout(3_000);
  const longest = await view.page.evaluate("window.longest") as number;
  console.log(`    the page stood still for ${longest.toFixed(0)} ms at most`);
  assertEquals(longest < 500, true, `it stood still for ${longest} ms`);
};

TESTS["the page is used by keyboard: pause, and open a stack"] = async (
  browser,
) => {
  const scenario = await leaking();
  await using server = new PageServer(scenario);
  await using view = await open(browser, server.url);
  const { page } = view;
  await says(page, ".badge", "leaking");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await says(page, "#link", "Paused");
  const served = page.locator("dd").last();
  const before = await served.textContent();
  await scenario.pool.use(() => {});
  await page.waitForTimeout(1_000);
  assertEquals(await served.textContent(), before);
  await page.keyboard.press("Enter");
  await says(page, "#link", "Live");
  await says(page, "dd >> nth=-1", new RegExp(`^(?!${before}$)`));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await says(page, "details[open] pre", /exportReport/);
  await page.waitForTimeout(1_000);
  await says(page, "details[open] pre", /exportReport/);
  assertEquals(
    await page.evaluate("document.activeElement.tagName"),
    "SUMMARY",
  );
};

/** A page that is open, what its browser complained of, and what it asked for. */
interface View extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[];
  readonly requests: string[];
}

async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<View> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  return {
    page,
    complaints,
    requests,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Waits until the first node of this kind has this text. */
async function says(
  page: Page,
  selector: string,
  expected: string | RegExp,
): Promise<void> {
  let text: string | null = null;
  const isSo = () =>
    typeof expected === "string"
      ? text === expected
      : text !== null && expected.test(text);
  await poll(
    async () => {
      const node = page.locator(selector).first();
      text = await node.count() > 0 ? await node.textContent() : null;
    },
    isSo,
    { interval: 50, signal: AbortSignal.timeout(PATIENCE) },
  ).catch(() => {});
  if (!isSo()) throw new Error(`${selector} says '${text}', not ${expected}`);
}

/** By how many pixels the page is wider than its window. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}

/** What the page lacks for those who cannot see it, or see it otherwise. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations }: axe.AxeResults = await page.evaluate("axe.run()");
  return violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html }) => html).join(" ")}`
  );
}

/** Runs all of it in a browser. */
export async function inspectPage(browser: Browser): Promise<TestCase[]> {
  const results: TestCase[] = [];
  for (const [name, fn] of Object.entries(TESTS)) {
    const error = await fn(browser).then(() => undefined, (error) => error);
    const result = error === undefined ? "passed" : "failed";
    console.log(`${name} ... ${result}`);
    if (error !== undefined) console.log(error);
    results.push({ name, result });
  }
  return results;
}
