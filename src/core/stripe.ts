import { assert } from "./bug.ts";
import type { Creation } from "./creation.ts";
import type { DestroyReason } from "./destroy_reason.ts";
import type { Entry } from "./entry.ts";
import type { StripeSets } from "./stripe_set.ts";

/** Counts of slots by where they are. */
export interface Slots {
  spare: number;
  idle: number;
  used: number;
  creating: number;
  destroying: number;
}

/**
 * One share of the capacity: where each of its slots is. It moves slots and
 * decides nothing.
 */
export class Stripe<T> {
  readonly id: number;
  /** The ends of the list of idle entries, in the order they became idle. */
  newest: Entry<T> | undefined = undefined;
  oldest: Entry<T> | undefined = undefined;
  #idle = 0;
  /** Whether it is in the sets of those with an idle entry, a spare slot. */
  inIdle = false;
  inSpare = false;
  max: number;
  /*
   * Invariant: spare + idle + used + creating + destroying = max, each >= 0, but
   * spare while slots are owed after a shrink; the used are the entries that are
   * not idle.
   */
  spare: number;
  #destroying = 0;
  readonly #creations = new Set<Creation>();
  /** Invariant: every entry that is idle or used. */
  readonly #entries = new Set<Entry<T>>();
  readonly #sets: StripeSets<Stripe<T>>;

  constructor(
    id: number,
    max: number,
    sets: StripeSets<Stripe<T>>,
  ) {
    this.id = id;
    this.max = this.spare = max;
    this.#sets = sets;
  }

  slots(): Slots {
    return {
      spare: this.spare,
      idle: this.#idle,
      used: this.#entries.size - this.#idle,
      creating: this.#creations.size,
      destroying: this.#destroying,
    };
  }

  /** How many of those being created are not counted on. */
  get overdue(): number {
    let overdue = 0;
    for (const { isOverdue } of this.#creations) if (isOverdue) overdue++;
    return overdue;
  }

  /** Whether fewer slots than it owes are about to be vacated. */
  get owes(): boolean {
    return this.spare + this.#destroying < 0;
  }

  /** Spare to creating. */
  reserve(creation: Creation): void {
    assert(this.spare > 0, "a slot is reserved that is not spare");
    this.spare--;
    this.#creations.add(creation);
  }

  /** Creating to used. */
  born(creation: Creation, entry: Entry<T>): void {
    this.#end(creation);
    if (creation.retired !== undefined) entry.retire(creation.retired);
    this.#entries.add(entry);
  }

  /** Creating to spare. */
  unborn(creation: Creation): void {
    this.#end(creation);
    this.#vacate();
  }

  /** Used to idle, as the newest. */
  rest(entry: Entry<T>): void {
    const { newest } = this;
    entry.place = "idle";
    entry.older = newest;
    if (newest === undefined) this.oldest = entry;
    else newest.newer = entry;
    this.newest = entry;
    this.#idle++;
    if (!this.inIdle) this.#sets.addIdle(this);
  }

  /** Used to idle, at its place by the time of its last release. */
  restAgain(entry: Entry<T>): void {
    let newer: Entry<T> | undefined = undefined;
    let older = this.newest;
    while (older !== undefined && older.releasedAt > entry.releasedAt) {
      newer = older;
      older = older.older;
    }
    if (newer === undefined) return this.rest(entry);
    entry.place = "idle";
    entry.newer = newer;
    newer.older = entry;
    entry.older = older;
    if (older === undefined) this.oldest = entry;
    else older.newer = entry;
    this.#idle++;
  }

  /** Idle to used. */
  wake(entry: Entry<T>): void {
    const { older, newer } = entry;
    entry.place = "used";
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    entry.older = entry.newer = undefined;
    this.#idle--;
  }

  /** Used to destroying. */
  leave(entry: Entry<T>): void {
    assert(entry.place === "used", `a resource leaves that is ${entry.place}`);
    entry.place = "destroying";
    this.#entries.delete(entry);
    this.#destroying++;
  }

  /** Used to spare, its resource kept by its holder. */
  part(entry: Entry<T>): void {
    assert(entry.place === "used", `a resource parts that is ${entry.place}`);
    entry.place = "gone";
    this.#entries.delete(entry);
    this.#vacate();
  }

  /** So many slots more, or, if below 0, fewer. */
  resize(slots: number): void {
    this.max += slots;
    this.spare += slots;
    if (this.spare > 0) this.#sets.addSpare(this);
  }

  /** Destroying to spare. */
  gone(entry: Entry<T>): void {
    assert(entry.place === "destroying", `a slot of one ${entry.place} ends`);
    entry.place = "gone";
    this.#destroying--;
    this.#vacate();
  }

  /** Retires what is used and what is being created. */
  retire(reason: DestroyReason): void {
    for (const creation of this.#creations) creation.retired ??= reason;
    for (const entry of this.#entries) {
      if (entry.place === "used") entry.retire(reason);
    }
  }

  /** The entries that are idle or used. */
  entries(): Iterable<Entry<T>> {
    return this.#entries;
  }

  #end(creation: Creation): void {
    assert(this.#creations.delete(creation), "a create ends twice");
  }

  #vacate(): void {
    this.spare++;
    const { spare, max } = this;
    assert(spare <= max, `${spare} slots of ${max} are spare`);
    if (spare > 0) this.#sets.addSpare(this);
  }
}
