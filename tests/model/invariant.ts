import type { Effect } from "./effect.ts";
import type { Event } from "./event.ts";
import type { Scope } from "./scope.ts";
import { MOST_USES, type Step } from "./transition_table.ts";
import {
  countsOf,
  HEAD_START,
  IDLE_TIME,
  isAhead,
  pending,
  type Resource,
  type Stripe,
  sum,
  type Used,
  type World,
} from "./world.ts";

/** The broken rule, if any, of those that hold in every state. */
export function stateFault(scope: Scope, world: World): string | undefined {
  return slotFault(world) ?? ownerFault(world) ?? lineFault(world) ??
    demandFault(scope, world) ?? gateFault(scope, world) ??
    choiceFault(world) ?? closedFault(world);
}

/** The broken rule, if any, of those that hold in every transition. */
export function stepFault(
  scope: Scope,
  before: World,
  event: Event,
  after: Step,
): string | undefined {
  return settleFault(before, event, after) ??
    toldFault(before, event, after) ??
    resourceFault(before, event, after) ??
    wornFault(scope, before, after) ??
    lostFault(event, after) ??
    orderFault(scope, before, event, after) ??
    expiryFault(before, after) ??
    sweepFault(before, after) ??
    tryFault(before, event, after) ??
    createFault(after) ??
    shrinkFault(before, event, after) ??
    pauseFault(before, event, after) ??
    yieldFault(before, event, after) ??
    fateFault(before, after) ??
    closeFault(before, after);
}

