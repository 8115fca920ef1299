import type { DestroyReason } from "../core/destroy_reason.ts";
import type { Effects } from "../core/effects.ts";
import type { Entry } from "../core/entry.ts";
import type { Line, Shed } from "../core/line.ts";
import { Partition } from "../core/partition.ts";
import type { Lessor } from "../lease.ts";
import type { Acquirer, LeaseWatcher } from "../lease_watch.ts";
import type { PoolClosedError } from "../pool_error.ts";
import type { PoolObserver } from "../pool_observer.ts";
import type { Aged, PoolSettings } from "../pool_options.ts";
import { COUNTS, type PoolStats } from "../pool_stats.ts";
import { Acquiring } from "./acquiring.ts";
import { Agenda } from "./agenda.ts";
import { Budgeting } from "./budgeting.ts";
import { Closing } from "./closing.ts";
import { Context, type Task } from "./context.ts";
import { Creating } from "./creating.ts";
import { Destroying } from "./destroying.ts";
import { Events } from "./events.ts";
import { Evicting } from "./evicting.ts";
import { Eviction } from "./eviction.ts";
import { Keepalive } from "./keepalive.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";
import { Pausing } from "./pausing.ts";
import { Refusals } from "./refusals.ts";
import { Resetting } from "./resetting.ts";
import { Stocking } from "./stocking.ts";
import { Supply } from "./supply.ts";
import { Tape } from "./tape.ts";
import { Time } from "./time.ts";
import { UserCalls } from "./user_call.ts";
import { Validating } from "./validating.ts";

/**
 * Wires the parts of a pool, and runs the effects that its lines note: a verb
 * commits, and only when it has returned is user code called. After that code
 * has run, every act looks again whether what it holds is still its own.
 */
export class LocalPool<T> implements Lessor<T>, Parts<T>, Task {
  readonly settings: PoolSettings<T>;
  readonly partition: Partition<T>;
  readonly time: Time;
  readonly agenda: Agenda;
  readonly calls: UserCalls;
  readonly events: Events<T>;
  readonly refusals: Refusals<T>;
  watches: boolean;
  readonly acquiring: Acquirer<T>;
  readonly #stocking: Stocking<T>;
  readonly #supply: Supply<T>;
  readonly #evicting: Evicting<T>;
  readonly #pausing: Pausing<T>;
  readonly #budgeting: Budgeting<T> | undefined;
  readonly #closing: Closing<T>;
  readonly #eviction: Eviction<T>;
  readonly #keepalive: Keepalive<T> | undefined;
  readonly #watcher: LeaseWatcher<T> | undefined;
  readonly #context = new Context();
  readonly #tape = new Tape<T>();
  readonly #effects: Effects<T>;
  readonly #acquirer: Acquiring<T>;
  /** Whether anybody is told of a release. */
  #tells = false;
  /** Whether there is nothing to do but the effects that are noted. */
  #isPlain: boolean;
  /** How many acquires were pending when that was told last. */
  #pending = 0;
  #isPlaying = false;

