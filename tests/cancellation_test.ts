import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { Pool, PoolClosedError } from "../mod.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  fixture,
  leaseOf,
  type Outcome,
  settled,
  SpySignal,
  validated,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

test("an already aborted signal rejects with its reason and touches nothing", async () => {
  const f = fixture();
  const spy = new SpySignal();
  spy.abort("gone");
  const outcome = watch(f.pool.acquire({ signal: spy.signal }));
  await settled();
  assertEquals(outcome, { settled: true, error: "gone" });
  assertEquals(f.factory.log, []);
  assertEquals([spy.added, f.clock.timers], [0, 0]);
  assertCounts(f.pool, {});
  await assertClosesClean(f);
});

test("an already aborted signal leaves an idle resource alone", async () => {
  const { pool, clock } = validated({ idleTimeout: 1_000 });
  await fill(pool, 1);
  clock.jump(5_000);
  const before = pool.stats();
  const signal = AbortSignal.abort();
  const outcome = watch(pool.acquire({ signal, timeout: 0 }));
  await settled();
  assertStrictEquals(outcome.error, signal.reason);
  assertEquals(pool.stats(), before);
});

test("an abort rejects a waiter with the signal's own reason", async () => {
  for (const reason of [new Error("mine"), "text", null, 0]) {
    const { pool } = fixture();
    using _held = await pool.acquire();
    const controller = new AbortController();
    const waiter = watch(pool.acquire({ signal: controller.signal }));
    controller.abort(reason);
    await settled();
    assertEquals(waiter.settled, true);
    assertStrictEquals(waiter.error, reason);
    assertCounts(pool, { used: 1 });
  }
});

test("an abort without a reason rejects with an AbortError", async () => {
  const { pool } = fixture();
  using _held = await pool.acquire();
  const controller = new AbortController();
  const waiter = watch(pool.acquire({ signal: controller.signal }));
  controller.abort();
  await settled();
  assertStrictEquals(waiter.error, controller.signal.reason);
  assertEquals((waiter.error as DOMException).name, "AbortError");
});

test("a cancelled waiter leaves the line at once and the others keep theirs", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const controller = new AbortController();
  const first = watch(pool.acquire());
  const second = watch(pool.acquire({ signal: controller.signal }));
  const third = watch(pool.acquire());
  controller.abort("no");
  assertCounts(pool, { used: 1, pending: 2 });
  held.release();
  await settled();
  leaseOf(first).release();
  await settled();
  assertEquals(leaseOf(third).value, { id: 1 });
  assertEquals(second.error, "no");
});

test("cancelling the acquire that started a create does not cancel the create", async () => {
  const f = fixture();
  f.factory.manual.add("create");
  const controller = new AbortController();
  const first = watch(f.pool.acquire({ signal: controller.signal }));
  const second = watch(f.pool.acquire());
  await settled();
  controller.abort("left");
  assertEquals(f.factory.creates[0]!.signal!.aborted, false);
  f.factory.finishCreate();
  await settled();
  assertEquals(first.error, "left");
  assertEquals(leaseOf(second).value, { id: 1 });
  leaseOf(second).release();
  await assertClosesClean(f);
});