function slotFault({ stripes }: World): string | undefined {
  for (const { id, capacity, spare, ...in_ } of stripes) {
    const slots = spare + in_.idle.length + in_.used.length +
      in_.creating.length + in_.destroying.length;
    if (spare + in_.destroying.length < 0 && in_.idle.length > 0) {
      return `S1: stripe ${id} owes slots, and has something idle`;
    }
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

function lineFault(
  { stripes, queues, postponed, terms }: World,
): string | undefined {
  for (const { id, idle } of stripes) {
    if (idle.some(({ since }, i) => i > 0 && idle[i - 1]!.since < since)) {
      return `what is idle in stripe ${id} is out of order`;
    }
  }
  for (const [line, queue] of queues.entries()) {
    if (queue.some((it, i) => i > 0 && isAhead(it, queue[i - 1]!))) {
      return `S4: line ${line} is out of order`;
    }
    // Those sent back wait for their batch, whatever is idle.
    if (queue.length === 0 || postponed.length > 0) continue;
    if (terms[line]!.pauses > 0) continue;
    const own = stripes.filter((stripe) => stripe.line === line);
    if (own.some(({ idle }) => idle.length > 0)) {
      return `S5: a resource is idle while line ${line} waits`;
    }
  }
}

/** While more are wanted than are coming, no slot is spare, gates aside. */
function demandFault({ faults }: Scope, world: World): string | undefined {
  const { terms, postponed, places, refused } = world;
  for (const [line, { owed, allowance, ...rest }] of terms.entries()) {
    const counts = countsOf(world, line);
    const { waiting, creating, coming, wanted, spare, occupied } = counts;
    if (owed < 0 || owed > waiting) {
      return `line ${line} owes ${owed} creates to ${waiting}`;
    }
    // What is owed to those sent back is known when their batch goes on.
    if (postponed.length > 0) continue;
    if (!faults.has("owed") && owed < waiting) {
      return `line ${line} owes ${owed} creates to ${waiting}`;
    }
    const isHeld = rest.pauses > 0 || occupied >= rest.permits;
    const lacks = coming < wanted && creating < allowance && spare > 0 &&
      !isHeld;
    if (lacks && places > 0) {
      return `S5: a slot is spare while line ${line} lacks a create`;
    }
    if (lacks && !refused.includes(line)) {
      return `S5: the gate forgets line ${line}, which lacks a create`;
    }
  }
}

function gateFault({ faults }: Scope, world: World): string | undefined {
  const { places, refused, stripes } = world;
  const creating = sum(stripes, (stripe) => stripe.creating.length);
  if (faults.has("gated") && places + creating !== 1) {
    return `${creating} creates are in flight, and ${places} may be`;
  }
  if (places > 0 && refused.length > 0) {
    return "the gate is open, and has refused a line";
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

/** The effects that may be of a kind. */
type Of<K, E = Effect> = E extends { kind: infer F }
  ? K & F extends never ? never : E
  : never;

/** The effects of the kinds named. */
function only<K extends Effect["kind"]>(
  effects: readonly Effect[],
  ...kinds: K[]
): Of<K>[] {
  const isOne = ({ kind }: Effect) => (kinds as string[]).includes(kind);
  return effects.filter(isOne) as Of<K>[];
}

function settleFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  const was = new Set(pending(before).map(({ client }) => client));
  if ("home" in event) was.add(event.client);
  const is = new Set(pending(world).map(({ client }) => client));
  const told = only(effects, "deliver", "reject", "shed")
    .map(({ client }) => client);
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

function orderOf({ stripes }: World, creation: number): number {
  return stripes.flatMap(({ creating }) => creating)
    .find(({ id }) => id === creation)!.order;
}

/** Who came before this place may be told that a create failed. */
function told(world: World, event: Event): number {
  const all = world.queues.flat();
  switch (event.kind) {
    case "createFails":
      return orderOf(world, event.creation);
    case "rejected":
      return all.find(({ client }) => client === event.client)!.id + 1;
    case "rejectedFirst":
      return all.find(({ client }) => client === event.client)!.id +
        Number(event.isMeant);
    default:
      return Infinity;
  }
}

/** Who is told of a failed create came before it began. */
function toldFault(
  before: World,
  event: Event,
  { effects }: Step,
): string | undefined {
  if (event.kind !== "createFails") return;
  const order = orderOf(before, event.creation);
  for (const { client } of only(effects, "reject")) {
    const waiter = pending(before).find((it) => it.client === client);
    if (!event.isTold || waiter!.id >= order) {
      return `client ${client} is told of a create that was none of its own`;
    }
  }
}

/** What has been used enough, has died, or is retired, is not used again. */
function wornFault(
  { faults }: Scope,
  before: World,
  { world, effects }: Step,
): string | undefined {
  const given = only(effects, "deliver", "validate", "handBack");
  const isKept = (resource: number) =>
    given.some((effect) => effect.resource === resource) ||
    world.stripes.some(({ idle }) =>
      idle.some((it) => it.resource === resource)
    );
  const isWorn = ({ diesAt, uses }: Resource, retired: unknown) =>
    retired !== undefined || before.now > diesAt ||
    faults.has("wears") && uses >= MOST_USES;
  for (const { idle, used } of before.stripes) {
    for (const it of idle) {
      if (
        before.now > it.diesAt && given.some((e) => e.resource === it.resource)
      ) {
        return `resource ${it.resource} is taken after its life`;
      }
    }
    for (const it of used) {
      const isIts = it.taker === undefined && isWorn(it, it.retired);
      if (isIts && isKept(it.resource)) {
        return `resource ${it.resource} is used again`;
      }
    }
  }
}

/** A lost one is never delivered; who was to get it waits, or gets another. */
function lostFault(event: Event, { world, effects }: Step): string | undefined {
  const now = new Map(places(world));
  const lost = only(effects, "handBack").map(({ resource }) => resource);
  for (const resource of lost) {
    if (now.get(resource)?.place !== "destroying") {
      return `resource ${resource} is lost, and stays`;
    }
  }
  for (const { kind, resource } of only(effects, "deliver", "validate")) {
    const isGiven = event.kind === "lost" && event.resource === resource;
    if (isGiven || kind === "deliver" && lost.includes(resource)) {
      return "a lost resource is delivered";
    }
  }
  const used = world.stripes.flatMap((stripe) => stripe.used);
  if (used.some(({ isLost, taker }) => isLost && taker !== undefined)) {
    return "a lost resource waits for a verdict";
  }
  if (event.kind !== "distrusted") return;
  const isSuspect = ({ since }: Resource) => since <= event.time;
  for (const { line, idle, used } of world.stripes) {
    const isBad = (it: Used) => isSuspect(it) && it.taker !== undefined;
    if (line === event.line && (idle.some(isSuspect) || used.some(isBad))) {
      return "what is distrusted stays";
    }
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
      if (isDetached(before, event, resource)) continue;
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

function isDetached({ stripes }: World, event: Event, resource: number) {
  return event.kind === "detached" &&
    stripes.some(({ used }) =>
      used.some((it) => it.resource === resource && it.holder === event.client)
    );
}

/**
 * Nobody older is left in line when one is offered a resource, or told that a
 * create failed.
 */
function orderFault(
  { faults }: Scope,
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
    effect.kind === "shed" ||
    effect.kind === "reject" && effect.error === "create";
  for (const effect of isLate ? [] : effects.filter(isOffer)) {
    const waiter = "client" in effect && waiters.get(effect.client);
    if (!waiter) continue;
    // A create fails for who came first, of those it was begun for.
    const order = effect.kind === "reject" ? told(before, event) : Infinity;
    const left = world.queues[waiter.line]!.filter(({ id }) => id < order);
    if (left.some((it) => isAhead(it, waiter))) {
      return `S4: client ${waiter.client} overtakes`;
    }
    if (left.some((it) => it.since + 3 * HEAD_START < waiter.since)) {
      return `S4: client ${waiter.client} came too late to overtake`;
    }
  }
  if (!("home" in event)) return;
  const given = only(effects, "validate", "deliver", "handBack");
  const taken = new Set(given.map(({ resource }) => resource));
  const destroys = only(effects, "destroy").map(({ resource }) => resource);
  for (const stripe of before.stripes) {
    const idle = stripe.idle.map(({ resource }) => resource)
      .filter((it) => taken.has(it) || !destroys.includes(it));
    if (faults.has("oldestFirst")) idle.reverse();
    const kept = idle.findIndex((it) => !taken.has(it));
    if (kept >= 0 && idle.slice(kept).some((it) => taken.has(it))) {
      return "the idle resource whose turn it is is not taken first";
    }
  }
}

/** Only what has expired is evicted, not taken, and the stock stays. */
function expiryFault(
  before: World,
  { world, effects }: Step,
): string | undefined {
  const destroys = only(effects, "destroy");
  const evicted = new Set(
    destroys.filter(({ reason }) => reason === "idle")
      .map(({ resource }) => resource),
  );
  const now = new Map(places(world));
  for (const [line, { stock }] of world.terms.entries()) {
    const own = before.stripes.filter((stripe) => stripe.line === line);
    const { existing } = countsOf(world, line);
    for (const { resource, since } of own.flatMap(({ idle }) => idle)) {
      const isExpired = before.now - since > IDLE_TIME;
      if (evicted.has(resource) && !isExpired) {
        return "S8: evicted before it was idle for longer than idleTimeout";
      }
      const isTaken = now.get(resource)?.place === "used";
      const isKept = existing <= stock || only(effects, "inspect").length > 0;
      if (isExpired && isTaken && !isKept) {
        return "S8: an expired resource is taken";
      }
    }
    const left = destroys.filter(({ stripe, reason }) =>
      world.stripes[stripe]!.line === line && reason !== "idle"
    );
    const evicts = own.some(({ idle }) =>
      idle.some(({ resource }) => evicted.has(resource))
    );
    if (evicts && existing + left.length < stock) {
      return "what is to be kept is evicted";
    }
  }
}

/** After a sweep nothing stays that has ended, and the next comes in time. */
function sweepFault(
  before: World,
  { world, effects }: Step,
): string | undefined {
  const agains = only(effects, "sweep").map(({ again }) => again);
  for (const [line, again] of agains.entries()) {
    // What became idle behind a sweep is left to the next one.
    if (again === undefined || before.sweeps[line]!.to > 0) continue;
    const { now } = world;
    const { existing } = countsOf(world, line);
    const isKept = existing <= world.terms[line]!.stock;
    const own = world.stripes.filter((stripe) => stripe.line === line);
    for (const { idle, used } of own) {
      const isExpired = idle.some(({ since }) => now - since > IDLE_TIME);
      if (isExpired && !isKept) {
        return "S8: idle for longer than idleTimeout after a sweep";
      }
      const soonest = Math.min(...idle.map(({ since }) => since + IDLE_TIME));
      if (!isExpired && again > soonest) {
        return "S8: the next sweep comes later than an end";
      }
      for (const { diesAt } of idle) {
        if (diesAt < now) return "a dead resource is idle after a sweep";
      }
      for (const { diesAt, retired } of used) {
        if (diesAt < now && retired === undefined) {
          return "a dead resource is not retired by a sweep";
        }
      }
      if (
        [...idle, ...used].some((it) => now <= it.diesAt && it.diesAt < again)
      ) {
        return "the next sweep comes later than the end of a life";
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
  // What has died on the way is replaced, where so many are to be kept.
  for (const { stripe } of only(effects, "create")) {
    const { line } = world.stripes[stripe]!;
    const { coming, existing } = countsOf(world, line);
    if (coming > world.terms[line]!.stock - existing) {
      return "S9: tryAcquire creates";
    }
  }
}

/** A create begins only if it is lacked and allowed, and makes what is used. */
function createFault({ world, effects }: Step): string | undefined {
  for (const { creation, stripe } of only(effects, "create")) {
    const { line, creating } = world.stripes[stripe]!;
    const counts = countsOf(world, line);
    if (world.closed) return "S10: a create begins after close";
    if (counts.coming > counts.wanted) return "a create begins that none lacks";
    const { allowance, permits, pauses } = world.terms[line]!;
    if (counts.creating > allowance) {
      return "a create begins that is not allowed";
    }
    if (counts.occupied > permits) return "a create begins without a permit";
    if (pauses > 0) return "a create begins in a pause";
    const begun = creating.find(({ id }) => id === creation);
    if (begun?.retired !== undefined) {
      return "a create is retired that began after all were";
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

/** Slots are owed after a shrink alone, and no more than those are destroyed. */
function shrinkFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  for (const [id, { spare, capacity, destroying }] of world.stripes.entries()) {
    const was = before.stripes[id]!;
    const shift = capacity - was.capacity;
    if (shift !== 0 && event.kind !== "resized") return "a capacity changes";
    const owed = was.spare + shift;
    if (spare < Math.min(0, owed)) {
      return `S1: stripe ${id} owes more than the shrink took`;
    }
    const paid = only(effects, "destroy")
      .filter(({ stripe, reason }) => stripe === id && reason === "resize");
    if (paid.length > Math.max(0, -owed - was.destroying.length)) {
      return `more than is owed leaves stripe ${id}`;
    }
    if (paid.length > 0 && spare + destroying.length > 0) {
      return `something left stripe ${id} that did not owe it`;
    }
  }
}

/** Someone leaves the line, for whom something idle may have been kept. */
const GOING: ReadonlySet<Event["kind"]> = new Set([
  "cancel",
  "rejected",
  "rejectedFirst",
]);

/** In a pause nothing is handed out, and it is said when nothing is used. */
function pauseFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  const isQuiet = ({ stripes, terms }: World, line: number) =>
    terms[line]!.pauses > 0 &&
    stripes.every((it) => it.line !== line || it.used.length === 0);
  const lines = [...world.terms.keys()];
  const quiet = lines.filter((line) => isQuiet(world, line));
  const said = only(effects, "paused").length;
  // A pause hears of one that has begun before.
  const due = quiet.filter((line) =>
    event.kind === "paused" || !isQuiet(before, line)
  );
  if (said < due.length) return "a pause does not begin";
  // What comes to be or leaves while nothing is used has it said again.
  const others = only(effects, "destroy").length +
    Number(event.kind === "created");
  const isHome = event.kind === "paused" ||
    "client" in event && !GOING.has(event.kind);
  if (said > due.length + (isHome ? 0 : quiet.length * others)) {
    return "a pause begins twice, or too early";
  }
  if (before.terms[0]!.pauses === 0 || world.terms[0]!.pauses === 0) return;
  for (const { resource } of only(effects, "deliver", "validate")) {
    const used = before.stripes.flatMap(({ used }) => used)
      .find((it) => it.resource === resource);
    if (event.kind !== "valid" || used?.taker === undefined) {
      return "something is handed out in a pause";
    }
  }
}

/** One goes for others who came before all that wait here, and is counted. */
function yieldFault(
  before: World,
  event: Event,
  { world, effects }: Step,
): string | undefined {
  if (event.kind === "letGo") return;
  for (const [line, { stock, yielded }] of world.terms.entries()) {
    const gone = only(effects, "destroy").filter(({ stripe, reason }) =>
      world.stripes[stripe]!.line === line && reason === "budget"
    ).length;
    const then = before.terms[line]!;
    if (gone !== yielded - then.yielded) {
      return "what yields is not counted";
    }
    if (gone === 0) {
      continue;
    }
    const came = Math.min(...world.queues[line]!.map(({ since }) =>
      since
    ));
    if (gone > 1 || came <= then.yieldsTo) {
      return "one yields to those who came later";
    }
    if (countsOf(world, line).existing < stock) {
      return "what is kept yields";
    }
  }
}

/** What is evicted for its time has been told so, and the time is over. */
function fateFault(
  before: World,
  { effects }: Step,
): string | undefined {
  const all = before.stripes.flatMap(({ idle, used }) => [...idle, ...used]);
  for (const { resource, reason } of only(effects, "destroy")) {
    const it = all.find((it) => it.resource === resource);
    const isOver = it !== undefined && it.fate === reason &&
      it.diesAt < before.now;
    const isTold = it !== undefined && "retired" in it && it.retired === reason;
    if (reason === "evict" && !isOver && !isTold) return "evicted too early";
  }
}