  constructor(settings: PoolSettings<T>) {
    const { name, validate, reset, observer, clock } = settings;
    const { idleTimeout, maxUses, keepalive } = settings;
    this.settings = settings;
    this.watches = idleTimeout !== Infinity || keepalive !== Infinity;
    const validateAfter = validate === undefined
      ? Infinity
      : settings.validateAfter;
    const rules = {
      validateAfter,
      idleTimeout,
      maxUses,
      oldestFirst: settings.idleOrder === "oldest",
      shed: settings.shed && (() => contained(settings.shed!.judge())),
    };
    this.partition = new Partition(settings, rules, this.#tape);
    this.time = new Time(clock);
    this.agenda = new Agenda(this.time, this.#context);
    this.refusals = new Refusals(
      name,
      this.partition,
      (line, now) => ({
        ...this.#supply.circumstance(line, now),
        holders: this.#watcher?.holders(
          (stripe) => this.partition.lineOf(stripe) === line,
          now,
        ),
      }),
    );
    this.calls = new UserCalls(
      this.time,
      this.#context,
      this.agenda,
      (call, waited) => this.refusals.late(call, waited),
    );
    this.events = new Events(name);
    this.#closing = new Closing(this, {
      refuse: (error) => this.#refuse(error),
      abort: (error) => this.#supply.abort(error),
      abandon: () => this.#abandon(),
    });
    this.#eviction = new Eviction(this);
    const stocking = new Stocking(this, this.#context, this.#eviction);
    const supply = new Supply(this, this.#closing, this.#eviction, stocking);
    this.#supply = supply;
    this.#evicting = new Evicting(this, this.#eviction, supply);
    this.#pausing = new Pausing(this, supply);
    this.#budgeting = settings.budget &&
      new Budgeting(this, this.#context, settings.budget);
    this.#isPlain = this.#budgeting === undefined;
    this.#stocking = stocking;
    const validating = new Validating(this);
    this.#keepalive = keepalive === Infinity
      ? undefined
      : new Keepalive(this, validating);
    const lessor = reset === undefined
      ? this
      : new Resetting(this, this.#context, this);
    const watcher = settings.leaks?.(this, lessor);
    this.#watcher = watcher;
    const acquiring = new Acquiring(
      this,
      this.#context,
      watcher ?? lessor,
      this.#tape,
      this.#closing,
      supply,
      stocking,
      validating,
    );
    this.#acquirer = acquiring;
    const front = settings.nesting?.(this, acquiring) ?? acquiring;
    this.acquiring = watcher?.inFront(front) ?? front;
    const destroying = new Destroying(this, this.#closing, supply);
    const creating = new Creating(this, this.#closing, supply, destroying);
    this.#effects = {
      deliver: (waiter, entry) =>
        acquiring.deliver(waiter as Pending<T>, entry),
      validate: (waiter, entry) => (waiter as Pending<T>).offer!(entry),
      reject: (waiter, error) => acquiring.reject(waiter as Pending<T>, error),
      create: (creation) => creating.begin(creation),
      destroy: (entry, reason) => destroying.begin(entry, reason),
      shed: (waiter) => acquiring.shed(waiter as Pending<T>),
      paused: () => this.#pausing.paused(),
      closed: () => this.#closing.lineClosed(),
    };
    if (observer !== undefined) this.observe(observer);
  }

  observe(observer: PoolObserver<T>): Disposable {
    const { events } = this;
    // Who is pending already is no change.
    if (!events.asksPending) this.#pending = this.#countPending();
    const end = events.add(observer);
    this.#heard();
    return {
      [Symbol.dispose]: () => {
        end();
        this.#heard();
      },
    };
  }

  /** What nobody hears costs nothing. */
  #heard(): void {
    const { isObserved, asksPending } = this.events;
    this.#tells = isObserved;
    this.#acquirer.isObserved = isObserved;
    this.#isPlain = this.#budgeting === undefined && !asksPending;
  }

  release(entry: Entry<T>): void {
    if (this.#tells) return this.#releaseTold(entry);
    const line = this.partition.lineOf(entry.stripe);
    const now = this.time.now();
    // An aborted close took it back.
    if (entry.place !== "used") return;
    line.release(entry, now);
    if (this.#tape.end !== 0) this.play();
    if (this.watches) this.#watch(line);
  }

  #releaseTold(entry: Entry<T>): void {
    const line = this.partition.lineOf(entry.stripe);
    const now = this.time.now();
    if (entry.place !== "used") return;
    const use = now - entry.usedAt;
    line.release(entry, now);
    // A reset has told of it before.
    if (this.settings.reset === undefined) this.events.released(entry, use);
    this.events.rested(entry);
    this.follow(line);
  }

  destroy(entry: Entry<T>, reason: DestroyReason = "lease"): void {
    if (entry.place !== "used") return;
    this.partition.lineOf(entry.stripe).destroy(entry, reason);
    this.play();
  }

  closed({ stripe }: Entry<T>): PoolClosedError {
    return this.refusals.closed(stripe, "read 'value' of a lease of");
  }

  detach(entry: Entry<T>): void {
    this.partition.lineOf(entry.stripe).detach(entry);
    this.play();
  }

  evict(
    predicate: (resource: T, context: Aged) => boolean,
    within: number,
  ): number {
    return this.#evicting.evict(predicate, within);
  }

  resize(max: number): void {
    this.partition.resize(max);
    this.#stocking.resized();
    const now = this.time.now();
    for (const line of this.partition.lines) this.#supply.look(line, now);
    this.play();
  }

  pause(signal: AbortSignal | undefined): Promise<AsyncDisposable> {
    if (this.#closing.refuses) return Promise.reject(this.refusals.closed());
    return this.#pausing.pause(signal);
  }

  clear(): void {
    for (const line of this.partition.lines) line.clear();
    this.play();
  }

  close(signal: AbortSignal | undefined, serves: boolean): Promise<void> {
    return this.#closing.close(signal, serves);
  }

  warm(n: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closing.refuses) return Promise.reject(this.refusals.closed());
    return this.#stocking.warm(n, this.#supply.begun, signal);
  }

  stats(): PoolStats {
    const { lines, stripes } = this.partition;
    const stats: PoolStats = {
      ...{ idle: 0, used: 0, creating: 0, destroying: 0 },
      ...{ pending: 0, waiting: 0, validating: 0, max: this.max },
      stripes: stripes.map((stripe) => {
        const { spare: _, ...slots } = stripe.slots();
        const line = this.partition.lineOf(stripe.id);
        const { pending, waiting, validating } = line.stats();
        return { ...slots, pending, waiting, validating, max: stripe.max };
      }),
    };
    for (const line of lines) {
      const counts = line.stats();
      for (const name of COUNTS) stats[name] += counts[name];
    }
    return stats;
  }

  get max(): number {
    const { lines } = this.partition;
    return lines.reduce((sum, { max }) => sum + max, 0);
  }

  now(): number {
    return this.time.now();
  }

  play(): void {
    this.#playFrom(this.#context.isInside);
  }

  playNow(): void {
    this.#playFrom(true);
  }

  inContext(): void {
    this.playNow();
  }

  follow(line: Line<T>): void {
    this.play();
    if (this.watches) this.#watch(line);
  }

  #playFrom(isInside: boolean): void {
    const isIdle = this.#tape.end === 0 && this.#isPlain;
    if (!this.#isPlaying && !isIdle) this.#playAll(isInside);
  }

  #playAll(isInside: boolean): void {
    this.#isPlaying = true;
    try {
      do {
        // What ran may want permits, or give some back.
        this.#budgeting?.sync();
        while (this.#tape.end !== 0) {
          if (!this.#tape.play(this.#effects, isInside)) {
            this.#context.do(this);
            break;
          }
          this.#budgeting?.sync();
        }
      } while (this.#tellsPending());
    } finally {
      this.#isPlaying = false;
    }
    this.#closing.look();
  }

  /** Gives whether it told of a change, which may have caused more. */
  #tellsPending(): boolean {
    if (!this.events.asksPending) return false;
    const pending = this.#countPending();
    if (pending === this.#pending) return false;
    this.#pending = pending;
    this.events.tell("pendingChanged", { pending });
    return true;
  }

  #countPending(): number {
    return this.partition.lines.reduce((sum, { pending }) => sum + pending, 0);
  }

  #watch(line: Line<T>): void {
    if (line.idle === 0) return;
    this.watches = false;
    const now = this.time.now();
    this.#eviction.watch(now);
    this.#keepalive?.watch(now);
  }

  /** Ends what only an open pool does. */
  #refuse(error: unknown): void {
    this.#stocking.close(error);
    this.#pausing.close(error);
    this.#watcher?.closing();
  }

  /** Waits no longer for leases and creates. */
  #abandon(): void {
    for (const line of this.partition.lines) line.abandon();
    this.calls.abandon();
    this.play();
  }
}

/** A judge of someone's own making that fails sheds nobody. */
function contained(shed: Shed): Shed {
  return {
    retryAfter: shed.retryAfter,
    mustLeave(since, oldest, now) {
      try {
        return shed.mustLeave(since, oldest, now) === true;
      } catch {
        return false;
      }
    },
  };
}
