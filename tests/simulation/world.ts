import {
  type Aged,
  type CreateContext,
  type DestroyContext,
  type Lease,
  Pool,
  PoolClosedError,
  type PoolObserver,
  type PoolOptions,
  type ResetContext,
  type Shed,
  type ValidateContext,
} from "../../mod.ts";
import { draws } from "../../src/policy/jitter.ts";
import { CountedSignal, type ListenerCount } from "./counted_signal.ts";
import { PLAIN, plan } from "./generator.ts";
import type { Pause } from "./pause_watch.ts";
import { priority } from "./pressure.ts";
import { glance, type Scene } from "./inspection.ts";
import {
  type Call,
  type Claim,
  Ledger,
  type Parting,
  type Resource,
} from "./ledger.ts";
import type { CreateCall } from "./line_watch.ts";
import { Random } from "./random.ts";
import {
  type AcquireOp,
  type ChangeOp,
  type Config,
  type Ending,
  inWords,
  type Lost,
  type Op,
  OWN,
  type Plan,
  planInWords,
  type Role,
  type Scenario,
  type TryAcquireOp,
} from "./scenario.ts";
import { type Moment, SeenClock } from "./seen_clock.ts";
import { StepClock } from "./step_clock.ts";
import type { Tally } from "./tally.ts";

/** Callbacks that call the pool may do so inside each other this deep. */
const MAX_DEPTH = 2;
/** The pool's own draws are of numbers of their own. */
const DRAW_STREAM = 3_000;
/** How many that are gone are kept in mind, as they may be lost after. */
const MAX_GONE = 8;

/** How often each callback was called. */
export type Calls = Record<Role, number>;

/** An answer that is owed. */
interface Debt {
  /** Milliseconds after which the pool stops waiting for it. */
  readonly limit: number;
  readonly pay: () => void;
}

/** How a callback answers: what it returns or throws, and who notes it. */
interface Answer<R> {
  readonly call: Call | CreateCall;
  readonly limit: number;
  readonly succeed: () => R;
  readonly fail: (error: Error) => void;
  readonly signal?: AbortSignal;
}

/** The pool, its callers and its callbacks, as a scenario has them behave. */
export class World implements Scene, ListenerCount {
  readonly clock: StepClock = new StepClock();
  readonly seen: SeenClock = new SeenClock(
    this.clock,
    (role) => this.#clockFault(role),
  );
  readonly ledger: Ledger;
  readonly pool: Pool<Resource>;
  readonly closeSignals: Set<AbortSignal> = new Set();
  readonly counted: WeakSet<AbortSignal> = new WeakSet();
  listeners = 0;
  /** Changes whenever user code runs. */
  activity = 0;
  /** Whether callbacks succeed at once, and leases end at once. */
  calm = false;
  /** Whether leases are held even so. */
  holds = false;
  /** Whether nothing was done since all promises settled. */
  quiet = true;
  /** `use` calls that have not settled. */
  openUses = 0;
  /** Callbacks that did something else than succeed at once. */
  readonly planned: Map<`${Role} ${number}`, Plan> = new Map();
  /** How often each callback was called. */
  readonly calls: Calls = {
    create: 0,
    destroy: 0,
    validate: 0,
    observer: 0,
    signal: 0,
    reading: 0,
    timer: 0,
    reset: 0,
    predicate: 0,
    judge: 0,
  };
  readonly keptSince: Moment[];
  /** Whether they were so when that was looked at last. */
  readonly isKept: boolean[] = [];
  /** What to call for each that is there, is being made, or is gone. */
  readonly #losers: Map<Resource | CreateCall, CreateContext["lost"]> =
    new Map();
  readonly #gone: Resource[] = [];
  /** Whether no create succeeds. */
  #isDown = false;
  /** The lines that are in an outage, as the observer is told. */
  readonly #outages: Set<number> = new Set();
  readonly #claims: Map<number, Claim> = new Map();
  readonly #finishers: Map<Claim, (error?: Error) => void> = new Map();
  /** What was newest when a claim came. */
  /** By the id of a `use`, its own `isFatal`. */
  readonly #verdicts: Map<number, AcquireOp["isFatal"]> = new Map();
  readonly #newests: WeakMap<Claim, ReadonlyMap<number, number>> =
    new WeakMap();
  readonly #signals: Map<number, AbortController> = new Map();
  readonly #debts: Set<Debt> = new Set();
  #depth = 0;
  /** Whether the pool is amid a transition. */
  #isAmid = false;
  #acts = 0;
  #errors = 0;
  #closing: Promise<void> | undefined = undefined;

