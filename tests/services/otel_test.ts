/** What `@lease/pool/otel` has Deno itself send to a collector. */
import { assert, assertEquals } from "@std/assert";
import { until } from "../fixture.ts";
import { test } from "../test.ts";

const PROGRAM = new URL("otel_program.ts", import.meta.url).pathname;
const PREFIX = "db.client.connection.";
const POOL = `${PREFIX}pool.name`;

/** As OTLP has it in JSON. */
interface Attribute {
  key: string;
  value: { stringValue?: string; doubleValue?: number };
}

interface Point {
  attributes?: Attribute[];
  asInt?: string | number;
  asDouble?: number;
  count?: string | number;
  sum?: number;
  explicitBounds?: number[];
}

interface Metric {
  name: string;
  unit: string;
  sum?: { dataPoints: Point[]; isMonotonic?: boolean };
  histogram?: { dataPoints: Point[] };
}

interface Span {
  name: string;
  events?: { name: string; attributes: Attribute[] }[];
}

/** Takes what is sent to it over HTTP, and keeps it. */
class Collector implements AsyncDisposable {
  /** The metrics of each collection. */
  readonly collections: Metric[][] = [];
  readonly spans: Span[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, async (request) => {
      const { pathname } = new URL(request.url);
      const body = await request.json();
      if (pathname === "/v1/metrics") {
        const scopes = body.resourceMetrics.flatMap((resource: {
          scopeMetrics: { scope: { name: string }; metrics: Metric[] }[];
        }) => resource.scopeMetrics);
        const ours = scopes.filter((scope: { scope: { name: string } }) =>
          scope.scope.name === "shop"
        );
        this.collections.push(
          ours.flatMap((scope: { metrics: Metric[] }) => scope.metrics),
        );
      } else if (pathname === "/v1/traces") {
        for (const { scopeSpans } of body.resourceSpans) {
          for (const { spans } of scopeSpans) this.spans.push(...spans);
        }
      }
      return Response.json({});
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The points of the last collection, or an earlier, by metric, pool and state. */
function points(metrics: Metric[]): Record<string, Point> {
  const series: Record<string, Point> = {};
  for (const { name, sum, histogram } of metrics) {
    for (const point of (sum ?? histogram)!.dataPoints) {
      const values = (point.attributes ?? [])
        .toSorted((a, b) => a.key < b.key ? -1 : 1)
        .map(({ value }) => value.stringValue);
      series[[name.slice(PREFIX.length), ...values].join(" ")] = point;
    }
  }
  return series;
}

function numbers(metrics: Metric[]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(points(metrics)).map(([name, point]) => [
      name,
      Number(point.asInt ?? point.asDouble ?? point.count),
    ]),
  );
}

test("otel on Deno: a collector gets the metrics of two pools, and the long wait on the span of who waited", async () => {
  await using collector = new Collector();
  await using program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-env", PROGRAM],
    env: {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_METRIC_EXPORT_INTERVAL: "50",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = program.stdin.getWriter();
  const output = program.stdout.getReader();
  /**
   * Has the program take a step, and gives what is collected when one that was
   * under way, and one that heard of an end, are through.
   */
  const step = async (): Promise<Metric[]> => {
    await input.write(new TextEncoder().encode("\n"));
    assertEquals((await output.read()).done, false);
    const { length } = collector.collections;
    await until(() => collector.collections.length > length + 2);
    return collector.collections.at(-1)!;
  };
  const open = await step();
  assertEquals(
    open.map(({ name, unit }) => `${name.slice(PREFIX.length)} ${unit}`).sort(),
    [
      ...["count {connection}", "create_time s", "idle.max {connection}"],
      ...["idle.min {connection}", "limit {connection}"],
      ...["pending_requests {request}", "timeouts {timeout}"],
      ...["use_time s", "wait_time s"],
    ],
  );
  assertEquals(numbers(open), {
    ...{ "count orders idle": 1, "count orders used": 0 },
    ...{ "count users idle": 1, "count users used": 0 },
    ...{ "idle.max orders": 1, "idle.max users": 2 },
    ...{ "idle.min orders": 0, "idle.min users": 1 },
    ...{ "limit orders": 1, "limit users": 2 },
    ...{ "pending_requests orders": 0, "pending_requests users": 0 },
    ...{ "timeouts orders": 1, "timeouts users": 0 },
    ...{ "create_time orders": 1, "create_time users": 1 },
    ...{ "wait_time orders": 2, "wait_time users": 1 },
    ...{ "use_time orders": 2, "use_time users": 1 },
  });
  const { "use_time orders": use } = points(open);
  assert(use!.sum! > 0.2 && use!.sum! < 10, `${use!.sum} s`);
  const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
  assertEquals(use!.explicitBounds, seconds);

  const closed = numbers(await step());
  assertEquals(
    Object.keys(closed).filter((name) =>
      name.includes("users") && !/^timeouts|time /.test(name)
    ),
    [],
    "the series of what was counted have ended",
  );
  assertEquals(closed["limit orders"], 1);
  const last = collector.collections.map(numbers).findLast((series) =>
    "limit users" in series
  )!;
  const { "limit users": limit, "count users idle": idle } = last;
  assertEquals([limit, idle], [0, 0]);

  await until(() => collector.spans.length >= 2);
  const waits = collector.spans.map(({ name, events = [] }) => [
    name,
    events.map(({ name }) => name),
  ]);
  assertEquals(waits.sort(), [
    ["holder", []],
    ["waiter", ["lease.pool.long_wait"]],
  ]);
  const { attributes } = collector.spans.find(({ name }) => name === "waiter")!
    .events![0]!;
  const told = new Map(attributes.map(({ key, value }) => [key, value]));
  assertEquals(told.get(POOL)?.stringValue, "orders");
  const wait = told.get("lease.pool.wait")!.doubleValue!;
  assert(wait >= 0.1 && wait < 10, `waited for ${wait} s`);

  await input.write(new TextEncoder().encode("\n"));
  await output.read();
  output.releaseLock();
  await program.stdout.cancel();
  await input.close();
  assertEquals((await program.status).success, true);
});
