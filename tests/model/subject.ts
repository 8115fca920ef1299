import {
  AcquireTimeoutError,
  type Lease,
  Pool,
  PoolClosedError,
  PoolFullError,
  type PoolObserver,
  type PoolStats,
} from "../../mod.ts";
import type { Event } from "./event.ts";
import { ReplayClock, type ReplayTimer } from "./replay_clock.ts";
import type { Scope } from "./scope.ts";
import { type AcquireEvent, IDLE_TICKS, MAX_PENDING } from "./world.ts";

/** Milliseconds of a tick. */
const TICK = 1_000;
const IDLE_TIMEOUT = IDLE_TICKS * TICK;

/** Far apart, so that the delay of a timer tells what it is for. */
const ACQUIRE_TIMEOUT = 10_000_000;
const CREATE_TIMEOUT = 20_000_000;
const DESTROY_TIMEOUT = 30_000_000;
const VALIDATE_TIMEOUT = 40_000_000;

/** Milliseconds between the deadlines of acquires: more than a run has ticks. */
const DEADLINE_STEP = 100_000;

/** Microtasks after which nothing of an event is left to happen. */
const MICROTASKS = 8;

/** Different pasts: so many numbers of acquires in vain, in two orders. */
const PAST_WAITS = 2;
export const PASTS = 2 * PAST_WAITS;

/** Leases and acquires that are over and are poked at. */
const KEPT = 4;

/** An observer throws whenever it is told something, to no effect. */
const TOLD = new Error("told");

/** What the pool makes: an object, so that its identity matters. */
interface Thing {
  readonly id: number;
}

/** A call of user code that the replay settles. */
interface Call<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: number;
  timer: ReplayTimer | undefined;
}

interface Acquire {
  readonly controller: AbortController;
  readonly deadline: number;
}

/** What the pool did in one event, each list in its order. */
export interface Seen {
  creates: number;
  destroys: number[];
  validates: number[];
  /** Who settled with what. */
  settled: string[];
  /** What the observer was told of, acquires apart. */
  told: string[];
  closed: string | undefined;
  /** The counts before any promise had settled, where the event is a call. */
  committed: PoolStats | undefined;
  /** What no model is needed to see. */
  faults: string[];
}

/** Timers by what they are for. */
export interface TimerCounts {
  create: number;
  destroy: number;
  validate: number;
  /** Those for the deadlines of acquires, which keep a process alive. */
  acquire: number;
  idle: number;
}

/** The real pool, driven event by event. */
export class Subject {
  readonly pool: Pool<Thing>;
  seen: Seen = nothing();
  /** Abort listeners on the signals of acquires and of close. */
  listeners = 0;
  readonly #clock = new ReplayClock();
  readonly #validated: Scope["validate"];
  readonly #creates = new Map<number, Call<Thing>>();
  readonly #destroys = new Map<number, Call<void>>();
  readonly #validates = new Map<number, Call<boolean>>();
  readonly #acquires = new Map<number, Acquire>();
  readonly #leases = new Map<number, Lease<Thing>>();
  readonly #spent: Lease<Thing>[] = [];
  readonly #over: AbortController[] = [];
  readonly #closer = new AbortController();
  #unpaired: [Call<never>, number][] = [];
  #event: Event | undefined = undefined;
  /** Numbers for the creates of this event, as the model gives them. */
  #ids: number[] = [];
  /** The clients that this event settles. */
  #woken: readonly number[] = [];
  /** How often a synchronous `validate` says no before it says yes. */
  #bad = 0;
  #arrivals = 0;

  constructor(scope: Scope, observed: boolean) {
    this.#validated = scope.validate;
    this.#listen(this.#closer.signal);
    this.pool = new Pool<Thing>({
      create: () => this.#create(),
      destroy: (thing) => this.#destroy(thing),
      validate: scope.validate === "never"
        ? undefined
        : (thing) => this.#validate(thing),
      max: scope.capacities.reduce((sum, capacity) => sum + capacity, 0),
      stripes: scope.capacities.length,
      isolated: scope.isolated,
      idleTimeout: IDLE_TIMEOUT,
      acquireTimeout: ACQUIRE_TIMEOUT,
      createTimeout: CREATE_TIMEOUT,
      destroyTimeout: DESTROY_TIMEOUT,
      validateTimeout: VALIDATE_TIMEOUT,
      maxPending: scope.faults.has("maxPending") ? MAX_PENDING : Infinity,
      observer: observed ? this.#observer() : undefined,
      clock: this.#clock,
    });
  }

