import type { Creation } from "../core/creation.ts";
import type { Line } from "../core/line.ts";
import { jitter } from "../policy/jitter.ts";
import { PoolClosedError } from "../pool_error.ts";
import type { Circumstance } from "../sentence.ts";
import type { Chore } from "./agenda.ts";
import { Birth } from "./birth.ts";
import type { Closing } from "./closing.ts";
import { DeadlineList } from "./deadline_list.ts";
import type { Eviction } from "./eviction.ts";
import type { Parts } from "./parts.ts";
import type { Pending } from "./pending.ts";
import { Source } from "./source.ts";
import type { Stocking } from "./stocking.ts";

/** How many lines one turn of the event loop looks at. */
const BATCH = 1_024;

/** Asks the policies of each line how many creates it may and must have. */
export class Supply<T> implements Chore {
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;
  readonly #eviction: Eviction<T>;
  readonly #stocking: Stocking<T>;
  readonly #sources = new Map<Line<T>, Source<T>>();
  readonly #deadlines = new DeadlineList<Source<T>>();
  readonly #isMeasured: boolean;
  /** Whether a line is ever to be looked at. */
  readonly #looks: boolean;
  /** How many creates have begun. */
  begun = 0;
  due = Infinity;

  constructor(
    parts: Parts<T>,
    closing: Closing<T>,
    eviction: Eviction<T>,
    stocking: Stocking<T>,
  ) {
    const { growth, createRetry } = parts.settings;
    this.#parts = parts;
    this.#closing = closing;
    this.#eviction = eviction;
    this.#stocking = stocking;
    this.#isMeasured = growth === "measured";
    this.#looks = this.#isMeasured || createRetry !== false;
    parts.agenda.add(this);
  }

  /** A waiter joins its line, which may begin a create. */
  join(line: Line<T>, waiter: Pending<T>, isForced: boolean): void {
    const isDue = isForced || !this.#isMeasured;
    if (line.spare === 0) line.join(waiter, isDue ? 1 : 0);
    else this.#grow(line, waiter, isDue);
  }

