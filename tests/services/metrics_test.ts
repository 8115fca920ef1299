import { assertEquals } from "@std/assert";
import { Pool } from "../../mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { KeyedPool } from "../../src/keyed/mod.ts";
import { test } from "../test.ts";

/** The metrics of two pools, one of them called by somebody hostile. */
async function metrics(accept: string): Promise<string> {
  const names = [
    "db",
    'a"b\\c\nd',
    "a\0b\rc\x7f",
    "\ud83e",
    "\udd21",
    "\ufeff",
  ];
  const pools = names.map((name) =>
    new Pool({ create: () => ({}), max: 2, stripes: 2, name })
  );
  const keyed = new KeyedPool({ create: (key: string) => key, max: 2 });
  using handler = inspect([...pools, keyed], { authorize: "anyone" });
  await keyed.use("a", () => {});
  for (const pool of pools) {
    await pool.use(() => {});
    const lease = await pool.acquire();
    lease.destroy();
    await pool.acquire({ timeout: 0 }).catch(() => {});
  }
  const request = new Request("http://localhost/metrics", {
    headers: { accept },
  });
  const text = await (await handler(request)).text();
  for (const pool of [...pools, keyed]) await pool.close();
  return text;
}

/** Debian's, of the package `prometheus`: what it says of a text. */
async function promtool(
  args: string[],
  text: string,
): Promise<{ success: boolean; said: string }> {
  const child = new Deno.Command("promtool", {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  return { success, said };
}

test("services: promtool has nothing to say against the plain metrics", async () => {
  const text = await metrics("text/plain");
  const result = await promtool(["check", "metrics"], text);
  assertEquals(result, { success: true, said: "" });
});

test("services: Prometheus reads the OpenMetrics text", async () => {
  const text = await metrics("application/openmetrics-text");
  // It is for dumps, in which each sample has a time.
  const dated = text.replace(/^(?!#)(.+)$/gm, "$1 1700000000");
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/metrics.txt`;
    await Deno.writeTextFile(file, dated);
    const args = ["tsdb", "create-blocks-from", "openmetrics", file, folder];
    const { success, said } = await promtool(args, "");
    assertEquals(success, true, said);
    const broken = dated.replace("# EOF", "# EOP");
    await Deno.writeTextFile(file, broken);
    assertEquals((await promtool(args, "")).success, false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
