import type { Fault, Scope } from "./scope.ts";
import {
  atLarge,
  before,
  type Creation,
  HEAD_START,
  IDLE_TIME,
  pending,
  type Resource,
  type Retired,
  type Stripe,
  TICK,
  type Used,
  type Waiter,
  type World,
} from "./world.ts";

/**
 * A string that two worlds share if they differ in nothing but the numbers of
 * their clients, resources, creates and stripes, and the age of what expired.
 */
export function keyOf(scope: Scope, world: World): string {
  const code = new Code(scope, world);
  return orders(scope).map((order) => code.key(order))
    .reduce((least, key) => key < least ? key : least);
}

/** What goes by the order of stripes, so that they are told apart. */
const ORDERED: readonly Fault[] = [
  "parts",
  "inspected",
  "stocked",
  "gated",
  "resized",
  "letGo",
];

/** What goes by when a resource was released or checked. */
const STAMPED: readonly Fault[] = [
  "inspected",
  "passed",
  "distrusted",
  "letGo",
];

/** What goes by when a waiter came. */
const AGED: readonly Fault[] = ["priority", "yieldTo", "shed"];

/**
 * The orders in which the stripes come to the same: they must have as many
 * slots, and nothing that happens may go by their order.
 */
function orders({ capacities, faults }: Scope): readonly number[][] {
  const isAlike = capacities.length === 2 &&
    capacities[0] === capacities[1] && !ORDERED.some((f) => faults.has(f));
  const order = [...capacities.keys()];
  return isAlike ? [order, order.toReversed()] : [order];
}

/** Numbers for what is not alike in a world. */
class Code {
  readonly #world: World;
  readonly #isStamped: boolean;
  readonly #isAged: boolean;
  readonly #takes = new Map<number, number>();
  /** Places in the order of arrival, in line or as a taker, by line. */
  readonly #rank = new Map<number, number>();
  readonly #reasons = new Map<Retired, number>([[undefined, 0]]);
  /** The order of the times at which something was released or checked. */
  readonly #times: readonly number[];
  /** Resources in the order of their ends. */
  readonly #lives: readonly number[];

  constructor({ faults }: Scope, world: World) {
    const { stripes } = world;
    this.#world = world;
    this.#isAged = AGED.some((fault) => faults.has(fault));
    this.#isStamped = STAMPED.some((fault) => faults.has(fault));
    for (const { id, takes } of world.clients) this.#takes.set(id, takes);
    const ranks = world.queues.map(() => 0);
    for (const { id, line } of pending(world)) {
      this.#rank.set(id, ++ranks[line]!);
    }
    for (const reason of REASONS) {
      this.#reasons.set(reason, this.#reasons.size);
    }
    const kept = stripes.flatMap(({ idle, used }) => [
      ...idle,
      ...used.filter(({ holder }) => holder === undefined),
    ]);
    const times = kept.flatMap((it) => [it.since, checkOf(it)]);
    this.#times = [...new Set(times)].sort((a, b) => a - b);
    this.#lives = stripes.flatMap(({ idle, used }) => [...idle, ...used])
      .filter(({ isWatched }) => isWatched)
      .sort((a, b) => a.diesAt - b.diesAt || a.told - b.told)
      .map(({ resource }) => resource);
  }

