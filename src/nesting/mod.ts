/**
 * Says when a task acquires from a pool while it holds a lease of it: tasks that
 * do can wait for each other for ever.
 *
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { watchNesting } from "@lease/pool/nesting";
 *
 * await using pool = new Pool({
 *   create: () => ({ query: (sql: string) => Promise.resolve(sql) }),
 *   max: 10,
 *   nesting: watchNesting({ nested: ({ message }) => console.warn(message) }),
 * });
 *
 * await pool.use(async (conn) => {
 *   await conn.query("select 1");
 *   await pool.use((other) => other.query("select 2")); // warns
 * });
 * ```
 *
 * It needs the `AsyncLocalStorage` of `node:async_hooks`, which Deno, Bun and
 * Node have, and Workers with the flag `nodejs_als` or `nodejs_compat`.
 *
 * @module
 */

import { Check, FUNCTION, OBJECT, type Rule } from "../check.ts";
import type { NestingWatch } from "../lease_watch.ts";
import { Front, type Report } from "./front.ts";
import { NestedAcquireError } from "./nested_acquire_error.ts";
import { run } from "./task.ts";

export { NestedAcquireError, type NestingWatch };

/** Options of `watchNesting`. */
export interface WatchNestingOptions {
  /**
   * What becomes of a nested acquire: `"throw"`, it rejects with a
   * `NestedAcquireError`; `"warn"`, `console.warn` says it once for each place
   * that acquires; or a function is told of each, and the acquire goes on. Default
   * `"warn"`: most nested acquires go well for years.
   */
  nested?:
    | "warn"
    | "throw"
    | ((error: NestedAcquireError) => unknown)
    | undefined;
}

const NESTED: Rule = {
  kind: '"warn", "throw" or a function',
  isKind: (value) =>
    value === "warn" || value === "throw" || FUNCTION.isKind(value),
};

/**
 * A value for the option `nesting` of one pool or of several. In such a pool an
 * `acquire` or a `use` that may wait, by a task that holds a lease of this pool, is
 * reported. `tryAcquire` and `timeout: 0` wait for nothing, and never are.
 *
 * A task is the callback of a `use`, or what `asTask` runs, with what it calls and
 * starts. It holds
 *
 * - the lease of that `use`, until this ends;
 * - that of an `acquire` it has awaited, until this ends, by whomever.
 *
 * What was begun before, beside or after does not hold it. Not seen are
 *
 * - the lease of an `acquire` outside of a task, as a runtime cannot tell the code
 *   that awaits it from that which called this code and goes on by itself; on
 *   Workers, that of any `acquire`;
 * - that of an `acquire` by a function that has awaited something before, in the
 *   function that called it;
 * - that of a `tryAcquire`; acquires that wait at once for several;
 * - tasks that hold a lease of one pool and wait for another pool, or of one key
 *   and wait for another.
 *
 * Reported though nobody waits for himself is what a task has started without an
 * `await` and acquires while the task holds, or the other way round; and what a
 * task acquires when it has handed its lease to another that has not ended it.
 * `asTask` sets such a one apart.
 *
 * @throws {TypeError} if an option is of the wrong kind, or not known
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { asTask, watchNesting } from "@lease/pool/nesting";
 *
 * await using pool = new Pool({
 *   create: () => ({}),
 *   max: 10,
 *   nesting: watchNesting({ nested: "throw" }),
 * });
 *
 * await asTask(async () => {
 *   using _lease = await pool.acquire();
 *   await pool.acquire().catch(({ message }) => {
 *     console.log(message.includes("tasks × (2 − 1) + 1")); // true
 *   });
 * });
 * ```
 */
export function watchNesting(options: WatchNestingOptions = {}): NestingWatch {
  const check = new Check("Cannot watch nesting");
  check.that("options", options, OBJECT);
  check.names(options, ["nested"]);
  const { nested = "warn" } = options;
  check.that("nested", nested, NESTED);
  const report = nested === "throw"
    ? () => true
    : nested === "warn"
    ? warning()
    : telling(nested);
  return (pool, acquirer) => new Front(pool, acquirer, report);
}

/**
 * Runs `fn` as a task of its own, which holds nothing yet, and gives what it gives:
 * for a request whose code acquires without `use`, and for what a task starts and
 * does not await at once.
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { asTask, watchNesting } from "@lease/pool/nesting";
 *
 * await using pool = new Pool({
 *   create: () => ({ log: (_line: string) => {} }),
 *   max: 10,
 *   nesting: watchNesting(),
 * });
 *
 * let audit: Promise<void> | undefined;
 * await pool.use(() => {
 *   audit = asTask(() => pool.use((conn) => conn.log("used"))); // does not warn
 * });
 * await audit;
 * ```
 */
export function asTask<R>(fn: () => R): R {
  return run([], fn);
}

/** Warns once for each place; where none can be told, once. */
function warning(): Report {
  const places = new Set<string | undefined>();
  return (error, place) => {
    if (!places.has(place)) console.warn(error.stack);
    places.add(place);
    return false;
  };
}

/** Holds nothing while it tells, as a listener may acquire, too. */
function telling(listener: (error: NestedAcquireError) => unknown): Report {
  return (error) => {
    try {
      Promise.resolve(run([], () => listener(error))).catch(() => {});
    } catch {
      // It only watches.
    }
    return false;
  };
}
