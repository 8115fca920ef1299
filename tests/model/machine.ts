import type { Creation } from "../../src/core/creation.ts";
import type { Effects } from "../../src/core/effects.ts";
import type { Entry } from "../../src/core/entry.ts";
import type { Line, Shed } from "../../src/core/line.ts";
import { Partition } from "../../src/core/partition.ts";
import { Waiter } from "../../src/core/waiter.ts";
import type { Effect } from "./effect.ts";
import type { AcquireEvent, Event } from "./event.ts";
import type { Scope } from "./scope.ts";
import { MOST_USES } from "./transition_table.ts";
import { IDLE_TIME, sum, TICK } from "./world.ts";

/** A waiter that knows whose it is. */
export class Pending extends Waiter {
  readonly client: number;

  constructor(
    order: number,
    home: number,
    since: number,
    priority: number,
    client: number,
  ) {
    super(order, home, since, priority);
    this.client = client;
  }
}

/**
 * The real machine, in the smallest shell that can do events to it: what it
 * notes is kept, and told in order after each verb.
 */
export class Machine implements Effects<number> {
  readonly partition: Partition<number>;
  /** Those of the last event. */
  effects: Effect[] = [];
  readonly creations = new Map<number, Creation>();
  /** By resource: all that are not gone. */
  readonly entries = new Map<number, Entry<number>>();
  /** The last acquire of each client, settled or not. */
  readonly waiters = new Map<number, Pending>();
  readonly #validate: Scope["validate"];
  readonly #leases = new Map<number, Entry<number>>();
  #postponed: Entry<number>[] = [];
  #now = 0;
  #creations = 0;
  #births = 0;
  /** Of how many it is still said that they are to leave. */
  #sheds = 0;

  constructor({ capacities, isolated, validate, faults }: Scope) {
    const shape = {
      max: sum(capacities, (capacity) => capacity),
      stripes: capacities.length,
      isolated,
      maxCreating: faults.has("gated") ? 1 : Infinity,
    };
    const after = faults.has("trusted") ? TICK : 0;
    const rules = {
      validateAfter: validate === "never" ? Infinity : after,
      idleTimeout: IDLE_TIME,
      maxUses: faults.has("wears") ? MOST_USES : Infinity,
      oldestFirst: faults.has("oldestFirst"),
      shed: faults.has("shed") ? () => this.#judgeOfWaits() : undefined,
    };
    this.partition = new Partition(shape, rules, this);
    this.#validate = validate;
  }

  get now(): number {
    return this.#now;
  }

