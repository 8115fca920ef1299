import type { Event } from "./event.ts";
import type { Fault, Scope } from "./scope.ts";
import {
  type Creation,
  empty,
  type Lease,
  pending,
  type Pool,
  type Resource,
  type Stripe,
  type StripeEffect,
  stripeOf,
  type StripeStep,
  type Validation,
  type Waiter,
} from "./stripe.ts";
import type { Rules, TransitionTable } from "./transition_table.ts";

/** Ticks an idle resource may age; what is idle for longer is evicted. */
export const IDLE_TICKS = 1;

/** Acquires that may be pending at one time in a line, where that is limited. */
export const MAX_PENDING = 1;

/** Creates that have timed out and not settled, at one time. */
const MAX_LATE = 1;

const VERDICTS = [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]] as const;

/** One who acquires, holds at most one lease, and gives up after its takes. */
export interface Client {
  readonly id: number;
  /** Acquires left. */
  readonly takes: number;
}

/** A pool and everything around it that decides what can happen next. */
export interface World {
  readonly pool: Pool;
  readonly clients: readonly Client[];
  /** Creates that nobody waits for and that may still settle. */
  readonly late: readonly number[];
  readonly abandoned: boolean;
}

export interface WorldStep {
  readonly world: World;
  readonly effects: readonly StripeEffect[];
}

/** The rules of the pool in a scope. */
export function rulesOf({ validate, faults }: Scope): Rules {
  const maxPending = faults.has("maxPending") ? MAX_PENDING : Infinity;
  return { idleTimeout: IDLE_TICKS, validate, maxPending };
}

export function start(scope: Scope): World {
  return {
    pool: empty(scope.capacities, scope.isolated),
    clients: Array.from(
      { length: scope.clients },
      (_, id) => ({ id, takes: scope.takes }),
    ),
    late: [],
    abandoned: false,
  };
}

/** Clients that neither wait nor hold. */
export function atLarge({ pool, clients }: World): Client[] {
  const engaged = new Set(pending(pool).map((waiter) => waiter.client));
  for (const stripe of pool.stripes) {
    for (const lease of stripe.leased) engaged.add(lease.client);
  }
  return clients.filter((client) => !engaged.has(client.id));
}

/** Every step that `event` permits. */
export function apply(
  table: TransitionTable,
  world: World,
  event: Event,
): WorldStep[] {
  switch (event.kind) {
    case "acquire":
    case "acquireNow":
    case "tryAcquire":
      return acquire(table, world, event);
    case "createTimesOut": {
      const late = [...world.late, event.id];
      return transition(table, { ...world, late }, event);
    }
    case "lateCreated":
    case "lateCreateFails": {
      const late = world.late.filter((id) => id !== event.id);
      return transition(table, { ...world, late }, event);
    }
    case "abandon": {
      const flying = world.pool.stripes.flatMap((stripe) => stripe.creating);
      const late = [...world.late, ...flying.map((creation) => creation.id)];
      return transition(table, { ...world, late, abandoned: true }, event);
    }
    default:
      return transition(table, world, event);
  }
}

export type AcquireEvent = Extract<Event, { home: number | undefined }>;

function acquire(
  table: TransitionTable,
  world: World,
  { kind, client, home, bad }: AcquireEvent,
): WorldStep[] {
  const waiter = { id: world.pool.nextId, client, home, line: undefined };
  const pool = { ...world.pool, nextId: waiter.id + 1 };
  const clients = world.clients.map((other) =>
    other.id === client ? { ...other, takes: other.takes - 1 } : other
  );
  const next = { ...world, clients };
  const steps = kind === "acquire"
    ? table.take(pool, waiter)
    : table.tryTake(pool, waiter);
  return decide(table, steps, bad, kind !== "acquire")
    .map(({ pool, effects }) => ({ world: { ...next, pool }, effects }));
}

function transition(
  table: TransitionTable,
  world: World,
  event: Exclude<Event, AcquireEvent>,
): WorldStep[] {
  const bad = event.kind === "release" ? event.bad : 0;
  return decide(table, poolSteps(table, world.pool, event), bad, false)
    .map(({ pool, effects }) => ({ world: { ...world, pool }, effects }));
}

