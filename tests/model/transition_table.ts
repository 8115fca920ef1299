import type { Effect } from "./effect.ts";
import type { AcquireEvent, Event } from "./event.ts";
import type { Scope } from "./scope.ts";
import {
  type Creation,
  IDLE_TICKS,
  type Retired,
  type Stripe,
  sum,
  type Used,
  type Waiter,
  type World,
} from "./world.ts";

/** A world, and the effects intended on the way to it. */
export interface Step {
  readonly world: World;
  readonly effects: readonly Effect[];
}

/** The table of transitions: each changes the world, and notes its effects. */
export class TransitionTable implements Step {
  readonly effects: Effect[] = [];

  constructor(readonly scope: Scope, readonly world: World) {}

  perform(event: Event): void {
    this.#transit(event);
    if (this.scope.validate !== "sync") return;
    // A synchronous `validate` answers at once, and what that causes comes after.
    let bad = "bad" in event ? event.bad : 0;
    for (const effect of this.effects) {
      if (effect.kind !== "validate") continue;
      const { resource } = effect;
      if (this.#used(resource)[1]?.taker === undefined) continue;
      if (bad-- > 0) this.invalid(resource);
      else this.valid(resource);
    }
  }

  #transit(event: Event): void {
    switch (event.kind) {
      case "acquire":
        return this.acquire(event);
      case "tryAcquire":
        return this.tryAcquire(event);
      case "release":
        return this.release(...this.#leased(event.client));
      case "destroy": {
        const [stripe, { resource }] = this.#leased(event.client);
        return this.destroy(stripe, resource, "lease");
      }
      case "cancel":
        return this.cancel(event.client, "abort");
      case "created":
        return this.created(event.creation);
      case "createFails":
        return this.createFailed(event.creation, "create");
      case "destroyed":
        return this.destroyed(event.resource);
      case "valid":
        return this.valid(event.resource);
      case "invalid":
        return this.invalid(event.resource);
      case "postponed":
        return this.postponed(event.resource);
      case "turn":
        return this.invalid(this.world.postponed.shift()!);
      case "tick":
        return void this.world.now++;
      case "sweep":
        return this.world.queues.forEach((_, i) => this.sweep(i, event.limit));
      case "clear":
        return this.world.queues.forEach((_, line) =>
          this.retire(line, "clear")
        );
      case "close":
        this.world.closed = true;
        return this.world.queues.forEach((_, line) => this.close(line));
      case "abandon":
        this.world.abandoned = true;
        return this.abandon();
    }
  }

  acquire({ client, home }: AcquireEvent): void {
    const { world } = this;
    this.#count(client);
    const found = this.take(home);
    const id = world.arrivals++;
    if (found !== undefined) {
      const [stripe, resource] = found;
      const { line } = stripe;
      const preferred = this.scope.isolated ? line : home;
      const taker = { id, client, home: preferred, line, isBack: false };
      return this.offer(stripe, resource, taker);
    }
    const preferred = this.homeOf(home);
    const line = this.scope.isolated ? preferred : 0;
    const waiter = { id, client, home: preferred, line, isBack: false };
    world.queues[line]!.push(waiter);
    this.demand(line, preferred);
  }

  /** An idle one now, or nothing; a bad one is destroyed, and another taken. */
  tryAcquire({ client, home, bad }: AcquireEvent): void {
    const { validate } = this.scope;
    this.#count(client);
    for (let asked = 0;; asked++) {
      const found = this.take(home);
      if (found === undefined) return;
      const [stripe, resource] = found;
      if (validate !== "never") {
        this.effects.push({ kind: "validate", client, resource });
      }
      if (validate === "async") {
        return this.#use(stripe, { ...NOBODY, resource });
      }
      if (validate === "never" || asked >= bad) {
        return this.deliver(stripe, resource, undefined, client);
      }
      this.destroy(stripe, resource, "invalid");
    }
  }

  /** The newest idle one, if it has not expired: then all of its stripe have. */
  take(home: number): [Stripe, number] | undefined {
    const { queues } = this.world;
    const isOpen = this.scope.isolated && home < 0;
    if (!isOpen && queues[this.scope.isolated ? home : 0]!.length > 0) {
      return undefined;
    }
    for (;;) {
      const stripe = this.#stocked(home, isOpen);
      if (stripe === undefined || queues[stripe.line]!.length > 0) {
        return undefined;
      }
      const found = this.#takeNewest(stripe);
      if (found !== undefined) return [stripe, found];
    }
  }

  /** An idle or released resource goes to a taker, by way of `validate`. */
  offer(stripe: Stripe, resource: number, taker: Waiter): void {
    const { client } = taker;
    if (this.scope.validate === "never") {
      return this.deliver(stripe, resource, undefined, client);
    }
    this.#use(stripe, { ...NOBODY, resource, taker });
    this.effects.push({ kind: "validate", client, resource });
  }

  deliver(
    stripe: Stripe,
    resource: number,
    retired: Retired,
    client: number,
  ): void {
    this.#use(stripe, { resource, holder: client, taker: undefined, retired });
    this.effects.push({ kind: "deliver", client, resource });
  }

  created(id: number): void {
    const [stripe, { retired }] = this.#endCreate(id);
    const resource = ++this.world.births;
    const head = this.world.queues[stripe.line]!.shift();
    if (head !== undefined) {
      return this.deliver(stripe, resource, retired, head.client);
    }
    this.release(stripe, { ...NOBODY, resource, retired });
  }

  createFailed(id: number, error: string): void {
    const [stripe, { order }] = this.#endCreate(id);
    const queue = this.world.queues[stripe.line]!;
    const head = queue[0];
    if (head !== undefined && head.id < order) {
      queue.shift();
      this.reject(head, error);
    }
    this.vacate(stripe);
  }

  /** Nobody has it any more: it is destroyed, offered to the head, or idle. */
  release(stripe: Stripe, { resource, retired }: Used): void {
    if (retired !== undefined) return this.destroy(stripe, resource, retired);
    const head = this.world.queues[stripe.line]!.shift();
    if (head !== undefined) return this.offer(stripe, resource, head);
    stripe.idle.unshift({ resource, since: this.world.now });
    this.#note(this.world.withIdle, stripe);
  }

  valid(resource: number): void {
    const [stripe, used] = this.#unuse(resource);
    const { taker, retired } = used;
    if (taker === undefined) return this.release(stripe, used);
    this.deliver(stripe, resource, retired, taker.client);
  }

  /** Its taker takes again, at its old place. */
  invalid(resource: number): void {
    const [stripe, { taker }] = this.#unuse(resource);
    this.destroy(stripe, resource, "invalid");
    this.#putBack(taker);
    this.serve(stripe.line);
  }

  /** A batch is to deal with it; its taker is in line again at once. */
  postponed(resource: number): void {
    const [stripe, used] = this.#unuse(resource);
    this.#use(stripe, { ...used, taker: undefined });
    this.#putBack(used.taker);
    this.world.postponed.push(resource);
  }

  /** Those in line are offered what is idle, and create for the rest. */
  serve(line: number): void {
    const queue = this.world.queues[line]!;
    for (let stripe; queue.length > 0;) {
      const { home } = queue[0]!;
      if ((stripe = this.#stocked(home, false)) === undefined) {
        return this.demand(line, home);
      }
      const found = this.#takeNewest(stripe);
      if (found !== undefined) this.offer(stripe, found, queue.shift()!);
    }
  }

  destroy(stripe: Stripe, resource: number, reason: string): void {
    stripe.destroying.push(resource);
    const { id } = stripe;
    this.effects.push({ kind: "destroy", resource, stripe: id, reason });
  }

  destroyed(resource: number): void {
    const stripe = this.world.stripes.find(({ destroying }) =>
      destroying.includes(resource)
    )!;
    stripe.destroying = stripe.destroying.filter((r) => r !== resource);
    this.vacate(stripe);
  }

  reject({ client }: { client: number }, error: string): void {
    this.effects.push({ kind: "reject", client, error });
  }

  /** Its create, if one is in flight for it, goes on. */
  cancel(client: number, error: string): void {
    const { queues, stripes } = this.world;
    const isOther = (waiter: Waiter) => waiter.client !== client;
    queues.forEach((queue, i) => queues[i] = queue.filter(isOther));
    for (const stripe of stripes) {
      stripe.used = stripe.used.map((used) =>
        used.taker?.client === client ? { ...used, taker: undefined } : used
      );
    }
    this.reject({ client }, error);
  }

  /** Looks at so many idle ones and stripes; the oldest expired leave first. */
  sweep(line: number, limit: number): void {
    const { now, sweeps } = this.world;
    const stripes = this.#of(line);
    let { to, earliest } = sweeps[line]!;
    for (let looks = 0; looks < limit && to < stripes.length; looks++) {
      const stripe = stripes[to]!;
      const since = stripe.idle.at(-1)?.since ?? Infinity;
      if (now - since > IDLE_TICKS) {
        this.#evict(stripe, "idle");
      } else {
        earliest = Math.min(earliest, since + IDLE_TICKS);
        to++;
      }
    }
    const isOver = to === stripes.length;
    sweeps[line] = isOver ? { to: 0, earliest: Infinity } : { to, earliest };
    this.effects.push({ kind: "sweep", again: isOver ? earliest : undefined });
  }

  /** What is idle leaves, the rest at its release; the first reason stays. */
  retire(line: number, reason: string): void {
    const retire = <A extends { retired: Retired }>(it: A): A => ({
      ...it,
      retired: it.retired ?? reason,
    });
    for (const stripe of this.#of(line)) {
      while (stripe.idle.length > 0) this.#evict(stripe, reason);
      stripe.used = stripe.used.map(retire);
      stripe.creating = stripe.creating.map(retire);
    }
  }

  /** Takers leave first, then those in line. */
  close(line: number): void {
    const { queues } = this.world;
    const takers = this.#of(line).flatMap(({ used }) => used)
      .flatMap(({ taker }) => taker ?? []);
    for (const { client } of [...takers, ...queues[line]!]) {
      this.cancel(client, "closed");
    }
    this.retire(line, "close");
    this.#endClose(line);
  }

  /** Nothing that is used or being created is waited for. */
  abandon(): void {
    const { stripes } = this.world;
    this.world.postponed = [];
    for (const stripe of stripes) {
      const { used } = stripe;
      stripe.used = [];
      for (const { resource } of used) this.destroy(stripe, resource, "close");
    }
    stripes.flatMap(({ creating }) => creating).sort((a, b) => a.id - b.id)
      .forEach(({ id }) => this.createFailed(id, "abandoned"));
  }

  /** A slot goes to a waiter who lacks a create, else it is spare. */
  vacate(stripe: Stripe): void {
    stripe.spare++;
    this.#note(this.world.withSpare, stripe);
    this.demand(stripe.line, stripe.id);
    this.#endClose(stripe.line);
  }

  /** The demand rule; what is idle is for those a batch sent back. */
  demand(line: number, home: number): void {
    const { queues, withSpare } = this.world;
    const stripes = this.#of(line);
    const lack = queues[line]!.length -
      sum(stripes, ({ creating, idle }) => creating.length + idle.length);
    const spare = sum(stripes, ({ spare }) => spare);
    for (let n = Math.min(lack, spare); n > 0; n--) {
      const stripe = this.#choose(stripes, home, (s) => s.spare > 0, withSpare);
      const id = ++this.world.creations;
      stripe!.spare--;
      const { arrivals } = this.world;
      stripe!.creating.push({ id, order: arrivals, retired: undefined });
      this.effects.push({ kind: "create", creation: id, stripe: stripe!.id });
    }
  }

  /** The stripe a newcomer prefers that has to wait; isolated, it must have one. */
  homeOf(home: number): number {
    const { world } = this;
    if (home >= 0 || !this.scope.isolated) return home;
    return this.#latest(world.withSpare, ({ spare }) => spare > 0)?.id ??
      world.turn++ % world.stripes.length;
  }

  // The choice between stripes: the preferred one, else the one noted last.

  #stocked(home: number, isOpen: boolean): Stripe | undefined {
    const { stripes, withIdle } = this.world;
    const has = ({ idle }: Stripe) => idle.length > 0;
    if (isOpen) return this.#latest(withIdle, has);
    const all = this.scope.isolated ? [stripes[home]!] : stripes;
    return this.#choose(all, home, has, withIdle);
  }

  #choose(
    stripes: readonly Stripe[],
    home: number,
    has: (stripe: Stripe) => boolean,
    noted: number[],
  ): Stripe | undefined {
    if (stripes.length === 1) return stripes.find(has);
    return stripes.find((stripe) => stripe.id === home && has(stripe)) ??
      this.#latest(noted, has);
  }

