/**
 * Two pools that report to OpenTelemetry, as Deno has it built in. It goes on by
 * a step for each line of its input, and says when a step is done.
 */
import { metrics, trace } from "@opentelemetry/api";
import { delay } from "@std/async/delay";
import { Pool } from "../../mod.ts";
import { otelObserver } from "../../src/otel/mod.ts";

const telemetry = otelObserver(metrics.getMeter("shop"), {
  longWait: { trace, after: 100 },
});
const tracer = trace.getTracer("shop");

const [orders, users] = ["orders", "users"].map((name, i) => {
  const pool = new Pool({
    create: () => delay(20).then(() => ({})),
    ...{ name, max: i + 1, min: i },
  });
  telemetry.watch(pool);
  return pool;
}) as [Pool<object>, Pool<object>];

/** A use in a span of its own; the spans have the names of the requests. */
function request(name: string, ms: number): Promise<void> {
  return tracer.startActiveSpan(name, async (span) => {
    await orders.use(() => delay(ms)).catch(() => {});
    span.end();
  });
}

const steps: (() => unknown)[] = [
  async () => {
    await users.use(() => {});
    const holder = request("holder", 200);
    await delay(30);
    const late = orders.acquire({ timeout: 50 }).catch(() => {});
    await Promise.all([holder, request("waiter", 10), late]);
  },
  () => users.close(),
  () => orders.close(),
];
for await (const _ of Deno.stdin.readable) {
  await steps.shift()!();
  console.log("done");
  if (steps.length === 0) break;
}
