import { type Lease, Pool, type PoolOptions } from "../mod.ts";
import { LocalBudget } from "../src/budget/mod.ts";
import { codel } from "../src/codel/mod.ts";
import { assert } from "./assertion.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { ratio } from "./stopwatch.ts";
import { type Resource, Server, type Subject } from "./subject.ts";
import { sequence } from "./work.ts";

const MAX = 10;

const BARE = "bare";

/** By case, what the pool is given and what was done with it before. */
const CASES: Record<string, {
  options?: Partial<PoolOptions<Resource>>;
  before?: (pool: Pool<Resource>) => unknown;
}> = {
  [BARE]: {},
  "after a priority": { before: wait },
  "after a resize": { before: (pool) => pool.resize(MAX + 1) },
  "after a pause": { before: pause },
  "after an evict": { before: (pool) => pool.evict(() => true) },
  "after a detach": { before: (pool) => pool.use((_, l) => void l.detach()) },
  "oldest first": { options: { idleOrder: "oldest" } },
  "with a budget": { options: { budget: new LocalBudget(MAX) } },
  "with shed": { options: { shed: codel() } },
};

export const IDLE = Object.keys(CASES).filter((name) => name !== BARE);

export const question: Question = {
  name: "idle_policy",
  title: "One acquire and release after the other, of a policy that is idle",
  jobs: jobs(Object.keys(CASES), ["ours"]),
  figures: [{ name: "ratio", unit: "" }],
  floor: () => ({ case: BARE, subject: "ours" }),
  limit: 15_000,
  measure,
};

async function measure(order: Order) {
  const bare = await prepared(BARE);
  return ratio(await prepared(order.case), bare, order.effort);
}

/** What acquires and releases so often, of a case. */
async function prepared(name: string): Promise<(n: number) => Promise<number>> {
  const { options, before } = CASES[name]!;
  const { create } = new Server();
  const pool = new Pool<Resource>({ create, max: MAX, ...options });
  await pool.use(() => {});
  await before?.(pool);
  await pool.use(() => {});
  const subject = {
    acquire: () => pool.acquire(),
    resource: (lease: Lease<Resource>) => lease.value,
    release: (lease: Lease<Resource>) => lease.release(),
  };
  assert(pool.stats().idle > 0, "nothing is idle");
  return (n) => sequence(subject as Subject, n);
}

/** All is used, and one waits ahead of the others. */
async function wait(pool: Pool<Resource>): Promise<void> {
  const leases: Lease<Resource>[] = [];
  while (leases.length < MAX) leases.push(await pool.acquire());
  const urgent = pool.acquire({ priority: 3 });
  leases.pop()!.release();
  leases.push(await urgent);
  for (const lease of leases) lease.release();
}

async function pause(pool: Pool<Resource>): Promise<void> {
  await using _pause = await pool.pause();
}
