import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { AcquireTimeoutError, Pool, PoolClosedError } from "../mod.ts";
import type { PoolObserver, PoolOptions } from "../mod.ts";
import { drawing } from "./drawing.ts";
import { FaultyClock } from "./faulty_clock.ts";
import {
  assertClosesClean,
  assertCounts,
  fill,
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const RETRY = { delay: 100, maxDelay: 400 };

/** What makes resources, unless it is down or has no place. */
class Server {
  readonly clock: VirtualClock;
  isUp = true;
  places = Infinity;
  /** How long it takes to answer, and to refuse. */
  took = 0;
  refusing = 0;
  /** When each create began. */
  began: number[] = [];
  open = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  readonly create = async (): Promise<Resource> => {
    this.began.push(this.clock.now());
    // A pool that tries without end is to fail the test, not to hang it.
    if (this.began.length > 1_000) await new Promise(() => {});
    if (!this.isUp || this.open >= this.places) {
      if (this.refusing > 0) await this.#pass(this.refusing);
      throw new Error("ECONNREFUSED");
    }
    this.open++;
    if (this.took > 0) await this.#pass(this.took);
    return { id: this.began.length };
  };

  readonly destroy = (): void => {
    this.open--;
  };

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }
}

function served(
  options: Partial<PoolOptions<Resource>> = {},
): { clock: VirtualClock; server: Server; pool: Pool<Resource> } {
  const clock = new VirtualClock();
  const server = new Server(clock);
  const { create, destroy } = server;
  const pool = new Pool({
    create,
    destroy,
    max: 1,
    clock,
    growth: "eager",
    createRetry: RETRY,
    ...options,
  });
  return { clock, server, pool };
}

/** As `served`, once a create has succeeded; nothing is left of it. */
async function proven(
  options: Partial<PoolOptions<Resource>> = {},
): Promise<ReturnType<typeof served>> {
  const it = served(options);
  await fill(it.pool, 1);
  it.pool.clear();
  await settled();
  it.server.began = [];
  return it;
}

/** Notes the events of outages, with those they come after. */
function noting(): { events: unknown[]; observer: PoolObserver<unknown> } {
  const events: unknown[] = [];
  const observer: PoolObserver<unknown> = {
    created: () => events.push("created"),
    createFailed: () => events.push("createFailed"),
    outageBegan: (event) => events.push(["began", event]),
    outageEnded: (event) => events.push(["ended", event]),
  };
  return { events, observer };
}

/** A pool whose creates the test settles, as long as they are retried. */
function retried(options: Partial<PoolOptions<Resource>> = {}): Fixture {
  const it = fixture({ createRetry: RETRY, ...options });
  it.factory.manual.add("create");
  return it;
}

test("in an outage one create is tried per delay, which doubles to maxDelay", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven({ max: 5 });
  server.isUp = false;
  const waiters = [1, 2, 3].map(() => watch(pool.acquire()));
  await clock.advance(1_500);
  // The three that fail together count once.
  assertEquals(server.began, [0, 0, 0, 100, 300, 700, 1_100, 1_500]);
  server.isUp = true;
  await clock.advance(400);
  assertEquals(waiters.map(leaseOf).length, 3);
});

test("the delay counts from the failure, and each draws its jitter", async () => {
  using _ = drawing(0);
  const { clock, server, pool } = await proven();
  server.isUp = false;
  server.refusing = 10;
  watch(pool.acquire());
  await clock.advance(1_000);
  assertEquals(server.began, [0, 85, 245, 555, 865]);
});

test("by default a create is tried after 100 ms, and every 2 s at last", async () => {
  using _ = drawing(1);
  for (const createRetry of [undefined, {}, { delay: undefined }]) {
    const { clock, server, pool } = await proven({ createRetry });
    server.isUp = false;
    watch(pool.acquire());
    await clock.advance(7_100);
    assertEquals(server.began, [0, 100, 300, 700, 1_500, 3_100, 5_100, 7_100]);
  }
});

test("one who joins in an outage is owed a create, however short the uses", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = served({ max: 3, growth: "measured" });
  server.took = 100;
  const made = watch(pool.acquire());
  await clock.advance(100);
  await clock.advance(20);
  leaseOf(made).release();
  pool.tryAcquire();
  server.isUp = false;
  const first = watch(pool.acquire());
  await clock.advance(100);
  server.began = [];
  await clock.advance(90);
  server.isUp = true;
  server.took = 1;
  const second = watch(pool.acquire());
  await clock.advance(11);
  // The second does not wait for the usual time of a create.
  assertEquals(server.began, [320, 321]);
  await clock.advance(1);
  assertEquals([first, second].map(leaseOf).length, 2);
});

