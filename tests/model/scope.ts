/** What may happen in the world of a scope, beside acquire and release. */
export const FAULTS = [
  /** A create fails: who came before it is told, or nobody. */
  "createFails",
  "failureKept",
  /** All who came before a place are rejected. */
  "rejected",
  "cancel",
  "leaseDestroyed",
  "invalid",
  "postponed",
  /** A taker leaves before its resource is validated. */
  "passed",
  /** What was released or checked in the same tick is not validated. */
  "trusted",
  "inspected",
  "distrusted",
  "ticks",
  "parts",
  /** Resources live for a tick or two; they are used twice at most. */
  "dies",
  "wears",
  "retired",
  /** A resource is lost: at any place, on its way to a lease, unborn. */
  "lost",
  "lostOnWay",
  "lostUnborn",
  "overdue",
  /** The allowance, the stock, what is owed to those who wait change. */
  "allowed",
  "stocked",
  "owed",
  /** One create of the whole pool is in flight. */
  "gated",
  "clear",
  "close",
  "abandon",
  "tryAcquire",
  "affinity",
] as const;

/** What may happen under pressure, in scopes of their own. */
export const PRESSURES = [
  "priority",
  "resized",
  "paused",
  "detached",
  "useEnded",
  "shortened",
  /** Permits of a budget: granted, let go of, to be yielded. */
  "permitted",
  "letGo",
  "yieldTo",
  "oldestFirst",
  "shed",
] as const;

export type Fault = typeof FAULTS[number] | typeof PRESSURES[number];

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

type Shape = Omit<Scope, "name" | "faults">;

/** Pairs of some faults that no scope holds. */
export function missingPairs(
  faults: readonly Fault[],
  scopes: readonly Scope[],
): [Fault, Fault][] {
  return faults.flatMap((a, i) =>
    faults.slice(i + 1)
      .filter((b) =>
        !scopes.some(({ faults }) => faults.has(a) && faults.has(b))
      )
      .map((b): [Fault, Fault] => [a, b])
  );
}

/** The scope of a shape, with those of the faults that can happen in it. */
function scope(
  capacities: readonly number[],
  clients: number,
  takes: number,
  validate: Scope["validate"],
  faults: readonly Fault[],
  isolated = false,
): Scope {
  const never: Fault[] = validate === "async"
    ? []
    : ["postponed", "passed", "trusted", "inspected", "distrusted"];
  if (validate === "never") never.push("invalid");
  if (capacities.length === 1) never.push("affinity");
  const held = new Set(faults.filter((fault) => !never.includes(fault)));
  const kinds = held.size < 5
    ? [...held].join(" & ")
    : `${held.size} kinds of fault`;
  const lines = isolated ? "isolated" : "one line";
  const shared = capacities.length > 1 ? `, ${lines}` : "";
  return {
    capacities,
    isolated,
    clients,
    takes,
    validate,
    name: `${capacities.join(" + ")} slots, ${clients} clients × ${takes}` +
      `${shared}, validate ${validate}, ${kinds}`,
    faults: held,
  };
}

/** What can happen to a pool without policies. */
const PLAIN: readonly Fault[] = [
  "createFails",
  "cancel",
  "leaseDestroyed",
  "invalid",
  "postponed",
  "ticks",
  "clear",
  "close",
  "abandon",
  "tryAcquire",
  "affinity",
];

/** What is left to smaller scopes. */
const ASIDE: readonly Fault[] = ["leaseDestroyed", "abandon", "tryAcquire"];

/** What policies say of creates. */
const CREATES: readonly Fault[] = [
  "createFails",
  "failureKept",
  "rejected",
  "overdue",
  "lostUnborn",
  "allowed",
  "stocked",
  "owed",
  "gated",
  "cancel",
];

/** What ends a resource, or its idle time. */
const ENDS: readonly Fault[] = [
  "ticks",
  "parts",
  "dies",
  "wears",
  "retired",
  "lost",
  "lostOnWay",
  "clear",
  "close",
];

/** What becomes of one under `validate`. */
const CHECKS: readonly Fault[] = [
  "invalid",
  "postponed",
  "passed",
  "inspected",
  "distrusted",
  "cancel",
];

function but(faults: readonly Fault[], ...less: readonly Fault[]) {
  return faults.filter((fault) => !less.includes(fault));
}

/** Some of those with what they are about. */
const ORDER: readonly Fault[] = ["priority", "ticks", "cancel"];
const SIZE: readonly Fault[] = ["resized", "createFails", "cancel", "close"];
const PAUSE: readonly Fault[] = ["paused", "cancel", "detached", "close"];
const BUDGET: readonly Fault[] = ["permitted", "letGo", "yieldTo"];