  constructor(
    readonly scenario: Scenario,
    readonly tally: Tally,
    /** Is told in words what happens. */
    readonly trace?: (line: string) => void,
  ) {
    const { config, seed } = scenario;
    this.ledger = new Ledger(config, this.seen, tally);
    this.keptSince = this.ledger.creates.lines.map(() => this.seen.moment);
    const random = new Random(seed, DRAW_STREAM);
    draws.random = () => random.real();
    this.pool = new Pool<Resource>(this.#options(config));
  }

  #options(config: Config): PoolOptions<Resource> {
    const { observes, validates, isFatal, resets, ...rest } = config;
    const { validateTimeout, validateAfter, keepalive, ...others } = rest;
    const { roughness: _, hazards: __, places: ___, ...more } = others;
    const { resetTimeout, ...shaped } = more;
    const { urgency: _u, sheds, changes: _c, ...options } = shaped;
    return {
      ...options,
      clock: this.seen,
      create: (context) => this.#create(context),
      destroy: (resource, context) => this.#destroy(resource, context),
      ...validates && {
        ...{ validateTimeout, validateAfter, keepalive },
        validate: (resource, context) => this.#validate(resource, context),
      },
      ...resets && {
        resetTimeout,
        reset: (resource, context) => this.#reset(resource, context),
      },
      ...observes && { observer: this.#observer() },
      ...sheds > 0 && { shed: { judge: () => this.#judge() } },
      ...isFatal !== "absent" && { isFatal: () => this.#isFatal(isFatal) },
    };
  }

  get config(): Scenario["config"] {
    return this.scenario.config;
  }

  /** Does one thing that takes no time. */
  perform(op: Op): void {
    this.activity++;
    this.#perform(op);
    this.quiet = false;
  }

  #perform(op: Op): void {
    switch (op.do) {
      case "acquire":
        return this.#acquire(op);
      case "use":
        return this.#use(op);
      case "tryAcquire":
        return this.#tryAcquire(op);
      case "release":
      case "destroy": {
        const claim = this.#claims.get(op.id);
        if (claim !== undefined) this.#end(claim, op.do);
        return;
      }
      case "die":
        return this.#die(op.id);
      case "abort":
        return this.#abort(op.signal);
      case "dispatch":
        return this.#dispatch(op.signal);
      case "lose":
        return this.#lose(op.what, op.id);
      case "outage":
        this.#isDown = op.isDown;
        return;
      case "warm":
        return this.#warm(op.n, op.signal);
      case "resize":
        this.ledger.resize(op.max, this.pool.stats());
        return this.pool.resize(op.max);
      case "pause":
        return this.#pause(op);
      case "unpause":
        return this.unpause();
      case "evict":
        return this.#evict(op);
      case "detach":
        return this.#detach(op.id);
      case "clear":
        return this.#clear();
      case "close":
        return this.#close(op.signal);
      case "skew":
      case "jump":
      case "advance":
        throw new Error("bug: only the driver lets time pass");
    }
  }

  /** Ends every lease that is held. */
  endAll(): void {
    for (const claim of this.ledger.held) this.#end(claim, "release");
    for (const finish of this.#finishers.values()) finish();
  }

  /** Gives the answers for which the pool would wait for ever; or all of them. */
  payDebts(all: boolean): void {
    for (const debt of this.#debts) {
      if (all || debt.limit === Infinity) debt.pay();
    }
  }

  /** Calls `release` on every lease there has been. */
  endAgain(): void {
    for (const claim of this.#claims.values()) claim.lease?.release();
  }

  // Callers.

  #claim(op: AcquireOp | TryAcquireOp): [Claim, AbortController | undefined] {
    const waits = op.do !== "tryAcquire";
    const signal = waits && op.signal !== undefined
      ? this.#signal(op.signal)
      : undefined;
    const timeout = waits ? op.timeout ?? this.config.acquireTimeout : 0;
    const { affinity } = op;
    if (typeof affinity === "string") {
      this.tally.hit("acquire: string affinity");
    }
    const { ledger } = this;
    const urgent = waits ? priority(this.config, op.id) : 0;
    const claim = ledger.arrive(
      op.id,
      timeout,
      affinity,
      signal?.signal,
      urgent,
    );
    if (urgent > 0) this.trace?.(`   #${op.id} has priority ${urgent}`);
    this.#claims.set(op.id, claim);
    const newest = this.#newest();
    if (newest !== undefined) this.#newests.set(claim, newest);
    return [claim, signal];
  }

  #acquire(op: AcquireOp): void {
    const [claim, signal] = this.#claim(op);
    const { timeout, affinity } = op;
    const options = {
      ...{ signal: signal?.signal, timeout, affinity },
      priority: priority(this.config, op.id),
    };
    this.pool.acquire(options).then(
      (lease) => this.#delivered(op, claim, lease),
      (error) => this.#refused(claim, error),
    );
  }

  #use(op: AcquireOp): void {
    const [claim, signal] = this.#claim(op);
    const { timeout, affinity } = op;
    const isFatal = op.isFatal === "absent"
      ? undefined
      : () => this.#isFatal(op.isFatal);
    let thrown: unknown;
    const fn = (resource: Resource, lease: Lease<Resource>) => {
      if (lease.value !== resource) this.ledger.fail("use: not its resource");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#finishers.set(claim, (error) => {
        this.#finishers.delete(claim);
        thrown = error;
        if (error === undefined) resolve();
        else reject(error);
      });
      this.#delivered(op, claim, lease);
      return promise;
    };
    this.openUses++;
    this.#verdicts.set(op.id, op.isFatal);
    const options = {
      ...{ signal: signal?.signal, timeout, affinity, isFatal },
      priority: priority(this.config, op.id),
    };
    this.pool.use(fn, options).then(
      () => this.#used(thrown === undefined),
      (error) => {
        if (claim.state === "pending") this.#refused(claim, error);
        this.#used(thrown === undefined || thrown === error);
      },
    );
  }

