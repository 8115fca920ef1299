import { AsyncLocalStorage } from "node:async_hooks";
import { assertRejects } from "@std/assert";
import { Pool, type PoolOptions } from "../../../mod.ts";
import { LocalBudget } from "../../../src/budget/mod.ts";
import { until } from "../../fixture.ts";

const store = new AsyncLocalStorage<string>();

/** Runs `fn` in the context of a request. */
export function by<R>(request: string, fn: () => R): R {
  return store.run(request, fn);
}

/** What was called, and in whose context. */
export class Diary {
  readonly entries: string[] = [];
  readonly #gates: (() => void)[] = [];

  note(call: string): void {
    this.entries.push(`${call} in ${store.getStore() ?? "none"}`);
  }

  /** How often something was called. */
  count(call: string): number {
    return this.entries.filter((e) => e.startsWith(`${call} in `)).length;
  }

  /** Notes a call and lets it wait for `open`. */
  async wait(call: string): Promise<void> {
    this.note(call);
    await new Promise<void>((resolve) => this.#gates.push(resolve));
  }

  /** Settles what has waited longest, as soon as something does. */
  async open(request: string): Promise<void> {
    await until(() => this.#gates.length > 0);
    by(request, this.#gates.shift()!);
  }
}

/** Of pools of which one at a time has something. */
const budget = new LocalBudget(1);

type TestPool = Pool<object>;
type Options = (diary: Diary) => Partial<PoolOptions<object>>;

/** Acts of requests on a pool of one resource, and what they cause. */
export interface ContextCase {
  readonly name: string;
  /** Each call, in whose context; in any order. */
  readonly calls: string[];
  readonly options?: Options;
  run(pool: TestPool, diary: Diary): Promise<void>;
}

const CREATION = ["create in pool", "created in pool"];
const DESTRUCTION = ["destroy in pool", "destroyed in pool"];

/** Leaves one resource idle, and nothing in the diary. */
async function stock(pool: TestPool, diary: Diary): Promise<void> {
  (await by("stock", () => pool.acquire())).release();
  diary.entries.length = 0;
}

/** Waits until nothing is idle, being created or destroyed. */
async function gone(pool: TestPool): Promise<void> {
  await until(() => {
    const { idle, creating, destroying } = pool.stats();
    return idle + creating + destroying === 0;
  });
}

const creating: ContextCase[] = [
  {
    name: "an acquire that creates",
    calls: [...CREATION, "acquired in a"],
    async run(pool) {
      await by("a", () => pool.acquire());
    },
  },
  {
    name: "a create that another request settles",
    calls: [...CREATION, "acquired in a"],
    options: (diary) => ({
      create: async () => {
        await diary.wait("create");
        return {};
      },
    }),
    async run(pool, diary) {
      const lease = by("a", () => pool.acquire());
      await diary.open("b");
      await lease;
    },
  },
  {
    name: "a create that fails, and the one for the next in line",
    calls: [
      "create in pool",
      "createFailed in pool",
      "acquireFailed in a",
      ...CREATION,
      "acquired in b",
    ],
    options: (diary) => ({
      create: () => {
        diary.note("create");
        if (diary.count("create") === 1) throw new Error("down");
        return {};
      },
      // Each failure rejects one who waits.
      createRetry: false,
    }),
    async run(pool) {
      const failed = assertRejects(() => by("a", () => pool.acquire()));
      const lease = by("b", () => pool.acquire());
      await failed;
      await lease;
    },
  },
  {
    name: "a create that passes its limit, and of what comes late",
    calls: [
      "create in pool",
      "abort in pool",
      "createFailed in pool",
      "acquireFailed in a",
      ...DESTRUCTION,
    ],
    options: (diary) => ({
      create: async ({ signal }) => {
        signal.addEventListener("abort", () => diary.note("abort"));
        await diary.wait("create");
        return {};
      },
      createTimeout: 20,
    }),
    async run(pool, diary) {
      await assertRejects(() => by("a", () => pool.acquire()));
      await diary.open("b");
      await until(() => diary.count("destroy") === 1);
    },
  },
];

const destroying: ContextCase[] = [
  {
    name: "a destroy to make room for another pool",
    calls: DESTRUCTION,
    options: () => ({ budget }),
    async run(pool, diary) {
      await stock(pool, diary);
      const options = { create: () => "", max: 1, budget };
      const other = by("other", () => new Pool(options));
      (await by("a", () => other.acquire())).release();
      await other.close();
    },
  },
  {
    name: "a lease that is destroyed",
    calls: ["acquired in a", ...DESTRUCTION],
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = await by("a", () => pool.acquire());
      by("b", () => lease.destroy());
      await gone(pool);
    },
  },
  {
    name: "a use that fails",
    calls: ["acquired in a", ...DESTRUCTION],
    async run(pool, diary) {
      await stock(pool, diary);
      const use = () => pool.use(() => Promise.reject(new Error("broken")));
      await assertRejects(() => by("a", use));
      await gone(pool);
    },
  },
  {
    name: "the release of a retired resource",
    calls: ["acquired in a", "released in c", ...DESTRUCTION],
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = await by("a", () => pool.acquire());
      by("b", () => pool.clear());
      by("c", () => lease.release());
      await gone(pool);
    },
  },
  {
    name: "a resource past its idleTimeout",
    calls: ["acquired in a", "released in b", ...DESTRUCTION],
    options: () => ({ idleTimeout: 20 }),
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = await by("a", () => pool.acquire());
      by("b", () => lease.release());
      await gone(pool);
    },
  },
  {
    name: "a clear",
    calls: DESTRUCTION,
    async run(pool, diary) {
      await stock(pool, diary);
      by("a", () => pool.clear());
      await gone(pool);
    },
  },
  {
    name: "a close",
    calls: DESTRUCTION,
    async run(pool, diary) {
      await stock(pool, diary);
      await by("a", () => pool.close());
    },
  },
  {
    name: "a close that another request aborts",
    calls: ["acquired in a", ...DESTRUCTION],
    async run(pool, diary) {
      await stock(pool, diary);
      await by("a", () => pool.acquire());
      const abort = new AbortController();
      const closed = by("b", () => pool.close({ signal: abort.signal }));
      by("c", () => abort.abort());
      await closed;
    },
  },
  {
    name:
      "a destroy that another request settles, and the create it makes room for",
    calls: [...DESTRUCTION, ...CREATION, "acquired in b"],
    options: (diary) => ({ destroy: () => diary.wait("destroy") }),
    async run(pool, diary) {
      await stock(pool, diary);
      by("a", () => pool.clear());
      const lease = by("b", () => pool.acquire());
      await diary.open("c");
      await lease;
    },
  },
  {
    name: "a destroy that passes its limit, and the create after it",
    calls: [...DESTRUCTION, ...CREATION, "acquired in b"],
    options: (diary) => ({
      destroy: () => diary.wait("destroy"),
      destroyTimeout: 20,
    }),
    async run(pool, diary) {
      await stock(pool, diary);
      by("a", () => pool.clear());
      await by("b", () => pool.acquire());
    },
  },
];

