import {
  AcquireTimeoutError,
  type DestroyReason,
  type Lease,
  PoolClosedError,
  PoolFullError,
  PoolOverloadedError,
  type PoolStats,
} from "../../mod.ts";
import { Capacity } from "./capacity.ts";
import { CloseWatch } from "./close_watch.ts";
import { CreateBooks } from "./create_books.ts";
import { type CreateCall, type LineWatch, ROUNDING } from "./line_watch.ts";
import { PauseWatch } from "./pause_watch.ts";
import type { Config } from "./scenario.ts";
import type { Moment, SeenClock } from "./seen_clock.ts";
import type { Fault, Tally } from "./tally.ts";

/** A resource as the server sees it. */
export interface Resource {
  readonly id: number;
  /** Where it lives. */
  readonly stripe: number;
  /** Whether the pool may have given up its create before. */
  readonly isLate: boolean;
  /** What made it. */
  readonly call: CreateCall;
  readonly bornAt: Moment;
  readonly bornIn: number;
  dead: boolean;
  holder: Claim | undefined;
  /** How many leases it had. */
  uses: number;
  destroyCalls: number;
  /** Whether its holder has taken it out of the pool. */
  isDetached: boolean;
  /** Since when it is to be evicted, and within which time, by all who asked. */
  readonly evictions: Set<Eviction>;
  /** How many evictions have asked of it as it was there. */
  asked: number;
  /** The epoch in which `lost` was called for it. */
  lostIn: number | undefined;
  /** Whether its holder, or a failed reset, has it destroyed. */
  isDoomed: boolean;
  /** Whether its user threw, if it is to be reset before anybody gets it. */
  resetAfter: { readonly failed: boolean } | undefined;
  /** The most its age as an idle resource can have been when it was destroyed. */
  lastAge: number;
  /** When it was last released or checked, and in which epoch. */
  checkedAt: Moment;
  /** When it was last given up by a holder or a verdict, and in which epoch. */
  idleSince: Moment;
  idleEpoch: number;
  /** The same if no check in the background counts. */
  idleBefore: Moment;
  /** The epoch in which it was last found good, if nobody had it since. */
  approvedIn: number | undefined;
}

/** What an eviction has decided on. */
export interface Eviction {
  readonly since: Moment;
  readonly epoch: number;
  readonly within: number;
}

/** How much earlier, in ms, each step of priority counts as. */
const HEAD_START = 1_000;
const NEVER = { least: Infinity, most: Infinity };

/** How a lease ended: its user threw, or has the resource destroyed. */
export type Parting = "release" | "failed" | "destroy";

/** An acquire as its caller sees it. */
export interface Claim {
  readonly id: number;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly priority: number;
  readonly since: Moment;
  /** The number of its line; -1 where only the pool knows. */
  readonly line: number;
  /** Whether the pool was closed when it came. */
  readonly closed: boolean;
  /** How many others were pending when it came. */
  readonly ahead: number;
  /** Whether its signal was aborted when it came. */
  readonly aborted: boolean;
  readonly order: number;
  readonly epoch: number;
  state: "pending" | "held" | "ended" | "refused";
  resource: Resource | undefined;
  lease: Lease<Resource> | undefined;
  /** What found its resource good in the epoch in which it got it. */
  approval: Call | undefined;
}

/** A call of `validate`, `reset` or `destroy` that has not answered. */
export interface Call {
  readonly resource: Resource;
  readonly signal: AbortSignal | undefined;
  readonly since: Moment;
  /** Milliseconds after which the pool stops waiting for it. */
  readonly limit: number;
  /** The same at most, where it is not known. */
  readonly mostLimit: number;
  /** Whether it is a destroy for which nobody waits. */
  readonly late: boolean;
  readonly epoch: number;
  /** How many had been refused before. */
  readonly refusals: number;
  /** For a validate: how many may have been elsewhere when its epoch ended. */
  elsewhere: number;
}

/** A call of `warm`. */
export interface Warming {
  readonly n: number;
  readonly signal: AbortSignal | undefined;
  readonly since: Moment;
  readonly epoch: number;
  readonly closed: boolean;
}

/**
 * The books of the world around the pool: who holds what, what the server has,
 * which callbacks are out. It knows only what callers and callbacks see, and
 * compares that with the rules S1 to S10 and with `stats()`. A moment in which
 * all promises have settled ends an epoch; only then must the two be equal.
 */
