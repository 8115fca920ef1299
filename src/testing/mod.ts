/**
 * For the tests of code that uses a pool: a clock that the test moves by hand,
 * and an end of the test that finds what was left behind.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { findLeaks, VirtualClock } from "@lease/pool/testing";
 *
 * const clock = new VirtualClock();
 * const pool = new Pool({
 *   create: () => ({ ping: () => "pong" }),
 *   max: 1,
 *   idleTimeout: 60_000,
 *   clock,
 * });
 * console.log(await pool.use((conn) => conn.ping())); // pong
 *
 * await clock.advance(60_000); // a minute in no time
 * console.log(pool.stats().idle); // 1
 * await clock.advance(1);
 * console.log(pool.stats().idle); // 0
 *
 * await pool.acquire(); // never released
 * const leaks = await findLeaks(clock, pool);
 * console.log(leaks.join()); // Pool 'pool': 1 lease is out
 * ```
 *
 * A clock of the pool's own leaves the timers of all else alone; fake timers of
 * test runners replace the global ones, which the pool uses without a `clock`.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { settle, VirtualClock } from "./virtual_clock.ts";

export { type Clock, VirtualClock };

/** What `findLeaks` needs of a pool; `Pool` and `KeyedPool` have it. */
export interface TestedPool {
  /** Names it in what is found. */
  readonly name: string;
  /** Its counts. */
  stats(options: { details: true }): {
    readonly used: number;
    readonly pending: number;
    readonly destroying: number;
    readonly lines: readonly {
      readonly checking: number;
      readonly resetting: number;
    }[];
  };
  /** Ends it, without waiting for leases if the signal has aborted. */
  close(options: { signal: AbortSignal }): Promise<void>;
}

/**
 * Ends a test: closes the pools, and says, in a sentence each, what was left:
 * leases that are out, acquires that wait, what is still validated or reset,
 * destroys that do not end by themselves, and timers that are pending on the clock
 * when all else has gone, so that code outside of the pools has set them. Without
 * leaks it gives `[]`.
 *
 * Nobody is waited for and the clock stands still, so that no test hangs here:
 * the leases have ended, their resources are destroyed. Where `destroy` or `reset`
 * needs the world outside, `await pool.close()` first. Rejects as `close` does.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { findLeaks, VirtualClock } from "@lease/pool/testing";
 *
 * const clock = new VirtualClock();
 * const pool = new Pool({ create: () => ({}), max: 1, clock });
 * clock.setTimeout(() => {}, 1_000);
 * const [leak] = await findLeaks(clock, pool);
 * console.log(leak); // 1 timer is pending
 * ```
 */
export async function findLeaks(
  clock: VirtualClock,
  ...pools: readonly TestedPool[]
): Promise<string[]> {
  await settle();
  const look = (pool: TestedPool) => pool.stats({ details: true });
  const before = pools.map(look);
  const ended = new Set<Promise<void>>();
  const closing = pools.map((pool) => {
    const close: Promise<void> = pool.close({ signal: AbortSignal.abort() })
      .finally(() => ended.add(close));
    return close;
  });
  // Some may end when the test is over.
  for (const close of closing) close.catch(() => {});
  await settle();
  const leaks = pools.flatMap((pool, index) => {
    const { used, pending, lines } = before[index]!;
    const { destroying } = look(pool);
    const sum = (name: "checking" | "resetting") =>
      lines.reduce((total, line) => total + line[name], 0);
    const [checking, resetting] = [sum("checking"), sum("resetting")];
    return [
      count(used - checking - resetting, "lease is out", "leases are out"),
      count(pending, "acquire waits", "acquires wait"),
      count(checking, "validate has not ended", "validates have not ended"),
      count(resetting, "reset has not ended", "resets have not ended"),
      count(destroying, "destroy has not ended", "destroys have not ended"),
    ].flatMap((leak) =>
      leak === undefined ? [] : [`Pool '${pool.name}': ${leak}`]
    );
  });
  await Promise.all(closing.filter((close) => ended.has(close)));
  // Those that have not ended have their own limits on the clock.
  const timers = ended.size < pools.length ? 0 : clock.timers;
  const left = count(timers, "timer is pending", "timers are pending");
  return left === undefined ? leaks : [...leaks, left];
}

function count(n: number, one: string, many: string): string | undefined {
  return n === 0 ? undefined : `${n} ${n === 1 ? one : many}`;
}