/** A synchronous `validate` answers within the step: `bad` times no, then yes. */
function decide(
  table: TransitionTable,
  steps: readonly StripeStep[],
  bad: number,
  isTry: boolean,
): readonly StripeStep[] {
  if (table.rules.validate !== "sync") return steps;
  return steps.flatMap((step): readonly StripeStep[] => {
    const { pool, effects } = step;
    const last = effects.at(-1);
    if (last?.kind !== "Validate") return [step];
    const [stripe, validation] = findValidation(pool, last.resource);
    const decided = isTry && bad > 0
      ? table.tryInvalid(pool, stripe, validation)
      : table.valid(pool, stripe, validation, bad === 0);
    const joined = decided.map((next) => ({
      pool: next.pool,
      effects: [...effects, ...next.effects],
    }));
    return decide(table, joined, Math.max(bad - 1, 0), isTry);
  });
}

function poolSteps(
  table: TransitionTable,
  pool: Pool,
  event: Exclude<Event, AcquireEvent>,
): readonly StripeStep[] {
  switch (event.kind) {
    case "release":
      return table.release(pool, ...findLease(pool, event));
    case "destroy":
      return table.destroy(pool, ...findLease(pool, event));
    case "cancel":
      return table.cancel(pool, findWaiter(pool, event.client), "abort");
    case "acquireTimesOut":
      return table.cancel(pool, findWaiter(pool, event.client), "timeout");
    case "created":
      return table.created(pool, ...findCreation(pool, event));
    case "createFails":
      return table.createFailed(pool, ...findCreation(pool, event), "reject");
    case "createTimesOut":
      return table.createFailed(pool, ...findCreation(pool, event), "timeout");
    case "lateCreated":
      return table.late(pool, event.id);
    case "lateCreateFails":
      return [{ pool, effects: [] }];
    case "destroyed":
    case "destroyThrows":
    case "destroyTimesOut": {
      const stripe = stripeOf(pool, event.stripe);
      // One that takes too long has not failed: nobody knows.
      const ok = event.kind !== "destroyThrows";
      return table.destroyed(pool, stripe, event.resource, ok);
    }
    case "valid":
    case "invalid":
    case "validateThrows":
    case "validateTimesOut": {
      const [stripe, validation] = findValidation(pool, event.resource);
      return table.valid(pool, stripe, validation, event.kind === "valid");
    }
    case "tick":
      return [{ pool: age(pool), effects: [] }];
    case "sweep":
      return table.sweep(pool);
    case "clear":
      return table.clear(pool);
    case "close":
      return table.close(pool);
    case "abandon":
      return table.abandon(pool);
  }
}

/** Time passes and no timer fires. Beyond expiry, age makes no difference. */
function age(pool: Pool): Pool {
  return {
    ...pool,
    stripes: pool.stripes.map((stripe) => ({
      ...stripe,
      idle: stripe.idle.map((entry) => ({
        ...entry,
        age: Math.min(entry.age + 1, IDLE_TICKS + 1),
      })),
    })),
  };
}

/**
 * All that can happen, in an order that depends on nothing but the state; of
 * things that are alike only one is named.
 */
export function events(scope: Scope, world: World): Event[] {
  const { pool } = world;
  const all = acquires(scope, world);
  for (const stripe of pool.stripes) {
    all.push(...ofStripe(scope, world, stripe));
  }
  if (scope.faults.has("cancel")) {
    for (const { client } of waiters(pool)) {
      all.push({ kind: "cancel", client });
    }
  }
  // With one timeout for all, the first to come is the next to time out.
  const [first] = pending(pool).sort((a, b) => a.id - b.id);
  if (scope.faults.has("acquireTimesOut") && first !== undefined) {
    all.push({ kind: "acquireTimesOut", client: first.client });
  }
  if (world.late.length > 0) {
    const id = world.late[0]!;
    all.push({ kind: "lateCreated", id }, { kind: "lateCreateFails", id });
  }
  if (scope.faults.has("ticks")) {
    const isIdle = pool.stripes.some((stripe) => stripe.idle.length > 0);
    if (isIdle) all.push({ kind: "tick" }, { kind: "sweep" });
  }
  if (scope.faults.has("clear") && !pool.closed) all.push({ kind: "clear" });
  if (scope.faults.has("close") && !pool.closed) all.push({ kind: "close" });
  if (scope.faults.has("abandon") && pool.closed && !world.abandoned) {
    all.push({ kind: "abandon" });
  }
  return all;
}

function acquires(scope: Scope, world: World): Event[] {
  const { pool } = world;
  const homes = scope.faults.has("affinity")
    ? [undefined, ...pool.stripes.map((stripe) => stripe.id)]
    : [undefined];
  const kinds = (["acquire", "acquireNow", "tryAcquire"] as const)
    .filter((kind) => kind === "acquire" || scope.faults.has(kind));
  const able = atLarge(world).filter((client) => client.takes > 0);
  const idle = pool.stripes.reduce((n, stripe) => n + stripe.idle.length, 0);
  return alike(able, (client) => client.takes, pool.nextId).flatMap((client) =>
    kinds.flatMap((kind) =>
      homes.flatMap((home) =>
        verdicts(scope, idle).map((bad) => ({
          kind,
          client: client.id,
          home,
          bad,
        }))
      )
    )
  );
}

