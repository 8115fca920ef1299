import { assertEquals, assertMatch } from "@std/assert";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { CACHE, ROOT } from "../runtimes/bundle.ts";
import { test } from "../test.ts";

test("services: the README's first program runs as it stands", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const program = readme.match(/```ts ignore\n(.*?)```/s)![1]!;
  await using server = await PostgresServer.create();
  const file = new URL("readme.ts", CACHE).pathname;
  await Deno.mkdir(CACHE, { recursive: true });
  await Deno.writeTextFile(file, program);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--check", "--config=deno.json", file],
    cwd: ROOT,
    env: { DATABASE_URL: server.url, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [printed, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assertEquals(success, true, errors);
  assertMatch(printed!, /^1\n\{/);
});
