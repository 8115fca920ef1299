import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type Meter, metrics, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { Pool, type PoolOptions } from "../mod.ts";
import {
  otelObserver,
  type OtelObserverOptions,
  type Trace,
} from "../src/otel/mod.ts";
import { fixture, leaseOf, PLAIN, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

const NAME = conventions.ATTR_DB_CLIENT_CONNECTION_POOL_NAME;
const STATE = conventions.ATTR_DB_CLIENT_CONNECTION_STATE;
const PREFIX = "db.client.connection.";

const { CUMULATIVE, DELTA } = AggregationTemporality;

/** Collects when it is told to. */
class Reader extends MetricReader {
  constructor(temporality: AggregationTemporality) {
    super({ aggregationTemporalitySelector: () => temporality });
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** All metrics, by what comes after the prefix of their names. */
  async metrics() {
    const { resourceMetrics, errors } = await this.collect();
    assertEquals(errors, []);
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return new Map(
      all.map((metric) => [
        metric.descriptor.name.slice(PREFIX.length),
        metric,
      ]),
    );
  }

  /** The values by metric, pool and state; of a histogram, `[count, sum]`. */
  async values(): Promise<Record<string, number | number[]>> {
    const values: Record<string, number | number[]> = {};
    for (const [name, { dataPoints }] of await this.metrics()) {
      for (const { attributes, value } of dataPoints) {
        const { [NAME]: pool, [STATE]: state, ...others } = attributes;
        assertEquals(others, {});
        const series = [name, pool, state].filter((part) => part !== undefined);
        values[series.join(" ")] = typeof value === "number"
          ? value
          : [value.count, value.sum!];
      }
    }
    return values;
  }
}

/** Pools on one clock, whose metrics two readers read. */
function telemetry(options?: OtelObserverOptions) {
  const readers = [CUMULATIVE, DELTA].map((mode) => new Reader(mode));
  const provider = new MeterProvider({ readers });
  const meter: Meter = provider.getMeter("test");
  const observer = otelObserver(meter, options);
  const clock = new VirtualClock();
  const make = (name: string, options: Partial<PoolOptions<object>> = {}) =>
    new Pool<object>({
      create: () => ({}),
      ...{ name, max: 2, clock, ...PLAIN },
      ...options,
    });
  const [total, delta] = readers as [Reader, Reader];
  return { observer, clock, make, total, delta };
}

/** Of a pool that nothing has happened to. */
const counts = (pool: string, max: number, min = 0) => ({
  [`count ${pool} idle`]: 0,
  [`count ${pool} used`]: 0,
  [`idle.max ${pool}`]: max,
  [`idle.min ${pool}`]: min,
  [`limit ${pool}`]: max,
  [`pending_requests ${pool}`]: 0,
});

test("otel: the metrics are all of the conventions that are not deprecated, with their units", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db");
  observer.watch(pool);
  await pool.use(() => {});
  const metrics = await total.metrics();
  const names = Object.entries(conventions)
    .filter(([name]) => name.startsWith("METRIC_DB_CLIENT_CONNECTION_"))
    .map(([, name]) => String(name).slice(PREFIX.length))
    // Named `limit` now.
    .filter((name) => name !== "max");
  assertEquals([...metrics.keys()].sort(), names.sort());
  const kinds = [...metrics].map(([name, metric]) => {
    const isMonotonic = metric.dataPointType === DataPointType.SUM &&
      metric.isMonotonic;
    return [name, metric.descriptor.unit, metric.dataPointType, isMonotonic];
  });
  const { SUM, HISTOGRAM } = DataPointType;
  assertEquals(kinds.sort(), [
    ["count", "{connection}", SUM, false],
    ["create_time", "s", HISTOGRAM, false],
    ["idle.max", "{connection}", SUM, false],
    ["idle.min", "{connection}", SUM, false],
    ["limit", "{connection}", SUM, false],
    ["pending_requests", "{request}", SUM, false],
    ["timeouts", "{timeout}", SUM, true],
    ["use_time", "s", HISTOGRAM, false],
    ["wait_time", "s", HISTOGRAM, false],
  ]);
});

test("otel: counts are those of the pool when they are collected", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db", { max: 3, min: 1 });
  observer.watch(pool);
  const none = { ...counts("db", 3, 1), "timeouts db": 0 };
  assertEquals(await total.values(), none);
  const leases = [1, 2, 3].map(() => pool.acquire());
  (await leases[0]!).release();
  await Promise.all(leases);
  using _again = await pool.acquire();
  watch(pool.acquire());
  watch(pool.acquire());
  const { "count db used": used, "pending_requests db": pending } = await total
    .values();
  assertEquals([used, pending], [3, 2]);
  (await leases[1]!).release();
  (await leases[2]!).release();
  await settled();
  pool.resize(5);
  const now = await total.values();
  assertEquals(now["count db used"], 3);
  assertEquals(now["limit db"], 5);
  assertEquals(now["pending_requests db"], 0);
});

