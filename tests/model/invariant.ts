import type { Event } from "./event.ts";
import {
  creating,
  isEmpty,
  pending,
  type Pool,
  type Stripe,
  type StripeEffect,
  type Waiter,
} from "./stripe.ts";
import { IDLE_TICKS, type World, type WorldStep } from "./world.ts";

/** The broken rule, if any, of those that hold in every state. */
export function stateFault({ pool }: World): string | undefined {
  return slotFault(pool) ?? ownerFault(pool) ?? lineFault(pool) ??
    closedFault(pool);
}

/** The broken rule, if any, of those that hold in every transition. */
export function stepFault(
  before: World,
  event: Event,
  after: WorldStep,
): string | undefined {
  return wakeFault(before.pool, event, after) ??
    resourceFault(before.pool, event, after) ??
    orderFault(before.pool, event, after) ??
    expiryFault(before.pool, event, after) ??
    tryFault(before.pool, event, after) ??
    createFault(after) ??
    closeFault(before.pool, after);
}

function slotFault({ stripes }: Pool): string | undefined {
  for (const stripe of stripes) {
    const used = stripe.leased.length + stripe.validating.length;
    const slots = stripe.spare + stripe.idle.length + used +
      stripe.creating.length + stripe.destroying.length;
    if (stripe.spare < 0) {
      return `S1: stripe ${stripe.id} has ${stripe.spare} spare`;
    }
    if (slots !== stripe.capacity) {
      return `S1: stripe ${stripe.id} has ${slots} slots of ${stripe.capacity}`;
    }
  }
}

/** Where each resource is. */
function places({ stripes }: Pool): [number, Stripe, string][] {
  return stripes.flatMap((stripe) => [
    ...stripe.idle.map((e) => [e.resource, stripe, "idle"] as const),
    ...stripe.leased.map((l) => [l.resource, stripe, "leased"] as const),
    ...stripe.validating.map((v) => [v.resource, stripe, "valid?"] as const),
    ...stripe.destroying.map((r) => [r, stripe, "destroying"] as const),
  ]).map(([resource, stripe, place]) => [resource, stripe, place]);
}

function ownerFault(pool: Pool): string | undefined {
  const resources = places(pool).map(([resource]) => resource);
  if (new Set(resources).size < resources.length) {
    return "S2: a resource is in two places";
  }
  const holders = [
    ...pending(pool).map(({ client }) => client),
    ...pool.stripes.flatMap((s) => s.leased.map(({ client }) => client)),
  ];
  if (new Set(holders).size < holders.length) {
    return "S3: an acquire is settled and pending, or settled twice";
  }
}

function lineFault(pool: Pool): string | undefined {
  for (const [line, queue] of pool.queues.entries()) {
    if (queue.some(({ id }, i) => i > 0 && queue[i - 1]!.id >= id)) {
      return `S4: line ${line} is out of order`;
    }
    if (queue.length === 0) continue;
    const stripes = pool.stripes.filter((stripe) => stripe.line === line);
    if (stripes.some((stripe) => stripe.idle.length > 0)) {
      return `S5: a resource is idle while line ${line} waits`;
    }
    const spare = stripes.some((stripe) => stripe.spare > 0);
    if (spare && queue.length > creating(pool, line)) {
      return `S5: a slot is spare while line ${line} lacks a create`;
    }
  }
}

function closedFault(pool: Pool): string | undefined {
  if (!pool.closed) return undefined;
  if (pending(pool).length > 0) return "S10: an acquire is pending after close";
  if (pool.stripes.some((stripe) => stripe.idle.length > 0)) {
    return "S10: a resource is idle after close";
  }
}

function wakes(effects: readonly StripeEffect[]) {
  return effects.filter((effect) => effect.kind === "Wake");
}

function wakeFault(
  before: Pool,
  event: Event,
  { world, effects }: WorldStep,
): string | undefined {
  const was = new Set(pending(before).map(({ client }) => client));
  if ("home" in event) was.add(event.client);
  const is = new Set(pending(world.pool).map(({ client }) => client));
  const told = wakes(effects).map(({ waiter }) => waiter.client);
  if (new Set(told).size < told.length) return "S3: an acquire settles twice";
  for (const client of told) {
    if (!was.has(client)) return `S3: client ${client} is told out of turn`;
    if (is.has(client)) return `S3: client ${client} is told and still waits`;
  }
  for (const client of was) {
    if (!is.has(client) && !told.includes(client)) {
      return `S3: the acquire of client ${client} is lost`;
    }
  }
  for (const { waiter, result } of wakes(effects)) {
    if (result.kind !== "Deliver") continue;
    const holds = world.pool.stripes.some((stripe) =>
      stripe.leased.some((lease) =>
        lease.client === waiter.client && lease.resource === result.resource
      )
    );
    if (!holds) {
      return `S2: client ${waiter.client} gets what is not leased to it`;
    }
  }
}

