/** Runs the tests against real services; the last line has the totals. */

import { CACHE, ROOT } from "../runtimes/bundle.ts";
import {
  conclude,
  type Report,
  report,
  testCases,
} from "../runtimes/report.ts";

async function run(): Promise<Report> {
  const path = new URL("services.xml", CACHE).pathname;
  await Deno.mkdir(CACHE, { recursive: true });
  await Deno.remove(path).catch(() => {});
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", `--junit-path=${path}`, "tests/services/"],
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  const tests = testCases(await Deno.readTextFile(path).catch(() => ""));
  const explained = success || tests.some(({ result }) => result === "failed");
  return report(tests, explained ? [] : ["Deno ended with an error"]);
}

await conclude([run]);