/** A verdict at once. */
function says(isValid: boolean): Options {
  return (diary) => ({
    validate: () => {
      diary.note("validate");
      return isValid;
    },
  });
}

/** A verdict that waits for `open`. */
function saysLate(isValid: boolean): Options {
  return (diary) => ({
    validate: async () => {
      await diary.wait("validate");
      return isValid;
    },
  });
}

const REPLACEMENT = [...DESTRUCTION, ...CREATION, "acquired in a"];

const validating: ContextCase[] = [
  {
    name: "an acquire that validates",
    calls: ["validate in a", "acquired in a"],
    options: says(true),
    async run(pool, diary) {
      await stock(pool, diary);
      await by("a", () => pool.acquire());
    },
  },
  {
    name: "a tryAcquire that validates",
    calls: ["validate in a", "acquired in a"],
    options: says(true),
    async run(pool, diary) {
      await stock(pool, diary);
      by("a", () => pool.tryAcquire());
    },
  },
  {
    name: "a validate that another request settles",
    calls: ["validate in a", "acquired in a"],
    options: saysLate(true),
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = by("a", () => pool.acquire());
      await diary.open("b");
      await lease;
    },
  },
  {
    name: "a bad verdict, and what replaces the resource",
    calls: ["validate in a", ...REPLACEMENT],
    options: says(false),
    async run(pool, diary) {
      await stock(pool, diary);
      await by("a", () => pool.acquire());
    },
  },
  {
    name: "a bad verdict that another request settles",
    calls: ["validate in a", ...REPLACEMENT],
    options: saysLate(false),
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = by("a", () => pool.acquire());
      await diary.open("b");
      await lease;
    },
  },
  {
    name: "a validate that passes its limit",
    calls: ["validate in a", ...REPLACEMENT],
    options: (diary) => ({ ...saysLate(true)(diary), validateTimeout: 20 }),
    async run(pool, diary) {
      await stock(pool, diary);
      await by("a", () => pool.acquire());
    },
  },
  {
    name: "a waiter that another request's release serves",
    calls: [
      "validate in a",
      "acquired in a",
      "released in c",
      "validate in b",
      "acquired in b",
    ],
    options: says(true),
    async run(pool, diary) {
      await stock(pool, diary);
      const lease = await by("a", () => pool.acquire());
      const late = by("b", () => pool.acquire());
      by("c", () => lease.release());
      await late;
    },
  },
];