/** Small enough for every run of the tests on every runtime. */
export const SMALL_SCOPES: readonly Scope[] = [
  scope([1], 2, 2, "async", [...PLAIN, "parts"]),
  scope([2], 2, 1, "sync", [...PLAIN, "parts"]),
  scope([1, 1], 2, 1, "never", PLAIN),
  scope([1, 1], 2, 1, "never", PLAIN, true),
  scope([1], 2, 1, "never", [...CREATES, "leaseDestroyed", "lost"]),
  scope([1], 2, 1, "async", [...CHECKS, ...but(ENDS, "parts", "dies")]),
  scope([1, 1], 2, 1, "never", but(CREATES, "allowed", "stocked"), true),
  scope([1], 3, 1, "never", [...ORDER, "shed"]),
  scope([1], 2, 1, "never", [...SIZE, ...PAUSE, "useEnded"]),
  scope([1], 2, 1, "never", [...BUDGET, "ticks"]),
  scope([1], 2, 1, "never", ["shortened", "dies", "ticks", "oldestFirst"]),
  scope([1], 2, 1, "never", ["yieldTo", "letGo", "stocked"]),
  scope([1], 2, 1, "never", ["yieldTo", "shed", "permitted", "paused"]),
  scope([1], 2, 1, "never", ["yieldTo", "paused", "cancel", "ticks"]),
  scope([2], 2, 1, "never", [...BUDGET, "leaseDestroyed"]),
  scope([1, 1], 2, 1, "never", ["letGo", "ticks", "affinity"]),
  scope([2], 2, 2, "never", ["oldestFirst", "ticks"]),
];

/** What `deno task model` explores and replays. */
export const SCOPES: readonly Scope[] = [
  scope([2, 2], 3, 1, "async", but(PLAIN, ...ASIDE, "affinity", "ticks")),
  scope([2, 2], 3, 1, "never", PLAIN),
  scope([2, 2], 3, 1, "async", but(PLAIN, "ticks"), true),
  scope([2, 2], 3, 1, "never", PLAIN, true),
  ...(["async", "sync", "never"] as const).flatMap((validate) => [
    scope([1], 3, 3, validate, [...PLAIN, "parts"]),
    scope([2], 2, 2, validate, [...PLAIN, "parts"]),
  ]),
  // All that can happen to one slot.
  scope([1], 2, 1, "async", but(FAULTS, "allowed", "stocked", "gated")),
  scope([1], 2, 1, "async", but(FAULTS, "ticks", "parts", "dies", "wears")),
  scope([1], 2, 1, "never", FAULTS),
  scope([1], 3, 1, "async", but(FAULTS, "allowed", "stocked", "dies")),
  // Policies by pairs, on two.
  scope([2], 3, 1, "never", [...CREATES, "leaseDestroyed", "close"]),
  scope([2], 2, 1, "never", [...ENDS, "stocked"]),
  scope([2], 2, 1, "async", [
    ...CHECKS,
    ...but(ENDS, "parts", "dies", "wears"),
  ]),
  scope([2], 3, 1, "async", [...CHECKS, "ticks", "trusted", "lostOnWay"]),
  scope([2], 2, 1, "sync", [
    ...but(CREATES, "allowed", "stocked"),
    "invalid",
    "lost",
    "lostOnWay",
  ]),
  scope([3], 3, 1, "async", ["ticks", "distrusted", "stocked", "cancel"]),
  // Where a stripe is chosen, or a line has its turn.
  scope([1, 1], 2, 1, "never", [
    ...but(CREATES, "rejected", "stocked", "gated", "cancel"),
    "affinity",
  ]),
  scope([1, 1], 2, 1, "never", [
    "affinity",
    "rejected",
    "stocked",
    "gated",
    "cancel",
  ]),
  scope([1, 1], 2, 1, "async", [...CHECKS, "lost", "lostOnWay", "affinity"]),
  scope([1, 1], 2, 1, "async", [...but(ENDS, "lost"), "trusted", "affinity"]),
  scope([1, 1], 2, 1, "never", but(CREATES, "allowed", "stocked"), true),
  scope([1, 1], 2, 1, "never", ["gated", "stocked", "clear"], true),
  // Under pressure.
  scope([1], 3, 1, "never", [...ORDER, "shed", "createFails", "rejected"]),
  scope([1], 3, 1, "never", ["priority", "ticks", "shed", "yieldTo"]),
  scope([1], 3, 1, "async", ["priority", "ticks", "invalid", "lostOnWay"]),
  scope([2], 2, 1, "never", [...SIZE, ...PAUSE, "lost", "clear"]),
  scope([2], 2, 1, "never", ["resized", "paused", "detached", "shed"]),
  scope([2], 3, 1, "never", ["useEnded", "cancel", "leaseDestroyed"]),
  scope([2, 1], 2, 1, "never", [...SIZE, "affinity", "detached"]),
  scope([1, 1], 2, 1, "never", ["owed", "detached", "affinity"]),
  scope([1, 1], 2, 1, "never", [...SIZE, "paused"], true),
  scope([1], 2, 1, "async", [...PAUSE, ...but(CHECKS, "distrusted"), "shed"]),
  scope([2], 3, 1, "never", ["paused", "ticks", "owed"]),
  scope([1], 2, 1, "never", [...BUDGET, "ticks", "stocked", "cancel"]),
  scope([2], 2, 1, "never", [...BUDGET, "leaseDestroyed"]),
  scope([1, 1], 2, 1, "never", [...BUDGET, "resized"]),
  scope([1, 1], 2, 1, "never", ["letGo", "ticks", "affinity"]),
  scope([2], 2, 1, "never", ["shortened", "dies", "ticks", "detached"]),
  scope([2], 2, 2, "never", ["oldestFirst", "ticks"]),
  scope([1], 1, 2, "never", PRESSURES),
];