export class Ledger {
  /** The first rule found broken. */
  violation: string | undefined = undefined;
  epoch = 0;
  /** Made, and not destroyed. */
  readonly live: Set<Resource> = new Set();
  /** In order of arrival. */
  readonly pending: Set<Claim> = new Set();
  readonly held: Set<Claim> = new Set();
  readonly destroys: Set<Call> = new Set();
  readonly validations: Set<Call> = new Set();
  readonly resets: Set<Call> = new Set();
  readonly warmings: Set<Warming> = new Set();
  clears = 0;
  /** The epoch of the last clear. */
  clearedIn = -1;
  /** Whether the runtime stood still: how long creates took is unsure then. */
  hasFrozen = false;
  readonly closing: CloseWatch = new CloseWatch();
  readonly capacity: Capacity;
  readonly pauses: PauseWatch = new PauseWatch();
  /** When the last pause ended. */
  resumedAt: Moment;
  /** How many evictions were spread over time. */
  spreads = 0;
  /** How many judges had one leave, and how many were told so. */
  sheds = 0;
  #shed = 0;
  readonly creates: CreateBooks;
  readonly #config: Config;
  readonly #clock: SeenClock;
  readonly #tally: Tally;
  /** What the clock threw. */
  readonly clockErrors: Set<unknown> = new Set();
  #misreadAt: Moment | undefined = undefined;
  /** Claims served in this epoch. */
  #served: Claim[] = [];
  /** Claims rejected in this epoch by a failed create. */
  #rejected: Claim[] = [];
  /** Verdicts given in this epoch. */
  #verdicts = 0;
  /** By resource, the call that found it good in this epoch. */
  readonly #approved: Map<Resource, Call> = new Map();
  /** Calls of `lost` in this epoch, and the lines in which one was idle. */
  #losses = 0;
  readonly #idleLosses: Set<LineWatch> = new Set();
  /** The most that were pending in this epoch, and that `warm` waited for. */
  #pending = 0;
  #warmed = 0;
  /** Those that may have become overdue in this epoch. */
  #overdue = 0;
  /** By line, how many were evicted as idle in this epoch, and otherwise. */
  readonly #evicted: Map<LineWatch, { idle: number; others: number }> =
    new Map();
  #made = 0;
  #arrivals = 0;
  #refusals = 0;

  constructor(config: Config, clock: SeenClock, tally: Tally) {
    this.#config = config;
    this.#clock = clock;
    this.#tally = tally;
    this.capacity = new Capacity(config.max, config.stripes);
    this.resumedAt = clock.moment;
    this.creates = new CreateBooks(
      config,
      clock,
      this.closing,
      this.clockErrors,
      (rule) => this.fail(rule),
    );
  }

  /** Notes the first violation; the others may follow from it. */
  fail(rule: string): void {
    this.violation ??= rule;
  }

  /** A reading of the clock is no number. */
  misread(): void {
    this.#misreadAt = this.#clock.moment;
  }

  // Acquires.

  arrive(
    id: number,
    timeout: number,
    affinity: string | number | undefined,
    signal: AbortSignal | undefined,
    priority = 0,
  ): Claim {
    const { isolated, stripes } = this.#config;
    const known = typeof affinity === "number" ? affinity % stripes : -1;
    this.#arrivals++;
    const claim: Claim = {
      id,
      signal,
      timeout,
      priority,
      since: this.#clock.moment,
      line: isolated ? known : 0,
      closed: this.closing.began,
      ahead: this.pending.size,
      aborted: signal?.aborted ?? false,
      order: this.#arrivals,
      epoch: this.epoch,
      state: "pending",
      resource: undefined,
      lease: undefined,
      approval: undefined,
    };
    this.pending.add(claim);
    this.#pending++;
    return claim;
  }

