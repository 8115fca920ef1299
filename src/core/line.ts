import { assert } from "./bug.ts";
import type { Creation } from "./creation.ts";
import type { DestroyReason } from "./destroy_reason.ts";
import type { Effects } from "./effects.ts";
import { Entry } from "./entry.ts";
import { type Slots, Stripe } from "./stripe.ts";
import type { StripeSets } from "./stripe_set.ts";
import type { Waiter } from "./waiter.ts";
import { WaiterQueue } from "./waiter_queue.ts";

/** What a line goes by. */
export interface LineRules {
  /** Whether a resource is validated before each reuse. */
  readonly validates: boolean;
  /** Milliseconds after which an idle entry is evicted. */
  readonly idleTimeout: number;
}

/** Counts of a line at one moment. */
export interface LineStats extends Slots {
  pending: number;
  max: number;
}

/**
 * The state machine: waiters in order of arrival, and the stripes that serve
 * them. A verb changes the state in place, at once, and notes the effects it
 * intends, which its caller runs after. Time comes in as an argument and never
 * goes back; no user code, promise or timer is met here.
 */
export class Line<T> {
  readonly stripes: readonly Stripe<T>[];
  readonly max: number;
  /** The stripe that all who wait prefer. */
  readonly #only: Stripe<T> | undefined;
  /** The number of its first stripe. */
  readonly #first: number;
  readonly #rules: LineRules;
  readonly #effects: Effects<T>;
  readonly #sets: StripeSets<Stripe<T>>;
  /*
   * Invariant: while more wait than entries are idle and creates in flight, no
   * slot is spare; while anyone waits, no entry is idle; unless a taker was
   * sent back, and `invalid` is still to come.
   */
  readonly #waiting = new WaiterQueue();
  /** Invariant: how many waiters are with an entry under `validate`. */
  #validating = 0;
  /** Invariant: these are the sums over the stripes. */
  #spare: number;
  #idle = 0;
  #creating = 0;
  #destroying = 0;
  /** The place of the next arrival. */
  #arrivals = 0;
  /** Who came before this place was in line when a use ended. */
  #turned = 0;
  #isClosed = false;
  /** Where a sweep over all stripes is, and the earliest end it has seen. */
  #sweptTo = 0;
  #earliest = Infinity;

  constructor(
    first: number,
    shares: readonly number[],
    rules: LineRules,
    sets: StripeSets<Stripe<T>>,
    effects: Effects<T>,
  ) {
    this.stripes = shares.map((share, i) => new Stripe(first + i, share, sets));
    this.#only = shares.length === 1 ? this.stripes[0] : undefined;
    this.max = this.#spare = shares.reduce((sum, share) => sum + share, 0);
    this.#first = first;
    this.#rules = rules;
    this.#sets = sets;
    this.#effects = effects;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get pending(): number {
    return this.#waiting.length + this.#validating;
  }

  get idle(): number {
    return this.#idle;
  }

  get spare(): number {
    return this.#spare;
  }

  stats(): LineStats {
    const { max } = this;
    const spare = this.#spare;
    const idle = this.#idle;
    const creating = this.#creating;
    const destroying = this.#destroying;
    const used = max - spare - idle - creating - destroying;
    const { pending } = this;
    return { spare, idle, used, creating, destroying, pending, max };
  }

  /** A newcomer's place. */
  arrive(): number {
    return this.#arrivals++;
  }

  /**
   * A newcomer gets the newest idle entry, unless somebody waits; what has
   * expired is evicted on the way.
   */
  take(home: number, now: number): Entry<T> | undefined {
    return this.#waiting.length > 0 ? undefined : this.#take(home, now);
  }

  /** A newcomer joins the line. */
  join(waiter: Waiter): void {
    this.#waiting.push(waiter);
    this.#demand(waiter.home);
  }

