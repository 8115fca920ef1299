import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { PoolOverloadedError } from "../mod.ts";
import { LocalBudget } from "../src/budget/mod.ts";
import { Histogram } from "../src/inspect/histogram.ts";
import {
  inspect,
  type InspectOptions,
  type Inspector,
  type PoolSnapshot,
  type Snapshot,
} from "../src/inspect/mod.ts";
import { watchLeaks } from "../src/leaks/mod.ts";
import { drawing } from "./drawing.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  dice,
  Factory,
  fixture,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { openMetrics } from "./open_metrics.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const ROOT = "http://localhost/pools/";

/** A pool of two, and its inspector, on one clock. */
function inspected(
  options: Parameters<typeof fixture>[0] = {},
  more: Partial<InspectOptions> = {},
) {
  const it = fixture({ max: 2, name: "db", ...options });
  const clock = it.clock;
  const handler = inspect([it.pool], { authorize: "anyone", clock, ...more });
  return { ...it, handler };
}

async function get(
  handler: Inspector,
  path = "",
  init?: RequestInit,
): Promise<Response> {
  return await handler(new Request(ROOT + path, init));
}

async function statsOf(handler: Inspector): Promise<PoolSnapshot> {
  const response = await get(handler, "stats");
  const { pools }: Snapshot = await response.json();
  return pools[0]!;
}

const PATHS = ["", "stats", "events", "metrics", "other"];

// Who may look.

test("inspect needs to be told who may look", () => {
  const { pool } = fixture();
  for (const authorize of [undefined, true, "all", {}]) {
    assertThrows(
      () => inspect([pool], { authorize } as never),
      TypeError,
      `Cannot inspect as 'authorize' must be a function or "anyone"`,
    );
  }
});

test("bad options of inspect throw", () => {
  const { pool } = fixture();
  const bad = (options: object, pools: unknown = [pool]) => () =>
    inspect(pools as [], { authorize: "anyone", ...options });
  assertThrows(bad({ authorise: "anyone" }), TypeError, "is no option");
  assertThrows(bad({ clock: {} }), TypeError, "'clock.now' must be a function");
  assertThrows(bad({}, null), TypeError, "'pools' must be an object");
});

test("only true lets a request in, whatever it asks for", async () => {
  for (const answer of [false, undefined, 1, "yes", {}, null]) {
    const authorize = () => answer as boolean;
    const { handler } = inspected({}, { authorize });
    for (const path of PATHS) {
      const response = await get(handler, path);
      assertEquals([path, response.status], [path, 403]);
      assertEquals(await response.text(), "Not allowed\n");
    }
    assertEquals((await get(handler, "", { method: "POST" })).status, 403);
  }
});

test("authorize is given the request, and its promise is waited for", async () => {
  const authorize = ({ headers }: Request) =>
    Promise.resolve(headers.get("authorization") === "Bearer right");
  const { handler } = inspected({}, { authorize });
  const status = async (word: string) => {
    const headers = { authorization: `Bearer ${word}` };
    return (await get(handler, "stats", { headers })).status;
  };
  assertEquals([await status("wrong"), await status("right")], [403, 200]);
});

test("authorize can answer itself, for instance by asking for a password", async () => {
  const headers = { "WWW-Authenticate": "Basic" };
  const authorize = () => new Response(null, { status: 401, headers });
  const { handler } = inspected({}, { authorize });
  const response = await get(handler, "stats");
  assertEquals(response.status, 401);
  assertEquals(response.headers.get("WWW-Authenticate"), "Basic");
});

test("where authorize throws nothing is shown", async () => {
  const error = new Error("no");
  const { handler } = inspected({}, {
    authorize: () => Promise.reject(error),
  });
  await assertRejects(() => get(handler, "stats"), Error, "no");
});

test("it only reads: other methods are refused, HEAD has no body", async () => {
  const { handler, clock } = inspected();
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const response = await get(handler, "stats", { method });
    assertEquals(response.status, 405);
    assertEquals(response.headers.get("Allow"), "GET, HEAD");
    await response.body?.cancel();
  }
  for (const path of PATHS.slice(0, 4)) {
    const response = await get(handler, path, { method: "HEAD" });
    assertEquals([response.status, response.body], [200, null]);
  }
  assertEquals(clock.timers, 0);
});

// What is answered.