test("a delay above the default maxDelay is the longest itself", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven({
    createRetry: { delay: 5_000 },
  });
  server.isUp = false;
  watch(pool.acquire());
  await clock.advance(14_000);
  assertEquals(server.began, [0, 5_000, 10_000]);
});

test("a create that fails after a younger one succeeded begins no outage", async () => {
  const { events, observer } = noting();
  const { pool, factory } = retried({ max: 3, observer });
  const [first, second] = [watch(pool.acquire()), watch(pool.acquire())];
  await settled();
  const older = factory.creates.shift()!;
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(first).value.id, 2);
  older.reject("refused");
  await settled();
  assertEquals(events, ["created", "createFailed"]);
  assertEquals(factory.creates.length, 1, "the next begins at once");
  factory.finishCreate();
  await settled();
  assertEquals(leaseOf(second).value.id, 3);
});

test("a server that is back gets no burst: each success allows twice as many", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven({ max: 20 });
  server.isUp = false;
  const waiters = Array.from({ length: 20 }, () => watch(pool.acquire()));
  await clock.advance(50);
  server.isUp = true;
  server.took = 10;
  server.began = [];
  await clock.advance(150);
  const at = (time: number) =>
    server.began.filter((began) => began === time).length;
  assertEquals([100, 110, 120].map(at), [1, 2, 8]);
  assertEquals(waiters.filter(({ settled }) => settled).length, 20);
  // The allowance has left them behind.
  assertEquals(at(130), 9);
});

test("a failure after the outage has one create at a time tried again", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven({ max: 20 });
  server.isUp = false;
  Array.from({ length: 20 }, () => watch(pool.acquire()));
  await clock.advance(50);
  server.isUp = true;
  server.took = 10;
  server.began = [];
  await clock.advance(65);
  server.isUp = false;
  await clock.advance(300);
  // Two succeed at 120; those that begin then fail, together.
  assertEquals([...new Set(server.began)], [100, 110, 120, 220]);
  assertEquals(server.began.at(-2), 120);
});

test("once a create has succeeded, an outage rejects nobody who has patience", async () => {
  const { clock, server, pool } = await proven({ max: 2 });
  server.isUp = false;
  const waiters = [1, 2].map(() => watch(pool.acquire({ timeout: 60_000 })));
  await clock.advance(50_000);
  assertEquals(waiters.some(({ settled }) => settled), false);
  assertCounts(pool, { pending: 2 });
  server.isUp = true;
  await clock.advance(1_000);
  assertEquals(waiters.map(leaseOf).length, 2);
});

test("who times out in an outage learns what create failed with", async () => {
  const { clock, server, pool } = await proven();
  server.isUp = false;
  const outcome = watch(pool.acquire({ timeout: 250 }));
  await clock.advance(250);
  assertInstanceOf(outcome.error, AcquireTimeoutError);
  assertEquals((outcome.error.cause as Error).message, "ECONNREFUSED");
  const now = watch(pool.acquire({ timeout: 0 }));
  await settled();
  assertEquals(
    ((now.error as AcquireTimeoutError).cause as Error).message,
    "ECONNREFUSED",
  );
});

test("who times out after an outage is told no cause of it", async () => {
  const { clock, server, pool } = await proven();
  server.isUp = false;
  const patient = watch(pool.acquire());
  await clock.advance(50);
  server.isUp = true;
  await clock.advance(100);
  leaseOf(patient);
  const outcome = watch(pool.acquire({ timeout: 10 }));
  await clock.advance(10);
  assertInstanceOf(outcome.error, AcquireTimeoutError);
  assertEquals("cause" in outcome.error, false);
});

test("before the first success a failure rejects all who came before it", async () => {
  const { clock, pool, factory } = retried({ max: 1 });
  const before = [1, 2, 3].map(() => watch(pool.acquire()));
  await settled();
  factory.failCreate("wrong password");
  await settled();
  assertEquals(
    before.map(({ error }) => error),
    Array(3).fill("wrong password"),
  );
  const after = watch(pool.acquire());
  await clock.advance(74);
  assertEquals([after.settled, factory.creates.length], [false, 0]);
  await clock.advance(26);
  assertEquals(factory.creates.length, 1);
  factory.finishCreate();
  await settled();
  leaseOf(after);
});