  /** A claim got its lease; `resource` is undefined if it was taken back. */
  delivered(claim: Claim, resource: Resource | undefined): void {
    if (claim.state !== "pending") this.fail(`S3: #${claim.id} settled twice`);
    this.pending.delete(claim);
    if (claim.closed) this.fail(`S10: #${claim.id} served after close`);
    if (claim.timeout > 0) this.#served.push(claim);
    if (resource === undefined) {
      claim.state = "ended";
      if (!this.closing.aborted) {
        this.fail(`S2: #${claim.id} got an ended lease`);
      }
      return;
    }
    if (resource.destroyCalls > 0) {
      this.fail(`S2: #${claim.id} got destroyed resource ${resource.id}`);
    }
    if (resource.holder !== undefined) {
      this.fail(
        `S2: resource ${resource.id} has two holders, ` +
          `#${resource.holder.id} and #${claim.id}`,
      );
    }
    const call = claim.approval = this.#approved.get(resource);
    if (this.pauses.onSince < (call?.epoch ?? this.epoch)) {
      this.fail(`Pause: #${claim.id} served`);
    }
    const { line } = claim;
    if (this.#config.isolated && line >= 0 && line !== resource.stripe) {
      this.fail(`#${claim.id} of stripe ${line} got ${resource.stripe}'s`);
    }
    this.#checkFitness(claim, resource);
    resource.approvedIn = undefined;
    resource.uses++;
    claim.state = "held";
    claim.resource = resource;
    resource.holder = claim;
    this.held.add(claim);
    const waited = this.epoch > claim.epoch;
    this.#tally.hit(
      waited ? "acquire: served after waiting" : "acquire: served at once",
    );
  }

  refused(claim: Claim, error: unknown): void {
    if (claim.state !== "pending") this.fail(`S3: #${claim.id} settled twice`);
    this.pending.delete(claim);
    this.#refusals++;
    claim.state = "refused";
    const reason = this.#refusal(claim, error);
    if (reason !== undefined) return this.#tally.hit(reason);
    this.fail(`#${claim.id} was rejected without a reason: ${error}`);
  }

  /** A lease ends; `false` if it had ended before. */
  ended(claim: Claim, parting: Parting): boolean {
    if (claim.state !== "held") return false;
    claim.state = "ended";
    this.held.delete(claim);
    const resource = claim.resource!;
    resource.holder = undefined;
    if (parting === "destroy") resource.isDoomed = true;
    else this.givenBack(resource, parting === "failed");
    this.#rest(resource);
    return true;
  }

  /** It is to be reset, where the pool does that. */
  givenBack(resource: Resource, failed = false): void {
    if (this.#config.resets) resource.resetAfter = { failed };
  }

  /** What is handed out is fit to be used. */
  #checkFitness(claim: Claim, resource: Resource): void {
    const { id, uses, lostIn, isDoomed, resetAfter, bornAt } = resource;
    const { maxUses, maxLifetime } = this.#config;
    const whom = `#${claim.id} got resource ${id}`;
    if (lostIn !== undefined && lostIn < this.epoch) {
      this.fail(`Lost: ${whom} after it was lost`);
    }
    if (isDoomed) this.fail(`S2: ${whom}, which was to be destroyed`);
    if (resetAfter !== undefined) this.fail(`Reset: ${whom} without a reset`);
    if (uses >= maxUses) this.fail(`Uses: ${whom} for the ${uses + 1}. time`);
    const call = this.#approved.get(resource);
    const age = this.#clock.least(bornAt) -
      (call === undefined ? 0 : this.#clock.most(call.since));
    if (age > maxLifetime) this.fail(`Lifetime: ${whom} at age ${age}`);
    this.#checkKept(resource, call, whom);
    if (!this.#config.validates || resource.bornIn === this.epoch) return;
    const rested = this.#clock.least(resource.checkedAt);
    if (resource.approvedIn === this.epoch) return;
    if (rested >= this.#config.validateAfter) {
      this.fail(`Validate: ${whom} unasked, after ${rested} ms`);
    }
  }

  /** What is evicted is handed out no more, unless it was offered before. */
  #checkKept(
    { evictions }: Resource,
    call: Call | undefined,
    whom: string,
  ): void {
    for (const { since, within, epoch } of evictions) {
      if (epoch >= (call?.epoch ?? this.epoch)) continue;
      const age = this.#clock.least(since) -
        (call === undefined ? 0 : this.#clock.most(call.since));
      if (within === 0 || age > within) this.fail(`Evict: ${whom}, evicted`);
    }
  }

  // Changes.

  /** Before the pool gets another `max`. */
  resize(max: number, stats: PoolStats): void {
    const { held, destroys, creates } = this;
    const { max: before } = this.capacity;
    this.capacity.resize(max, stats, this.epoch);
    if (max > before) this.#tally.hit("pool: resized up");
    if (max >= before) return;
    this.#tally.hit("pool: resized down");
    if (held.size + destroys.size + creates.calls.size > max) {
      this.#tally.hit("pool: resized below what is out");
    }
  }

  /** A predicate says that one is to be evicted within so many ms. */
  evict({ evictions }: Resource, within: number): Eviction {
    const since = this.#clock.moment;
    const eviction = { since, epoch: this.epoch, within };
    evictions.add(eviction);
    return eviction;
  }

  /** The lease of a claim ends, and its resource leaves the pool for good. */
  detached(claim: Claim): void {
    const resource = claim.resource!;
    claim.state = "ended";
    this.held.delete(claim);
    resource.holder = undefined;
    resource.isDetached = true;
    this.live.delete(resource);
    this.#leaves(resource, "detach");
  }

  /** What an eviction is told of one. */
  checkAged({ id, bornAt, uses }: Resource, age: number, used: number): void {
    const { least, most } = this.#clock.between(bornAt);
    const isTrue = this.#clock.isTrueSince(bornAt);
    if (isTrue && (age < least || age > most)) {
      this.fail(`Evict: ${id} has another age than ${age}`);
    }
    // A lease on it may be on its way.
    if (used !== uses && used !== uses + 1) {
      this.fail(`Evict: ${id} had ${uses} uses, not ${used}`);
    }
  }

  // What the resources say.

  /** Before `lost` is called for one that is there. */
  lost(resource: Resource, error: unknown): void {
    this.#losses++;
    // It may not have heard yet that it is there.
    const { call } = resource;
    if (resource.bornIn === this.epoch) {
      this.creates.note(call, error, this.epoch);
    }
    if (resource.destroyCalls > 0 || resource.isDetached) return;
    resource.lostIn ??= this.epoch;
    if (resource.holder !== undefined) return;
    this.#idleLosses.add(this.creates.lineOf(resource.stripe));
  }

  /** Before it is called for one that is being created. */
  lostEarly(call: CreateCall, error: unknown): void {
    this.#losses++;
    if (!this.creates.isMaybe(call) || call.lostIn !== undefined) return;
    call.lostIn = this.epoch;
    this.creates.lost(call, error, this.epoch);
  }

  // Warming.

  warm(n: number, signal: AbortSignal | undefined): Warming {
    const { epoch } = this;
    const since = this.#clock.moment;
    const warming = { n, signal, since, epoch, closed: this.closing.began };
    this.warmings.add(warming);
    this.#warmed += n;
    return warming;
  }

  warmed(warming: Warming): void {
    this.warmings.delete(warming);
    if (warming.closed) this.fail("S10: warm after close");
    // Some may have left since, or not be told of yet.
    let most = this.destroys.size + this.#gone();
    for (const { isLate } of this.live) if (!isLate) most++;
    const least = Math.min(warming.n, this.capacity.least);
    if (most < least) this.fail(`Warm: ${most} are not ${least}`);
    this.#tally.hit("warm: resolves");
  }

  notWarmed(warming: Warming, error: unknown): void {
    const { signal, epoch, since } = warming;
    this.warmings.delete(warming);
    if (signal?.aborted && error === signal.reason) {
      return this.#tally.hit("warm: signal aborted");
    }
    if (error instanceof PoolClosedError && this.closing.began) {
      return this.#tally.hit("warm: rejected by close");
    }
    if (this.creates.isFailureSince(error, epoch)) {
      return this.#tally.hit("warm: rejected by a failed create");
    }
    if (this.#isOfClock(since, error)) return;
    this.fail(`warm was rejected without a reason: ${error}`);
  }

  /** How many resources a line is to keep, at most. */
  stock(line: number): number {
    return this.#stock(line, this.#config.min, [...this.warmings]);
  }

  /** How many it is sure to keep. */
  kept(line: number): number {
    const { createRetry, min } = this.#config;
    const { lines, hasBegun } = this.creates;
    // Without a retry, a failure ends that until somebody waits.
    const isKept = createRetry !== false ||
      lines.every(({ failedIn }) => failedIn < 0);
    const warmings = [...this.warmings]
      .filter(({ epoch }) => epoch < this.epoch);
    return this.#stock(line, hasBegun && isKept ? min : 0, warmings);
  }

  #stock(line: number, min: number, warmings: readonly Warming[]): number {
    const { isolated, stripes } = this.#config;
    const share = (n: number) => {
      const least = Math.min(n, this.capacity.least);
      return isolated ? Math.ceil((least - line) / stripes) : least;
    };
    if (this.closing.began) return 0;
    return Math.max(share(min), ...warmings.map(({ n }) => share(n)));
  }

  /** How many left in this epoch. */
  #gone(): number {
    let gone = 0;
    for (const { idle, others } of this.#evicted.values()) {
      gone += idle + others;
    }
    return gone;
  }

  // Callbacks.

  createCalled(signal: AbortSignal, stripe: number): CreateCall {
    const call: CreateCall = {
      signal,
      stripe,
      since: this.#clock.moment,
      clears: this.clears,
      limit: this.#config.createTimeout,
      epoch: this.epoch,
      arrivals: this.#arrivals,
      lostIn: undefined,
      disappointed: false,
      asks: 0,
    };
    for (const { line, since, timeout } of this.pending) {
      // It has timed out, though nobody has heard of it yet.
      const isOver = this.#clock.most(since) >= timeout - ROUNDING;
      if (isOver) this.creates.disappoint(line);
    }
    this.creates.began(call);
    const max = this.capacity.most;
    if (this.pauses.onSince < this.epoch) this.fail("Pause: create called");
    if (!this.closing.aborted && this.total() > max) {
      this.fail(`S1: the server has ${this.total()} of ${max}`);
    }
    if (this.closing.aborted) {
      this.fail("S10: create called after an aborted close");
    }
    return call;
  }

  created(call: CreateCall): Resource {
    const isSure = this.creates.succeeded(call, this.epoch);
    const now = this.#clock.moment;
    const isGivenUp = () => this.#isGivenUp(call, resource);
    const resource: Resource = {
      id: this.#made++,
      stripe: call.stripe,
      get isLate() {
        return !isSure || isGivenUp();
      },
      call,
      bornAt: now,
      bornIn: this.epoch,
      dead: false,
      holder: undefined,
      uses: 0,
      destroyCalls: 0,
      isDetached: false,
      evictions: new Set(),
      asked: 0,
      lostIn: call.lostIn,
      isDoomed: false,
      resetAfter: undefined,
      lastAge: 0,
      checkedAt: now,
      idleSince: now,
      idleEpoch: this.epoch,
      idleBefore: now,
      approvedIn: undefined,
    };
    this.live.add(resource);
    return resource;
  }

  /** Whether there was no timer for its limit, before it was heard. */
  #isGivenUp({ signal, since }: CreateCall, { bornIn }: Resource): boolean {
    if (!signal.aborted) return false;
    return this.clockErrors.has(signal.reason) ||
      bornIn === this.epoch && since.failures < this.#clock.failures;
  }

  createFailed(call: CreateCall, error: unknown): void {
    this.creates.failed(call, error, this.epoch);
  }

  destroyCalled(
    resource: Resource,
    reason: DestroyReason,
    signal: AbortSignal | undefined,
  ): Call {
    if (++resource.destroyCalls > 1) {
      this.fail(`S2: resource ${resource.id} destroyed twice`);
    }
    const { holder } = resource;
    if (resource.isDetached) {
      this.fail(`Detach: resource ${resource.id} destroyed`);
    }
    if (holder !== undefined && !this.closing.aborted) {
      this.fail(`S2: resource ${resource.id} destroyed in use`);
    }
    resource.lastAge = this.#clock.most(resource.idleBefore);
    this.#checkReason(resource, reason);
    if (holder !== undefined) {
      this.#tally.hit("lease: taken back by an aborted close");
      this.ended(holder, "release");
    }
    this.live.delete(resource);
    const line = this.#leaves(resource, reason);
    const { destroyTimeout } = this.#config;
    // The farewell of a lost one takes the usual time of a create at most, which
    // a freeze between the bounds of the books can make as long as it likes.
    const farewell = reason === "lost" ? line.usualNow : NEVER;
    // Nor whether a create counted that came while the pool began to close.
    const isUnknown = this.closing.began || this.hasFrozen;
    const least = isUnknown && reason === "lost" ? 0 : farewell.least;
    const call: Call = {
      ...this.#call(resource, signal, Math.min(destroyTimeout, least)),
      ...{ mostLimit: destroyTimeout, late: reason === "late" },
    };
    this.destroys.add(call);
    return call;
  }

  #leaves(
    { stripe }: Resource,
    reason: DestroyReason | "detach",
  ): LineWatch {
    const line = this.creates.lineOf(stripe);
    const evicted = this.#evicted.get(line) ?? { idle: 0, others: 0 };
    if (reason === "idle") evicted.idle++;
    else evicted.others++;
    this.#evicted.set(line, evicted);
    return line;
  }

  /** A destroy answered; the pool heard it if it still waited for it. */
  destroyed(call: Call, failure?: { error: unknown }): void {
    // A timer for its limit may fail to be set before this is heard.
    const isSure = this.#isAwaited(call) &&
      (call.limit === Infinity || !this.#config.hazards.includes("timers")) &&
      this.#clock.most(call.since) < call.limit - ROUNDING;
    const isKnown = this.destroys.delete(call);
    // Where its slot was vacated before, a close may hear of it all the same.
    const isFarewell = call.limit < this.#config.destroyTimeout;
    if (call.late || !isKnown && !isFarewell) return;
    if (failure !== undefined) {
      this.closing.destroyFailed(this.epoch, failure.error, isSure);
    }
  }

  validateCalled(resource: Resource, signal: AbortSignal | undefined): Call {
    this.#checkRest(resource, "validated");
    if (resource.resetAfter !== undefined) {
      this.fail(`Reset: resource ${resource.id} validated before its reset`);
    }
    const { validateTimeout } = this.#config;
    const call = this.#call(resource, signal, validateTimeout);
    this.validations.add(call);
    return call;
  }

  /** What `validate` is told of a resource. */
  checkContext(
    resource: Resource,
    told: {
      readonly idle: number;
      readonly age: number;
      readonly uses: number;
    },
  ): void {
    const { id, uses, bornAt, idleSince, idleBefore } = resource;
    const clock = this.#clock;
    if (told.uses !== uses) {
      this.fail(`Validate: ${id} had ${uses} uses, not ${told.uses}`);
    }
    const isBetween = (time: number, early: Moment, late: Moment) =>
      time >= clock.least(late) && time <= clock.most(early);
    if (!isBetween(told.age, bornAt, bornAt)) {
      this.fail(`Validate: ${id} has another age than ${told.age}`);
    }
    if (!isBetween(told.idle, idleBefore, idleSince)) {
      this.fail(`Validate: ${id} is idle for other than ${told.idle}`);
    }
  }

  resetCalled(
    resource: Resource,
    failed: boolean,
    signal: AbortSignal | undefined,
  ): Call {
    this.#checkRest(resource, "reset");
    const { id, resetAfter, lostIn } = resource;
    if (resetAfter?.failed !== failed) {
      this.fail(`Reset: resource ${id} told that its user failed: ${failed}`);
    }
    if (lostIn !== undefined && lostIn < this.epoch) {
      this.fail(`Reset: of resource ${id}, which is lost`);
    }
    const call = this.#call(resource, signal, this.#config.resetTimeout);
    this.resets.add(call);
    return call;
  }

  /** A reset answered. */
  wasReset(call: Call, isGood: boolean): void {
    const { resource } = call;
    if (!this.resets.delete(call)) return;
    if (!isGood) resource.isDoomed = true;
    else {
      resource.resetAfter = undefined;
      this.#rest(resource);
    }
  }

  /** Nobody has it, and no other call is out for it. */
  #checkRest(resource: Resource, act: string): void {
    const { id, destroyCalls, holder } = resource;
    if (destroyCalls > 0 || holder !== undefined) {
      this.fail(`S2: resource ${id} ${act}, but not at rest`);
    }
    for (const { resource: other } of [...this.validations, ...this.resets]) {
      if (other === resource) this.fail(`S2: ${id} ${act} twice`);
    }
  }

  #call(
    resource: Resource,
    signal: AbortSignal | undefined,
    limit: number,
  ): Call {
    const { epoch } = this;
    const since = this.#clock.moment;
    return {
      ...{ resource, signal, since, epoch, limit, mostLimit: limit },
      ...{ late: false, refusals: this.#refusals, elsewhere: 0 },
    };
  }

  judged(call: Call, valid: boolean): void {
    this.#verdicts++;
    if (!this.validations.delete(call) || !valid) return;
    const { resource } = call;
    const { idleBefore } = resource;
    this.#rest(resource);
    // It may have been a check in the background.
    if (this.#config.keepalive !== Infinity) resource.idleBefore = idleBefore;
    resource.approvedIn = this.epoch;
    this.#approved.set(resource, call);
  }

  // What the observer tells.

  placed(resource: Resource, stripe: number): void {
    if (resource.stripe === stripe) return;
    this.fail(
      `resource ${resource.id} of stripe ${resource.stripe} is in ${stripe}`,
    );
  }

  /** Whether there was reason to destroy one. */
  #checkReason(resource: Resource, reason: DestroyReason): void {
    if (reason === "idle" && !(resource.lastAge > this.#config.idleTimeout)) {
      this.fail(`S8: resource ${resource.id} evicted at ${resource.lastAge}`);
    }
    if (!this.#isReason(resource, reason)) {
      this.fail(`resource ${resource.id} destroyed as ${reason}`);
    }
    this.#tally.hit(`destroy: as ${reason}` as Fault);
  }

  #isReason(resource: Resource, reason: DestroyReason): boolean {
    const { maxLifetime, maxUses, validates } = this.#config;
    const { call, bornAt, uses, lostIn, isLate, isDoomed, resetAfter } =
      resource;
    if (isLate && lostIn === undefined && !this.closing.began) {
      return reason === "late";
    }
    switch (reason) {
      case "idle":
        return true;
      case "lifetime":
        return this.#clock.most(bornAt) >= 0.75 * maxLifetime;
      case "uses":
        return uses >= maxUses;
      case "invalid":
        return validates;
      case "lost": {
        // One of those that were idle may have spoken for all.
        const line = this.creates.lineOf(resource.stripe);
        return lostIn !== undefined || this.#idleLosses.has(line);
      }
      case "reset":
        // Without a timer it was given up before it was heard.
        return resetAfter !== undefined ||
          resource.idleSince.failures < this.#clock.failures;
      case "lease":
        // Whoever throws while the pool closes has it destroyed.
        return isDoomed || this.closing.began;
      case "clear":
        // It may have been decided on before, though not called yet.
        return call.clears < this.clears || call.epoch === this.clearedIn;
      case "close":
        return this.closing.began;
      case "late":
        return isLate || this.closing.aborted;
      case "evict":
        return resource.evictions.size > 0;
      case "resize":
        return this.capacity.owes(resource.stripe, this.epoch);
      case "leaked":
      case "budget":
        return false;
    }
  }

  /** Slots that are taken as the server sees it. */
  total(): number {
    let total = this.creates.sure() + this.destroying();
    for (const { isLate } of this.live) if (!isLate) total++;
    return total;
  }

  /** Destroys that hold a slot. */
  destroying(): number {
    let destroying = 0;
    for (const call of this.destroys) if (this.#isAwaited(call)) destroying++;
    return destroying;
  }

  /** Destroys that hold one unless the pool has given them up. */
  perhapsDestroying(): number {
    let destroying = 0;
    for (const { late } of this.destroys) if (!late) destroying++;
    return destroying;
  }

  /** Whether the pool cannot have given up a call yet. */
  #isAwaited({ late, limit, since }: Call): boolean {
    if (late || limit === Infinity) return !late;
    // Without a timer for their limits it gives up all it waits for.
    return since.failures === this.#clock.failures &&
      this.#clock.mostFired(since) < limit - ROUNDING;
  }

  /** All promises have settled: what happened until now is known to all. */
  endEpoch(): void {
    this.#checkOrder();
    this.#endCalls();
    if (this.#shed < this.sheds) {
      this.fail(`Shed: ${this.sheds - this.#shed} who had to leave have not`);
    }
    this.#checkCreates();
    this.#checkStock();
    for (const { holder, destroyCalls } of this.#approved.keys()) {
      if (holder === undefined && destroyCalls === 0) {
        this.#tally.hit("validate: taker gone meanwhile");
      }
    }
    this.#approved.clear();
    this.#served = [];
    this.#rejected = [];
    this.capacity.endEpoch();
    this.#verdicts = 0;
    this.#losses = 0;
    this.#idleLosses.clear();
    this.#evicted.clear();
    this.epoch++;
    this.#pending = this.pending.size;
    this.#warmed = 0;
    for (const { n } of this.warmings) this.#warmed += n;
    this.#overdue = 0;
    for (const line of this.creates.lines) this.#overdue += line.mayBeOverdue;
  }

  /** S6: a create begins only where one is wanted. */
  #checkCreates(): void {
    const { begun, ended } = this.creates;
    this.creates.begun = this.creates.ended = 0;
    const { min } = this.#config;
    const wanted = this.#pending + this.#warmed + min;
    let overdue = this.#overdue + this.#losses;
    for (const line of this.creates.lines) overdue += line.mayBeOverdue;
    if (begun > ended + overdue + wanted) {
      this.fail(`S6: ${begun} creates, where ${wanted} are wanted`);
    }
  }

  /** None is evicted as idle where fewer than the minimum would be left. */
  #checkStock(): void {
    this.creates.lines.forEach((line, i) => {
      const { idle, others } = this.#evicted.get(line) ??
        { idle: 0, others: 0 };
      const left = this.existing(i) + others;
      if (idle > 0 && left < this.kept(i)) {
        this.fail(`Min: ${left} are left, the others evicted as idle`);
      }
    });
  }

  /** How many more acquires a stripe, or the last of a line, can serve. */
  lacking(stripe: number): number {
    const { isolated, stripes } = this.#config;
    const { max, shares } = this.capacity;
    if (!isolated) {
      const isLast = stripe === stripes - 1;
      return isLast ? max - this.held.size - this.pending.size : 0;
    }
    let lacking = shares[stripe]!;
    for (const { resource } of this.held) {
      if (resource!.stripe === stripe) lacking--;
    }
    for (const { line } of this.pending) if (line === stripe) lacking--;
    return lacking;
  }

  /** How many resources of a line there are. */
  existing(line: number): number {
    let existing = 0;
    for (const { stripe, isLate } of this.live) {
      if (isLate) continue;
      if (!this.#config.isolated || stripe === line) existing++;
    }
    return existing;
  }

  /** Forgets the calls that the pool has given up, and not too early. */
  #endCalls(): void {
    const { closing } = this;
    const clock = this.#clock;
    this.creates.endEpoch(this.epoch);
    for (const call of this.destroys) {
      if (clock.least(call.since) < call.mostLimit) continue;
      this.destroys.delete(call);
      const { signal } = call;
      if (signal === undefined || call.late || signal.aborted) continue;
      // The farewell of a lost one does not hold up a close.
      if (closing.settled) continue;
      if (clock.least(call.since) < this.#config.destroyTimeout) continue;
      this.fail("destroy: its signal does not abort at its limit");
    }
    const isOver = ({ since, limit }: Call) => clock.least(since) >= limit;
    // One silence, or the loss of an idle one, is a bad verdict on others.
    const isDistrusting = this.#losses > 0 ||
      [...this.validations].some(isOver);
    for (const calls of [this.validations, this.resets]) {
      for (const call of calls) {
        const { resource, signal, since, limit } = call;
        if (resource.destroyCalls === 0) continue;
        calls.delete(call);
        if (closing.began || since.failures < clock.failures) continue;
        if (isOver(call) && signal?.aborted === false) {
          this.fail("a signal does not abort when its call is given up");
        }
        if (calls === this.validations && isDistrusting) continue;
        if (clock.most(since) < limit - ROUNDING) {
          this.fail("a call is given up too early");
        }
      }
    }
  }

  /**
   * S4: whoever is offered a resource leaves nobody in its line who came
   * before. Those with a resource under validation then were not in it, though
   * they may be again when its own is found good, epochs later. Who has a
   * priority counts as having come some seconds earlier.
   */
  #checkOrder(): void {
    const elsewhere = this.validations.size + this.#verdicts + this.#losses;
    for (const call of this.validations) {
      if (call.epoch === this.epoch) call.elsewhere = elsewhere;
    }
    for (const served of this.#served) {
      let ahead = 0;
      const line = this.#lineOf(served);
      for (const claim of this.pending) {
        if (line < 0 || claim.line !== line) continue;
        if (this.#isAhead(claim, served)) ahead++;
        else if (claim.order < served.order) {
          this.#tally.hit("acquire: overtakes by its priority");
        }
      }
      if (ahead > this.#elsewhere(served, elsewhere)) {
        this.fail(`S4: #${served.id} overtook ${ahead} who came before`);
      }
    }
    for (const { id, line, order, priority } of this.#rejected) {
      if (line < 0) continue;
      let ahead = 0;
      for (const claim of this.pending) {
        const isLike = claim.line === line && claim.priority === priority;
        if (isLike && claim.order < order) ahead++;
      }
      if (ahead > elsewhere) {
        this.fail(`S4: #${id} rejected before ${ahead} who came before`);
      }
    }
  }

  /** Whether one in line is sure to have been ahead of another served. */
  #isAhead(claim: Claim, served: Claim): boolean {
    if (claim.priority === served.priority) return claim.order < served.order;
    const call = served.approval;
    // It may have come after the other was offered something.
    const isIn = claim.order < served.order ||
      claim.epoch < (call?.epoch ?? this.epoch);
    const lead = HEAD_START * (claim.priority - served.priority);
    return isIn &&
      lead + this.#clock.between(claim.since).least >
        this.#clock.between(served.since).most;
  }

  /** How many may have been elsewhere when a claim was offered its resource. */
  #elsewhere({ approval: call }: Claim, now: number): number {
    if (call === undefined) return now;
    // It was for nobody, as a check in the background, or for one who has left.
    const isForNobody = this.#config.keepalive !== Infinity ||
      call.refusals < this.#refusals;
    if (isForNobody) {
      return Math.max(now, call.elsewhere);
    }
    // Without the claim itself.
    return (call.epoch === this.epoch ? now : call.elsewhere) - 1;
  }

  #lineOf(claim: Claim): number {
    if (claim.line >= 0) return claim.line;
    return claim.resource?.stripe ?? -1;
  }

  /** Why a claim was rejected, if there was reason to. */
  #refusal(claim: Claim, error: unknown): Fault | undefined {
    const { signal, since } = claim;
    if (signal?.aborted && error === signal.reason) {
      return claim.aborted
        ? "acquire: signal aborted before"
        : "acquire: signal aborted while waiting";
    }
    if (error instanceof PoolClosedError) {
      if (claim.closed) return "acquire: refused as closed";
      return this.closing.began ? "acquire: rejected by close" : undefined;
    }
    if (error instanceof PoolFullError) {
      const full = claim.ahead >= this.#config.maxPending;
      return full ? "acquire: refused as full" : undefined;
    }
    if (error instanceof AcquireTimeoutError) {
      return this.#timeout(claim, error.cause);
    }
    if (error instanceof PoolOverloadedError) {
      return ++this.#shed <= this.sheds ? "acquire: shed" : undefined;
    }
    const failure = this.creates.refusal(claim, error);
    if (failure !== undefined) this.#rejected.push(claim);
    else if (this.#isOfClock(since, error)) {
      return "acquire: rejected by the clock";
    }
    return failure;
  }

  /** One has timed out; the cause is the last failure of its line. */
  #timeout(claim: Claim, cause: unknown): Fault | undefined {
    const { timeout, since, line, closed } = claim;
    if (cause !== undefined && !this.creates.isFailure(cause)) {
      this.fail(`#${claim.id} timed out, of all causes by ${cause}`);
    }
    // Without a timer a lost create is given up before anybody can tell.
    const isKnown = line >= 0 && !closed && this.#clock.failures === 0;
    if (isKnown && cause === undefined) {
      const { failedIn, succeededIn } = this.creates.lines[line]!;
      if (failedIn > succeededIn && !this.creates.lines[line]!.isMoved) {
        this.fail(`#${claim.id} timed out in an outage, without a cause`);
      }
    }
    if (timeout === 0) return "acquire: timeout 0 refused";
    this.creates.disappoint(line);
    if (cause !== undefined) {
      this.#tally.hit("acquire: timed out because of a create");
    }
    const isOver = this.#clock.most(since) >= timeout - ROUNDING;
    return isOver ? "acquire: timed out" : undefined;
  }

  /** Whether an error is the clock's, or tells of it where it was misread. */
  #isOfClock(since: Moment, error: unknown): boolean {
    if (this.clockErrors.has(error)) return true;
    return this.#misreadAt === since && /clock/.test(String(error));
  }

  /** Nobody holds it any more. */
  #rest(resource: Resource): void {
    const { moment } = this.#clock;
    resource.checkedAt = resource.idleSince = resource.idleBefore = moment;
    resource.idleEpoch = this.epoch;
  }
}
