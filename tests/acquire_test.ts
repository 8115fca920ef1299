import { assertEquals, assertStrictEquals } from "@std/assert";
import { Pool } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("acquire creates a resource when none is idle", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 1 });
  assertCounts(f.pool, { used: 1 });
  lease.release();
  await assertClosesClean(f);
});

test("acquire reuses the newest idle resource", async () => {
  const { pool, factory } = fixture({ max: 3 });
  const [, , newest] = await fill(pool, 3);
  using lease = await pool.acquire();
  assertStrictEquals(lease.value, newest);
  assertEquals(factory.log, ["create 1", "create 2", "create 3"]);
});

test("the resource is handed over as it is, neither wrapped nor patched", async () => {
  const resource = Object.freeze({ id: 7 });
  await using pool = new Pool({ create: () => resource, max: 1 });
  using lease = await pool.acquire();
  assertStrictEquals(lease.value, resource);
});

test("a pool that nobody asks creates nothing and sets no timer", async () => {
  const f = fixture({ max: 4, stripes: 2 });
  await f.clock.advance(100_000);
  assertEquals(f.factory.log, []);
  assertEquals(f.clock.timers, 0);
  await assertClosesClean(f);
});

test("acquire waits for a release once max resources are used", async () => {
  const { pool, factory } = fixture();
  const first = await pool.acquire();
  const second = watch(pool.acquire());
  await settled();
  assertEquals(second.settled, false);
  assertCounts(pool, { used: 1, pending: 1 });
  first.release();
  await settled();
  assertEquals(leaseOf(second).value, { id: 1 });
  assertEquals(factory.log, ["create 1"]);
});

test("creates in flight never outnumber the waiters", async () => {
  const { pool, factory } = fixture({ max: 10 });
  factory.manual.add("create");
  watch(pool.acquire());
  watch(pool.acquire());
  watch(pool.acquire());
  assertCounts(pool, { creating: 3, pending: 3 });
  await settled();
  assertEquals(factory.creates.length, 3);
  assertCounts(pool, { creating: 3, pending: 3 });
});

test("a newcomer takes over the create that a cancelled waiter left", async () => {
  const { pool, factory } = fixture({ max: 5 });
  factory.manual.add("create");
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  controller.abort();
  const newcomer = watch(pool.acquire());
  await settled();
  assertEquals(factory.creates.length, 1);
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(newcomer).value, { id: 1 });
});

test("a released resource serves a waiter before its own create does", async () => {
  const { pool, factory } = fixture({ max: 2 });
  const first = await pool.acquire();
  factory.manual.add("create");
  const waiter = watch(pool.acquire());
  first.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  factory.finishCreate();
  await settled();
  assertCounts(pool, { used: 1, idle: 1 });
});

test("a resource created for nobody is idle and reused", async () => {
  const f = fixture();
  f.factory.manual.add("create");
  const controller = new AbortController();
  watch(f.pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  f.factory.finishCreate();
  await settled();
  assertCounts(f.pool, { idle: 1 });
  const lease = f.pool.tryAcquire()!;
  assertEquals(lease.value, { id: 1 });
  lease.release();
  await assertClosesClean(f);
});

test("acquire with every option given as undefined waits as without", async () => {
  const { pool } = fixture();
  const options = { signal: undefined, timeout: undefined };
  using lease = await pool.acquire({ ...options, affinity: undefined });
  assertEquals(lease.value, { id: 1 });
});

test("undefined is a resource like any other", async () => {
  const destroyed: unknown[] = [];
  const pool = new Pool<undefined>({
    create: () => undefined,
    destroy: (resource) => destroyed.push(resource),
    max: 1,
  });
  const lease = await pool.acquire();
  assertStrictEquals(lease.value, undefined);
  lease.release();
  const again = pool.tryAcquire()!;
  assertStrictEquals(again.value, undefined);
  again.release();
  await pool.close();
  assertEquals(destroyed, [undefined]);
});

test("a resource with a then that is no function is no promise", async () => {
  const resource = { then: "later" };
  await using pool = new Pool({ create: () => resource, max: 1 });
  using lease = await pool.acquire();
  assertStrictEquals(lease.value, resource);
});

test("a thenable that create returns is waited for like a promise", async () => {
  const thenable: PromiseLike<string> = {
    then: (resolve) => Promise.resolve("made").then(resolve),
  };
  await using pool = new Pool({ create: () => thenable, max: 1 });
  using lease = await pool.acquire();
  assertEquals(lease.value, "made");
});

test("a resource that becomes thenable is never waited for", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  Object.assign(lease.value, { then: () => {} });
  const waiter = watch(f.pool.acquire());
  lease.release();
  await settled();
  assertEquals(leaseOf(waiter).value.id, 1);
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("falsy resources are leased and reused", async () => {
  for (const resource of [0, "", false, null]) {
    await using pool = new Pool({ create: () => resource, max: 1 });
    (await pool.acquire()).release();
    using lease = pool.tryAcquire()!;
    assertStrictEquals(lease.value, resource);
  }
});

test("a thousand acquires over ten resources all get served", async () => {
  const f = fixture({ max: 10 });
  let active = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 1_000 }, () =>
    f.pool.use(async () => {
      most = Math.max(most, ++active);
      await undefined;
      active--;
    })));
  assertEquals(most, 10);
  assertEquals(f.factory.peak, 10);
  assertCounts(f.pool, { idle: 10 });
  await assertClosesClean(f);
});
