import type { Effect } from "./effect.ts";
import type { Scope } from "./scope.ts";
import {
  atLarge,
  before,
  HEAD_START,
  IDLE_TIME,
  isAtRest,
  pending,
  type Resource,
  type Stripe,
  sum,
  type Used,
  type World,
} from "./world.ts";

/**
 * What can happen to a pool from outside. `bad` is how many resources a
 * synchronous `validate` says no to before it says yes; `lost` is how many are
 * lost on their way to a lease, `owes` how many creates a newcomer is owed,
 * `sheds` of how many whose turn has come it is said that they are to leave.
 */
export type Event =
  | {
    readonly kind: "acquire" | "tryAcquire";
    readonly client: number;
    /** The stripe its affinity names, or -1. */
    readonly home: number;
    readonly owes: number;
    readonly priority: number;
    readonly bad: number;
    readonly lost: number;
  }
  | {
    readonly kind: "release";
    readonly client: number;
    readonly bad: number;
    readonly lost: number;
    readonly sheds: number;
  }
  /** `rejected`: with all who came before it. */
  | {
    readonly kind: "leaseDestroyed" | "detached" | "cancel" | "rejected";
    readonly client: number;
  }
  /** A client gives its resource back later. */
  | { readonly kind: "useEnded"; readonly client: number }
  /** The first of a line is rejected, if it is meant. */
  | {
    readonly kind: "rejectedFirst";
    readonly client: number;
    readonly isMeant: boolean;
  }
  | {
    readonly kind: "created";
    readonly creation: number;
    /** How many ticks what it makes will live. */
    readonly life: number;
    readonly lost: number;
    readonly sheds: number;
  }
  | {
    readonly kind: "createFails";
    readonly creation: number;
    readonly isTold: boolean;
  }
  | { readonly kind: "overdue" | "lostUnborn"; readonly creation: number }
  | {
    readonly kind: "valid" | "inspected";
    readonly resource: number;
    readonly lost: number;
    readonly sheds: number;
  }
  | {
    readonly kind: "invalid" | "passed";
    readonly resource: number;
    readonly sheds: number;
  }
  | {
    /** Its life ends in so many ticks, if not before. */
    readonly kind: "shortened";
    readonly resource: number;
    readonly life: number;
  }
  | {
    readonly kind:
      | "destroyed"
      | "postponed"
      | "retired"
      | "lost";
    readonly resource: number;
  }
  | {
    /** What has been idle since then. */
    readonly kind: "distrusted";
    readonly line: number;
    readonly time: number;
  }
  | {
    readonly kind: "allowed" | "stocked" | "owed" | "permitted" | "yieldTo";
    readonly line: number;
    readonly n: number;
  }
  | { readonly kind: "letGo"; readonly line: number }
  | { readonly kind: "resized"; readonly max: number }
  | { readonly kind: "unpaused"; readonly sheds: number }
  | { readonly kind: "sweep"; readonly limit: number }
  | {
    readonly kind:
      | "inspect"
      | "turn"
      | "tick"
      | "clear"
      | "close"
      | "abandon"
      | "paused";
  };

export type AcquireEvent = Extract<Event, { home: number }>;

/** Events that end something begun; the liveness properties rely on these alone. */
const ENDS: ReadonlySet<Event["kind"]> = new Set<Event["kind"]>([
  "release",
  "leaseDestroyed",
  "detached",
  "unpaused",
  "created",
  "destroyed",
  "valid",
  "invalid",
  "postponed",
  "passed",
  "inspected",
  "turn",
]);

/**
 * Whether an event ends something, or is one of those that come in the end: a
 * gate opens, all who wait are owed a create. What is lost on its way, or fails
 * and begins again for the same waiter, ends nothing.
 */
