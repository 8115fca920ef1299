import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  AcquireTimeoutError,
  type Lease,
  PoolClosedError,
  type PoolOptions,
} from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** Options of `use` of the wrong kind, as plain JavaScript can pass them. */
// deno-lint-ignore no-explicit-any
type Wrong = any;

test("use passes the resource and its lease and resolves with the result", async () => {
  const f = fixture();
  const result = await f.pool.use((resource, lease) => {
    assertStrictEquals(lease.value, resource);
    assertCounts(f.pool, { used: 1 });
    return `saw ${resource.id}`;
  });
  assertEquals(result, "saw 1");
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("use releases only after an asynchronous callback has ended", async () => {
  const { pool } = fixture();
  const gate = Promise.withResolvers<string>();
  const use = watch(pool.use(() => gate.promise));
  await settled();
  assertCounts(pool, { used: 1 });
  gate.resolve("done");
  await settled();
  assertEquals(use.value, "done");
  assertCounts(pool, { idle: 1 });
});

test("use destroys the resource if the callback throws, and passes the error on", async () => {
  const f = fixture();
  const error = new Error("thrown");
  const thrown = await assertRejects(() =>
    f.pool.use(() => {
      throw error;
    })
  );
  assertStrictEquals(thrown, error);
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("use destroys the resource if the callback rejects with undefined", async () => {
  const { pool, factory } = fixture();
  const use = watch(pool.use(() => Promise.reject(undefined)));
  await settled();
  assertEquals(use, { settled: true, error: undefined });
  assertEquals(factory.log, ["create 1", "destroy 1"]);
});

test("use releases after an error that isFatal says is none of the resource's", async () => {
  const seen: unknown[] = [];
  const isFatal = (error: unknown) => {
    seen.push(error);
    return false;
  };
  const { pool, factory } = fixture({ isFatal });
  const error = new Error("harmless");
  const use = watch(pool.use(() => Promise.reject(error)));
  await settled();
  assertStrictEquals(use.error, error);
  assertEquals(seen, [error]);
  assertEquals(factory.log, ["create 1"]);
  assertCounts(pool, { idle: 1 });
});

test("use destroys if isFatal says yes or throws", async () => {
  const verdicts: NonNullable<PoolOptions<Resource>["isFatal"]>[] = [
    () => true,
    () => {
      throw new Error("isFatal");
    },
  ];
  for (const isFatal of verdicts) {
    const { pool, factory } = fixture({ isFatal });
    const error = new Error("from the callback");
    const use = watch(pool.use(() => Promise.reject(error)));
    await settled();
    assertStrictEquals(use.error, error);
    assertEquals(factory.log, ["create 1", "destroy 1"]);
  }
});

test("the slot of a resource that use destroyed goes to the next waiter", async () => {
  const { pool } = fixture();
  const failing = watch(pool.use(() => Promise.reject(new Error("no"))));
  const next = watch(pool.use((resource) => resource.id));
  await settled();
  assertEquals(failing.settled, true);
  assertEquals(next.value, 2);
});

test("a callback of use may release or destroy its lease early", async () => {
  const f = fixture();
  assertEquals(
    await f.pool.use((_, lease) => {
      lease.release();
      assertCounts(f.pool, { idle: 1 });
      return 1;
    }),
    1,
  );
  await f.pool.use((_, lease) => lease.destroy());
  assertEquals(f.factory.log, ["create 1", "destroy 1"]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("a resource released early by its use is not destroyed by a later throw", async () => {
  const { pool, factory } = fixture();
  const use = watch(pool.use((_, lease) => {
    lease.release();
    throw new Error("after the release");
  }));
  await settled();
  assertInstanceOf(use.error, Error);
  assertEquals(factory.log, ["create 1"]);
  assertCounts(pool, { idle: 1 });
});

test("the lease of use is spent once use has ended", async () => {
  const { pool } = fixture();
  let kept: Lease<Resource> | undefined;
  await pool.use((_, lease) => void (kept = lease));
  using _next = await pool.acquire();
  kept!.release();
  kept!.destroy();
  assertCounts(pool, { used: 1 });
});

test("use waits, times out and aborts as acquire does, without calling back", async () => {
  const { pool, clock } = fixture();
  using _held = await pool.acquire();
  let calls = 0;
  const count = () => void calls++;
  const controller = new AbortController();
  const timed = watch(pool.use(count, { timeout: 100 }));
  const aborted = watch(pool.use(count, { signal: controller.signal }));
  const standard = watch(pool.use(count));
  controller.abort("enough");
  await clock.advance(30_000);
  assertInstanceOf(timed.error, AcquireTimeoutError);
  assertEquals(aborted.error, "enough");
  assertInstanceOf(standard.error, AcquireTimeoutError);
  assertEquals(calls, 0);
});

test("use with an affinity runs on the stripe of that affinity", async () => {
  const { pool } = fixture({ max: 2, stripes: 2 });
  await pool.use(() => {
    assertEquals(pool.stats().stripes.map(({ used }) => used), [0, 1]);
  }, { affinity: 1 });
});

test("use rejects what is no function and touches nothing", async () => {
  const { pool, factory } = fixture();
  for (const wrong of [undefined, null, 1, "fn", {}] as Wrong[]) {
    const error = await assertRejects(() => pool.use(wrong), TypeError, "'fn'");
    assertEquals(error.message.includes("must be a function"), true);
  }
  await assertRejects(() => pool.use(() => {}, null as Wrong), TypeError);
  assertEquals(factory.log, []);
});

test("use awaits a thenable that its callback returns", async () => {
  const { pool } = fixture();
  const thenable: PromiseLike<number> = {
    then: (resolve) => Promise.resolve(5).then(resolve),
  };
  assertEquals(await pool.use(() => thenable), 5);
});

test("use rejects as closed when an aborted close takes its resource back first", async () => {
  const { pool } = fixture();
  await fill(pool, 1);
  let called = false;
  const outcome = watch(pool.use(() => void (called = true)));
  await pool.close({ signal: AbortSignal.abort() });
  await settled();
  assertInstanceOf(outcome.error, PoolClosedError);
  assertEquals(called, false);
});

/** A promise that rejects, and whether somebody handles that. */
function rejection(): { promise: Promise<never>; isHandled: () => boolean } {
  const promise = Promise.reject(new Error("by isFatal"));
  promise.catch(() => {});
  let isHandled = false;
  const then = promise.then.bind(promise);
  promise.then = (fulfilled, rejected) => {
    isHandled ||= typeof rejected === "function";
    const next = then(fulfilled, rejected);
    next.catch(() => {});
    return next;
  };
  return { promise, isHandled: () => isHandled };
}

test("an isFatal that answers with a promise counts as yes, and its rejection is handled", async () => {
  const { promise, isHandled } = rejection();
  const answers = [promise, Promise.resolve(false)];
  for (const answer of answers) {
    const f = fixture({ isFatal: (() => answer) as () => never });
    const use = watch(f.pool.use(() => Promise.reject("thrown")));
    await settled();
    assertEquals(use.error, "thrown");
    assertEquals(f.factory.log, ["create 1", "destroy 1"]);
    await assertClosesClean(f);
  }
  assertEquals(isHandled(), true);
});

test("isFatal is not asked about a refusal of its own closed pool", async () => {
  const asked: unknown[] = [];
  const isFatal = (error: unknown) => asked.push(error) > 0;
  const f = fixture({ max: 2, isFatal });
  const closing = watch(f.pool.use(async () => {
    watch(f.pool.close());
    await f.pool.acquire();
  }));
  await settled();
  assertInstanceOf(closing.error, PoolClosedError);
  const refused = watch(f.pool.use(() => {}));
  await settled();
  assertInstanceOf(refused.error, PoolClosedError);
  assertEquals(asked, []);
  await assertClosesClean(f);
});

test("isFatal is not asked about a lease that an aborted close took back", async () => {
  const asked: unknown[] = [];
  const isFatal = (error: unknown) => asked.push(error) > 0;
  const f = fixture({ max: 2, isFatal });
  const inside = watch(f.pool.use(async (_, lease) => {
    await f.pool.close({ signal: AbortSignal.abort() });
    return lease.value;
  }));
  await settled();
  assertInstanceOf(inside.error, PoolClosedError);
  const g = fixture({ isFatal });
  await fill(g.pool, 1);
  const before = watch(g.pool.use(() => {}));
  watch(g.pool.close({ signal: AbortSignal.abort() }));
  await settled();
  assertInstanceOf(before.error, PoolClosedError);
  assertEquals(asked, []);
  await assertClosesClean(f);
  await assertClosesClean(g);
});

test("isFatal is asked about a refusal of another pool", async () => {
  const asked: unknown[] = [];
  const f = fixture({ isFatal: (error) => asked.push(error) === 0 });
  const other = fixture();
  await other.pool.close();
  const use = watch(f.pool.use(() => other.pool.acquire()));
  await settled();
  assertInstanceOf(use.error, PoolClosedError);
  assertEquals(asked, [use.error]);
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});