function resourceFault(
  before: Pool,
  event: Event,
  { world, effects }: WorldStep,
): string | undefined {
  const destroyed = effects.filter((effect) => effect.kind === "Destroy")
    .map(({ resource }) => resource);
  if (new Set(destroyed).size < destroyed.length) {
    return "S2: a resource is destroyed twice";
  }
  const now = new Map(
    places(world.pool).map(([resource, stripe, place]) => [
      resource,
      { stripe: stripe.id, place },
    ]),
  );
  for (const [resource, stripe, place] of places(before)) {
    const then = now.get(resource);
    if (place === "destroying") {
      if (destroyed.includes(resource)) return "S2: destroy runs twice";
      const over = "resource" in event && event.resource === resource;
      if (then?.place !== "destroying" && !over) {
        return "S1: a slot is given back before its destroy has settled";
      }
      continue;
    }
    if (then === undefined) return `S2: resource ${resource} is lost`;
    if (then.stripe !== stripe.id) {
      return `S2: resource ${resource} changes its stripe`;
    }
  }
  const known = new Set(places(before).map(([resource]) => resource));
  for (const [resource, { place }] of now) {
    const isNew = "id" in event && event.id === resource;
    if (!known.has(resource) && !isNew) return "S2: a resource from nowhere";
    if ((place === "destroying") !== isDestroyed(before, destroyed, resource)) {
      return `S2: resource ${resource} is not destroyed as it should be`;
    }
  }
}

function isDestroyed(
  before: Pool,
  destroyed: readonly number[],
  resource: number,
): boolean {
  return destroyed.includes(resource) ||
    before.stripes.some((stripe) => stripe.destroying.includes(resource));
}

/** Waiters that were offered a resource, or told that a create failed. */
function offered(effects: readonly StripeEffect[]): Waiter[] {
  return effects.flatMap((effect) => {
    if (effect.kind === "Validate") return [effect.taker];
    if (effect.kind !== "Wake") return [];
    const { result } = effect;
    const isOffer = result.kind === "Deliver" ||
      (result.kind === "Failed" && result.error !== "full");
    return isOffer ? [effect.waiter] : [];
  });
}

function orderFault(
  before: Pool,
  event: Event,
  { world, effects }: WorldStep,
): string | undefined {
  // The offer was made when its validation began: later news of an older
  // waiter does not take it back.
  const offers = event.kind === "valid" ? [] : offered(effects);
  for (const waiter of offers) {
    if (waiter.line === undefined) continue;
    const queue = world.pool.queues[waiter.line]!;
    if (queue.some(({ id }) => id < waiter.id)) {
      return `S4: client ${waiter.client} overtakes`;
    }
  }
  if (!("home" in event)) return;
  const taken = new Set<number>();
  for (const effect of effects) {
    if (effect.kind === "Validate") taken.add(effect.resource);
    if (effect.kind === "Wake" && effect.result.kind === "Deliver") {
      taken.add(effect.result.resource);
    }
  }
  for (const { idle } of before.stripes) {
    const kept = idle.findIndex(({ resource }) => !taken.has(resource));
    if (kept >= 0 && idle.slice(kept).some((e) => taken.has(e.resource))) {
      return "the newest idle resource is not taken first";
    }
  }
}

function expiryFault(
  before: Pool,
  event: Event,
  { world, effects }: WorldStep,
): string | undefined {
  const evicted = new Set(
    effects.flatMap((effect) =>
      effect.kind === "Destroy" && effect.reason === "idle"
        ? [effect.resource]
        : []
    ),
  );
  for (const { idle } of before.stripes) {
    for (const { resource, age } of idle) {
      if (evicted.has(resource) && age <= IDLE_TICKS) {
        return "S8: evicted before it was idle for longer than idleTimeout";
      }
      const stays = world.pool.stripes.some((stripe) =>
        stripe.idle.some((entry) => entry.resource === resource)
      );
      if (event.kind === "sweep" && stays && age > IDLE_TICKS) {
        return "S8: idle for longer than idleTimeout after a sweep";
      }
      const leased = world.pool.stripes.some((stripe) =>
        stripe.leased.some((lease) => lease.resource === resource)
      );
      if (leased && age > IDLE_TICKS) {
        return "S8: an expired resource is leased";
      }
    }
  }
}

function tryFault(
  before: Pool,
  event: Event,
  { world, effects }: WorldStep,
): string | undefined {
  if (event.kind !== "tryAcquire" && event.kind !== "acquireNow") return;
  const waits = pending(world.pool).length > pending(before).length;
  if (waits) return `S9: ${event.kind} waits`;
  if (effects.some(({ kind }) => kind === "Create")) {
    return `S9: ${event.kind} creates`;
  }
}

/** A create begins only for a waiter who has none. */
function createFault({ world, effects }: WorldStep): string | undefined {
  for (const effect of effects) {
    if (effect.kind !== "Create") continue;
    const stripe = world.pool.stripes.find(({ id }) => id === effect.stripe)!;
    const waiting = world.pool.queues[stripe.line]!.length;
    if (creating(world.pool, stripe.line) > waiting) {
      return "a create begins that no waiter lacks";
    }
  }
}

function closeFault(
  before: Pool,
  { world, effects }: WorldStep,
): string | undefined {
  const settles = effects.some(({ kind }) => kind === "Closed");
  const isOver = world.pool.closed && isEmpty(world.pool);
  const wasOver = before.closed && isEmpty(before);
  if (settles !== (isOver && !wasOver)) {
    return `S10: close ${settles ? "settles" : "does not settle"}`;
  }
}

/** Whether nothing is under way: every slot is spare or idle, nobody waits. */
export function isAtRest({ pool }: World): boolean {
  return pending(pool).length === 0 &&
    pool.stripes.every((stripe) =>
      stripe.spare + stripe.idle.length === stripe.capacity
    );
}
