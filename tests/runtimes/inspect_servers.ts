import { Hono } from "hono";
import type { Miniflare } from "miniflare";
import { asking, CASES, inspected } from "./programs/inspect_cases.ts";
import type { TestCase } from "./report.ts";

/** The page in a worker, on a path of its own, and in an app of Hono's. */
export async function inspectInWorker(
  miniflare: Miniflare,
): Promise<TestCase[]> {
  const dispatch = (url: string, init: RequestInit) =>
    miniflare.dispatchFetch(url, init as never) as unknown as Promise<Response>;
  const results: TestCase[] = [];
  for (const at of ["own", "mounted", "routed"]) {
    const root = `http://localhost/${at}/`;
    results.push(...await looks(`in a worker, ${at}`, asking(dispatch, root)));
  }
  return results;
}

/** The page in an app of Hono's that `Deno.serve` serves. */
export async function inspectInHono(): Promise<TestCase[]> {
  using handler = inspected();
  const app = new Hono();
  app.mount("/mounted", handler);
  app.all("/routed/*", ({ req }) => handler(req.raw));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  const results: TestCase[] = [];
  for (const at of ["mounted", "routed"]) {
    const root = `http://127.0.0.1:${server.addr.port}/${at}/`;
    results.push(...await looks(`in Hono, ${at}`, asking(fetch, root)));
  }
  return results;
}

async function looks(
  where: string,
  ask: Parameters<typeof CASES[string]>[0],
): Promise<TestCase[]> {
  const results: TestCase[] = [];
  for (const [what, look] of Object.entries(CASES)) {
    const name = `inspect ${where}: ${what}`;
    const error = await look(ask).then(() => undefined, (error) => error);
    const result = error === undefined ? "passed" : "failed";
    console.log(`${name} ... ${result}`);
    if (error !== undefined) console.log(error);
    results.push({ name, result });
  }
  return results;
}
