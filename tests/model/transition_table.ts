import {
  creating,
  type Creation,
  isEmpty,
  type Lease,
  pending,
  type Pool,
  queueOf,
  type Resource,
  type Stripe,
  type StripeEffect,
  stripeOf,
  type StripeStep,
  type Validation,
  type Waiter,
  type WakeResult,
  withQueue,
  withStripe,
} from "./stripe.ts";

/** What a scope fixes about the pool. */
export interface Rules {
  readonly idleTimeout: number;
  readonly validate: "never" | "sync" | "async";
  readonly maxPending: number;
}

/** Where a take looked: what it swept on the way, and what it found. */
interface Search extends StripeStep {
  readonly found:
    | { readonly stripe: number; readonly resource: Resource }
    | undefined;
}

/**
 * The table of transitions. Each answers with every step it permits: more than
 * one where the choice between stripes is left open.
 */
export class TransitionTable {
  constructor(readonly rules: Rules) {}

  take(pool: Pool, waiter: Waiter): StripeStep[] {
    if (pool.closed) return [wake(pool, waiter, cancelled("closed"))];
    return this.#search(pool, waiter).flatMap((search) =>
      search.found === undefined
        ? linesFor(search.pool, waiter).flatMap((line) =>
          this.#full(search.pool, waiter, line)
            ? [wake(search.pool, waiter, failed("full"), search.effects)]
            : this.wait(search, { ...waiter, line })
        )
        : [this.offer(search, waiter)]
    );
  }

  /** `tryAcquire`, and `acquire` with `timeout: 0`: an idle one, or nothing. */
  tryTake(pool: Pool, waiter: Waiter): StripeStep[] {
    if (pool.closed) return [wake(pool, waiter, cancelled("closed"))];
    return this.#search(pool, waiter).map((search) => {
      const none = wake(search.pool, waiter, cancelled("none"), search.effects);
      if (search.found === undefined) return none;
      const step = this.offer(search, waiter);
      if (this.rules.validate !== "async") return step;
      const gone = detach(step.pool, waiter);
      return wake(gone, waiter, cancelled("none"), step.effects);
    });
  }

  /** A caller takes its place in its line; the demand rule may create for it. */
  wait({ pool, effects }: StripeStep, waiter: Waiter): StripeStep[] {
    const line = waiter.line!;
    const queue = queueOf(pool, line);
    const ahead = queue.filter((other) => other.id < waiter.id);
    const behind = queue.filter((other) => other.id > waiter.id);
    const next = withQueue(pool, line, [...ahead, waiter, ...behind]);
    const spare = pool.stripes.filter((s) => s.line === line && s.spare > 0);
    if (queue.length < creating(pool, line) || spare.length === 0) {
      return [{ pool: next, effects }];
    }
    const home = spare.filter((stripe) => stripe.id === waiter.home);
    return (home.length > 0 ? home : spare).map((stripe) => {
      const reserved = { spare: stripe.spare - 1 };
      return create(withStripe(next, stripe.id, reserved), stripe.id, effects);
    });
  }

  /** An idle or released resource goes to a taker, by way of `validate`. */
  offer(search: Search, waiter: Waiter, retired = false): StripeStep {
    const { stripe, resource } = search.found!;
    const line = stripeOf(search.pool, stripe).line;
    const taker = { ...waiter, line };
    return this.rules.validate === "never"
      ? deliver(search.pool, stripe, resource, retired, taker, search.effects)
      : {
        pool: withStripe(search.pool, stripe, {
          validating: [
            ...stripeOf(search.pool, stripe).validating,
            { resource, taker, retired },
          ],
        }),
        effects: [...search.effects, { kind: "Validate", resource, taker }],
      };
  }

  created(pool: Pool, stripe: Stripe, creation: Creation): StripeStep[] {
    const without = dropCreation(pool, stripe, creation);
    const resource = creation.id;
    if (pool.closed) return [destroy(without, stripe.id, resource, "close")];
    const [head, ...rest] = queueOf(pool, stripe.line);
    if (head !== undefined) {
      const next = withQueue(without, stripe.line, rest);
      return [deliver(next, stripe.id, resource, creation.retired, head)];
    }
    if (creation.retired) {
      return [destroy(without, stripe.id, resource, "clear")];
    }
    return [{ pool: addIdle(without, stripe.id, resource), effects: [] }];
  }

  /** Create rejected, or timed out, in which case its resource may come late. */
  createFailed(
    pool: Pool,
    stripe: Stripe,
    creation: Creation,
    error: string,
  ): StripeStep[] {
    const without = dropCreation(pool, stripe, creation);
    const [head, ...rest] = queueOf(pool, stripe.line);
    if (head === undefined) {
      const { id } = stripe;
      const report: StripeEffect = { kind: "Report", stripe: id, error };
      return [this.#ended(addSpare(without, id), [report])];
    }
    const next = withQueue(without, stripe.line, rest);
    const woken = wake(next, head, failed(error));
    return [this.#slotFreed(woken.pool, stripe.id, woken.effects)];
  }

  release(pool: Pool, stripe: Stripe, lease: Lease): StripeStep[] {
    return [
      this.putBack(
        dropLease(pool, stripe, lease),
        stripe.id,
        lease.resource,
        lease.retired,
      ),
    ];
  }

  /** A used resource has no owner any more: to be destroyed, handed on or idle. */
  putBack(
    pool: Pool,
    stripe: number,
    resource: Resource,
    retired: boolean,
  ): StripeStep {
    if (pool.closed) return destroy(pool, stripe, resource, "close");
    if (retired) return destroy(pool, stripe, resource, "clear");
    const { line } = stripeOf(pool, stripe);
    const [head, ...rest] = queueOf(pool, line);
    if (head === undefined) {
      return { pool: addIdle(pool, stripe, resource), effects: [] };
    }
    const found = { stripe, resource };
    return this.offer(
      { pool: withQueue(pool, line, rest), effects: [], found },
      head,
    );
  }

  valid(
    pool: Pool,
    stripe: Stripe,
    validation: Validation,
    verdict: boolean,
  ): StripeStep[] {
    const { resource, taker, retired } = validation;
    const without = dropValidation(pool, stripe, validation);
    if (verdict) {
      return taker === undefined
        ? [this.putBack(without, stripe.id, resource, retired)]
        : [deliver(without, stripe.id, resource, retired, taker)];
    }
    const gone = destroy(without, stripe.id, resource, "invalid");
    return taker === undefined ? [gone] : this.retake(gone, taker);
  }

  /** A taker whose resource was invalid takes again at its old place. */
  retake(step: StripeStep, taker: Waiter): StripeStep[] {
    return this.#search(step.pool, taker, step.effects).flatMap((search) =>
      search.found === undefined
        ? this.wait(search, taker)
        : [this.offer(search, taker)]
    );
  }

  /** An invalid resource in a `tryAcquire`, which waits for nothing. */
  tryInvalid(
    pool: Pool,
    stripe: Stripe,
    validation: Validation,
  ): StripeStep[] {
    const taker = validation.taker!;
    const without = dropValidation(pool, stripe, validation);
    const gone = destroy(without, stripe.id, validation.resource, "invalid");
    return this.#search(gone.pool, taker, gone.effects).map((search) =>
      search.found === undefined
        ? wake(search.pool, taker, cancelled("none"), search.effects)
        : this.offer(search, taker)
    );
  }

  destroy(pool: Pool, stripe: Stripe, lease: Lease): StripeStep[] {
    const without = dropLease(pool, stripe, lease);
    return [destroy(without, stripe.id, lease.resource, "lease")];
  }

  /** Destroy settled, whichever way, or timed out. */
  destroyed(
    pool: Pool,
    stripe: Stripe,
    resource: Resource,
    ok: boolean,
  ): StripeStep[] {
    const failures = pool.failures + (pool.closed && !ok ? 1 : 0);
    const without = withStripe({ ...pool, failures }, stripe.id, {
      destroying: stripe.destroying.filter((other) => other !== resource),
    });
    return [this.#slotFreed(without, stripe.id, [])];
  }

  cancel(pool: Pool, waiter: Waiter, reason: string): StripeStep[] {
    return [wake(detach(pool, waiter), waiter, cancelled(reason))];
  }

  sweep(pool: Pool): StripeStep[] {
    return [
      pool.stripes.reduce<StripeStep>(
        (step, { id }) => this.#sweepStripe(step, id),
        { pool, effects: [] },
      ),
    ];
  }

  clear(pool: Pool): StripeStep[] {
    return [destroyIdle(retireAll(pool), "clear")];
  }

  close(pool: Pool): StripeStep[] {
    const waiters = pending(pool).sort((a, b) => a.id - b.id);
    let step = destroyIdle({ ...pool, closed: true }, "close");
    for (const waiter of waiters) {
      const gone = detach(step.pool, waiter);
      step = wake(gone, waiter, cancelled("closed"), step.effects);
    }
    return [this.#ended(step.pool, step.effects)];
  }

  /** The signal of `close` aborted: nothing that is out is waited for. */
  abandon(pool: Pool): StripeStep[] {
    if (isEmpty(pool)) return [{ pool, effects: [] }];
    let step: StripeStep = { pool, effects: [] };
    for (const stripe of pool.stripes) {
      const next = withStripe(step.pool, stripe.id, {
        spare: stripe.spare + stripe.creating.length,
        creating: [],
        leased: [],
        validating: [],
      });
      const { id } = stripe;
      const report = {
        kind: "Report",
        stripe: id,
        error: "abandoned",
      } as const;
      const reports = stripe.creating.map(() => report);
      step = { pool: next, effects: [...step.effects, ...reports] };
      for (const { resource } of [...stripe.leased, ...stripe.validating]) {
        step = destroy(step.pool, stripe.id, resource, "close", step.effects);
      }
    }
    return [this.#ended(step.pool, step.effects)];
  }

  /** A resource that came after its create timed out, or was abandoned. */
  late(pool: Pool, id: number): StripeStep[] {
    return [{
      pool,
      effects: [{ kind: "Destroy", stripe: -1, resource: id, reason: "late" }],
    }];
  }

  /** A slot goes to a waiter who lacks a create, else it is spare. */
  #slotFreed(
    pool: Pool,
    stripe: number,
    effects: readonly StripeEffect[],
  ): StripeStep {
    const { line } = stripeOf(pool, stripe);
    return queueOf(pool, line).length > creating(pool, line)
      ? create(pool, stripe, effects)
      : this.#ended(addSpare(pool, stripe), effects);
  }

  #ended(pool: Pool, effects: readonly StripeEffect[]): StripeStep {
    const { closed, failures } = pool;
    if (!closed || !isEmpty(pool)) return { pool, effects };
    return { pool, effects: [...effects, { kind: "Closed", failures }] };
  }

  /** Whether a newcomer is refused, `maxPending` others being in its line. */
  #full(pool: Pool, waiter: Waiter, line: number): boolean {
    const others = pending(pool).filter((other) => other.line === line);
    return others.length >= this.rules.maxPending &&
      candidates(pool, { ...waiter, line }).every(({ spare }) => spare === 0);
  }

  /** Home first, then the rest in any order; what is met expired is swept. */
  #search(
    pool: Pool,
    waiter: Waiter,
    effects: readonly StripeEffect[] = [],
  ): Search[] {
    let step: StripeStep = { pool, effects };
    const stocked = candidates(pool, waiter).filter((s) => s.idle.length > 0);
    const isFresh = (s: Stripe) => s.idle[0]!.age <= this.rules.idleTimeout;
    const home = stocked.find((stripe) => stripe.id === waiter.home);
    if (home !== undefined) {
      if (isFresh(home)) return [takeNewest(step, home)];
      step = this.#sweepStripe(step, home.id);
    }
    const others = stocked.filter((stripe) => stripe !== home);
    const expired = others.filter((stripe) => !isFresh(stripe));
    const fresh = others.filter(isFresh);
    const swept = subsets(expired).map((some) =>
      some.reduce((step, { id }) => this.#sweepStripe(step, id), step)
    );
    return fresh.length === 0
      ? [{ ...swept.at(-1)!, found: undefined }]
      : fresh.flatMap((stripe) =>
        swept.map((step) => takeNewest(step, stripe))
      );
  }

  /** Removes what has been idle for longer than `idleTimeout`, oldest first. */
  #sweepStripe(step: StripeStep, id: number): StripeStep {
    const { idle } = stripeOf(step.pool, id);
    const kept = idle.filter((entry) => entry.age <= this.rules.idleTimeout);
    const next = withStripe(step.pool, id, { idle: kept });
    return idle.slice(kept.length).reverse().reduce<StripeStep>(
      (step, { resource }) =>
        destroy(step.pool, id, resource, "idle", step.effects),
      { ...step, pool: next },
    );
  }
}

