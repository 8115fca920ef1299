import type { PoolObserver } from "../pool_observer.ts";
import type { Attributes, BatchResult, Meter, Trace } from "./api.ts";
import { Instruments } from "./instruments.ts";

const POOL_NAME = "db.client.connection.pool.name";
const STATE = "db.client.connection.state";

/** What is needed of a `Pool`. */
export interface WatchedPool {
  /** The option `name`. */
  readonly name: string;
  /** How many resources it keeps. */
  readonly min: number;
  /** Its counts, now. */
  stats(): { idle: number; used: number; pending: number; max: number };
  /** Has an observer told of what happens. */
  observe(observer: PoolObserver<unknown>): Disposable;
}

/** The argument of the event of a method. */
type Event<K extends keyof PoolObserver<unknown>> = Parameters<
  NonNullable<PoolObserver<unknown>[K]>
>[0];

/**
 * Made by `otelObserver`. It records what it is told; `watch` has it told.
 *
 * @example
 * ```ts ignore
 * import { metrics } from "@opentelemetry/api";
 * import { otelObserver } from "@lease/pool/otel";
 *
 * using _watching = otelObserver(metrics.getMeter("shop")).watch(pool);
 * ```
 */
export class OtelObserver implements PoolObserver<unknown> {
  readonly #instruments: Instruments;
  readonly #trace: Trace | undefined;
  readonly #after: number;
  readonly #watches = new Map<WatchedPool, Disposable>();
  /** By their names; a name without any is still to be told of once. */
  readonly #pools = new Map<string, Set<WatchedPool>>();

  /** Comes from `otelObserver`. */
  constructor(meter: Meter, trace: Trace | undefined, after: number) {
    this.#instruments = new Instruments(meter);
    this.#trace = trace;
    this.#after = after;
    meter.addBatchObservableCallback(
      (result) => this.#observe(result),
      this.#instruments.observables as never[],
    );
  }

  /** Records all of a pool until it has closed, or this is disposed of. */
  watch(pool: WatchedPool): Disposable {
    const known = this.#watches.get(pool);
    if (known !== undefined) return known;
    const { name } = pool;
    const pools = this.#pools.get(name) ?? new Set();
    this.#pools.set(name, pools.add(pool));
    // The series is there before the first.
    this.#instruments.timeouts.add(0, { [POOL_NAME]: name });
    const end = () => {
      pools.delete(pool);
      this.#watches.delete(pool);
      for (const observing of observings) observing[Symbol.dispose]();
    };
    const observings = [this, { closed: end }].map((observer) =>
      pool.observe(observer)
    );
    const watch = { [Symbol.dispose]: end };
    this.#watches.set(pool, watch);
    return watch;
  }

  /** Records how long the create took. */
  created({ pool, duration }: Event<"created">): void {
    const { createTime } = this.#instruments;
    createTime.record(duration / 1_000, { [POOL_NAME]: pool });
  }

  /** Records how long the acquire waited. */
  acquired({ pool, wait }: Event<"acquired">): void {
    const { waitTime } = this.#instruments;
    waitTime.record(wait / 1_000, { [POOL_NAME]: pool });
    this.#waited(pool, wait);
  }

  /** Counts the acquire if its time has passed. */
  acquireFailed({ pool, error, wait }: Event<"acquireFailed">): void {
    const { timeouts } = this.#instruments;
    const isTimeout = Object(error).code === "ACQUIRE_TIMEOUT";
    if (isTimeout) timeouts.add(1, { [POOL_NAME]: pool });
    this.#waited(pool, wait);
  }

  /** Records how long the lease was held. */
  released({ pool, use }: Event<"released">): void {
    this.#used(pool, use);
  }

  /** The same, if a lease has ended with it. */
  destroyBegan({ pool, use }: Event<"destroyBegan">): void {
    if (use !== undefined) this.#used(pool, use);
  }

  #used(pool: string, use: number): void {
    this.#instruments.useTime.record(use / 1_000, { [POOL_NAME]: pool });
  }

  #waited(pool: string, wait: number): void {
    if (this.#trace === undefined || wait < this.#after) return;
    this.#trace.getActiveSpan()?.addEvent("lease.pool.long_wait", {
      [POOL_NAME]: pool,
      "lease.pool.wait": wait / 1_000,
    });
  }

  #observe(result: BatchResult): void {
    for (const [name, pools] of this.#pools) {
      const attributes: Attributes = { [POOL_NAME]: name };
      const sum = { idle: 0, used: 0, pending: 0, max: 0, min: 0 };
      for (const pool of pools) {
        const { idle, used, pending, max } = pool.stats();
        sum.idle += idle;
        sum.used += used;
        sum.pending += pending;
        sum.max += max;
        sum.min += pool.min;
      }
      const { count, idleMax, idleMin, limit, pending } = this.#instruments;
      result.observe(count, sum.idle, { ...attributes, [STATE]: "idle" });
      result.observe(count, sum.used, { ...attributes, [STATE]: "used" });
      result.observe(idleMax, sum.max, attributes);
      result.observe(idleMin, sum.min, attributes);
      result.observe(limit, sum.max, attributes);
      result.observe(pending, sum.pending, attributes);
      // Else a reader that adds up would go on with what it heard last.
      if (pools.size === 0) this.#pools.delete(name);
    }
  }
}
