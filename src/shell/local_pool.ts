import type { DestroyReason } from "../core/destroy_reason.ts";
import type { Effects } from "../core/effects.ts";
import type { Entry } from "../core/entry.ts";
import type { Line } from "../core/line.ts";
import { Partition } from "../core/partition.ts";
import type { Lessor } from "../lease.ts";
import type { Acquirer, LeaseWatcher } from "../lease_watch.ts";
import type { PoolClosedError } from "../pool_error.ts";
import type { PoolObserver } from "../pool_observer.ts";
import type { PoolSettings } from "../pool_options.ts";
import { HOLDERS, type PoolDetails, type PoolStats } from "../pool_stats.ts";
import { Time } from "../time.ts";
import { Acquiring } from "./acquiring.ts";
import { Agenda } from "./agenda.ts";
import { Budgeting } from "./budgeting.ts";
import { Census } from "./census.ts";
import { Closing } from "./closing.ts";
import { Context, type Task } from "./context.ts";
import { Creating } from "./creating.ts";
import { Destroying } from "./destroying.ts";
import { detailsOf } from "./details.ts";
import { Events } from "./events.ts";
import { Evicting } from "./evicting.ts";
import { Eviction } from "./eviction.ts";
import { Keepalive } from "./keepalive.ts";
import { lineRules } from "./line_rules.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";
import { Pausing } from "./pausing.ts";
import { Refusals } from "./refusals.ts";
import { Resetting } from "./resetting.ts";
import { Stocking } from "./stocking.ts";
import { Supply } from "./supply.ts";
import { Tape } from "./tape.ts";
import { UserCalls } from "./user_call.ts";
import { Validating } from "./validating.ts";

/**
 * Wires the parts of a pool, and runs the effects that its lines note: a verb
 * commits, and only when it has returned is user code called. After that code
 * has run, every act looks again whether what it holds is still its own.
 */
export class LocalPool<T> implements Lessor<T>, Parts<T>, Task {
  // What each acquire and release reads is first, so that it lies together.
  readonly acquiring: Acquirer<T>;
  readonly partition: Partition<T>;
  readonly time: Time;
  /** Whether anybody is told of a release. */
  #tells = false;
  readonly #tape = new Tape<T>();
  watches: boolean;
  readonly settings: PoolSettings<T>;
  readonly agenda: Agenda;
  readonly calls: UserCalls;
  readonly events: Events<T>;
  readonly refusals: Refusals<T>;
  readonly #stocking: Stocking<T>;
  readonly #supply: Supply<T>;
  readonly evicting: Evicting<T>;
  readonly pausing: Pausing<T>;
  readonly #budgeting: Budgeting<T> | undefined;
  readonly census: Census<T>;
  readonly closing: Closing<T>;
  readonly #eviction: Eviction<T>;
  readonly #keepalive: Keepalive<T> | undefined;
  readonly #watcher: LeaseWatcher<T> | undefined;
  readonly #context = new Context();
  readonly #effects: Effects<T>;
  readonly #acquirer: Acquiring<T>;
  /** Whether there is nothing to do but the effects that are noted. */
  #isPlain: boolean;
  #isPlaying = false;

