import type { Mutant } from "./mutant.ts";

const ACQUIRING = "src/shell/acquiring.ts";
const CANCELLATION = "src/shell/cancellation.ts";
const CLOSING = "src/shell/closing.ts";
const CONTEXT = "src/shell/context.ts";
const CREATING = "src/shell/creating.ts";
const DEADLINE_LIST = "src/shell/deadline_list.ts";
const DESTROYING = "src/shell/destroying.ts";
const EVENTS = "src/shell/events.ts";
const LAZY_SIGNAL = "src/shell/lazy_signal.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const REFUSALS = "src/shell/refusals.ts";
const SUPPLY = "src/shell/supply.ts";
const TAPE = "src/shell/tape.ts";
const USER_CALL = "src/shell/user_call.ts";
const VALIDATING = "src/shell/validating.ts";

export const SHELL: readonly Mutant[] = [
  // Effects and their context.
  {
    name: "insert_in_later_commit",
    about: "a released resource is given back in a later commit",
    file: LOCAL_POOL,
    from: `    line.release(entry, now);
    if (this.#tape`,
    to: `    queueMicrotask(() => {
      line.release(entry, now);
      this.follow(line);
    });
    if (this.#tape`,
  },
  {
    name: "effects_before_commit",
    about: "destroy is called within the verb, before its commit",
    file: LOCAL_POOL,
    from: `    this.time = Time.of(clock);`,
    to: `    this.#tape.destroy = (entry, reason) =>
      this.#effects.destroy(entry, reason);
    this.time = Time.of(clock);`,
  },
  {
    name: "reentrant_effects_nested",
    about: "effects of nested acts run before the outer one is done",
    file: LOCAL_POOL,
    from: `    if (!this.#isPlaying && !isIdle) this`,
    to: `    if (!isIdle) this`,
  },
  {
    name: "effects_last_first",
    about: "effects run in the reverse order of their commits",
    file: TAPE,
    from: `      const at = this.#at;
      const name = notes[at] as Name;`,
    to: `      const at = this.#at;
      const last = notes.splice(this.#end - 3, 3);
      notes.splice(at, 0, ...last);
      const name = notes[at] as Name;`,
  },
  {
    name: "effect_keeps_next",
    about: "an effect that has run keeps what it was about reachable",
    file: TAPE,
    from: `      notes[at + 1] = notes[at + 2] = undefined;`,
    to: ``,
  },
  {
    name: "calls_outside_context",
    about: "create and destroy are called in whatever context this is",
    file: TAPE,
    from:
      `      if (!isInside && (name === "create" || name === "destroy")) return false;`,
    to: `      void isInside;`,
  },
  {
    name: "context_runs_outside",
    about: "what belongs into the context of the pool is done at once",
    file: CONTEXT,
    from: `    if (this.isInside) return task.inContext();`,
    to: `    if (task !== undefined) return task.inContext();`,
  },
  {
    name: "context_never_left",
    about: "once entered, the context of the pool is taken to last",
    file: CONTEXT,
    from: `      this.isInside = before;`,
    to: `      void before;`,
  },
  {
    name: "context_ends_with_a_bug",
    about: "a task that throws ends the loop of the context",
    file: CONTEXT,
    from: `      void Promise.reject(bug);`,
    to: `      throw bug;`,
  },
  {
    name: "throwing_destroy_stops_the_rest",
    about: "one destroy that throws skips the rest",
    file: USER_CALL,
    from: `    } catch (error) {
      return failed(error);`,
    to: `    } catch (error) {
      failed(error);
      throw error;`,
  },

  // Acquiring.
  {
    name: "try_acquire_creates",
    about: "tryAcquire creates",
    file: ACQUIRING,
    from: `      if (entry === undefined) return undefined;`,
    to: `      if (entry === undefined) {
        void this.acquire(home, Infinity, undefined, false)
          .then((lease) => lease.release(), () => {});
        return undefined;
      }`,
  },
  {
    name: "try_acquire_evicts_later",
    about: "what tryAcquire evicts is destroyed after it has returned",
    file: ACQUIRING,
    from:
      `      // What is evicted is destroyed within the call: the caller cannot wait.
      if (this.#tape.end !== 0) this.#parts.playNow();`,
    to: `      if (this.#tape.end !== 0) this.#parts.play();`,
  },
  {
    name: "try_acquire_goes_on",
    about: "tryAcquire goes on after a verdict that takes time",
    file: ACQUIRING,
    from: `      if (verdict !== false) return undefined;`,
    to: ``,
  },
  {
    name: "acquire_ignores_validates",
    about: "an idle resource is leased without being validated",
    file: ACQUIRING,
    from: `    if (this.#validates || this.#tape.end !== end) {`,
    to: `    if (this.#tape.end !== end) {`,
  },
  {
    name: "acquire_overtakes_evictions",
    about: "an acquire is served before what it evicts is destroyed",
    file: ACQUIRING,
    from: `    if (this.#validates || this.#tape.end !== end) {`,
    to: `    if (this.#validates) {`,
  },
  {
    name: "closed_not_seen_by_acquire",
    about: "an acquire that may wait does not see the close",
    file: ACQUIRING,
    from: `    if (this.refuses || timeout === 0 || isAborted) {`,
    to: `    if (timeout === 0 || isAborted) {`,
  },
  {
    name: "aborted_before_ignored",
    about: "a signal that has aborted already is not looked at",
    file: ACQUIRING,
    from: `    if (isAborted) return this.#refuse(signal!.reason);`,
    to: `    void signal;`,
  },
  {
    name: "max_pending_off_by_one",
    about: "one more than maxPending may wait",
    file: ACQUIRING,
    from: `line.pending >= maxPending`,
    to: `line.pending > maxPending`,
  },
  {
    name: "max_pending_refuses_creates",
    about: "maxPending refuses an acquire that a spare slot is there for",
    file: ACQUIRING,
    from: `isFull && !this.#canCreate(line, now)`,
    to: `isFull`,
  },
  {
    name: "max_pending_without_takers",
    about: "maxPending does not count those who wait for a verdict",
    file: ACQUIRING,
    from: `line.pending >= maxPending`,
    to: `line.waiting >= maxPending`,
  },
  {
    name: "fatal_by_default_not",
    about: "use releases after a throw",
    file: ACQUIRING,
    from: "return reset === undefined;",
    to: "return false;",
  },
  {
    name: "fatal_asked_of_closed_pool",
    about: "isFatal is asked about the pool's own errors",
    file: ACQUIRING,
    from: "this.#closing.hasBegun || this.#isFatal(error, isFatal);",
    to: "this.#isFatal(error, isFatal);",
  },
  {
    name: "fatal_promise_unhandled",
    about: "an isFatal that rejects is an unhandled rejection",
    file: ACQUIRING,
    from: `      Promise.resolve(verdict).catch(() => {});`,
    to: ``,
  },
  {
    name: "counts_after_the_first_has_left",
    about: "the counts of a timeout are those after others have left",
    file: ACQUIRING,
    from: `line.cancel(waiter, errors.get(line)!(waiter));`,
    to: `const errorOf = this.#parts.refusals.timeouts(line, now, waiter);
        line.cancel(waiter, errorOf(waiter));`,
  },
  {
    name: "isolated_taker_has_no_home",
    about: "an invalid taker of an isolated stripe takes where it named none",
    file: ACQUIRING,
    from: `this.#partition.lines.length === 1 ? home : stripe;`,
    to: `home;`,
  },

  // Looking again after user code has run.
  {
    name: "unlooked_try_acquire_before_validate",
    about: "tryAcquire validates what the destroys before it took back",
    file: ACQUIRING,
    from: "const verdict = !isOurs || !isLost",
    to: "const verdict = !isLost",
  },
  {
    name: "unlooked_try_acquire",
    about: "tryAcquire leases what was taken back while it validated",
    file: ACQUIRING,
    from: `if (verdict === true && this.#isOurs(entry)) {`,
    to: `if (verdict === true) {`,
  },
  {
    name: "unlooked_acquire",
    about: "acquire leases what was taken back while it validated",
    file: ACQUIRING,
    from: `    if (!this.#isOurs(entry)) {`,
    to: `    if (entry === undefined) {`,
  },
  {
    name: "unlooked_is_ours",
    about: "what a closing pool retires goes to a newcomer",
    file: ACQUIRING,
    from: `    return entry.place === "used" && !this.#closing.hasBegun;`,
    to: `    return entry.place === "used";`,
  },
  {
    name: "unlooked_is_used",
    about: "whether an entry was taken back is not asked",
    file: ACQUIRING,
    from: `    return entry.place === "used" && !this.#closing.hasBegun;`,
    to: `    return entry !== undefined;`,
  },
  {
    name: "unlooked_deliver",
    about: "a waiter gets what was taken back on its way",
    file: ACQUIRING,
    from: `    if (entry.place !== "used") {
      return this.reject(`,
    to: `    if (entry === undefined) {
      return this.reject(`,
  },
  {
    name: "unlooked_told",
    about: "with an observer a waiter gets what was taken back on its way",
    file: ACQUIRING,
    from: `      const lease = entry.place === "used"
        ?`,
    to: `      const lease = entry !== undefined
        ?`,
  },
  {
    name: "unlooked_lease",
    about: "what the observer of acquired had taken back is leased",
    file: ACQUIRING,
    from: `    return entry.place === "used";
  }

  deliver`,
    to: `    return true;
  }

  deliver`,
  },
  {
    name: "unlooked_wait",
    about: "an acquire waits in a pool that reading the clock has closed",
    file: ACQUIRING,
    from: `    // Reading the clock may have closed the pool.
    if (this.refuses) return this.#refuseClosed(home);
`,
    to: ``,
  },
  {
    name: "unlooked_track",
    about: "a waiter that is settled already is tracked",
    file: ACQUIRING,
    from: `    if (waiter.at !== undefined) this.#cancellation`,
    to: `    this.#cancellation`,
  },
  {
    name: "abandoned_entry_released",
    about: "a lease that an aborted close took back can be released",
    file: LOCAL_POOL,
    from: `    if (entry.place !== "used") return;
    const use`,
    to: `    const use`,
  },
  {
    name: "abandoned_entry_destroyed",
    about: "a lease that an aborted close took back can be destroyed",
    file: LOCAL_POOL,
    from: `    if (entry.place !== "used") return;
    this.partition`,
    to: `    this.partition`,
  },
  {
    name: "unlooked_verdict",
    about: "a verdict counts although an aborted close took the entry back",
    file: VALIDATING,
    from: `    // An aborted close took it back.
    if (entry.place !== "used") return;`,
    to: ``,
  },
  {
    name: "unlooked_taker",
    about: "a resource is validated although its taker has gone",
    file: VALIDATING,
    from: "    if (waiter.at === entry) {",
    to: `    if (entry.place === "used") {`,
  },
  {
    name: "unlooked_limit",
    about: "a call that closed the pool and was abandoned gets a limit",
    file: USER_CALL,
    from: `    if (!this.#calls.has(inFlight)) return;`,
    to: ``,
  },
  {
    name: "create_in_a_closed_pool",
    about: "create is called although the pool has closed meanwhile",
    file: CREATING,
    from: `    if (this.#closing.hasBegun) {
      return`,
    to: `    if (this.#closing === undefined) {
      return`,
  },

  // Creating and destroying.
  {
    name: "late_create_dropped",
    about: "a resource that comes late is dropped",
    file: CREATING,
    from: `      late: (resource) => this.#destroying.late(resource, stripe),
`,
    to: "",
  },
  {
    name: "create_retried_in_microtask",
    about: "a failed create is tried again in a microtask, rejecting nobody",
    file: CREATING,
    from: `        if (isLate) controller.abort(error);`,
    to: `        if (isLate) controller.abort(error);
        const { waiting } = this.#parts.partition.lineOf(creation.stripe);
        if (!isLate && waiting > 0) {
          return queueMicrotask(() => this.begin(creation));
        }`,
  },
  {
    name: "create_not_aborted",
    about: "createTimeout does not abort the signal",
    file: CREATING,
    from: `        if (isLate) controller.abort(error);`,
    to: ``,
  },
  {
    name: "no_create_limit",
    about: "a create that hangs keeps its slot for ever",
    file: CREATING,
    from: `settings.createTimeout`,
    to: `Infinity`,
  },
  {
    name: "no_destroy_limit",
    about: "a destroy that hangs keeps its slot for ever",
    file: DESTROYING,
    from: `reason === "late" ? Infinity : settings.destroyTimeout`,
    to: "Infinity",
  },
  {
    name: "slot_free_before_destroy_settles",
    about: "a slot is vacated before its destroy settles",
    file: DESTROYING,
    from: `    this.#call(entry, reason, (failure, isLate) => {`,
    to: `    line.destroyed(entry);
    this.#call(entry, reason, (failure, isLate) => {`,
  },
  {
    name: "late_destroy_fails_close",
    about: "a destroy that passes its limit makes the close reject",
    file: DESTROYING,
    from: `failure !== undefined && !isLate`,
    to: `failure !== undefined`,
  },
  {
    name: "stale_cause",
    about: "the cause of a timeout outlives a create that succeeded",
    file: SUPPLY,
    from: `      refusals.createWorks(line);
`,
    to: "",
  },
  {
    name: "cause_of_the_pool",
    about: "a create that succeeds in one line clears the cause of all",
    file: REFUSALS,
    from: `    this.#failures.delete(line);`,
    to: `    this.#failures.clear();
    void line;`,
  },

  // Validating.
  {
    name: "validate_throw_is_yes",
    about: "a validate that throws counts as a yes",
    file: VALIDATING,
    from: `      entry.error = error;
      return false;`,
    to: `      entry.error = error;
      return true;`,
  },
  {
    name: "validate_rejection_is_yes",
    about: "a validate that rejects counts as a yes",
    file: VALIDATING,
    from: "        over(false);",
    to: "        over(true);",
  },
  {
    name: "no_validate_limit",
    about: "a validate that hangs keeps its taker waiting",
    file: VALIDATING,
    from: `this.#parts.settings.validateTimeout`,
    to: `Infinity`,
  },
  {
    name: "verdict_not_a_boolean",
    about: "a verdict that is truthy is neither a yes nor a no",
    file: VALIDATING,
    from: "!entry.isLost && Boolean(verdict)",
    to: "!entry.isLost && verdict",
  },
  {
    name: "late_verdict_not_a_boolean",
    about: "a verdict is a yes whatever its promise resolves with",
    file: VALIDATING,
    from: "over(Boolean(isValid))",
    to: "over(isValid !== undefined)",
  },
  {
    name: "good_verdict_stamped_zero",
    about: "a good verdict comes at 0",
    file: VALIDATING,
    from: `line.valid(entry, now);`,
    to: `line.valid(entry, 0);`,
  },
  {
    name: "bad_verdicts_all_at_once",
    about: "all bad verdicts are dealt with in one turn",
    file: VALIDATING,
    from: `const BATCH = 1_024;`,
    to: `const BATCH = Infinity;`,
  },
  {
    name: "bad_verdict_overtaken",
    about: "a newcomer is served while a batch of bad verdicts is pending",
    file: VALIDATING,
    from: `      line.sendBack(entry);
`,
    to: ``,
  },

  // Cancelling.
  {
    name: "alarm_not_cleared",
    about: "the timer of waiters is left when nobody waits",
    file: CANCELLATION,
    from: `    if (this.#deadlines.size === 0) this.#alarm.clear();`,
    to: ``,
  },
  {
    name: "listener_left",
    about: "a listener is left on a signal",
    file: CANCELLATION,
    from: `    removeListener(signal, listener);
  }

  readonly`,
    to: `    void listener;
  }

  readonly`,
  },
  {
    name: "listener_left_after_adding",
    about:
      "a signal that serves its waiter while it takes the listener keeps it",
    file: CANCELLATION,
    from: `      if (!this.#signals.has(signal)) this.#removeListener(signal);`,
    to: ``,
  },
  {
    name: "throwing_remover_stops_waiter",
    about: "a signal that does not give its listener back stops its waiter",
    file: "src/shell/listener.ts",
    from: `  } catch {`,
    to: `  } catch (error) {
    throw error;`,
  },
  {
    name: "throwing_adder_loses_waiter",
    about: "a signal that takes no listener throws within acquire",
    file: CANCELLATION,
    from: `        this.#canceller.abort(this.#waitersOn(signal), error);`,
    to: `        throw error;`,
  },
  {
    name: "alarm_not_rearmed",
    about: "after the first timeout nobody else times out",
    file: CANCELLATION,
    from:
      `    if (this.#deadlines.size > 0) this.#alarm.set(this.#deadlines.earliest());`,
    to: ``,
  },
  {
    name: "alarm_of_a_newcomer_stays",
    about: "the timer set while others time out is not put right",
    file: CANCELLATION,
    from: `    if (expired.length > 0) this.#canceller.expire(expired, now);
    if (this.#deadlines.size > 0) this`,
    to: `    const { size } = this.#deadlines;
    if (expired.length > 0) this.#canceller.expire(expired, now);
    if (this.#deadlines.size > 0 && this.#deadlines.size <= size) this`,
  },
  {
    name: "waiters_time_out_one_a_turn",
    about: "one waiter times out in one turn",
    file: CANCELLATION,
    from: `const BATCH = 1_024;`,
    to: `const BATCH = 1;`,
  },
  {
    name: "waiters_time_out_all_at_once",
    about: "all waiters time out in one turn",
    file: CANCELLATION,
    from: `const BATCH = 1_024;`,
    to: `const BATCH = Infinity;`,
  },
  {
    name: "no_timer_no_error",
    about: "without a timer those who wait are not told",
    file: CANCELLATION,
    from: `    this.#canceller.abort(waiters, error);`,
    to: `    void error;`,
  },
  {
    name: "deadline_early",
    about: "a waiter times out 1 ms before its deadline",
    file: DEADLINE_LIST,
    from: `first.deadline > now`,
    to: `first.deadline > now + 1`,
  },
  {
    name: "runs_out_of_order",
    about: "deadlines are listed as they come",
    file: DEADLINE_LIST,
    from: `deadline === Infinity || !isFirst && deadline < this.#latest`,
    to: `deadline === Infinity`,
  },
  {
    name: "listed_before_heap",
    about: "a listed deadline goes before an earlier one of the heap",
    file: DEADLINE_LIST,
    from: `first === undefined || linked.deadline <= first.deadline`,
    to: `first === undefined || linked.deadline < Infinity`,
  },
  {
    name: "deadlines_not_counted",
    about: "a deadline that leaves is counted on",
    file: DEADLINE_LIST,
    from: `    this.size--;`,
    to: ``,
  },
  {
    name: "abort_during_effects_missed",
    about: "an abort by user code while the acquire starts is missed",
    file: CANCELLATION,
    from: `        // User code may have aborted it since the acquire began.
        this.#abort(signal);`,
    to: ``,
  },
  {
    name: "abort_not_asked",
    about: "an event of a signal that has not aborted rejects",
    file: CANCELLATION,
    from: `waiters.length === 0 || !signal.aborted`,
    to: `waiters.length === 0`,
  },
  {
    name: "abort_asks_all_signals",
    about: "an abort looks at the signals of all others",
    file: CANCELLATION,
    from: `    const listener = () => this.#abort(signal);`,
    to: `    const listener = () => {
      for (const each of [...this.#signals.keys()]) this.#abort(each);
    };`,
  },
  {
    name: "signal_without_target_unheard",
    about: "a signal that does not say that it is the target is not heard",
    file: CANCELLATION,
    from: `    const listener = () => this.#abort(signal);`,
    to: `    const listener = this.#onAbort as () => void;`,
  },
  {
    name: "unnamed_target_aborts_all",
    about: "a signal that does not say that it is the target aborts every one",
    file: CANCELLATION,
    from: `    const listener = () => this.#abort(signal);`,
    to: `    const listener = () => {
      for (const each of [...this.#signals.keys()]) {
        this.#canceller.abort(this.#waitersOn(each), signal.reason);
      }
    };`,
  },
  {
    name: "signal_shared_by_two_forgets_one",
    about: "the first to leave a signal takes the others' listener along",
    file: CANCELLATION,
    from: `      if (others.size > 0) return;
`,
    to: ``,
  },
  {
    name: "second_on_signal_replaces_first",
    about: "the second waiter on a signal takes the place of the first",
    file: CANCELLATION,
    from: `new Set([others, waiter])`,
    to: `new Set([waiter])`,
  },

  // Telling and closing.
  {
    name: "observer_may_throw",
    about: "what an observer throws is passed on",
    file: EVENTS,
    from: `  } catch {
    // An observer only watches.
  }`,
    to: `  } catch (error) {
    throw error;
  }`,
  },
  {
    name: "observer_may_reject",
    about: "an observer that rejects is an unhandled rejection",
    file: EVENTS,
    from:
      `    if (isThenable(result)) Promise.resolve(result).catch(() => {});`,
    to: `    void isThenable(result);`,
  },
  {
    name: "event_after_its_consequences",
    about: "an event is told of after what follows from it",
    file: SUPPLY,
    from: `    events.tell("created",`,
    to: `    this.#parts.follow(line);
    events.tell("created",`,
  },
  {
    name: "stats_of_the_first_line",
    about: "the pending of isolated stripes are not added up",
    file: "src/shell/census.ts",
    from: `stats[name] += counts[name];`,
    to: `stats[name] = counts[name];`,
  },
  {
    name: "abandon_forgets_creates",
    about: "an aborted close waits for creates",
    file: CREATING,
    from: `      abandoned: () => {
        const error = refusals.closed(stripe);
        supply.failed(birth, error);
        controller.abort(error);
      },`,
    to: ``,
  },
  {
    name: "close_does_not_abort",
    about: "a close does not abort the creates that nobody can get",
    file: CLOSING,
    from: `    this.#steps.abort(error);
`,
    to: ``,
  },
  {
    name: "close_settles_with_first_line",
    about: "close settles when the first of the lines is empty",
    file: CLOSING,
    from: `    if (--this.#linesLeft > 0) return;`,
    to: `    if (this.#settle === undefined) return;`,
  },
  {
    name: "close_fails_in_bulk",
    about: "one failed destroy makes an AggregateError of one",
    file: CLOSING,
    from: `    if (errors.length === 1) throw errors[0];
`,
    to: ``,
  },
  {
    name: "serving_close_takes_newcomers",
    about: "a close that serves lets newcomers in",
    file: "src/shell/closing.ts",
    from: `    this.#steps.begin();`,
    to: `    void this.#closing.then(() => this.#steps.begin());`,
  },
  {
    name: "serving_close_rejects",
    about: "a close that serves rejects those who wait",
    file: "src/shell/closing.ts",
    from: `    if (!serves) this.#end();
    else if`,
    to: `    this.#end();
    if`,
  },
  {
    name: "serving_close_never_ends",
    about: "a close that serves waits for ever",
    file: "src/shell/local_pool.ts",
    from: `    this.closing.look();
`,
    to: ``,
  },
  {
    name: "detach_unlooked_at",
    about: "a slot that a detached one leaves waits for the next event",
    file: "src/shell/local_pool.ts",
    from: `    this.#supply.look(line, now);
    this.events.detached`,
    to: `    this.events.detached`,
  },
  {
    name: "detach_reads_clock_first",
    about: "a clock that closes the pool has a detach part what is destroyed",
    file: "src/shell/local_pool.ts",
    from: `    line.detach(entry);
    const now = this.time.now();`,
    to: `    const now = this.time.now();
    line.detach(entry);`,
  },
  {
    name: "serving_close_of_nobody",
    about: "a close that serves nobody waits for something to happen",
    file: "src/shell/closing.ts",
    from: `      this.look();
`,
    to: ``,
  },
  {
    name: "serving_close_ignores_its_signal",
    about: "the signal of a close that serves does not reject those who wait",
    file: "src/shell/closing.ts",
    from: `    this.#end();
    for (const line of this.#parts.partition.lines) line.abandon();`,
    to: `    for (const line of this.#parts.partition.lines) line.abandon();`,
  },
  {
    name: "serving_close_in_a_pause",
    about: "a close that serves waits for the pause",
    file: "src/shell/pausing.ts",
    from: `      while (line.isPaused) line.unpause(now);
`,
    to: ``,
  },
  {
    name: "closing_pool_is_warmed",
    about: "of two warms that a close rejects, the second has more created",
    file: "src/shell/stocking.ts",
    from: `    this.#isClosed = true;
    this.fail(error);`,
    to: `    this.fail(error);
    this.#isClosed = true;`,
  },
  {
    name: "serving_close_keeps_the_minimum",
    about: "a close that serves makes the minimum",
    file: "src/shell/stocking.ts",
    from: `    for (const line of this.#parts.partition.lines) line.stock(0);
`,
    to: ``,
  },
  {
    name: "create_begins_untold",
    about: "the observer does not hear that a create begins",
    file: "src/shell/creating.ts",
    from:
      `    this.#parts.events.tell("createBegan", { id: birth.number, stripe });
`,
    to: ``,
  },
  {
    name: "destroys_share_an_id",
    about: "all destroys have one id",
    file: "src/shell/destroying.ts",
    from: `id: this.#begun++,`,
    to: `id: this.#begun,`,
  },
  {
    name: "destroy_without_why",
    about: "what validate threw is not told",
    file: "src/shell/destroying.ts",
    from: `error === undefined ? {} : { error }`,
    to: `{}`,
  },
  {
    name: "idle_newborn_untold",
    about: "the observer does not hear of a new one that goes idle",
    file: "src/shell/supply.ts",
    from: `    events.rested(entry);
`,
    to: ``,
  },
  {
    name: "waiting_counts_covered",
    about: "stats count those a create comes for as waiting",
    file: "src/core/line.ts",
    from: `Math.max(0, this.waiting - this.coming)`,
    to: `this.waiting`,
  },
  {
    name: "aborted_close_waits",
    about: "close does not look at a signal that has aborted already",
    file: CLOSING,
    from: `      if (signal.aborted) this.#giveUp();
      else this.#listen(signal);`,
    to: `      if (!signal.aborted) this.#listen(signal);`,
  },
  {
    name: "abort_while_close_listens",
    about: "an abort while the signal takes the listener of close is missed",
    file: CLOSING,
    from: `    // It may have aborted while it took the listener.
    listener();`,
    to: ``,
  },
  {
    name: "close_abort_not_asked",
    about: "an event of a signal that has not aborted ends the wait of close",
    file: CLOSING,
    from: `if (signal.aborted && this.#settle !== undefined) this`,
    to: `if (this.#settle !== undefined) this`,
  },
  {
    name: "close_listener_left",
    about: "close leaves its listener on the signal",
    file: CLOSING,
    from: `      removeListener(signal, listener);
`,
    to: `      void listener;
`,
  },
  {
    name: "close_lets_process_end",
    about: "a close that is awaited does not keep the process alive",
    file: CLOSING,
    from: `    this.#parts.agenda.hold();`,
    to: ``,
  },
  {
    name: "close_leaves_timer",
    about: "the timer of the chores is left after the close",
    file: CLOSING,
    from: `    this.#parts.agenda.stop();`,
    to: ``,
  },
  {
    name: "close_leaves_guard",
    about: "the timer of the default clock is left after the close",
    file: CLOSING,
    from: `    this.#parts.time.stop();`,
    to: ``,
  },

  // What is lost, and late.
  {
    name: "lost_on_its_way_is_leased",
    about: "what is lost on its way to a lease is leased",
    file: ACQUIRING,
    from: "if (entry.isLost && !this.#closing.hasBegun) {",
    to: "if (entry === undefined) {",
  },
  {
    name: "handed_back_is_deaf",
    about: "one whose resource was lost on its way is not cancelled any more",
    file: ACQUIRING,
    from: "return this.#cancellation.track(waiter);",
    to: "return;",
  },
  {
    name: "lost_believed_to_be_valid",
    about: "a validate that loses what it checks is believed",
    file: VALIDATING,
    from: "!entry.isLost && Boolean(verdict)",
    to: "Boolean(verdict)",
  },
  {
    name: "lost_create_not_aborted",
    about: "a create goes on although its resource is lost",
    file: CREATING,
    from: `      controller.abort(loss);
`,
    to: "",
  },
  {
    name: "lost_twice_while_created",
    about: "a second loss of what is being created counts again",
    file: CREATING,
    from: "if (birth.isOver || creation.isLost) return;",
    to: "if (birth.isOver) return;",
  },
  {
    name: "lost_after_its_create_failed",
    about: "what is lost after its create has failed counts as a create",
    file: CREATING,
    from: "if (birth.isOver || creation.isLost) return;",
    to: "if (creation.isLost) return;",
  },
  {
    name: "lost_without_a_reason",
    about: "a create lost without an error fails with undefined",
    file: CREATING,
    from: `error ?? new Error("The resource was lost while created")`,
    to: "error",
  },
  {
    name: "loss_distrusts_while_used",
    about: "one loss evicts all idle although others are in use",
    file: CREATING,
    from: `if (place === "idle" && line.used === 0) {`,
    to: `if (place === "idle") {`,
  },
  {
    name: "loss_distrusts_nothing",
    about: "one loss while nothing is used leaves what is idle as long",
    file: CREATING,
    from: `        line.distrust(releasedAt, now, "lost");
`,
    to: "",
  },
  {
    name: "loss_not_looked_at",
    about: "a loss does not have the creates looked at",
    file: CREATING,
    from: `    this.#supply.look(line, now);
    this.#parts.play();`,
    to: "    this.#parts.play();",
  },
  {
    name: "loss_not_followed",
    about: "what is lost is destroyed with the next act",
    file: CREATING,
    from: `    this.#supply.look(line, now);
    this.#parts.play();`,
    to: "    this.#supply.look(line, now);",
  },
  {
    name: "create_not_looked_at",
    about: "nobody looks when a create is overdue",
    file: CREATING,
    from: `    supply.look(partition.lineOf(stripe), began);
`,
    to: "",
  },
  {
    name: "create_of_first_stripe",
    about: "create is told the first stripe",
    file: CREATING,
    from: "settings.create({ signal, lost, stripe })",
    to: "settings.create({ signal, lost, stripe: 0 })",
  },
  {
    name: "farewell_to_the_dead_waited_for",
    about: "the destroy of a lost one holds its slot until it settles",
    file: DESTROYING,
    from: `    if (reason === "lost") this.#vacate(entry);
`,
    to: "",
  },
  {
    name: "no_farewell_waited_for",
    about:
      "every destroy holds its slot for the usual time of a create at most",
    file: DESTROYING,
    from: `if (reason === "lost") this.#vacate(entry);`,
    to: "this.#vacate(entry);",
  },
  {
    name: "slot_vacated_twice",
    about: "the slot of a lost one is vacated again as its destroy settles",
    file: DESTROYING,
    from: `      if (entry.place !== "destroying") return;
      line`,
    to: "      line",
  },
  {
    name: "farewell_not_followed",
    about: "the slot of a lost one is created for with the next act",
    file: DESTROYING,
    from: `        this.#supply.look(line, this.#parts.now());
        this.#parts.play();`,
    to: "        this.#supply.look(line, this.#parts.now());",
  },
  {
    name: "every_leaver_resets_growth",
    about: "whatever is destroyed, growth forgets the waits",
    file: DESTROYING,
    from: `if (reason === "idle") this.#supply`,
    to: "this.#supply",
  },
  {
    name: "late_destroy_not_aborted",
    about: "the signal of a destroy does not abort at destroyTimeout",
    file: DESTROYING,
    from: `      if (isLate) call.abort(failure!.error);
`,
    to: "",
  },
  {
    name: "late_one_has_a_limit",
    about: "the destroy of what came late fails after destroyTimeout",
    file: DESTROYING,
    from: `reason === "late" ? Infinity : settings.destroyTimeout`,
    to: "settings.destroyTimeout",
  },
  {
    name: "destroy_told_another_reason",
    about: "destroy is told that its holder said so",
    file: DESTROYING,
    from: "new DestroyCall(reason)",
    to: `new DestroyCall("lease")`,
  },
  {
    name: "idle_since_birth",
    about: "validate is told the age as the time idle",
    file: VALIDATING,
    from: "this.idle = now - releasedAt;",
    to: "this.idle = now - bornAt;",
  },
  {
    name: "age_since_release",
    about: "validate is told the time idle as the age",
    file: VALIDATING,
    from: "this.age = now - bornAt;",
    to: "this.age = now - releasedAt;",
  },
  {
    name: "silence_paid_by_all",
    about: "a validate that times out leaves what is idle as long",
    file: VALIDATING,
    from:
      `        if (isLate && !entry.isLost) this.#distrust(entry, releasedAt);
`,
    to: "",
  },
  {
    name: "refusal_distrusts",
    about: "a validate that rejects evicts what is idle as long",
    file: VALIDATING,
    from: "if (isLate && !entry.isLost)",
    to: "if (!entry.isLost)",
  },
  {
    name: "silence_of_one_that_ended",
    about: "one that was lost under validate is held against others",
    file: VALIDATING,
    from: "if (isLate && !entry.isLost)",
    to: "if (isLate)",
  },
  {
    name: "late_validate_not_aborted",
    about: "the signal of a validate does not abort at validateTimeout",
    file: VALIDATING,
    from: `        verdict.abort(error);
`,
    to: "",
  },
  {
    name: "validate_outlives_close",
    about: "an aborted close does not abort a validate",
    file: VALIDATING,
    from:
      `      abandoned: () => verdict.abort(this.#parts.refusals.closed(entry.stripe)),
`,
    to: "",
  },
  {
    name: "check_of_what_was_taken_back",
    about: "the verdict of a check concerns what a close took back",
    file: VALIDATING,
    from: `      if (entry.place !== "used") return;
      if (isValid) line.inspected`,
    to: "      if (isValid) line.inspected",
  },
  {
    name: "check_believes_a_no",
    about: "a check that says no leaves the resource",
    file: VALIDATING,
    from: `      else line.invalid(entry, now, "invalid");
      over();`,
    to: `      else line.inspected(entry, now);
      over();`,
  },
  {
    name: "check_not_followed",
    about: "what a check refuses is destroyed with the next act",
    file: VALIDATING,
    from: `      over();
      this.#parts.follow(line);`,
    to: "      over();",
  },
  {
    name: "passed_as_released",
    about: "one whose taker left before validate counts as released then",
    file: VALIDATING,
    from: "    line.pass(entry, this.#parts.now());",
    to: "    line.release(entry, this.#parts.now());",
  },
  {
    name: "signal_read_late",
    about: "a signal first read after it aborted has not",
    file: LAZY_SIGNAL,
    from: `    if (this.#isAborted) controller.abort(this.#reason);
`,
    to: "",
  },
  {
    name: "signal_read_twice_differs",
    about: "each read of a signal makes one",
    file: LAZY_SIGNAL,
    from: "this.#controller ??= new AbortController()",
    to: "this.#controller = new AbortController()",
  },
  {
    name: "signal_read_early",
    about: "a signal read before it aborts never does",
    file: LAZY_SIGNAL,
    from: `    this.#controller?.abort(reason);
`,
    to: "",
  },
  {
    name: "released_told_twice",
    about: "with a reset a release is told of twice",
    file: LOCAL_POOL,
    from: `    if (this.settings.reset === undefined) this.events`,
    to: `    this.events`,
  },
  {
    name: "fatal_of_the_pool",
    about: "isFatal of a use does not come before that of the pool",
    file: ACQUIRING,
    from: "const isAsked = own ?? isFatal;",
    to: "const isAsked = isFatal ?? own;",
  },
  {
    name: "second_track_counts_twice",
    about: "one that is tracked already is tracked once more",
    file: CANCELLATION,
    from: "    if (waiter.later !== undefined) return;\n",
    to: "",
  },
  {
    name: "unlisten_forgets_another",
    about: "one that waits no more on a signal forgets another who does",
    file: CANCELLATION,
    from: "} else if (others !== waiter) return;",
    to: "}",
  },
];
