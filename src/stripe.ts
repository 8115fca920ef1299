import { Entry } from "./entry.ts";
import type { DestroyReason } from "./pool_observer.ts";
import type { StripeStats } from "./pool_stats.ts";
import { NONE, type StripeEffect } from "./stripe_effect.ts";
import type { StripeSet } from "./stripe_set.ts";
import type { Line, Waiter } from "./waiter_queue.ts";

type Effects<T> = readonly StripeEffect<T>[];

/** The stripes of a pool that have something to give, for an O(1) choice. */
export interface StripeSets<T> {
  /** Invariant: exactly the stripes with an idle entry. */
  readonly idle: StripeSet<Stripe<T>>;
  /** Invariant: exactly the stripes with a spare slot. */
  readonly spare: StripeSet<Stripe<T>>;
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
 * | `StripeEffect` `None` | `NONE` | – |
 * | `StripeStep` | the returned effects | the state is already committed |
 * | `LocalPool1` | `LocalPool` | one for all stripes: a pool has one idle timer and one list of deadlines, also when isolated |
 * | `Pool1` | `Pool` | – |
 */
export class Stripe<T> {
  /*
   * Invariant: spare + idle + used + creating + destroying = max, each >= 0.
   * Invariant: while this line has more waiters than creates in flight, no
   * stripe of the line has a spare slot; while it has waiters, none has an
   * idle entry.
   */
  #spare: number;
  #idle = 0;
  #used = 0;
  #creating = 0;
  #destroying = 0;
  /** Idle entries, linked in the order they became idle. */
  #newest: Entry<T> | undefined = undefined;
  #oldest: Entry<T> | undefined = undefined;
  /** Invariant: every entry that is idle or used. */
  readonly #entries = new Set<Entry<T>>();
  /** Entries and creates of an earlier epoch are retired. */
  #epoch = 0;
  #closed = false;

  constructor(
    readonly id: number,
    readonly max: number,
    readonly line: Line,
    readonly sets: StripeSets<T>,
  ) {
    this.#spare = max;
    sets.spare.add(this);
  }

  get spare(): number {
    return this.#spare;
  }

  /** The entry that `take` would take. */
  get newest(): Entry<T> | undefined {
    return this.#newest;
  }

  /** The entry that has been idle longest. */
  get oldest(): Entry<T> | undefined {
    return this.#oldest;
  }

  stats(): StripeStats {
    return {
      idle: this.#idle,
      used: this.#used,
      creating: this.#creating,
      destroying: this.#destroying,
      pending: this.line.pending,
      max: this.max,
    };
  }

  /** The newest idle entry, if any, becomes used. */
  take(): Entry<T> | undefined {
    const entry = this.#newest;
    if (entry === undefined) return undefined;
    this.#unlink(entry);
    entry.used = true;
    this.#used++;
    return entry;
  }

  /** A newcomer joins the line; the demand rule may reserve a slot here. */
  wait(waiter: Waiter): Effects<T> {
    this.line.waiting.push(waiter);
    return this.#demand();
  }

  /** A taker whose resource was invalid goes back to its old place. */
  waitAgain(waiter: Waiter): Effects<T> {
    this.line.waiting.insert(waiter);
    return this.#demand();
  }

  /** A create, begun in `epoch`, succeeded: for the head of the line, or idle. */
  created(resource: T, epoch: number, now: number): Effects<T> {
    this.#creating--;
    this.line.creating--;
    const entry = new Entry(resource, this, epoch);
    this.#entries.add(entry);
    const waiter = this.line.waiting.shift();
    entry.used = true;
    this.#used++;
    if (waiter !== undefined) return [{ kind: "deliver", waiter, entry }];
    return this.release(entry, now);
  }

  /** A create failed: it rejects the head of the line, and no one else. */
  createFailed(error: unknown): Effects<T> {
    this.#creating--;
    this.line.creating--;
    const waiter = this.line.waiting.shift();
    const freed = this.#freed();
    return waiter === undefined
      ? freed
      : [{ kind: "reject", waiter, error }, ...freed];
  }

