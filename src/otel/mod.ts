/**
 * The metrics of a pool by the semantic conventions of OpenTelemetry, and its
 * long waits on the spans of those who wait.
 *
 * ```ts ignore
 * import { metrics, trace } from "@opentelemetry/api";
 * import { Pool } from "@lease/pool";
 * import { otelObserver } from "@lease/pool/otel";
 *
 * const telemetry = otelObserver(metrics.getMeter("shop"), {
 *   longWait: { trace, after: 100 },
 * });
 *
 * await using pool = new Pool({ name: "orders", create, max: 10 });
 * telemetry.watch(pool);
 * ```
 *
 * @module
 */

import { Check, DURATION, FUNCTION, OBJECT } from "../check.ts";
import type { Meter, OtelObserver, Trace } from "./api.ts";
import { Recorder } from "./recorder.ts";

export type {
  Attributes,
  BatchResult,
  Counter,
  Histogram,
  InstrumentOptions,
  Meter,
  OtelObserver,
  Span,
  Trace,
  WatchedPool,
} from "./api.ts";

/** Options of `otelObserver`. */
export interface OtelObserverOptions {
  /**
   * Has acquires that wait for long, or fail after it, note that on the span that
   * is active where they were called. Default: none, as it needs `trace`.
   */
  longWait?: LongWait | undefined;
}

/** Which waits are noted, and where. */
export interface LongWait {
  /** The `trace` of `@opentelemetry/api`. */
  readonly trace: Trace;
  /**
   * Milliseconds of a wait that is noted, and more. Default 100: what a user
   * begins to feel.
   */
  readonly after?: number | undefined;
}

const METER = [
  "createCounter",
  "createHistogram",
  "createObservableUpDownCounter",
  "addBatchObservableCallback",
] as const;

/**
 * An observer that records what pools do with a meter of `@opentelemetry/api`,
 * which is yours. `watch` a pool for all of it:
 *
 * | `db.client.connection.…` | instrument, unit | what |
 * |---|---|---|
 * | `count` | observable up-down counter, `{connection}` | idle and used, by `db.client.connection.state` |
 * | `idle.max`, `limit` | the same | `max` of the pool |
 * | `idle.min` | the same | `min` of the pool |
 * | `pending_requests` | the same, `{request}` | acquires that are pending |
 * | `timeouts` | counter, `{timeout}` | acquires that failed with an `AcquireTimeoutError` |
 * | `create_time`, `wait_time`, `use_time` | histogram, `s` | of a create, of an acquire until its lease, of a lease |
 *
 * Each has `db.client.connection.pool.name`, the pool's `name`. Pools of one name
 * are added up. Given as the option `observer` of a pool, as where an adapter
 * makes that, it records the times and timeouts alone.
 *
 * When a pool has closed, what was observed of it is 0 once more, and then not
 * reported any more.
 *
 * @throws {TypeError} if an argument is of the wrong kind, or an option not known
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { Pool } from "@lease/pool";
 * import { type Meter, otelObserver } from "@lease/pool/otel";
 *
 * // Stands for `metrics.getMeter("shop")`.
 * const meter: Meter = {
 *   createCounter: () => ({ add: () => {} }),
 *   createHistogram: (name, { unit }) => ({
 *     record: () => console.log(name, unit),
 *   }),
 *   createObservableUpDownCounter: () => ({}),
 *   addBatchObservableCallback: () => {},
 * };
 *
 * await using pool = new Pool({ create: () => ({}), max: 1 });
 * using _watching = otelObserver(meter).watch(pool);
 * await pool.use(() => {}); // db.client.connection.create_time s, …
 * ```
 */
export function otelObserver(
  meter: Meter,
  options: OtelObserverOptions = {},
): OtelObserver {
  const check = new Check("Cannot observe with OpenTelemetry");
  check.that("meter", meter, OBJECT);
  for (const name of METER) check.that(`meter.${name}`, meter[name], FUNCTION);
  check.that("options", options, OBJECT);
  check.names(options, ["longWait"]);
  const { longWait } = options;
  if (longWait === undefined) return new Recorder(meter, undefined, 0);
  check.that("longWait", longWait, OBJECT);
  const { trace, after = 100 } = longWait;
  check.that("longWait.trace", trace, OBJECT);
  check.that("longWait.trace.getActiveSpan", trace.getActiveSpan, FUNCTION);
  check.that("longWait.after", after, DURATION);
  return new Recorder(meter, trace, after);
}