export function isEnd(
  event: Event,
  { queues, terms }: World,
  effects: readonly Effect[],
): boolean {
  switch (event.kind) {
    case "invalid":
    case "postponed":
      // A stock could be refilled and refused for ever.
      return terms.every(({ stock }) => stock === 0);
    case "createFails":
      return !effects.some(({ kind }) => kind === "create") ||
        effects.some(({ kind }) => kind === "reject");
    case "allowed":
    case "permitted":
      return event.n === Infinity;
    case "unpaused":
      return terms.some(({ pauses }) => pauses > 0);
    case "owed":
      return event.n === queues[event.line]!.length;
    default:
      return ENDS.has(event.kind) && !("lost" in event && event.lost > 0);
  }
}

/**
 * All that can happen, in an order that depends on nothing but the state; of
 * things that are alike only one is named.
 */
export function events(scope: Scope, world: World): Event[] {
  const all = world.closed ? [] : acquires(scope, world);
  for (const stripe of world.stripes) {
    all.push(
      ...ofUsed(scope, world, stripe),
      ...ofIdle(scope, stripe),
      ...ofCreations(scope, world, stripe),
    );
    for (const resource of alike(stripe.destroying, () => 0, world)) {
      all.push({ kind: "destroyed", resource });
    }
  }
  const { faults } = scope;
  if (faults.has("cancel")) {
    for (const { client } of pending(world)) {
      all.push({ kind: "cancel", client });
    }
  }
  all.push(...ofLines(scope, world), ...ofPool(scope, world));
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
  const { faults } = scope;
  const homes = faults.has("affinity")
    ? [-1, ...world.stripes.map(({ id }) => id)]
    : [-1];
  const kinds = (["acquire", "tryAcquire"] as const)
    .filter((kind) => kind === "acquire" || faults.has(kind));
  const able = atLarge(world).filter(({ takes }) => takes > 0);
  const idle = sum(world.stripes, (stripe) => stripe.idle.length);
  const all: Event[] = [];
  for (const { id: client } of alike(able, ({ takes }) => takes, world)) {
    for (const kind of kinds) {
      // One that is handed over at once cannot be lost on its way.
      const lost = upTo(kind === "acquire" ? lostOf(scope, idle) : 0);
      const owes = kind === "acquire" && faults.has("owed") ? [0, 1] : [1];
      const most = kind === "acquire" && faults.has("priority") ? 1 : 0;
      for (const home of homes) {
        for (const bad of verdicts(scope, idle)) {
          for (const each of lost) {
            for (const n of owes) {
              for (const priority of upTo(most)) {
                const it = { kind, client, home, priority, owes: n };
                all.push({ ...it, bad, lost: each });
              }
            }
          }
        }
      }
    }
  }
  return all;
}

function ofUsed(scope: Scope, world: World, stripe: Stripe): Event[] {
  const { faults } = scope;
  const takes = new Map(world.clients.map(({ id, takes }) => [id, takes]));
  const waiting = world.queues[stripe.line]!.length;
  const all: Event[] = [];
  const used = alike(stripe.used, (it) =>
    [
      it.holder !== undefined && takes.get(it.holder),
      it.taker?.id,
      it.isChecked,
      it.retired,
      it.isLost,
      it.since,
      it.checkedAt,
      it.diesAt,
      it.fate,
      it.isWatched,
      it.uses,
      world.postponed.includes(it.resource),
    ].join(), world);
  for (const it of used) {
    const { resource, holder: client, retired, isLost } = it;
    if (client !== undefined) {
      for (const bad of verdicts(scope, Math.min(1, waiting))) {
        for (const lost of upTo(lostOf(scope, waiting))) {
          for (const sheds of shedOf(scope, waiting)) {
            all.push({ kind: "release", client, bad, lost, sheds });
          }
        }
      }
      if (faults.has("leaseDestroyed")) {
        all.push({ kind: "leaseDestroyed", client });
      }
      if (faults.has("detached")) all.push({ kind: "detached", client });
      if (faults.has("useEnded")) all.push({ kind: "useEnded", client });
    } else all.push(...ofVerdict(scope, world, it, waiting));
    if (faults.has("retired") && retired === undefined) {
      all.push({ kind: "retired", resource });
    }
    if (faults.has("lost") && !isLost) all.push({ kind: "lost", resource });
    all.push(...ofLife(scope, it));
  }
  return all;
}

