import type { Mutant } from "./mutant.ts";

const ACQUIRING = "src/shell/acquiring.ts";
const CLOSING = "src/shell/closing.ts";
const DESTROYING = "src/shell/destroying.ts";
const DIAGNOSTICS = "src/diagnostics/mod.ts";
const EVENTS = "src/shell/events.ts";
const INSTRUMENTS = "src/otel/instruments.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const OTEL = "src/otel/recorder.ts";
const RESETTING = "src/shell/resetting.ts";
const SEAT = "src/seat.ts";

/** Observers that come and go, and what is made of events. */
export const OBSERVING: readonly Mutant[] = [
  {
    name: "observed_nameless",
    about: "events do not name their pool",
    file: EVENTS,
    from: `{ pool: this.#pool, ...event }`,
    to: `{ ...event }`,
  },
  {
    name: "observed_one_event_for_all",
    about: "observers are told with the same object",
    file: EVENTS,
    from: `seats.length === 1 ? event : { ...event }`,
    to: `event`,
  },
  {
    name: "observed_twice",
    about: "an observer that is added twice is told twice",
    file: EVENTS,
    from: `(seat) => seat.observer === observer`,
    to: `(seat) => seat.observer === undefined`,
  },
  {
    name: "observed_until_the_first_ends",
    about:
      "an observer that was added twice is gone when one of them has ended",
    file: SEAT,
    from: `if (--seat.times === 0) left();`,
    to: `left();`,
  },
  {
    name: "observed_ends_twice",
    about: "a Disposable that is used twice ends another",
    file: SEAT,
    from: `      if (isOver) return;
`,
    to: ``,
  },
  {
    name: "observed_once_more",
    about: "an observer that another took away is told of the same event",
    file: EVENTS,
    from: `if (times === 0) continue;`,
    to: ``,
  },
  {
    name: "observed_for_ever",
    about: "an observer that has ended is told",
    file: EVENTS,
    from: `(other) => other !== seat`,
    to: `(other) => other === seat`,
  },
  {
    name: "observed_releases_too_late",
    about: "an observer that is added later does not hear of releases",
    file: LOCAL_POOL,
    from: `    this.#tells = isObserved;
`,
    to: ``,
  },
  {
    name: "observed_acquires_too_late",
    about: "an observer that is added later does not hear of acquires",
    file: LOCAL_POOL,
    from: `    this.#acquirer.isObserved = isObserved;
`,
    to: ``,
  },
  {
    name: "observed_entry_for_a_lease",
    about: "who waited as an observer came gets no lease",
    file: ACQUIRING,
    from: `waiter.resolve(waiter.isTold ?`,
    to: `waiter.resolve(this.isObserved ?`,
  },
  {
    name: "observed_use_of_the_next",
    about: "a use is told as long as that of who got the resource next",
    file: LOCAL_POOL,
    from: `    const use = now - entry.usedAt;
    line.release(entry, now);`,
    to: `    line.release(entry, now);
    const use = now - entry.usedAt;`,
  },
  {
    name: "observed_use_before_reset",
    about: "with a reset a use is told as of no time",
    file: RESETTING,
    from: `this.#parts.now() - entry.usedAt`,
    to: `0`,
  },
  {
    name: "observed_destroy_is_no_use",
    about: "a use that ends with a destroy is not told",
    file: DESTROYING,
    from: `...isHeld && {`,
    to: `...!isHeld && {`,
  },
  {
    name: "observed_age_from_use",
    about: "the age of what is destroyed is that of its last use",
    file: DESTROYING,
    from: `age: began - bornAt`,
    to: `age: began - usedAt`,
  },
  {
    name: "pending_told_unchanged",
    about: "how many are pending is told though it has not changed",
    file: "src/shell/census.ts",
    from: `    if (pending === this.#told) return false;`,
    to: `    if (pending === this.#told) {
      this.#events.tell("pendingChanged", { pending });
      return false;
    }`,
  },
  {
    name: "pending_told_once",
    about: "what hearing of the pending causes is not told",
    file: "src/shell/census.ts",
    from: `    this.#events.tell("pendingChanged", { pending });
    return true;`,
    to: `    this.#events.tell("pendingChanged", { pending });
    return false;`,
  },
  {
    name: "pending_of_before",
    about: "who was pending before anybody asked counts as a change",
    file: LOCAL_POOL,
    from: `    if (!this.events.asksPending) this.census.begin();
`,
    to: ``,
  },
  {
    name: "pending_untold_without_effects",
    about: "a newcomer for whom nothing begins is not told as pending",
    file: LOCAL_POOL,
    from: `this.#budgeting === undefined && !asksPending`,
    to: `this.#budgeting === undefined`,
  },
  {
    name: "pending_of_one_line",
    about: "the pending of one line alone are told",
    file: "src/shell/census.ts",
    from: `lines.reduce((sum, { pending }) => sum + pending, 0)`,
    to: `lines[0]!.pending`,
  },
  {
    name: "closed_untold",
    about: "the end of a close is not told",
    file: CLOSING,
    from: `    this.#parts.events.tell("closed", {});
`,
    to: ``,
  },
  {
    name: "closed_untold_to_late_ones",
    about: "who begins to observe a closed pool waits for its end for ever",
    file: LOCAL_POOL,
    from: `    if (this.closing.isOver) this.events.closed(observer);
`,
    to: ``,
  },
  {
    name: "closing_told_as_closed",
    about: "who begins to observe a pool that closes is told that it is over",
    file: CLOSING,
    from: `this.#closing !== undefined && this.#settle === undefined`,
    to: `this.#closing !== undefined`,
  },
  {
    name: "otel_milliseconds",
    about: "waits are recorded in ms",
    file: OTEL,
    from: `waitTime.record(wait / 1_000`,
    to: `waitTime.record(wait`,
  },
  {
    name: "otel_any_failure_is_a_timeout",
    about: "every acquire that fails counts as a timeout",
    file: OTEL,
    from: `Object(error).code === "ACQUIRE_TIMEOUT"`,
    to: `error !== undefined`,
  },
  {
    name: "otel_signal_is_a_timeout",
    about: "an acquire that a signal ends in time counts as a timeout",
    file: OTEL,
    from: `Object(error).code === "ACQUIRE_TIMEOUT"`,
    to: `Object(error).name === "TimeoutError"`,
  },
  {
    name: "otel_no_timeouts_unseen",
    about: "the timeouts are no series before the first",
    file: OTEL,
    from: `    this.#instruments.timeouts.add(0, { [POOL_NAME]: name });
`,
    to: ``,
  },
  {
    name: "otel_destroys_unused",
    about: "a use that ends with a destroy is not recorded",
    file: OTEL,
    from: `if (use !== undefined) this`,
    to: `if (use === undefined) this`,
  },
  {
    name: "otel_watched_twice",
    about: "a pool that is watched twice counts twice",
    file: OTEL,
    from: `    if (known !== undefined) return known;
`,
    to: ``,
  },
  {
    name: "otel_last_of_a_name",
    about: "of pools of one name the last alone is counted",
    file: OTEL,
    from: `sum.used += used;`,
    to: `sum.used = used;`,
  },
  {
    name: "otel_closed_goes_on",
    about: "a closed pool is watched on",
    file: OTEL,
    from: `{ closed: end }`,
    to: `{}`,
  },
  {
    name: "otel_closed_at_once",
    about: "the series of a closed pool end at what they were last",
    file: OTEL,
    from: `      pools.delete(pool);
`,
    to: `      pools.delete(pool);
      if (pools.size === 0) this.#pools.delete(name);
`,
  },
  {
    name: "otel_ended_reports_on",
    about: "a name without a pool is reported for ever",
    file: OTEL,
    from: `      if (pools.size === 0) this.#pools.delete(name);
`,
    to: ``,
  },
  {
    name: "otel_ended_records_on",
    about: "a pool that is no longer watched has its times recorded",
    file: OTEL,
    from:
      `      for (const observing of observings) observing[Symbol.dispose]();
`,
    to: ``,
  },
  {
    name: "otel_wait_longer_than",
    about: "a wait of just the time that is given is not noted",
    file: OTEL,
    from: `wait < this.#after`,
    to: `wait <= this.#after`,
  },
  {
    name: "otel_failed_wait_unseen",
    about: "a long wait in vain is not noted on the span",
    file: OTEL,
    from: `timeouts.add(1, { [POOL_NAME]: pool });
    this.#waited(pool, wait);`,
    to: `timeouts.add(1, { [POOL_NAME]: pool });`,
  },
  {
    name: "otel_default_buckets",
    about: "the histograms advise no buckets",
    file: INSTRUMENTS,
    from: `        advice: { explicitBucketBoundaries: [...SECONDS] },
`,
    to: ``,
  },
  {
    name: "otel_deprecated_max",
    about: "the limit has its old name",
    file: INSTRUMENTS,
    from: `      "limit",`,
    to: `      "max",`,
  },
  {
    name: "diagnostics_heard_too_late",
    about: "only who subscribed first hears",
    file: DIAGNOSTICS,
    from: `    observer[name] = (event) => {
      if (channel.hasSubscribers) channel`,
    to: `    const { hasSubscribers } = channel;
    observer[name] = (event) => {
      if (hasSubscribers) channel`,
  },
  {
    name: "diagnostics_other_names",
    about: "the channels have other names than the events",
    file: DIAGNOSTICS,
    from: "`lease.pool.${name}`",
    to: "`lease.pool:${name}`",
  },
  {
    name: "diagnostics_needs_process",
    about: "where there is no process, nothing works",
    file: DIAGNOSTICS,
    from: `process?.getBuiltinModule`,
    to: `process!.getBuiltinModule`,
  },
  {
    name: "detach_untold",
    about: "a detach is not told",
    file: LOCAL_POOL,
    from: `    this.events.detached(entry, now);
`,
    to: ``,
  },
  {
    name: "detach_told_too_early",
    about: "a detach is told before it is one",
    file: LOCAL_POOL,
    from: `    line.detach(entry);
    const now = this.time.now();
    this.#supply.look(line, now);
    this.events.detached(entry, now);
`,
    to: `    const now = this.time.now();
    this.events.detached(entry, now);
    line.detach(entry);
    this.#supply.look(line, now);
`,
  },
  {
    name: "detach_use_from_birth",
    about: "the use of a detached one is its age",
    file: EVENTS,
    from: `[now - bornAt, now - usedAt]`,
    to: `[now - bornAt, now - bornAt]`,
  },
  {
    name: "otel_detach_unused",
    about: "a detach ends no use in the metrics",
    file: OTEL,
    from: `    this.#used(pool, use);
  }

  destroyBegan`,
    to: `  }

  destroyBegan`,
  },
  {
    name: "otel_old_watch_ends_new",
    about: "a watch that has ended ends the next of its pool",
    file: OTEL,
    from: `      if (this.#watches.get(pool) !== watch) return;
`,
    to: ``,
  },
];