test("the last part of the path says what is asked for, wherever it is mounted", async () => {
  const { handler } = inspected();
  const types = {
    "http://localhost/": "text/html; charset=utf-8",
    "http://localhost/a/b/?x=/y": "text/html; charset=utf-8",
    "http://localhost/a/stats?x=1": "application/json",
    "http://localhost/metrics":
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
  };
  for (const [url, type] of Object.entries(types)) {
    const response = await handler(new Request(url));
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("Content-Type"), type);
  }
  for (const path of ["a", "stats/x", "stats%2f", "constructor"]) {
    assertEquals((await get(handler, path)).status, 404);
  }
});

test("no answer is kept, framed, or read by another site", async () => {
  const { handler } = inspected();
  for (const path of PATHS) {
    const { headers, body } = await get(handler, path);
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
    assertEquals(headers.get("X-Frame-Options"), "DENY");
    assertEquals(headers.get("Referrer-Policy"), "no-referrer");
    assertEquals(headers.get("Cross-Origin-Resource-Policy"), "same-origin");
    assertEquals(headers.get("Access-Control-Allow-Origin"), null);
    const policy = headers.get("Content-Security-Policy")!;
    assertMatch(policy, /^default-src 'none'; /);
    assertMatch(policy, /frame-ancestors 'none'/);
    await body?.cancel();
  }
});

test("the page runs its own script and style alone, each time by another nonce", async () => {
  const { handler } = inspected();
  const nonces = new Set<string>();
  for (let n = 0; n < 20; n++) {
    const response = await get(handler);
    const policy = response.headers.get("Content-Security-Policy")!;
    const [, nonce] = policy.match(/script-src 'nonce-([\w+/]{22}==)'/)!;
    nonces.add(nonce!);
    assertEquals(policy.includes(`style-src 'nonce-${nonce}'`), true);
    assertEquals(/unsafe|\*|https?:/.test(policy), false);
    const html = await response.text();
    const own = html.match(/<(?:script|style)[^>]*>/g);
    assertEquals(own, [
      `<style nonce="${nonce}">`,
      `<script nonce="${nonce}">`,
    ]);
  }
  assertEquals(nonces.size, 20);
});