/** What may be said of how long one is to live. */
function ofLife({ faults }: Scope, { resource }: Resource): Event[] {
  const lives = faults.has("shortened") ? [0.5, 1] : [];
  return lives.map((life) => ({ kind: "shortened", resource, life }));
}

/** What may be said of one under `validate`. */
function ofVerdict(
  scope: Scope,
  { postponed }: World,
  { resource, taker, isChecked }: Used,
  waiting: number,
): Event[] {
  if (postponed.includes(resource)) return [];
  const all: Event[] = [];
  const { faults } = scope;
  const kind = isChecked ? "inspected" : "valid";
  const given = isChecked || taker === undefined ? waiting : 1;
  for (const lost of upTo(lostOf(scope, given))) {
    for (const sheds of shedOf(scope, waiting)) {
      all.push({ kind, resource, lost, sheds });
    }
  }
  // While a batch is pending, a bad verdict waits behind it.
  const isNow = isChecked || postponed.length === 0;
  if (isNow && faults.has("invalid")) {
    const pushed = waiting + Number(taker !== undefined);
    for (const sheds of shedOf(scope, pushed)) {
      all.push({ kind: "invalid", resource, sheds });
    }
  }
  if (isChecked) return all;
  if (faults.has("postponed")) all.push({ kind: "postponed", resource });
  if (faults.has("passed") && taker === undefined) {
    for (const sheds of shedOf(scope, waiting)) {
      all.push({ kind: "passed", resource, sheds });
    }
  }
  return all;
}

function ofIdle(scope: Scope, { idle }: Stripe): Event[] {
  const kinds = (["retired", "lost"] as const)
    .filter((kind) => scope.faults.has(kind));
  return idle.flatMap((it) => [
    ...kinds.map((kind) => ({ kind, resource: it.resource })),
    ...ofLife(scope, it),
  ]);
}

function ofCreations(scope: Scope, world: World, stripe: Stripe): Event[] {
  const { faults } = scope;
  const { line } = stripe;
  const waiting = world.queues[line]!.length;
  const all: Event[] = [];
  const creations = alike(stripe.creating, (it) =>
    [
      it.retired,
      it.isOverdue,
      it.isLost,
      before(world, line, it.order),
    ].join(), world);
  for (const { id: creation, isOverdue, isLost } of creations) {
    for (const life of faults.has("dies") ? [1, 2] : [Infinity]) {
      for (const lost of upTo(isLost ? 0 : lostOf(scope, waiting))) {
        for (const sheds of shedOf(scope, isLost ? 0 : waiting)) {
          all.push({ kind: "created", creation, life, lost, sheds });
        }
      }
    }
    if (faults.has("createFails")) {
      all.push({ kind: "createFails", creation, isTold: true });
    }
    if (faults.has("failureKept")) {
      all.push({ kind: "createFails", creation, isTold: false });
    }
    if (faults.has("overdue") && !isOverdue) {
      all.push({ kind: "overdue", creation });
    }
    if (faults.has("lostUnborn") && !isLost) {
      all.push({ kind: "lostUnborn", creation });
    }
  }
  return all;
}