/** Stripes that may serve a caller. */
function candidates(pool: Pool, waiter: Waiter): readonly Stripe[] {
  const line = lineOf(pool, waiter);
  return pool.stripes.filter((s) => line === undefined || s.line === line);
}

/** The line a caller belongs to; undefined if it may join any. */
function lineOf(pool: Pool, { line, home }: Waiter): number | undefined {
  if (line !== undefined) return line;
  if (pool.queues.length === 1) return 0;
  return home === undefined ? undefined : stripeOf(pool, home).line;
}

/** The lines a caller may join: its own, else of a spare slot, else any. */
function linesFor(pool: Pool, waiter: Waiter): number[] {
  const line = lineOf(pool, waiter);
  if (line !== undefined) return [line];
  const spare = pool.stripes.filter((stripe) => stripe.spare > 0);
  return (spare.length > 0 ? spare : pool.stripes).map((s) => s.line);
}

function takeNewest(step: StripeStep, { id }: Stripe): Search {
  const [newest, ...idle] = stripeOf(step.pool, id).idle;
  return {
    pool: withStripe(step.pool, id, { idle }),
    effects: step.effects,
    found: { stripe: id, resource: newest!.resource },
  };
}

function deliver(
  pool: Pool,
  id: number,
  resource: Resource,
  retired: boolean,
  waiter: Waiter,
  effects: readonly StripeEffect[] = [],
): StripeStep {
  const { leased } = stripeOf(pool, id);
  const lease = { resource, client: waiter.client, retired };
  const next = withStripe(pool, id, { leased: [...leased, lease] });
  return wake(next, waiter, { kind: "Deliver", resource }, effects);
}

