import type { Scope } from "./scope.ts";

/** A tick, in ms: two of them are the head start of one step of priority. */
export const TICK = 500;

/** How long a resource may be idle; what is idle for longer is evicted. */
export const IDLE_TIME = TICK;

/** How much earlier each step of priority makes a waiter seem to come. */
export const HEAD_START = 2 * TICK;

/** A pending acquire. Its number grows with arrival: it is its place in line. */
export interface Waiter {
  readonly id: number;
  readonly client: number;
  /** The stripe it prefers, or -1. */
  readonly home: number;
  /** The line it stands in. */
  readonly line: number;
  /** When it came. */
  readonly since: number;
  readonly priority: number;
  /** Whether it came back from an offer in vain. */
  readonly isBack: boolean;
}

/** Why a resource is not used again; undefined if it is. */
export type Retired = string | undefined;

/** A resource, and what is known of it wherever it is. */
export interface Resource {
  readonly resource: number;
  /** When it was released, or born. */
  readonly since: number;
  /** When it was checked in the background. */
  readonly checkedAt: number;
  /** The last moment of its life, and why it is. */
  readonly diesAt: number;
  readonly fate: string;
  /** Of those that die at once, whose is lower was told so first. */
  readonly told: number;
  /** Whether a sweep is still to tell that its life has ended. */
  readonly isWatched: boolean;
  /** How many leases it had. */
  readonly uses: number;
}

/**
 * A used resource: leased, under `validate` for a taker, who may be gone, or
 * checked in the background.
 */
export interface Used extends Resource {
  readonly holder: number | undefined;
  readonly taker: Waiter | undefined;
  readonly isChecked: boolean;
  /** When its use began. */
  readonly usedAt: number;
  readonly retired: Retired;
  readonly isLost: boolean;
}

/** A create in flight. */
export interface Creation {
  readonly id: number;
  /** Those with a lower number came before it. */
  readonly order: number;
  readonly isOverdue: boolean;
  readonly isLost: boolean;
  readonly retired: Retired;
}

/** One share of the capacity. Each slot is in exactly one of the five places. */
export interface Stripe {
  readonly id: number;
  readonly line: number;
  capacity: number;
  /** Below 0 while slots are owed after a shrink. */
  spare: number;
  /** Newest first. */
  idle: Resource[];
  /** Resources are numbered at birth; the oldest is first. */
  used: Used[];
  creating: Creation[];
  destroying: number[];
}

/** One who acquires, holds at most one lease, and gives up after its takes. */
export interface Client {
  readonly id: number;
  /** Acquires left. */
  readonly takes: number;
}

/** How far a sweep of a line has come, and the earliest end that it has seen. */
export interface Sweep {
  readonly to: number;
  readonly earliest: number;
}

/** The numbers that others write for a line. */
export interface Terms {
  /** How many creates its waiters are owed. */
  readonly owed: number;
  /** How many resources are to exist. */
  readonly stock: number;
  /** How many creates may be in flight. */
  readonly allowance: number;
  /** How many pauses last. */
  readonly pauses: number;
  /** How many resources it may have, those that come and go included. */
  readonly permits: number;
  /** Since when someone waits elsewhere; how often one has gone for that. */
  readonly yieldsTo: number;
  readonly yielded: number;
}

/** A pool and everything around it that decides what can happen next. */
export interface World {
  readonly stripes: Stripe[];
  /** Those waiting in each line: one line, or one for each stripe if isolated. */
  readonly queues: Waiter[][];
  readonly sweeps: Sweep[];
  readonly terms: Terms[];
  /** Who came before that place was in line when a use ended, by line. */
  readonly turned: number[];
  /** How many creates of all lines may still begin. */
  places: number;
  /** The lines that begin one when there is a place again, in order. */
  refused: number[];
  clients: Client[];
  /** The stripes noted as having something idle, a spare slot; the latest last. */
  withIdle: number[];
  withSpare: number[];
  /** Whose turn it is to be joined by one whom no stripe can serve. */
  turn: number;
  /** Resources with a bad verdict that a batch has still to deal with. */
  postponed: number[];
  now: number;
  closed: boolean;
  abandoned: boolean;
  /** How many there have been. */
  arrivals: number;
  creations: number;
  births: number;
  /** How often it was told when a life ends. */
  lives: number;
}

const TERMS: Terms = {
  owed: 0,
  stock: 0,
  allowance: Infinity,
  pauses: 0,
  permits: Infinity,
  yieldsTo: Infinity,
  yielded: 0,
};