test("an abort after the hand-over and before the await changes nothing", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = new SpySignal();
  const waiter = watch(f.pool.acquire({ signal: spy.signal }));
  held.release();
  spy.abort("too late");
  await settled();
  assertEquals(leaseOf(waiter).value, { id: 1 });
  assertCounts(f.pool, { used: 1 });
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("an abort before the release passes the resource to the next in line", async () => {
  const { pool } = fixture();
  const held = await pool.acquire();
  const controller = new AbortController();
  const first = watch(pool.acquire({ signal: controller.signal }));
  const second = watch(pool.acquire());
  controller.abort("first");
  held.release();
  await settled();
  assertEquals(first.error, "first");
  assertEquals(leaseOf(second).value, { id: 1 });
});

test("an abort after the lease is held does not end the lease", async () => {
  const { pool } = fixture();
  const controller = new AbortController();
  using lease = await pool.acquire({ signal: controller.signal });
  controller.abort();
  assertEquals(lease.value, { id: 1 });
  assertCounts(pool, { used: 1 });
});

test("an acquire that is served at once adds no listener", async () => {
  const { pool } = fixture();
  await fill(pool, 1);
  const spy = new SpySignal();
  using _lease = await pool.acquire({ signal: spy.signal });
  assertEquals(spy.added, 0);
});

test("the waiters of one signal share one listener, removed with the last", async () => {
  const { pool } = fixture();
  const spy = new SpySignal();
  const held = await pool.acquire();
  const waiters = [1, 2, 3].map(() =>
    watch(pool.acquire({ signal: spy.signal }))
  );
  assertEquals(spy.listeners, 1);
  held.release();
  for (const [i, waiter] of waiters.entries()) {
    await settled();
    assertEquals(spy.listeners, i < 2 ? 1 : 0);
    leaseOf(waiter).release();
  }
  assertEquals([spy.added, spy.listeners], [1, 0]);
});

test("a signal is listened to again by the next waiter it has", async () => {
  const { pool } = fixture();
  const spy = new SpySignal();
  const held = await pool.acquire();
  const first = watch(pool.acquire({ signal: spy.signal }));
  held.release();
  await settled();
  const second = watch(pool.acquire({ signal: spy.signal }));
  assertEquals([spy.added, spy.listeners], [2, 1]);
  spy.abort("now");
  await settled();
  assertEquals(leaseOf(first).value, { id: 1 });
  assertEquals(second.error, "now");
  assertEquals(spy.listeners, 0);
});

test("an abort cancels the waiters of its signal that are left, and only those", async () => {
  const { pool } = fixture();
  const { signal, controller } = new SpySignal();
  const held = await pool.acquire();
  const served = watch(pool.acquire({ signal }));
  const left = [
    watch(pool.acquire({ signal })),
    watch(pool.acquire({ signal })),
  ];
  const other = watch(pool.acquire());
  held.release();
  controller.abort("rest");
  await settled();
  assertEquals(left.map(({ error }) => error), ["rest", "rest"]);
  assertEquals(other.settled, false);
  leaseOf(served).release();
  await settled();
  assertEquals(leaseOf(other).value, { id: 1 });
});

test("thousands of waiters of one signal are cancelled at once, the others not", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = new SpySignal();
  const cancelled = [];
  const kept = [];
  for (let i = 0; i < 5_000; i++) {
    cancelled.push(watch(f.pool.acquire({ signal: spy.signal })));
    if (i % 1_000 === 0) kept.push(watch(f.pool.use(({ id }) => id)));
  }
  assertEquals(spy.added, 1);
  spy.abort("all");
  assertCounts(f.pool, { used: 1, pending: 5 });
  await settled();
  assertEquals(cancelled.every(({ error }) => error === "all"), true);
  assertEquals(spy.listeners, 0);
  held.release();
  await settled();
  assertEquals(kept.map(({ value }) => value), [1, 1, 1, 1, 1]);
  await assertClosesClean(f);
});

test("thousands of waiters with a signal each are cancelled one by one", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const controllers = Array.from({ length: 5_000 }, () => {
    return new AbortController();
  });
  const waiters = controllers.map(({ signal }) =>
    watch(f.pool.acquire({ signal }))
  );
  for (const [i, controller] of controllers.entries()) {
    if (i % 2 === 1) controller.abort(i);
  }
  await settled();
  assertEquals(f.pool.stats().pending, 2_500);
  assertEquals(waiters[1]!.error, 1);
  assertEquals(waiters.filter((waiter) => waiter.settled).length, 2_500);
  const closed = f.pool.close();
  held.release();
  await closed;
  await settled();
  assertEquals(waiters.every((waiter) => waiter.settled), true);
  await assertClosesClean(f);
});

test("a waiter can be cancelled while its resource is validated", async () => {
  const f = validated();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const spy = new SpySignal();
  const taker = watch(f.pool.acquire({ signal: spy.signal }));
  assertCounts(f.pool, { used: 1, pending: 1 });
  spy.abort("meanwhile");
  await settled();
  assertEquals(taker.error, "meanwhile");
  assertEquals(spy.listeners, 0);
  f.factory.validations.shift()!.resolve(true);
  await settled();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a synchronous create that aborts its caller's signal loses nothing", async () => {
  const controller = new AbortController();
  await using pool = new Pool({
    create: () => {
      controller.abort("by create");
      return "resource";
    },
    max: 1,
  });
  const outcome = watch(pool.acquire({ signal: controller.signal }));
  await settled();
  assertEquals(outcome.settled, true);
  outcome.value?.release();
  assertCounts(pool, { idle: 1 });
});

test("an asynchronous create that aborts its caller's signal loses nothing", async () => {
  const controller = new AbortController();
  await using pool = new Pool({
    create: async () => {
      controller.abort("by create");
      await undefined;
      return "resource";
    },
    max: 1,
  });
  const outcome = watch(pool.acquire({ signal: controller.signal }));
  await settled();
  assertEquals(outcome.error, "by create");
  assertCounts(pool, { idle: 1 });
});

test("a listener of the signal that acquires again on abort is served", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const controller = new AbortController();
  const first = watch(f.pool.acquire({ signal: controller.signal }));
  const again = Promise.withResolvers<number>();
  controller.signal.addEventListener("abort", () => {
    f.pool.use(({ id }) => id).then(again.resolve, again.reject);
  });
  controller.abort("first");
  held.release();
  assertEquals(await again.promise, 1);
  assertEquals(first.error, "first");
  await assertClosesClean(f);
});

