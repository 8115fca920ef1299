import { assertEquals, assertMatch } from "@std/assert";
import { poll } from "@std/async/poll";
import { Pool } from "../../../mod.ts";
import {
  inspect,
  type Inspector,
  type Snapshot,
} from "../../../src/inspect/mod.ts";

/** Asks a server for a path of the page, as somebody who may look. */
export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

const WORD = "Bearer right";

/** The page of a pool. */
export function inspected(): Inspector {
  const pool = new Pool({ create: () => ({}), max: 2, name: "db" });
  return inspect([pool], {
    authorize: ({ headers }) => headers.get("authorization") === WORD,
  });
}

/** Over the network, or what stands for it. */
export function asking(
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  root: string,
): Ask {
  return (path, init = {}) =>
    fetch(root + path, {
      ...init,
      headers: { authorization: WORD, ...init.headers },
    });
}

/** What the page must do wherever it is served. */
export const CASES: Record<string, (ask: Ask) => Promise<void>> = {
  async "shows the page"(ask) {
    const response = await ask("");
    assertEquals(response.status, 200);
    const policy = response.headers.get("content-security-policy")!;
    const [, nonce] = policy.match(/script-src 'nonce-([^']+)'/)!;
    const html = await response.text();
    assertEquals(html.includes(`<script nonce="${nonce}">`), true);
  },
  async "gives counts and metrics"(ask) {
    const { pools: [pool] }: Snapshot = await (await ask("stats")).json();
    assertEquals([pool?.name, pool?.max], ["db", 2]);
    const metrics = await (await ask("metrics")).text();
    assertMatch(metrics, /\nlease_pool_max_resources\{pool="db"\} 2\n/);
    assertMatch(metrics, /\n# EOF\n$/);
  },
  async "refuses who may not look, and what is no read"(ask) {
    const headers = { authorization: "Bearer wrong" };
    const statuses: number[] = [];
    for (
      const [path, init] of [
        ["stats", { headers }],
        ["events", { headers }],
        ["stats", { method: "POST", body: "{}" }],
        ["other", {}],
        ["events", { method: "HEAD" }],
      ] as const
    ) {
      const response = await ask(path, init);
      statuses.push(response.status);
      await response.body?.cancel();
    }
    assertEquals(statuses, [403, 403, 405, 404, 200]);
  },
  async "tells listeners each second, also when another leaves"(ask) {
    const [first, second] = [await listen(ask), await listen(ask)];
    assertMatch(await first.next(), /^retry: 1000\ndata: \{"at":/);
    assertMatch(await second.next(), /^retry: 1000\ndata: \{"at":/);
    assertMatch(await first.next(), /^data: \{"at":.*"name":"db"/);
    await first.leave();
    for (let n = 0; n < 3; n++) {
      assertMatch(await second.next(), /^data: \{"at":.*"name":"db"/);
    }
    await second.leave();
  },
  async "makes room when listeners leave"(ask) {
    for (let n = 0; n < 40; n++) {
      const isServed = async () => {
        const { status, body } = await ask("events");
        await body!.cancel();
        return status === 200;
      };
      const signal = AbortSignal.timeout(20_000);
      await poll(isServed, Boolean, { interval: 200, signal });
    }
  },
};

/** As a browser does, it comes again where nobody more may listen. */
async function listen(ask: Ask) {
  const signal = AbortSignal.timeout(20_000);
  const response = await poll(
    () => ask("events"),
    ({ status }) => status !== 503,
    { interval: 200, signal },
  );
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.getReader();
  return {
    next: async () => new TextDecoder().decode((await reader.read()).value),
    leave: () => reader.cancel(),
  };
}
