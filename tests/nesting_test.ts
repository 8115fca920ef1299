import { AsyncLocalStorage } from "node:async_hooks";
import {
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { Pool, PoolOptions } from "../mod.ts";
import { PoolError } from "../mod.ts";
import { watchLeaks } from "../src/leaks/mod.ts";
import {
  asTask,
  NestedAcquireError,
  watchNesting,
  type WatchNestingOptions,
} from "../src/nesting/mod.ts";
import {
  assertClosesClean,
  assertCounts,
  collect,
  type Fixture,
  fixture,
  leaseOf,
  type Resource,
  settled,
  until,
  watch,
} from "./fixture.ts";
import { test } from "./test.ts";

/** A pool of ten, and what it tells of nested acquires. */
function watched(
  options: Partial<PoolOptions<Resource>> = {},
): Fixture & { told: NestedAcquireError[] } {
  const told: NestedAcquireError[] = [];
  const nested = (error: NestedAcquireError) => void told.push(error);
  const nesting = watchNesting({ nested });
  return { ...fixture({ max: 10, nesting, ...options }), told };
}

/** A test of what is not to be seen on Workers. */
function testEntered(name: string, fn: () => Promise<void>): void {
  if (navigator.userAgent !== "Cloudflare-Workers") test(name, fn);
}

/** How many leases the task held, for each nested acquire. */
function counts(told: NestedAcquireError[]): number[] {
  return told.map(({ held }) => held);
}

async function acquireAndRelease(pool: Pool<Resource>) {
  (await pool.acquire()).release();
}

async function useOnce(pool: Pool<Resource>) {
  await pool.use(() => {});
}

// The lease of a use.

test("what acquires in the callback of a use is told of, in every depth", async () => {
  const { pool, told } = watched();
  await pool.use(async () => {
    await acquireAndRelease(pool);
    await settled();
    await pool.use(async () => {
      await pool.use(() => {});
    });
    await pool.use(() => {});
  });
  assertEquals(counts(told), [1, 1, 2, 1]);
});

test("after a use, or beside it, its caller holds nothing", async () => {
  const { pool, told } = watched();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = pool.use(() => promise);
  const second = pool.use(() => promise);
  await settled();
  await pool.use(() => {});
  await acquireAndRelease(pool);
  resolve();
  await Promise.all([first, second]);
  await pool.use(() => {});
  await pool.use(() => Promise.reject(new Error("no"))).catch(() => {});
  await pool.use(() => {});
  assertEquals(told, []);
});

test("a use that has ended is not held by what it has left running", async () => {
  const { pool, told } = watched();
  const { promise, resolve } = Promise.withResolvers<void>();
  let later: Promise<void> | undefined;
  await pool.use(() => {
    later = promise.then(() => pool.use(() => {}));
  });
  resolve();
  await later;
  assertEquals(told, []);
});

test("a lease that its use has released, destroyed or detached is not held", async () => {
  const { pool, told } = watched();
  for (const end of ["release", "destroy", "detach"] as const) {
    await pool.use(async (_, lease) => {
      lease[end]();
      await acquireAndRelease(pool);
    });
  }
  assertEquals(told, []);
});

test("a lease is not held while its resource is reset", async () => {
  const { pool, told } = watched({ reset: () => new Promise(() => {}) });
  await pool.use(async (_, lease) => {
    lease.release();
    assertCounts(pool, { used: 1 });
    await pool.acquire();
  });
  assertEquals(told, []);
});

test("holding a lease of one pool, one may acquire from another", async () => {
  const [a, b] = [watched(), watched()];
  await a.pool.use(() => b.pool.use(() => acquireAndRelease(a.pool)));
  assertEquals([counts(a.told), b.told], [[1], []]);
});

// The lease of an acquire.

testEntered(
  "within a task the lease of an awaited acquire is held until it ends",
  async () => {
    const { pool, told } = watched();
    await asTask(async () => {
      const first = await pool.acquire();
      await settled();
      const second = await pool.acquire();
      await pool.use(() => {});
      first.release();
      await acquireAndRelease(pool);
      second.destroy();
      await acquireAndRelease(pool);
    });
    assertEquals(counts(told), [1, 2, 1]);
  },
);

testEntered(
  "a function that acquires for its caller has the caller hold",
  async () => {
    const { pool, told } = watched();
    const acquire = () => pool.acquire();
    const acquires = async () => await pool.acquire();
    for (const lease of [acquire, acquires]) {
      await asTask(async () => {
        using _lease = await lease();
        await settled();
        await acquireAndRelease(pool);
      });
    }
    assertEquals(counts(told), [1, 1]);
  },
);

test("a lease that another task releases is no longer held", async () => {
  const { pool, told } = watched();
  await asTask(async () => {
    const lease = await pool.acquire();
    await asTask(async () => {
      await settled();
      lease.release();
    });
    await acquireAndRelease(pool);
  });
  assertEquals(told, []);
});

test("what runs side by side does not hold for each other", async () => {
  const { pool, told } = watched();
  const acquires = async () => {
    using _lease = await pool.acquire();
    await settled();
  };
  await asTask(async () => {
    await Promise.all([acquires(), acquires(), pool.use(acquires), acquires()]);
    await acquireAndRelease(pool);
  });
  assertEquals(counts(told), [1], "the one within the use");
});

testEntered(
  "several acquires at once are told of by what comes after",
  async () => {
    const { pool, told } = watched();
    await asTask(async () => {
      const leases = await Promise.all([pool.acquire(), pool.acquire()]);
      await acquireAndRelease(pool);
      for (const lease of leases) lease.release();
    });
    assertEquals(counts(told).length, 1);
  },
);

test("an acquire that fails is not held", async () => {
  const { pool, told, clock } = watched({ max: 1 });
  const lease = await pool.acquire();
  const done = asTask(async () => {
    await pool.acquire({ timeout: 5 }).catch(() => {});
    lease.release();
    await acquireAndRelease(pool);
  });
  await clock.advance(5);
  await done;
  assertEquals(told, []);
});

test("a loop that starts work without a task is never told of", async () => {
  const { pool, told } = watched();
  const { promise, resolve } = Promise.withResolvers<void>();
  const works = async () => {
    using _lease = await pool.acquire();
    await promise;
  };
  const work: Promise<void>[] = [];
  for (let n = 0; n < 3; n++) {
    work.push(works());
    await settled();
  }
  resolve();
  await Promise.all(work);
  assertEquals(told, []);
});

test("where a runtime cannot enter a context, what acquires goes on unseen", async () => {
  const { pool, told } = watched();
  const { enterWith } = AsyncLocalStorage.prototype;
  await asTask(async () => {
    AsyncLocalStorage.prototype.enterWith = () => {
      throw new Error("not here");
    };
    const acquired = watch(pool.acquire());
    AsyncLocalStorage.prototype.enterWith = enterWith;
    await settled();
    await acquireAndRelease(pool);
    leaseOf(acquired).release();
  });
  assertEquals(told, []);
});

test("a loop in a task can start tasks that hold", async () => {
  const { pool, told } = watched();
  const { promise, resolve } = Promise.withResolvers<void>();
  const works = async () => {
    using _lease = await pool.acquire();
    await promise;
  };
  await asTask(async () => {
    const work: Promise<void>[] = [];
    for (let n = 0; n < 3; n++) {
      work.push(asTask(works));
      await settled();
    }
    await pool.use(() => {
      work.push(asTask(works));
    });
    resolve();
    await Promise.all(work);
  });
  assertEquals(told, []);
});

test("a task that forgets its lease does not keep it", async () => {
  const destroyed: string[] = [];
  const { pool, told } = watched({
    leaks: watchLeaks(),
    destroy: (_, { reason }) => void destroyed.push(reason),
  });
  const forgets = async () => void await pool.acquire();
  await asTask(async () => {
    await forgets();
    await until(() => {
      collect();
      return destroyed.length === 1;
    });
    await acquireAndRelease(pool);
  });
  assertEquals([destroyed, told], [["leaked"], []]);
  await pool.close();
});

// What is not told of.

test("what cannot wait is not told of", async () => {
  const { pool, told } = watched();
  await pool.use(async () => {
    await pool.acquire({ timeout: 0 }).catch(() => {});
    await pool.use(() => {}, { timeout: 0 }).catch(() => {});
    pool.tryAcquire()?.release();
    const signal = AbortSignal.abort("over");
    const aborted = watch(pool.acquire({ signal }));
    await settled();
    assertEquals(aborted.error, "over");
  });
  assertEquals(told, []);
});

// Reports.

test("the message gives the safe minimum of such tasks", async () => {
  const { pool, told } = watched({ name: "db" });
  await pool.use(() => pool.use(() => acquireAndRelease(pool)));
  assertEquals(told.map(({ message }) => message), [
    "A task that holds 1 of pool 'db' acquires another: such tasks can wait " +
    "for each other for ever unless 'max' is at least tasks × (2 − 1) + 1, " +
    "and it is 10",
    "A task that holds 2 of pool 'db' acquires another: such tasks can wait " +
    "for each other for ever unless 'max' is at least tasks × (3 − 1) + 1, " +
    "and it is 10",
  ]);
});

test("a nested acquire can be refused, of which the observer hears", async () => {
  const heard: unknown[] = [];
  const f = fixture({
    max: 2,
    name: "db",
    nesting: watchNesting({ nested: "throw" }),
    observer: { acquireFailed: (event) => void heard.push(event) },
  });
  const errors = await f.pool.use(async () => {
    const outcomes = [watch(f.pool.acquire()), watch(f.pool.use(() => {}))];
    await settled();
    return outcomes.map(({ error }) => error);
  });
  const [error] = errors as [NestedAcquireError];
  assertEquals(error instanceof NestedAcquireError, true);
  assertEquals(error instanceof PoolError, true);
  assertEquals({ ...error.toJSON(), message: "" }, {
    name: "NestedAcquireError",
    code: "NESTED",
    message: "",
    poolName: "db",
    stats: {
      ...{ idle: 0, used: 1, creating: 0, destroying: 0, pending: 0, max: 2 },
      ...{ waiting: 0, validating: 0 },
    },
    waited: 0,
  });
  assertEquals(heard, errors.map((error) => ({ pool: "db", error, wait: 0 })));
  await assertClosesClean(f);
});

test("what is told of has the stack of its caller, whoever else watches", async () => {
  for (const options of [{}, { leaks: watchLeaks() }]) {
    const { pool, told } = watched(options);
    await pool.use(() => acquireAndRelease(pool));
    await pool.use(() => useOnce(pool));
    const frames = told.map(({ stack }) => stack!.split("\n").slice(0, 2));
    assertEquals(frames.map(([header]) => header), told.map(String));
    assertMatch(frames[0]![1]!, /acquireAndRelease\d* /);
    assertMatch(frames[1]![1]!, /useOnce\d* /);
  }
});

test("by default the console warns, once for each place", async () => {
  const { warn } = console;
  const warnings: unknown[] = [];
  console.warn = (...args) => void warnings.push(...args);
  try {
    const { pool } = fixture({ max: 3, nesting: watchNesting() });
    for (let n = 0; n < 3; n++) {
      await pool.use(() => acquireAndRelease(pool));
      await pool.use(() => useOnce(pool));
    }
  } finally {
    console.warn = warn;
  }
  assertEquals(warnings.length, 2);
  assertMatch(
    String(warnings[0]),
    /^NestedAcquireError: .*\n.*acquireAndRelease\d* /,
  );
  assertMatch(String(warnings[1]), /^NestedAcquireError: .*\n.*useOnce\d* /);
});

test("a listener that throws, rejects or acquires itself disturbs nobody", async () => {
  let calls = 0;
  const { pool } = fixture({
    max: 10,
    nesting: watchNesting({
      nested: () => {
        if (++calls === 1) throw new Error("a listener's fault");
        if (calls === 2) return Promise.reject(new Error("another"));
        return pool.use(() => {});
      },
    }),
  });
  await pool.use(async () => {
    for (let n = 0; n < 3; n++) await acquireAndRelease(pool);
  });
  await settled();
  assertEquals(calls, 3);
  assertCounts(pool, { idle: 3 });
});

test("pools that share a watch each count their own", async () => {
  const told: string[] = [];
  const nesting = watchNesting({
    nested: ({ poolName }) => void told.push(poolName),
  });
  const pools = ["a", "b"].map((name) =>
    fixture({ max: 3, name, nesting }).pool
  );
  const [a, b] = pools as [Pool<Resource>, Pool<Resource>];
  await a.use(() => b.use(() => b.use(() => {})));
  assertEquals(told, ["b"]);
});

testEntered("leaks are watched as well", async () => {
  const held: number[] = [];
  const { pool, told, clock } = watched({
    leaks: watchLeaks({ after: 1_000 }),
    observer: { leaked: (event) => void held.push(event.held) },
  });
  await asTask(async () => {
    const lease = await pool.acquire();
    const second = pool.acquire();
    await clock.advance(1_000);
    assertEquals(held, [1_000, 1_000]);
    lease.release();
    (await second).release();
  });
  assertEquals(counts(told), [1]);
  assertCounts(pool, { idle: 2 });
});

// Options.

test("options that make no sense are refused", () => {
  const refusals: [WatchNestingOptions, string][] = [
    [null!, "'options' must be an object: received null"],
    [
      { nested: "log" as "warn" },
      `'nested' must be "warn", "throw" or a function: received "log"`,
    ],
    [{ nest: "warn" } as WatchNestingOptions, "'nest' is no option"],
  ];
  for (const [options, message] of refusals) {
    assertThrows(
      () => watchNesting(options),
      TypeError,
      `Cannot watch nesting as ${message}`,
    );
  }
  assertThrows(
    () =>
      fixture({ nesting: {} as unknown as ReturnType<typeof watchNesting> }),
    TypeError,
    "'nesting' must be a function",
  );
});

test("a task gives what its function gives, and passes on what it throws", () => {
  const error = new Error("no");
  assertEquals(asTask(() => 3), 3);
  let thrown: unknown;
  try {
    asTask(() => {
      throw error;
    });
  } catch (reason) {
    thrown = reason;
  }
  assertStrictEquals(thrown, error);
});
