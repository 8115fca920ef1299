import { assertEquals, assertMatch } from "@std/assert";
import type { Snapshot } from "../../src/inspect/mod.ts";
import { until } from "../fixture.ts";
import { ROOT } from "../runtimes/bundle.ts";
import { test } from "../test.ts";
import { Output } from "./output.ts";

/** A server takes some seconds to start, and to start again. */
const PATIENCE = { deadline: 30_000 };

test("services: the dashboard shows what its keys break, and ends cleanly", async () => {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "examples/dashboard.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = new Output(child.stdout);
  const keys = child.stdin.getWriter();
  const press = (key: string) => keys.write(new TextEncoder().encode(key));
  const url = () => output.text.match(/^The page is at (http:\S+)$/m)?.[1];
  await until(() => url() !== undefined, PATIENCE);
  const stats = async () => {
    const { pools: [pool] }: Snapshot = await (await fetch(`${url()}stats`))
      .json();
    return pool!;
  };
  const page = await fetch(url()!);
  assertEquals(page.status, 200);
  assertMatch(await page.text(), /<title>Pools<\/title>/);
  await until(async () => (await stats()).acquires.served > 0, PATIENCE);
  await press("s");
  await until(async () => (await stats()).state === "outage", PATIENCE);
  const isDrawn = () =>
    /^orders – OUTAGE: .*creates have failed/m.test(output.text);
  await until(isDrawn, PATIENCE);
  await press("s");
  await until(async () => (await stats()).state === "healthy", PATIENCE);
  await press("k");
  await until(async () => {
    // Under somebody's hands it is the use that says so.
    const { lost = 0, lease = 0 } = (await stats()).destroyed;
    return lost + lease >= 3;
  }, PATIENCE);
  await press("qb");
  await until(async () => (await stats()).state === "saturated", PATIENCE);
  await press("x");
  await keys.close();
  assertEquals((await child.status).code, 0);
  await output.end;
  assertMatch(output.text, /\nEnded\.\n$/);
});

test("services: the dashboard does not scroll a terminal that is too low for all", async () => {
  const run = "stty rows 10 cols 80; exec deno run -A examples/dashboard.ts";
  await using child = new Deno.Command("script", {
    args: ["-qec", run, "/dev/null"],
    cwd: ROOT,
    env: { NO_COLOR: "1", SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = new Output(child.stdout);
  const keys = child.stdin.getWriter();
  const frames = () =>
    output.text.split("\x1b[H").slice(2).map((frame) =>
      frame.split("\x1b[J")[0]!
    );
  await until(() => frames().some((it) => /orders – /.test(it)), PATIENCE);
  await keys.write(new TextEncoder().encode("lx"));
  await output.end;
  await keys.close();
  assertEquals((await child.status).code, 0);
  const rows = frames().map((frame) => frame.split("\n").length);
  assertEquals(Math.max(...rows) <= 10, true, `${rows}`);
  assertMatch(frames().at(-1)!, /s stop, start the server .*x end/s);
});