  /** A used entry is given back: to the head of the line, or idle. */
  release(entry: Entry<T>, now: number): Effects<T> {
    if (entry.epoch !== this.#epoch) {
      return this.destroy(entry, this.#closed ? "close" : "clear");
    }
    const waiter = this.line.waiting.shift();
    if (waiter !== undefined) return this.handOver(waiter, entry);
    this.#used--;
    entry.used = false;
    this.#push(entry, now);
    return NONE;
  }

  /** An entry that is used again goes to a waiter, validated where asked. */
  handOver(waiter: Waiter, entry: Entry<T>): Effects<T> {
    if (!this.line.validates) return [{ kind: "deliver", waiter, entry }];
    this.line.validating.push(waiter);
    return [{ kind: "validate", waiter, entry }];
  }

  /** The verdict on an entry is good; without its taker it is released. */
  valid(waiter: Waiter, entry: Entry<T>, now: number): Effects<T> {
    if (waiter.queue === undefined) return this.release(entry, now);
    waiter.queue.remove(waiter);
    return [{ kind: "deliver", waiter, entry }];
  }

  /** The verdict is bad: the entry leaves, its taker must be placed anew. */
  invalid(waiter: Waiter, entry: Entry<T>): Effects<T> {
    waiter.queue?.remove(waiter);
    return this.destroy(entry, "invalid");
  }

  /** A used entry leaves; its slot is taken until `destroyed`. */
  destroy(entry: Entry<T>, reason: DestroyReason): Effects<T> {
    this.#used--;
    entry.used = false;
    return [this.#leave(entry, reason)];
  }

  /** A destroy settled; its slot goes straight to a waiter that lacks a create. */
  destroyed(): Effects<T> {
    this.#destroying--;
    return this.#freed();
  }

  /** Evicts, oldest first, what has been idle for longer than `idleTimeout`. */
  sweep(now: number, idleTimeout: number): Effects<T> {
    const effects: StripeEffect<T>[] = [];
    let entry = this.#oldest;
    while (entry !== undefined && now - entry.idleSince > idleTimeout) {
      this.#unlink(entry);
      effects.push(this.#leave(entry, "idle"));
      entry = this.#oldest;
    }
    return effects;
  }

  /** Evicts all idle entries and retires the others. */
  clear(): Effects<T> {
    const effects: StripeEffect<T>[] = [];
    this.#epoch++;
    while (this.#oldest !== undefined) {
      const entry = this.#oldest;
      this.#unlink(entry);
      effects.push(this.#leave(entry, this.#closed ? "close" : "clear"));
    }
    return effects;
  }

  /** As `clear`, and every waiter of the line leaves it. */
  close(error: unknown): Effects<T> {
    this.#closed = true;
    const effects: StripeEffect<T>[] = [...this.clear()];
    for (const queue of [this.line.waiting, this.line.validating]) {
      for (let waiter; (waiter = queue.shift()) !== undefined;) {
        effects.push({ kind: "reject", waiter, error });
      }
    }
    return effects;
  }

  /** After `close`: destroys the used entries and gives up the creates. */
  abandon(): Effects<T> {
    this.line.creating -= this.#creating;
    this.#spare += this.#creating;
    this.#creating = 0;
    if (this.#spare > 0) this.sets.spare.add(this);
    return [...this.#entries].flatMap((entry) => this.destroy(entry, "close"));
  }

  /** The demand rule: reserve a slot while waiters outnumber the creates. */
  #demand(): Effects<T> {
    const { line } = this;
    if (this.#spare === 0 || line.waiting.length <= line.creating) return NONE;
    if (--this.#spare === 0) this.sets.spare.delete(this);
    return this.#create();
  }

  /** A slot came free: reserved for a waiter that lacks a create, or spare. */
  #freed(): Effects<T> {
    if (this.line.waiting.length > this.line.creating) return this.#create();
    if (++this.#spare === 1) this.sets.spare.add(this);
    return NONE;
  }

  #create(): Effects<T> {
    this.#creating++;
    this.line.creating++;
    return [{ kind: "create", stripe: this, epoch: this.#epoch }];
  }

  #leave(entry: Entry<T>, reason: DestroyReason): StripeEffect<T> {
    this.#entries.delete(entry);
    this.#destroying++;
    return { kind: "destroy", entry, reason };
  }

  #push(entry: Entry<T>, now: number): void {
    entry.idleSince = now;
    entry.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    if (++this.#idle === 1) this.sets.idle.add(this);
  }

  /** Takes an entry out of either end of the idle list. */
  #unlink(entry: Entry<T>): void {
    const { newer, older } = entry;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    entry.newer = entry.older = undefined;
    if (--this.#idle === 0) this.sets.idle.delete(this);
  }
}
