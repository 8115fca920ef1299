/**
 * Threads that compute, as many as there are processors, each for one task at a
 * time, with progress. An abort reaches a thread that computes by memory that
 * both share, as it reads no message meanwhile, and in Deno 2.9 `terminate` does
 * not stop it; so it ends its task within a moment, and is fit for the next.
 */

import assert from "node:assert/strict";
import { Pool } from "@lease/pool";

/** The task is at fault; the thread is as good as before. */
class TaskError extends Error {}

interface TaskOptions {
  signal?: AbortSignal;
  progress?: (share: number) => void;
}

/** A thread that counts primes. */
class Computer {
  readonly #worker = new Worker(
    new URL("./parts/primes_worker.ts", import.meta.url),
    { type: "module" },
  );

  constructor(lost: () => void) {
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault(); // else it ends the process
      lost();
    });
  }

  countPrimes(limit: number, options: TaskOptions = {}): Promise<number> {
    const { signal, progress } = options;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const abort = () => Atomics.store(stop, 0, 1);
    const crash = ({ message }: ErrorEvent) => reject(new Error(message));
    signal?.addEventListener("abort", abort);
    this.#worker.addEventListener("error", crash);
    this.#worker.onmessage = ({ data }) => {
      if ("progress" in data) progress?.(data.progress);
      else if ("failure" in data) reject(new TaskError(data.failure));
      else if ("stopped" in data) reject(signal!.reason);
      else resolve(data.result);
    };
    this.#worker.postMessage({ limit, stop });
    return promise.finally(() => {
      signal?.removeEventListener("abort", abort);
      this.#worker.removeEventListener("error", crash);
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

let threads = 0;
const pool = new Pool({
  create: ({ lost }) => {
    threads++;
    return new Computer(lost);
  },
  max: navigator.hardwareConcurrency,
  growth: "eager", // a task takes far longer than a thread to start
});

/** Waits for a thread and computes; `signal` ends either. */
function countPrimes(
  limit: number,
  options: TaskOptions = {},
): Promise<number> {
  const { signal } = options;
  // What crashed is gone; what failed or was stopped is fit for the next.
  const isFatal = (error: unknown) =>
    !(error instanceof TaskError) && error !== signal?.reason;
  return pool.use(
    (computer) => computer.countPrimes(limit, options),
    { signal, isFatal },
  );
}

// Ten tasks share the threads.
const counts = await Promise.all(
  Array.from({ length: 10 }, () => countPrimes(100_000)),
);
assert.deepEqual(new Set(counts), new Set([9_592]));
assert.ok(threads <= navigator.hardwareConcurrency);

// Progress is told on the way.
const shares: number[] = [];
await countPrimes(10_000, { progress: (share) => shares.push(share) });
assert.deepEqual(shares, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);

// A task that fails costs no thread, nor does one of minutes that is aborted.
const before = threads;
await assert.rejects(countPrimes(-1), /no limit is negative/);
const start = performance.now();
const signal = AbortSignal.timeout(100);
await assert.rejects(countPrimes(1e9, { signal }), { name: "TimeoutError" });
assert.ok(performance.now() - start < 5_000);
assert.equal(await countPrimes(100), 25);
assert.equal(threads, before);

// One that crashes does, and is replaced when it is needed.
const all = pool.stats().idle;
console.log("a crash, as Deno reports it:");
await assert.rejects(countPrimes(2e9), /out of memory/);
assert.equal(pool.stats().idle, all - 1);
assert.equal(await countPrimes(100), 25);

await pool.close();
console.log(`${threads} threads: progress, an abort and a crash`);