function create(
  pool: Pool,
  id: number,
  effects: readonly StripeEffect[],
): StripeStep {
  const creation = { id: pool.nextId, retired: false };
  const { creating } = stripeOf(pool, id);
  return {
    pool: withStripe({ ...pool, nextId: pool.nextId + 1 }, id, {
      creating: [...creating, creation],
    }),
    effects: [...effects, { kind: "Create", stripe: id, id: creation.id }],
  };
}

function destroy(
  pool: Pool,
  stripe: number,
  resource: Resource,
  reason: string,
  effects: readonly StripeEffect[] = [],
): StripeStep {
  const { destroying } = stripeOf(pool, stripe);
  return {
    pool: withStripe(pool, stripe, { destroying: [...destroying, resource] }),
    effects: [...effects, { kind: "Destroy", stripe, resource, reason }],
  };
}

function wake(
  pool: Pool,
  waiter: Waiter,
  result: WakeResult,
  effects: readonly StripeEffect[] = [],
): StripeStep {
  return { pool, effects: [...effects, { kind: "Wake", waiter, result }] };
}

function failed(error: string): WakeResult {
  return { kind: "Failed", error };
}

function cancelled(reason: string): WakeResult {
  return { kind: "Cancelled", reason };
}

function addSpare(pool: Pool, id: number): Pool {
  return withStripe(pool, id, { spare: stripeOf(pool, id).spare + 1 });
}