  /** The caller validates what it took, for this waiter. */
  judge(waiter: Waiter, entry: Entry<T>): void {
    this.#validating++;
    entry.taker = waiter;
    waiter.at = entry;
  }

  /** A create succeeded: for the head of the line, or idle. */
  created(creation: Creation, resource: T, now: number): void {
    const entry = this.#stripe(creation).born(creation, resource);
    this.#creating--;
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) this.#effects.deliver(waiter, entry);
    else this.release(entry, now);
  }

  /** A create failed: it rejects the head of the line, and no one else. */
  createFailed(creation: Creation, error: unknown): void {
    const stripe = this.#stripe(creation);
    stripe.unborn(creation);
    this.#creating--;
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) this.#effects.reject(waiter, error);
    this.#vacated(stripe);
  }

  /** A used entry is given back: to the head of the line, or idle. */
  release(entry: Entry<T>, now: number): void {
    if (entry.usesLeft <= 0) return this.destroy(entry, entry.reason!);
    if (this.#waiting.length > 0) {
      this.#turned = this.#arrivals;
      return this.#offer(this.#waiting.shift()!, entry);
    }
    this.#idle++;
    this.#stripe(entry).rest(entry, now + this.#rules.idleTimeout);
  }

  /** The verdict on an entry is good; without its taker it is released. */
  valid(entry: Entry<T>, now: number): void {
    const taker = this.#dismiss(entry);
    if (taker !== undefined) this.#effects.deliver(taker, entry);
    else this.release(entry, now);
  }

  /** The verdict is bad: its taker goes back to its place in the line. */
  invalid(entry: Entry<T>, now: number): void {
    this.sendBack(entry);
    this.destroy(entry, "invalid");
    while (this.#waiting.length > 0) {
      const found = this.#take(this.#waiting.first!.home, now);
      if (found === undefined) break;
      this.#offer(this.#waiting.shift()!, found);
    }
    this.#demand(this.#waiting.first?.home ?? -1);
  }

  /** As `invalid`, which is to follow, for the taker alone. */
  sendBack(entry: Entry<T>): void {
    const taker = this.#dismiss(entry);
    if (taker !== undefined) this.#waiting.putBack(taker);
  }

  /** A used entry leaves; its slot is taken until `destroyed`. */
  destroy(entry: Entry<T>, reason: DestroyReason): void {
    this.#turned = this.#arrivals;
    this.#stripe(entry).leave(entry);
    this.#destroying++;
    this.#effects.destroy(entry, reason);
  }

  /** A destroy settled; its slot goes to a waiter that lacks a create. */
  destroyed(entry: Entry<T>): void {
    const stripe = this.#stripe(entry);
    stripe.gone(entry);
    this.#destroying--;
    this.#vacated(stripe);
  }

  /** A waiter leaves with an error; one that has settled does not mind. */
  cancel(waiter: Waiter, error: unknown): void {
    const { at } = waiter;
    if (at === undefined) return;
    if (at instanceof Entry) this.#dismiss(at);
    else this.#waiting.remove(waiter);
    this.#effects.reject(waiter, error);
  }

  /** Whether no use has ended, for anybody, since a waiter joined the line. */
  isStuck({ at, order }: Waiter): boolean {
    return !(at instanceof Entry) && order >= this.#turned;
  }

  /**
   * Evicts, oldest first, what has expired, looking at `limit` stripes and
   * entries at most. Gives the earliest end of those that stay, `Infinity` if
   * none does; `undefined` if it has not seen all, and goes on the next time.
   */
  expire(now: number, limit: number): number | undefined {
    for (let left = limit; this.#sweptTo < this.stripes.length; left--) {
      if (left <= 0) return undefined;
      const { oldest } = this.stripes[this.#sweptTo]!;
      if (oldest !== undefined && oldest.endsAt < now) {
        this.#evict(oldest, "idle");
        continue;
      }
      const endsAt = oldest?.endsAt ?? Infinity;
      this.#earliest = Math.min(this.#earliest, endsAt);
      this.#sweptTo++;
    }
    const earliest = this.#earliest;
    this.#sweptTo = 0;
    this.#earliest = Infinity;
    return earliest;
  }

  /** Evicts all idle entries and retires the others. */
  clear(): void {
    this.#retire("clear");
  }

  /** As `clear`, and every waiter leaves with an error of its own. */
  close(errorOf: (waiter: Waiter) => unknown): void {
    this.#isClosed = true;
    for (const stripe of this.stripes) {
      for (const { taker } of stripe.entries()) {
        if (taker !== undefined) this.cancel(taker, errorOf(taker));
      }
    }
    for (let waiter; (waiter = this.#waiting.first) !== undefined;) {
      this.cancel(waiter, errorOf(waiter));
    }
    this.#retire("close");
    if (this.#spare === this.max) this.#effects.closed();
  }

  /** After `close`: the used entries leave, and their leases end. */
  abandon(): void {
    for (const stripe of this.stripes) {
      for (const entry of stripe.entries()) this.destroy(entry, "close");
    }
  }

  #stripe({ stripe }: { readonly stripe: number }): Stripe<T> {
    return this.#only ?? this.stripes[stripe - this.#first]!;
  }

  #take(home: number, now: number): Entry<T> | undefined {
    for (let stripe; (stripe = this.#withIdle(home)) !== undefined;) {
      const entry = stripe.newest!;
      if (now <= entry.endsAt) {
        this.#idle--;
        stripe.wake(entry);
        return entry;
      }
      // The oldest first, down to this one whatever their stamps.
      while (stripe.oldest !== entry) this.#evict(stripe.oldest!, "idle");
      this.#evict(entry, "idle");
    }
    return undefined;
  }

  #preferred(home: number): Stripe<T> | undefined {
    return this.#only ?? (home < 0 ? undefined : this.stripes[home]);
  }

  #withIdle(home: number): Stripe<T> | undefined {
    const preferred = this.#preferred(home);
    if (preferred?.newest !== undefined) return preferred;
    return this.#only === undefined ? this.#sets.withIdle() : undefined;
  }

  /** A used entry goes to a waiter, validated where asked. */
  #offer(waiter: Waiter, entry: Entry<T>): void {
    if (!this.#rules.validates) return this.#effects.deliver(waiter, entry);
    this.judge(waiter, entry);
    this.#effects.validate(waiter, entry);
  }

  /** The taker of an entry, if still there, no longer waits for the verdict. */
  #dismiss(entry: Entry<unknown>): Waiter | undefined {
    const { taker } = entry;
    if (taker === undefined) return undefined;
    assert(taker.at === entry, "a verdict comes for one who is elsewhere");
    entry.taker = taker.at = undefined;
    this.#validating--;
    return taker;
  }

  /** The demand rule: reserve spare slots while waiters lack a create. */
  #demand(home: number): void {
    while (
      this.#spare > 0 &&
      this.#waiting.length > this.#creating + this.#idle
    ) {
      const preferred = this.#preferred(home);
      const stripe = preferred !== undefined && preferred.spare > 0
        ? preferred
        : this.#sets.withSpare()!;
      this.#spare--;
      this.#creating++;
      this.#effects.create(stripe.reserve());
    }
  }

  #vacated({ id }: Stripe<T>): void {
    this.#spare++;
    this.#demand(id);
    if (this.#isClosed && this.#spare === this.max) this.#effects.closed();
  }

  #evict(entry: Entry<T>, reason: DestroyReason): void {
    this.#idle--;
    this.#stripe(entry).wake(entry);
    this.destroy(entry, reason);
  }

  #retire(reason: DestroyReason): void {
    for (const stripe of this.stripes) {
      while (stripe.oldest !== undefined) this.#evict(stripe.oldest, reason);
      stripe.retire(reason);
    }
  }
}