  /**
   * Makes `event` happen. `ids` are the numbers of the creates it is to begin,
   * `woken` the clients it is to settle.
   */
  async perform(
    event: Event,
    ids: readonly number[],
    woken: readonly number[],
  ): Promise<void> {
    this.seen = nothing();
    this.#poke();
    this.#event = event;
    this.#ids = [...ids];
    this.#woken = woken;
    this.#act(event);
    if (isCall(event)) {
      this.seen.committed = this.pool.stats();
      this.#abortWoken();
    }
    await settle(MICROTASKS);
    this.#pairTimers();
  }

  /**
   * Gives a new pool a past: every slot is taken, some acquires wait in vain,
   * every resource is destroyed. It ends up as empty as it was, but for what
   * it may remember of the stripes it chose.
   */
  async liveThrough(past: number): Promise<void> {
    if (past === 0) return;
    const { max } = this.pool.stats();
    const ids = Array.from({ length: max }, (_, i) => -1 - i);
    this.#ids = [...ids];
    const acquires = ids.map(() => this.pool.acquire());
    for (const id of ids) take(this.#creates, id).resolve({ id });
    const leases = await Promise.all(acquires);
    for (let i = 0; i < past % PAST_WAITS; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      this.pool.acquire({ signal }).catch(() => {});
      controller.abort("in vain");
    }
    if (past >= PAST_WAITS) leases.reverse();
    for (const lease of leases) lease.destroy();
    for (const id of this.seen.destroys) take(this.#destroys, id).resolve();
    await settle(MICROTASKS);
    this.#unpaired = [];
  }

  /** Waits for what may come late. */
  async linger(): Promise<void> {
    await settle(8 * MICROTASKS);
  }

  timers(): TimerCounts {
    const counts = { create: 0, destroy: 0, validate: 0, acquire: 0, idle: 0 };
    for (const timer of this.#clock.timers) {
      const purpose = purposeOf(timer);
      counts[purpose]++;
      if (purpose === "acquire" && !timer.referenced) {
        this.seen.faults.push("an acquire does not keep the process alive");
      }
      if (purpose === "idle" && timer.referenced) {
        this.seen.faults.push("an idle resource keeps the process alive");
      }
    }
    return counts;
  }

  /** What is over is over: none of this does anything. */
  #poke(): void {
    for (const lease of this.#spent) {
      lease.release();
      lease.destroy();
    }
    for (const controller of this.#over) controller.abort("too late");
    this.#over.length = 0;
  }

  /** They are settled, though their promises have yet to tell: too late. */
  #abortWoken(): void {
    for (const client of this.#woken) {
      this.#acquires.get(client)?.controller.abort("too late");
    }
  }

  #act(event: Event): void {
    switch (event.kind) {
      case "acquire":
      case "acquireNow":
        return this.#acquire(event);
      case "tryAcquire":
        return this.#tryAcquire(event);
      case "release":
        this.#bad = event.bad;
        return this.#spend(event.client).release();
      case "destroy":
        return this.#spend(event.client).destroy();
      case "cancel":
        return this.#acquires.get(event.client)!.controller.abort(
          `abort ${event.client}`,
        );
      case "acquireTimesOut": {
        const { deadline } = this.#acquires.get(event.client)!;
        return this.#fire("acquire", deadline);
      }
      case "tick":
        this.#clock.time += TICK;
        return;
      case "sweep":
        return this.#fire("idle", this.#clock.time);
      case "clear":
        return this.pool.clear();
      case "close":
        return this.#close();
      case "abandon":
        return this.#abandon();
      default:
        return this.#end(event);
    }
  }

  #acquire({ kind, client, home, bad }: AcquireEvent): void {
    const controller = new AbortController();
    const { signal } = controller;
    this.#listen(signal);
    // Deadlines ascend with arrival, as they do with one timeout for all.
    const timeout = kind === "acquireNow"
      ? 0
      : ACQUIRE_TIMEOUT + ++this.#arrivals * DEADLINE_STEP;
    const deadline = this.#clock.time + timeout;
    this.#acquires.set(client, { controller, deadline });
    this.#bad = bad;
    this.pool.acquire({ affinity: home, timeout, signal }).then(
      (lease) => this.#take(client, lease),
      (error) => {
        this.#forget(client);
        this.seen.settled.push(`${client} fails: ${inWords(error)}`);
      },
    );
  }

  #tryAcquire({ client, home, bad }: AcquireEvent): void {
    this.#bad = bad;
    const lease = this.pool.tryAcquire({ affinity: home });
    if (lease !== undefined) this.#take(client, lease);
    else this.seen.settled.push(`${client} gets nothing`);
  }

  #take(client: number, lease: Lease<Thing>): void {
    this.#forget(client);
    this.#leases.set(client, lease);
    this.seen.settled.push(`${client} gets ${lease.value.id}`);
  }

  #forget(client: number): void {
    const acquire = this.#acquires.get(client);
    if (acquire === undefined) return;
    this.#acquires.delete(client);
    this.#over.push(acquire.controller);
  }

  #spend(client: number): Lease<Thing> {
    const lease = this.#leases.get(client)!;
    this.#leases.delete(client);
    this.#spent.push(lease);
    if (this.#spent.length > KEPT) this.#spent.shift();
    return lease;
  }

  #close(): void {
    this.pool.close({ signal: this.#closer.signal }).then(
      () => this.seen.closed = "well",
      (error) => {
        this.seen.closed = error instanceof AggregateError
          ? `with ${error.errors.length} errors`
          : "with 1 errors";
      },
    );
  }

  /** What is still out is nobody's from now on. */
  #abandon(): void {
    this.#closer.abort("enough");
    for (const client of [...this.#leases.keys()]) this.#spend(client);
    for (const call of this.#validates.values()) call.resolve(true);
    this.#validates.clear();
  }

  /** Settles a call of user code, or lets its time run out. */
  #end(event: Event): void {
    switch (event.kind) {
      case "created":
      case "lateCreated":
        return take(this.#creates, event.id).resolve({ id: event.id });
      case "createFails":
      case "lateCreateFails":
        return take(this.#creates, event.id).reject(`create ${event.id}`);
      case "createTimesOut":
        return this.#expire(this.#creates.get(event.id)!);
      case "destroyed":
        return take(this.#destroys, event.resource).resolve();
      case "destroyThrows":
        return take(this.#destroys, event.resource).reject("destroy");
      case "destroyTimesOut": {
        const call = take(this.#destroys, event.resource);
        this.#expire(call);
        return call.resolve();
      }
      case "valid":
      case "invalid":
        return take(this.#validates, event.resource)
          .resolve(event.kind === "valid");
      case "validateThrows":
        return take(this.#validates, event.resource).reject("validate");
      case "validateTimesOut": {
        const call = take(this.#validates, event.resource);
        this.#expire(call);
        return call.resolve(true);
      }
    }
  }

  #fire(purpose: keyof TimerCounts, deadline: number): void {
    for (const timer of this.#clock.timers) {
      if (purposeOf(timer) !== purpose) continue;
      return this.#clock.fire(timer, deadline);
    }
    this.seen.faults.push(`there is no ${purpose} timer`);
  }

  #expire({ timer, deadline }: Call<never>): void {
    if (timer !== undefined) this.#clock.fire(timer, deadline);
    else this.seen.faults.push("a call has no timer");
  }

  // What the pool calls.

  #create(): Promise<Thing> {
    const { creating } = this.pool.stats();
    if (creating < 1) this.seen.faults.push("create before its commit");
    this.seen.creates++;
    const id = this.#ids.shift();
    if (id === undefined) return new Promise(() => {});
    return this.#begin(this.#creates, id, CREATE_TIMEOUT);
  }

  #destroy({ id }: Thing): Promise<void> {
    this.seen.destroys.push(id);
    if (this.#event?.kind === "lateCreated") {
      return id % 2 === 0 ? Promise.resolve() : Promise.reject("destroy");
    }
    const { destroying } = this.pool.stats();
    if (destroying < 1) this.seen.faults.push("destroy before its commit");
    return this.#begin(this.#destroys, id, DESTROY_TIMEOUT);
  }

  #validate({ id }: Thing): boolean | Promise<boolean> {
    const { used } = this.pool.stats();
    if (used < 1) this.seen.faults.push("validate before its commit");
    this.seen.validates.push(id);
    return this.#validated === "async"
      ? this.#begin(this.#validates, id, VALIDATE_TIMEOUT)
      : this.#verdict();
  }

  /** A no is said in both ways in turn. */
  #verdict(): boolean {
    if (this.#bad === 0) return true;
    if (this.#bad-- % 2 === 0) throw new Error("validate");
    return false;
  }

  #begin<R>(
    calls: Map<number, Call<R>>,
    id: number,
    limit: number,
  ): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const deadline = this.#clock.time + limit;
    const call: Call<R> = { resolve, reject, deadline, timer: undefined };
    calls.set(id, call);
    this.#unpaired.push([call as Call<never>, limit]);
    return promise;
  }

  /** Gives each new call its timer: they are set in the order of the calls. */
  #pairTimers(): void {
    if (this.#unpaired.length === 0) return;
    for (const timer of this.#clock.timers) {
      if (timer.isPaired) continue;
      const i = this.#unpaired.findIndex(([, limit]) => limit === timer.delay);
      if (i < 0) continue;
      this.#unpaired[i]![0].timer = timer;
      timer.isPaired = true;
      this.#unpaired.splice(i, 1);
    }
    if (this.#unpaired.length > 0) {
      this.seen.faults.push("a call of user code has no timer");
    }
    this.#unpaired = [];
  }

  #observer(): PoolObserver<Thing> {
    const tell = (what: string) => {
      this.seen.told.push(what);
      throw TOLD;
    };
    return {
      created: ({ resource, stripe }) =>
        tell(`created ${resource.id} at ${stripe}`),
      createFailed: ({ stripe }) => tell(`createFailed at ${stripe}`),
      destroyed: ({ resource, stripe, reason, error }) => {
        const how = error === undefined ? "well" : "badly";
        tell(`destroyed ${resource.id} at ${stripe} ${how}: ${reason}`);
      },
      released: ({ resource }) => tell(`released ${resource.id}`),
      acquired: () => this.#abortWoken(),
      acquireFailed: () => this.#abortWoken(),
    };
  }

  #listen(signal: AbortSignal): void {
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (
      ...args: Parameters<typeof addEventListener>
    ) => {
      this.listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (
      ...args: Parameters<typeof removeEventListener>
    ) => {
      this.listeners--;
      removeEventListener.apply(signal, args);
    };
  }
}

function nothing(): Seen {
  return {
    creates: 0,
    destroys: [],
    validates: [],
    settled: [],
    told: [],
    closed: undefined,
    committed: undefined,
    faults: [],
  };
}

/** Whether the event is a call that commits before it returns. */
function isCall({ kind }: Event): boolean {
  return kind === "acquire" || kind === "acquireNow" || kind === "tryAcquire" ||
    kind === "release" || kind === "destroy" || kind === "cancel" ||
    kind === "sweep" || kind === "clear" || kind === "close" ||
    kind === "abandon" || kind.endsWith("TimesOut");
}

function purposeOf({ delay }: ReplayTimer): keyof TimerCounts {
  if (delay === CREATE_TIMEOUT) return "create";
  if (delay === DESTROY_TIMEOUT) return "destroy";
  if (delay === VALIDATE_TIMEOUT) return "validate";
  return delay < DEADLINE_STEP / 2 ? "idle" : "acquire";
}

function inWords(error: unknown): string {
  if (error instanceof AcquireTimeoutError) return "acquire timeout";
  if (error instanceof PoolClosedError) return "closed";
  if (error instanceof PoolFullError) return "full";
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return "create timeout";
  }
  return String(error);
}

function take<R>(calls: Map<number, Call<R>>, id: number): Call<R> {
  const call = calls.get(id)!;
  calls.delete(id);
  return call;
}

async function settle(microtasks: number): Promise<void> {
  for (let i = 0; i < microtasks; i++) await undefined;
}
