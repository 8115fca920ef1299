import { Entry } from "./entry.ts";
import type { DestroyReason } from "./pool_observer.ts";
import type { StripeStats } from "./pool_stats.ts";
import {
  EffectQueue,
  type Effects,
  type StripeEffect,
} from "./stripe_effect.ts";
import type { StripeSets } from "./stripe_set.ts";
import type { Line, Waiter } from "./waiter_queue.ts";

/** Where a lease gives its entry back; ends it once, whoever asks. */
export interface Lessor<T> {
  release(entry: Entry<T>): void;
  destroy(entry: Entry<T>): void;
}

/**
 * The state machine of one share of the pool's capacity. A transition changes
 * the state in place, at once, and returns the effects it intends; its caller
 * runs them after. Time comes in as an argument; no user code, promise or
 * timer is met here.
 *
 * What the seed's types became:
 *
 * | Seed | Here | Where and why it differs |
 * |---|---|---|
 * | `PoolConfig` | `PoolOptions` | its proofs `1 ≤ stripes ≤ max` are checks at construction; more options |
 * | `Queue`, `queue` + `queuer` | `WaiterQueue` | linked both ways: append O(1), no reversal, a cancelled waiter is unlinked |
 * | `WakeResult` `Deliver` | effect `deliver` (or `validate` before it) | – |
 * | `WakeResult` `Create` | effect `create` on the waiter's behalf | a create belongs to the pool, so cancelling a waiter never cancels it |
 * | `WakeResult` `Cancelled` | effect `reject` | carries the reason |
 * | `Waiter` | `Waiter` | `order` is its id; it knows its queue, which is what makes it settle once |
 * | `Entry` | `Entry` | one object for its whole life; knows its stripe |
 * | `Stripe` | `Stripe` | `available` is split in `spare`, `used`, `creating` and `destroying`: it meant two things; `cancelled` is gone |
 * | `Stripe1` | `Stripe`, changed in place | one thread owns it: to commit is to assign, nothing to compare and swap |
 * | `StripeEffect` `Wake`, `WakeMany` | effects `deliver`, `reject` | one effect per waiter |
 * | `StripeEffect` `InsertWithTimestamp` | part of the commit | inserted in a later commit, a resource is in no place meanwhile |
 * | `StripeEffect` `FreeMany` | effects `destroy` | one each, so one that throws stops no other |
 * | `StripeEffect` `None` | `undefined` | effects are linked; the list can be empty |
 * | `StripeStep` | the returned `Effects` | the state is already committed |
 * | `LocalPool1` | `LocalPool` | one for all stripes: a pool has one idle timer and one list of deadlines, also when isolated |
 * | `Pool1` | `Pool` | – |
 */
export class Stripe<T> {
  readonly id: number;
  readonly max: number;
  readonly line: Line;
  /*
   * Invariant: spare + idle + used + creating + destroying = max, each >= 0.
   * Invariant: while its line has more waiters than creates in flight, no
   * stripe of the line has a spare slot; while it has waiters, none has an
   * idle entry.
   */
  private spareSlots: number;
  private used = 0;
  private creating = 0;
  private destroying = 0;
  /** Idle entries, in the order they became idle. */
  private readonly idle: Entry<T>[] = [];
  /** Invariant: every entry that is idle or used. */
  private readonly entries = new Set<Entry<T>>();
  /** Entries and creates of an earlier epoch are retired. */
  private epoch = 0;
  private closed = false;
  private readonly sets: StripeSets<Stripe<T>>;
  /** Whether it is in the sets of those with an idle entry, a spare slot. */
  inIdle = false;
  inSpare = false;
  /** Where the leases on its entries end. */
  readonly lessor: Lessor<T>;

  constructor(
    id: number,
    max: number,
    line: Line,
    sets: StripeSets<Stripe<T>>,
    lessor: Lessor<T>,
  ) {
    this.lessor = lessor;
    this.id = id;
    this.max = max;
    this.line = line;
    this.sets = sets;
    this.spareSlots = max;
  }

  get spare(): number {
    return this.spareSlots;
  }

  /** The entry that `take` would take. */
  get newest(): Entry<T> | undefined {
    const { idle } = this;
    return idle.length > 0 ? idle[idle.length - 1] : undefined;
  }

  /** The entry that has been idle longest. */
  get oldest(): Entry<T> | undefined {
    return this.idle.length > 0 ? this.idle[0] : undefined;
  }

  stats(): StripeStats {
    return {
      idle: this.idle.length,
      used: this.used,
      creating: this.creating,
      destroying: this.destroying,
      pending: this.line.pending,
      max: this.max,
    };
  }

  /** The newest idle entry, if any, becomes used. */
  take(): Entry<T> | undefined {
    if (this.idle.length === 0) return undefined;
    const entry = this.idle.pop()!;
    entry.used = true;
    this.used++;
    return entry;
  }

  /** A newcomer joins the line; the demand rule may reserve a slot here. */
  wait(waiter: Waiter): Effects<T> {
    this.line.waiting.push(waiter);
    return this.demand();
  }

  /** A taker whose resource was invalid goes back to its old place. */
  waitAgain(waiter: Waiter): Effects<T> {
    this.line.waiting.insert(waiter);
    return this.demand();
  }

