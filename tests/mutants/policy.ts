import type { Mutant } from "./mutant.ts";

const ACQUIRING = "src/shell/acquiring.ts";
const GROWTH = "src/policy/growth.ts";
const JITTER = "src/policy/jitter.ts";
const KEEPALIVE = "src/shell/keepalive.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const OUTAGE = "src/policy/outage.ts";
const PACE = "src/policy/pace.ts";
const RESETTING = "src/shell/resetting.ts";
const SOURCE = "src/shell/source.ts";
const STOCKING = "src/shell/stocking.ts";
const SUPPLY = "src/shell/supply.ts";

/** Of what decides how many resources there are, and which are kept. */
export const POLICY: readonly Mutant[] = [
  // Durations.
  {
    name: "jitter_of_half",
    about: "a duration is drawn from 50 to 100 %",
    file: JITTER,
    from: "0.75 + draws.random() / 4",
    to: "0.5 + draws.random() / 2",
  },
  {
    name: "first_create_has_no_second",
    about: "while no create has succeeded one is overdue after the least time",
    file: PACE,
    from: "? FIRST",
    to: "? LEAST",
  },
  {
    name: "patience_without_least",
    about: "a create that takes twice its usual 2 ms is overdue",
    file: PACE,
    from: "Math.max(LEAST, usual + 4 * this.#deviation)",
    to: "usual + 4 * this.#deviation",
  },
  {
    name: "two_deviations",
    about: "a create is overdue after two mean deviations",
    file: PACE,
    from: "usual + 4 * this.#deviation",
    to: "usual + 2 * this.#deviation",
  },
  {
    name: "deviation_with_its_sign",
    about: "creates faster than usual take off the deviation",
    file: PACE,
    from: "(Math.abs(error) - this.#deviation)",
    to: "(error - this.#deviation)",
  },
  {
    name: "stretch_outlives_success",
    about: "patience stays doubled after a create that succeeded",
    file: PACE,
    from: `    this.#stretch = 1;
    const`,
    to: `    const`,
  },

  // Outages.
  {
    name: "retry_without_delay",
    about: "after a failure the next create begins at once",
    file: OUTAGE,
    from: "now < this.nextAt ? 0 : this.#allowance",
    to: "this.#allowance",
  },
  {
    name: "probe_after_its_time",
    about: "at the time of the next probe none is allowed yet",
    file: OUTAGE,
    from: "now < this.nextAt ? 0",
    to: "now <= this.nextAt ? 0",
  },
  {
    name: "delay_does_not_double",
    about: "each probe that fails has the same delay",
    file: OUTAGE,
    from: "this.#backoff * 2 || this.#delay",
    to: "this.#delay",
  },
  {
    name: "delay_without_most",
    about: "delays grow beyond maxDelay",
    file: OUTAGE,
    from: `        this.#maxDelay,
      );`,
    to: `        Infinity * this.#maxDelay,
      );`,
  },
  {
    name: "failures_together_count_each",
    about: "ten creates that fail together double the delay ten times",
    file: OUTAGE,
    from: "if (began > this.#failureAt) {",
    to: "if (began > 0) {",
  },
  {
    name: "older_failure_begins_outage",
    about:
      "a create older than the latest success begins an outage as it fails",
    file: OUTAGE,
    from: "if (began < this.#successAt) {",
    to: "if (began < 0) {",
  },
  {
    name: "full_server_asked_at_once",
    about:
      "a place that a server refused after a success is tried again at once",
    file: OUTAGE,
    from:
      "      this.#allowance = Math.min(this.#allowance, Math.max(1, inFlight));\n",
    to: "",
  },
  {
    name: "full_server_never_asked",
    about: "a refusal after a success, with nothing in flight, is the end",
    file: OUTAGE,
    from: "Math.max(1, inFlight)",
    to: "inFlight",
  },
  {
    name: "older_success_ends_outage",
    about: "a create older than the failure ends the outage as it succeeds",
    file: OUTAGE,
    from: "    if (began < this.#failureAt) return false;\n",
    to: "",
  },
  {
    name: "burst_after_outage",
    about: "the first success after an outage allows all creates",
    file: OUTAGE,
    from: "this.#allowance *= 2;",
    to: "this.#allowance = Infinity;",
  },
  {
    name: "two_probes",
    about: "two creates probe at a time",
    file: OUTAGE,
    from: "this.#allowance = 1;",
    to: "this.#allowance = 2;",
  },
  {
    name: "delay_outlives_outage",
    about: "a new outage begins with the delay that the last ended with",
    file: OUTAGE,
    from: `    this.#backoff = 0;
    const`,
    to: `    const`,
  },
  {
    name: "gate_outlives_outage",
    about: "a success leaves the gate shut until the next probe's time",
    file: OUTAGE,
    from: `    this.nextAt = -Infinity;
    this.#backoff`,
    to: `    this.#backoff`,
  },
  {
    name: "each_failure_begins_outage",
    about: "each probe that fails is told of as a new outage",
    file: OUTAGE,
    from: `    if (this.since !== undefined) return false;
    this.since = now;`,
    to: `    this.since = now;`,
  },

  // Growth.
  {
    name: "charged_though_none_is_used",
    about: "a newcomer is to wait for uses where nothing is used",
    file: GROWTH,
    from: "used === 0 || createTime === undefined",
    to: "createTime === undefined",
  },
  {
    name: "coming_shortens_no_wait",
    about: "a newcomer is charged the wait for those that a create comes for",
    file: GROWTH,
    from: "place > coming ? useTime * (place - coming) / used",
    to: "place > coming ? useTime * place / used",
  },
  {
    name: "as_long_as_a_create",
    about: "a wait exactly as long as a create does not buy one",
    file: GROWTH,
    from: "wait >= createTime",
    to: "wait > createTime",
  },
  {
    name: "rest_of_credit_lost",
    about: "what is left of the credit when a create is bought is dropped",
    file: GROWTH,
    from: "this.#credit = credit - creates * createTime;",
    to: "this.#credit = creates > 0 ? 0 : credit;",
  },
  {
    name: "credit_in_debt",
    about: "waits that are given back can leave less than no credit",
    file: GROWTH,
    from: "Math.max(0, this.#credit - wait)",
    to: "this.#credit - wait",
  },
  {
    name: "wait_not_given_back",
    about: "one who leaves unserved leaves the wait it was charged",
    file: SUPPLY,
    from: "if (charge > 0) this.of(line).growth!.left(charge);",
    to: "void charge;",
  },
  {
    name: "rejected_wait_not_given_back",
    about: "one who is rejected leaves the wait it was charged",
    file: ACQUIRING,
    from: `    this.#supply.left(this.#partition.lineOf(waiter.home), waiter);
`,
    to: ``,
  },
  {
    name: "place_before_its_own",
    about: "a newcomer is charged the wait of the one before it",
    file: SUPPLY,
    from: "const place = line.waiting + 1;",
    to: "const place = line.waiting;",
  },
  {
    name: "grows_after_eviction",
    about: "waits from before a resource was idle for too long still buy",
    file: SUPPLY,
    from: "if (this.#isMeasured) this.of(line).growth!.reset();",
    to: "void line;",
  },
  {
    name: "outage_counts_waits",
    about: "in an outage one who joins is owed only what growth buys",
    file: SUPPLY,
    from: "if (isDue || outage?.since !== undefined)",
    to: "if (isDue)",
  },
  {
    name: "beyond_max_pending_owed_nothing",
    about: "one whom only a create lets in is not owed it",
    file: SUPPLY,
    from: "const isDue = isForced || !this.#isMeasured;",
    to: "const isDue = !this.#isMeasured;",
  },
  {
    name: "long_wait_owed_nothing",
    about: "one who waits longer than a create takes is owed none",
    file: SOURCE,
    from: "    line.owe(count);\n",
    to: "",
  },
  {
    name: "owed_after_patience",
    about: "one is owed a create only when a create would be overdue",
    file: SOURCE,
    from: "const usual = pace.usual ?? pace.patience;",
    to: "const usual = pace.patience;",
  },

  // Overdue.
  {
    name: "overdue_not_made_up_for",
    about: "in an outage a probe that hangs is the last",
    file: SOURCE,
    from: "outage.allowance(now) + line.overdue",
    to: "outage.allowance(now)",
  },
  {
    name: "overdue_stretches_nothing",
    about: "one create after the other is overdue as soon",
    file: SOURCE,
    from: `      this.pace.wasOverdue();
`,
    to: "",
  },
  {
    name: "late_create_is_newer",
    about: "a create that began a little after its waiter came counts as newer",
    file: SUPPLY,
    from: "now - Math.min(began, creation.since)",
    to: "now - began",
  },
  {
    name: "patient_gives_up_on_newer",
    about: "a timeout gives up on a create younger than the wait",
    file: SUPPLY,
    from: "took >= wait && (",
    to: "(",
  },
  {
    name: "impatient_gives_up",
    about: "a timeout shorter than a create usually takes gives up on it",
    file: SUPPLY,
    from: "(source.isNew || took > pace.usual!)",
    to: "took > 0",
  },
  {
    name: "each_timeout_gives_up",
    about: "within the usual time of a create two timeouts give up on two",
    file: SUPPLY,
    from: "if (!isSlow || now < source.trustsUntil) break;",
    to: "if (!isSlow) break;",
  },
  {
    name: "timeout_gives_up_on_all",
    about: "one timeout gives up on all creates",
    file: SUPPLY,
    from: `      source.giveUpOn(birth);
      break;`,
    to: `      source.giveUpOn(birth);`,
  },
  {
    name: "ended_create_overdue",
    about: "a create that has succeeded can still be overdue",
    file: SOURCE,
    from: `    this.births.delete(birth);
    this.coming.delete(birth);
`,
    to: `    this.births.delete(birth);
`,
  },
  {
    name: "ended_create_is_oldest",
    about: "a create that has ended counts as the one that takes longest",
    file: SOURCE,
    from: "    this.births.delete(birth);\n",
    to: "",
  },

  // Failures.
  {
    name: "first_failure_judged_at_once",
    about: "a first failure rejects although another create may succeed",
    file: SOURCE,
    from: "trial === undefined || this.coming.size > 0",
    to: "trial === undefined",
  },
  {
    name: "first_failure_waits_for_overdue",
    about: "a first failure waits for a create that is overdue",
    file: SOURCE,
    from: "this.coming.size > 0",
    to: "this.births.size > 0",
  },
  {
    name: "first_failure_forgets_lost",
    about: "a first failure does not wait for the failure of a lost one",
    file: SOURCE,
    from: "if (creation.isLost) return;",
    to: "void creation;",
  },
  {
    name: "first_failure_rejects_newcomers",
    about: "a first failure rejects those who came after it",
    file: SOURCE,
    from: "line.reject(trial.order, trial.error);",
    to: "line.reject(Infinity, trial.error);",
  },
  {
    name: "rejects_although_proven",
    about: "a failure rejects although a create has succeeded before",
    file: SUPPLY,
    from: "if (source.isNew) source.trial",
    to: "source.trial",
  },
  {
    name: "trial_outlives_success",
    about: "a success does not acquit those whom a first failure was to reject",
    file: SUPPLY,
    from: "      source.trial = undefined;\n",
    to: "",
  },
  {
    name: "retry_not_looked_at",
    about: "nobody looks when the next probe may begin",
    file: SOURCE,
    from:
      "      if (now < nextAt) return Math.min(due, nextAt, this.#owe(now));\n",
    to: "",
  },
  {
    name: "failure_allows_as_before",
    about: "the slot of a failed create is created for before it counts",
    file: SUPPLY,
    from: "    line.allow(outage.allowance(now));\n",
    to: "",
  },
  {
    name: "failed_one_made_up_for",
    about: "an overdue create that fails allows one more in its place",
    file: SUPPLY,
    from: "    line.allow(outage.allowance(now));\n",
    to: "    line.allow(outage.allowance(now) + line.overdue);\n",
  },
  {
    name: "failure_rejects_with_retry",
    about: "a failure rejects the first who waits although it is tried again",
    file: SUPPLY,
    from: "line.createFailed(creation, error, settings.createRetry === false);",
    to: "line.createFailed(creation, error, true);",
  },
  {
    name: "outage_of_all_lines",
    about: "the lines of an isolated pool share their outages",
    file: SUPPLY,
    from: "let source = this.#sources.get(line);",
    to: "let source = [...this.#sources.values()][0];",
  },
  {
    name: "outage_begins_with_close",
    about: "creates that a close breaks off begin an outage",
    file: SUPPLY,
    from: `    if (this.#closing.hasBegun) return;
    const { refusals, events } = this.#parts;`,
    to: `    const { refusals, events } = this.#parts;`,
  },
  {
    name: "outage_untold_of_lost",
    about: "an outage that began with a loss is not told of",
    file: SUPPLY,
    from: `    source.giveUpOn(birth);
    this.#tellOutage(source);`,
    to: `    source.giveUpOn(birth);
    source.untold.length = 0;`,
  },
  {
    name: "outages_told_backwards",
    about: "what follows from the end of an outage is told before it",
    file: SUPPLY,
    from: "untold.shift()",
    to: "untold.pop()",
  },
  {
    name: "outage_as_long_as_its_probe",
    about:
      "an outage is told to have lasted as long as the create that ended it",
    file: SUPPLY,
    from: "const ended = { stripe, duration: now - since! };",
    to: "const ended = { stripe, duration };",
  },
  {
    name: "closed_create_fails_with_its_own",
    about: "a create that a close breaks off fails with what it likes",
    file: SUPPLY,
    from: "const error = isClosed && !(failure instanceof PoolClosedError)",
    to: "const error = isClosed && failure === this",
  },
  {
    name: "lost_create_succeeds",
    about: "a create whose resource was lost meanwhile counts as a success",
    file: SUPPLY,
    from: `    if (creation.isLost) {
      this.#fail(`,
    to: `    if (birth === undefined) {
      this.#fail(`,
  },
  {
    name: "lost_create_rejects_nobody",
    about: "without a retry a create lost meanwhile rejects nobody",
    file: SUPPLY,
    from: "        line.rejectFirst(creation.order, loss);\n",
    to: "",
  },
  {
    name: "lost_create_waited_for",
    about: "a create whose resource is lost is still counted on",
    file: SUPPLY,
    from: `    source.giveUpOn(birth);
    this.#tellOutage`,
    to: "    this.#tellOutage",
  },

  // Lives.
  {
    name: "life_not_drawn",
    about: "those made at once end at once",
    file: SUPPLY,
    from: "now + jitter(settings.maxLifetime)",
    to: "now + settings.maxLifetime",
  },
  {
    name: "life_ends_unseen",
    about: "nobody looks when a life ends",
    file: SUPPLY,
    from: "    if (diesAt !== Infinity) this.#eviction.expect(diesAt);\n",
    to: "",
  },

  // The minimum, and warm.
  {
    name: "min_never_kept",
    about: "the first acquire does not begin to keep the minimum",
    file: ACQUIRING,
    from: "    this.#stocking.begin();\n",
    to: "",
  },
  {
    name: "min_after_a_failure_without_retry",
    about: "without a retry creates for min that fail go on without end",
    file: STOCKING,
    from: `    this.#isKept = false;
    this.#stock();
  }`,
    to: `    this.#stock();
  }`,
  },
  {
    name: "min_not_after_a_failure",
    about: "a failed create ends the minimum although it is tried again",
    file: STOCKING,
    from: "    if (this.#parts.settings.createRetry !== false) return;\n",
    to: "",
  },
  {
    name: "warm_fails_with_an_older_create",
    about: "the failure of a create from before the call rejects a warm",
    file: STOCKING,
    from: "begun >= warming.begun",
    to: "begun >= 0",
  },
  {
    name: "warm_hears_second_failure",
    about: "the failure of the first create of a warm does not reject it",
    file: STOCKING,
    from: "begun >= warming.begun",
    to: "begun > warming.begun",
  },
  {
    name: "warm_by_one_line",
    about: "a warm of an isolated pool resolves when one stripe is warm",
    file: STOCKING,
    from: "lines.every((line, i) => line.existing",
    to: "lines.some((line, i) => line.existing",
  },
  {
    name: "warm_kept_for_ever",
    about: "what a warm made is kept as if it were the minimum",
    file: STOCKING,
    from: `          settle();
          this.#stock();`,
    to: `          settle();`,
  },
  {
    name: "first_warm_counts",
    about: "a second, larger warm waits for the first",
    file: STOCKING,
    from: `Math.max(min, ...warmed)`,
    to: `warmed[0] ?? min`,
  },
  {
    name: "warm_below_min",
    about: "while a warm waits the minimum is not kept",
    file: STOCKING,
    from: `Math.max(min, ...warmed)`,
    to: `warmed.length > 0 ? Math.max(...warmed) : min`,
  },
  {
    name: "warm_already_waits",
    about: "a warm waits for one resource more where there are enough",
    file: STOCKING,
    from: `      this.created();
`,
    to: "",
  },
  {
    name: "warm_lets_process_end",
    about: "a warm that waits does not keep the process alive",
    file: STOCKING,
    from: "      this.#alarm.set(Infinity);\n",
    to: "",
  },
  {
    name: "warm_holds_process",
    about: "a warm that has ended keeps the process alive",
    file: STOCKING,
    from: "          if (this.#warmings.size === 0) this.#alarm.clear();\n",
    to: "",
  },
  {
    name: "first_warm_lets_process_end",
    about: "where two wait the first to end lets the process end",
    file: STOCKING,
    from: "if (this.#warmings.size === 0) this.#alarm.clear();",
    to: "this.#alarm.clear();",
  },
  {
    name: "owed_nothing_though_nothing_comes",
    about: "whose create has failed waits for what does not come",
    file: "src/shell/source.ts",
    from: `    if (line.existing === 0 && line.coming === 0) line.owe(limit);
`,
    to: ``,
  },
  {
    name: "kept_until_the_next_sweep",
    about: "what a warm kept beyond its end is not evicted when it ends",
    file: "src/shell/stocking.ts",
    from:
      `    if (kept < this.#kept) this.#eviction.expect(this.#parts.time.now());
`,
    to: ``,
  },
  {
    name: "warm_listener_left",
    about: "a warm that ended leaves its listener",
    file: STOCKING,
    from: `          if (signal !== undefined) removeListener(signal, onAbort);
`,
    to: ``,
  },
  {
    name: "warm_believes_the_event",
    about: "a warm goes by an event, whoever sends it",
    file: STOCKING,
    from: `        if (!signal!.aborted) return;
        warming.fail`,
    to: `        warming.fail`,
  },
  {
    name: "abort_while_warm_listens",
    about: "a signal that aborts as it takes the listener is not heard",
    file: STOCKING,
    from: "      if (signal !== undefined) onAbort();\n",
    to: "",
  },
  {
    name: "warm_outlives_close",
    about: "a close leaves a warm waiting",
    file: LOCAL_POOL,
    from: "    this.#stocking.close(error);\n",
    to: "",
  },
  {
    name: "warm_of_closed_pool",
    about: "a closed pool is warmed",
    file: LOCAL_POOL,
    from:
      `    if (this.#acquirer.refuses) return Promise.reject(this.refusals.closed());
    return this.#stocking`,
    to: `    return this.#stocking`,
  },
  {
    name: "warm_deaf_to_failures",
    about: "a create that fails rejects no warm",
    file: SUPPLY,
    from: "    this.#stocking.failed(birth.number, error);\n",
    to: "",
  },
  {
    name: "warm_deaf_to_losses",
    about: "a create lost meanwhile rejects no warm",
    file: SUPPLY,
    from: "      this.#stocking.failed(birth.number, loss);\n",
    to: "",
  },

  // Checks in the background.
  {
    name: "keepalive_not_begun",
    about: "where nothing is evicted nothing is checked",
    file: LOCAL_POOL,
    from: "idleTimeout !== Infinity || keepalive !== Infinity;",
    to: "idleTimeout !== Infinity;",
  },
  {
    name: "keepalive_of_first_line",
    about: "only the first line with something idle is checked",
    file: KEEPALIVE,
    from: "if (time >= earliest) continue;",
    to: "if (time >= earliest || entry !== undefined) continue;",
  },
  {
    name: "two_checks_at_once",
    about: "a check begins while another is under way",
    file: KEEPALIVE,
    from: "if (this.due !== Infinity || this.#isChecking) return;",
    to: "if (this.due !== Infinity) return;",
  },
  {
    name: "checks_end_when_none_is_idle",
    about: "a time without anything idle ends the checks",
    file: KEEPALIVE,
    from: `      this.#parts.watches = true;
    } else if`,
    to: `    } else if`,
  },
  {
    name: "a_keepalive_after_a_pause",
    about: "what became due in a pause is checked one keepalive after it",
    file: KEEPALIVE,
    from: "    this.due = now;",
    to: "    this.due = now + this.#keepalive;",
  },
  {
    name: "one_check",
    about: "after the first check there is none",
    file: KEEPALIVE,
    from: `      this.due = this.#parts.time.now();
      this.#parts.agenda.advance(this.due);`,
    to: "",
  },
  {
    name: "check_outlasts_the_idle_end",
    about: "what is idle again after a check is evicted as if released then",
    file: KEEPALIVE,
    from:
      `      if (entry.place === "idle") this.#eviction.expect(entry.endsAt);`,
    to: ``,
  },
  {
    name: "next_check_a_keepalive_later",
    about: "checks that are due together come one keepalive after the other",
    file: KEEPALIVE,
    from: "      this.due = this.#parts.time.now();",
    to: "      this.due = this.#parts.time.now() + this.#keepalive;",
  },

  // Resets.
  {
    name: "reset_in_releasers_context",
    about: "reset is called in the context of whoever releases",
    file: RESETTING,
    from: "    this.#context.do(this);",
    to: "    this.inContext();",
  },
  {
    name: "reset_of_the_worn",
    about: "what is to be destroyed is reset before",
    file: RESETTING,
    from: "if (line.isWorn(entry, this.#parts.now())) return",
    to: "if (line === undefined) return",
  },
  {
    name: "failed_reset_trusted",
    about: "what could not be reset is used again",
    file: RESETTING,
    from: `        line.destroy(entry, "reset");`,
    to: "        this.#lessor.release(entry, failed);",
  },
  {
    name: "failed_reset_not_followed",
    about: "what could not be reset is destroyed with the next act",
    file: RESETTING,
    from: `        if (isLate) call.abort(error);
        this.#parts.play();`,
    to: `        if (isLate) call.abort(error);`,
  },
  {
    name: "late_reset_not_aborted",
    about: "the signal of a reset does not abort at resetTimeout",
    file: RESETTING,
    from: "        if (isLate) call.abort(error);\n",
    to: "",
  },
  {
    name: "reset_outlives_close",
    about: "an aborted close does not abort a reset",
    file: RESETTING,
    from:
      "      abandoned: () => call.abort(this.#parts.refusals.closed(entry.stripe)),\n",
    to: "",
  },
  {
    name: "no_reset_limit",
    about: "a reset that hangs keeps its slot for ever",
    file: RESETTING,
    from: "limit: settings.resetTimeout",
    to: "limit: Infinity",
  },
  {
    name: "reset_knows_no_failure",
    about: "reset is not told that the use failed",
    file: RESETTING,
    from: "this.#released.push({ entry, failed });",
    to: "this.#released.push({ entry, failed: false });",
  },
  {
    name: "one_reset_a_turn",
    about: "of two that are released in one turn one is reset",
    file: RESETTING,
    from:
      "    for (const { entry, failed } of released) this.#reset(entry, failed);",
    to:
      "    for (const { entry, failed } of released.slice(0, 1)) this.#reset(entry, failed);",
  },
];