test("a signal that refuses a listener rejects its acquire and loses nothing", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const signal = Object.assign(new EventTarget(), {
    aborted: false,
    addEventListener: () => {
      throw new Error("no listener");
    },
  }) as unknown as AbortSignal;
  const refused = watch(f.pool.acquire({ signal }));
  const next = watch(f.pool.acquire());
  held.release();
  await settled();
  assertInstanceOf(refused.error, Error);
  assertEquals(refused.error.message, "no listener");
  leaseOf(next).release();
  await assertClosesClean(f);
});

test("a signal that keeps its listener does not keep the resource", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const signal = Object.assign(new EventTarget(), {
    aborted: false,
    removeEventListener: () => {
      throw new Error("it stays");
    },
  }) as unknown as AbortSignal;
  const waiter = watch(f.pool.acquire({ signal }));
  held.release();
  await settled();
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

/** A signal that calls its listeners without saying what has aborted. */
class MuteSignal {
  aborted = false;
  readonly reason = "enough";
  heard: () => void = () => {};

  addEventListener(_: string, heard: () => void): void {
    this.heard = heard;
  }

  removeEventListener(): void {}

  get signal(): AbortSignal {
    return this as unknown as AbortSignal;
  }
}

test("a signal that does not say what aborted is heard all the same", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const other = watch(f.pool.acquire({ signal: new AbortController().signal }));
  const mute = new MuteSignal();
  const waiter = watch(f.pool.acquire({ signal: mute.signal }));
  mute.aborted = true;
  mute.heard();
  await settled();
  assertEquals(waiter.error, "enough");
  held.release();
  await settled();
  leaseOf(other).release();
  await assertClosesClean(f);
});

test("a waiter served while another is cancelled keeps its resource", async () => {
  const mutes = [new MuteSignal(), new MuteSignal()] as const;
  const f = fixture({ observer: { acquireFailed: () => held.release() } });
  const held = await f.pool.acquire();
  const [first, second] = mutes.map(({ signal }) =>
    watch(f.pool.acquire({ signal }))
  );
  for (const mute of mutes) mute.aborted = true;
  mutes[0].heard();
  await settled();
  assertEquals(first!.error, "enough");
  leaseOf(second!).release();
  await assertClosesClean(f);
});

/** A signal whose `addEventListener` does more than that. */
function eager(also: () => void): SpySignal {
  const spy = new SpySignal();
  const add = spy.signal.addEventListener.bind(spy.signal);
  spy.signal.addEventListener = (...args: Parameters<typeof add>) => {
    add(...args);
    also();
  };
  return spy;
}

test("a signal that serves its waiter while it takes the listener leaves nothing", async () => {
  for (const timeout of [30, Infinity]) {
    const f = fixture({ idleTimeout: Infinity });
    const held = await f.pool.acquire();
    const spy = eager(() => held.release());
    const waiter = watch(f.pool.acquire({ signal: spy.signal, timeout }));
    await settled();
    leaseOf(waiter).release();
    await settled();
    assertEquals([spy.listeners, f.clock.referenced], [0, 0]);
    await f.clock.advance(1_000);
    await assertClosesClean(f);
    assertEquals(spy.listeners, 0);
  }
});

test("a signal that aborts while it takes the listener rejects with its reason", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = eager(() => spy.abort("at once"));
  const waiter = watch(f.pool.acquire({ signal: spy.signal }));
  await settled();
  assertEquals([waiter.error, spy.listeners], ["at once", 0]);
  assertCounts(f.pool, { used: 1 });
  held.release();
  await assertClosesClean(f);
});

test("a signal that aborts unheard while it takes the listener rejects with its reason", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const mute = new MuteSignal();
  mute.addEventListener = () => void (mute.aborted = true);
  const waiter = watch(f.pool.acquire({ signal: mute.signal }));
  await settled();
  assertEquals(waiter.error, "enough");
  held.release();
  await assertClosesClean(f);
});

test("one that is served before it waits leaves its signal to others", async () => {
  const spy = new SpySignal();
  const { signal } = spy;
  const inner: Outcome<unknown>[] = [];
  const f = fixture({
    max: 2,
    stripes: 2,
    isolated: true,
    create: (context) =>
      context.stripe === 0 ? f.factory.create(context) : { id: 0 },
    observer: {
      created: ({ stripe }) => {
        if (stripe > 0) return;
        inner.push(watch(f.pool.acquire({ affinity: 1, signal })));
      },
    },
  });
  f.factory.manual.add("create");
  watch(f.pool.acquire({ affinity: 0 }));
  const waiter = watch(f.pool.acquire({ affinity: 0, signal }));
  await settled();
  f.factory.finishCreate();
  await settled();
  assertEquals(inner.map(({ settled }) => settled), [true]);
  spy.abort("enough");
  await settled();
  assertEquals([waiter.error, spy.listeners], ["enough", 0]);
});