  constructor(settings: PoolSettings<T>) {
    const { name, reset, observer, clock, idleTimeout, keepalive } = settings;
    this.settings = settings;
    this.watches = idleTimeout !== Infinity || keepalive !== Infinity;
    this.partition = new Partition(settings, lineRules(settings), this.#tape);
    this.time = Time.of(clock);
    this.agenda = new Agenda(this.time, this.#context);
    this.refusals = new Refusals(
      name,
      this.partition,
      (line, now) => ({
        ...this.#supply.circumstance(line, now),
        holders: this.#holders(line, now),
      }),
    );
    this.calls = new UserCalls(
      this.time,
      this.#context,
      this.agenda,
      (call, waited) => this.refusals.late(call, waited),
    );
    this.events = new Events(name);
    this.census = new Census(this.partition, this.events);
    this.closing = new Closing(this, {
      begin: () => void (this.#acquirer.refuses = true),
      refuse: (error) => this.#refuse(error),
      abort: (error) => this.#supply.abort(error),
    });
    const eviction = this.#eviction = new Eviction(this);
    this.#stocking = new Stocking(this, this.#context, eviction);
    this.#supply = new Supply(this, this.closing, eviction, this.#stocking);
    this.evicting = new Evicting(this, eviction, this.#supply);
    this.pausing = new Pausing(this, this.#supply);
    this.#budgeting = settings.budget &&
      new Budgeting(this, this.#context, settings.budget);
    this.#isPlain = this.#budgeting === undefined;
    const validating = new Validating(this);
    this.#keepalive = keepalive === Infinity
      ? undefined
      : new Keepalive(this, validating, eviction);
    const lessor = reset ? new Resetting(this, this.#context, this) : this;
    const watcher = this.#watcher = settings.leaks?.(this, lessor);
    this.#acquirer = new Acquiring(
      this,
      this.#context,
      watcher ?? lessor,
      this.#tape,
      this.closing,
      this.#supply,
      this.#stocking,
      validating,
    );
    const front = settings.nesting?.(this, this.#acquirer) ?? this.#acquirer;
    this.acquiring = watcher?.inFront(front) ?? front;
    this.#effects = this.#wired(this.#acquirer);
    if (observer !== undefined) this.observe(observer);
  }

  #wired(acquiring: Acquiring<T>): Effects<T> {
    const { closing } = this;
    const supply = this.#supply;
    const destroying = new Destroying(this, closing, supply);
    const creating = new Creating(this, closing, supply, destroying);
    return {
      deliver: (waiter, entry) =>
        acquiring.deliver(waiter as Pending<T>, entry),
      validate: (waiter, entry) => (waiter as Pending<T>).offer!(entry),
      reject: (waiter, error) => acquiring.reject(waiter as Pending<T>, error),
      create: (creation) => creating.begin(creation),
      destroy: (entry, reason) => destroying.begin(entry, reason),
      shed: (waiter) => acquiring.shed(waiter as Pending<T>),
      paused: () => this.pausing.paused(),
      closed: () => closing.lineClosed(),
    };
  }

  observe(observer: PoolObserver<T>): Disposable {
    if (!this.events.asksPending) this.census.begin();
    const seat = this.events.add(observer, () => this.#heard());
    this.#heard();
    if (this.closing.isOver) this.events.closed(observer);
    return seat;
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

  #holders(line: Line<T>, now: number, limit?: number) {
    const isOf = (stripe: number) => this.partition.lineOf(stripe) === line;
    return this.#watcher?.holders(isOf, now, limit);
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
    const line = this.partition.lineOf(entry.stripe);
    line.detach(entry);
    const now = this.time.now();
    this.#supply.look(line, now);
    this.events.detached(entry, now);
    this.play();
  }

  resize(max: number): void {
    this.partition.resize(max);
    this.#stocking.resized();
    const now = this.time.now();
    for (const line of this.partition.lines) this.#supply.look(line, now);
    this.play();
  }

  warm(n: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#acquirer.refuses) return Promise.reject(this.refusals.closed());
    return this.#stocking.warm(n, this.#supply.begun, signal);
  }

  stats(): PoolStats {
    return this.census.stats();
  }

  details(): PoolDetails {
    const now = this.time.now();
    return this.census.details((line) => {
      const cause = this.refusals.causeOf(line);
      const known = { ...this.#supply.circumstance(line, now), cause };
      return detailsOf(line, now, known, this.#holders(line, now, HOLDERS));
    });
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
      } while (this.census.tell());
    } finally {
      this.#isPlaying = false;
    }
    this.closing.look();
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
    this.pausing.close(error);
    this.#watcher?.closing();
  }
}