export function start(scope: Scope): World {
  const { capacities, isolated, clients, takes, faults } = scope;
  const lines = isolated ? capacities : [0];
  return {
    stripes: capacities.map((capacity, id) => ({
      id,
      line: isolated ? id : 0,
      capacity,
      spare: capacity,
      idle: [],
      used: [],
      creating: [],
      destroying: [],
    })),
    queues: lines.map(() => []),
    sweeps: lines.map(() => ({ to: 0, earliest: Infinity })),
    terms: lines.map(() => TERMS),
    turned: lines.map(() => 0),
    places: faults.has("gated") ? 1 : Infinity,
    refused: [],
    clients: Array.from({ length: clients }, (_, id) => ({ id, takes })),
    withIdle: [],
    // The first stripe is the first to be filled.
    withSpare: capacities.map((_, id) => id).reverse(),
    turn: 0,
    postponed: [],
    now: 0,
    closed: false,
    abandoned: false,
    arrivals: 0,
    creations: 0,
    births: 0,
    lives: 0,
  };
}

/** A world that can be changed while the other stays as it is. */
export function copy(world: World): World {
  return {
    ...world,
    stripes: world.stripes.map((stripe) => ({
      ...stripe,
      idle: [...stripe.idle],
      used: [...stripe.used],
      creating: [...stripe.creating],
      destroying: [...stripe.destroying],
    })),
    queues: world.queues.map((queue) => [...queue]),
    sweeps: [...world.sweeps],
    terms: [...world.terms],
    turned: [...world.turned],
    refused: [...world.refused],
    withIdle: [...world.withIdle],
    withSpare: [...world.withSpare],
    postponed: [...world.postponed],
  };
}

/** Whether one is served before another: by what it came, less its head start. */
export function isAhead(a: Waiter, b: Waiter): boolean {
  const [came, other] = [a, b].map((it) => it.since - HEAD_START * it.priority);
  return came! < other! || came === other && a.id < b.id;
}

/** Those whose resource is under `validate`. */
export function takers({ stripes }: World): Waiter[] {
  return stripes.flatMap(({ used }) => used)
    .flatMap(({ taker }) => taker ?? []);
}

/** Every acquire that is not settled, in order of arrival. */
export function pending(world: World): Waiter[] {
  return [...world.queues.flat(), ...takers(world)].sort((a, b) => a.id - b.id);
}

/** How many who came before a place are still pending in a line. */
export function before(world: World, line: number, order: number): number {
  return pending(world).filter((it) => it.line === line && it.id < order)
    .length;
}

/** Clients that neither wait nor hold. */
export function atLarge(world: World): Client[] {
  const engaged = new Set(pending(world).map(({ client }) => client));
  for (const { used } of world.stripes) {
    for (const { holder } of used) engaged.add(holder ?? -1);
  }
  return world.clients.filter(({ id }) => !engaged.has(id));
}

/** Whether nothing is under way: every slot is spare or idle, nobody waits. */
export function isAtRest({ stripes, queues }: World): boolean {
  return queues.every((queue) => queue.length === 0) &&
    stripes.every(({ spare, idle, capacity }) =>
      spare + idle.length === capacity
    );
}

/** What a line counts, over its stripes. */
export interface Counts {
  readonly waiting: number;
  /** What one stripe owes is spare in another all the same. */
  readonly spare: number;
  readonly idle: number;
  /** Idle or used. */
  readonly existing: number;
  /** Those, and those that come and go. */
  readonly occupied: number;
  readonly creating: number;
  /** Creates in flight that are counted on. */
  readonly coming: number;
  /** Creates that are to be coming, as far as there are slots and allowance. */
  readonly wanted: number;
  /** How many creates would begin if there were slots alone, and no permits. */
  readonly lacking: number;
}

export function countsOf(world: World, line: number): Counts {
  const own = world.stripes.filter((stripe) => stripe.line === line);
  const { owed, stock, allowance, pauses, permits } = world.terms[line]!;
  const idle = sum(own, (stripe) => stripe.idle.length);
  const existing = idle + sum(own, ({ used }) => used.length);
  const creations = own.flatMap(({ creating }) => creating);
  const creating = creations.length;
  const coming = creations.filter(({ isOverdue }) => !isOverdue).length;
  const wanted = Math.max(owed - idle, stock - existing);
  const spare = sum(own, ({ spare }) => Math.max(0, spare));
  const occupied = existing + creating +
    sum(own, ({ destroying }) => destroying.length);
  // What the stock lacks is not asked for beside what somebody waits for.
  const isShort = owed - idle > coming;
  const asked = (isShort ? owed - idle : wanted) - coming;
  const next = Math.min(spare, allowance - creating, asked);
  const unused = Math.max(0, permits - occupied);
  const lacking = pauses > 0 ? 0 : Math.max(0, next - unused);
  return {
    waiting: world.queues[line]!.length,
    spare,
    idle,
    existing,
    occupied,
    creating,
    coming,
    wanted,
    lacking,
  };
}

export function sum<A>(all: readonly A[], of: (item: A) => number): number {
  return all.reduce((total, item) => total + of(item), 0);
}
