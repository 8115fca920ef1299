import { type Lease, Pool } from "../mod.ts";
import { KeyedPool } from "../src/keyed/mod.ts";
import { jobs, type Order, type Question } from "./question.ts";
import { ratio } from "./stopwatch.ts";
import { type Resource, Server } from "./subject.ts";

const MAX = 1_000;

const PLAIN = "a plain pool";

/** What many keys are measured beside: it misses the caches as they do. */
const MAPPED = "100 pools in a Map";

/** By case, over how many keys it goes in turn. */
const KEYS: Record<string, number> = {
  [PLAIN]: 1,
  "1 key": 1,
  "10 keys": 10,
  "100 keys": 100,
  [MAPPED]: 100,
};

export const question: Question = {
  name: "keyed",
  title: "One acquire and release after the other, in turn over keys",
  jobs: jobs(Object.keys(KEYS), ["ours"]),
  figures: [{ name: "ratio", unit: "" }],
  floor: () => ({ case: PLAIN, subject: "ours" }),
  limit: 15_000,
  measure,
};

function measure(order: Order) {
  return ratio(turns(order.case), turns(PLAIN), order.effort);
}

/** Does so many turns of a case. */
function turns(name: string): (n: number) => Promise<number> {
  const acquire = opened(name);
  const keys = Array.from({ length: KEYS[name]! }, (_, i) => `key ${i}`);
  return async (n) => {
    let served = 0;
    for (let i = 0, key = 0; i < n; i++) {
      const lease = await acquire(keys[key]!);
      served += lease.value.weight;
      lease.release();
      if (++key === keys.length) key = 0;
    }
    return served;
  };
}

/** How a case acquires for a key. */
function opened(name: string): (key: string) => Promise<Lease<Resource>> {
  const { create } = new Server();
  if (name === PLAIN) {
    const pool = new Pool({ create, max: MAX });
    return () => pool.acquire();
  }
  if (name !== MAPPED) {
    const pool = new KeyedPool<string, Resource>({ create, max: MAX });
    return (key) => pool.acquire(key);
  }
  const pools = new Map<string, Pool<Resource>>();
  return (key) => {
    let pool = pools.get(key);
    if (pool === undefined) {
      pools.set(key, pool = new Pool({ create, max: MAX }));
    }
    return pool.acquire();
  };
}
