import type { Mutant } from "./mutant.ts";

const AGENDA = "src/shell/agenda.ts";
const ALARM = "src/shell/alarm.ts";
const EVICTION = "src/shell/eviction.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const TIME = "src/time.ts";
const USER_CALL = "src/shell/user_call.ts";

/** Of the part of the shell that deals with time. */
export const TIMERS: readonly Mutant[] = [
  {
    name: "timer_not_clamped",
    about: "a delay above 2^31 - 1 is passed on",
    file: TIME,
    from: `2 ** 31 - 1;`,
    to: `Infinity;`,
  },
  {
    name: "time_goes_back",
    about: "time goes back where the clock does",
    file: TIME,
    from: `if (!(reading <= this.#last)) this.#last = reading;`,
    to: `this.#last = reading;`,
  },
  {
    name: "infinite_reading",
    about: "an infinite reading is a time",
    file: TIME,
    from: `!Number.isFinite(reading)`,
    to: `Number.isNaN(reading)`,
  },
  {
    name: "fault_outlives_its_clock",
    about: "a clock that works again still counts as broken",
    file: TIME,
    from: `    this.fault = undefined;
    if`,
    to: `    if`,
  },
  {
    name: "no_time_before_first_reading",
    about: "before the first good reading the time is not a number",
    file: TIME,
    from: `    return Number.isNaN(this.#last) ? 0 : this.#last;`,
    to: `    return this.#last;`,
  },
  {
    name: "throwing_clear_passed_on",
    about: "a clock that cannot clear a timer loses what the clearing was for",
    file: TIME,
    from: `    } catch {
      // Whoever set it looks again when it fires.
    }`,
    to: `    } catch (error) {
      throw error;
    }`,
  },

  // The alarm.
  {
    name: "alarm_ignores_earlier",
    about: "an earlier due time does not bring the timer forward",
    file: ALARM,
    from: `    if (!this.#isSet || due < this.#due) this.set(due);`,
    to: `    if (!this.#isSet) this.set(due);`,
  },
  {
    name: "limit_trusts_its_timer",
    about: "a timer that is early is always believed",
    file: ALARM,
    from: `    if (now + this.#slept < due) {
      // With fake timers this one would be set without end.
      if (due === Infinity && ++this.#early > MAX_EARLY) return;
      return this.#start(now, due - this.#slept);
    }
    if (now < due && ++this.#early <= MAX_EARLY) return this.#start(now, now);`,
    to: ``,
  },
  {
    name: "early_timer_never_believed",
    about: "timers that are early are set again without end",
    file: ALARM,
    from: `const MAX_EARLY = 3;`,
    to: `const MAX_EARLY = Infinity;`,
  },
  {
    name: "early_timer_believed_though_time_moves",
    about: "a timer that is early is believed although the clock moves",
    file: ALARM,
    from: `    if (!stoodStill) this.#slept = this.#early = 0;
    else if (now < due) this`,
    to: `    void stoodStill;
    if (now < due) this`,
  },
  {
    name: "microseconds_count_as_moving",
    about: "a clock that moves by microseconds does not stand still",
    file: ALARM,
    from: `now - this.#setAt < Math.max(delay / 2, 1)`,
    to: `now === this.#setAt`,
  },
  {
    name: "late_timer_judged_at_once",
    about: "a timer that is late lets no turn of the event loop pass",
    file: ALARM,
    from: `    if (now - due > LATE && !this.#isLate) {`,
    to: `    if (now - due === Infinity && !this.#isLate) {`,
  },
  {
    name: "late_timer_never_judged",
    about: "while every turn is late nothing is judged",
    file: ALARM,
    from: `now - due > LATE && !this.#isLate`,
    to: `now - due > LATE`,
  },
  {
    name: "one_late_timer_excuses_all",
    about: "after one late timer none gets a turn of grace again",
    file: ALARM,
    from: `    this.#isLate = this.#isSet = false;`,
    to: `    this.#isSet = false;`,
  },
  {
    name: "ring_before_due",
    about: "a timer that is believed rings at a time before its due time",
    file: ALARM,
    from: `this.#ringer.ring?.(Math.max(now, due));`,
    to: `this.#ringer.ring?.(now);`,
  },
  {
    name: "unlooked_fired",
    about: "an alarm rings although it was cleared",
    file: ALARM,
    from: `    // It may have been cleared, even by the reading of the clock.
    if (!this.#isSet) return;`,
    to: ``,
  },
  {
    name: "unlooked_in_context",
    about: "an alarm that reading the clock has cleared is set",
    file: ALARM,
    from: `    // Reading the clock may have cleared it.
    if (this.#isNeeded) this.#start(now, this.#due);`,
    to: `    this.#start(now, this.#due);`,
  },
  {
    name: "unlooked_start",
    about: "a timer that the clock has called at once is taken to be pending",
    file: ALARM,
    from: `      if (this.#firesAt !== now + delay) return;
`,
    to: ``,
  },
  {
    name: "throwing_timer_untold",
    about: "nobody is told that no timer could be set",
    file: ALARM,
    from: `      this.#ringer.fail(error);`,
    to: `      void error;`,
  },
  {
    name: "call_timer_holds_process",
    about: "a timer that nobody waits for keeps the process alive",
    file: ALARM,
    from: `      if (!this.#holds) unref(timer);
`,
    to: ``,
  },
  {
    name: "pending_timer_not_held",
    about: "a timer that is pending as the close begins lets the process end",
    file: ALARM,
    from: `    ref(this.#timer);
    this.advance(Infinity);`,
    to: `    this.advance(Infinity);`,
  },

  // The chores.
  {
    name: "idle_timer_holds_process",
    about: "the timer of the chores keeps the process alive",
    file: AGENDA,
    from: `new Alarm(time, context, this, false)`,
    to: `new Alarm(time, context, this, true)`,
  },
  {
    name: "agenda_not_rearmed",
    about: "after the first chore no other is done",
    file: AGENDA,
    from: `    this.advance(due);
  }

  /** The latest`,
    to: `    void due;
  }

  /** The latest`,
  },
  {
    name: "agenda_hears_first_only",
    about: "the next chore is due when the first one says",
    file: AGENDA,
    from:
      `    for (const chore of this.#chores) due = Math.min(due, chore.due);`,
    to: `    due = this.#chores[0]?.due ?? due;`,
  },
  {
    name: "chore_without_timer_untold",
    about: "chores are not told that no timer could be set",
    file: AGENDA,
    from:
      `    for (const chore of [...this.#chores].reverse()) chore.fail(error);`,
    to: `    void error;`,
  },
  {
    name: "idle_timer_not_set",
    about: "nothing is evicted until it is taken",
    file: EVICTION,
    from: `    this.#parts.agenda.advance(this.due);`,
    to: ``,
  },
  {
    name: "idle_timer_early",
    about: "the first sweep comes not after the timeout but at it",
    file: EVICTION,
    from: "    this.due = end + 1;",
    to: "    this.due = end;",
  },
  {
    name: "next_sweep_early",
    about: "the next sweep comes not after the end of what stays but at it",
    file: EVICTION,
    from: "Math.min(earliest, latest) + 1;",
    to: "Math.min(earliest, latest);",
  },
  {
    name: "idle_timer_not_set_on_release",
    about: "a release to idle does not set the idle timer",
    file: LOCAL_POOL,
    from: `    if (this.#tape.end !== 0) this.play();
    if (this.watches) this.#watch(line);`,
    to: "    if (this.#tape.end !== 0) this.play();",
  },
  {
    name: "idle_timer_not_set_on_create",
    about: "what is idle from its birth does not set the idle timer",
    file: LOCAL_POOL,
    from: `    this.play();
    if (this.watches) this.#watch(line);`,
    to: "    this.play();",
  },
  {
    name: "sweep_due_of_last_line",
    about: "the next sweep is due when the last line says",
    file: EVICTION,
    from: `      this.#earliest = Math.min(this.#earliest, endsAt);`,
    to: `      this.#earliest = endsAt;`,
  },
  {
    name: "sweep_of_one_batch",
    about: "a sweep ends after its first batch",
    file: EVICTION,
    from: `      if (endsAt === undefined) return now;`,
    to: `      if (endsAt === undefined) return Infinity;`,
  },
  {
    name: "sweep_blind_to_what_it_passed",
    about: "what ends where a sweep has been waits for a later one",
    file: EVICTION,
    from: `    this.#isSweeping = true;`,
    to: ``,
  },
  {
    name: "sweep_in_one_turn",
    about: "a sweep looks at everything in one turn",
    file: EVICTION,
    from: `const BATCH = 1_024;`,
    to: `const BATCH = Infinity;`,
  },
  {
    name: "eviction_without_timer_stuck",
    about: "after one timer that could not be set none is tried again",
    file: EVICTION,
    from: `  fail(): void {
    this.due = Infinity;`,
    to: `  fail(): void {`,
  },

  // Limits of user calls.
  {
    name: "timer_not_cleared",
    about: "the limit of a call that has ended is kept",
    file: USER_CALL,
    from: `    this.#deadlines.remove(inFlight);
    return true;`,
    to: `    return true;`,
  },
  {
    name: "next_limit_forgotten",
    about: "after the first limit no other is seen",
    file: USER_CALL,
    from: `    this.due = this.#deadlines.earliest();`,
    to: `    this.due = Infinity;`,
  },
  {
    name: "earlier_limit_ignored",
    about: "a shorter limit does not bring the timer forward",
    file: USER_CALL,
    from: `    if (inFlight.deadline >= this.due) return;`,
    to: `    if (this.due !== Infinity) return;`,
  },
  {
    name: "limits_judged_one_by_one",
    about: "a call that begins as others pass their limit may pass it too",
    file: USER_CALL,
    from: `      expired.push(inFlight);
    }`,
    to: `      this.#failed(inFlight, this.#late(inFlight.call, 0), true);
    }`,
  },
  {
    name: "limits_all_at_once",
    about: "all calls pass their limit in one turn",
    file: USER_CALL,
    from: `const BATCH = 1_024;`,
    to: `const BATCH = Infinity;`,
  },
  {
    name: "limit_without_timer_unseen",
    about: "a call whose limit has no timer is waited for without end",
    file: USER_CALL,
    from: `      this.#failed(inFlight, error, true);
    }
  }

  #limit`,
    to: `      void error;
    }
  }

  #limit`,
  },
  {
    name: "result_in_context",
    about: "what follows from a verdict is taken to be in the pool's context",
    file: USER_CALL,
    from: `(result) => this.#context.enter(isInside, () => done(result)),`,
    to: `(result) => this.#context.enter(true, () => done(result)),`,
  },
  {
    name: "call_settles_twice",
    about: "a call that has passed its limit still delivers",
    file: USER_CALL,
    from: `      if (this.#end(inFlight)) call.done(result);
      else call.late?.(result);`,
    to: `      this.#end(inFlight);
      call.done(result);`,
  },
];
