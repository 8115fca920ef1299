import type { Counter, Histogram, Meter } from "./api.ts";

/** Those that the conventions advise for `db.client.operation.duration`. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** All of `db.client.connection.*` in the semantic conventions 1.45. */
export class Instruments {
  readonly count: object;
  readonly idleMax: object;
  readonly idleMin: object;
  readonly limit: object;
  readonly pending: object;
  readonly timeouts: Counter;
  readonly createTime: Histogram;
  readonly waitTime: Histogram;
  readonly useTime: Histogram;

  constructor(meter: Meter) {
    const observable = (name: string, unit: string, description: string) =>
      meter.createObservableUpDownCounter(named(name), { unit, description });
    const histogram = (name: string, description: string) =>
      meter.createHistogram(named(name), {
        unit: "s",
        description,
        advice: { explicitBucketBoundaries: [...SECONDS] },
      });
    this.count = observable(
      "count",
      "{connection}",
      "The number of connections that are currently in state described by the state attribute.",
    );
    this.idleMax = observable(
      "idle.max",
      "{connection}",
      "The maximum number of idle open connections allowed.",
    );
    this.idleMin = observable(
      "idle.min",
      "{connection}",
      "The minimum number of idle open connections allowed.",
    );
    this.limit = observable(
      "limit",
      "{connection}",
      "The maximum number of open connections allowed.",
    );
    this.pending = observable(
      "pending_requests",
      "{request}",
      "The number of current pending requests for an open connection.",
    );
    this.timeouts = meter.createCounter(named("timeouts"), {
      unit: "{timeout}",
      description:
        "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    });
    this.createTime = histogram(
      "create_time",
      "The time it took to create a new connection.",
    );
    this.waitTime = histogram(
      "wait_time",
      "The time it took to obtain an open connection from the pool.",
    );
    this.useTime = histogram(
      "use_time",
      "The time between borrowing a connection and returning it to the pool.",
    );
  }

  get observables(): object[] {
    const { count, idleMax, idleMin, limit, pending } = this;
    return [count, idleMax, idleMin, limit, pending];
  }
}

function named(name: string): string {
  return `db.client.connection.${name}`;
}