test("a first failure waits for the creates that began before it", async () => {
  const { pool, factory } = retried({ max: 3 });
  const waiters = [1, 2, 3].map(() => watch(pool.acquire()));
  await settled();
  factory.failCreate("first");
  factory.failCreate("second");
  await settled();
  assertEquals(waiters.some(({ settled }) => settled), false);
  factory.failCreate("third");
  await settled();
  assertEquals(waiters.every(({ settled }) => settled), true);
});

test("a first failure rejects nobody if one of those in flight succeeds", async () => {
  using _ = drawing(1);
  const { clock, pool, factory } = retried({ max: 3 });
  const waiters = [1, 2, 3].map(() => watch(pool.acquire()));
  await settled();
  factory.failCreate("refused");
  factory.failCreate("refused");
  factory.finishCreate();
  await clock.advance(99);
  assertEquals(waiters.map(({ settled }) => settled), [true, false, false]);
  assertEquals(leaseOf(waiters[0]!).value.id, 3);
  assertEquals(factory.creates.length, 0);
  await clock.advance(1);
  factory.finishCreate();
  await settled();
  leaseOf(waiters[1]!);
});

test("after a failure a create still in flight is the one that is tried", async () => {
  using _ = drawing(1);
  const { clock, pool, factory } = retried({ max: 3 });
  [1, 2].map(() => watch(pool.acquire()));
  await settled();
  factory.failCreate("refused");
  await settled();
  watch(pool.acquire());
  await clock.advance(500);
  assertEquals(factory.creates.length, 1, "the older one");
  factory.finishCreate();
  await settled();
  assertEquals(factory.creates.length, 1, "the delay has passed");
});

test("a first failure does not wait for a create that is overdue", async () => {
  using _ = drawing(1);
  const { clock, pool, factory } = retried({ max: 3, growth: "measured" });
  const before = [1, 2].map(() => watch(pool.acquire()));
  await clock.advance(500);
  factory.creates.pop()!.reject("refused");
  await clock.advance(50);
  const after = watch(pool.acquire());
  await clock.advance(449);
  assertEquals(before.some(({ settled }) => settled), false);
  await clock.advance(1);
  assertEquals(before.map(({ error }) => error), ["refused", "refused"]);
  assertEquals(after.settled, false);
});

test("a server that is down from the start is not hammered by those it rejects", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = served({ max: 5 });
  server.isUp = false;
  let rejected = 0;
  for (let i = 0; i < 150; i++) {
    pool.acquire().catch(() => rejected++);
    await clock.advance(10);
  }
  assertEquals(server.began, [0, 100, 300, 700, 1_100, 1_500]);
  assertEquals(rejected, 150);
});

test("without a retry a failure rejects the first who came before its create began", async () => {
  const { pool, factory } = retried({ max: 2, createRetry: false });
  const controller = new AbortController();
  watch(pool.acquire({ signal: controller.signal }));
  await settled();
  controller.abort();
  const [newcomer, next] = [watch(pool.acquire()), watch(pool.acquire())];
  await settled();
  assertEquals(factory.creates.length, 2);
  factory.failCreate("older");
  await settled();
  assertEquals(newcomer.settled, false, "it came after that create began");
  assertEquals(factory.creates.length, 2, "another begins at once");
  factory.failCreate("younger");
  await settled();
  assertEquals([newcomer.error, next.settled], ["younger", false]);
});

test("the observer is told once when an outage begins and when it ends", async () => {
  using _ = drawing(1);
  const { events, observer } = noting();
  const { clock, pool, factory } = retried({ max: 2, stripes: 2, observer });
  const waiters = [watch(pool.acquire())];
  await settled();
  factory.finishCreate();
  await settled();
  waiters.push(watch(pool.acquire()));
  await settled();
  const error = new Error("refused");
  factory.failCreate(error);
  await clock.advance(100);
  factory.failCreate(new Error("refused again"));
  await clock.advance(200);
  factory.finishCreate();
  await settled();
  assertEquals(events, [
    "created",
    ["began", { pool: "pool", stripe: 1, error }],
    ...["createFailed", "createFailed"],
    ["ended", { pool: "pool", stripe: 1, duration: 300 }],
    "created",
  ]);
  for (const waiter of waiters) leaseOf(waiter).release();
  events.length = 0;
  pool.clear();
  watch(pool.acquire());
  await settled();
  factory.finishCreate();
  await settled();
  assertEquals(events, ["created"]);
});

