import type { Fault, Scope } from "./scope.ts";
import {
  atLarge,
  IDLE_TICKS,
  isAtRest,
  pending,
  type Stripe,
  sum,
  type World,
} from "./world.ts";

/**
 * What can happen to a pool from outside. `bad` is how many resources a
 * synchronous `validate` says no to before it says yes.
 */
export type Event =
  | {
    readonly kind: "acquire" | "tryAcquire";
    readonly client: number;
    /** The stripe its affinity names, or -1. */
    readonly home: number;
    readonly bad: number;
  }
  | { readonly kind: "release"; readonly client: number; readonly bad: number }
  | { readonly kind: "destroy" | "cancel"; readonly client: number }
  | { readonly kind: "created" | "createFails"; readonly creation: number }
  | {
    readonly kind: "destroyed" | "valid" | "invalid" | "postponed";
    readonly resource: number;
  }
  | { readonly kind: "sweep"; readonly limit: number }
  | { readonly kind: "turn" | "tick" | "clear" | "close" | "abandon" };

export type AcquireEvent = Extract<Event, { home: number }>;

/** Events that end something begun; the liveness properties rely on these alone. */
const ENDS: ReadonlySet<Event["kind"]> = new Set<Event["kind"]>([
  "release",
  "destroy",
  "created",
  "createFails",
  "destroyed",
  "valid",
  "invalid",
  "postponed",
  "turn",
]);

export function isEnd({ kind }: Event): boolean {
  return ENDS.has(kind);
}

/**
 * All that can happen, in an order that depends on nothing but the state; of
 * things that are alike only one is named.
 */
export function events(scope: Scope, world: World): Event[] {
  const all = world.closed ? [] : acquires(scope, world);
  for (const stripe of world.stripes) {
    all.push(...ofStripe(scope, world, stripe));
  }
  const { faults } = scope;
  if (faults.has("cancel")) {
    for (const { client } of pending(world)) {
      all.push({ kind: "cancel", client });
    }
  }
  if (world.postponed.length > 0) all.push({ kind: "turn" });
  if (faults.has("ticks")) all.push(...ofTime(scope, world));
  const { closed, abandoned } = world;
  if (!closed && faults.has("clear")) all.push({ kind: "clear" });
  if (!closed && faults.has("close")) all.push({ kind: "close" });
  const isOut = closed && !abandoned && !isAtRest(world);
  if (isOut && faults.has("abandon")) all.push({ kind: "abandon" });
  return all;
}

function acquires(scope: Scope, world: World): Event[] {
  const homes = scope.faults.has("affinity")
    ? [-1, ...world.stripes.map(({ id }) => id)]
    : [-1];
  const kinds = (["acquire", "tryAcquire"] as const)
    .filter((kind) => kind === "acquire" || scope.faults.has(kind));
  const able = atLarge(world).filter(({ takes }) => takes > 0);
  const idle = sum(world.stripes, (stripe) => stripe.idle.length);
  return alike(able, ({ takes }) => takes, world).flatMap(({ id }) =>
    kinds.flatMap((kind) =>
      homes.flatMap((home) =>
        verdicts(scope, idle).map((bad) => ({ kind, client: id, home, bad }))
      )
    )
  );
}

function ofStripe(scope: Scope, world: World, stripe: Stripe): Event[] {
  const { faults } = scope;
  const ifIn = <K extends Fault>(fault: K): K[] =>
    faults.has(fault) ? [fault] : [];
  const takes = new Map(world.clients.map(({ id, takes }) => [id, takes]));
  const waiting = world.queues[stripe.line]!.length;
  const isPostponed = (resource: number) => world.postponed.includes(resource);
  const all: Event[] = [];
  const used = alike(stripe.used, ({ resource, holder, taker, retired }) =>
    [
      holder !== undefined && takes.get(holder),
      taker?.id,
      retired,
      isPostponed(resource),
    ].join(), world);
  for (const { resource, holder } of used) {
    if (holder !== undefined) {
      for (const bad of verdicts(scope, Math.min(1, waiting))) {
        all.push({ kind: "release", client: holder, bad });
      }
      if (faults.has("leaseDestroyed")) {
        all.push({ kind: "destroy", client: holder });
      }
    } else if (!isPostponed(resource)) {
      // While a batch is pending, a bad verdict waits behind it.
      const now = world.postponed.length === 0 ? ifIn("invalid") : [];
      for (const kind of ["valid", ...now, ...ifIn("postponed")] as const) {
        all.push({ kind, resource });
      }
    }
  }
  const creating = alike(
    stripe.creating,
    ({ retired, order }) => [retired, order].join(),
    world,
  );
  for (const { id } of creating) {
    for (const kind of ["created", ...ifIn("createFails")] as const) {
      all.push({ kind, creation: id });
    }
  }
  for (const resource of alike(stripe.destroying, () => 0, world)) {
    all.push({ kind: "destroyed", resource });
  }
  return all;
}

/** A tick, while it makes something expire one day, and sweeps. */
function ofTime(scope: Scope, world: World): Event[] {
  const idle = world.stripes.flatMap((stripe) => stripe.idle);
  const all: Event[] = [];
  if (idle.some(({ since }) => world.now - since <= IDLE_TICKS)) {
    all.push({ kind: "tick" });
  }
  const isBegun = world.sweeps.some(({ to }) => to > 0);
  if (idle.length === 0 && !isBegun) return all;
  all.push({ kind: "sweep", limit: Infinity });
  if (scope.faults.has("parts")) all.push({ kind: "sweep", limit: 1 });
  return all;
}

/** How often a synchronous `validate` may say no, at most `most` times. */
function verdicts(scope: Scope, most: number): number[] {
  const isAsked = scope.validate === "sync" && scope.faults.has("invalid");
  return Array.from({ length: isAsked ? most + 1 : 1 }, (_, bad) => bad);
}

/** One of each group with the same code, another one as time goes on. */
function alike<A>(
  all: readonly A[],
  code: (item: A) => unknown,
  { arrivals, births }: World,
): readonly A[] {
  if (all.length < 2) return all;
  const groups = Map.groupBy(all, code);
  const salt = arrivals + births;
  return [...groups.values()].map((group) => group[salt % group.length]!);
}

/** The event in words. */
export function eventInWords(event: Event): string {
  switch (event.kind) {
    case "acquire":
    case "tryAcquire": {
      const where = event.home < 0 ? "" : ` at stripe ${event.home}`;
      return `client ${event.client} calls ${event.kind}${where}` +
        refusals(event.bad);
    }
    case "release":
      return `client ${event.client} releases${refusals(event.bad)}`;
    case "destroy":
      return `client ${event.client} destroys its resource`;
    case "cancel":
      return `the acquire of client ${event.client} is cancelled`;
    case "created":
      return `create ${event.creation} resolves`;
    case "createFails":
      return `create ${event.creation} rejects`;
    case "destroyed":
      return `destroy of resource ${event.resource} settles`;
    case "valid":
    case "invalid":
      return `resource ${event.resource} is ${event.kind}`;
    case "postponed":
      return `resource ${event.resource} is invalid, which waits its turn`;
    case "sweep":
      return event.limit === 1 ? "a sweep takes a step" : "a sweep runs";
    case "turn":
      return "the next turn of the event loop comes";
    case "tick":
      return "a tick passes";
    case "clear":
    case "close":
      return `${event.kind} is called`;
    case "abandon":
      return "the signal of close aborts";
  }
}

function refusals(bad: number): string {
  return bad === 0 ? "" : ` (validate refuses ${bad} first)`;
}
