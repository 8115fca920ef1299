import { pending, type Stripe, type Waiter } from "./stripe.ts";
import { atLarge, type World } from "./world.ts";

/** A world put in canonical order, and the string that stands for it. */
export interface Keyed {
  readonly world: World;
  readonly key: string;
}

/**
 * Two worlds have one key if they differ in nothing but the numbers of their
 * clients, resources and stripes. The numbers stay in the world, so that one
 * run can be followed through it.
 */
export function keyed(world: World): Keyed {
  const codes = new Codes(world);
  const { stripes } = world.pool;
  let best: Keyed | undefined;
  const sorted = stripes.map((stripe) => codes.sorted(stripe));
  for (const order of orders(stripes.length)) {
    const arranged = order.map((i) => sorted[i]!);
    const key = codes.key(arranged);
    if (best === undefined || key < best.key) {
      const pool = { ...world.pool, stripes: arranged };
      best = { key, world: { ...world, pool, clients: codes.clients } };
    }
  }
  return best!;
}

const ORDERS = new Map<number, readonly (readonly number[])[]>();

function orders(n: number): readonly (readonly number[])[] {
  const known = ORDERS.get(n);
  if (known !== undefined) return known;
  let all: number[][] = [[]];
  for (let i = 0; i < n; i++) {
    all = all.flatMap((order) =>
      Array.from({ length: i + 1 }, (_, at) => order.toSpliced(at, 0, i))
    );
  }
  ORDERS.set(n, all);
  return all;
}

/** What stands for each part of one world in its key. */
class Codes {
  /** By acquires left, those at large first. */
  readonly clients: World["clients"];
  readonly #world: World;
  readonly #takes = new Map<number, number>();
  readonly #large: number[];
  /** Places in the order of arrival, over all lines and takers. */
  readonly #rank = new Map<number, number>();

  constructor(world: World) {
    this.#world = world;
    this.clients = world.clients.toSorted((a, b) =>
      a.takes - b.takes || a.id - b.id
    );
    for (const { id, takes } of world.clients) this.#takes.set(id, takes);
    this.#large = atLarge(world).map(({ takes }) => takes).sort();
    pending(world.pool).sort((a, b) => a.id - b.id)
      .forEach(({ id }, i) => this.#rank.set(id, i + 1));
  }

  /** The stripe with what is alike in it side by side. */
  sorted(stripe: Stripe): Stripe {
    return {
      ...stripe,
      leased: sortedBy(stripe.leased, (lease) => this.#lease(lease)),
      validating: sortedBy(stripe.validating, (v) => this.#validation(v)),
      creating: sortedBy(stripe.creating, ({ retired }) => Number(retired)),
    };
  }

  key(stripes: readonly Stripe[]): string {
    const { pool, late, abandoned } = this.#world;
    const places = new Map(stripes.map((stripe, i) => [stripe.id, i + 1]));
    const chars = [
      (pool.closed ? 1 : 0) + (abandoned ? 2 : 0) +
      Math.min(pool.failures, 2) * 4,
      late.length,
      this.#large.length,
      ...this.#large,
    ];
    for (const { line } of pool.queues.length === 1 ? [stripes[0]!] : stripes) {
      const queue = pool.queues[line]!;
      chars.push(queue.length);
      for (const waiter of queue) chars.push(this.#waiter(waiter, places));
    }
    for (const stripe of stripes) this.#push(chars, stripe, places);
    return String.fromCharCode(...chars);
  }

  #push(
    chars: number[],
    stripe: Stripe,
    places: ReadonlyMap<number, number>,
  ): void {
    chars.push(stripe.capacity, stripe.spare, stripe.idle.length);
    for (const { age } of stripe.idle) chars.push(age);
    chars.push(stripe.leased.length);
    for (const lease of stripe.leased) chars.push(this.#lease(lease));
    chars.push(stripe.validating.length);
    for (const validation of stripe.validating) {
      const { taker } = validation;
      chars.push(this.#validation(validation));
      if (taker !== undefined) chars.push(this.#waiter(taker, places));
    }
    chars.push(stripe.creating.length);
    for (const { retired } of stripe.creating) chars.push(retired ? 1 : 0);
    chars.push(stripe.destroying.length);
  }

  #waiter(waiter: Waiter, places: ReadonlyMap<number, number>): number {
    const home = waiter.home === undefined ? 0 : places.get(waiter.home)!;
    const takes = this.#takes.get(waiter.client)!;
    return (this.#rank.get(waiter.id)! * 16 + takes) * 16 + home;
  }

  #lease(lease: Stripe["leased"][number]): number {
    return this.#takes.get(lease.client)! * 2 + Number(lease.retired);
  }

  #validation({ taker, retired }: Stripe["validating"][number]): number {
    const rank = taker === undefined ? 0 : this.#rank.get(taker.id)!;
    return rank * 2 + Number(retired);
  }
}

function sortedBy<A>(all: readonly A[], code: (item: A) => number) {
  return all.length < 2 ? all : all.toSorted((a, b) => code(a) - code(b));
}