/** What concerns a line, while the pool is open. */
function ofLines({ faults }: Scope, world: World): Event[] {
  const { queues, stripes, terms, closed } = world;
  const all: Event[] = [];
  const isChecking = stripes.some(({ used }) => used.some((u) => u.isChecked));
  const hasIdle = stripes.some(({ idle }) => idle.length > 0);
  const isPaused = terms.some(({ pauses }) => pauses > 0);
  if (faults.has("inspected") && !isChecking && hasIdle && !isPaused) {
    all.push({ kind: "inspect" });
  }
  for (const [line, queue] of queues.entries()) {
    if (faults.has("rejected")) {
      for (const { client } of queue) all.push({ kind: "rejected", client });
      for (const { client } of queue.slice(0, 1)) {
        for (const isMeant of [true, false]) {
          all.push({ kind: "rejectedFirst", client, isMeant });
        }
      }
    }
    const own = stripes.filter((stripe) => stripe.line === line);
    if (faults.has("distrusted")) {
      const suspects = own.flatMap(({ idle, used }) => [
        ...idle,
        ...used.filter(({ taker }) => taker !== undefined),
      ]);
      for (const time of new Set(suspects.map(({ since }) => since))) {
        all.push({ kind: "distrusted", line, time });
      }
    }
    if (closed) continue;
    const { owed, allowance, stock, permits, yieldsTo } = terms[line]!;
    const offer = (
      kind: "allowed" | "stocked" | "permitted" | "yieldTo",
      now: number,
      ...all: number[]
    ) =>
      faults.has(kind)
        ? all.filter((n) => n !== now).map((n) => ({ kind, line, n }))
        : [];
    all.push(...offer("allowed", allowance, 0, 1, Infinity));
    const most = Math.min(2, sum(own, ({ capacity }) => capacity));
    all.push(...offer("stocked", stock, ...upTo(most)));
    all.push(...offer("permitted", permits, 0, 1, Infinity));
    all.push(...offer("yieldTo", yieldsTo, world.now, Infinity));
    if (faults.has("letGo")) all.push({ kind: "letGo", line });
    for (let n = owed + 1; faults.has("owed") && n <= queue.length; n++) {
      all.push({ kind: "owed", line, n });
    }
  }
  return all;
}

/** What concerns the whole pool; a pause may be ended after it has closed. */
function ofPool({ faults, capacities }: Scope, world: World): Event[] {
  const { stripes, queues, terms, closed } = world;
  const all: Event[] = [];
  const { pauses } = terms[0]!;
  if (faults.has("paused")) {
    if (!closed && pauses < 2) all.push({ kind: "paused" });
    const waiting = sum(queues, ({ length }) => length);
    const sheds = faults.has("shed") ? upTo(pauses > 0 ? waiting : 0) : [0];
    if (pauses > 0 || closed) {
      for (const n of sheds) all.push({ kind: "unpaused", sheds: n });
    }
  }
  if (closed || !faults.has("resized")) return all;
  const now = sum(stripes, ({ capacity }) => capacity);
  const most = sum(capacities, (capacity) => capacity) + 1;
  for (let max = stripes.length; max <= most; max++) {
    if (max !== now) all.push({ kind: "resized", max });
  }
  return all;
}

/** A tick, while it makes something expire one day, and sweeps. */
function ofTime(scope: Scope, world: World): Event[] {
  const { now, stripes, sweeps, terms } = world;
  const idle = stripes.flatMap((stripe) => stripe.idle);
  const lives = [...idle, ...stripes.flatMap(({ used }) => used)]
    .filter(({ diesAt }) => diesAt !== Infinity);
  const all: Event[] = [];
  const isAging = idle.some(({ since }) => now - since <= IDLE_TIME) ||
    lives.some(({ diesAt }) => diesAt >= now) ||
    scope.faults.has("priority") &&
      pending(world).some(({ since }) => now - since <= HEAD_START) ||
    terms.some(({ yieldsTo }) => yieldsTo === now);
  if (isAging) all.push({ kind: "tick" });
  const isBegun = sweeps.some(({ to }) => to > 0);
  const isDue = lives.some((it) => it.isWatched && it.diesAt < now);
  if (idle.length === 0 && !isBegun && !isDue) return all;
  all.push({ kind: "sweep", limit: Infinity });
  if (scope.faults.has("parts")) all.push({ kind: "sweep", limit: 1 });
  return all;
}

/** How often a synchronous `validate` may say no, at most `most` times. */
function verdicts(scope: Scope, most: number): number[] {
  const isAsked = scope.validate === "sync" && scope.faults.has("invalid");
  return upTo(isAsked ? most : 0);
}