  /** A create, begun in `epoch`, succeeded: for the head of the line, or idle. */
  created(resource: T, epoch: number, now: number): Effects<T> {
    this.creating--;
    this.line.creating--;
    const entry = new Entry(resource, this, epoch);
    this.entries.add(entry);
    this.used++;
    const waiter = this.line.waiting.shift();
    if (waiter === undefined) return this.release(entry, now);
    return entry.to(waiter, "deliver");
  }

  /** A create failed: it rejects the head of the line, and no one else. */
  createFailed(error: unknown): Effects<T> {
    this.creating--;
    this.line.creating--;
    const waiter = this.line.waiting.shift();
    const next = this.vacated();
    return waiter === undefined
      ? next
      : { kind: "reject", waiter, error, next };
  }

  /** A used entry is given back: to the head of the line, or idle. */
  release(entry: Entry<T>, now: number): Effects<T> {
    if (entry.epoch !== this.epoch) {
      return this.destroy(entry, this.closed ? "close" : "clear");
    }
    if (this.line.waiting.length > 0) {
      return this.handOver(this.line.waiting.shift()!, entry);
    }
    this.used--;
    entry.used = false;
    entry.idleSince = now;
    this.idle.push(entry);
    this.sets.addIdle(this);
    return undefined;
  }

  /** A used entry goes to a waiter, validated where asked. */
  handOver(waiter: Waiter, entry: Entry<T>): Effects<T> {
    if (!this.line.validates) {
      return entry.to(waiter, "deliver");
    }
    this.line.validating.push(waiter);
    return entry.to(waiter, "validate");
  }

  /** The verdict on an entry is good; without its taker it is released. */
  valid(waiter: Waiter, entry: Entry<T>, now: number): Effects<T> {
    if (waiter.queue === undefined) return this.release(entry, now);
    waiter.queue.remove(waiter);
    return entry.to(waiter, "deliver");
  }

  /** The verdict is bad: the entry leaves, its taker must be placed anew. */
  invalid(waiter: Waiter, entry: Entry<T>): Effects<T> {
    waiter.queue?.remove(waiter);
    return this.destroy(entry, "invalid");
  }

  /** A used entry leaves; its slot is taken until `destroyed`. */
  destroy(
    entry: Entry<T>,
    reason: DestroyReason,
    next: Effects<T> = undefined,
  ): Effects<T> {
    this.used--;
    entry.used = false;
    return this.leave(entry, reason, next);
  }

  /** A destroy settled; its slot goes straight to a waiter that lacks a create. */
  destroyed(): Effects<T> {
    this.destroying--;
    return this.vacated();
  }

  /** Evicts, oldest first, what has been idle for longer than `idleTimeout`. */
  sweep(now: number, idleTimeout: number): Effects<T> {
    const { idle } = this;
    let n = 0;
    while (n < idle.length && now - idle[n]!.idleSince > idleTimeout) n++;
    return this.evict(n, "idle");
  }

  /** Evicts all idle entries and retires the others. */
  clear(): Effects<T> {
    this.epoch++;
    return this.evict(this.idle.length, this.closed ? "close" : "clear");
  }

  /** As `clear`, and every waiter of the line leaves it. */
  close(error: unknown): Effects<T> {
    this.closed = true;
    const effects = new EffectQueue<T>();
    effects.push(this.clear());
    for (const queue of [this.line.waiting, this.line.validating]) {
      for (let waiter; (waiter = queue.shift()) !== undefined;) {
        effects.push({ kind: "reject", waiter, error, next: undefined });
      }
    }
    return effects.first;
  }

  /** After `close`: the used entries leave, and their leases end. */
  abandon(): Effects<T> {
    let effects: Effects<T>;
    for (const entry of this.entries) {
      effects = this.destroy(entry, "close", effects);
    }
    return effects;
  }

  /** The demand rule: reserve a slot while waiters outnumber the creates. */
  private demand(): Effects<T> {
    const { line } = this;
    if (this.spareSlots === 0 || line.waiting.length <= line.creating) {
      return undefined;
    }
    this.spareSlots--;
    return this.create();
  }

  /** A slot is vacated: reserved for a waiter that lacks a create, or spare. */
  private vacated(): Effects<T> {
    if (this.line.waiting.length > this.line.creating) return this.create();
    this.spareSlots++;
    this.sets.addSpare(this);
    return undefined;
  }

  private create(): Effects<T> {
    this.creating++;
    this.line.creating++;
    return { kind: "create", stripe: this, epoch: this.epoch, next: undefined };
  }

  /** Evicts the `n` oldest of the idle entries. */
  private evict(n: number, reason: DestroyReason): Effects<T> {
    let effects: Effects<T>;
    for (const entry of this.idle.splice(0, n).reverse()) {
      effects = this.leave(entry, reason, effects);
    }
    return effects;
  }

  private leave(
    entry: Entry<T>,
    reason: DestroyReason,
    next: Effects<T>,
  ): StripeEffect<T> {
    this.entries.delete(entry);
    this.destroying++;
    return { kind: "destroy", entry, reason, next };
  }
}
