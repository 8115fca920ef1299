import type { Creation } from "../../src/core/creation.ts";
import type { Effects } from "../../src/core/effects.ts";
import type { Entry } from "../../src/core/entry.ts";
import type { Line } from "../../src/core/line.ts";
import { Partition } from "../../src/core/partition.ts";
import { Waiter } from "../../src/core/waiter.ts";
import type { Effect } from "./effect.ts";
import type { AcquireEvent, Event } from "./event.ts";
import type { Scope } from "./scope.ts";
import { IDLE_TICKS, sum } from "./world.ts";

/** A waiter that knows whose it is. */
export class Pending extends Waiter {
  readonly client: number;

  constructor(order: number, home: number, client: number) {
    super(order, home, 0);
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

  constructor({ capacities, isolated, validate }: Scope) {
    const max = sum(capacities, (capacity) => capacity);
    const stripes = capacities.length;
    const shape = { max, stripes, isolated, maxCreating: Infinity };
    const validateAfter = validate === "never" ? Infinity : 0;
    const idleTimeout = IDLE_TICKS;
    const rules = { validateAfter, idleTimeout, maxUses: Infinity };
    this.partition = new Partition(shape, rules, this);
    this.#validate = validate;
  }

  perform(event: Event): void {
    this.effects = [];
    this.#act(event);
    if (this.#validate !== "sync") return;
    // What a verdict causes is noted behind, and met in this very loop.
    let bad = "bad" in event ? event.bad : 0;
    for (const effect of this.effects) {
      if (effect.kind !== "validate") continue;
      const entry = this.entries.get(effect.resource)!;
      if (entry.taker !== undefined) this.#judge(entry, bad-- <= 0);
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
    this.#lease((waiter as Pending).client, entry);
  }

  validate(waiter: Waiter, entry: Entry<number>): void {
    this.#validates((waiter as Pending).client, entry);
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
      case "destroy": {
        const entry = this.#spend(event.client);
        return this.#line(entry).destroy(entry, "lease");
      }
      case "cancel": {
        const waiter = this.waiters.get(event.client)!;
        return this.partition.lineOf(waiter.home).cancel(waiter, "abort");
      }
      case "created":
        return this.#created(event.creation);
      case "createFails":
        return this.#createFailed(event.creation, "create");
      case "destroyed": {
        const entry = this.entries.get(event.resource)!;
        this.entries.delete(event.resource);
        return this.#line(entry).destroyed(entry);
      }
      case "valid":
      case "invalid":
        return this.#judge(
          this.entries.get(event.resource)!,
          event.kind === "valid",
        );
      case "postponed": {
        const entry = this.entries.get(event.resource)!;
        this.#line(entry).sendBack(entry);
        return void this.#postponed.push(entry);
      }
      case "turn":
        return this.#judge(this.#postponed.shift()!, false);
      default:
        return this.#govern(event);
    }
  }

  /** What concerns all lines at once. */
  #govern(event: Event): void {
    const { lines } = this.partition;
    switch (event.kind) {
      case "tick":
        return void this.#now++;
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
          this.#createFailed(id, "abandoned");
        }
    }
  }

  #acquire({ client, home, bad }: AcquireEvent): void {
    const entry = this.partition.take(home, this.#now);
    if (entry === undefined) {
      const preferred = this.partition.homeOf(home);
      return this.partition.lineOf(preferred)
        .join(this.#waiter(client, preferred), 1);
    }
    const isSettled = this.#validate === "never" ||
      this.#validate === "sync" && bad === 0 && this.effects.length === 0;
    if (this.#validate !== "never") this.#validates(client, entry);
    if (isSettled) return this.#lease(client, entry);
    const { lines } = this.partition;
    const waiter = this.#waiter(client, lines.length > 1 ? entry.stripe : home);
    this.#line(entry).judge(waiter, entry);
  }

  #tryAcquire({ client, home, bad }: AcquireEvent): void {
    for (let asked = 0;; asked++) {
      const entry = this.partition.take(home, this.#now);
      if (entry === undefined) return;
      if (this.#validate !== "never") this.#validates(client, entry);
      if (this.#validate === "async") return;
      if (this.#validate === "never" || asked >= bad) {
        return this.#lease(client, entry);
      }
      this.#judge(entry, false);
    }
  }

  #created(id: number): void {
    const creation = this.creations.get(id)!;
    this.creations.delete(id);
    this.#line(creation).created(creation, ++this.#births, this.#now, Infinity);
    for (const entry of this.partition.stripes[creation.stripe]!.entries()) {
      this.entries.set(entry.resource, entry);
    }
  }

  #createFailed(id: number, error: string): void {
    const creation = this.creations.get(id)!;
    this.creations.delete(id);
    this.#line(creation).createFailed(creation, error, true);
  }

  #judge(entry: Entry<number>, isValid: boolean): void {
    if (isValid) this.#line(entry).valid(entry, this.#now);
    else this.#line(entry).invalid(entry, this.#now, "invalid");
  }

  #validates(client: number, { resource }: Entry<number>): void {
    this.effects.push({ kind: "validate", client, resource });
  }

  #lease(client: number, entry: Entry<number>): void {
    const { resource } = entry;
    this.#leases.set(client, entry);
    this.effects.push({ kind: "deliver", client, resource });
  }

  #spend(client: number): Entry<number> {
    const entry = this.#leases.get(client)!;
    this.#leases.delete(client);
    return entry;
  }

  #waiter(client: number, home: number): Pending {
    const order = this.partition.lineOf(home).arrive();
    const waiter = new Pending(order, home, client);
    this.waiters.set(client, waiter);
    return waiter;
  }

  #line({ stripe }: { readonly stripe: number }): Line<number> {
    return this.partition.lineOf(stripe);
  }
}