/** How many may be lost of what is handed to so many. */
function lostOf({ faults }: Scope, given: number): number {
  return faults.has("lostOnWay") ? Math.min(1, given) : 0;
}

/** How many may be shed of so many who wait. */
function shedOf({ faults }: Scope, waiting: number): number[] {
  return upTo(faults.has("shed") ? waiting : 0);
}

function upTo(most: number): number[] {
  return Array.from({ length: most + 1 }, (_, n) => n);
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
      const owes = event.owes === 1 ? "" : ", owed nothing";
      const priority = event.priority > 0 ? " with priority" : "";
      return `client ${event.client} calls ${event.kind}${where}${priority}` +
        owes + mishaps(event);
    }
    case "release":
      return `client ${event.client} releases${mishaps(event)}`;
    case "leaseDestroyed":
      return `client ${event.client} destroys its resource`;
    case "detached":
      return `client ${event.client} detaches its resource`;
    case "useEnded":
      return `client ${event.client} ends its use`;
    case "cancel":
      return `the acquire of client ${event.client} is cancelled`;
    case "rejected":
      return `client ${event.client} and all before it are rejected`;
    case "rejectedFirst":
      return `${event.isMeant ? "" : "not "}client ${event.client} is rejected`;
    case "created": {
      const life = event.life === Infinity ? "" : ` for ${event.life} ticks`;
      return `create ${event.creation} resolves${life}${mishaps(event)}`;
    }
    case "createFails": {
      const told = event.isTold ? "" : ", and nobody is told";
      return `create ${event.creation} rejects${told}`;
    }
    case "overdue":
      return `create ${event.creation} is overdue`;
    case "lostUnborn":
      return `what create ${event.creation} makes is lost`;
    case "destroyed":
      return `destroy of resource ${event.resource} settles`;
    case "valid":
    case "inspected":
      return `resource ${event.resource} is valid${mishaps(event)}`;
    case "invalid":
      return `resource ${event.resource} is invalid${mishaps(event)}`;
    case "retired":
    case "lost":
      return `resource ${event.resource} is ${event.kind}`;
    case "shortened":
      return `resource ${event.resource} may live for ${event.life} ticks`;
    case "postponed":
      return `resource ${event.resource} is invalid, which waits its turn`;
    case "passed":
      return `resource ${event.resource} is not asked, as its taker has left` +
        mishaps(event);
    default:
      return governingInWords(event);
  }
}

function governingInWords(event: Event): string {
  switch (event.kind) {
    case "distrusted":
      return `what is idle since ${event.time} is distrusted`;
    case "allowed":
      return `line ${event.line} may have ${event.n} creates in flight`;
    case "stocked":
      return `line ${event.line} is to keep ${event.n}`;
    case "owed":
      return `line ${event.line} owes ${event.n} creates`;
    case "permitted":
      return `line ${event.line} may have ${event.n} resources`;
    case "yieldTo":
      return `line ${event.line} yields to one elsewhere since ${event.n}`;
    case "letGo":
      return `line ${event.line} is asked to let one go`;
    case "resized":
      return `the pool has ${event.max} slots from now on`;
    case "paused":
      return "pause is called";
    case "unpaused":
      return `a pause ends${mishaps(event)}`;
    case "inspect":
      return "the longest unchecked is checked";
    case "sweep":
      return event.limit === 1 ? "a sweep takes a step" : "a sweep runs";
    case "turn":
      return "the next turn of the event loop comes";
    case "tick":
      return "a tick passes";
    case "abandon":
      return "the signal of close aborts";
    default:
      return `${event.kind} is called`;
  }
}

function mishaps(
  { bad, lost, sheds }: { bad?: number; lost?: number; sheds?: number },
): string {
  return (bad ? ` (validate refuses ${bad} first)` : "") +
    (lost ? ` (it is lost on its way)` : "") +
    (sheds ? ` (${sheds} are to leave)` : "");
}