/** A release of request b, whose resource is reset before c gets it. */
function reset(
  name: string,
  reset: (diary: Diary) => unknown,
  calls: string[] = [],
): ContextCase {
  const before = [...CREATION, "acquired in a", "released in b"];
  return {
    name,
    calls: [...before, "reset in pool", ...calls, "acquired in c"],
    options: (diary) => ({ reset: () => reset(diary) }),
    async run(pool, diary) {
      const lease = await by("a", () => pool.acquire());
      const late = by("c", () => pool.acquire());
      by("b", () => lease.release());
      if (reset === waitForReset) await diary.open("d");
      await late;
    },
  };
}

const waitForReset = (diary: Diary) => diary.wait("reset");

const resetting: ContextCase[] = [
  reset("a release that is reset", (diary) => diary.note("reset")),
  reset("a reset that another request settles", waitForReset),
  reset(
    "a reset that fails",
    (diary) => {
      diary.note("reset");
      throw new Error("no");
    },
    [...DESTRUCTION, ...CREATION],
  ),
];

/** A waiter of request b behind the lease of a, until `end` ends its wait. */
async function waitInVain(
  pool: TestPool,
  options: { timeout?: number; signal?: AbortSignal },
  end: () => void = () => {},
): Promise<void> {
  await by("a", () => pool.acquire());
  const failed = assertRejects(() => by("b", () => pool.acquire(options)));
  by("c", end);
  await failed;
}

const IN_VAIN = [...CREATION, "acquired in a", "acquireFailed in b"];

const failing: ContextCase[] = [
  {
    name: "a wait that times out",
    calls: IN_VAIN,
    run: (pool) => waitInVain(pool, { timeout: 20 }),
  },
  {
    name: "two waits that time out at once",
    calls: [...IN_VAIN, "acquireFailed in d"],
    async run(pool) {
      const failed = waitInVain(pool, { timeout: 20 });
      await assertRejects(() => by("d", () => pool.acquire({ timeout: 20 })));
      await failed;
    },
  },
  {
    name: "a wait that another request aborts",
    calls: IN_VAIN,
    async run(pool) {
      const abort = new AbortController();
      await waitInVain(pool, { signal: abort.signal }, () => abort.abort());
    },
  },
  {
    name: "a wait that another request's close ends",
    calls: IN_VAIN,
    run: (pool) => waitInVain(pool, {}, () => void pool.close()),
  },
  {
    name: "an acquire that is refused",
    calls: IN_VAIN,
    options: () => ({ maxPending: 0 }),
    run: (pool) => waitInVain(pool, {}),
  },
];

export const CASES: ContextCase[] = [
  ...creating,
  ...destroying,
  ...validating,
  ...resetting,
  ...failing,
];