test("an abort reaches all waiters of a signal that acquires while it takes the listener", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const inner: Outcome<unknown>[] = [];
  const spy = eager(() => {
    if (inner.length > 0) return;
    inner.push({ settled: false });
    inner[0] = watch(f.pool.acquire({ signal: spy.signal }));
  });
  const outer = watch(f.pool.acquire({ signal: spy.signal }));
  await settled();
  assertCounts(f.pool, { used: 1, pending: 2 });
  spy.abort("both");
  await settled();
  assertEquals([outer.error, inner[0]!.error], ["both", "both"]);
  assertEquals(spy.listeners, 0);
  held.release();
  await assertClosesClean(f);
});

test("a signal that closes the pool while it takes the listener leaves nothing", async () => {
  for (const aborts of [false, true]) {
    const f = fixture();
    const held = await f.pool.acquire();
    let closed: Outcome<void> | undefined;
    const spy = eager(() => {
      const options = aborts ? { signal: AbortSignal.abort() } : {};
      closed ??= watch(f.pool.close(options));
    });
    const waiter = watch(f.pool.acquire({ signal: spy.signal }));
    await settled();
    assertInstanceOf(waiter.error, PoolClosedError);
    held.release();
    await settled();
    assertEquals([closed!.settled, spy.listeners], [true, 0]);
    await assertClosesClean(f);
  }
});

test("a signal that refuses a listener after it served the waiter takes nothing away", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const signal = Object.assign(new EventTarget(), {
    aborted: false,
    addEventListener: () => {
      held.release();
      throw new Error("no listener");
    },
  }) as unknown as AbortSignal;
  const waiter = watch(f.pool.acquire({ signal }));
  await settled();
  leaseOf(waiter).release();
  assertCounts(f.pool, { idle: 1 });
  await assertClosesClean(f);
});

test("a signal that acquires while it gives the listener back is heard again", async () => {
  const f = fixture();
  const held = await f.pool.acquire();
  const spy = new SpySignal();
  const remove = spy.signal.removeEventListener.bind(spy.signal);
  let again: Outcome<unknown> | undefined;
  spy.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    remove(...args);
    again ??= watch(f.pool.acquire({ signal: spy.signal }));
  };
  const waiter = watch(f.pool.acquire({ signal: spy.signal }));
  held.release();
  await settled();
  assertEquals([again!.settled, spy.listeners], [false, 1]);
  spy.abort("heard");
  await settled();
  assertEquals([again!.error, spy.listeners], ["heard", 0]);
  leaseOf(waiter).release();
  await assertClosesClean(f);
});

test("an abort event on a signal that has not aborted cancels nobody", async () => {
  const f = validated({ max: 2 });
  const held = await f.pool.acquire();
  await fill(f.pool, 1);
  f.factory.manual.add("validate");
  const spy = new SpySignal();
  const mute = new MuteSignal();
  const waiters = [spy, spy, mute].map(({ signal }) =>
    watch(f.pool.acquire({ signal }))
  );
  await settled();
  spy.signal.dispatchEvent(new Event("abort"));
  mute.heard();
  await settled();
  assertEquals(waiters.map(({ settled }) => settled), [false, false, false]);
  spy.abort("now");
  mute.aborted = true;
  mute.heard();
  await settled();
  assertEquals(waiters.map(({ error }) => error), ["now", "now", "enough"]);
  assertEquals(spy.listeners, 0);
  f.factory.validations.shift()!.resolve(true);
  held.release();
  await settled();
  await assertClosesClean(f);
});

test("an abort looks at its own signal, not at those of all others", async () => {
  let reads = 0;
  class CountingSignal extends MuteSignal {
    hasAborted = false;
    constructor() {
      super();
      Object.defineProperty(this, "aborted", {
        get: () => (reads++, this.hasAborted),
      });
    }
  }
  const f = fixture();
  const held = await f.pool.acquire();
  const mutes = Array.from({ length: 300 }, () => new CountingSignal());
  const waiters = mutes.map(({ signal }) => watch(f.pool.acquire({ signal })));
  await settled();
  for (const mute of mutes) {
    mute.hasAborted = true;
    mute.heard();
  }
  await settled();
  assertEquals(waiters.every(({ error }) => error === "enough"), true);
  assertEquals(reads <= 20 * mutes.length, true, `${reads} reads`);
  held.release();
  await assertClosesClean(f);
});
