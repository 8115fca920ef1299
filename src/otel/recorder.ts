import type { PoolObserver } from "../pool_observer.ts";
import type {
  Attributes,
  BatchResult,
  Meter,
  OtelObserver,
  Trace,
  WatchedPool,
} from "./api.ts";
import { Instruments } from "./instruments.ts";

const POOL_NAME = "db.client.connection.pool.name";
const STATE = "db.client.connection.state";

/** The argument of the event of a method. */
type Event<K extends keyof PoolObserver<unknown>> = Parameters<
  NonNullable<PoolObserver<unknown>[K]>
>[0];

/** Records what it is told, and what pools are when that is collected. */
export class Recorder implements OtelObserver {
  readonly #instruments: Instruments;
  readonly #trace: Trace | undefined;
  readonly #after: number;
  readonly #watches = new Map<WatchedPool, Disposable>();
  /** By their names; a name without any is still to be told of once. */
  readonly #pools = new Map<string, Set<WatchedPool>>();

  constructor(meter: Meter, trace: Trace | undefined, after: number) {
    this.#instruments = new Instruments(meter);
    this.#trace = trace;
    this.#after = after;
    meter.addBatchObservableCallback(
      (result) => this.#observe(result),
      this.#instruments.observables as never[],
    );
  }

  watch(pool: WatchedPool): Disposable {
    const known = this.#watches.get(pool);
    if (known !== undefined) return known;
    const { name } = pool;
    const pools = this.#pools.get(name) ?? new Set();
    this.#pools.set(name, pools.add(pool));
    // The series is there before the first.
    this.#instruments.timeouts.add(0, { [POOL_NAME]: name });
    const end = () => {
      // It may be watched again since.
      if (this.#watches.get(pool) !== watch) return;
      pools.delete(pool);
      this.#watches.delete(pool);
      for (const observing of observings) observing[Symbol.dispose]();
    };
    const observings: Disposable[] = [];
    const watch = { [Symbol.dispose]: end };
    this.#watches.set(pool, watch);
    // Last, as one that has closed before says so at once.
    for (const observer of [this, { closed: end }]) {
      observings.push(pool.observe(observer));
    }
    return watch;
  }

  created({ pool, duration }: Event<"created">): void {
    const { createTime } = this.#instruments;
    createTime.record(duration / 1_000, { [POOL_NAME]: pool });
  }

  acquired({ pool, wait }: Event<"acquired">): void {
    const { waitTime } = this.#instruments;
    waitTime.record(wait / 1_000, { [POOL_NAME]: pool });
    this.#waited(pool, wait);
  }

  acquireFailed({ pool, error, wait }: Event<"acquireFailed">): void {
    const { timeouts } = this.#instruments;
    const isTimeout = Object(error).code === "ACQUIRE_TIMEOUT";
    if (isTimeout) timeouts.add(1, { [POOL_NAME]: pool });
    this.#waited(pool, wait);
  }

  released({ pool, use }: Event<"released">): void {
    this.#used(pool, use);
  }

  detached({ pool, use }: Event<"detached">): void {
    this.#used(pool, use);
  }

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