  #grow(line: Line<T>, waiter: Pending<T>, isDue: boolean): void {
    const source = this.of(line);
    const { growth, outage, pace } = source;
    const { coming, useTime } = line;
    // After a pause what is idle serves those who wait.
    const used = line.isPaused ? line.existing : line.used;
    if (isDue || outage?.since !== undefined) line.join(waiter, 1);
    else {
      const place = line.waiting + 1;
      const { usual: createTime } = pace;
      const queue = { place, coming, used, createTime, useTime };
      const { creates, wait } = growth!.joined(queue);
      waiter.charge = wait;
      line.join(waiter, creates);
    }
    this.look(line, waiter.since);
  }

  /** A waiter has left its line unserved. */
  left(line: Line<T>, { charge }: Pending<T>): void {
    if (charge > 0) this.of(line).growth!.left(charge);
  }

  /** Waiters have timed out, the one who came last after `wait`. */
  timedOut(line: Line<T>, wait: number, now: number): void {
    if (!this.#isMeasured) return;
    const source = this.of(line);
    const { pace, coming } = source;
    for (const birth of coming) {
      const { creation, began } = birth;
      // Reserved when the waiter came, it may have begun a little later.
      const took = now - Math.min(began, creation.since);
      const isSlow = took >= wait && (source.isNew || took > pace.usual!);
      if (!isSlow || now < source.trustsUntil) break;
      source.trustsUntil = now + (pace.usual ?? 0);
      pace.wasOverdue();
      source.giveUpOn(birth);
      break;
    }
    this.look(line, now);
  }

  /** There are resources enough: one was idle for too long. */
  evicted(line: Line<T>): void {
    if (this.#isMeasured) this.of(line).growth!.reset();
  }

  /** The usual time of a create of this line, if one is known. */
  usual(line: Line<T>): number | undefined {
    return this.of(line).pace.usual;
  }

  /** What those who get nothing from a line are told of it. */
  circumstance(line: Line<T>, now: number): Omit<Circumstance, "stats"> {
    const { births, outage } = this.of(line);
    const [first] = births;
    const since = outage?.since;
    const nextTry = outage !== undefined && outage.nextAt > now
      ? outage.nextAt - now
      : undefined;
    const { isPaused, checking, resetting, overdue } = line;
    return {
      ...{ isPaused, checking, resetting, overdue },
      lacksPermit: line.lacking > 0,
      oldestUse: now - line.oldestUse(),
      oldestCreate: first && now - first.began,
      outage: since === undefined ? undefined : { since: now - since, nextTry },
    };
  }

  begin(creation: Creation, now: number): Birth<T> {
    const line = this.#parts.partition.lineOf(creation.stripe);
    const source = this.of(line);
    const moment = source.outage?.began() ?? 0;
    const birth = new Birth<T>(creation, now, moment, this.begun++);
    source.begun(birth);
    return birth;
  }

  succeeded(birth: Birth<T>, resource: T): void {
    const { partition, settings, refusals, events } = this.#parts;
    const { creation, began, moment, loss } = birth;
    const { stripe } = creation;
    const line = partition.lineOf(stripe);
    const source = this.of(line);
    const now = this.#parts.now();
    const duration = now - began;
    const since = source.outage?.since;
    source.ended(birth);
    if (creation.isLost) {
      this.#fail(source, birth, loss, now);
      this.#stocking.failed(birth.number, loss);
      if (settings.createRetry === false) {
        line.rejectFirst(creation.order, loss);
      }
    } else {
      refusals.createWorks(line);
      source.pace.succeeded(duration);
      source.trial = undefined;
      if (source.outage?.succeeded(moment)) {
        const ended = { stripe, duration: now - since! };
        source.untold.push(() => events.tell("outageEnded", ended));
      }
      // Being overdue it allowed for one more, until the line is looked at.
      if (creation.isOverdue && source.outage !== undefined) line.allow(0);
    }
    const diesAt = now + jitter(settings.maxLifetime);
    const entry = line.created(creation, resource, now, diesAt);
    birth.entry = entry;
    entry.error = loss;
    this.#tellOutage(source);
    if (diesAt !== Infinity) this.#eviction.expect(diesAt);
    this.look(line, now);
    this.#stocking.created();
    const { number: id } = birth;
    events.tell("created", { id, resource, stripe, duration });
    events.rested(entry);
    // User code: what has been told is told before.
    for (const ask of birth.asks) ask(entry);
    this.#parts.follow(line);
  }

  /** What a create will make has ended already: it has as good as failed. */
  lose(birth: Birth<T>, loss: unknown): void {
    const { creation } = birth;
    const line = this.#parts.partition.lineOf(creation.stripe);
    const source = this.of(line);
    const now = this.#parts.now();
    birth.loss = loss;
    creation.isLost = true;
    this.#fail(source, birth, loss, now);
    source.giveUpOn(birth);
    this.#tellOutage(source);
  }

  failed(birth: Birth<T>, failure: unknown): void {
    const { partition, events, refusals, settings } = this.#parts;
    const { creation, began } = birth;
    const { stripe } = creation;
    const line = partition.lineOf(stripe);
    const source = this.of(line);
    const now = this.#parts.now();
    const isClosed = this.#closing.hasBegun;
    const error = isClosed && !(failure instanceof PoolClosedError)
      ? refusals.closed(stripe)
      : failure;
    source.ended(birth);
    this.#fail(source, birth, error, now);
    this.#stocking.failed(birth.number, error);
    line.createFailed(creation, error, settings.createRetry === false);
    this.look(line, now);
    this.#tellOutage(source);
    const { number: id } = birth;
    const duration = now - began;
    events.tell("createFailed", { id, error, stripe, duration });
    this.#parts.play();
  }

  /** Breaks off the creates that nobody can get any more. */
  abort(error: unknown): void {
    for (const { controller } of this.inFlight()) controller.abort(error);
  }

  inFlight(): Birth<T>[] {
    return [...this.#sources.values()].flatMap(({ births }) => [...births]);
  }

  /** Looks at a line whose creates or waiters have changed. */
  look(line: Line<T>, now: number): void {
    if (!this.#looks || this.#closing.hasBegun) return;
    this.#schedule(this.of(line), now);
    const due = this.#deadlines.earliest();
    if (due >= this.due) return;
    this.due = due;
    this.#parts.agenda.advance(due);
  }

  work(now: number): void {
    for (let left = BATCH; left > 0; left--) {
      const source = this.#deadlines.expired(now);
      if (source === undefined) break;
      this.#schedule(source, now);
    }
    this.due = this.#deadlines.earliest();
    this.#parts.play();
  }

  /** Without a timer lines are looked at when something happens in them. */
  fail(): void {
    this.due = Infinity;
  }

  of(line: Line<T>): Source<T> {
    let source = this.#sources.get(line);
    if (source === undefined) {
      source = new Source(line, this.#parts.settings);
      this.#sources.set(line, source);
    }
    return source;
  }

  #schedule(source: Source<T>, now: number): void {
    this.#deadlines.remove(source);
    source.deadline = source.look(now);
    if (source.deadline !== Infinity) this.#deadlines.add(source);
  }

  /** In order: what a transition or a timer calls may begin or end the next. */
  #tellOutage({ untold }: Source<T>): void {
    for (let tell; (tell = untold.shift()) !== undefined;) tell();
  }

  /** A create has failed; one that was lost before is told of twice. */
  #fail(
    source: Source<T>,
    { moment, creation: { stripe } }: Birth<T>,
    error: unknown,
    now: number,
  ): void {
    const { line, outage } = source;
    if (this.#closing.hasBegun) return;
    const { refusals, events } = this.#parts;
    refusals.createFailed(line, error);
    if (outage === undefined) return;
    if (outage.failed(moment, now, line.creating - 1)) {
      source.untold.push(() => events.tell("outageBegan", { stripe, error }));
    }
    // What is overdue is added when the line is looked at, without this one.
    line.allow(outage.allowance(now));
    if (source.isNew) source.trial = { error, order: line.arrivals };
  }
}
