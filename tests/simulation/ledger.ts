import {
  AcquireTimeoutError,
  type DestroyReason,
  type Lease,
  PoolClosedError,
  PoolFullError,
} from "../../mod.ts";
import { CloseWatch } from "./close_watch.ts";
import type { Config } from "./scenario.ts";
import type { Moment, SeenClock } from "./seen_clock.ts";
import type { Fault, Tally } from "./tally.ts";

/** A resource as the server sees it. */
export interface Resource {
  readonly id: number;
  /** The signal of its create; aborted, the pool gave up on it before. */
  readonly signal: AbortSignal;
  /** How often the pool was cleared when its create was called. */
  readonly clears: number;
  /** Where it lives, -1 until the observer tells. */
  stripe: number;
  dead: boolean;
  holder: Claim | undefined;
  destroyCalls: number;
  /** The most its age as an idle resource can have been when it was destroyed. */
  lastAge: number;
  /** When it was last given up by a holder or a verdict, and in which epoch. */
  idleSince: Moment;
  idleEpoch: number;
}

/** An acquire as its caller sees it. */
export interface Claim {
  readonly id: number;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly since: Moment;
  /** Its line; -1 where only the pool knows. */
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
}

/** A call of a callback that has not answered. */
export interface Call {
  readonly resource: Resource | undefined;
  readonly signal: AbortSignal | undefined;
  readonly since: Moment;
  readonly clears: number;
  /** Milliseconds after which the pool stops waiting for it. */
  readonly limit: number;
  /** Whether it is a destroy for which nobody waits. */
  readonly late: boolean;
  readonly epoch: number;
  /** For a validate: how many may have been elsewhere when its epoch ended. */
  elsewhere: number;
  /** Whether its failure has reached somebody. */
  told: boolean;
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
  readonly creates: Set<Call> = new Set();
  readonly destroys: Set<Call> = new Set();
  readonly validations: Set<Call> = new Set();
  clears = 0;
  readonly closing: CloseWatch = new CloseWatch();
  readonly #config: Config;
  readonly #clock: SeenClock;
  readonly #tally: Tally;
  readonly #capacities: number[];
  /** What the clock threw. */
  readonly clockErrors: Set<unknown> = new Set();
  /** What creates failed with, until it has reached somebody. */
  readonly #failures: Set<unknown> = new Set();
  #misreadAt: Moment | undefined = undefined;
  /** Claims served in this epoch. */
  #served: Claim[] = [];
  /** Verdicts given in this epoch. */
  #verdicts = 0;
  /** By resource, the call that found it good in this epoch. */
  readonly #approved: Map<Resource, Call> = new Map();
  #made = 0;
  #arrivals = 0;
  /** Resources that went under validation: each may be refused. */
  #checked = 0;
  #creates = 0;
  #failed = 0;

