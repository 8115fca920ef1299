/**
 * The words of the model, after the seed's types. Everything is immutable: a
 * transition answers with a new pool and leaves the old one as it was.
 */

/** A resource bears the number of the creation that made it. */
export type Resource = number;

/** First in, first out: the head is at 0. */
export type Queue<A> = readonly A[];

/** A pending acquire. Its number grows with arrival: it is its place in line. */
export interface Waiter {
  readonly id: number;
  readonly client: number;
  /** The stripe its affinity names. */
  readonly home: number | undefined;
  /** The line it stands in, where that is settled. */
  readonly line: number | undefined;
}

/** An idle resource and the ticks since it became idle. */
export interface Entry {
  readonly resource: Resource;
  readonly age: number;
}

/** A used resource and who holds it. */
export interface Lease {
  readonly resource: Resource;
  readonly client: number;
  readonly retired: boolean;
}

/** A used resource under `validate`; its taker is undefined once gone. */
export interface Validation {
  readonly resource: Resource;
  readonly taker: Waiter | undefined;
  readonly retired: boolean;
}

/** A create in flight; retired if a clear came after its start. */
export interface Creation {
  readonly id: number;
  readonly retired: boolean;
}

/** One share of the capacity. Each slot is in exactly one of the five places. */
export interface Stripe {
  readonly id: number;
  readonly line: number;
  readonly capacity: number;
  readonly spare: number;
  /** Newest first. */
  readonly idle: readonly Entry[];
  /** Leased and validating are both `used`. */
  readonly leased: readonly Lease[];
  readonly validating: readonly Validation[];
  readonly creating: readonly Creation[];
  readonly destroying: readonly Resource[];
}

/** All stripes, and their lines: one, or one for each stripe if isolated. */
export interface Pool {
  readonly stripes: readonly Stripe[];
  readonly queues: readonly Queue<Waiter>[];
  readonly nextId: number;
  readonly closed: boolean;
  /** Destroys that failed since `close`; what it throws depends on them. */
  readonly failures: number;
}

/** What a pending acquire is told, once. */
export type WakeResult =
  | { readonly kind: "Deliver"; readonly resource: Resource }
  | { readonly kind: "Failed"; readonly error: string }
  | { readonly kind: "Cancelled"; readonly reason: string };

/** What is to be done after the commit, in this order. */
export type StripeEffect =
  | {
    readonly kind: "Wake";
    readonly waiter: Waiter;
    readonly result: WakeResult;
  }
  | { readonly kind: "Create"; readonly stripe: number; readonly id: number }
  | {
    readonly kind: "Validate";
    readonly resource: Resource;
    readonly taker: Waiter;
  }
  | {
    readonly kind: "Destroy";
    readonly stripe: number;
    readonly resource: Resource;
    readonly reason: string;
  }
  | { readonly kind: "Report"; readonly stripe: number; readonly error: string }
  | { readonly kind: "Closed"; readonly failures: number };

/** A transition's result: the next state and the effects it intends. */
export interface StripeStep {
  readonly pool: Pool;
  readonly effects: readonly StripeEffect[];
}

/** A pool with nothing in it: `capacities` has the slots of each stripe. */
export function empty(capacities: readonly number[], isolated: boolean): Pool {
  return {
    stripes: capacities.map((capacity, id) => ({
      id,
      line: isolated ? id : 0,
      capacity,
      spare: capacity,
      idle: [],
      leased: [],
      validating: [],
      creating: [],
      destroying: [],
    })),
    queues: isolated ? capacities.map(() => []) : [[]],
    nextId: 1,
    closed: false,
    failures: 0,
  };
}

export function stripeOf(pool: Pool, id: number): Stripe {
  const stripe = pool.stripes.find((stripe) => stripe.id === id);
  if (stripe === undefined) throw new Error(`model: no stripe ${id}`);
  return stripe;
}

/** `pool` with some fields of stripe `id` replaced. */
export function withStripe(
  pool: Pool,
  id: number,
  fields: Partial<Stripe>,
): Pool {
  return {
    ...pool,
    stripes: pool.stripes.map((stripe) =>
      stripe.id === id ? { ...stripe, ...fields } : stripe
    ),
  };
}

export function queueOf(pool: Pool, line: number): Queue<Waiter> {
  const queue = pool.queues[line];
  if (queue === undefined) throw new Error(`model: no line ${line}`);
  return queue;
}

export function withQueue(
  pool: Pool,
  line: number,
  queue: Queue<Waiter>,
): Pool {
  return {
    ...pool,
    queues: pool.queues.map((old, i) => i === line ? queue : old),
  };
}

/** Creates in flight for a line. */
export function creating(pool: Pool, line: number): number {
  let n = 0;
  for (const stripe of pool.stripes) {
    if (stripe.line === line) n += stripe.creating.length;
  }
  return n;
}

/** Every acquire that is not settled: in a line, or its resource under `validate`. */
export function pending(pool: Pool): Waiter[] {
  const waiters: Waiter[] = [];
  for (const queue of pool.queues) waiters.push(...queue);
  for (const stripe of pool.stripes) {
    for (const { taker } of stripe.validating) {
      if (taker !== undefined) waiters.push(taker);
    }
  }
  return waiters;
}

/** Whether no slot is in any place but spare. */
export function isEmpty(pool: Pool): boolean {
  return pool.stripes.every((stripe) => stripe.spare === stripe.capacity);
}
