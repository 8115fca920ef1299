import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Lease } from "../mod.ts";
import * as api from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

const SPENDING: [string, (lease: Lease<Resource>) => void][] = [
  ["release", (lease) => lease.release()],
  ["destroy", (lease) => lease.destroy()],
  ["Symbol.dispose", (lease) => lease[Symbol.dispose]()],
  ["Symbol.asyncDispose", (lease) => lease[Symbol.asyncDispose]()],
];

test("nobody can make a lease but a pool: its class is not exported", () => {
  assertEquals(Object.keys(api).toSorted(), [
    "AcquireTimeoutError",
    "CallTimeoutError",
    "Pool",
    "PoolClosedError",
    "PoolError",
    "PoolFullError",
  ]);
});

test("release makes the resource idle and destroy ends it", async () => {
  const f = fixture();
  (await f.pool.acquire()).release();
  assertCounts(f.pool, { idle: 1 });
  (await f.pool.acquire()).destroy();
  await settled();
  assertCounts(f.pool, {});
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("the value of a spent lease throws, whatever spent it", async () => {
  for (const [, spend] of SPENDING) {
    const { pool } = fixture();
    const lease = await pool.acquire();
    spend(lease);
    assertThrows(() => lease.value, Error, "a lease that has ended");
  }
});

test("every second spending of a lease does nothing at all", async () => {
  for (const [first, spend] of SPENDING) {
    for (const [second, spendAgain] of SPENDING) {
      const f = fixture();
      const lease = await f.pool.acquire();
      spend(lease);
      const before = f.pool.stats();
      spendAgain(lease);
      assertEquals(f.pool.stats(), before, `${first}, then ${second}`);
      await assertClosesClean(f);
    }
  }
});

test("a stale lease can neither free nor destroy the next owner's resource", async () => {
  for (const [, spend] of SPENDING) {
    const { pool, factory } = fixture();
    const stale = await pool.acquire();
    stale.release();
    const owner = await pool.acquire();
    const waiter = watch(pool.acquire());
    spend(stale);
    await settled();
    assertEquals(waiter.settled, false);
    assertEquals(owner.value, { id: 1 });
    assertCounts(pool, { used: 1, pending: 1 });
    assertEquals(factory.log, ["create 1"]);
  }
});

test("a stale lease stays stale after its resource was handed to a waiter", async () => {
  const { pool } = fixture();
  const stale = await pool.acquire();
  const second = watch(pool.acquire());
  const third = watch(pool.acquire());
  stale.release();
  stale.release();
  stale.destroy();
  await settled();
  assertEquals(leaseOf(second).value, { id: 1 });
  assertEquals(third.settled, false);
});

test("using releases at the end of its block", async () => {
  const { pool } = fixture();
  {
    using lease = await pool.acquire();
    assertEquals(lease.value, { id: 1 });
    assertCounts(pool, { used: 1 });
  }
  assertCounts(pool, { idle: 1 });
});

test("await using releases at the end of its block", async () => {
  const { pool } = fixture();
  {
    await using lease = await pool.acquire();
    assertEquals(lease.value, { id: 1 });
    assertCounts(pool, { used: 1 });
  }
  assertCounts(pool, { idle: 1 });
});

test("using releases when its block throws", async () => {
  const { pool } = fixture();
  const block = async () => {
    using _lease = await pool.acquire();
    throw new Error("in the block");
  };
  const outcome = watch(block());
  await settled();
  assertEquals((outcome.error as Error).message, "in the block");
  assertCounts(pool, { idle: 1 });
});

test("using accepts the undefined of a tryAcquire that found nothing", () => {
  const { pool } = fixture();
  using lease = pool.tryAcquire();
  assertStrictEquals(lease, undefined);
});

test("a lease destroyed inside its using block is not released after", async () => {
  const { pool, factory } = fixture();
  {
    using lease = await pool.acquire();
    lease.destroy();
  }
  await settled();
  assertCounts(pool, {});
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("release and both disposals return nothing to wait for", async () => {
  const { pool } = fixture();
  const lease = await pool.acquire();
  assertStrictEquals(lease.release() as unknown, undefined);
  assertStrictEquals(lease[Symbol.dispose]() as unknown, undefined);
  assertStrictEquals(lease[Symbol.asyncDispose]() as unknown, undefined);
});

test("a lease spent after the pool has closed destroys its resource", async () => {
  const f = fixture();
  const lease = await f.pool.acquire();
  const closed = watch(f.pool.close());
  lease.release();
  lease.release();
  await settled();
  assertEquals(closed.settled, true);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  await assertClosesClean(f);
});

test("a lease is spent before the observer is told of its release", async () => {
  const held: Lease<Resource>[] = [];
  const errors: unknown[] = [];
  let told = 0;
  const f = fixture({
    observer: {
      released: () => {
        if (++told > 3) return;
        const lease = held.at(-1)!;
        try {
          lease.value;
        } catch (error) {
          errors.push(error);
        }
        lease.release();
        lease.destroy();
      },
    },
  });
  held.push(await f.pool.acquire());
  const waiter = watch(f.pool.acquire());
  held[0]!.release();
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertCounts(f.pool, { used: 1 });
  held.push(leaseOf(waiter));
  leaseOf(waiter).release();
  assertCounts(f.pool, { idle: 1 });
  const names = errors.map((error) => (error as Error).name);
  assertEquals(names, ["Error", "Error"]);
  assertEquals(told, 2);
  await assertClosesClean(f);
});

test("a lease is spent before its resource is destroyed, also where that is at once", async () => {
  const held: Lease<Resource>[] = [];
  const messages: string[] = [];
  const f: ReturnType<typeof fixture> = fixture({
    max: 2,
    // Told in the context that destroy is called in, so it need not wait.
    observer: { created: () => held[0]?.destroy() },
    destroy: (resource) => {
      if (resource.id === 1) {
        const { message } = assertThrows(() => held[0]!.value, Error);
        messages.push(message);
      }
      return f.factory.destroy(resource);
    },
  });
  held.push(await f.pool.acquire());
  const other = await f.pool.acquire();
  assertEquals(messages, ["Cannot read 'value' of a lease that has ended"]);
  other.release();
  await assertClosesClean(f);
});

test("a lease is spent before its resource is destroyed", async () => {
  const held: Lease<Resource>[] = [];
  const errors: unknown[] = [];
  const f: ReturnType<typeof fixture> = fixture({
    destroy: (resource) => {
      try {
        held[0]!.value;
      } catch (error) {
        errors.push(error);
      }
      held[0]!.destroy();
      held[0]!.release();
      return f.factory.destroy(resource);
    },
  });
  held.push(await f.pool.acquire());
  held[0]!.destroy();
  await settled();
  assertEquals(errors.map((error) => (error as Error).name), ["Error"]);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});
