import { assertEquals } from "@std/assert";
import type { DestroyReason } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("clear destroys all idle resources at once and the pool goes on", async () => {
  const f = fixture({ max: 3 });
  await fill(f.pool, 3);
  f.pool.clear();
  assertCounts(f.pool, { destroying: 3 });
  await settled();
  assertEquals(f.factory.live.size, 0);
  assertCounts(f.pool, {});
  const lease = await f.pool.acquire();
  assertEquals(lease.value, { id: 4 });
  lease.release();
  await assertClosesClean(f);
});

test("clear of an empty pool does nothing", async () => {
  const f = fixture({ max: 3, stripes: 3 });
  f.pool.clear();
  f.pool.clear();
  assertCounts(f.pool, {});
  assertEquals(f.factory.log, []);
  await assertClosesClean(f);
});

test("clear retires what is used: it is destroyed when released", async () => {
  const { pool, factory } = fixture({ max: 2 });
  const old = await pool.acquire();
  pool.clear();
  assertEquals(old.value, { id: 1 });
  assertCounts(pool, { used: 1 });
  const young = await pool.acquire();
  old.release();
  young.release();
  await settled();
  assertEquals(factory.log, ["create 1", "create 2", "destroy 1"]);
  assertCounts(pool, { idle: 1 });
});

test("a retired resource is not handed to a waiter; its slot is", async () => {
  const { pool } = fixture();
  const old = await pool.acquire();
  const waiter = watch(pool.acquire());
  pool.clear();
  old.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 2 });
});

test("a resource being created at a clear serves at most once", async () => {
  const { pool, factory } = fixture();
  factory.manual.add("create");
  const waiter = watch(pool.acquire());
  await settled();
  pool.clear();
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  leaseOf(waiter).release();
  await settled();
  assertEquals(factory.log, ["create 1", "destroy 1"]);
  assertCounts(pool, {});
});

test("a resource created for nobody across a clear is not kept idle", async () => {
  const { pool, factory } = fixture();
  factory.manual.add("create");
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  pool.clear();
  factory.finishCreate();
  await settled();
  assertEquals(factory.log, ["create 1", "destroy 1"]);
  assertCounts(pool, {});
});

test("clear reaches every stripe and says so", async () => {
  const reasons: [number, DestroyReason][] = [];
  const { pool } = fixture({
    max: 3,
    stripes: 3,
    observer: {
      destroyed: ({ stripe, reason }) => void reasons.push([stripe, reason]),
    },
  });
  await fill(pool, 3);
  pool.clear();
  await settled();
  assertEquals(reasons.toSorted(), [[0, "clear"], [1, "clear"], [2, "clear"]]);
});

test("waiters during a slow clear get the slots as their destroys settle", async () => {
  const { pool, factory } = fixture({ max: 2 });
  await fill(pool, 2);
  factory.manual.add("destroy");
  pool.clear();
  const waiters = [watch(pool.acquire()), watch(pool.acquire())];
  assertCounts(pool, { destroying: 2, pending: 2 });
  await settled();
  factory.destroys.shift()!.resolve();
  await settled();
  assertEquals(leaseOf(waiters[0]!).value, { id: 3 });
  factory.destroys.shift()!.reject(new Error("no"));
  await settled();
  assertEquals(leaseOf(waiters[1]!).value, { id: 4 });
});

test("a resource under validation at a clear serves its taker, then goes", async () => {
  const { pool, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  const taker = watch(pool.acquire());
  pool.clear();
  factory.validations.shift()!.resolve(true);
  await settled();
  leaseOf(taker).release();
  await settled();
  assertEquals(factory.log.at(-1), "destroy 1");
  assertCounts(pool, {});
});

test("a pool cleared again and again keeps all its capacity", async () => {
  const f = fixture({ max: 3 });
  for (let round = 0; round < 20; round++) {
    const held = await f.pool.acquire();
    await fill(f.pool, 2);
    f.pool.clear();
    held.release();
    await settled();
    assertCounts(f.pool, {});
  }
  await fill(f.pool, 3);
  await assertClosesClean(f);
});

test("clear after close changes nothing", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const closed = f.pool.close();
  f.pool.clear();
  lease.release();
  await closed;
  f.pool.clear();
  await assertClosesClean(f);
});