/**
 * What is told where the second create is refused, and so is one that is caused as
 * the third ends that outage.
 */
async function relapse(
  options: (
    cause: () => void,
    events: string[],
  ) => Partial<PoolOptions<object>>,
): Promise<string[]> {
  using _ = drawing(1);
  const events: string[] = [];
  const turns = ["well", "refused", "well"];
  const clock = new VirtualClock();
  const cause = () => {
    if (turns.length === 0) watch(pool.acquire());
  };
  const pool = new Pool<object>({
    max: 3,
    clock,
    growth: "eager",
    createRetry: RETRY,
    create: () => {
      if (turns.shift() === "well") return Promise.resolve({});
      throw new Error("refused");
    },
    ...options(cause, events),
  });
  pool.observe({
    outageBegan: () => events.push("began"),
    outageEnded: () => events.push("ended"),
  });
  await pool.acquire();
  watch(pool.acquire());
  await clock.advance(100);
  await pool.close({ signal: AbortSignal.abort() });
  return events;
}

test("what an observer causes as it hears of a create is told after the end of the outage", async () => {
  const events = await relapse((cause, events) => ({
    observer: {
      created: () => {
        events.push("created");
        cause();
      },
    },
  }));
  assertEquals(events, ["created", "began", "ended", "created", "began"]);
});

test("what follows from a timer that fails as an outage ends is told after its end", async () => {
  using _ = drawing(1);
  const events: string[] = [];
  const clock = new FaultyClock();
  const probe = Promise.withResolvers<object>();
  const turns = [Promise.resolve({}), undefined, probe.promise];
  const pool = new Pool<object>({
    max: 3,
    clock,
    growth: "eager",
    createRetry: RETRY,
    maxLifetime: 1_000,
    destroyTimeout: 60_000,
    destroy: () => new Promise(() => {}),
    observer: {
      destroyed: () => watch(pool.acquire()),
      outageBegan: () => events.push("began"),
      outageEnded: () => events.push("ended"),
    },
    create: () => turns.shift() ?? Promise.reject(new Error("refused")),
  });
  (await pool.acquire()).destroy();
  // Nothing is left whose lifetime a timer is set for.
  await clock.advance(1_100);
  watch(pool.acquire());
  await clock.advance(100);
  clock.refusal = new Error("no timers");
  probe.resolve({});
  await settled();
  assertEquals(events, ["began", "ended", "began"]);
  await pool.close({ signal: AbortSignal.abort() });
});

test("what a judge causes as an outage ends is told after its end", async () => {
  const events = await relapse((cause) => {
    const mustLeave = () => {
      cause();
      return false;
    };
    return { shed: { judge: () => ({ retryAfter: 1, mustLeave }) } };
  });
  assertEquals(events, ["began", "ended", "began"]);
});

test("an overdue create that succeeds does not leave its place to one more probe", async () => {
  using _ = drawing(1);
  const clock = new VirtualClock();
  const creates: PromiseWithResolvers<object>[] = [];
  const pool = new Pool<object>({
    max: 5,
    min: 3,
    clock,
    createRetry: RETRY,
    create: () => {
      const create = Promise.withResolvers<object>();
      creates.push(create);
      return create.promise;
    },
  });
  const waiter = watch(pool.acquire());
  await settled();
  creates[0]!.resolve({});
  await settled();
  creates[1]!.reject(new Error("refused"));
  await clock.advance(250);
  creates[3]!.reject(new Error("refused after a success"));
  await clock.advance(100);
  assertEquals([waiter.settled, creates.length], [true, 5]);
  // What comes of the overdue one is destroyed, and lacks to the minimum.
  pool.clear();
  creates[2]!.resolve({});
  await settled();
  assertEquals(creates.length, 5);
  await pool.close({ signal: AbortSignal.abort() });
});

test("an outage sleeps without demand, and the next acquire tries at once", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven({ idleTimeout: Infinity });
  server.isUp = false;
  watch(pool.acquire({ timeout: 50 }));
  await clock.advance(10_000);
  assertEquals([server.began, clock.timers], [[0], 0]);
  const later = watch(pool.acquire());
  await settled();
  assertEquals(server.began, [0, 10_000]);
  server.isUp = true;
  await clock.advance(199);
  assertEquals(later.settled, false, "the second delay");
  await clock.advance(1);
  leaseOf(later);
});