  #used(well: boolean): void {
    this.activity++;
    this.openUses--;
    if (!well) this.ledger.fail("use does not tell what its callback did");
  }

  #tryAcquire(op: TryAcquireOp): void {
    const [claim] = this.#claim(op);
    const [acts, created] = [this.#acts, this.calls.create];
    const exact = this.quiet && this.#depth === 0;
    const before = this.pool.stats();
    const isHeld = this.ledger.pauses.isOn;
    const lease = this.pool.tryAcquire({ affinity: op.affinity });
    this.ledger.pending.delete(claim);
    if (lease !== undefined && isHeld) {
      this.ledger.fail(`Pause: tryAcquire ${op.id} served`);
    }
    if (exact && this.#acts === acts) {
      const { pending } = this.pool.stats();
      // One that leaves may be replaced.
      const isKept = this.config.min > 0 || this.ledger.warmings.size > 0;
      const creates = isKept ? 0 : this.calls.create - created;
      if (pending !== before.pending || creates > 0) {
        this.ledger.fail(`S9: tryAcquire ${op.id} waits or creates`);
      }
      if (lease !== undefined) this.#checkPick(op, lease.value, before);
    }
    this.tally.hit(
      lease ? "tryAcquire: leased" : "tryAcquire: nothing to lease",
    );
    if (lease === undefined) {
      claim.state = "refused";
      const { idle } = before.stripes[0]!;
      const sure = !this.config.validates && this.config.stripes === 1;
      if (exact && sure && this.#isEternal && idle > 0 && !isHeld) {
        this.ledger.fail(`tryAcquire ${op.id} finds nothing, ${idle} are idle`);
      }
    } else this.#delivered(op, claim, lease);
  }

  /** Not too old, and of its home if that has any. */
  #checkPick(
    op: TryAcquireOp,
    resource: Resource,
    before: ReturnType<Pool<Resource>["stats"]>,
  ): void {
    const { ledger, config } = this;
    const { idleSince } = resource;
    const age = this.clock.now() - idleSince.time;
    const isKept = config.min > 0 || ledger.warmings.size > 0;
    const isOver = age > config.idleTimeout && !isKept;
    if (isOver && this.seen.isTrueSince(idleSince)) {
      ledger.fail(`leased at age ${age}`);
    }
    if (config.validates) return;
    if (typeof op.affinity !== "number") return;
    const home = op.affinity % config.stripes;
    const had = before.stripes[home]!.idle > 0;
    if (had && this.#isEternal && resource.stripe !== home) {
      ledger.fail(`tryAcquire ${op.id} left its home ${home}`);
    }
  }

  /** Whether what is idle stays so. */
  get #isEternal(): boolean {
    const { idleTimeout, maxLifetime } = this.config;
    return idleTimeout === Infinity && maxLifetime === Infinity &&
      this.ledger.spreads === 0;
  }

  /**
   * By stripe, the epoch in which its newest idle resource, or its oldest where
   * that is taken first, came to be idle.
   * Known where nothing moves and no verdict can get in between.
   */
  #newest(): ReadonlyMap<number, number> | undefined {
    const { ledger } = this;
    const { validates, maxLifetime } = this.config;
    if (!this.quiet || this.#depth > 0 || validates) return undefined;
    // The newest may be the first to end.
    if (maxLifetime !== Infinity || ledger.spreads > 0) return undefined;
    const isOldest = this.config.idleOrder === "oldest";
    if (isOldest && !this.#isEternal) return undefined;
    if (ledger.pauses.isOn) return undefined;
    const newest = new Map<number, number>();
    const resetting = new Set(
      [...ledger.resets].map(({ resource }) => resource),
    );
    for (const resource of ledger.live) {
      const { stripe, holder, idleEpoch } = resource;
      if (holder !== undefined || resetting.has(resource)) continue;
      // The pool may not have heard of what was made in this epoch.
      if (idleEpoch >= ledger.epoch) continue;
      const other = newest.get(stripe) ?? idleEpoch;
      newest.set(stripe, Math[isOldest ? "min" : "max"](idleEpoch, other));
    }
    return newest.size > 0 ? newest : undefined;
  }

  #checkNewest(claim: Claim, resource: Resource): void {
    const { idleEpoch, stripe } = resource;
    const newest = this.#newests.get(claim)?.get(stripe) ?? idleEpoch;
    if (this.config.idleOrder === "newest") {
      if (idleEpoch >= newest) return;
      return this.ledger.fail(`#${claim.id} did not get the newest`);
    }
    // It may have waited for what was not idle when it came.
    if (claim.epoch < this.ledger.epoch) return;
    this.tally.hit("pool: idle in turn");
    if (idleEpoch > newest && idleEpoch < claim.epoch) {
      this.ledger.fail(`#${claim.id} did not get the oldest`);
    }
  }

  #delivered(
    op: AcquireOp | TryAcquireOp,
    claim: Claim,
    lease: Lease<Resource>,
  ): void {
    this.activity++;
    let resource: Resource | undefined;
    try {
      resource = lease.value;
    } catch {
      // An aborted close took it back; the ledger knows whether there was one.
    }
    this.trace?.(`   #${claim.id} gets resource ${resource?.id}`);
    claim.lease = lease;
    if (claim.signal?.aborted && !claim.aborted) {
      this.tally.hit("acquire: abort and hand-over in one tick");
    }
    if (resource !== undefined) this.#checkNewest(claim, resource);
    this.ledger.delivered(claim, resource);
    if ("nested" in op && op.nested !== undefined && !this.calm) {
      this.tally.hit("acquire: while holding");
      this.perform(op.nested);
    }
    if (resource === undefined || op.hold === 0 || (this.calm && !this.holds)) {
      this.#finish(claim, op.ending);
    } else if (op.hold !== Infinity) {
      this.clock.schedule(() => this.#finish(claim, op.ending), op.hold);
    }
  }

  #refused(claim: Claim, error: unknown): void {
    this.activity++;
    this.trace?.(`   #${claim.id} is rejected: ${error}`);
    this.ledger.refused(claim, error);
  }

  /** The lease ends as its holder had planned. */
  #finish(claim: Claim, ending: Ending): void {
    this.activity++;
    const finish = this.#finishers.get(claim);
    if (finish === undefined) return this.#end(claim, ending);
    if (ending === "throw") {
      this.tally.hit("use: callback throws");
      this.ledger.ended(claim, this.#parting(claim));
    } else this.ledger.ended(claim, "release");
    finish(ending === "throw" ? this.#error("use") : undefined);
  }

  /** What becomes of the resource of a use that threw. */
  #parting({ id }: Claim): Parting {
    const { isFatal, resets } = this.config;
    const own = this.#verdicts.get(id) ?? "absent";
    const verdict = own === "absent" ? isFatal : own;
    const isLost = verdict === "absent" ? !resets : verdict !== "never";
    return isLost || this.ledger.closing.began ? "destroy" : "failed";
  }

  #end(claim: Claim, ending: Ending): void {
    const { lease, resource } = claim;
    if (lease === undefined) return;
    const parting = ending === "destroy" ? "destroy" : "release";
    if (!this.ledger.ended(claim, parting)) {
      // A use that has returned ends it a moment later, unless this does so.
      const isHeld = lease.toJSON().state === "held";
      if (isHeld && resource!.isDoomed) return;
      if (isHeld && parting === "destroy") resource!.isDoomed = true;
      else if (isHeld) this.ledger.givenBack(resource!);
      this.tally.hit(
        resource?.holder === undefined
          ? "lease: ended twice"
          : "lease: stale end while another holds the resource",
      );
    } else if (ending === "destroy") {
      this.tally.hit("lease: destroyed by its holder");
    }
    this.trace?.(`   #${claim.id} ends by ${ending}`);
    if (ending === "release") lease.release();
    else if (ending === "destroy") lease.destroy();
    else if (ending === "dispose") lease[Symbol.dispose]();
    else lease[Symbol.asyncDispose]();
    if (claim.id % 16 === 0) this.#checkSpent(claim, lease);
  }

  #checkSpent(claim: Claim, lease: Lease<Resource>): void {
    try {
      void lease.value;
    } catch {
      return;
    }
    this.ledger.fail(`S7: the lease of #${claim.id} gives its value after`);
  }

  /** The lease of that acquire, or else one that is held. */
  #die(id: number): void {
    const { held } = this.ledger;
    if (held.size === 0) return;
    const claim = this.#claims.get(id);
    const { resource } = claim !== undefined && held.has(claim)
      ? claim
      : [...held][id % held.size]!;
    this.tally.hit("lease: resource died in use");
    resource!.dead = true;
  }

  /** `lost` is called for some of what is there, being made, or gone. */
  #lose(what: Lost, id: number): void {
    const chosen = this.#choose(what, id);
    if (what === "all" && chosen.length > 1) {
      this.tally.hit("lost: several at once");
    }
    const error = this.#error("lost");
    for (const one of chosen) {
      if ("id" in one) this.#loseResource(one, error);
      else {
        this.tally.hit("lost: while created");
        this.ledger.lostEarly(one, error);
      }
      this.trace?.(
        `   lost: ${"id" in one ? `resource ${one.id}` : "a create"}`,
      );
      // What an earlier one set off may have been the end of it.
      this.#losers.get(one)?.(error);
    }
  }

  #loseResource(resource: Resource, error: Error): void {
    const { tally, ledger } = this;
    const isGone = resource.destroyCalls > 0 || resource.isDetached;
    if (isGone) tally.hit("lost: when gone");
    else if (resource.holder !== undefined) tally.hit("lost: in use");
    else {
      const isOf = (call: Call) => call.resource === resource;
      if ([...ledger.validations].some(isOf)) tally.hit("lost: under validate");
      else if ([...ledger.resets].some(isOf)) tally.hit("lost: under reset");
      else tally.hit("lost: idle");
    }
    resource.dead = true;
    ledger.lost(resource, error);
  }

  #choose(what: Lost, id: number): (Resource | CreateCall)[] {
    const { live, creates, validations, resets } = this.ledger;
    const pick = <C>(from: Iterable<C>): C[] => {
      const all = [...from];
      return all.length === 0 ? [] : [all[id % all.length]!];
    };
    const known = [...live].filter((resource) => this.#losers.has(resource));
    switch (what) {
      case "idle":
        return pick(known.filter(({ holder }) => holder === undefined));
      case "held":
        return pick(known.filter(({ holder }) => holder !== undefined));
      case "resting":
        return pick(
          [...validations, ...resets].map(({ resource }) => resource),
        );
      case "all":
        return known;
      case "creating":
        return pick(creates.calls);
      case "gone":
        return pick(this.#gone);
    }
  }

  #warm(wanted: number, id: number | undefined): void {
    const n = Math.min(wanted, this.ledger.capacity.max);
    const signal = id === undefined ? undefined : this.#signal(id).signal;
    const warming = this.ledger.warm(n, signal);
    this.pool.warm(n, { signal }).then(
      () => {
        this.activity++;
        this.ledger.warmed(warming);
      },
      (error) => {
        this.activity++;
        this.ledger.notWarmed(warming, error);
      },
    );
  }

  #signal(id: number): AbortController {
    let controller = this.#signals.get(id);
    if (controller === undefined) {
      controller = this.#newSignal(id);
      this.#signals.set(id, controller);
    }
    return controller;
  }

  /** Some count their listeners, some are as the platform makes them. */
  #newSignal(id: number): AbortController {
    if (id % 4 === 3) return new AbortController();
    const controller = new CountedSignal(this, () => this.#heard(id));
    this.counted.add(controller.signal);
    return controller;
  }

  /** A signal gets a listener: may act before, or after by what it returns. */
  #heard(id: number): (() => void) | undefined {
    this.activity++;
    const plan = this.#plan("signal");
    if (plan.act === undefined) return undefined;
    const act = () => this.#act(this.#own(plan.act!, id), "signal");
    if (plan.way === "later") return act;
    act();
    return undefined;
  }

  /** An act with the signal in place of OWN, or a lease that is held. */
  #own(op: Op, signal: number): Op {
    if ("signal" in op && op.signal === OWN) return { ...op, signal } as Op;
    if ("id" in op && op.id === OWN) {
      const [claim] = this.ledger.held;
      return { ...op, id: claim?.id ?? OWN };
    }
    return op;
  }

  /** An event that says what is not so. */
  #dispatch(id: number): void {
    const { signal } = this.#signal(id);
    if (signal.aborted) return;
    this.tally.hit("signal: abort event without an abort");
    const before = JSON.stringify(this.pool.stats());
    signal.dispatchEvent(new Event("abort"));
    if (JSON.stringify(this.pool.stats()) !== before) {
      this.ledger.fail("an abort event without an abort changes something");
    }
  }

  #abort(id: number): void {
    const controller = this.#signals.get(id);
    if (controller === undefined || controller.signal.aborted) return;
    const { signal } = controller;
    let waiting = 0;
    for (const claim of this.ledger.pending) {
      if (claim.signal === signal) waiting++;
    }
    if (waiting > 1) this.tally.hit("acquire: one abort cancels several");
    if (waiting === 0) {
      this.tally.hit("acquire: signal aborted after it settled");
    }
    if (this.closeSignals.has(signal) && !this.ledger.closing.settled) {
      this.tally.hit("pool: close aborted later");
      this.#abandon();
    }
    this.ledger.pauses.abort(signal);
    controller.abort(this.#error(`signal ${id}`));
  }

  #clear(): void {
    this.tally.hit("pool: clear");
    const { ledger } = this;
    if (ledger.creates.calls.size > 0) {
      this.tally.hit("pool: clear with a create in flight");
    }
    ledger.clears++;
    ledger.clearedIn = ledger.epoch;
    this.pool.clear();
  }

  #close(id: number | "aborted" | undefined): void {
    const { ledger, tally } = this;
    const signal = id === "aborted"
      ? AbortSignal.abort(this.#error("signal"))
      : id === undefined
      ? undefined
      : this.#signal(id).signal;
    if (!ledger.closing.began) {
      tally.hit("pool: close");
      if (ledger.held.size > 0) tally.hit("pool: close while leases are out");
      if (ledger.pending.size > 0) {
        tally.hit("pool: close while acquires are pending");
      }
      if (ledger.creates.calls.size > 0) {
        tally.hit("pool: close while creating");
      }
    } else tally.hit("pool: close again");
    ledger.closing.begin(ledger.epoch);
    if (signal?.aborted && !ledger.closing.settled) {
      tally.hit("pool: close with an aborted signal");
      this.#abandon();
    } else if (signal !== undefined) this.closeSignals.add(signal);
    const promise = this.pool.close({ signal });
    if (this.#closing === undefined) {
      this.#closing = promise;
      promise.then(() => this.#closed([]), (error) => {
        const several = error instanceof AggregateError;
        this.#closed(several ? error.errors : [error]);
        tally.hit(
          several
            ? "pool: close rejects with several errors"
            : "pool: close rejects with one error",
        );
      });
    } else if (this.#closing !== promise) {
      ledger.fail("close gives another promise the second time");
    }
  }

  #closed(errors: readonly unknown[]): void {
    this.activity++;
    this.trace?.(`   close settles, ${errors.length} errors`);
    this.ledger.closing.settle(errors);
    if (this.ledger.held.size > 0) {
      this.ledger.fail("S10: closed while a lease is out");
    }
  }

  #abandon(): void {
    this.ledger.closing.aborted = true;
    if (this.ledger.creates.calls.size > 0) {
      this.tally.hit("create: given up by an aborted close");
    }
  }

  // Changes.

  #pause({ signal: id, hold }: ChangeOp & { do: "pause" }): void {
    const { ledger, tally } = this;
    const { pauses, closing } = ledger;
    if (ledger.held.size > 0) tally.hit("pause: while leases are out");
    if (pauses.isOn) tally.hit("pause: in another");
    const signal = id === undefined ? undefined : this.#signal(id).signal;
    const pause = pauses.ask(signal, ledger.epoch, closing.began);
    const promise = this.pool.pause({ signal });
    pause.isOn = !closing.began && !signal?.aborted;
    promise.then(
      (disposable) => {
        this.activity++;
        this.#paused(pause, disposable);
        if (hold === 0 || this.calm) this.#endPause(pause);
        else if (hold !== Infinity) {
          this.clock.schedule(() => this.#endPause(pause), hold);
        }
      },
      (error) => {
        this.activity++;
        this.#notPaused(pause, error);
      },
    );
  }

  #paused(pause: Pause, disposable: AsyncDisposable): void {
    const { ledger } = this;
    if (pause.isRefused) ledger.fail("S10: paused after close");
    this.tally.hit("pause: resolves");
    pause.state = "held";
    pause.end = () => void disposable[Symbol.asyncDispose]();
    if (ledger.closing.began) return;
    pause.isOn = true;
    if (ledger.held.size > 0) {
      ledger.fail(`Pause: ${ledger.held.size} leases are out`);
    }
  }

  #notPaused(pause: Pause, error: unknown): void {
    const { ledger, tally } = this;
    const { signal } = pause;
    ledger.pauses.over(pause);
    ledger.resumedAt = this.seen.moment;
    if (signal?.aborted && error === signal.reason) {
      return tally.hit("pause: signal aborted");
    }
    if (error instanceof PoolClosedError && ledger.closing.began) {
      return tally.hit("pause: rejected by close");
    }
    ledger.fail(`pause was rejected without a reason: ${error}`);
  }

  #endPause(pause: Pause): void {
    this.activity++;
    const { end } = pause;
    if (pause.state === "over") this.tally.hit("pause: ended twice");
    this.ledger.pauses.over(pause);
    this.ledger.resumedAt = this.seen.moment;
    end?.();
  }

  /** Ends all pauses that have been told of. */
  unpause(): void {
    for (const pause of this.ledger.pauses.pauses) {
      if (pause.state === "held") this.#endPause(pause);
    }
  }

  #evict({ rule, within }: ChangeOp & { do: "evict" }): void {
    const { ledger, tally } = this;
    const live = [...ledger.live];
    const creating = [...ledger.creates.calls];
    const asked = new Set<Resource>();
    const undo: (() => void)[] = [];
    let matches = 0;
    let isOver = false;
    const acts = this.#acts;
    const predicate = (resource: Resource, { age, uses }: Aged) => {
      ledger.checkAged(resource, age, uses);
      const isMatch = rule === "all" || resource.id % 3 === rule;
      const { turn } = this.#begin("predicate");
      const fails = turn === "fail";
      if (isOver) {
        tally.hit("evict: asks of one that was being created");
        resource.asked++;
        if (isMatch || fails) ledger.evict(resource, 0);
      } else {
        asked.add(resource);
        if (isMatch) {
          matches++;
          const eviction = ledger.evict(resource, within);
          undo.push(() => resource.evictions.delete(eviction));
        }
      }
      if (fails) throw this.#error("predicate");
      return isMatch;
    };
    if (within > 0) ledger.spreads++;
    let count: number;
    try {
      count = this.pool.evict(predicate, { within });
    } catch (error) {
      tally.hit("evict: its predicate throws");
      if (!/^Error: predicate/.test(String(error))) throw error;
      for (const undone of undo) undone();
      return;
    } finally {
      isOver = true;
    }
    if (this.#acts > acts) tally.hit("evict: its predicate calls the pool");
    if (count > matches || count < matches && this.#acts === acts) {
      ledger.fail(`Evict: ${count} of ${matches} that match`);
    }
    if (matches > 0) {
      tally.hit(within > 0 ? "evict: spread over time" : "evict: now");
    }
    for (const call of creating) call.asks++;
    for (const resource of live) {
      if (!asked.has(resource)) resource.call.asks++;
    }
  }

  #detach(id: number): void {
    const { ledger, tally } = this;
    const { held } = ledger;
    const known = this.#claims.get(id);
    const claim = known?.lease !== undefined
      ? known
      : [...held][id % held.size];
    const lease = claim?.lease;
    if (claim === undefined || lease === undefined) return;
    const isHeld = claim.state === "held" && !ledger.closing.aborted;
    const { resource } = claim;
    // As above.
    if (!isHeld && lease.toJSON().state === "held") return;
    if (isHeld) {
      tally.hit("lease: detached");
      ledger.detached(claim);
      this.#noteGone(resource!);
    } else tally.hit("lease: detached when it has ended");
    let detached: Resource | undefined;
    try {
      detached = lease.detach();
    } catch (error) {
      if (isHeld) ledger.fail(`Detach: #${claim.id} throws ${error}`);
      return;
    }
    if (!isHeld) ledger.fail(`Detach: #${claim.id} has ended`);
    if (detached !== resource) ledger.fail("Detach: not its resource");
    this.#checkSpent(claim, lease);
  }

  #noteGone(resource: Resource): void {
    this.#gone.push(resource);
    if (this.#gone.length > MAX_GONE) this.#losers.delete(this.#gone.shift()!);
  }

  // Callbacks.

  #judge(): Shed {
    const { ledger } = this;
    return {
      retryAfter: 7,
      mustLeave: (since, oldest, now) => {
        if (oldest > since || since > now) {
          ledger.fail(`Shed: ${oldest}, ${since}, ${now} are in disorder`);
        }
        const { turn, act } = this.#plan("judge");
        if (act !== undefined && !this.#isAmid) {
          this.tally.hit("shed: its judge calls the pool");
          this.#acts++;
          this.#isAmid = true;
          this.perform(act);
          this.#isAmid = false;
        }
        if (turn === "fail") {
          this.tally.hit("shed: its judge throws");
          throw this.#error("judge");
        }
        if (turn === "lie") ledger.sheds++;
        return turn === "lie";
      },
    };
  }

  #create({ signal, lost, stripe }: CreateContext):
    | Resource
    | PromiseLike<Resource> {
    const { ledger } = this;
    const call = ledger.createCalled(signal, stripe);
    this.#losers.set(call, lost);
    const plan = this.#begin("create");
    return this.#answer(plan, "create", {
      call,
      signal,
      limit: this.config.createTimeout,
      succeed: () => {
        this.#losers.delete(call);
        const refusal = this.#refusal();
        if (refusal !== undefined) {
          const error = this.#error(refusal);
          ledger.createFailed(call, error);
          throw error;
        }
        const resource = ledger.created(call);
        if (resource.isLate) {
          this.tally.hit("create: comes after createTimeout");
        }
        this.#losers.set(resource, lost);
        return resource;
      },
      fail: (error) => {
        this.#losers.delete(call);
        ledger.createFailed(call, error);
      },
    });
  }

  /** Why the server lets nobody in. */
  #refusal(): string | undefined {
    if (this.calm) return undefined;
    if (this.#isDown) {
      this.tally.hit("outage: the server is down");
      return "down";
    }
    const { live, destroys } = this.ledger;
    if (live.size + destroys.size < this.config.places) return undefined;
    this.tally.hit("outage: the server is full");
    return "full";
  }

  #destroy(resource: Resource, context: DestroyContext): unknown {
    const { ledger } = this;
    const { reason } = context;
    this.trace?.(`   resource ${resource.id} is to be destroyed: ${reason}`);
    const call = ledger.destroyCalled(resource, reason, this.#asked(context));
    this.#noteGone(resource);
    const plan = this.#begin("destroy");
    const limit = this.config.destroyTimeout;
    return this.#answer(plan, "destroy", {
      call,
      limit,
      succeed: () => {
        if (plan.way === "later" && plan.after > limit) {
          this.tally.hit("destroy: settles after destroyTimeout");
        }
        ledger.destroyed(call);
      },
      fail: (error) => ledger.destroyed(call, { error }),
    });
  }

  /** Some callbacks ask for their signal, which is made only then. */
  #asked(context: { readonly signal: AbortSignal }): AbortSignal | undefined {
    return this.activity % 3 === 0 ? context.signal : undefined;
  }

  #validate(
    resource: Resource,
    context: ValidateContext,
  ): boolean | PromiseLike<boolean> {
    const { ledger, tally } = this;
    ledger.checkContext(resource, context);
    const call = ledger.validateCalled(resource, this.#asked(context));
    const plan = this.#begin("validate");
    const limit = this.config.validateTimeout;
    return this.#answer(plan, "validate", {
      call,
      limit,
      succeed: () => {
        const { dead } = resource;
        const verdict = plan.turn === "lie" ? dead : !dead;
        if (!ledger.validations.has(call)) {
          tally.hit("validate: settles after validateTimeout");
        }
        ledger.judged(call, verdict);
        if (plan.turn === "lie") {
          tally.hit(
            dead
              ? "validate: calls a dead resource good"
              : "validate: calls a good resource dead",
          );
        } else if (dead) tally.hit("validate: finds a dead resource");
        return verdict;
      },
      fail: () => ledger.judged(call, false),
    });
  }

  #reset(resource: Resource, context: ResetContext): unknown {
    const { ledger, tally } = this;
    const { failed } = context;
    if (failed) tally.hit("reset: after a use that threw");
    const call = ledger.resetCalled(resource, failed, this.#asked(context));
    const plan = this.#begin("reset");
    return this.#answer(plan, "reset", {
      call,
      limit: this.config.resetTimeout,
      succeed: () => {
        if (!ledger.resets.has(call)) {
          tally.hit("reset: settles after resetTimeout");
        }
        ledger.wasReset(call, true);
      },
      fail: () => ledger.wasReset(call, false),
    });
  }

  #observer(): PoolObserver<Resource> {
    const watch = (
      event: { resource?: Resource; stripe?: number; error?: unknown },
    ) => {
      const { resource, stripe } = event;
      if (resource !== undefined) this.ledger.placed(resource, stripe!);
      const plan = this.#begin("observer");
      if (plan.turn === "well") return;
      const error = this.#error("observer");
      if (plan.way === "at once") {
        this.tally.hit("observer: throws");
        throw error;
      }
      this.tally.hit("observer: rejects");
      return Promise.reject(error) as never;
    };
    return {
      created: watch,
      createFailed: watch,
      destroyed: watch,
      acquired: watch,
      acquireFailed: watch,
      released: watch,
      outageBegan: (event) => {
        this.#toldOfOutage(event.stripe, true);
        if (!this.ledger.creates.isFailure(event.error)) {
          this.ledger.fail(`Outage: begun, of all causes, by ${event.error}`);
        }
        return watch(event);
      },
      outageEnded: (event) => {
        this.#toldOfOutage(event.stripe, false);
        return watch(event);
      },
    };
  }

  #toldOfOutage(stripe: number, begins: boolean): void {
    const line = this.config.isolated ? stripe : 0;
    this.tally.hit(begins ? "outage: begins" : "outage: ends");
    if (this.#outages.has(line) === begins) {
      this.ledger.fail(
        `Outage: told twice that it ${begins ? "began" : "ended"}`,
      );
    }
    if (begins) this.#outages.add(line);
    else this.#outages.delete(line);
  }

  #isFatal(verdict: AcquireOp["isFatal"]): boolean {
    this.activity++;
    if (verdict === "throws") {
      this.tally.hit("use: isFatal throws");
      throw this.#error("isFatal");
    }
    if (verdict === "always") this.tally.hit("use: isFatal of the call");
    else this.tally.hit("use: throws, not fatal");
    return verdict === "always";
  }

  /** A callback was called: looks around, and acts if that is the plan. */
  #begin(role: Role): Plan {
    this.activity++;
    if (!this.#isAmid) glance(this, this.pool.stats());
    const next = this.#plan(role);
    if (this.ledger.violation !== undefined) {
      // It may call for ever, were it to go on.
      return { ...PLAIN, way: "later", after: Infinity };
    }
    if (next.act !== undefined) this.#act(next.act, role);
    return next;
  }

  /** What this call is to do. */
  #plan(role: Role): Plan {
    const index = this.calls[role]++;
    if (this.calm || this.ledger.violation !== undefined) return PLAIN;
    const next = plan(this.scenario, role, index);
    if (next === PLAIN) return PLAIN;
    this.planned.set(`${role} ${index}`, next);
    this.trace?.(`   ${role} ${index}: ${planInWords(next)}`);
    return next;
  }

  /** What is wrong with the clock this time. */
  #clockFault(role: "reading" | "timer"): Error | "no number" | undefined {
    const { turn } = this.#plan(role);
    if (turn === "well") return undefined;
    if (turn === "lie") {
      this.tally.hit("clock: reads no number");
      this.ledger.misread();
      return "no number";
    }
    this.tally.hit(
      role === "timer" ? "clock: sets no timer" : "clock: throws",
    );
    const error = this.#error("clock");
    this.ledger.clockErrors.add(error);
    return error;
  }

  #act(op: Op, role: Role): void {
    if (this.#depth >= MAX_DEPTH) return;
    this.#depth++;
    this.#acts++;
    this.tally.hit(`re-entry: from ${inFull(role)}`);
    if (op.do === "close" && op.signal === "aborted") {
      this.tally.hit("re-entry: aborted close");
    }
    switch (op.do) {
      case "acquire":
      case "tryAcquire":
      case "abort":
      case "clear":
      case "close":
        this.tally.hit(`re-entry: ${op.do}`);
        break;
      case "lose":
        this.tally.hit("re-entry: lost");
        break;
      case "resize":
      case "evict":
      case "detach":
        this.tally.hit(`re-entry: ${op.do}`);
        break;
      case "pause":
      case "unpause":
        this.tally.hit("re-entry: pause or its end");
        break;
      case "release":
      case "destroy":
        this.tally.hit("re-entry: release or destroy");
    }
    this.perform(op);
    this.trace?.(`   (${inWords(op)}: done)`);
    this.#depth--;
  }

  #answer<R>(
    plan: Plan,
    role: "create" | "destroy" | "validate" | "reset",
    answer: Answer<R>,
  ): R | PromiseLike<R> {
    const settle = (): R => {
      this.activity++;
      if (plan.turn !== "fail" && (plan.turn === "well" || role !== "create")) {
        return answer.succeed();
      }
      const error = this.#error(role);
      answer.fail(error);
      throw error;
    };
    this.#count(plan, role);
    switch (plan.way) {
      case "at once":
        return settle();
      case "by promise":
        return new Promise<R>((resolve) => resolve(settle()));
      case "by thenable":
        return {
          then: (resolve: (value: R) => void, reject: (e: unknown) => void) => {
            try {
              resolve(settle());
            } catch (error) {
              reject(error);
            }
          },
        } as PromiseLike<R>;
      case "later":
        return this.#later(plan, answer, settle);
    }
  }

  #later<R>(plan: Plan, answer: Answer<R>, settle: () => R): Promise<R> {
    const { limit, signal } = answer;
    return new Promise<R>((resolve, reject) => {
      const debt: Debt = {
        limit,
        pay: () => {
          if (!this.#debts.delete(debt)) return;
          try {
            resolve(settle());
          } catch (error) {
            reject(error);
          }
        },
      };
      this.#debts.add(debt);
      if (plan.after !== Infinity) this.clock.schedule(debt.pay, plan.after);
      if (!plan.heeds || signal === undefined) return;
      signal.addEventListener("abort", () => {
        if (!this.#debts.delete(debt)) return;
        this.activity++;
        this.tally.hit("create: heeds its signal");
        answer.fail(signal.reason);
        reject(signal.reason);
      });
    });
  }

  #count(
    plan: Plan,
    role: "create" | "destroy" | "validate" | "reset",
  ): void {
    const { way, turn, after } = plan;
    const slow = way === "later";
    const { tally } = this;
    if (slow && after === Infinity) return tally.hit(`${role}: hangs`);
    if (turn === "fail") {
      if (way === "at once") tally.hit(`${role}: throws`);
      else if (!slow) tally.hit(`${role}: rejects`);
      else if (role === "create") tally.hit("create: rejects late in time");
      else if (role === "destroy") tally.hit("destroy: slow, then rejects");
    } else if (slow) tally.hit(`${role}: slow`);
    else if (role === "create") tally.hit(`create: ${way}`);
  }

  #error(name: string): Error {
    return new Error(`${name} ${this.#errors++}`);
  }
}

type FullRole =
  | "create"
  | "destroy"
  | "validate"
  | "reset"
  | "an observer"
  | "a signal"
  | "a predicate";

function inFull(
  role: Role,
): FullRole {
  switch (role) {
    case "observer":
      return "an observer";
    case "signal":
      return "a signal";
    case "predicate":
      return "a predicate";
    case "reading":
    case "timer":
    case "judge":
      throw new Error("bug: neither a clock nor a judge acts");
    default:
      return role;
  }
}
