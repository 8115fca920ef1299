import type { Effect } from "./effect.ts";
import type { AcquireEvent, Event } from "./event.ts";
import type { Scope } from "./scope.ts";
import {
  countsOf,
  type Creation,
  IDLE_TIME,
  isAhead,
  type Resource,
  type Retired,
  type Stripe,
  type Terms,
  TICK,
  type Used,
  type Waiter,
  type World,
} from "./world.ts";

/** How often a resource is used at most where it wears. */
export const MOST_USES = 2;

/** A world, and the effects intended on the way to it. */
export interface Step {
  readonly world: World;
  readonly effects: readonly Effect[];
}

/** The table of transitions: each changes the world, and notes its effects. */
export class TransitionTable implements Step {
  readonly effects: Effect[] = [];
  /** Who was to be given something in this transition. */
  readonly #given = new Map<number, Waiter>();
  /** Of how many it is still said that they are to leave. */
  #sheds = 0;

  constructor(readonly scope: Scope, readonly world: World) {}

  perform(event: Event): void {
    this.#sheds = "sheds" in event ? event.sheds : 0;
    this.#transit(event);
    let bad = "bad" in event ? event.bad : 0;
    let lost = "lost" in event ? event.lost : 0;
    // What is met on the way may cause more, which comes after.
    for (const [i, effect] of this.effects.entries()) {
      if (effect.kind === "deliver") {
        if (lost-- <= 0) this.#lease(effect.resource);
        else {
          this.effects[i] = { ...effect, kind: "handBack" };
          this.handBack(effect.client, effect.resource);
        }
      } else if (effect.kind === "validate" && this.scope.validate === "sync") {
        // A synchronous `validate` answers at once.
        const { resource } = effect;
        if (this.#used(resource)[1]?.taker === undefined) continue;
        if (bad-- > 0) this.invalid(resource, "invalid");
        else this.valid(resource);
      }
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
      case "leaseDestroyed":
        return this.destroy(...this.#leased(event.client), "lease");
      case "detached":
        return this.detach(...this.#leased(event.client));
      case "useEnded":
        return this.#turn(this.#used(this.#held(event.client))[0]!.line);
      case "cancel":
        return this.cancel(event.client, "abort");
      case "rejected":
        return this.rejected(event.client);
      case "rejectedFirst":
        return this.rejectedFirst(event.client, event.isMeant);
      case "created":
        return this.created(event.creation, event.life);
      case "createFails":
        return this.createFailed(event.creation, "create", event.isTold);
      case "overdue":
        return this.overdue(event.creation, {});
      case "lostUnborn":
        return this.overdue(event.creation, { isLost: true });
      case "destroyed":
        return this.destroyed(event.resource);
      case "valid":
        return this.valid(event.resource);
      case "inspected":
        return this.inspected(event.resource);
      case "invalid":
        return this.invalid(event.resource, "invalid");
      case "postponed":
        return this.postponed(event.resource);
      case "passed":
        return this.passed(...this.#unuse(event.resource));
      case "retired":
        return this.retired(event.resource, "leaked");
      case "lost":
        return this.lost(event.resource);
      case "shortened":
        return this.shorten(event.resource, event.life * TICK);
      default:
        return this.#govern(event);
    }
  }

  /** What concerns a line, or all of them. */
  #govern(event: Event): void {
    const { queues, postponed } = this.world;
    switch (event.kind) {
      case "inspect":
        return this.inspect();
      case "distrusted":
        return this.distrusted(event.line, event.time);
      case "allowed":
        return this.#write(event.line, { allowance: event.n });
      case "stocked":
        this.#set(event.line, { stock: event.n });
        this.yieldIdle(event.line);
        return this.resume(event.line);
      case "owed":
        return this.#write(event.line, { owed: event.n });
      case "permitted":
        return this.#write(event.line, { permits: event.n });
      case "yieldTo":
        return this.#set(event.line, { yieldsTo: event.n });
      case "letGo":
        return this.letGo(event.line);
      case "resized":
        return this.resize(event.max);
      case "paused":
        return queues.forEach((_, line) => this.pause(line));
      case "unpaused":
        return queues.forEach((_, line) => this.unpause(line));
      case "turn":
        return this.invalid(postponed.shift()!, "invalid");
      case "tick":
        return void (this.world.now += TICK);
      case "sweep":
        return queues.forEach((_, line) => this.sweep(line, event.limit));
      case "clear":
        return queues.forEach((_, line) => this.retire(line, "clear"));
      case "close":
        this.world.closed = true;
        return queues.forEach((_, line) => this.close(line));
      case "abandon":
        this.world.abandoned = true;
        return this.abandon();
    }
  }

  acquire({ client, home, owes, priority }: AcquireEvent): void {
    const { world } = this;
    this.#count(client);
    const found = this.take(home);
    const isBack = false;
    const since = world.now;
    const id = world.arrivals++;
    if (found !== undefined) {
      const [stripe, resource] = found;
      const { line } = stripe;
      const preferred = this.scope.isolated ? line : home;
      const at = { id, client, home: preferred, line };
      return this.offer(stripe, resource, { ...at, since, priority, isBack });
    }
    const preferred = this.homeOf(home);
    const line = this.scope.isolated ? preferred : 0;
    const at = { id, client, home: preferred, line };
    this.#enqueue({ ...at, since, priority, isBack });
    this.#owe(line, owes);
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
      const isSuspect = this.isSuspect(resource);
      if (isSuspect) {
        const { resource: number } = resource;
        this.effects.push({ kind: "validate", client, resource: number });
        if (validate === "async") return this.#use(stripe, used(resource));
      }
      if (!isSuspect || asked >= bad) {
        return this.deliver(stripe, used(resource), client);
      }
      this.destroy(stripe, used(resource), "invalid");
    }
  }

  /** The newest idle one; what has come to its end is evicted on the way. */
  take(home: number): [Stripe, Resource] | undefined {
    const { queues, terms } = this.world;
    const isOpen = this.scope.isolated && home < 0;
    if (!isOpen && queues[this.scope.isolated ? home : 0]!.length > 0) {
      return undefined;
    }
    for (;;) {
      const stripe = this.#stocked(home, isOpen);
      if (stripe === undefined || queues[stripe.line]!.length > 0) {
        return undefined;
      }
      if (terms[stripe.line]!.pauses > 0) return undefined;
      const found = this.#takeIdle(stripe);
      if (found !== undefined) return [stripe, found];
    }
  }

  /** Whether it is validated before it is used again. */
  isSuspect({ since, checkedAt }: Resource): boolean {
    const { validate, faults } = this.scope;
    const after = faults.has("trusted") ? TICK : 0;
    return validate !== "never" &&
      this.world.now - Math.max(since, checkedAt) >= after;
  }

  /** Why a used one is not used again, if it is not. */
  wornBy({ retired, uses, diesAt, fate }: Used): Retired {
    if (retired !== undefined) return retired;
    if (this.scope.faults.has("wears") && uses >= MOST_USES) return "uses";
    return this.world.now > diesAt ? fate : undefined;
  }

  /** Why it does not stay: it is worn, or its slot is owed, here or elsewhere. */
  leavesBy({ line, spare, destroying }: Stripe, used: Used): Retired {
    const worn = this.wornBy(used);
    if (worn !== undefined) return worn;
    if (spare + destroying.length < 0) return "resize";
    const { yieldsTo, stock } = this.world.terms[line]!;
    // A used one that is about to leave has left its stripe already.
    const { existing } = countsOf(this.world, line);
    const came = Math.min(...this.world.queues[line]!.map((it) => it.since));
    if (yieldsTo >= came || existing + 1 <= stock) return undefined;
    this.#yield(line);
    return "budget";
  }

  /** One that is idle and no longer kept leaves for one who waits elsewhere. */
  yieldIdle(line: number): void {
    const { yieldsTo, stock } = this.world.terms[line]!;
    const { existing, idle } = countsOf(this.world, line);
    const came = Math.min(...this.world.queues[line]!.map((it) => it.since));
    if (yieldsTo >= came || existing <= stock || idle === 0) return;
    this.#yield(line);
    this.#evictLongest(line);
  }

  #yield(line: number): void {
    const { yielded, permits } = this.world.terms[line]!;
    const yields = { yieldsTo: Infinity, yielded: yielded + 1 };
    this.#set(line, { ...yields, permits: permits - 1 });
  }

  /** An idle or released resource goes to a taker, by way of `validate`. */
  offer(stripe: Stripe, resource: Resource, taker: Waiter): void {
    const { client } = taker;
    if (!this.isSuspect(resource)) {
      this.#given.set(client, taker);
      return this.deliver(stripe, used(resource), client);
    }
    this.#use(stripe, { ...used(resource), taker });
    const { resource: number } = resource;
    this.effects.push({ kind: "validate", client, resource: number });
  }

  deliver(stripe: Stripe, used: Used, client: number): void {
    const { resource } = used;
    const lease = { holder: client, taker: undefined, isChecked: false };
    this.#use(stripe, { ...used, ...lease, usedAt: this.world.now });
    this.effects.push({ kind: "deliver", client, resource });
  }

  /** What was to be delivered is lost: its waiter goes back to its place. */
  handBack(client: number, resource: number): void {
    this.lost(resource);
    const [stripe, used] = this.#unuse(resource);
    this.#putBack(this.#given.get(client)!);
    this.destroy(stripe, used, used.retired!);
    this.serve(stripe.line);
  }

  created(id: number, life: number): void {
    const { now } = this.world;
    const [stripe, { retired, isLost }] = this.#endCreate(id);
    const { line } = stripe;
    const newborn = {
      ...used({
        resource: ++this.world.births,
        since: now,
        checkedAt: -Infinity,
        diesAt: now + life * TICK,
        fate: "lifetime",
        told: ++this.world.lives,
        isWatched: life !== Infinity,
        uses: 0,
      }),
      retired,
    };
    const { owed } = this.world.terms[line]!;
    const head = isLost ? undefined : this.next(line);
    if (isLost) this.destroy(stripe, newborn, "lost");
    else if (head === undefined) this.settle(stripe, newborn);
    else {
      this.#set(line, { owed: Math.max(0, owed - 1) });
      this.#owe(line, 0);
      this.deliver(stripe, newborn, head.client);
    }
    this.resume(line);
    this.#leaveGate();
  }

  /** Who is told came before the create began. */
  createFailed(id: number, error: string, isTold: boolean): void {
    const [stripe, { order }] = this.#endCreate(id);
    const first = this.world.queues[stripe.line]!.find(({ id }) => id < order);
    if (isTold && first !== undefined) this.cancel(first.client, error);
    this.vacate(stripe);
    this.#leaveGate();
  }

  /** A create is not counted on any more; it may be lost as well. */
  overdue(id: number, { isLost }: { isLost?: boolean }): void {
    const [stripe, creation] = this.#creation(id);
    const overdue = {
      ...creation,
      isOverdue: true,
      isLost: isLost ?? creation.isLost,
    };
    stripe.creating = stripe.creating.map((it) =>
      it === creation ? overdue : it
    );
    this.resume(stripe.line);
  }

  release(stripe: Stripe, used: Used): void {
    this.#turn(stripe.line);
    this.settle(stripe, { ...used, since: this.world.now });
  }

  /** Nobody has it any more: it is destroyed, offered to the head, or idle. */
  settle(stripe: Stripe, used: Used): void {
    const { line } = stripe;
    let reason = this.leavesBy(stripe, used);
    if (reason !== undefined) return this.destroy(stripe, used, reason);
    const head = this.next(line);
    if (head !== undefined) return this.offer(stripe, used, head);
    // Those may have left for whom it was kept from others.
    reason = this.leavesBy(stripe, used);
    if (reason !== undefined) return this.destroy(stripe, used, reason);
    // At its place by its release, as the newest of those released with it.
    const older = stripe.idle.findIndex(({ since }) => since <= used.since);
    const place = older < 0 ? stripe.idle.length : older;
    stripe.idle.splice(place, 0, resourceOf(used));
    this.#note(this.world.withIdle, stripe);
    this.quieten(line);
  }

  valid(resource: number): void {
    const [stripe, used] = this.#unuse(resource);
    const { taker } = used;
    const since = this.world.now;
    if (taker === undefined) return this.settle(stripe, { ...used, since });
    this.#given.set(taker.client, taker);
    this.deliver(stripe, used, taker.client);
  }

  /** Its taker takes again, at its old place. */
  invalid(resource: number, reason: string): void {
    const [stripe, used] = this.#unuse(resource);
    this.#putBack(used.taker);
    this.destroy(stripe, used, used.isLost ? "lost" : reason);
    this.serve(stripe.line);
  }

  /** A batch is to deal with it; its taker is in line again at once. */
  postponed(resource: number): void {
    const [stripe, used] = this.#unuse(resource);
    this.#use(stripe, { ...used, taker: undefined });
    this.#putBack(used.taker);
    this.world.postponed.push(resource);
  }

  /** Nobody asked for the verdict: it is as it was. */
  passed(stripe: Stripe, used: Used): void {
    this.settle(stripe, used);
  }

  /** The one that nobody has looked at for the longest is looked at. */
  inspect(): void {
    const time = (it: Resource) => Math.max(it.since, it.checkedAt);
    const all = this.world.stripes
      .flatMap(({ idle }) => idle.toReversed());
    const least = Math.min(...all.map(time));
    const found = all.find((it) => time(it) === least)!;
    const { resource } = found;
    const stripe = this.#idleAt(resource)!;
    stripe.idle = stripe.idle.filter((it) => it !== found);
    this.#use(stripe, { ...used(found), isChecked: true });
    this.effects.push({ kind: "inspect", resource });
  }

  /** It is good, and as it was, unless somebody waits by now. */
  inspected(resource: number): void {
    const { now } = this.world;
    const [stripe, found] = this.#unuse(resource);
    const checked = { ...found, isChecked: false, checkedAt: now };
    const reason = this.leavesBy(stripe, checked);
    if (reason !== undefined) return this.destroy(stripe, checked, reason);
    const head = this.next(stripe.line);
    if (head === undefined) return this.settle(stripe, checked);
    this.deliver(stripe, checked, head.client);
  }

  /** An idle one leaves now, a used one at its release; the first reason stays. */
  retired(resource: number, reason: string): void {
    const idle = this.#idleAt(resource);
    if (idle !== undefined) return this.#evict(idle, resource, reason);
    this.#change(resource, ({ retired }) => ({ retired: retired ?? reason }));
  }

  /** As `retired`; its taker takes again. */
  lost(resource: number): void {
    const [, used] = this.#used(resource);
    if (used?.taker !== undefined) return this.invalid(resource, "lost");
    this.retired(resource, "lost");
    if (used !== undefined) this.#change(resource, () => ({ isLost: true }));
  }

  /** What is idle, or to be validated, since that tick or longer is bad. */
  distrusted(line: number, time: number): void {
    const isSuspect = ({ since }: Resource) => since <= time;
    for (const stripe of this.#of(line)) {
      const suspects = [
        ...stripe.idle,
        ...stripe.used.filter(({ taker }) => taker !== undefined),
      ].filter(isSuspect).sort(byBirth);
      for (const { resource } of suspects) {
        if (this.#idleAt(resource) !== undefined) {
          this.#evict(stripe, resource, "invalid");
          continue;
        }
        const [, suspect] = this.#unuse(resource);
        this.#putBack(suspect.taker);
        this.destroy(stripe, suspect, "invalid");
      }
    }
    this.serve(line);
  }

  /** Those in line are offered what is idle, and create for the rest. */
  serve(line: number): void {
    while (this.#of(line).some(({ idle }) => idle.length > 0)) {
      const head = this.next(line);
      if (head === undefined) break;
      if (this.#offerIdle(line, head)) continue;
      // Nothing that was idle could be used; so it is owed one.
      this.#putBack(head);
      this.#owe(line, 1);
      this.resume(line);
    }
    this.resume(line);
  }

  /** Whose turn it is, those who are said to leave having left. */
  next(line: number): Waiter | undefined {
    const { queues, terms, now } = this.world;
    const queue = queues[line]!;
    if (terms[line]!.pauses > 0) return undefined;
    let head = queue[0];
    while (head !== undefined && this.scope.faults.has("shed")) {
      const { since, client } = head;
      const oldest = Math.min(...queue.map((it) => it.since));
      this.effects.push({ kind: "judged", since, oldest, now });
      if (this.#sheds <= 0) break;
      this.#sheds--;
      queue.shift();
      this.effects.push({ kind: "shed", client });
      head = queue[0];
    }
    if (head !== undefined) return this.#shift(line);
    this.#owe(line, 0);
  }

  /** One who waits is owed what leaves. */
  destroy(stripe: Stripe, { resource }: Resource, reason: string): void {
    const { id, line } = stripe;
    this.#turn(line);
    stripe.destroying.push(resource);
    this.effects.push({ kind: "destroy", resource, stripe: id, reason });
    this.#owe(line, 1);
    this.resume(line);
    this.quieten(line);
  }

  /** Its slot is spare at once, and nothing is destroyed. */
  detach(stripe: Stripe, _: Resource): void {
    const { line } = stripe;
    this.#turn(line);
    this.vacate(stripe);
    this.#owe(line, 1);
    this.resume(line);
    this.quieten(line);
  }

  /** Wherever it is, it does not live for longer than that. */
  shorten(resource: number, life: number): void {
    const { world } = this;
    const diesAt = world.now + life;
    const told = world.lives + 1;
    const isWatched = true;
    const cut = <A extends Resource>(it: A): A =>
      it.resource !== resource || it.diesAt <= diesAt
        ? it
        : { ...it, diesAt, fate: "evict", told, isWatched };
    for (const stripe of world.stripes) {
      stripe.idle = stripe.idle.map(cut);
      stripe.used = stripe.used.map(cut);
    }
    world.lives = told;
  }

  /** Split anew, the rest to the first ones; what is owed and idle leaves. */
  resize(max: number): void {
    const { stripes, queues } = this.world;
    const n = stripes.length;
    const shares = stripes.map((_, i) => Math.floor((max + n - 1 - i) / n));
    for (const line of queues.keys()) {
      for (const stripe of this.#of(line)) {
        const share = shares[stripe.id]!;
        stripe.spare += share - stripe.capacity;
        stripe.capacity = share;
        if (stripe.spare > 0) this.#note(this.world.withSpare, stripe);
      }
      for (const stripe of this.#of(line)) {
        for (let oldest; (oldest = stripe.idle.at(-1)) !== undefined;) {
          if (stripe.spare + stripe.destroying.length >= 0) break;
          this.#evict(stripe, oldest.resource, "resize");
        }
      }
      this.resume(line);
    }
  }

  pause(line: number): void {
    this.#set(line, { pauses: this.world.terms[line]!.pauses + 1 });
    this.quieten(line);
  }

  /** The last pause that ends lets all go on. */
  unpause(line: number): void {
    const { pauses } = this.world.terms[line]!;
    if (pauses === 0) return;
    this.#set(line, { pauses: pauses - 1 });
    if (pauses > 1) return;
    this.serve(line);
    this.yieldIdle(line);
  }

  /** Whenever something has left a line in a pause, and nothing is used. */
  quieten(line: number): void {
    const isUsed = this.#of(line).some(({ used }) => used.length > 0);
    const { pauses } = this.world.terms[line]!;
    if (pauses > 0 && !isUsed) this.effects.push({ kind: "paused" });
  }

  /** What has been idle longest leaves, if more exist than are kept. */
  letGo(line: number): void {
    const { existing, idle } = countsOf(this.world, line);
    const isDone = existing > this.world.terms[line]!.stock && idle > 0;
    if (isDone) this.#evictLongest(line);
    this.effects.push({ kind: "letGo", isDone });
  }

  #evictLongest(line: number): void {
    const oldest = this.#of(line).flatMap(({ idle }) => idle.slice(-1));
    const longest = Math.min(...oldest.map(({ since }) => since));
    const { resource } = oldest.find(({ since }) => since === longest)!;
    this.#evict(this.#idleAt(resource)!, resource, "budget");
  }

  destroyed(resource: number): void {
    const stripe = this.world.stripes.find(({ destroying }) =>
      destroying.includes(resource)
    )!;
    stripe.destroying = stripe.destroying.filter((r) => r !== resource);
    this.vacate(stripe);
  }

  /** Its create, if one is in flight for it, goes on. */
  cancel(client: number, error: string): void {
    const { queues, stripes, terms } = this.world;
    const isOther = (waiter: Waiter) => waiter.client !== client;
    queues.forEach((queue, line) => {
      queues[line] = queue.filter(isOther);
      this.#owe(line, 0);
      const isIn = queues[line].length < queue.length;
      if (isIn && terms[line]!.pauses > 0) this.yieldIdle(line);
    });
    for (const stripe of stripes) {
      stripe.used = stripe.used.map((used) =>
        used.taker?.client === client ? { ...used, taker: undefined } : used
      );
    }
    this.effects.push({ kind: "reject", client, error });
  }

  /** One who waits, and all who came before, are rejected. */
  rejected(client: number): void {
    const queue = this.world.queues.find((queue) =>
      queue.some((waiter) => waiter.client === client)
    )!;
    const { id } = queue.find((waiter) => waiter.client === client)!;
    for (const it of queue.filter((waiter) => waiter.id <= id)) {
      this.cancel(it.client, "create");
    }
  }

  /** The first is rejected who came before a place: that of one, or the next. */
  rejectedFirst(client: number, isMeant: boolean): void {
    const queue = this.world.queues.find((queue) =>
      queue.some((waiter) => waiter.client === client)
    )!;
    const place = queue.find((waiter) => waiter.client === client)!.id;
    const first = queue.find(({ id }) => id < place + Number(isMeant));
    if (first !== undefined) this.cancel(first.client, "create");
  }

  /**
   * Looks at so many that have died, idle ones and stripes; the first to die
   * leaves first, then the oldest expired.
   */
  sweep(line: number, limit: number): void {
    const { now, sweeps } = this.world;
    const stripes = this.#of(line);
    let left = limit;
    for (let dead; (dead = this.#firstToDie(line)) !== undefined; left--) {
      if (dead.diesAt >= now || left <= 0) break;
      this.retired(dead.resource, dead.fate);
      this.#change(dead.resource, () => ({ isWatched: false }));
    }
    let { to, earliest } = sweeps[line]!;
    for (; left > 0 && to < stripes.length; left--) {
      const stripe = stripes[to]!;
      const oldest = stripe.idle.at(-1);
      if (oldest !== undefined && this.#ending(stripe, oldest) !== undefined) {
        this.#evict(stripe, oldest.resource, "idle");
      } else {
        // One that is kept beyond its end has none.
        const end = oldest === undefined ? Infinity : endOf(oldest);
        if (end >= now) earliest = Math.min(earliest, end);
        to++;
      }
    }
    const isOver = to === stripes.length;
    sweeps[line] = isOver ? { to: 0, earliest: Infinity } : { to, earliest };
    const next = this.#firstToDie(line)?.diesAt ?? Infinity;
    const again = isOver ? Math.min(earliest, next) : undefined;
    this.effects.push({ kind: "sweep", again });
  }

  /** What is idle leaves, the rest at its release; the first reason stays. */
  retire(line: number, reason: string): void {
    const retire = <A extends { retired: Retired }>(it: A): A => ({
      ...it,
      retired: it.retired ?? reason,
    });
    for (const stripe of this.#of(line)) {
      stripe.used = stripe.used.map(retire);
      stripe.creating = stripe.creating.map(retire);
    }
    for (const stripe of this.#of(line)) {
      for (let oldest; (oldest = stripe.idle.at(-1)) !== undefined;) {
        this.#evict(stripe, oldest.resource, reason);
      }
    }
  }

  /** Takers leave first, then those in line. */
  close(line: number): void {
    const { queues, terms } = this.world;
    const takers = this.#of(line).flatMap(({ used }) => used)
      .flatMap(({ taker }) => taker ?? []);
    terms[line] = { ...terms[line]!, stock: 0, pauses: 0 };
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
      for (const it of used) this.destroy(stripe, it, "close");
    }
    stripes.flatMap(({ creating }) => creating).sort((a, b) => a.id - b.id)
      .forEach(({ id }) => this.createFailed(id, "abandoned", true));
  }

  /** A slot goes to a waiter who lacks a create, else it is spare. */
  vacate(stripe: Stripe): void {
    stripe.spare++;
    if (stripe.spare > 0) this.#note(this.world.withSpare, stripe);
    const { line } = stripe;
    const { yieldsTo, stock, permits } = this.world.terms[line]!;
    const { existing } = countsOf(this.world, line);
    const came = Math.min(...this.world.queues[line]!.map((it) => it.since));
    const isLeft = yieldsTo < came && existing >= stock;
    if (isLeft) this.#set(line, { permits: permits - 1 });
    this.demand(line, stripe.id);
    this.#endClose(stripe.line);
  }

  /** The demand rule, for the first of a line. */
  resume(line: number): void {
    this.demand(line, this.world.queues[line]![0]?.home ?? -1);
  }

  /** While more are wanted than are coming, slots and allowance create them. */
  demand(line: number, home: number): void {
    const { world } = this;
    const stripes = this.#of(line);
    for (;;) {
      const { spare, creating, coming, wanted, occupied } = countsOf(
        world,
        line,
      );
      const { allowance, permits, pauses } = world.terms[line]!;
      const isAllowed = creating < allowance && occupied < permits;
      if (pauses > 0 || spare === 0 || !isAllowed || coming >= wanted) return;
      if (world.places <= 0) {
        if (!world.refused.includes(line)) world.refused.push(line);
        return;
      }
      world.places--;
      const { withSpare, arrivals: order } = world;
      const stripe = this.#choose(stripes, home, (s) => s.spare > 0, withSpare);
      const id = ++world.creations;
      stripe!.spare--;
      stripe!.creating.push({ ...UNBORN, id, order });
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

  /** So many more are owed, no more than wait. */
  #owe(line: number, n: number): void {
    const { queues, terms } = this.world;
    const owed = Math.max(0, terms[line]!.owed + n);
    const waiting = queues[line]!.length;
    terms[line] = { ...terms[line]!, owed: Math.min(owed, waiting) };
  }

  #set(line: number, terms: Partial<Terms>): void {
    this.world.terms[line] = { ...this.world.terms[line]!, ...terms };
  }

  #write(line: number, terms: Partial<Terms>): void {
    this.#set(line, terms);
    this.resume(line);
  }

  /** A create has ended: the lines that were refused have their turn. */
  #leaveGate(): void {
    const { world } = this;
    world.places++;
    while (world.places > 0 && world.refused.length > 0) {
      this.resume(world.refused.shift()!);
    }
  }

