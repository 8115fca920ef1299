import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  settled,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("tryAcquire on an empty pool gives undefined, queues and creates nothing", async () => {
  const f = fixture({ max: 2 });
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  assertCounts(f.pool, {});
  await settled();
  assertEquals(f.factory.log, []);
  await assertClosesClean(f);
});

test("tryAcquire leases the newest idle resource at once", async () => {
  const { pool } = fixture({ max: 2 });
  const [, newest] = await fill(pool, 2);
  using lease = pool.tryAcquire();
  assertStrictEquals(lease?.value, newest);
  assertCounts(pool, { idle: 1, used: 1 });
});

test("tryAcquire gives undefined while all resources are used", async () => {
  const { pool } = fixture();
  using _lease = await pool.acquire();
  assertStrictEquals(pool.tryAcquire(), undefined);
  assertCounts(pool, { used: 1 });
});

test("tryAcquire does not touch a resource that is being created", () => {
  const { pool, factory } = fixture({ max: 2 });
  factory.manual.add("create");
  watch(pool.acquire());
  assertStrictEquals(pool.tryAcquire(), undefined);
  assertCounts(pool, { creating: 1, pending: 1 });
});

test("tryAcquire never overtakes a waiter", async () => {
  const { pool } = fixture();
  const lease = await pool.acquire();
  const waiter = watch(pool.acquire());
  lease.release();
  assertStrictEquals(pool.tryAcquire(), undefined);
  await settled();
  assertEquals(waiter.value?.value, { id: 1 });
});

test("tryAcquire does not lease what has expired", async () => {
  const { pool, clock, factory } = fixture({ idleTimeout: 1_000 });
  await fill(pool, 1);
  clock.jump(1_001);
  assertStrictEquals(pool.tryAcquire(), undefined);
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("tryAcquire goes on to the next idle resource when one is invalid", async () => {
  const { pool, factory } = validated({ max: 2 });
  const [older, newest] = await fill(pool, 2);
  factory.bad.add(newest!);
  using lease = pool.tryAcquire();
  assertStrictEquals(lease?.value, older);
  assertEquals(factory.log.slice(2), ["validate 2", "destroy 2", "validate 1"]);
});

test("tryAcquire destroys every invalid idle resource and gives undefined", async () => {
  const { pool, factory } = validated({ max: 3 });
  for (const resource of await fill(pool, 3)) factory.bad.add(resource);
  assertStrictEquals(pool.tryAcquire(), undefined);
  assertEquals(factory.live.size, 0);
  assertCounts(pool, {});
});

test("tryAcquire counts a verdict that takes time as not now", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  assertCounts(f.pool, { used: 1 });
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a late verdict of tryAcquire still destroys an invalid resource", async () => {
  const { pool, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  assertStrictEquals(pool.tryAcquire(), undefined);
  factory.validations.shift()!.resolve(false);
  await settled();
  assertEquals(factory.log.at(-1), "destroy 1");
  assertCounts(pool, {});
});

test("a late good verdict of tryAcquire serves who waits meanwhile", async () => {
  const { pool, factory } = validated();
  await fill(pool, 1);
  factory.manual.add("validate");
  pool.tryAcquire();
  const waiter = watch(pool.acquire());
  factory.validations.shift()!.resolve(true);
  await settled();
  factory.validations.shift()!.resolve(true);
  await settled();
  assertEquals(waiter.value?.value, { id: 1 });
});

test("tryAcquire prefers the stripe of its affinity", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  const at0 = await pool.acquire({ affinity: 0 });
  const at1 = await pool.acquire({ affinity: 1 });
  const [first, second] = [at0.value, at1.value];
  at0.release();
  at1.release();
  using leased1 = pool.tryAcquire({ affinity: 1 })!;
  using leased0 = pool.tryAcquire({ affinity: 0 })!;
  assertStrictEquals(leased1.value, second);
  assertStrictEquals(leased0.value, first);
});

test("a verdict that is truthy but not true is a yes, and one that is falsy a no", async () => {
  // deno-lint-ignore no-explicit-any
  const verdicts: [any, boolean][] = [
    ...[1, "yes", {}, []].map((yes): [unknown, boolean] => [yes, true]),
    ...[0, "", null, undefined].map((no): [unknown, boolean] => [no, false]),
  ];
  for (const [verdict, isValid] of verdicts) {
    const f = validated({ validate: () => verdict });
    await fill(f.pool, 1);
    const lease = f.pool.tryAcquire();
    assertEquals(lease?.value, isValid ? { id: 1 } : undefined);
    assertCounts(f.pool, isValid ? { used: 1 } : {});
    lease?.release();
    const later = validated({ validate: () => Promise.resolve(verdict) });
    await fill(later.pool, 1);
    assertStrictEquals(later.pool.tryAcquire(), undefined);
    await settled();
    assertCounts(later.pool, isValid ? { idle: 1 } : {});
    await assertClosesClean(later);
    await assertClosesClean(f);
  }
});

test("tryAcquire does not go on after a verdict that takes time", async () => {
  const f = validated({ max: 3 });
  await fill(f.pool, 3);
  f.factory.manual.add("validate");
  assertStrictEquals(f.pool.tryAcquire(), undefined);
  assertCounts(f.pool, { idle: 2, used: 1 });
  assertEquals(f.factory.validations.map(({ resource }) => resource.id), [3]);
  const none = watch(f.pool.acquire({ timeout: 0 }));
  await settled();
  assertEquals((none.error as Error).name, "TimeoutError");
  assertCounts(f.pool, { idle: 1, used: 2 });
  for (const call of f.factory.validations) call.resolve(true);
  await settled();
  assertCounts(f.pool, { idle: 3 });
  await assertClosesClean(f);
});

test("tryAcquire gives nothing once what it destroys has the pool close, though it serves", async () => {
  const f = validated({
    ...{ max: 3, stripes: 2, isolated: true },
    destroy: () => void watch(f.pool.close({ serve: true })),
  });
  await f.pool.acquire({ affinity: 1 });
  watch(f.pool.acquire({ affinity: 1 }));
  const at0 = [0, 0].map((affinity) => f.pool.acquire({ affinity }));
  for (const lease of await Promise.all(at0)) {
    f.factory.bad.clear();
    f.factory.bad.add(lease.value);
    lease.release();
  }
  assertStrictEquals(f.pool.tryAcquire({ affinity: 0 }), undefined);
  assertCounts(f.pool, { idle: 1, used: 1, pending: 1 });
});
