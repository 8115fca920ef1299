/** What may happen in the world of a scope, beside acquire and release. */
export const FAULTS = [
  "createFails",
  "cancel",
  "leaseDestroyed",
  "invalid",
  "postponed",
  "ticks",
  "parts",
  "clear",
  "close",
  "abandon",
  "tryAcquire",
  "affinity",
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

/** The scope of a shape, with all faults that can happen but those named. */
function scope(
  shape: Omit<Scope, "name" | "faults">,
  ...but: readonly Fault[]
): Scope {
  const { capacities, clients, takes, isolated, validate } = shape;
  const never: Fault[] = validate === "async"
    ? []
    : validate === "sync"
    ? ["postponed"]
    : ["invalid", "postponed"];
  if (capacities.length === 1) never.push("affinity");
  const lines = isolated ? "isolated" : "one line";
  const shared = capacities.length > 1 ? `, ${lines}` : "";
  return {
    ...shape,
    name: `${capacities.join(" + ")} slots, ${clients} clients × ${takes}` +
      `${shared}, validate ${validate}`,
    faults: new Set(
      FAULTS.filter((fault) => !never.includes(fault) && !but.includes(fault)),
    ),
  };
}

const SHAPE = { isolated: false, clients: 3 };

/** Small enough for every run of the tests on every runtime. */
export const SMALL_SCOPES: readonly Scope[] = [
  scope({
    capacities: [1],
    isolated: false,
    clients: 2,
    takes: 2,
    validate: "async",
  }),
  scope({
    capacities: [2],
    isolated: false,
    clients: 2,
    takes: 1,
    validate: "sync",
  }),
  scope({
    capacities: [1, 1],
    isolated: false,
    clients: 2,
    takes: 1,
    validate: "never",
  }),
  scope({
    capacities: [1, 1],
    isolated: true,
    clients: 2,
    takes: 1,
    validate: "never",
  }),
];

/** What `deno task model` explores and replays. */
export const SCOPES: readonly Scope[] = [
  ...[[2, 2], [2, 1], [1, 1]].flatMap((capacities) =>
    [false, true].flatMap((isolated) =>
      (["async", "never"] as const).map((validate) =>
        scope(
          { ...SHAPE, capacities, isolated, takes: 1, validate },
          "parts",
        )
      )
    )
  ),
  scope({
    ...SHAPE,
    capacities: [1, 1],
    clients: 2,
    takes: 1,
    validate: "async",
  }),
  ...(["async", "sync", "never"] as const).flatMap((validate) => [
    scope({ ...SHAPE, capacities: [1], takes: 3, validate }),
    scope({ ...SHAPE, capacities: [2], takes: 2, validate }),
  ]),
];