  /** A use has ended, and who waits knows that others get on. */
  #turn(line: number): void {
    this.world.turned[line] = this.world.arrivals;
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

  // Waiters.

  /** The head leaves its line. */
  #shift(line: number): Waiter {
    const head = this.world.queues[line]!.shift()!;
    this.#owe(line, 0);
    this.#given.set(head.client, head);
    return head;
  }

  #putBack(taker: Waiter | undefined): void {
    if (taker === undefined) return;
    this.#enqueue({ ...taker, isBack: true });
  }

  /** Behind all who are to be served before it. */
  #enqueue(waiter: Waiter): void {
    const queue = this.world.queues[waiter.line]!;
    const place = queue.findLastIndex((it) => isAhead(it, waiter)) + 1;
    queue.splice(place, 0, waiter);
  }

  #count(client: number): void {
    this.world.clients = this.world.clients.map((other) =>
      other.id === client ? { ...other, takes: other.takes - 1 } : other
    );
  }

  // Idle ones.

  /** Gives a waiter something idle, unless all of it leaves on the way. */
  #offerIdle(line: number, waiter: Waiter): boolean {
    while (this.#of(line).some(({ idle }) => idle.length > 0)) {
      const stripe = this.#stocked(waiter.home, false)!;
      const found = this.#takeIdle(stripe);
      if (found === undefined) continue;
      this.offer(stripe, found, waiter);
      return true;
    }
    // Looked for in vain, they are struck off.
    this.#stocked(waiter.home, false);
    return false;
  }

  /**
   * Takes the newest idle one, or the oldest where that is asked for; or evicts
   * one: dead itself, else the oldest.
   */
  #takeIdle(stripe: Stripe): Resource | undefined {
    const isOldest = this.scope.faults.has("oldestFirst");
    const first = isOldest ? stripe.idle.at(-1)! : stripe.idle[0]!;
    const reason = this.#ending(stripe, first);
    if (reason === undefined) {
      return isOldest ? stripe.idle.pop()! : stripe.idle.shift()!;
    }
    const leaves = reason === "idle" ? stripe.idle.at(-1)! : first;
    this.#evict(stripe, leaves.resource, reason);
    return undefined;
  }

  /** Why an idle one is not kept: the stock is, but for the end of a life. */
  #ending({ line }: Stripe, { since, diesAt, fate }: Resource): Retired {
    const { now, terms } = this.world;
    if (now > diesAt) return fate;
    const isNeeded = countsOf(this.world, line).existing <= terms[line]!.stock;
    return now - since > IDLE_TIME && !isNeeded ? "idle" : undefined;
  }

  #idleAt(resource: number): Stripe | undefined {
    return this.world.stripes.find(({ idle }) =>
      idle.some((it) => it.resource === resource)
    );
  }

  #evict(stripe: Stripe, resource: number, reason: string): void {
    const found = stripe.idle.find((it) => it.resource === resource)!;
    stripe.idle = stripe.idle.filter((it) => it !== found);
    this.destroy(stripe, found, reason);
  }

  /** Of those whose end is to be told; twins in the order in which it was told. */
  #firstToDie(line: number): Resource | undefined {
    return this.#of(line).flatMap(({ idle, used }) => [...idle, ...used])
      .filter(({ isWatched }) => isWatched)
      .sort((a, b) => a.diesAt - b.diesAt || a.told - b.told)[0];
  }

  #endClose(line: number): void {
    const isEmpty = this.#of(line)
      .every(({ spare, capacity }) => spare === capacity);
    if (this.world.closed && isEmpty) this.effects.push({ kind: "closed" });
  }

  // Creates and used ones.

  #creation(id: number): [Stripe, Creation] {
    const stripe = this.world.stripes.find(({ creating }) =>
      creating.some((creation) => creation.id === id)
    )!;
    return [stripe, stripe.creating.find((creation) => creation.id === id)!];
  }

  #endCreate(id: number): [Stripe, Creation] {
    const [stripe, creation] = this.#creation(id);
    stripe.creating = stripe.creating.filter((it) => it !== creation);
    return [stripe, creation];
  }

  #use(stripe: Stripe, used: Used): void {
    stripe.used.push(used);
    stripe.used.sort(byBirth);
  }

  #used(resource: number): [Stripe, Used] | [undefined, undefined] {
    for (const stripe of this.world.stripes) {
      const used = stripe.used.find((used) => used.resource === resource);
      if (used !== undefined) return [stripe, used];
    }
    return [undefined, undefined];
  }

  /** Changes one that is used, if it is. */
  #change(resource: number, change: (used: Used) => Partial<Used>): void {
    const [stripe, used] = this.#used(resource);
    if (stripe === undefined) return;
    stripe.used = stripe.used.map((it) =>
      it === used ? { ...it, ...change(it) } : it
    );
  }

  /** What was delivered has arrived. */
  #lease(resource: number): void {
    this.#change(resource, ({ uses }) => ({ uses: uses + 1 }));
  }

  #unuse(resource: number): [Stripe, Used] {
    const [stripe, used] = this.#used(resource);
    if (stripe === undefined) throw new Error(`model: ${resource} is not used`);
    stripe.used = stripe.used.filter((other) => other !== used);
    return [stripe, used];
  }

  /** The resource that a client holds. */
  #held(client: number): number {
    return this.world.stripes.flatMap(({ used }) => used)
      .find(({ holder }) => holder === client)!.resource;
  }

  #leased(client: number): [Stripe, Used] {
    return this.#unuse(this.#held(client));
  }
}

/** The last tick at which an idle one is kept for itself. */
function endOf({ since, diesAt }: Resource): number {
  return Math.min(since + IDLE_TIME, diesAt);
}

function byBirth(a: Resource, b: Resource): number {
  return a.resource - b.resource;
}

/** One that is used by nobody yet. */
function used(resource: Resource): Used {
  return {
    ...resource,
    holder: undefined,
    taker: undefined,
    isChecked: false,
    usedAt: 0,
    retired: undefined,
    isLost: false,
  };
}

/** What stays of a used one. */
function resourceOf(
  { resource, since, checkedAt, diesAt, fate, told, isWatched, uses }: Used,
): Resource {
  return {
    resource,
    since,
    checkedAt,
    diesAt,
    fate,
    told,
    isWatched,
    uses,
  };
}

const UNBORN = { isOverdue: false, isLost: false, retired: undefined };
