import { assertEquals, assertGreater, assertStrictEquals } from "@std/assert";
import { type Lease, Pool } from "../mod.ts";
import { test } from "./test.ts";

/** How many milliseconds the default clock lags at most at a steady pace. */
const LAG = 0.5;

/** How often a test gives back and leases again. */
const ACTS = 30_000;

/** Replaces a function until it is disposed. */
function replaced(object: object, name: string, value: unknown): Disposable {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const replacement = { value, configurable: true, writable: true };
  Object.defineProperty(object, name, replacement);
  return {
    [Symbol.dispose]: () => {
      if (own === undefined) Reflect.deleteProperty(object, name);
      else Object.defineProperty(object, name, own);
    },
  };
}

/** What `performance.now` reads in a test that moves it. */
class MovedTime implements Disposable {
  ms = performance.now();
  readonly #replaced = replaced(performance, "now", () => this.ms);

  [Symbol.dispose](): void {
    this.#replaced[Symbol.dispose]();
  }
}

/**
 * Gives back and leases again, one act each `pace` milliseconds. Halfway comes
 * one act more, so that a reading grows old before either kind.
 */
function act(
  pool: Pool<object>,
  lease: Lease<object>,
  time: MovedTime,
  pace: number,
): void {
  let held: Lease<object> | undefined = lease;
  for (let i = 0; i < ACTS; i++) {
    if (i === ACTS / 2) pool.tryAcquire();
    held.release();
    time.ms += pace;
    held = pool.tryAcquire();
    if (held === undefined) throw new Error(`Evicted at ${i}, pace ${pace} ms`);
    time.ms += pace;
  }
  held.release();
}

test("at any steady pace of acts the default clock makes nothing look idle for longer", async () => {
  for (const pace of [1e-5, 1e-4, 5e-4, 7e-4, 1e-3, 5e-3, 0.02, 0.09, 0.5, 5]) {
    const idleTimeout = pace + LAG;
    await using pool = new Pool({ create: () => ({}), max: 1, idleTimeout });
    const lease = await pool.acquire();
    using time = new MovedTime();
    act(pool, lease, time, pace);
  }
});

test("the default clock reuses no reading once the turn of a burst is over", async () => {
  await using pool = new Pool({
    create: () => ({}),
    max: 1,
    idleTimeout: 20_000,
  });
  const lease = await pool.acquire();
  using time = new MovedTime();
  act(pool, lease, time, 1e-4);
  await new Promise((resolve) => setTimeout(resolve, 20));
  time.ms += 20_001;
  const expired = pool.tryAcquire();
  expired?.release();
  assertStrictEquals(expired, undefined);
});

test("the timer that ends the reuse of a reading keeps no process alive", async () => {
  await using pool = new Pool({ create: () => ({}), max: 1 });
  const lease = await pool.acquire();
  let set = 0;
  let unrefs = 0;
  const { setTimeout } = globalThis;
  const counting = (callback: () => void, delay: number) => {
    set++;
    const handle: unknown = setTimeout(callback, delay);
    // Browsers have numbers, and nothing to unref.
    if (typeof handle !== "object" || handle === null) unrefs++;
    else {
      const unref = Reflect.get(handle, "unref").bind(handle);
      Reflect.set(handle, "unref", () => (unrefs++, unref()));
    }
    return handle;
  };
  using time = new MovedTime();
  using _timers = replaced(globalThis, "setTimeout", counting);
  act(pool, lease, time, 1e-4);
  assertGreater(set, 0);
  assertEquals(unrefs, set);
});

test("a close leaves no timer of the default clock", async () => {
  const pending = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  const set = (callback: () => void, delay: number) => {
    const handle = setTimeout(() => {
      pending.delete(handle);
      callback();
    }, delay);
    pending.add(handle);
    return handle;
  };
  const clear = (handle: ReturnType<typeof setTimeout>) => {
    pending.delete(handle);
    clearTimeout(handle);
  };
  using time = new MovedTime();
  using _set = replaced(globalThis, "setTimeout", set);
  using _clear = replaced(globalThis, "clearTimeout", clear);
  const pool = new Pool({ create: () => ({}), max: 1, idleTimeout: 50_000 });
  act(pool, await pool.acquire(), time, 1e-4);
  assertGreater(pending.size, 0);
  const closed = pool.close();
  for (let tick = 0; tick < 20; tick++) await undefined;
  assertEquals(pending.size, 0);
  await closed;
});
