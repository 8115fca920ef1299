import { assertEquals, assertMatch } from "@std/assert";
import { Pool } from "../mod.ts";
import { KeyedPool } from "../src/keyed/mod.ts";
import { assertClosesClean, fixture, settled } from "./fixture.ts";
import { test } from "./test.ts";

const SYMBOL = Symbol.for("nodejs.util.inspect.custom");

const inspect = await inspector();

/** What the console of this runtime shows of a value; pages show no text. */
async function inspector(): Promise<(value: object) => string> {
  if ("Deno" in globalThis) return (value) => Deno.inspect(value);
  if ("process" in globalThis) return (await import("node:util")).inspect;
  return (value) =>
    Reflect.get(value, SYMBOL).call(value, 2, {}, JSON.stringify);
}

test("the console shows a pool by its name and counts", async () => {
  const { pool } = fixture({ name: "db", max: 2 });
  using _lease = await pool.acquire();
  assertMatch(
    inspect(pool),
    /^Pool \{.*db.*idle"?: ?0.*used"?: ?1.*max"?: ?2/s,
  );
});

test("the console and JSON show a keyed pool by its name and counts over all keys", async () => {
  const pool = new KeyedPool({ create: () => ({}), max: 2, name: "hosts" });
  using _lease = await pool.acquire("a");
  await pool.use("b", () => {});
  const counts = /hosts.*keys"?: ?2.*idle"?: ?1.*used"?: ?1.*max"?: ?2/s;
  assertMatch(inspect(pool), counts);
  assertMatch(inspect(pool), /^KeyedPool \{/);
  assertMatch(JSON.stringify(pool), counts);
  await pool.close({ signal: AbortSignal.abort() });
});

test("the console shows a lease by its state, not by its resource", async () => {
  await using pool = new Pool({ create: () => ({ password: "x" }), max: 1 });
  const lease = await pool.acquire();
  assertMatch(inspect(lease), /^Lease \{.*held/);
  assertEquals(inspect(lease).includes("password"), false);
  lease.release();
  assertMatch(inspect(lease), /ended/);
});

test("a pool in JSON is its name and its stats", () => {
  const { pool } = fixture({ name: "db", max: 2 });
  assertEquals(
    JSON.parse(JSON.stringify(pool)),
    { name: "db", ...pool.stats() },
  );
});

test("a lease in JSON is its state, until it is spent or taken back", async () => {
  const f = fixture({ max: 2 });
  const spent = await f.pool.acquire();
  const taken = await f.pool.acquire();
  assertEquals(
    JSON.stringify([spent, taken]),
    '[{"state":"held"},{"state":"held"}]',
  );
  spent.destroy();
  assertEquals(JSON.stringify(spent), '{"state":"ended"}');
  const closed = f.pool.close({ signal: AbortSignal.abort() });
  await settled();
  assertEquals(JSON.stringify(taken), '{"state":"ended"}');
  await closed;
  await assertClosesClean(f);
});

test("what shows a pool and a lease is no name of theirs to loop over", async () => {
  const { pool } = fixture();
  using lease = await pool.acquire();
  const names: string[] = [];
  for (const name in lease) names.push(name);
  assertEquals(names, []);
  for (const value of [pool, lease]) {
    const owner = Object.getPrototypeOf(value);
    const property = Object.getOwnPropertyDescriptor(owner, SYMBOL);
    assertEquals(property?.enumerable, false);
  }
});