  /** A stripe is noted once, and struck off when it is met with nothing left. */
  #note(noted: number[], { id }: Stripe): void {
    if (!noted.includes(id)) noted.push(id);
  }

  #latest(
    noted: number[],
    has: (stripe: Stripe) => boolean,
  ): Stripe | undefined {
    for (; noted.length > 0; noted.pop()) {
      const stripe = this.world.stripes[noted.at(-1)!]!;
      if (has(stripe)) return stripe;
    }
    return undefined;
  }

  #of(line: number): Stripe[] {
    return this.world.stripes.filter((stripe) => stripe.line === line);
  }

  #putBack(taker: Waiter | undefined): void {
    if (taker === undefined) return;
    const queue = this.world.queues[taker.line]!;
    queue.push({ ...taker, isBack: true });
    queue.sort((a, b) => a.id - b.id);
  }

  #count(client: number): void {
    this.world.clients = this.world.clients.map((other) =>
      other.id === client ? { ...other, takes: other.takes - 1 } : other
    );
  }

  /** Takes the newest idle one; if it has expired, all leave, the oldest first. */
  #takeNewest(stripe: Stripe): number | undefined {
    const { since } = stripe.idle[0]!;
    if (this.world.now - since <= IDLE_TICKS) {
      return stripe.idle.shift()!.resource;
    }
    while (stripe.idle.length > 0) this.#evict(stripe, "idle");
    return undefined;
  }

  #evict(stripe: Stripe, reason: string): void {
    this.destroy(stripe, stripe.idle.pop()!.resource, reason);
  }

  #endClose(line: number): void {
    const isEmpty = this.#of(line)
      .every(({ spare, capacity }) => spare === capacity);
    if (this.world.closed && isEmpty) this.effects.push({ kind: "closed" });
  }

  #endCreate(id: number): [Stripe, Creation] {
    const isIt = (creation: { id: number }) => creation.id === id;
    const stripe = this.world.stripes.find((s) => s.creating.some(isIt))!;
    const creation = stripe.creating.find(isIt)!;
    stripe.creating = stripe.creating.filter((creation) => !isIt(creation));
    return [stripe, creation];
  }

  #use(stripe: Stripe, used: Used): void {
    stripe.used.push(used);
    stripe.used.sort((a, b) => a.resource - b.resource);
  }

  #used(resource: number): [Stripe, Used] | [undefined, undefined] {
    for (const stripe of this.world.stripes) {
      const used = stripe.used.find((used) => used.resource === resource);
      if (used !== undefined) return [stripe, used];
    }
    return [undefined, undefined];
  }

  #unuse(resource: number): [Stripe, Used] {
    const [stripe, used] = this.#used(resource);
    if (stripe === undefined) throw new Error(`model: ${resource} is not used`);
    stripe.used = stripe.used.filter((other) => other !== used);
    return [stripe, used];
  }

  #leased(client: number): [Stripe, Used] {
    const { resource } = this.world.stripes.flatMap(({ used }) => used)
      .find(({ holder }) => holder === client)!;
    return this.#unuse(resource);
  }
}

/** Used by nobody yet. */
const NOBODY = { holder: undefined, taker: undefined, retired: undefined };
