import { assert } from "./bug.ts";
import { Creation } from "./creation.ts";
import type { DestroyReason } from "./destroy_reason.ts";
import type { Effects } from "./effects.ts";
import { type Care, Entry } from "./entry.ts";
import type { Gate } from "./gate.ts";
import { Heap } from "./heap.ts";
import type { IdleOrder } from "./idle_order.ts";
import { Precedence } from "./precedence.ts";
import { type Slots, Stripe } from "./stripe.ts";
import type { StripeSets } from "./stripe_set.ts";
import type { Waiter } from "./waiter.ts";

/** After so many uses one in eight tells how long they take; before, each. */
const LEARNT = 64;

/** How many are shed in one go, so that a million do not stop everything. */
const BATCH = 1_024;

/** What a line goes by. */
export interface LineRules {
  /**
   * A resource released or checked this many ms ago is validated before its
   * reuse; `Infinity` for none.
   */
  readonly validateAfter: number;
  /** Milliseconds after which an idle entry is evicted. */
  readonly idleTimeout: number;
  /** How often a resource is used at most. */
  readonly maxUses: number;
  /** Whether the one that is idle longest is taken first. */
  readonly oldestFirst?: boolean;
  /** Makes what says who is to leave when its turn has come, if anybody. */
  readonly shed?: (() => Shed) | undefined;
}

/** Says of the head of a line, when its turn has come, whether it is to leave. */
export interface Shed {
  /**
   * Asked when something can be handed to one who came at `since`. The first of
   * those who are in its line came at `oldest`: it, or one with less priority.
   * All are ms of the pool's clock.
   */
  mustLeave(since: number, oldest: number, now: number): boolean;
  /** In how many ms one who had to leave may come again. */
  readonly retryAfter: number;
}

/** Counts of a line at one moment. */
export interface LineStats extends Slots {
  pending: number;
  waiting: number;
  validating: number;
  max: number;
}

/**
 * The state machine: waiters in order of arrival, and the stripes that serve
 * them. A verb changes the state in place, at once, and notes the effects it
 * intends, which its caller runs after. Time comes in as an argument and never
 * goes back; no user code, promise or timer is met here.
 */
export class Line<T> {
  /*
   * Invariant: while creates are wanted, allowed and let in by the gate, no slot
   * is spare; while anyone waits, no entry is idle; unless a taker was sent
   * back, and `invalid` is still to come.
   */
  readonly #waiting = new Precedence();
  /** How many pauses last. */
  #pauses = 0;
  /** The stripe that all who wait prefer. */
  readonly #only: Stripe<T> | undefined;
  readonly #rules: LineRules;
  // Of the rules, what each release reads.
  readonly #idleTimeout: number;
  /** What is idle, where the one that is so longest is taken first. */
  readonly #order: IdleOrder<T> | undefined;
  #idle = 0;
  /**
   * Invariant: nothing is paused, owed, yielded or shed: what is given back goes
   * to the first who waits, or idle.
   */
  #isCalm: boolean;
  /** Invariant: how many waiters are with an entry under `validate`. */
  #validating = 0;
  /** Invariant: how many of its entries have this care. */
  readonly #tended = { validate: 0, reset: 0 };
  /** The use that had begun first when it was looked for, and when it began. */
  #longest: Entry<T> | undefined = undefined;
  #longestSince = Infinity;
  /** How many uses have ended, begun anew now and then; which are not sampled. */
  #uses = 0;
  #unsampled = 0;
  readonly stripes: readonly Stripe<T>[];
  max: number;
  /** The number of its first stripe. */
  readonly #first: number;
  readonly #effects: Effects<T>;
  readonly #sets: StripeSets<Stripe<T>>;
  /** Limits the creates in flight of all lines of the pool. */
  readonly #gate: Gate;
  readonly shed: Shed | undefined;
  /** How many creates its waiters are owed. Invariant: never more than wait. */
  #owed = 0;
  /** How many resources it keeps. */
  #stock = 0;
  /** How many creates may be in flight. */
  #allowance = Infinity;
  /** Invariant: how many creates in flight are not counted on. */
  #overdue = 0;
  /** Invariant: the sum over the stripes that have some to spare. */
  #spare: number;
  /** Invariant: these are the sums over the stripes. */
  #existing = 0;
  #creating = 0;
  #destroying = 0;
  /** The place of the next arrival. */
  #arrivals = 0;
  /** Who came before this place was in line when a use ended. */
  #turned = 0;
  #isClosed = false;
  /** When the last one ended; `Infinity` in a pause. */
  resumedAt = -Infinity;
  /** Whether a stripe owes slots. */
  #owes = false;
  /** How many resources it may have, those that come and go included. */
  #permits = Infinity;
  /** Something released goes, unless who waits here came before this time. */
  #yieldsTo = Infinity;
  /** How many have gone for that. */
  yielded = 0;
  /**
   * The usual time of a use, in ms; `Infinity` while none has ended. A moving
   * average that falls faster than it rises, as the first uses take longer.
   */
  useTime = Infinity;
  /** Invariant: the entries whose life ends, until they are told. */
  readonly #lives = new Heap<Entry<T>>();
  /** Where a sweep over all stripes is, and the earliest end it has seen. */
  #sweptTo = 0;
  #earliest = Infinity;