test("otel: times are recorded in seconds, of creates, waits and uses", async () => {
  const { observer, clock, make, total } = telemetry();
  const { promise, resolve } = Promise.withResolvers<object>();
  const pool = make("db", { max: 1, create: () => promise });
  observer.watch(pool);
  const first = watch(pool.acquire());
  await clock.advance(200);
  resolve({});
  await settled();
  await clock.advance(500);
  const second = watch(pool.acquire());
  await clock.advance(1_000);
  leaseOf(first).release();
  await settled();
  await clock.advance(250);
  leaseOf(second).destroy();
  await settled();
  const values = await total.values();
  assertEquals(values["create_time db"], [1, 0.2]);
  assertEquals(values["wait_time db"], [2, 1.2]);
  assertEquals(
    values["use_time db"],
    [2, 1.75],
    "a destroy ends a use as well",
  );
});

test("otel: what is destroyed while nobody holds it is no use", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db");
  observer.watch(pool);
  await pool.use(() => {});
  pool.clear();
  await settled();
  assertEquals((await total.values())["use_time db"], [1, 0]);
});

test("otel: a watch that has ended does not end the next of its pool", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db");
  const first = observer.watch(pool);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await total.values();
  const second = observer.watch(pool);
  first[Symbol.dispose]();
  assertStrictEquals(observer.watch(pool), second);
  await pool.use(() => {});
  const values = await total.values();
  assertEquals([values["count db idle"], values["wait_time db"]], [1, [1, 0]]);
});

test("otel: a detach ends a use", async () => {
  const { observer, clock, make, total } = telemetry();
  const pool = make("db");
  observer.watch(pool);
  const lease = await pool.acquire();
  await clock.advance(250);
  lease.detach();
  assertEquals((await total.values())["use_time db"], [1, 0.25]);
});

test("otel: the histograms advise buckets that tell milliseconds from seconds", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db");
  observer.watch(pool);
  await pool.use(() => {});
  const metrics = await total.metrics();
  for (const name of ["create_time", "wait_time", "use_time"]) {
    const { value } = metrics.get(name)!.dataPoints[0]!;
    const { buckets } = value as { buckets: { boundaries: number[] } };
    const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
    assertEquals(buckets.boundaries, seconds);
  }
});

test("otel: only acquires whose own time has passed are timeouts", async () => {
  const { observer, clock, make, total } = telemetry();
  const pool = make("db", { max: 1, maxPending: 2 });
  observer.watch(pool);
  using _held = await pool.acquire();
  assertEquals((await total.values())["timeouts db"], 0, "it is there at once");
  const controller = new AbortController();
  watch(pool.acquire({ timeout: 10 }));
  watch(pool.acquire({ signal: controller.signal }));
  watch(pool.acquire()); // Refused as full.
  controller.abort(new DOMException("late", "TimeoutError"));
  await clock.advance(10);
  watch(pool.acquire({ signal: AbortSignal.abort(null) }));
  assertEquals((await total.values())["timeouts db"], 1);
});

test("otel: two pools have series of their own, pools of one name are added up", async () => {
  const { observer, make, total } = telemetry();
  const pools = [
    make("a", { max: 1 }),
    make("b", { max: 3, min: 1 }),
    make("b", { max: 4, min: 2 }),
  ];
  for (const pool of pools) observer.watch(pool);
  using _a = await pools[0]!.acquire();
  using _b = await pools[1]!.acquire();
  using _c = await pools[2]!.acquire();
  const values = await total.values();
  const existing = (pool: string) =>
    Number(values[`count ${pool} idle`]) + Number(values[`count ${pool} used`]);
  assertEquals([existing("a"), existing("b")], [1, 3]);
  assertEquals([values["count a used"], values["count b used"]], [1, 2]);
  assertEquals([values["limit a"], values["limit b"]], [1, 7]);
  assertEquals([values["idle.min a"], values["idle.min b"]], [0, 3]);
  assertEquals(values["wait_time a"], [1, 0]);
  assertEquals(values["wait_time b"], [2, 0]);
});

test("otel: the series of a closed pool are 0 once more, then end", async () => {
  const { observer, make, total, delta } = telemetry();
  const [gone, kept] = [make("gone"), make("kept")];
  observer.watch(gone);
  observer.watch(kept);
  await gone.use(() => {});
  const names = Object.keys(counts("gone", 0));
  const of = (values: Record<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, values[name]]));
  const open = { ...counts("gone", 2), "count gone idle": 1 };
  assertEquals(of(await delta.values()), open);
  await gone.close();
  assertEquals(of(await total.values()), counts("gone", 0));
  const last = await delta.values();
  assertEquals(of(last), {
    ...counts("gone", -2),
    "idle.min gone": 0,
    "count gone idle": -1,
  }, "so all that was ever reported adds up to 0");
  const later = Object.keys(await delta.values());
  assertEquals(later.filter((name) => names.includes(name)), []);
  assertEquals(later.includes("limit kept"), true);
  assertEquals(of(await total.values()), counts("gone", 0));
});

