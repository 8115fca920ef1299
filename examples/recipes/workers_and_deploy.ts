/**
 * Cloudflare's Workers let no request use a connection, timer or promise of
 * another: so a pool is built for each request, bounds what that one opens at a
 * time, and ends with it. What outlives requests there is a service beside, such
 * as Hyperdrive or a Durable Object. This runs one in workerd itself.
 *
 * Deno Deploy, and others that keep an isolate from request to request, are as
 * any server: build the pool at the top of a module, which sets nothing in motion.
 * Keep `min` at 0 and `idleTimeout` short, as an isolate is stopped unasked, and
 * `max` small, as there may be many.
 */

import assert from "node:assert/strict";
import { Miniflare } from "miniflare";
import { bundle } from "../../tests/runtimes/bundle.ts";
import { until } from "./parts/until.ts";

const WORKER = `
import { connect } from "cloudflare:sockets";
import { handle } from "./word_worker.js";
export default {
  fetch: (request, { SERVER }) => handle(request, () => connect(SERVER)),
};
`;

/** A server that answers each line, and counts who is there. */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
let open = 0;
let most = 0;
let connects = 0;
const serving = (async () => {
  for await (const conn of listener) {
    connects++;
    most = Math.max(most, ++open);
    // workerd may hang up in the middle.
    serve(conn).catch(() => {}).finally(() => open--);
  }
})();

async function serve(conn: Deno.Conn): Promise<void> {
  const lines = conn.readable.pipeThrough(new TextDecoderStream());
  const writer = conn.writable.getWriter();
  for await (const line of lines) {
    const answer = [...line.trim()].reverse().join("");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writer.write(new TextEncoder().encode(`${answer}\n`));
  }
}

const handler = new URL("./parts/word_worker.ts", import.meta.url);
const miniflare = new Miniflare({
  compatibilityDate: "2026-07-01",
  bindings: { SERVER: `127.0.0.1:${listener.addr.port}` },
  modules: [
    { type: "ESModule", path: "main.js", contents: WORKER },
    {
      type: "ESModule",
      path: "word_worker.js",
      contents: await Deno.readTextFile(await bundle(handler)),
    },
  ],
});

const words = ["stressed", "drawer", "live", "pots", "parts", "reviled", "gum"];
const query = words.map((word) => `word=${word}`).join("&");
async function ask(): Promise<unknown> {
  const response = await miniflare.dispatchFetch(`http://localhost/?${query}`);
  return response.ok ? await response.json() : await response.text();
}

// Seven words over three connections, all of which end with the request.
const answers = [
  "desserts",
  "reward",
  "evil",
  "stop",
  "strap",
  "deliver",
  "mug",
];
assert.deepEqual(await ask(), answers);
assert.equal(most, 3);
await until(() => open === 0);

// Requests at a time share nothing.
assert.deepEqual(await Promise.all([ask(), ask()]), [answers, answers]);
assert.ok(connects <= 9 && most <= 6);
await until(() => open === 0);

await miniflare.dispose();
listener.close();
await serving;
console.log(`three requests, ${connects} connections, none of them left`);