  constructor(
    first: number,
    shares: readonly number[],
    rules: LineRules,
    sets: StripeSets<Stripe<T>>,
    gate: Gate,
    effects: Effects<T>,
    order?: IdleOrder<T>,
  ) {
    this.stripes = shares.map((share, i) => new Stripe(first + i, share, sets));
    this.#only = shares.length === 1 ? this.stripes[0] : undefined;
    this.max = this.#spare = shares.reduce((sum, share) => sum + share, 0);
    this.#first = first;
    this.#rules = rules;
    this.#order = order;
    this.#idleTimeout = rules.idleTimeout;
    this.shed = rules.shed?.();
    this.#isCalm = this.shed === undefined;
    this.#sets = sets;
    this.#gate = gate;
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

  /** How many resources there are, idle or used. */
  get existing(): number {
    return this.#existing;
  }

  get used(): number {
    return this.existing - this.#idle;
  }

  get creating(): number {
    return this.#creating;
  }

  /** Creates in flight that are counted on. */
  get coming(): number {
    return this.#creating - this.#overdue;
  }

  get overdue(): number {
    return this.#overdue;
  }

  /** The place of the next arrival: whose is below it came before. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** How many creates its waiters are owed. */
  get owed(): number {
    return this.#owed;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Whether a waiter that is owed a create could have one begun. */
  get canCreate(): boolean {
    return this.#spare > 0 && this.#pauses === 0 &&
      this.#creating < this.#allowance &&
      this.#gate.places > 0;
  }

  /**
   * How many of the first `limit` wait since `time` or longer, and since when
   * the next one of them does.
   */
  waitingSince(time: number, limit: number): { count: number; next: number } {
    return this.#waiting.since(time, limit);
  }

  /** Since when those wait who came first, `limit` at most. */
  waitingFrom(limit: number): number[] {
    return this.#waiting.arrivals(limit).slice(0, limit);
  }

  /** Since when no use has ended, if the first waits as long; else `undefined`. */
  get stuckSince(): number | undefined {
    const { first } = this.#waiting;
    return first !== undefined && this.isStuck(first) ? first.since : undefined;
  }

  /** How many of the used are validated, and reset, while nobody holds them. */
  get checking(): number {
    return this.#tended.validate;
  }

  get resetting(): number {
    return this.#tended.reset;
  }

  /** When the longest uses began, `limit` at most. */
  usedFrom(limit: number): number[] {
    const began: number[] = [];
    for (const stripe of this.stripes) {
      for (const entry of stripe.entries()) {
        if (entry.isHeld) began.push(entry.usedAt);
      }
    }
    return began.sort((a, b) => a - b).slice(0, limit);
  }

  /** When the longest use began; `Infinity` where nothing is held. */
  oldestUse(): number {
    if (this.used === this.checking + this.resetting) return Infinity;
    const longest = this.#longest;
    // Others began later: until that use ends there is no need to look again.
    if (!longest?.isHeld || longest.usedAt !== this.#longestSince) this.#seek();
    return this.#longestSince;
  }

  stats(): LineStats {
    const { max } = this;
    const idle = this.#idle;
    const creating = this.#creating;
    const destroying = this.#destroying;
    const { used, pending } = this;
    const spare = max - idle - used - creating - destroying;
    const waiting = Math.max(0, this.waiting - this.coming);
    const validating = this.#validating;
    return {
      ...{ spare, idle, used, creating, destroying },
      ...{ pending, waiting, validating, max },
    };
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
    const isHeld = this.#waiting.length > 0 || this.#pauses > 0;
    return isHeld ? undefined : this.#take(home, now);
  }

  /** Whether what is taken or offered is to be validated. */
  isSuspect(entry: Entry<T>, now: number): boolean {
    const { validateAfter } = this.#rules;
    return validateAfter !== Infinity && now - entry.trustedAt >= validateAfter;
  }

  /** Whether it is not to be used again. */
  isWorn(entry: Entry<T>, now: number): boolean {
    return entry.uses >= entry.maxUses || now > entry.diesAt;
  }

  /** The idle entry that was released or checked first; none in a pause. */
  leastChecked(): Entry<T> | undefined {
    if (this.#pauses > 0) return undefined;
    let least: Entry<T> | undefined = undefined;
    let earliest = Infinity;
    for (const stripe of this.stripes) {
      let entry = stripe.oldest;
      for (; entry !== undefined; entry = entry.newer) {
        const time = entry.trustedAt;
        if (time >= earliest) continue;
        earliest = time;
        least = entry;
      }
    }
    return least;
  }

  /** A newcomer joins the line, and is owed so many creates more. */
  join(waiter: Waiter, owes: number): void {
    this.#waiting.push(waiter);
    this.#owed += owes;
    this.#demand(waiter.home, waiter.since);
  }

  /** Its waiters are owed so many creates at least. */
  owe(creates: number): void {
    this.#owed = Math.max(this.#owed, creates);
    this.#settleDebt();
    this.resume();
  }

  /** So many creates may be in flight. */
  allow(creates: number): void {
    this.#allowance = creates;
    this.resume();
  }

  /** So many resources are to exist. */
  stock(resources: number): void {
    this.#stock = resources;
    this.#yieldIdle();
    this.resume();
  }

  /** A create in flight is not counted on any more. */
  giveUpOn(creation: Creation): void {
    if (creation.isOverdue) return;
    creation.isOverdue = true;
    this.#overdue++;
    this.resume();
  }

  /** So many resources it may have, those that come and go included. */
  permit(resources: number): void {
    this.#permits = resources;
    this.resume();
  }

  /** How many resources there are, those that come and go included. */
  get occupied(): number {
    return this.#existing + this.#creating + this.#destroying;
  }

  /** How many creates are held back for want of a permit alone. */
  get lacking(): number {
    if (this.#pauses > 0) return 0;
    const lacking = Math.min(
      this.#spare,
      this.#allowance - this.#creating,
      this.#gate.places,
      (this.#isShort ? this.#owed - this.#idle : this.#wanted) - this.coming,
    );
    const unused = Math.max(0, this.#permits - this.occupied);
    return Math.max(0, lacking - unused);
  }

  /** Since when one waits whom nothing comes for; `Infinity` if nobody does. */
  get lacksSince(): number {
    return this.#isShort ? this.#waiting.sinceAt(this.coming) : Infinity;
  }

  /** Whether a create is wanted for somebody, and not for the stock alone. */
  get #isShort(): boolean {
    return this.#owed - this.#idle > this.coming;
  }

  /** What has been idle longest, if there is more than is kept. */
  get #surplus(): Entry<T> | undefined {
    if (this.#existing <= this.#stock) return undefined;
    let longest: Entry<T> | undefined;
    for (const { oldest } of this.stripes) {
      const since = longest?.releasedAt ?? Infinity;
      if (oldest !== undefined && oldest.releasedAt < since) longest = oldest;
    }
    return longest;
  }

  /** Since when that has been idle, or `Infinity`. */
  get idleSince(): number {
    return this.#surplus?.releasedAt ?? Infinity;
  }

  /** It leaves. */
  letGo(): void {
    this.#evict(this.#surplus!, "budget");
  }

  /**
   * Something released goes, and what ends is not replaced, unless who waits here
   * came before `time`. For one who came before all, nothing is created either.
   */
  yieldTo(time: number): void {
    this.#yieldsTo = time;
    this.#calm();
  }

  /** The demand rule, looked at again. */
  resume(): void {
    this.#demand(this.#waiting.first?.home ?? -1);
  }

  /** The caller validates what it took, for this waiter. */
  judge(waiter: Waiter, entry: Entry<T>): void {
    this.#validating++;
    entry.taker = waiter;
    waiter.at = entry;
  }

  /** This, or nothing any more, is done to what is used and nobody holds. */
  tend(entry: Entry<T>, care?: Care): void {
    if (entry.care !== undefined) this.#tended[entry.care]--;
    entry.care = care;
    if (care !== undefined) this.#tended[care]++;
  }

  /** A create succeeded: for the head of the line, or idle. */
  created(
    creation: Creation,
    resource: T,
    now: number,
    diesAt: number,
  ): Entry<T> {
    const { maxUses } = this.#rules;
    const { stripe } = creation;
    const entry = new Entry(resource, stripe, now, maxUses, diesAt);
    this.#stripe(creation).born(creation, entry);
    this.#existing++;
    if (diesAt !== Infinity) entry.life = this.#lives.add(diesAt, entry);
    this.#ended(creation);
    const owed = this.#owed;
    const waiter = creation.isLost ? undefined : this.#next(now);
    if (creation.isLost) this.destroy(entry, "lost");
    else if (waiter === undefined) this.#settle(entry, now);
    else {
      this.#owed = Math.min(this.#owed, Math.max(owed - 1, 0));
      this.#deliver(waiter, entry, now);
    }
    this.resume();
    this.#gate.leave();
    return entry;
  }

  /** A create failed; where asked, with it the first who came before it began. */
  createFailed(creation: Creation, error: unknown, isTold: boolean): void {
    const stripe = this.#stripe(creation);
    stripe.unborn(creation);
    this.#ended(creation);
    if (isTold) this.rejectFirst(creation.order, error);
    this.#vacated(stripe);
    this.#gate.leave();
  }

  /** The first leaves with an error, if it came before this place. */
  rejectFirst(order: number, error: unknown): void {
    const first = this.#waiting.firstBefore(order);
    if (first !== undefined) this.cancel(first, error);
  }

  /** All who came before this place leave with an error. */
  reject(order: number, error: unknown): void {
    for (
      let waiter;
      (waiter = this.#waiting.firstBefore(order)) !== undefined;
    ) {
      this.cancel(waiter, error);
    }
  }

  /** A used entry is given back: to the head of the line, or idle. */
  release(entry: Entry<T>, now: number): void {
    entry.releasedAt = now;
    if ((++this.#uses & this.#unsampled) === 0) this.#sample(entry);
    // What happens most is looked at first, and in as few steps as can be.
    const isSound = this.#isCalm && now <= entry.diesAt &&
      entry.uses < entry.maxUses;
    const waiting = this.#waiting.length;
    if (isSound && waiting === 0 && this.#validating === 0) {
      return this.#rest(entry, false);
    }
    this.#turned = this.#arrivals;
    if (isSound && waiting > 0) this.#offer(this.#shift()!, entry, now);
    else this.#settle(entry, now);
  }

  /** The verdict on an entry is good; without its taker it is released. */
  valid(entry: Entry<T>, now: number): void {
    this.tend(entry);
    const taker = this.#dismiss(entry);
    if (taker !== undefined) return this.#deliver(taker, entry, now);
    entry.releasedAt = now;
    this.#settle(entry, now);
  }

  /** The verdict is bad: its taker goes back to its place in the line. */
  invalid(entry: Entry<T>, now: number, reason: DestroyReason): void {
    this.sendBack(entry);
    this.destroy(entry, entry.isLost ? "lost" : reason);
    this.#serve(now);
  }

  /** As `invalid`, which is to follow, for the taker alone. */
  sendBack(entry: Entry<T>): void {
    const taker = this.#dismiss(entry);
    if (taker !== undefined) this.#waiting.putBack(taker);
  }

  /** As a bad verdict on what was to be handed to a waiter. */
  handBack(waiter: Waiter, entry: Entry<T>, now: number): void {
    this.#waiting.putBack(waiter);
    this.destroy(entry, entry.reason);
    this.#serve(now);
  }

  /** Its taker has left before it was validated: it is as it was. */
  pass(entry: Entry<T>, now: number): void {
    this.#settle(entry, now, true);
  }

  /** An idle entry is used for a check in the background. */
  inspect(entry: Entry<T>): void {
    this.#wake(entry);
  }

  /** The check found it good: for the head of the line, or idle as before. */
  inspected(entry: Entry<T>, now: number): void {
    this.tend(entry);
    entry.checkedAt = now;
    if (this.#leaves(entry, now)) return;
    const waiter = this.#next(now);
    if (waiter !== undefined) this.#deliver(waiter, entry, now);
    else this.#settle(entry, now, true);
  }

  /** An idle entry leaves now, a used one when it is released. */
  retire(entry: Entry<T>, reason: DestroyReason): void {
    if (entry.place === "idle") this.#evict(entry, reason);
    else entry.retire(reason);
  }

  /** A resource has ended: as `retire`, and for its taker a bad verdict. */
  lost(entry: Entry<T>, now: number): void {
    entry.isLost = true;
    if (entry.taker !== undefined) this.invalid(entry, now, "lost");
    else this.retire(entry, "lost");
  }

  /**
   * One idle since `time` did not answer: neither will those that have been so
   * for as long.
   */
  distrust(time: number, now: number, reason: DestroyReason): void {
    const suspects: Entry<T>[] = [];
    for (const stripe of this.stripes) {
      for (const entry of stripe.entries()) {
        const isOut = entry.place === "used" && entry.taker === undefined;
        if (!isOut && entry.releasedAt <= time) suspects.push(entry);
      }
    }
    for (const entry of suspects) {
      if (entry.place === "idle") this.#evict(entry, reason);
      else {
        this.sendBack(entry);
        this.destroy(entry, reason);
      }
    }
    this.#serve(now);
  }

  /**
   * A used entry leaves; its slot is taken until `destroyed`. One who waits is
   * owed another.
   */
  destroy(entry: Entry<T>, reason: DestroyReason): void {
    this.#turned = this.#arrivals;
    this.#forget(entry);
    this.tend(entry);
    this.#stripe(entry).leave(entry);
    this.#existing--;
    this.#destroying++;
    this.#effects.destroy(entry, reason);
    this.owe(this.#owed + 1);
    this.#quieten();
  }

  /** A used entry leaves for good, its resource kept by its holder. */
  detach(entry: Entry<T>): void {
    const stripe = this.#stripe(entry);
    this.#turned = this.#arrivals;
    this.#forget(entry);
    stripe.part(entry);
    this.#existing--;
    this.#vacated(stripe);
    this.owe(this.#owed + 1);
    this.#quieten();
  }

  /** The life of an entry ends at this time, if it does not do so earlier. */
  shorten(entry: Entry<T>, diesAt: number, fate: DestroyReason): void {
    if (diesAt >= entry.diesAt) return;
    this.#forget(entry);
    entry.diesAt = diesAt;
    entry.endsAt = Math.min(entry.endsAt, diesAt);
    entry.fate = fate;
    entry.life = this.#lives.add(diesAt, entry);
  }

  /** Its stripes have so many slots from now on. */
  resize(shares: readonly number[]): void {
    this.max = this.#spare = 0;
    this.stripes.forEach((stripe, i) => {
      stripe.resize(shares[i]! - stripe.max);
      this.max += stripe.max;
      this.#spare += Math.max(0, stripe.spare);
    });
    this.#owes = this.stripes.some(({ spare }) => spare < 0);
    this.#calm();
    for (const stripe of this.stripes) {
      while (stripe.owes && stripe.oldest !== undefined) {
        this.#evict(stripe.oldest, "resize");
      }
    }
    this.resume();
  }

  /** Nothing is handed out or created; `paused` follows when nothing is used. */
  pause(): void {
    this.#pauses++;
    this.#calm();
    this.resumedAt = Infinity;
    this.#quieten();
  }

  /** One pause less: after the last, what is idle goes to those who wait. */
  unpause(now: number): void {
    if (this.#pauses === 0 || --this.#pauses > 0) return;
    this.#calm();
    this.resumedAt = now;
    this.#serve(now);
    this.#yieldIdle();
  }

  /** A destroy settled; its slot can be created for. */
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
    else {
      this.#waiting.remove(waiter);
      this.#settleDebt();
      // In a pause something idle may have been kept for it.
      if (this.#pauses > 0) this.#yieldIdle();
    }
    this.#effects.reject(waiter, error);
  }

  /** A use has ended; what was used is given back later. */
  useEnded(): void {
    this.#turned = this.#arrivals;
  }

  /** Whether no use has ended, for anybody, since a waiter joined the line. */
  isStuck({ order }: Waiter): boolean {
    return order >= this.#turned;
  }

  /**
   * Evicts, oldest first, what has expired, and retires what is too old, looking
   * at `limit` stripes and entries at most. Gives the earliest end of those that
   * stay, `Infinity` if none does; `undefined` if it has not seen all, and goes
   * on the next time.
   */
  expire(now: number, limit: number): number | undefined {
    let left = limit;
    for (let first; (first = this.#lives.first) !== undefined; left--) {
      if (first.diesAt >= now) break;
      if (left <= 0) return undefined;
      this.retire(first, first.fate);
      this.#forget(first);
    }
    for (; this.#sweptTo < this.stripes.length; left--) {
      if (left <= 0) return undefined;
      const { oldest } = this.stripes[this.#sweptTo]!;
      if (oldest !== undefined && this.#ending(oldest, now) !== undefined) {
        this.#evict(oldest, "idle");
        continue;
      }
      // One that is kept although its end has passed has none.
      const endsAt = oldest?.endsAt ?? Infinity;
      if (endsAt >= now) this.#earliest = Math.min(this.#earliest, endsAt);
      this.#sweptTo++;
    }
    const earliest = this.#earliest;
    this.#sweptTo = 0;
    this.#earliest = Infinity;
    return Math.min(earliest, this.#lives.first?.diesAt ?? Infinity);
  }

  /** Evicts all idle entries and retires the others. */
  clear(): void {
    this.#retire("clear");
  }

  /** As `clear`, and every waiter leaves with an error of its own. */
  close(errorOf: (waiter: Waiter) => unknown): void {
    this.#isClosed = true;
    this.#stock = this.#pauses = 0;
    this.#calm();
    for (const stripe of this.stripes) {
      for (const { taker } of stripe.entries()) {
        if (taker !== undefined) this.cancel(taker, errorOf(taker));
      }
    }
    for (let waiter; (waiter = this.#waiting.first) !== undefined;) {
      this.cancel(waiter, errorOf(waiter));
    }
    this.#retire("close");
    if (this.#isEmpty) this.#effects.closed();
  }

  /** After `close`: the used entries leave, and their leases end. */
  abandon(): void {
    for (const stripe of this.stripes) {
      for (const entry of stripe.entries()) this.destroy(entry, "close");
    }
  }

  /** Learns from a use that has ended how long one takes. */
  #sample({ usedAt, releasedAt }: Entry<T>): void {
    const took = releasedAt - usedAt;
    const usual = this.useTime;
    this.useTime = usual === Infinity
      ? took
      : usual + (took - usual) * (took < usual ? 0.5 : 0.125);
    if (this.#uses < LEARNT) return;
    this.#uses = 0;
    this.#unsampled = 7;
  }

  #stripe({ stripe }: { readonly stripe: number }): Stripe<T> {
    return this.#only ?? this.stripes[stripe - this.#first]!;
  }

  #take(home: number, now: number): Entry<T> | undefined {
    for (let stripe; (stripe = this.#withIdle(home)) !== undefined;) {
      const entry = this.#order === undefined ? stripe.newest! : stripe.oldest!;
      if (now > entry.endsAt && this.#evictEnded(stripe, entry, now)) continue;
      this.#wake(entry);
      entry.usedAt = now;
      return entry;
    }
    return undefined;
  }

  /** Whether an idle entry is not kept: the oldest are evicted, down to it. */
  #evictEnded(stripe: Stripe<T>, entry: Entry<T>, now: number): boolean {
    const reason = this.#ending(entry, now);
    if (reason === undefined) return false;
    this.#evict(reason === "idle" ? stripe.oldest! : entry, reason);
    return true;
  }

  /** Why an idle entry is not kept; the stock is, but for the end of a life. */
  #ending(entry: Entry<T>, now: number): DestroyReason | undefined {
    if (now > entry.diesAt) return entry.fate;
    const isKept = now <= entry.endsAt || this.existing <= this.#stock;
    return isKept ? undefined : "idle";
  }

  #preferred(home: number): Stripe<T> | undefined {
    return this.#only ?? (home < 0 ? undefined : this.stripes[home]);
  }

  #withIdle(home: number): Stripe<T> | undefined {
    const preferred = this.#preferred(home);
    if (preferred?.newest !== undefined) return preferred;
    if (this.#only !== undefined) return undefined;
    if (this.#order === undefined) return this.#sets.withIdle();
    const { first } = this.#order;
    return first && this.#stripe(first);
  }

  /** Idle to used. */
  #wake(entry: Entry<T>): void {
    this.#idle--;
    this.#order?.remove(entry);
    this.#stripe(entry).wake(entry);
  }

  /** A used entry goes to the head of the line, to idle, or has had its use. */
  #settle(entry: Entry<T>, now: number, isBack = false): void {
    if (this.#leaves(entry, now)) return;
    const waiter = this.#next(now);
    if (waiter !== undefined) return this.#offer(waiter, entry, now);
    // A judge of someone's own making may have called the pool.
    if (this.shed !== undefined && this.#leaves(entry, now)) return;
    this.#rest(entry, isBack);
    this.#quieten();
  }

  /** Whether a used entry cannot be used again: then it leaves. */
  #leaves(entry: Entry<T>, now: number): boolean {
    if (entry.place !== "used") return true;
    if (this.isWorn(entry, now)) {
      const isUsedUp = entry.uses >= entry.maxUses;
      this.destroy(entry, isUsedUp ? entry.reason : entry.fate);
      return true;
    }
    if (this.#owes && this.#stripe(entry).owes) {
      this.destroy(entry, "resize");
      return true;
    }
    if (this.#yieldsTo === Infinity || !this.#yields) return false;
    this.#yield();
    this.destroy(entry, "budget");
    return true;
  }

  /** What goes now is enough until `yieldTo` is called again. */
  #yield(): void {
    this.#yieldsTo = Infinity;
    this.#calm();
    this.yielded++;
    this.#permits--;
  }

  /** As what is released, once nobody here came before, or less is kept. */
  #yieldIdle(): void {
    if (!this.#yields || this.#surplus === undefined) return;
    this.#yield();
    this.letGo();
  }

  #rest(entry: Entry<T>, isBack: boolean): void {
    const stripe = this.#stripe(entry);
    const idleEnd = entry.releasedAt + this.#idleTimeout;
    entry.endsAt = idleEnd < entry.diesAt ? idleEnd : entry.diesAt;
    this.#idle++;
    this.#order?.add(entry);
    if (isBack) stripe.restAgain(entry);
    else stripe.rest(entry);
  }

  /** A used entry goes to a waiter, validated where asked. */
  #offer(waiter: Waiter, entry: Entry<T>, now: number): void {
    if (entry.place !== "used" || !this.isSuspect(entry, now)) {
      return this.#deliver(waiter, entry, now);
    }
    this.judge(waiter, entry);
    this.#effects.validate(waiter, entry);
  }

  #deliver(waiter: Waiter, entry: Entry<T>, now: number): void {
    entry.usedAt = now;
    this.#effects.deliver(waiter, entry);
  }

  get #yields(): boolean {
    const since = this.#waiting.oldest;
    return this.#yieldsTo < since && this.#existing > this.#stock;
  }

  /** Whose turn it is, if anybody's. */
  #next(now: number): Waiter | undefined {
    if (this.#waiting.length === 0 || this.#pauses > 0) return undefined;
    const { shed } = this;
    return shed === undefined ? this.#shift() : this.#shiftServed(shed, now);
  }

  #shift(): Waiter | undefined {
    const waiter = this.#waiting.shift();
    this.#settleDebt();
    return waiter;
  }

  /** As `#shift`; those who have waited too long leave. */
  #shiftServed(shed: Shed, now: number): Waiter | undefined {
    let waiter = this.#shift();
    for (let left = BATCH; waiter !== undefined && left > 0; left--) {
      const { since } = waiter;
      const oldest = Math.min(since, this.#waiting.oldest);
      if (!shed.mustLeave(since, oldest, now)) break;
      this.#effects.shed(waiter);
      waiter = this.#shift();
    }
    return waiter;
  }

  /** Tells, in a pause, that nothing is used any more. */
  #quieten(): void {
    if (this.#pauses > 0 && this.used === 0) this.#effects.paused();
  }

  #settleDebt(): void {
    if (this.#owed > this.#waiting.length) this.#owed = this.#waiting.length;
  }

  /** What is idle goes to those who wait. */
  #serve(now: number): void {
    while (this.#idle > 0) {
      const waiter = this.#next(now);
      if (waiter === undefined) break;
      const found = this.#take(waiter.home, now);
      if (found !== undefined) this.#offer(waiter, found, now);
      else {
        this.#waiting.putBack(waiter);
        this.owe(this.#owed + 1);
      }
    }
    this.resume();
  }

  #seek(): void {
    this.#longest = undefined;
    this.#longestSince = Infinity;
    for (const stripe of this.stripes) {
      for (const entry of stripe.entries()) {
        if (!entry.isHeld || entry.usedAt >= this.#longestSince) continue;
        this.#longest = entry;
        this.#longestSince = entry.usedAt;
      }
    }
  }

  /** Its life is no longer watched. */
  #forget(entry: Entry<T>): void {
    if (entry === this.#longest) this.#longest = undefined;
    if (entry.life !== undefined) this.#lives.remove(entry.life);
    entry.life = undefined;
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

  /**
   * The demand rule: while fewer creates are coming than its waiters are owed or
   * the stock lacks, and fewer are in flight than may be, reserve a spare slot.
   */
  #demand(home: number, since?: number): void {
    while (
      this.#spare > 0 &&
      this.#pauses === 0 &&
      this.#yieldsTo > -Infinity &&
      this.occupied < this.#permits &&
      this.#creating < this.#allowance &&
      this.coming < this.#wanted &&
      this.#gate.enter(this)
    ) {
      const preferred = this.#preferred(home);
      const stripe = preferred !== undefined && preferred.spare > 0
        ? preferred
        : this.#sets.withSpare()!;
      const creation = new Creation(stripe.id, this.#arrivals, since);
      this.#spare--;
      this.#creating++;
      stripe.reserve(creation);
      this.#effects.create(creation);
    }
  }

  get #wanted(): number {
    const lacking = this.#stock - this.existing;
    return Math.max(this.#owed - this.#idle, lacking);
  }

  #ended(creation: Creation): void {
    this.#creating--;
    if (creation.isOverdue) this.#overdue--;
  }

  #vacated({ id, spare }: Stripe<T>): void {
    if (spare > 0) this.#spare++;
    else {
      this.#owes = this.stripes.some(({ spare }) => spare < 0);
      this.#calm();
    }
    const isKept = this.#existing < this.#stock;
    // Its permit is for one elsewhere who came before all here.
    if (this.#yieldsTo < this.#waiting.oldest && !isKept) this.#permits--;
    this.#demand(id);
    if (this.#isClosed && this.#isEmpty) this.#effects.closed();
  }

  #calm(): void {
    this.#isCalm = this.#pauses === 0 && !this.#owes &&
      this.#yieldsTo === Infinity && this.shed === undefined;
  }

  get #isEmpty(): boolean {
    return this.occupied === 0;
  }

  #evict(entry: Entry<T>, reason: DestroyReason): void {
    this.#wake(entry);
    this.destroy(entry, reason);
  }

  #retire(reason: DestroyReason): void {
    // First, as what is evicted may cause creates that are not meant.
    for (const stripe of this.stripes) stripe.retire(reason);
    for (const stripe of this.stripes) {
      while (stripe.oldest !== undefined) this.#evict(stripe.oldest, reason);
    }
  }
}
