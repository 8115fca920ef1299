import type { Effect } from "./effect.ts";
import type { Event } from "./event.ts";
import type { Step } from "./transition_table.ts";
import { IDLE_TICKS, pending, type Stripe, sum, type World } from "./world.ts";

/** The broken rule, if any, of those that hold in every state. */
export function stateFault(world: World): string | undefined {
  return slotFault(world) ?? ownerFault(world) ?? lineFault(world) ??
    choiceFault(world) ?? closedFault(world);
}

/** The broken rule, if any, of those that hold in every transition. */
export function stepFault(
  before: World,
  event: Event,
  after: Step,
): string | undefined {
  return settleFault(before, event, after) ??
    resourceFault(before, event, after) ??
    orderFault(before, event, after) ??
    expiryFault(before, after) ??
    tryFault(before, event, after) ??
    createFault(after) ??
    closeFault(before, after);
}

function slotFault({ stripes }: World): string | undefined {
  for (const { id, capacity, spare, ...in_ } of stripes) {
    const slots = spare + in_.idle.length + in_.used.length +
      in_.creating.length + in_.destroying.length;
    if (spare < 0) return `S1: stripe ${id} has ${spare} spare`;
    if (slots !== capacity) {
      return `S1: stripe ${id} has ${slots} slots of ${capacity}`;
    }
  }
}

/** Where each resource is. */
function places(world: World): [number, { stripe: number; place: string }][] {
  return world.stripes.flatMap(({ id: stripe, idle, used, destroying }) => [
    ...idle.map((it) => [it.resource, { stripe, place: "idle" }] as const),
    ...used.map((it) => [it.resource, { stripe, place: "used" }] as const),
    ...destroying.map((it) => [it, { stripe, place: "destroying" }] as const),
  ]).map(([resource, where]) => [resource, where]);
}

function ownerFault(world: World): string | undefined {
  const resources = places(world).map(([resource]) => resource);
  if (new Set(resources).size < resources.length) {
    return "S2: a resource is in two places";
  }
  const used = world.stripes.flatMap((stripe) => stripe.used);
  const owners = [
    ...pending(world).map(({ client }) => client),
    ...used.flatMap(({ holder }) => holder ?? []),
  ];
  if (new Set(owners).size < owners.length) {
    return "S3: an acquire is settled and pending, or settled twice";
  }
}

function lineFault({ stripes, queues, postponed }: World): string | undefined {
  for (const [line, queue] of queues.entries()) {
    if (queue.some(({ id }, i) => i > 0 && queue[i - 1]!.id >= id)) {
      return `S4: line ${line} is out of order`;
    }
    // Those sent back wait for their batch, whatever is idle.
    if (queue.length === 0 || postponed.length > 0) continue;
    const own = stripes.filter((stripe) => stripe.line === line);
    if (own.some(({ idle }) => idle.length > 0)) {
      return `S5: a resource is idle while line ${line} waits`;
    }
    const lacks = queue.length > sum(own, ({ creating }) => creating.length);
    if (lacks && own.some(({ spare }) => spare > 0)) {
      return `S5: a slot is spare while line ${line} lacks a create`;
    }
  }
}

/** What can be chosen is noted, and once. */
function choiceFault({ stripes, ...world }: World): string | undefined {
  const isNoted = (noted: number[], has: (stripe: Stripe) => boolean) =>
    new Set(noted).size === noted.length &&
    stripes.every((stripe) => !has(stripe) || noted.includes(stripe.id));
  if (
    !isNoted(world.withIdle, ({ idle }) => idle.length > 0) ||
    !isNoted(world.withSpare, ({ spare }) => spare > 0)
  ) return "a stripe that has something to give cannot be chosen";
}

function closedFault(world: World): string | undefined {
  if (!world.closed) return undefined;
  if (pending(world).length > 0) {
    return "S10: an acquire is pending after close";
  }
  if (world.stripes.some(({ idle }) => idle.length > 0)) {
    return "S10: a resource is idle after close";
  }
}

/** The effects of the kinds named. */
function only<K extends Effect["kind"]>(
  effects: readonly Effect[],
  ...kinds: K[]
) {
  return effects.filter((effect): effect is Extract<Effect, { kind: K }> =>
    (kinds as string[]).includes(effect.kind)
  );
}

function settleFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  const was = new Set(pending(before).map(({ client }) => client));
  if ("home" in event) was.add(event.client);
  const is = new Set(pending(world).map(({ client }) => client));
  const told = only(effects, "deliver", "reject").map(({ client }) => client);
  if (new Set(told).size < told.length) return "S3: an acquire settles twice";
  for (const client of told) {
    if (!was.has(client)) return `S3: client ${client} is told out of turn`;
    if (is.has(client)) return `S3: client ${client} is told and still waits`;
  }
  for (const client of was) {
    const isTry = event.kind === "tryAcquire" && event.client === client;
    if (!is.has(client) && !told.includes(client) && !isTry) {
      return `S3: the acquire of client ${client} is lost`;
    }
  }
  const used = world.stripes.flatMap((stripe) => stripe.used);
  for (const { client, resource } of only(effects, "deliver")) {
    const holds = used.some((it) =>
      it.holder === client && it.resource === resource
    );
    if (!holds) return `S2: client ${client} gets what is not leased to it`;
  }
}

function resourceFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  const destroys = only(effects, "destroy").map(({ resource }) => resource);
  const destroyed = new Set(destroys);
  if (destroyed.size < destroys.length) {
    return "S2: a resource is destroyed twice";
  }
  const now = new Map(places(world));
  const then = new Map(places(before));
  for (const [resource, { stripe, place }] of then) {
    const next = now.get(resource);
    if (place === "destroying") {
      if (destroyed.has(resource)) return "S2: destroy runs twice";
      const isOver = event.kind === "destroyed" && event.resource === resource;
      if ((next?.place !== "destroying") !== isOver) {
        return "S1: a slot is not given back when its destroy has settled";
      }
    } else if (next === undefined) {
      return `S2: resource ${resource} is lost`;
    } else if (next.stripe !== stripe) {
      return `S2: resource ${resource} changes its stripe`;
    }
  }
  for (const [resource, { place }] of now) {
    const isNew = event.kind === "created" && resource === world.births;
    if (!then.has(resource) && !isNew) return "S2: a resource from nowhere";
    const isDestroyed = destroyed.has(resource) ||
      then.get(resource)?.place === "destroying";
    if ((place === "destroying") !== isDestroyed) {
      return `S2: resource ${resource} is not destroyed as it should be`;
    }
  }
}

/**
 * Nobody older is left in line when one is offered a resource, or told that a
 * create failed.
 */
function orderFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  const waiters = new Map(
    [...pending(before), ...pending(world)].map((it) => [it.client, it]),
  );
  // The offer was made when its validation began: later news of an older
  // waiter does not take it back.
  const isLate = event.kind === "valid";
  const isOffer = (effect: Effect) =>
    effect.kind === "validate" || effect.kind === "deliver" ||
    effect.kind === "reject" && effect.error === "create";
  for (const effect of isLate ? [] : effects.filter(isOffer)) {
    const waiter = "client" in effect && waiters.get(effect.client);
    if (!waiter) continue;
    if (world.queues[waiter.line]!.some(({ id }) => id < waiter.id)) {
      return `S4: client ${waiter.client} overtakes`;
    }
  }
  if (!("home" in event)) return;
  const given = only(effects, "validate", "deliver");
  const taken = new Set(given.map(({ resource }) => resource));
  for (const { idle } of before.stripes) {
    const kept = idle.findIndex(({ resource }) => !taken.has(resource));
    if (kept >= 0 && idle.slice(kept).some((it) => taken.has(it.resource))) {
      return "the newest idle resource is not taken first";
    }
  }
}

function expiryFault(
  before: World,
  { world, effects }: Step,
): string | undefined {
  const evicted = new Set(
    only(effects, "destroy").filter(({ reason }) => reason === "idle")
      .map(({ resource }) => resource),
  );
  const now = new Map(places(world));
  const agains = only(effects, "sweep").map(({ again }) => again);
  for (const line of world.sweeps.keys()) {
    const isThrough = agains[line] !== undefined;
    for (const { idle } of before.stripes.filter((s) => s.line === line)) {
      for (const { resource, since } of idle) {
        const isExpired = before.now - since > IDLE_TICKS;
        const place = now.get(resource)?.place;
        if (evicted.has(resource) && !isExpired) {
          return "S8: evicted before it was idle for longer than idleTimeout";
        }
        if (isExpired && place === "used") {
          return "S8: an expired resource is taken";
        }
        // What became idle behind a sweep is left to the next one.
        if (!isThrough || place !== "idle" || before.sweeps[line]!.to > 0) {
          continue;
        }
        if (isExpired) {
          return "S8: idle for longer than idleTimeout after a sweep";
        }
        if (!isExpired && (agains[line] ?? 0) > since + IDLE_TICKS) {
          return "S8: the next sweep comes later than an end";
        }
      }
    }
  }
}

function tryFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  if (event.kind !== "tryAcquire") return;
  const waits = pending(world).length > pending(before).length;
  if (waits) return "S9: tryAcquire waits";
  if (only(effects, "create").length > 0) return "S9: tryAcquire creates";
}

/** A create begins only for a waiter who has none. */
function createFault({ world, effects }: Step): string | undefined {
  for (const { stripe } of only(effects, "create")) {
    const { line } = world.stripes[stripe]!;
    const own = world.stripes.filter((stripe) => stripe.line === line);
    const creating = sum(own, (stripe) => stripe.creating.length);
    if (creating > world.queues[line]!.length) {
      return "a create begins that no waiter lacks";
    }
  }
}

/** A line is closed once nothing of it is left, and says so once. */
function closeFault(
  before: World,
  { world, effects }: Step,
): string | undefined {
  const closed = ({ closed, stripes, queues }: World) =>
    sum([...queues.keys()], (line) =>
      Number(
        closed && stripes.every((stripe) =>
          stripe.line !== line || stripe.spare === stripe.capacity
        ),
      ));
  if (only(effects, "closed").length !== closed(world) - closed(before)) {
    return "S10: a line is closed too early, too late, or twice";
  }
}