test("an acquire before the delay has passed waits for the rest of it", async () => {
  using _ = drawing(1);
  const { clock, server, pool } = await proven();
  server.isUp = false;
  watch(pool.acquire({ timeout: 50 }));
  await clock.advance(60);
  server.isUp = true;
  const outcome = watch(pool.acquire());
  await clock.advance(39);
  assertEquals([outcome.settled, server.began.length], [false, 1]);
  await clock.advance(1);
  leaseOf(outcome);
});

test("a resource lost before its create has settled counts as a failed create", async () => {
  using _ = drawing(1);
  const { events, observer } = noting();
  const clock = new VirtualClock();
  const error = new Error("reset by peer");
  const began: number[] = [];
  const pool = new Pool({
    create: ({ lost }) => {
      began.push(clock.now());
      if (began.length < 3) lost(error);
      return began.length;
    },
    max: 1,
    clock,
    observer,
    createRetry: RETRY,
  });
  const first = watch(pool.acquire());
  await clock.advance(50);
  assertStrictEquals(first.error, error);
  assertEquals(events, [
    ["began", { pool: "pool", stripe: 0, error }],
    "created",
  ]);
  const second = watch(pool.acquire());
  await clock.advance(1_000);
  assertStrictEquals(second.error, error);
  const third = watch(pool.acquire());
  await settled();
  assertEquals(third.value?.value, 3);
  assertEquals(began, [0, 100, 1_050]);
});

test("without a retry a resource lost before it is there rejects its waiter", async () => {
  const error = new Error("reset by peer");
  const f = fixture({
    max: 2,
    create: ({ lost }) => {
      lost(error);
      return f.factory.create({ signal: AbortSignal.any([]) });
    },
  });
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  await settled();
  assertEquals(waiters.map((waiter) => waiter.error), [error, error]);
  assertEquals(f.factory.log.length, 6, "one in the place of the first");
  await assertClosesClean(f);
});

for (const growth of ["measured", "eager"] as const) {
  for (const refusing of [0, 25, 90]) {
    test(`a server with fewer places than max is used as far as it goes: ${growth}, refused after ${refusing} ms`, async () => {
      using _ = drawing(1);
      for (const began of [served, proven]) {
        const { clock, server, pool } = await began({ max: 10, growth });
        server.places = 3;
        server.took = 50;
        server.refusing = refusing;
        let done = 0;
        const errors: unknown[] = [];
        const client = async () => {
          for (let use = 0; use < 5; use++) {
            await pool.use(() =>
              new Promise<void>((resolve) => clock.setTimeout(resolve, 20))
            );
            done++;
          }
        };
        for (let i = 0; i < 30; i++) client().catch((e) => errors.push(e));
        await clock.advance(200);
        assertEquals(pool.stats().used, 3);
        await clock.advance(1_300);
        assertEquals([done, errors], [150, []]);
        // Ten at once, perhaps those refused again, then one per delay.
        assertEquals(server.began.length < 24, true);
      }
    });
  }
}

test("a create that is lost and hangs is tried again after the delay", async () => {
  using _ = drawing(1);
  const { clock, pool, losses } = losing();
  const waiter = watch(pool.acquire());
  await settled();
  losses[0]!(new Error("reset by peer"));
  await clock.advance(99);
  assertEquals([losses.length, waiter.settled], [1, false]);
  await clock.advance(1);
  assertEquals([losses.length, waiter.settled], [2, false]);
});

test("a create that is lost rejects with what it then fails with", async () => {
  const { factory, pool, losses } = losing();
  const waiter = watch(pool.acquire());
  await settled();
  losses[0]!(new Error("reset by peer"));
  await settled();
  const error = new Error("wrong password");
  factory.failCreate(error);
  await settled();
  assertStrictEquals(waiter.error, error);
});

/** As `retried`, and the test says which create is lost. */
function losing(): Fixture & { losses: ((error: unknown) => void)[] } {
  const losses: ((error: unknown) => void)[] = [];
  const f = retried({
    max: 2,
    create: (context) => {
      losses.push(context.lost);
      return f.factory.create(context);
    },
  });
  return { ...f, losses };
}

test("a close in an outage ends it at once and in silence", async () => {
  const { events, observer } = noting();
  const f = retried({ max: 2, observer });
  const waiters = [1, 2].map(() => watch(f.pool.acquire()));
  await settled();
  f.factory.failCreate("refused");
  await settled();
  const { signal } = f.factory.creates[0]!;
  signal!.addEventListener("abort", () => f.factory.failCreate("aborted"));
  events.length = 0;
  await assertClosesClean(f);
  assertEquals(events, ["createFailed"]);
  for (const { error } of waiters) assertInstanceOf(error, PoolClosedError);
});