  key(order: readonly number[]): string {
    const { closed, abandoned, queues, stripes, sweeps } = this.#world;
    const { terms, refused } = this.#world;
    const places = new Map(order.map((id, place) => [id, place + 1]));
    const large = atLarge(this.#world).map(({ takes }) => takes).sort();
    const codes = [Number(closed) + Number(abandoned), large.length, ...large];
    for (const line of queues.length === 1 ? [0] : order) {
      const { to, earliest } = sweeps[line]!;
      const { owed, stock, allowance, ...others } = terms[line]!;
      codes.push(to, this.#end(earliest), owed, stock, Math.min(allowance, 9));
      codes.push(others.pauses, Math.min(others.permits, 9));
      codes.push(this.#age(others.yieldsTo));
      codes.push(refused.indexOf(line) + 1, queues[line]!.length);
      for (const waiter of queues[line]!) {
        codes.push(this.#waiter(waiter, places));
      }
    }
    for (const id of order) this.#push(codes, stripes[id]!, places);
    // Later there is nothing to choose.
    if (!closed && stripes.length > 1) this.#pushChoices(codes, places);
    return String.fromCharCode(...codes);
  }

  #push(
    codes: number[],
    stripe: Stripe,
    places: ReadonlyMap<number, number>,
  ): void {
    const { line, capacity, spare, idle, used, creating, destroying } = stripe;
    codes.push(capacity, spare, idle.length, used.length, creating.length);
    codes.push(destroying.length);
    for (const it of idle) codes.push(...this.#stamps(it), ...this.#ends(it));
    const all = [
      used.map((it) => this.#used(it, places)),
      creating.map((it) => this.#creation(it, line)),
    ];
    for (const alike of all) {
      const sorted = alike.map((codes) => String.fromCharCode(...codes)).sort();
      for (const char of sorted.join("")) codes.push(char.charCodeAt(0));
    }
  }

  #pushChoices(codes: number[], places: ReadonlyMap<number, number>): void {
    const { withIdle, withSpare, turn, queues, stripes } = this.#world;
    for (const noted of [withIdle, withSpare]) {
      codes.push(noted.length);
      for (const id of noted) codes.push(places.get(id)!);
    }
    if (queues.length > 1) codes.push(places.get(turn % stripes.length)!);
  }

  /** A time in ticks from now; all that are over are alike. */
  #end(time: number): number {
    const ticks = (time - this.#world.now) / TICK;
    return Math.min(Math.max(ticks, -1), MOST_TICKS) + 1;
  }

  /** How many ticks ago someone came; all that make no difference are alike. */
  #age(since: number): number {
    if (!this.#isAged || since === Infinity) return 0;
    return Math.min((this.#world.now - since) / TICK, MOST_AGE) + 1;
  }

  #stamps(it: Resource): number[] {
    const end = this.#end(it.since + IDLE_TIME);
    if (!this.#isStamped) return [end];
    const check = checkOf(it);
    return [
      end,
      this.#end(check),
      this.#times.indexOf(it.since),
      this.#times.indexOf(check),
    ];
  }

  /** What ends it: its life and its uses. */
  #ends({ resource, diesAt, fate, uses }: Resource): number[] {
    const place = this.#lives.indexOf(resource) + 1;
    return [this.#end(diesAt), this.#reasons.get(fate)!, place, uses];
  }

  #waiter(
    { id, client, home, isBack, priority, since }: Waiter,
    places: ReadonlyMap<number, number>,
  ): number {
    const takes = this.#takes.get(client)!;
    const place = places.get(home) ?? 0;
    const age = this.#age(since) * 2 + priority;
    const at = this.#rank.get(id)! * 16 + age;
    return ((at * 4 + takes) * 4 + place) * 2 + Number(isBack);
  }

  #used(it: Used, places: ReadonlyMap<number, number>): number[] {
    const { resource, holder, taker, retired, isLost, isChecked } = it;
    const postponed = this.#world.postponed.indexOf(resource) + 1;
    const owner = taker !== undefined
      ? this.#waiter(taker, places)
      : holder !== undefined
      ? this.#takes.get(holder)! + 1
      : 0;
    const isLeased = Number(holder !== undefined);
    const reason = this.#reasons.get(retired)!;
    const flags = (Number(isLost) * 2 + Number(isChecked)) * 2 + isLeased;
    // A release writes its own stamps.
    const isKept = this.#isStamped && holder === undefined;
    return [
      owner,
      postponed,
      reason,
      flags,
      ...this.#ends(it),
      ...isKept ? this.#stamps(it) : [],
    ];
  }

  #creation(it: Creation, line: number): number[] {
    const rank = before(this.#world, line, it.order);
    const flags = Number(it.isOverdue) * 2 + Number(it.isLost);
    return [rank, flags, this.#reasons.get(it.retired)!];
  }
}

/** Why something is not used again. */
const REASONS = ["clear", "close", "lost", "leaked", "lifetime", "evict"];

/** Later than so many ticks from now nothing ends but by itself. */
const MOST_TICKS = 2;

/** Longer ago nobody is overtaken by one with a priority. */
const MOST_AGE = HEAD_START / TICK + 1;

/** When it was last known to be good. */
function checkOf({ since, checkedAt }: Resource): number {
  return Math.max(since, checkedAt);
}
