import { assertEquals } from "@std/assert";
import { until } from "../fixture.ts";
import { ROOT } from "../runtimes/bundle.ts";
import { test } from "../test.ts";
import { Output } from "./output.ts";

/** A server takes some seconds to start, and to stop. */
const PATIENCE = { deadline: 30_000 };

/** The processes that one has started, or those of them that are left. */
async function processes(...query: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "pid=", ...query],
  }).output();
  return new TextDecoder().decode(stdout).split(/\s+/).filter(Boolean);
}

test("services: the processes of the example of a fleet end where that is killed", async () => {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "examples/fleet.ts"],
    cwd: ROOT,
    stdout: "piped",
  }).spawn();
  const output = new Output(child.stdout);
  await until(() => /server counts [1-9]/.test(output.text), PATIENCE);
  const started = await processes("--ppid", `${child.pid}`);
  child.kill("SIGKILL");
  await child.status;
  const left = () => processes("-p", started.join());
  await until(async () => (await left()).length === 0, PATIENCE)
    .finally(async () => {
      for (const pid of await left()) Deno.kill(Number(pid), "SIGKILL");
    });
  await output.end;
  assertEquals(started.length > 6, true);
});