function addIdle(pool: Pool, id: number, resource: Resource): Pool {
  const { idle } = stripeOf(pool, id);
  return withStripe(pool, id, { idle: [{ resource, age: 0 }, ...idle] });
}

function dropCreation(pool: Pool, stripe: Stripe, creation: Creation): Pool {
  return withStripe(pool, stripe.id, {
    creating: stripe.creating.filter((other) => other !== creation),
  });
}

function dropLease(pool: Pool, stripe: Stripe, lease: Lease): Pool {
  return withStripe(pool, stripe.id, {
    leased: stripe.leased.filter((other) => other !== lease),
  });
}

function dropValidation(pool: Pool, stripe: Stripe, gone: Validation): Pool {
  return withStripe(pool, stripe.id, {
    validating: stripe.validating.filter((other) => other !== gone),
  });
}

/** Unlinks a waiter, from its line or from the resource validated for it. */
function detach(pool: Pool, { id }: Waiter): Pool {
  return {
    ...pool,
    queues: pool.queues.map((queue) =>
      queue.filter((other) => other.id !== id)
    ),
    stripes: pool.stripes.map((stripe) => ({
      ...stripe,
      validating: stripe.validating.map((validation) =>
        validation.taker?.id === id
          ? { ...validation, taker: undefined }
          : validation
      ),
    })),
  };
}

function destroyIdle(pool: Pool, reason: string): StripeStep {
  let step: StripeStep = { pool, effects: [] };
  for (const { id, idle } of pool.stripes) {
    step = { ...step, pool: withStripe(step.pool, id, { idle: [] }) };
    for (const { resource } of [...idle].reverse()) {
      step = destroy(step.pool, id, resource, reason, step.effects);
    }
  }
  return step;
}

/** Marks what is used or being created for destruction at its release. */
function retireAll(pool: Pool): Pool {
  return {
    ...pool,
    stripes: pool.stripes.map((stripe) => ({
      ...stripe,
      leased: stripe.leased.map((lease) => ({ ...lease, retired: true })),
      validating: stripe.validating.map((v) => ({ ...v, retired: true })),
      creating: stripe.creating.map((c) => ({ ...c, retired: true })),
    })),
  };
}

function subsets<A>(all: readonly A[]): A[][] {
  return all.reduce<A[][]>(
    (sets, item) => [...sets, ...sets.map((set) => [...set, item])],
    [[]],
  );
}