test("otel: the series of a pool that has closed before it is watched are 0, then end", async () => {
  const { observer, make, delta } = telemetry();
  const pool = make("gone");
  await pool.close();
  observer.watch(pool);
  const first = await delta.values();
  assertEquals([first["limit gone"], first["idle.min gone"]], [0, 0]);
  assertEquals((await delta.values())["limit gone"], undefined);
});

test("otel: a watch that is disposed of ends as if the pool had closed", async () => {
  const { observer, make, delta } = telemetry();
  const pool = make("db");
  {
    using _watch = observer.watch(pool);
    await pool.use(() => {});
    await delta.values();
  }
  await pool.use(() => {});
  const last = await delta.values();
  assertEquals([last["limit db"], last["use_time db"]], [-2, undefined]);
  assertEquals(await delta.values(), {});
  observer.watch(pool);
  await pool.use(() => {});
  const again = await delta.values();
  assertEquals([again["limit db"], again["use_time db"]], [2, [1, 0]]);
});

test("otel: a pool that is watched twice, and observed besides, is recorded once", async () => {
  const { observer, make, total } = telemetry();
  const pool = make("db", { observer });
  assertStrictEquals(observer.watch(pool), observer.watch(pool));
  await pool.use(() => {});
  const values = await total.values();
  assertEquals([values["limit db"], values["use_time db"]], [2, [1, 0]]);
});

test("otel: as the option of a pool it records times and timeouts alone", async () => {
  const { observer, make, total } = telemetry();
  await make("db", { observer }).use(() => {});
  assertEquals(Object.keys(await total.values()).sort(), [
    ...["create_time db", "use_time db", "wait_time db"],
  ]);
});

test("otel: a wait of the time that is given is an event on the active span, however it ends", async () => {
  const events: unknown[] = [];
  let isActive = true;
  const addEvent = (...event: unknown[]) => void events.push(event);
  const trace: Trace = {
    getActiveSpan: () => isActive ? { addEvent } : undefined,
  };
  const { observer, clock, make } = telemetry({
    longWait: { trace, after: 50 },
  });
  const pool = make("db", { max: 1 });
  observer.watch(pool);
  const held = await pool.acquire();
  const [short, long] = [10, 50].map((timeout) =>
    watch(pool.acquire({ timeout }))
  );
  const served = watch(pool.acquire());
  await clock.advance(50);
  assertEquals([short!.settled, long!.settled], [true, true]);
  const event = (seconds: number) => [
    "lease.pool.long_wait",
    { [NAME]: "db", "lease.pool.wait": seconds },
  ];
  assertEquals(events.splice(0), [event(0.05)]);
  await clock.advance(1_000);
  held.release();
  await settled();
  assertEquals(events.splice(0), [event(1.05)]);
  isActive = false;
  watch(pool.acquire({ timeout: 60 }));
  await clock.advance(60);
  leaseOf(served).release();
  assertEquals(events, [], "no span is active");
});

test("otel: waits are noted from 100 ms on by default", async () => {
  const seconds: unknown[] = [];
  const addEvent = (_: string, attributes: Record<string, unknown>) =>
    void seconds.push(attributes["lease.pool.wait"]);
  const trace: Trace = { getActiveSpan: () => ({ addEvent }) };
  const { observer, clock, make } = telemetry({ longWait: { trace } });
  const pool = make("db", { max: 1, observer });
  using _held = await pool.acquire();
  for (const timeout of [99, 100]) watch(pool.acquire({ timeout }));
  await clock.advance(100);
  assertEquals(seconds, [0.1]);
});

test("otel: the API itself is what is needed, also where nobody has set it up", async () => {
  const observer = otelObserver(metrics.getMeter("test"), {
    longWait: { trace, after: 0 },
  });
  const { pool } = fixture({ max: 1 });
  using _watching = observer.watch(pool);
  await pool.use(() => {});
  assertEquals(pool.stats().idle, 1);
});

test("otel: a meter, or an option, of the wrong kind is refused with the rule", () => {
  const meter = new MeterProvider().getMeter("test");
  const refuse = (wrong: unknown, options: unknown, rule: string) =>
    assertThrows(
      () => otelObserver(wrong as never, options as never),
      Error,
      `Cannot observe with OpenTelemetry as '${rule}`,
    );
  refuse(undefined, undefined, "meter' must be an object");
  refuse({}, undefined, "meter.createCounter' must be a function");
  refuse(meter, 1, "options' must be an object");
  refuse(meter, { longWait: 1 }, "longWait' must be an object");
  refuse(meter, { longWait: {} }, "longWait.trace' must be an object");
  refuse(
    meter,
    { longWait: { trace: {} } },
    "longWait.trace.getActiveSpan' must be a function",
  );
  refuse(
    meter,
    { longWait: { trace, after: NaN } },
    "longWait.after' must be a non-negative number",
  );
  assertThrows(
    () => otelObserver(meter, { longwait: {} } as never),
    TypeError,
    "longWait",
  );
});