  isLeased(entry: Entry<number>): boolean {
    return [...this.#leases.values()].includes(entry);
  }

  perform(event: Event): void {
    this.effects = [];
    this.#sheds = "sheds" in event ? event.sheds : 0;
    this.#act(event);
    let bad = "bad" in event ? event.bad : 0;
    let lost = "lost" in event ? event.lost : 0;
    // What one causes is noted behind, and met in this very loop.
    for (const [i, effect] of this.effects.entries()) {
      if (effect.kind === "deliver") {
        const { client, resource } = effect;
        const entry = this.entries.get(resource)!;
        if (lost-- <= 0) {
          entry.uses++;
          this.#leases.set(client, entry);
          continue;
        }
        const line = this.#line(entry);
        this.effects[i] = { kind: "handBack", client, resource };
        line.lost(entry, this.#now);
        line.handBack(this.waiters.get(client)!, entry, this.#now);
      } else if (effect.kind === "validate" && this.#validate === "sync") {
        const entry = this.entries.get(effect.resource)!;
        if (entry.taker !== undefined) this.#judge(entry, bad-- <= 0);
      }
    }
  }

  /** Who has settled does not mind to be cancelled. */
  poke(): void {
    for (const waiter of this.waiters.values()) {
      if (waiter.at !== undefined) continue;
      this.partition.lineOf(waiter.home).cancel(waiter, "too late");
    }
  }

  deliver(waiter: Waiter, entry: Entry<number>): void {
    this.#deliver((waiter as Pending).client, entry);
  }

  validate(waiter: Waiter, entry: Entry<number>): void {
    this.#validates((waiter as Pending).client, entry);
  }

  shed(waiter: Waiter): void {
    const { client } = waiter as Pending;
    this.effects.push({ kind: "shed", client });
  }

  paused(): void {
    this.effects.push({ kind: "paused" });
  }

  reject(waiter: Waiter, error: unknown): void {
    const { client } = waiter as Pending;
    this.effects.push({ kind: "reject", client, error: String(error) });
  }

  create(creation: Creation): void {
    const { stripe } = creation;
    this.creations.set(++this.#creations, creation);
    this.effects.push({ kind: "create", creation: this.#creations, stripe });
  }

  destroy(entry: Entry<number>, reason: string): void {
    const { resource, stripe } = entry;
    this.entries.set(resource, entry);
    this.effects.push({ kind: "destroy", resource, stripe, reason });
  }

  closed(): void {
    this.effects.push({ kind: "closed" });
  }

  #act(event: Event): void {
    switch (event.kind) {
      case "acquire":
        return this.#acquire(event);
      case "tryAcquire":
        return this.#tryAcquire(event);
      case "release": {
        const entry = this.#spend(event.client);
        return this.#line(entry).release(entry, this.#now);
      }
      case "leaseDestroyed": {
        const entry = this.#spend(event.client);
        return this.#line(entry).destroy(entry, "lease");
      }
      case "detached": {
        const entry = this.#spend(event.client);
        this.entries.delete(entry.resource);
        return this.#line(entry).detach(entry);
      }
      case "useEnded":
        return this.#line(this.#leases.get(event.client)!).useEnded();
      case "cancel": {
        const waiter = this.waiters.get(event.client)!;
        return this.partition.lineOf(waiter.home).cancel(waiter, "abort");
      }
      case "rejected": {
        const { home, order } = this.waiters.get(event.client)!;
        return this.partition.lineOf(home).reject(order + 1, "create");
      }
      case "rejectedFirst": {
        const { home, order } = this.waiters.get(event.client)!;
        const place = order + Number(event.isMeant);
        return this.partition.lineOf(home).rejectFirst(place, "create");
      }
      case "created":
        return this.#created(event.creation, event.life);
      case "createFails":
        return this.#createFailed(event.creation, "create", event.isTold);
      case "overdue":
      case "lostUnborn": {
        const creation = this.creations.get(event.creation)!;
        if (event.kind === "lostUnborn") creation.isLost = true;
        return this.#line(creation).giveUpOn(creation);
      }
      default:
        return "resource" in event
          ? this.#concern(event, this.entries.get(event.resource)!)
          : this.#govern(event);
    }
  }

  /** What concerns one resource. */
  #concern(event: Event, entry: Entry<number>): void {
    const line = this.#line(entry);
    switch (event.kind) {
      case "destroyed":
        this.entries.delete(entry.resource);
        return line.destroyed(entry);
      case "valid":
      case "invalid":
        return this.#judge(entry, event.kind === "valid");
      case "postponed":
        line.sendBack(entry);
        return void this.#postponed.push(entry);
      case "passed":
        return line.pass(entry, this.#now);
      case "inspected":
        return line.inspected(entry, this.#now);
      case "retired":
        return line.retire(entry, "leaked");
      case "lost":
        return line.lost(entry, this.#now);
      case "shortened": {
        const diesAt = this.#now + event.life * TICK;
        return line.shorten(entry, diesAt, "evict");
      }
    }
  }

  /** What concerns a line, or all of them. */
  #govern(event: Event): void {
    const { lines } = this.partition;
    switch (event.kind) {
      case "allowed":
        return lines[event.line]!.allow(event.n);
      case "stocked":
        return lines[event.line]!.stock(event.n);
      case "owed":
        return lines[event.line]!.owe(event.n);
      case "distrusted":
        return lines[event.line]!.distrust(event.time, this.#now, "invalid");
      case "permitted":
        return lines[event.line]!.permit(event.n);
      case "yieldTo":
        return lines[event.line]!.yieldTo(event.n);
      case "letGo": {
        const line = lines[event.line]!;
        const isDone = line.idleSince !== Infinity;
        if (isDone) line.letGo();
        return void this.effects.push({ kind: "letGo", isDone });
      }
      case "resized":
        return this.partition.resize(event.max);
      case "paused":
        return lines.forEach((line) => line.pause());
      case "unpaused":
        return lines.forEach((line) => line.unpause(this.#now));
      case "inspect":
        return this.#inspect();
      case "turn":
        return this.#judge(this.#postponed.shift()!, false);
      case "tick":
        return void (this.#now += TICK);
      case "sweep":
        for (const line of lines) {
          const again = line.expire(this.#now, event.limit);
          this.effects.push({ kind: "sweep", again });
        }
        return;
      case "clear":
        return lines.forEach((line) => line.clear());
      case "close":
        return lines.forEach((line) => line.close(() => "closed"));
      case "abandon":
        for (const line of lines) line.abandon();
        this.#leases.clear();
        this.#postponed = [];
        for (const id of this.creations.keys()) {
          this.#createFailed(id, "abandoned", true);
        }
    }
  }

  #acquire({ client, home, owes, priority, bad, lost }: AcquireEvent): void {
    const entry = this.partition.take(home, this.#now);
    if (entry === undefined) {
      const preferred = this.partition.homeOf(home);
      return this.partition.lineOf(preferred)
        .join(this.#waiter(client, preferred, priority), owes);
    }
    const isSuspect = this.#isSuspect(entry);
    const isAtOnce = this.#validate === "sync" && bad === 0;
    const isAhead = this.effects.length === 0 && lost === 0;
    if (isSuspect) this.#validates(client, entry);
    else this.#deliver(client, entry);
    if (isAhead && !isSuspect) return;
    if (isAhead && isAtOnce) return this.#deliver(client, entry);
    const { lines } = this.partition;
    const own = lines.length > 1 ? entry.stripe : home;
    const waiter = this.#waiter(client, own, priority);
    if (isSuspect) this.#line(entry).judge(waiter, entry);
  }

  #tryAcquire({ client, home, bad }: AcquireEvent): void {
    for (let asked = 0;; asked++) {
      const entry = this.partition.take(home, this.#now);
      if (entry === undefined) return;
      const isSuspect = this.#isSuspect(entry);
      if (isSuspect) this.#validates(client, entry);
      if (isSuspect && this.#validate === "async") return;
      if (!isSuspect || asked >= bad) return this.#deliver(client, entry);
      this.#judge(entry, false);
    }
  }

  /** Of all lines, the one that was released or checked first. */
  #inspect(): void {
    let found: Entry<number> | undefined;
    const time = ({ releasedAt, checkedAt }: Entry<number>) =>
      Math.max(releasedAt, checkedAt);
    for (const line of this.partition.lines) {
      const least = line.leastChecked();
      const isEarlier = least !== undefined &&
        (found === undefined || time(least) < time(found));
      if (isEarlier) found = least;
    }
    const { resource } = found!;
    this.#line(found!).inspect(found!);
    this.effects.push({ kind: "inspect", resource });
  }

  #created(id: number, life: number): void {
    const creation = this.creations.get(id)!;
    this.creations.delete(id);
    const line = this.#line(creation);
    const diesAt = this.#now + life * TICK;
    const entry = line.created(creation, ++this.#births, this.#now, diesAt);
    this.entries.set(entry.resource, entry);
  }

  #createFailed(id: number, error: string, isTold: boolean): void {
    const creation = this.creations.get(id)!;
    this.creations.delete(id);
    this.#line(creation).createFailed(creation, error, isTold);
  }

  #judge(entry: Entry<number>, isValid: boolean): void {
    if (isValid) this.#line(entry).valid(entry, this.#now);
    else this.#line(entry).invalid(entry, this.#now, "invalid");
  }

  #validates(client: number, { resource }: Entry<number>): void {
    this.effects.push({ kind: "validate", client, resource });
  }

  #isSuspect(entry: Entry<number>): boolean {
    return this.#validate !== "never" &&
      this.#line(entry).isSuspect(entry, this.#now);
  }

  #deliver(client: number, { resource }: Entry<number>): void {
    this.effects.push({ kind: "deliver", client, resource });
  }

  #spend(client: number): Entry<number> {
    const entry = this.#leases.get(client)!;
    this.#leases.delete(client);
    return entry;
  }

  /** It says what the world says, and notes what it was asked. */
  #judgeOfWaits(): Shed {
    return {
      retryAfter: 0,
      mustLeave: (since, oldest, now) => {
        this.effects.push({ kind: "judged", since, oldest, now });
        return this.#sheds-- > 0;
      },
    };
  }

  #waiter(client: number, home: number, priority: number): Pending {
    const order = this.partition.lineOf(home).arrive();
    const waiter = new Pending(order, home, this.#now, priority, client);
    this.waiters.set(client, waiter);
    return waiter;
  }

  #line({ stripe }: { readonly stripe: number }): Line<number> {
    return this.partition.lineOf(stripe);
  }
}