function ofStripe(scope: Scope, world: World, stripe: Stripe): Event[] {
  const { faults } = scope;
  const { pool } = world;
  const takes = new Map(world.clients.map(({ id, takes }) => [id, takes]));
  const salt = pool.nextId;
  const ifIn = <K extends Fault>(fault: K): K[] =>
    faults.has(fault) ? [fault] : [];
  const waiting = pool.queues[stripe.line]!.length;
  const all: Event[] = [];
  const leaseCode = ({ client, retired }: Lease) =>
    takes.get(client)! * 2 + Number(retired);
  for (const lease of alike(stripe.leased, leaseCode, salt)) {
    const { client, resource } = lease;
    for (const bad of verdicts(scope, Math.min(1, waiting))) {
      all.push({ kind: "release", stripe: stripe.id, client, resource, bad });
    }
    if (faults.has("leaseDestroyed")) {
      all.push({ kind: "destroy", stripe: stripe.id, client });
    }
  }
  const creationCode = ({ retired }: Creation) => Number(retired);
  for (const { id } of alike(stripe.creating, creationCode, salt)) {
    const late = world.late.length < MAX_LATE ? ifIn("createTimesOut") : [];
    for (const kind of ["created", ...ifIn("createFails"), ...late] as const) {
      all.push({ kind, stripe: stripe.id, id });
    }
  }
  for (const resource of alike(stripe.destroying, () => 0, salt)) {
    const throws = ifIn("destroyThrows");
    const late = ifIn("destroyTimesOut");
    for (const kind of ["destroyed", ...throws, ...late] as const) {
      all.push({ kind, stripe: stripe.id, resource });
    }
  }
  const validationCode = ({ taker, retired }: Validation) =>
    taker === undefined ? Number(retired) : 2 + taker.id;
  for (const { resource } of alike(stripe.validating, validationCode, salt)) {
    const no = [
      ...ifIn("invalid"),
      ...ifIn("validateThrows"),
      ...ifIn("validateTimesOut"),
    ];
    for (const kind of ["valid", ...no] as const) {
      all.push({ kind, stripe: stripe.id, resource });
    }
  }
  return all;
}

/** How often a synchronous `validate` may say no, at most `most` times. */
function verdicts(scope: Scope, most: number): readonly number[] {
  const isAsked = scope.validate === "sync" && scope.faults.has("invalid");
  return VERDICTS[isAsked ? most : 0]!;
}

/** One of each group with the same code; `salt` decides which. */
function alike<A>(
  all: readonly A[],
  code: (item: A) => number,
  salt: number,
): readonly A[] {
  if (all.length < 2) return all;
  const groups = new Map<number, A[]>();
  for (const item of all) {
    const group = groups.get(code(item));
    if (group === undefined) groups.set(code(item), [item]);
    else group.push(item);
  }
  return [...groups.values()].map((group) => group[salt % group.length]!);
}

/** Pending acquires in the order of lines, as the stripes are, then of arrival. */
export function waiters(pool: Pool): Waiter[] {
  const all = pending(pool).sort((a, b) => a.id - b.id);
  if (pool.queues.length === 1 || all.length < 2) return all;
  return pool.stripes.flatMap((stripe) =>
    all.filter((waiter) => waiter.line === stripe.line)
  );
}

function findLease(
  pool: Pool,
  event: { stripe: number; client: number },
): [Stripe, Lease] {
  const stripe = stripeOf(pool, event.stripe);
  const lease = stripe.leased.find((lease) => lease.client === event.client);
  return [stripe, known(lease)];
}

function findCreation(
  pool: Pool,
  event: { stripe: number; id: number },
): [Stripe, Creation] {
  const stripe = stripeOf(pool, event.stripe);
  return [stripe, known(stripe.creating.find(({ id }) => id === event.id))];
}

function findValidation(
  pool: Pool,
  resource: Resource,
): [Stripe, Validation] {
  const isIt = (validation: Validation) => validation.resource === resource;
  const stripe = known(pool.stripes.find((s) => s.validating.some(isIt)));
  return [stripe, known(stripe.validating.find(isIt))];
}

function findWaiter(pool: Pool, client: number): Waiter {
  return known(pending(pool).find((waiter) => waiter.client === client));
}

function known<A>(value: A | undefined): A {
  if (value === undefined) throw new Error("model: the event names nothing");
  return value;
}
