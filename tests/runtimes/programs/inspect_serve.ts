// The page by the server that a runtime has for the Web's requests.
import { asking, CASES, inspected } from "./inspect_cases.ts";
import { conclude, runCase } from "./cases.ts";

type Fetch = (request: Request) => Promise<Response>;

/** What Bun and Deno have; Node has none. */
declare const Bun: {
  serve(options: { hostname: string; port: number; fetch: Fetch }): {
    readonly port: number;
  };
} | undefined;

function serve(fetch: Fetch): number | undefined {
  const where = { hostname: "127.0.0.1", port: 0 };
  if (typeof Bun !== "undefined") return Bun.serve({ ...where, fetch }).port;
  if (typeof Deno === "undefined") return undefined;
  return Deno.serve({ ...where, onListen: () => {} }, fetch).addr.port;
}

const port = serve(inspected());
if (port !== undefined) {
  const ask = asking(fetch, `http://127.0.0.1:${port}/`);
  for (const [name, look] of Object.entries(CASES)) {
    await runCase(`inspect, served: ${name}`, () => look(ask));
  }
}
conclude();