test("a create that a close breaks off begins no outage", async () => {
  const { events, observer } = noting();
  const f = retried({ max: 1, observer });
  const waiter = watch(f.pool.acquire());
  await settled();
  const { signal } = f.factory.creates[0]!;
  signal!.addEventListener("abort", () => f.factory.failCreate("aborted"));
  await assertClosesClean(f);
  assertEquals(events, ["createFailed"]);
  assertInstanceOf(waiter.error, PoolClosedError);
  assertInstanceOf(signal!.reason, PoolClosedError);
});

test("isolated stripes have an outage each", async () => {
  using _ = drawing(1);
  const { events, observer } = noting();
  const clock = new VirtualClock();
  const began: [number, number][] = [];
  const pool = new Pool({
    create: ({ stripe }) => {
      began.push([stripe, clock.now()]);
      if (stripe === 0) throw new Error("refused");
      return stripe;
    },
    max: 4,
    stripes: 2,
    isolated: true,
    clock,
    observer,
    growth: "eager",
    createRetry: RETRY,
  });
  const failed = watch(pool.acquire({ affinity: 0 }));
  await settled();
  assertInstanceOf(failed.error, Error);
  const [waiting, first, second] = [0, 1, 1].map((affinity) =>
    watch(pool.acquire({ affinity }))
  );
  await settled();
  assertEquals([waiting, first, second].map((it) => it!.settled), [
    false,
    true,
    true,
  ]);
  assertEquals(began, [[0, 0], [1, 0], [1, 0]]);
  assertEquals(events.filter((event) => typeof event !== "string").length, 1);
});

test("without timers that fire, a create is tried when something happens", async () => {
  let now = 0;
  let isUp = false;
  let creates = 0;
  const clock = { now: () => now, setTimeout: () => 0, clearTimeout() {} };
  const pool = new Pool({
    create: () => {
      creates++;
      if (!isUp) throw new Error("refused");
      return creates;
    },
    max: 2,
    clock,
    createRetry: RETRY,
  });
  watch(pool.acquire());
  await settled();
  const first = watch(pool.acquire());
  now = 1_000;
  await settled();
  assertEquals([creates, first.settled], [1, false]);
  isUp = true;
  const second = watch(pool.acquire());
  await settled();
  assertEquals([first.value?.value, second.value?.value], [2, 3]);
});

test("an outage whose timer could not be set has the next one", async () => {
  using _ = drawing(1);
  const clock = new FaultyClock();
  const began: number[] = [];
  const pool = new Pool({
    create: () => {
      began.push(clock.now());
      throw new Error("refused");
    },
    max: 2,
    clock,
    createRetry: RETRY,
  });
  clock.refusal = new Error("no timers");
  watch(pool.acquire());
  await settled();
  clock.refusal = undefined;
  await clock.advance(50);
  watch(pool.acquire());
  await clock.advance(1_000);
  assertEquals(began, [0, 100]);
});

test("an overdue create that fails leaves the delay as it is", async () => {
  using _ = drawing(1);
  const { clock, pool, factory } = retried({ max: 1, growth: "measured" });
  watch(pool.acquire({ timeout: 5_000 }));
  await clock.advance(1_500);
  factory.failCreate("at last");
  await settled();
  const outcome = watch(pool.acquire());
  await clock.advance(99);
  assertEquals([outcome.settled, factory.creates.length], [false, 0]);
  await clock.advance(1);
  assertEquals(factory.creates.length, 1);
});

test("in an outage one create is tried beside those that are overdue", async () => {
  using _ = drawing(1);
  const { clock, pool, factory } = retried({ max: 5, growth: "measured" });
  const waiters = [1, 2].map(() => watch(pool.acquire()));
  await settled();
  factory.finishCreate();
  await clock.advance(300);
  assertEquals(factory.creates.length, 2, "one hangs, one is new");
  assertEquals(waiters.map(({ settled }) => settled), [true, false]);
  watch(pool.acquire());
  watch(pool.acquire());
  await settled();
  const tried: number[] = [];
  for (let ms = 0; ms < 800; ms += 50) {
    if (factory.creates.length > 1) {
      tried.push(ms);
      for (const { reject } of factory.creates.splice(1)) reject("refused");
    }
    await clock.advance(50);
  }
  assertEquals(tried, [0, 100, 300, 700]);
});