test("the page asks nothing of another server and is under 40 kB", async () => {
  const { handler } = inspected();
  const html = await (await get(handler)).text();
  const { length } = new TextEncoder().encode(html);
  assertEquals(length < 40_000, true, `${length} bytes`);
  const urls = html.match(/\bhttps?:[^"' ]*/g);
  assertEquals(urls, ["http://www.w3.org/2000/svg"]);
  const markup = html.replace(/<script.*<\/script>/s, "");
  assertEquals(/ (on\w+|style)=/.test(markup), false);
});

test("stats show nothing of the resources", async () => {
  const secret = { password: "secret", toJSON: () => "secret" };
  const { handler, pool } = inspected({
    create: () => secret as unknown as Resource,
    leaks: watchLeaks({ after: 1 }),
  });
  using _lease = await pool.acquire();
  for (const path of PATHS.slice(0, 4)) {
    const { body } = await get(handler, path);
    const { value } = await body!.getReader().read();
    assertEquals(new TextDecoder().decode(value).includes("secret"), false);
  }
});

test("stats tell what a pool does and has done", async () => {
  const { handler, pool, clock } = inspected();
  const lease = await pool.acquire();
  const second = await pool.acquire();
  const third = pool.acquire();
  await clock.advance(8);
  second.destroy();
  (await third).release();
  await clock.advance(8);
  const { waits, uses, ...shown } = await statsOf(handler);
  assertEquals(shown, {
    ...JSON.parse(JSON.stringify(pool.stats())),
    name: "db",
    state: "healthy",
    stripes: [{ ...pool.stats().stripes[0], overdue: 0 }],
    lines: [{
      stripes: [0],
      isPaused: false,
      lacksPermit: false,
      waits: [],
      holders: [{ age: 16 }],
      checking: 0,
      resetting: 0,
      overdue: 0,
      state: "healthy",
      sentence: "nobody waits; 1 of 2 is used, for 16 ms; 1 of 2 is idle",
    }],
    creates: { made: 3, failed: 0, outages: 0 },
    acquires: { served: 3, failed: {} },
    destroyed: { lease: 1 },
    detached: 0,
    leaked: 0,
  });
  assertEquals([waits.count, uses.count], [3, 2]);
  assertEquals(waits.columns.at(-1), { upTo: 8, count: 1 });
  assertEquals(uses.columns, [
    { upTo: 0.0078125, count: 1 },
    ...[-6, -5, -4, -3, -2, -1, 0, 1, 2].map((power) => ({
      upTo: 2 ** power,
      count: 0,
    })),
    { upTo: 8, count: 1 },
  ]);
  lease.release();
});

test("each state has its word and its sentence", async () => {
  using _draw = drawing(0.5);
  const leaks = watchLeaks({ after: 1_000 });
  const { handler, pool, clock, factory } = inspected({
    ...{ leaks, createRetry: {}, acquireTimeout: 60_000 },
  });
  const said = async () => {
    const { state, lines } = await statsOf(handler);
    return `${state}: ${lines[0]!.sentence.replace(/ \(acquired.*?\)+/, "")}`;
  };
  assertEquals(await said(), "healthy: nobody waits; no resource exists");
  factory.manual.add("create");
  const first = pool.acquire();
  await settled();
  assertEquals(
    await said(),
    "waiting: 1 waits, the first for 0 ms; 1 of 2 is being created, for 0 ms",
  );
  factory.finishCreate();
  const second = pool.acquire();
  await settled();
  factory.finishCreate();
  const held = [await first, await second];
  const third = watch(pool.acquire());
  await clock.advance(500);
  assertEquals(
    await said(),
    "saturated: 1 waits, the first for 500 ms; all 2 are used, " +
      "the oldest for 500 ms; none was released for 500 ms",
  );
  await clock.advance(500);
  assertMatch(await said(), /^leaking: a lease may have leaked; 1 waits/);
  held[0]!.destroy();
  await settled();
  factory.failCreate(new Error("down"));
  await clock.advance(10);
  assertMatch(
    await said(),
    /^outage: .*creates have failed for 10 ms: down, next try in \d+ ms/,
  );
  void pool.pause().then((pause) => pause[Symbol.asyncDispose]());
  assertMatch(await said(), /^paused: .*the pool is paused/);
  held[1]!.release();
  await settled();
  assertEquals(third.settled, true);
});

/** A factory whose calls of `validate` and `reset` hang. */
function hanging(): Factory {
  const factory = new Factory();
  factory.manual.add("validate").add("reset");
  return factory;
}

test("what nobody holds is said to be used neither on the page nor to who times out", async () => {
  const { validate, reset } = hanging();
  const idle = { validateAfter: 60_000, keepalive: 1_000 };
  const checked = "the only one is being validated";
  const cases = [
    [{ reset }, 0, "the only one is being reset"],
    // Its taker leaves before the verdict.
    [{ validate }, 0, checked],
    [{ validate, ...idle }, 1_000, checked],
  ] as const;
  for (const [options, wait, why] of cases) {
    const { pool, handler, clock } = inspected({ max: 1, ...options });
    (await pool.acquire()).release();
    await clock.advance(wait);
    watch(pool.acquire({ timeout: 500 }));
    const waiter = watch(pool.acquire({ timeout: 1_000 }));
    await clock.advance(999);
    const { lines: [line] } = await statsOf(handler);
    assertEquals(line!.sentence, `1 waits, the first for 999 ms; ${why}`);
    assertEquals(line!.holders, []);
    await clock.advance(1);
    assertMatch(String(waiter.error), RegExp(`within 1000 ms: ${why} \\(`));
  }
});

test("a use is as old as it is held, whatever is validated or reset beside it", async () => {
  const { validate, reset } = hanging();
  for (const options of [{ validate }, { reset }]) {
    const { pool, handler, clock } = inspected(options);
    const first = await pool.acquire();
    if ("validate" in options) {
      first.release();
      watch(pool.acquire());
    }
    await clock.advance(2_000);
    const _second = await pool.acquire();
    first.release();
    const { lines: [line] } = await statsOf(handler);
    assertEquals(line!.holders, [{ age: 0 }]);
    assertMatch(line!.sentence, /1 of 2 is used, for 0 ms; 1 of 2 is being/);
  }
});

test("what was validated or reset is used again by who holds it", async () => {
  const factory = hanging();
  const { validate, reset } = factory;
  const { pool, handler } = inspected({ max: 1, validate, reset });
  (await pool.acquire()).release();
  await settled();
  factory.resets.shift()!.resolve(undefined);
  await settled();
  const next = pool.acquire();
  factory.validations.shift()!.resolve(true);
  const _held = await next;
  const { lines: [line] } = await statsOf(handler);
  assertEquals(line!.sentence, "nobody waits; the only one is used, for 0 ms");
});

test("where a budget has no permit left the sentence says that", async () => {
  const budget = new LocalBudget(1);
  const { pool } = fixture({ budget });
  await pool.acquire();
  const { handler, pool: other, clock } = inspected({ budget });
  watch(other.acquire());
  await clock.advance(5);
  const { lines: [line] } = await statsOf(handler);
  assertEquals(
    line!.sentence,
    "1 waits, the first for 5 ms; its budget has no permit left",
  );
});

test("isolated stripes each have a sentence, and the pool the worst word", async () => {
  const { handler, pool } = inspected({ stripes: 2, isolated: true });
  await pool.acquire({ affinity: 1 });
  watch(pool.acquire({ affinity: 1 }));
  const { state, lines } = await statsOf(handler);
  assertEquals(state, "saturated");
  assertEquals(lines.map(({ stripes, state }) => [stripes, state]), [
    [[0], "healthy"],
    [[1], "saturated"],
  ]);
});

test("acquires that fail are counted by what they fail with", async () => {
  const { handler, pool, clock } = inspected({ max: 1, maxPending: 2 });
  const lease = await pool.acquire();
  watch(pool.acquire({ timeout: 5 }));
  watch(pool.acquire({ signal: AbortSignal.abort("own") }));
  await clock.advance(5);
  const details = {
    ...{ poolName: "", stats: pool.stats(), waited: 0 },
  };
  const hostile = new PoolOverloadedError("", details, 1);
  Object.defineProperty(hostile, "code", { value: "constructor" });
  for (const reason of ["own", hostile]) {
    const controller = new AbortController();
    watch(pool.acquire({ signal: controller.signal }));
    controller.abort(reason);
    await settled();
  }
  watch(pool.acquire());
  watch(pool.acquire());
  watch(pool.acquire());
  await settled();
  void pool.close();
  await settled();
  lease.release();
  const { acquires } = await statsOf(handler);
  const { closed, full, other, timeout } = acquires.failed;
  assertEquals({ closed, full, timeout }, { closed: 2, full: 1, timeout: 1 });
  assertEquals(Object.keys(acquires.failed).length, 4);
  assertEquals(other! >= 2, true);
});

test("creates that fail are counted, with the last error and when", async () => {
  const { handler, pool, clock, factory } = inspected();
  factory.manual.add("create");
  watch(pool.acquire());
  await settled();
  factory.failCreate(new Error("x".repeat(1_000)));
  await clock.advance(70);
  const { creates, lines } = await statsOf(handler);
  const message = `${"x".repeat(300)}…`;
  assertEquals(creates, {
    ...{ made: 0, failed: 1, outages: 0 },
    last: { message, ago: 70 },
  });
  assertEquals(lines[0]!.cause, message);
});

test("pools that share a name get numbers, and long names are cut", async () => {
  const pools = ["a", "b", "a", "a", "a (4)", "a", "c".repeat(400)]
    .map((name) => fixture({ name }).pool);
  const handler = inspect(pools, { authorize: "anyone" });
  const { pools: shown } = await (await get(handler, "stats")).json();
  assertEquals(
    shown.map(({ name }: PoolSnapshot) => name),
    ["a", "b", "a (2)", "a (3)", "a (4)", "a (5)", `${"c".repeat(300)}…`],
  );
});

test("a pool that closes is shown as closed", async () => {
  const { handler, pool } = inspected({ stripes: 2, isolated: true });
  const lease = await pool.acquire();
  const closing = pool.close();
  assertEquals((await statsOf(handler)).state, "healthy");
  lease.release();
  await closing;
  const { state, lines } = await statsOf(handler);
  assertEquals(state, "closed");
  for (const line of lines) {
    assertEquals([line.state, line.sentence], [
      "closed",
      "the pool has closed",
    ]);
  }
});

test("a pool that has closed before it is inspected is shown as closed", async () => {
  const { pool } = fixture();
  await pool.close();
  const handler = inspect([pool], { authorize: "anyone" });
  assertEquals((await statsOf(handler)).state, "closed");
});

test("names that are halves of characters stay apart", async () => {
  const clown = "\u{1f921}";
  const names = [
    "\ud83e",
    "\udd21",
    "\ufffd",
    `${"x".repeat(299)}${clown}`,
    clown,
  ];
  const pools = names.map((name) => fixture({ name }).pool);
  const handler = inspect(pools, { authorize: "anyone" });
  const { pools: shown } = await (await get(handler, "stats")).json();
  assertEquals(shown.map(({ name }: PoolSnapshot) => name), [
    ...["\ufffd", "\ufffd (2)", "\ufffd (3)"],
    `${"x".repeat(299)}\ufffd…`,
    clown,
  ]);
  const text = await (await get(handler, "metrics")).text();
  const series = text.match(/^lease_pool_max_resources\{.*/gm)!;
  assertEquals(new Set(series).size, 5);
  openMetrics(text);
});

test("where one of the pools is none, none is watched", () => {
  const { pool } = fixture();
  let watched = 0;
  const good = {
    name: "good",
    stats: () => pool.stats({ details: true }),
    observe(observer: object) {
      watched++;
      return pool.observe(observer);
    },
  };
  const { stats, observe } = good;
  const bad: [unknown, string][] = [
    [null, "'pools[1]' must be an object"],
    [{ name: "x", stats }, "'pools[1].observe' must be a function"],
    [{ name: "x", observe }, "'pools[1].stats' must be a function"],
  ];
  for (const [other, message] of bad) {
    assertThrows(
      () => inspect([good, other] as never, { authorize: "anyone" }),
      TypeError,
      message,
    );
  }
  assertEquals(watched, 0);
});

test("of no pool there is an answer to everything", async () => {
  const handler = inspect([], { authorize: "anyone" });
  for (const path of PATHS.slice(0, 4)) {
    const { status, body } = await get(handler, path);
    assertEquals([path, status], [path, 200]);
    await body!.cancel();
  }
  const text = await (await get(handler, "metrics")).text();
  openMetrics(text);
});

test("what is detached is counted, and its use", async () => {
  const { handler, pool, clock } = inspected();
  const lease = await pool.acquire();
  await clock.advance(8);
  lease.detach();
  const { detached, destroyed, uses } = await statsOf(handler);
  assertEquals([detached, destroyed, uses.count], [1, {}, 1]);
  const text = await (await get(handler, "metrics")).text();
  assertEquals(text.includes('lease_pool_detaches_total{pool="db"} 1\n'), true);
});

// Events.

/** What one listener hears. */
async function listen(handler: Inspector) {
  const response = await get(handler, "events");
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  return {
    response,
    next: async (): Promise<string | undefined> => (await reader.read()).value,
    leave: () => reader.cancel(),
  };
}

test("a listener hears the state at once, then each second, while it listens", async () => {
  const clock = new VirtualClock();
  const { handler, pool } = inspected({}, { clock });
  assertEquals(clock.timers, 0);
  const listener = await listen(handler);
  assertEquals(
    listener.response.headers.get("Content-Type"),
    "text/event-stream",
  );
  const [, first] = (await listener.next())!.match(
    /^retry: 1000\ndata: (\{.*\})\n\n$/,
  )!;
  assertEquals(JSON.parse(first!).pools[0].used, 0);
  assertEquals([clock.timers, clock.referenced], [1, 0]);
  await pool.acquire();
  await clock.advance(1_000);
  const [, second] = (await listener.next())!.match(/^data: (\{.*\})\n\n$/)!;
  assertEquals(JSON.parse(second!).pools[0].used, 1);
  await listener.leave();
  await settled();
  assertEquals(clock.timers, 0);
});

test("32 may listen; who comes later is told to come again", async () => {
  const { handler } = inspected();
  const responses: Response[] = [];
  for (let n = 0; n < 32; n++) responses.push(await get(handler, "events"));
  const refused = await get(handler, "events");
  assertEquals(refused.status, 503);
  assertEquals(refused.headers.get("Retry-After"), "30");
  await responses[7]!.body!.cancel();
  const next = await get(handler, "events");
  assertEquals(next.status, 200);
  for (const { body } of [...responses, next]) {
    await body!.cancel().catch(() => {});
  }
});

test("a slow reader keeps one state, hinders nobody, and is dropped after 30 s", async () => {
  const { handler, clock } = inspected();
  const slow = await get(handler, "events");
  const fast = await get(handler, "events");
  const reader = fast.body!.getReader();
  await reader.read();
  for (let n = 0; n < 29; n++) {
    await clock.advance(1_000);
    assertEquals((await reader.read()).done, false);
  }
  assertEquals(await heard(handler), 30);
  await clock.advance(1_000);
  await reader.read();
  assertEquals(await heard(handler), 31);
  // The patience with the fast one begins when it reads nothing.
  await clock.advance(2_000);
  assertEquals(await heard(handler), 31);
  const kept: Uint8Array[] = [];
  for await (const chunk of slow.body!) kept.push(chunk);
  assertEquals(kept.length, 1);
  await reader.cancel();
  await settled();
  assertEquals(clock.timers, 0);
});

/** How many more may listen. */
async function heard(handler: Inspector): Promise<number> {
  const responses: Response[] = [];
  for (;;) {
    const response = await get(handler, "events");
    if (response.status !== 200) break;
    responses.push(response);
  }
  for (const { body } of responses) await body!.cancel();
  return responses.length;
}

test("a listener whose timer is gone makes room, and one that was only late ends", async () => {
  const clock = new VirtualClock();
  let isFrozen = false;
  const frozen: (() => void)[] = [];
  const { handler } = inspected({}, {
    clock: {
      now: () => clock.now(),
      setTimeout: (callback, delay) =>
        clock.setTimeout(
          () => isFrozen ? void frozen.push(callback) : callback(),
          delay,
        ),
      clearTimeout: (timer) => clock.clearTimeout(timer as number),
    },
  });
  const responses: Response[] = [];
  for (let n = 0; n < 32; n++) responses.push(await get(handler, "events"));
  await clock.advance(1_000);
  isFrozen = true;
  await clock.advance(5_000);
  assertEquals((await get(handler, "events")).status, 503);
  await clock.advance(1);
  const next = await get(handler, "events");
  assertEquals(next.status, 200);
  for (const callback of frozen) callback();
  for (const { body } of responses) {
    const chunks = await Array.fromAsync(body!);
    assertEquals(chunks.length, 1);
  }
  assertEquals(await heard(handler), 31);
  await next.body!.cancel();
  assertEquals(clock.timers, 0);
});

test("a timer that fires after its listener has left does nothing", async () => {
  const clock = new VirtualClock();
  const { handler } = inspected({}, {
    clock: {
      now: () => clock.now(),
      setTimeout: (callback, delay) => clock.setTimeout(callback, delay),
      clearTimeout: () => {},
    },
  });
  const listeners = [await listen(handler), await listen(handler)];
  for (const { next } of listeners) await next();
  await listeners[0]!.leave();
  handler[Symbol.dispose]();
  assertEquals(await listeners[1]!.next(), undefined);
  await clock.advance(60_000);
  assertEquals(clock.timers, 0);
});

test("what listeners are told is made once for those whose turns are near", async () => {
  const clock = new VirtualClock();
  const { pool } = fixture({ clock });
  let made = 0;
  const counted = {
    name: "counted",
    observe: () => ({ [Symbol.dispose]: () => {} }),
    stats(options: { details: true }) {
      made++;
      return pool.stats(options);
    },
  };
  const handler = inspect([counted], { authorize: "anyone", clock });
  const listeners = [await listen(handler), await listen(handler)];
  await clock.advance(600);
  listeners.push(await listen(handler));
  for (const listener of listeners) await listener.next();
  made = 0;
  await clock.advance(400);
  assertEquals(made, 1);
  // The turn of the third comes later.
  await clock.advance(600);
  assertEquals(made, 2);
  for (const listener of listeners) {
    assertMatch(`${await listener.next()}`, /counted/);
  }
  handler[Symbol.dispose]();
});

test("where the clock stands still listeners hear of what changes all the same", async () => {
  const clock = new FaultyClock();
  clock.stop();
  const { handler, pool } = inspected({}, { clock });
  const listener = await listen(handler);
  await listener.next();
  for (const used of [1, 2]) {
    await pool.acquire();
    await clock.advance(1_000);
    const told = (await listener.next())!;
    assertEquals(JSON.parse(told.slice("data: ".length)).pools[0].used, used);
  }
  await listener.leave();
});

test("a listener that cannot be told hears that, and the others go on", async () => {
  const clock = new VirtualClock();
  const { pool } = fixture({ clock });
  let error: Error | undefined;
  const broken = {
    name: "broken",
    observe: () => ({ [Symbol.dispose]: () => {} }),
    stats(options: { details: true }) {
      if (error !== undefined) throw error;
      return pool.stats(options);
    },
  };
  const handler = inspect([broken], { authorize: "anyone", clock });
  const readers = await Promise.all(
    [1, 2].map(async () => (await get(handler, "events")).body!.getReader()),
  );
  for (const reader of readers) await reader.read();
  error = new Error("no stats");
  await clock.advance(1_000);
  for (const reader of readers) {
    await assertRejects(() => reader.read(), Error, "no stats");
  }
  await assertRejects(() => get(handler, "stats"), Error, "no stats");
  await assertRejects(() => get(handler, "events"), Error, "no stats");
  error = undefined;
  assertEquals(clock.timers, 0);
  assertEquals(await heard(handler), 32);
});

test("disposed of, it watches no more, ends what is heard and lets nobody listen", async () => {
  const { handler, pool, clock } = inspected();
  const listener = await listen(handler);
  await listener.next();
  handler[Symbol.dispose]();
  assertEquals(await listener.next(), undefined);
  assertEquals(clock.timers, 0);
  assertEquals((await get(handler, "events")).status, 503);
  await pool.use(() => {});
  assertEquals((await statsOf(handler)).acquires.served, 0);
});

test("where the clock has no timer its listeners hear one state, and nothing breaks", async () => {
  const { handler } = inspected({}, {
    clock: { now: () => 0, setTimeout: () => undefined, clearTimeout() {} },
  });
  const listener = await listen(handler);
  assertMatch((await listener.next())!, /^retry/);
  await listener.leave();
});

// Histograms.

test("quantiles are wrong by 4.4 % at most", () => {
  const roll = dice(1_000_000);
  for (const [least, most] of [[0.01, 1], [1, 1_000], [50, 1e7]] as const) {
    const histogram = new Histogram();
    const values = Array.from(
      { length: 1_000 },
      () => least * (most / least) ** (roll() / 1_000_000),
    );
    for (const value of values) histogram.add(value, 0);
    const { p50, p99, count } = histogram.recent(0);
    assertEquals(count, 1_000);
    values.sort((a, b) => a - b);
    for (const [got, right] of [[p50, values[499]], [p99, values[989]]]) {
      const error = Math.abs(got! / right! - 1);
      assertEquals(error <= 0.0434, true, `${got} for ${right}`);
    }
  }
});

test("a histogram holds any number, and what is too short or long in its end buckets", () => {
  const histogram = new Histogram();
  for (const value of [0, 1e-9, Infinity, 1e12]) histogram.add(value, 0);
  const { count, columns } = histogram.recent(0);
  assertEquals(count, 4);
  assertEquals([columns[0], columns.at(-1)], [
    { upTo: 2 ** -7, count: 2 },
    { upTo: 2 ** 24, count: 2 },
  ]);
});

test("what took just as long as a bound is within it", () => {
  const histogram = new Histogram();
  for (let power = -6; power < 24; power++) histogram.add(2 ** power, 0);
  for (let power = -6; power < 24; power++) {
    assertEquals(histogram.upTo(2 ** power), power + 7);
  }
  histogram.add(4.001, 0);
  assertEquals(histogram.upTo(4), 9);
});

test("a histogram forgets after five minutes, by quarters of one, but for its totals", () => {
  const histogram = new Histogram();
  for (let minute = 0; minute < 3; minute++) {
    histogram.add(1, minute * 60_000);
  }
  assertEquals(histogram.recent(299_999).count, 3);
  assertEquals(histogram.recent(300_000).count, 2);
  assertEquals(histogram.recent(360_000).count, 1);
  histogram.add(1, 3_600_000);
  assertEquals(histogram.recent(3_600_000).count, 1);
  assertEquals(histogram.recent(9_000_000).count, 0);
  assertEquals([histogram.upTo(), histogram.sum], [4, 4]);
  assertEquals(histogram.recent(9_000_000), {
    ...{ count: 0, p50: undefined, p99: undefined, columns: [] },
    trend: Array(20).fill({ p50: undefined, p99: undefined }),
  });
});

test("a histogram tells how its quantiles went, by quarters of a minute", () => {
  const histogram = new Histogram();
  const near = (value: number | undefined) =>
    value === undefined ? "-" : Math.round(Math.log2(value));
  const course = (now: number) => {
    const { trend } = histogram.recent(now);
    assertEquals(trend.length, 20);
    return trend.map(({ p50, p99 }) => `${near(p50)} ${near(p99)}`);
  };
  const none = (n: number) => Array(n).fill("- -");
  assertEquals(course(0), none(20));
  for (const duration of [1, 1, 256]) histogram.add(duration, 14_999);
  for (const duration of [16, 16, 4]) histogram.add(duration, 45_000);
  const began = ["0 8", "- -", "- -", "4 4"];
  assertEquals(course(45_000), [...none(16), ...began]);
  assertEquals(course(299_999), [...began, ...none(16)]);
  assertEquals(course(300_000), [...began.slice(1), ...none(17)]);
  for (let quarter = 0; quarter < 50; quarter++) {
    histogram.add(2 ** (quarter % 20), 300_000 + quarter * 15_000);
  }
  const last = Array.from({ length: 20 }, (_, i) => (i + 30) % 20);
  assertEquals(
    course(300_000 + 49 * 15_000),
    last.map((power) => `${power} ${power}`),
  );
});

// Metrics.

test("metrics are the plain text of Prometheus for those who accept only that", async () => {
  const { handler } = inspected();
  const accepting = async (accept: string) => {
    const response = await get(handler, "metrics", {
      headers: { accept },
    });
    const text = await response.text();
    const isOpen = text.endsWith("# EOF\n");
    const type = response.headers.get("Content-Type")!.split(";")[0];
    const names = [...text.match(/^# TYPE \S*creates\S*/gm)!];
    return { type, isOpen, names };
  };
  const open = {
    type: "application/openmetrics-text",
    isOpen: true,
    names: [
      "# TYPE lease_pool_overdue_creates",
      "# TYPE lease_pool_creates",
    ],
  };
  assertEquals(await accepting("*/*"), open);
  assertEquals(
    await accepting("application/openmetrics-text;q=0.6,text/plain;q=0.5"),
    open,
  );
  assertEquals(await accepting("text/plain;version=0.0.4"), {
    type: "text/plain",
    isOpen: false,
    names: [
      "# TYPE lease_pool_overdue_creates",
      "# TYPE lease_pool_creates_total",
    ],
  });
});

test("metrics are OpenMetrics, whatever pools are called", async () => {
  const clock = new VirtualClock();
  const names = ["db", 'a"b\\c\nd\re # {x="1"} 5', "<b>&amp;\u2028", "db"];
  const pools = names.map((name) =>
    fixture({ name, max: 3, stripes: 2, clock }).pool
  );
  const handler = inspect(pools, { authorize: "anyone", clock });
  const text = () => get(handler, "metrics").then((answer) => answer.text());
  openMetrics(await text());
  for (const pool of pools) {
    for (let n = 0; n < 3; n++) await pool.acquire({ affinity: 0 });
    watch(pool.acquire({ timeout: 250 }));
  }
  await clock.advance(500);
  for (const pool of pools) watch(pool.acquire());
  await clock.advance(500);
  const samples = openMetrics(await text());
  const value = (name: string, labels: Record<string, string>) =>
    samples.find((sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, label]) =>
        sample.labels[key] === label
      )
    )?.value;
  for (const pool of [...names.slice(0, 3), "db (2)"]) {
    const series = { pool };
    assertEquals(
      value("lease_pool_resources", { pool, stripe: "0", state: "used" }),
      2,
    );
    assertEquals(value("lease_pool_pending_acquires", series), 1);
    assertEquals(value("lease_pool_oldest_wait_seconds", series), 0.5);
    assertEquals(value("lease_pool_oldest_hold_seconds", series), 1);
    assertEquals(value("lease_pool_max_resources", series), 3);
    assertEquals(
      value("lease_pool_acquires_total", { pool, result: "served" }),
      3,
    );
    assertEquals(
      value("lease_pool_acquires_total", { pool, result: "timeout" }),
      1,
    );
    assertEquals(
      value("lease_pool_creates_total", { pool, result: "made" }),
      3,
    );
    assertEquals(value("lease_pool_wait_seconds_count", series), 3);
  }
});
