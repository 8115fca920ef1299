import type { Scope } from "./scope.ts";
import {
  atLarge,
  type Creation,
  IDLE_TICKS,
  pending,
  type Stripe,
  type Used,
  type Waiter,
  type World,
} from "./world.ts";

/**
 * A string that two worlds share if they differ in nothing but the numbers of
 * their clients, resources, creates and stripes, and the age of what expired.
 */
export function keyOf(scope: Scope, world: World): string {
  const code = new Code(world);
  return orders(scope).map((order) => code.key(order))
    .reduce((least, key) => key < least ? key : least);
}

/**
 * The orders in which the stripes come to the same: they must have as many
 * slots, and a sweep that stops half-way can tell them apart.
 */
function orders({ capacities, faults }: Scope): readonly number[][] {
  const isAlike = capacities.length === 2 &&
    capacities[0] === capacities[1] && !faults.has("parts");
  const order = [...capacities.keys()];
  return isAlike ? [order, order.toReversed()] : [order];
}

/** Numbers for what is not alike in a world. */
class Code {
  readonly #world: World;
  readonly #takes = new Map<number, number>();
  /** Places in the order of arrival, in line or as a taker, by line. */
  readonly #rank = new Map<number, number>();
  readonly #reasons = new Map<string | undefined, number>([[undefined, 0]]);

  constructor(world: World) {
    this.#world = world;
    for (const { id, takes } of world.clients) this.#takes.set(id, takes);
    const ranks = world.queues.map(() => 0);
    for (const { id, line } of pending(world)) {
      this.#rank.set(id, ++ranks[line]!);
    }
    for (const reason of ["clear", "close"]) {
      this.#reasons.set(reason, this.#reasons.size);
    }
  }

  key(order: readonly number[]): string {
    const { closed, abandoned, queues, stripes, sweeps } = this.#world;
    const places = new Map(order.map((id, place) => [id, place + 1]));
    const large = atLarge(this.#world).map(({ takes }) => takes).sort();
    const codes = [Number(closed) + Number(abandoned), large.length, ...large];
    for (const line of queues.length === 1 ? [0] : order) {
      const { to, earliest } = sweeps[line]!;
      codes.push(to, this.#end(earliest), queues[line]!.length);
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
    const { spare, idle, used, creating, destroying } = stripe;
    codes.push(spare, idle.length, used.length, creating.length);
    codes.push(destroying.length);
    for (const { since } of idle) codes.push(this.#end(since + IDLE_TICKS));
    const numbers = used.map((it) => this.#used(it, places));
    codes.push(...numbers.sort((a, b) => a - b));
    const creations = creating.map((it) => this.#creation(it));
    codes.push(...creations.sort((a, b) => a - b));
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
  #end(tick: number): number {
    return Math.min(Math.max(tick - this.#world.now, -1), IDLE_TICKS + 1) + 1;
  }

  #waiter(
    { id, client, home, isBack }: Waiter,
    places: ReadonlyMap<number, number>,
  ): number {
    const takes = this.#takes.get(client)!;
    const place = places.get(home) ?? 0;
    return ((this.#rank.get(id)! * 4 + takes) * 4 + place) * 2 + Number(isBack);
  }

  #creation({ retired, order }: Creation): number {
    const before = pending(this.#world).filter(({ id }) => id < order);
    return before.length * 4 + this.#reasons.get(retired)!;
  }

  #used(
    { resource, holder, taker, retired }: Used,
    places: ReadonlyMap<number, number>,
  ): number {
    const postponed = this.#world.postponed.indexOf(resource) + 1;
    const owner = taker !== undefined
      ? this.#waiter(taker, places)
      : holder !== undefined
      ? this.#takes.get(holder)! + 1
      : 0;
    const isLeased = Number(holder !== undefined);
    const reason = this.#reasons.get(retired)!;
    return ((owner * 4 + postponed) * 4 + reason) * 2 + isLeased;
  }
}
