/** What may happen in the world of a scope, beside acquire and release. */
export const FAULTS = [
  "createFails",
  "createTimesOut",
  "cancel",
  "acquireTimesOut",
  "leaseDestroyed",
  "destroyThrows",
  "destroyTimesOut",
  "invalid",
  "validateThrows",
  "validateTimesOut",
  "ticks",
  "clear",
  "close",
  "abandon",
  "tryAcquire",
  "acquireNow",
  "affinity",
  "maxPending",
] as const;

export type Fault = typeof FAULTS[number];

/** How much of the world is explored, and which of its faults happen. */
export interface Scope {
  readonly name: string;
  readonly capacities: readonly number[];
  readonly isolated: boolean;
  readonly clients: number;
  /** How often each client acquires. */
  readonly takes: number;
  readonly validate: "never" | "sync" | "async";
  readonly faults: ReadonlySet<Fault>;
}

/** Pairs of faults that no scope holds. */
export function missingPairs(scopes: readonly Scope[]): [Fault, Fault][] {
  return FAULTS.flatMap((a, i) =>
    FAULTS.slice(i + 1)
      .filter((b) =>
        !scopes.some(({ faults }) => faults.has(a) && faults.has(b))
      )
      .map((b): [Fault, Fault] => [a, b])
  );
}

/** All faults but those named, and but those that cannot happen anyway. */
function all(
  validate: Scope["validate"],
  ...but: readonly Fault[]
): ReadonlySet<Fault> {
  const never: readonly Fault[] = validate === "async"
    ? []
    : validate === "sync"
    ? ["validateTimesOut"]
    : ["invalid", "validateThrows", "validateTimesOut"];
  return new Set(
    FAULTS.filter((fault) => !never.includes(fault) && !but.includes(fault)),
  );
}

const ONE_STRIPE = { isolated: false, clients: 3 };
const TWO_STRIPES = { capacities: [1, 1], clients: 3, takes: 2 };

/** What comes to the same as a fault that the largest products keep. */
const ALIKE = ["acquireNow", "validateThrows", "destroyTimesOut"] as const;

/**
 * What `deno task model` explores and replays, the longest first: full
 * products, but that one stripe needs no affinity, that `maxPending` changes
 * all else, and that the largest do without a few.
 */
export const SCOPES: readonly Scope[] = [
  {
    ...TWO_STRIPES,
    name: "2 stripes × 1, 3 clients × 2, one line, validate async",
    isolated: false,
    validate: "async",
    faults: all(
      "async",
      "maxPending",
      ...ALIKE,
      "createTimesOut",
      "destroyThrows",
      "leaseDestroyed",
    ),
  },
  {
    ...TWO_STRIPES,
    name: "2 stripes × 1, 3 clients × 2, isolated, validate never",
    isolated: true,
    validate: "never",
    faults: all("never", "maxPending", ...ALIKE),
  },
  {
    ...TWO_STRIPES,
    name: "2 stripes × 1, 3 clients × 2, isolated, validate async",
    isolated: true,
    validate: "async",
    faults: all(
      "async",
      "maxPending",
      ...ALIKE,
      "createTimesOut",
      "destroyThrows",
      "leaseDestroyed",
      "tryAcquire",
    ),
  },
  {
    ...TWO_STRIPES,
    name: "2 stripes × 1, 3 clients × 2, one line, validate never",
    isolated: false,
    validate: "never",
    faults: all("never", "maxPending"),
  },
  ...[false, true].map((isolated): Scope => ({
    name: `2 stripes × 2 and 1, 3 clients × 1, ${
      isolated ? "isolated" : "one line"
    }, validate async, maxPending`,
    capacities: [2, 1],
    clients: 3,
    takes: 1,
    isolated,
    validate: "async",
    faults: all("async"),
  })),
  {
    ...ONE_STRIPE,
    name: "1 stripe × 2, 3 clients × 2, validate async, maxPending",
    capacities: [2],
    takes: 2,
    validate: "async",
    faults: all("async", "affinity"),
  },
  ...(["async", "sync", "never"] as const).flatMap((validate): Scope[] =>
    [1, 2].map((capacity) => ({
      ...ONE_STRIPE,
      name: `1 stripe × ${capacity}, 3 clients × ${
        4 - capacity
      }, validate ${validate}`,
      capacities: [capacity],
      takes: 4 - capacity,
      validate,
      faults: all(validate, "affinity", "maxPending"),
    }))
  ),
];

/** Small enough for every run of the tests on every runtime. */
export const SMALL_SCOPES: readonly Scope[] = [
  {
    name: "1 stripe × 1, 2 clients × 2, validate async",
    capacities: [1],
    isolated: false,
    clients: 2,
    takes: 2,
    validate: "async",
    faults: all("async", "affinity", "maxPending"),
  },
  {
    name: "1 stripe × 2, 3 clients × 1, validate sync, maxPending",
    capacities: [2],
    isolated: false,
    clients: 3,
    takes: 1,
    validate: "sync",
    faults: all("sync", "affinity"),
  },
  ...[false, true].map((isolated): Scope => ({
    name: `2 stripes × 1, 3 clients × 1, ${isolated ? "isolated" : "one line"}`,
    capacities: [1, 1],
    isolated,
    clients: 3,
    takes: 1,
    validate: "never",
    faults: all(
      "never",
      "maxPending",
      ...ALIKE,
      "destroyThrows",
      "createTimesOut",
    ),
  })),
  {
    name:
      "1 stripe × 2, 3 clients × 2, validate async, cancel and invalid only",
    capacities: [2],
    isolated: false,
    clients: 3,
    takes: 2,
    validate: "async",
    faults: new Set(["cancel", "invalid"]),
  },
  {
    name: "2 stripes × 2 and 1, 3 clients × 1, one line, affinity only",
    capacities: [2, 1],
    isolated: false,
    clients: 3,
    takes: 1,
    validate: "never",
    faults: new Set(["affinity"]),
  },
];