  constructor(config: Config, clock: SeenClock, tally: Tally) {
    this.#config = config;
    this.#clock = clock;
    this.#tally = tally;
    const { max, stripes } = config;
    this.#capacities = Array.from(
      { length: stripes },
      (_, i) => Math.ceil((max - i) / stripes),
    );
  }

  /** Notes the first violation; the others may follow from it. */
  fail(rule: string): void {
    this.violation ??= rule;
  }

  capacity(stripe: number): number {
    return this.#capacities[stripe]!;
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
  ): Claim {
    const { isolated, stripes } = this.#config;
    const known = typeof affinity === "number" ? affinity % stripes : -1;
    this.#arrivals++;
    const claim: Claim = {
      id,
      signal,
      timeout,
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
    };
    this.pending.add(claim);
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
    const { line } = claim;
    if (this.#config.isolated && line >= 0 && resource.stripe >= 0) {
      if (line !== resource.stripe) {
        this.fail(`#${claim.id} of stripe ${line} got ${resource.stripe}'s`);
      }
    }
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
    claim.state = "refused";
    const reason = this.#refusal(claim, error);
    if (reason !== undefined) return this.#tally.hit(reason);
    this.fail(`#${claim.id} was rejected without a reason: ${error}`);
  }

  /** A lease ends; `false` if it had ended before. */
  ended(claim: Claim): boolean {
    if (claim.state !== "held") return false;
    claim.state = "ended";
    this.held.delete(claim);
    this.#rest(claim.resource!);
    claim.resource!.holder = undefined;
    return true;
  }

  // Callbacks.

  createCalled(signal: AbortSignal): Call {
    const call: Call = {
      resource: undefined,
      signal,
      since: this.#clock.moment,
      clears: this.clears,
      limit: this.#config.createTimeout,
      late: false,
      epoch: this.epoch,
      elsewhere: 0,
      told: false,
    };
    this.creates.add(call);
    // A failure that is told to nobody leaves the one it was for in line.
    const failed = this.#failed + this.creates.size - this.creating();
    if (++this.#creates > this.#arrivals + this.#checked + failed) {
      this.fail("S6: more creates than acquires that could need them");
    }
    const { max } = this.#config;
    if (!this.closing.aborted && this.total() > max) {
      this.fail(`S1: the server has ${this.total()} of ${max}`);
    }
    if (this.closing.aborted) {
      this.fail("S10: create called after an aborted close");
    }
    return call;
  }

  created(call: Call): Resource {
    this.creates.delete(call);
    const resource: Resource = {
      id: this.#made++,
      signal: call.signal!,
      clears: call.clears,
      stripe: this.#config.stripes === 1 ? 0 : -1,
      dead: false,
      holder: undefined,
      destroyCalls: 0,
      lastAge: 0,
      idleSince: this.#clock.moment,
      idleEpoch: 0,
    };
    this.#rest(resource);
    this.live.add(resource);
    return resource;
  }

  createFailed(call: Call, error: unknown): void {
    // One that was given up stays in the books until its failure was told.
    if (this.isGivenUp(call.signal!)) return;
    this.creates.delete(call);
    this.#failed++;
    this.#failures.add(error);
  }

  destroyCalled(resource: Resource): Call {
    if (++resource.destroyCalls > 1) {
      this.fail(`S2: resource ${resource.id} destroyed twice`);
    }
    const { holder } = resource;
    if (holder !== undefined && !this.closing.aborted) {
      this.fail(`S2: resource ${resource.id} destroyed in use`);
    }
    if (holder !== undefined) {
      this.#tally.hit("lease: taken back by an aborted close");
      this.ended(holder);
    }
    resource.lastAge = this.#clock.most(resource.idleSince);
    this.live.delete(resource);
    const call: Call = {
      resource,
      signal: undefined,
      since: this.#clock.moment,
      clears: this.clears,
      limit: this.#config.destroyTimeout,
      late: this.isGivenUp(resource.signal),
      epoch: this.epoch,
      elsewhere: 0,
      told: false,
    };
    this.destroys.add(call);
    return call;
  }

  /** A destroy answered; the pool heard it if it still waited for it. */
  destroyed(call: Call, failure?: { error: unknown }): void {
    const isSure = this.#isAwaited(call) &&
      this.#clock.most(call.since) < call.limit;
    if (!this.destroys.delete(call) || call.late) return;
    if (failure !== undefined) {
      this.closing.destroyFailed(this.epoch, failure.error, isSure);
    }
  }

  validateCalled(resource: Resource): Call {
    this.#checked++;
    if (resource.destroyCalls > 0 || resource.holder !== undefined) {
      this.fail(`S2: resource ${resource.id} validated, but not at rest`);
    }
    for (const { resource: other } of this.validations) {
      if (other === resource) this.fail(`S2: ${resource.id} validated twice`);
    }
    const call: Call = {
      resource,
      signal: undefined,
      since: this.#clock.moment,
      clears: this.clears,
      limit: this.#config.validateTimeout,
      late: false,
      epoch: this.epoch,
      elsewhere: 0,
      told: false,
    };
    this.validations.add(call);
    return call;
  }

  judged(call: Call, valid: boolean): void {
    this.#verdicts++;
    if (!this.validations.delete(call) || !valid) return;
    this.#rest(call.resource!);
    this.#approved.set(call.resource!, call);
  }

  // What the observer tells.

  placed(resource: Resource, stripe: number): void {
    if (resource.stripe === -1) resource.stripe = stripe;
    if (resource.stripe !== stripe) {
      this.fail(
        `resource ${resource.id} of stripe ${resource.stripe} is in ${stripe}`,
      );
    }
  }

  evicted(resource: Resource, reason: DestroyReason): void {
    if (reason === "idle") {
      this.#tally.hit("pool: evicts an idle resource");
      if (!(resource.lastAge > this.#config.idleTimeout)) {
        this.fail(`S8: resource ${resource.id} evicted at ${resource.lastAge}`);
      }
    }
    const { signal } = resource;
    const isClosed = signal.reason instanceof PoolClosedError;
    if (!isClosed && (reason === "late") !== signal.aborted) {
      this.fail(`resource ${resource.id} destroyed as ${reason}`);
    }
  }

  /** Whether the pool waits no longer for the create with this signal. */
  isGivenUp({ aborted, reason }: AbortSignal): boolean {
    const isClosed = reason instanceof PoolClosedError;
    return aborted && (this.closing.aborted || !isClosed);
  }

  /** Slots that are taken as the server sees it. */
  total(): number {
    let total = this.creating() + this.destroying();
    for (const { signal } of this.live) {
      if (!this.isGivenUp(signal)) total++;
    }
    return total;
  }

  creating(): number {
    let creating = 0;
    for (const { signal } of this.creates) {
      if (!this.isGivenUp(signal!)) creating++;
    }
    return creating;
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
      this.#clock.mostFired(since) < limit;
  }

  /** All promises have settled: what happened until now is known to all. */
  endEpoch(): void {
    this.#checkOrder();
    this.#endCalls();
    for (const { holder, destroyCalls } of this.#approved.keys()) {
      if (holder === undefined && destroyCalls === 0) {
        this.#tally.hit("validate: taker gone meanwhile");
      }
    }
    this.#approved.clear();
    this.#served = [];
    this.#verdicts = 0;
    this.epoch++;
  }

  /** Forgets the calls that the pool has given up, and not too early. */
  #endCalls(): void {
    const { closing, clockErrors } = this;
    const clock = this.#clock;
    const isEarly = ({ since, limit }: Call) => clock.most(since) < limit;
    for (const call of this.creates) {
      const { reason } = call.signal!;
      if (!this.isGivenUp(call.signal!)) continue;
      this.#failed++;
      this.creates.delete(call);
      if (closing.aborted || clockErrors.has(reason)) continue;
      if (isEarly(call)) this.fail("a create is given up too early");
    }
    for (const call of this.destroys) {
      if (clock.least(call.since) >= call.limit) this.destroys.delete(call);
    }
    for (const call of this.validations) {
      if (call.resource!.destroyCalls === 0) continue;
      this.validations.delete(call);
      if (closing.began || call.since.failures < clock.failures) continue;
      if (isEarly(call)) this.fail("a validate is given up too early");
    }
  }

  /**
   * S4: whoever is offered a resource leaves nobody in its line who came
   * before. Those with a resource under validation then were not in it, though
   * they may be again when its own is found good, epochs later.
   */
  #checkOrder(): void {
    const elsewhere = this.validations.size + this.#verdicts;
    for (const call of this.validations) {
      if (call.epoch === this.epoch) call.elsewhere = elsewhere;
    }
    for (const served of this.#served) {
      let older = 0;
      const line = this.#lineOf(served);
      for (const claim of this.pending) {
        if (claim.order > served.order) break;
        if (line >= 0 && claim.line === line) older++;
      }
      if (older > this.#elsewhere(served, elsewhere)) {
        this.fail(`S4: #${served.id} overtook ${older} who came before`);
      }
    }
  }

  /** How many may have been elsewhere when a claim was offered its resource. */
  #elsewhere({ resource }: Claim, now: number): number {
    const call = resource && this.#approved.get(resource);
    if (call === undefined) return now;
    // Without the claim itself.
    return (call.epoch === this.epoch ? now : call.elsewhere) - 1;
  }

  #lineOf(claim: Claim): number {
    if (claim.line >= 0) return claim.line;
    return claim.resource?.stripe ?? -1;
  }

  /** Why a claim was rejected, if there was reason to. */
  #refusal(claim: Claim, error: unknown): Fault | undefined {
    const { signal, timeout, since } = claim;
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
      if (timeout === 0) return "acquire: timeout 0 refused";
      const over = this.#clock.most(since) >= timeout;
      return over ? "acquire: timed out" : undefined;
    }
    const failure = this.#createFailure(error);
    if (failure !== undefined) this.#served.push(claim);
    else if (this.#isOfClock(since, error)) {
      return "acquire: rejected by the clock";
    }
    return failure;
  }

  /** Whether an error is that of a create which nobody was told. */
  #createFailure(error: unknown): Fault | undefined {
    if (this.#failures.delete(error)) {
      return "acquire: rejected by a failed create";
    }
    for (const call of this.creates) {
      if (call.told || !call.signal!.aborted) continue;
      if (call.signal!.reason !== error) continue;
      call.told = true;
      return this.clockErrors.has(error)
        ? "create: given up without a timer"
        : "create: given up at createTimeout";
    }
    return undefined;
  }

  /** Whether an error is the clock's, or tells of it where it was misread. */
  #isOfClock(since: Moment, error: unknown): boolean {
    if (this.clockErrors.has(error)) return true;
    return this.#misreadAt === since && /clock/.test(String(error));
  }

  /** Nobody holds it any more. */
  #rest(resource: Resource): void {
    resource.idleSince = this.#clock.moment;
    resource.idleEpoch = this.epoch;
  }
}
