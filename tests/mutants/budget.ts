import type { Mutant } from "./mutant.ts";

const BUDGET = "src/budget/mod.ts";
const BUDGETING = "src/shell/budgeting.ts";
const KEYED = "src/keyed/mod.ts";
const KEYED_DETAILS = "src/keyed/details.ts";
const KEYED_OBSERVERS = "src/keyed/observers.ts";
const LINE = "src/core/line.ts";
const STOCKING = "src/shell/stocking.ts";

export const BUDGETS: readonly Mutant[] = [
  // Who gets a permit.
  {
    name: "budget_newest_first",
    about: "a permit goes to who came last",
    file: BUDGET,
    from: `share.since < first.since`,
    to: `share.since > first.since`,
  },
  {
    name: "budget_level_last_first",
    about: "of two that came at the same time the last to ask is first",
    file: BUDGET,
    from: `share.since < first.since`,
    to: `share.since <= first.since`,
  },
  {
    name: "budget_grants_without_end",
    about: "a permit that is granted is not counted",
    file: BUDGET,
    from: `      this.#left--;`,
    to: ``,
  },
  {
    name: "budget_given_back_not_granted",
    about: "what is given back is granted to nobody",
    file: BUDGET,
    from: `    this.#left += permits;`,
    to: ``,
  },
  {
    name: "budget_lends_first_place",
    about:
      "those behind one whose create is coming count as having come with it",
    file: LINE,
    from: `this.#waiting.sinceAt(this.coming)`,
    to: `this.#waiting.sinceAt(0)`,
  },
  {
    name: "budget_grant_not_retold",
    about: "after a grant the next permit goes by what was wanted before",
    file: BUDGETING,
    from: `    // At once, as the next permit may be for who waits elsewhere.
    this.#want();`,
    to: ``,
  },
  {
    name: "budget_grant_wakes_nobody",
    about: "a grant from elsewhere begins no create",
    file: BUDGETING,
    from: `    if (!this.#isSyncing) this.#wake();`,
    to: ``,
  },
  {
    name: "budget_back_before_want",
    about: "what is given back is granted again for one who has left",
    file: BUDGETING,
    from: `    this.#want();
    if (back > 0) this.#call`,
    to: `    queueMicrotask(() => this.#want());
    if (back > 0) this.#call`,
  },
  {
    name: "budget_keeps_unused",
    about: "a permit that is not used is kept",
    file: BUDGETING,
    from: `    if (back > 0) {`,
    to: `    if (back > this.#held) {`,
  },
  {
    name: "budget_wants_beside_what_it_gives_back",
    about: "what it gives back counts as its own in what it wants",
    file: BUDGETING,
    from: `      this.#permit();
    }`,
    to: `    }
    queueMicrotask(() => this.#permit());`,
  },
  {
    name: "budget_forgets_what_is_untold",
    about: "a grant gives back what has yielded and is not told yet",
    file: BUDGETING,
    from: ` - this.#owed - untold);`,
    to: ` - this.#owed);`,
  },
  {
    name: "budget_uses_what_it_owes",
    about: "the permit of what was let go is used by its own line again",
    file: BUDGETING,
    from: `    this.#owed += permits;`,
    to: ``,
  },
  {
    name: "budget_wakes_in_passing",
    about: "what a pool is asked for runs in the context of who asked",
    file: BUDGETING,
    from: `const wake = () => context.do(this);`,
    to: `const wake = () => parts.playNow();`,
  },
  // Who parts with something.
  {
    name: "budget_promise_not_counted",
    about: "what comes back is asked for again",
    file: BUDGET,
    from: `      this.#promise(share, 1);`,
    to: ``,
  },
  {
    name: "budget_promise_after",
    about: "one who parts with something at once has it promised for ever",
    file: BUDGET,
    from: `      this.#promise(share, 1);
      share.member.letGo();`,
    to: `      share.member.letGo();
      this.#promise(share, 1);`,
  },
  {
    name: "budget_yield_not_promised",
    about: "one who has yielded is not counted on",
    file: BUDGET,
    from: `        this.#promise(share, permits);
        this.#settle();`,
    to: `        this.#settle();`,
  },
  {
    name: "budget_yield_told_once",
    about: "one who has yielded is not told of the next who waits",
    file: BUDGET,
    from: `        share.yieldsTo = Infinity;`,
    to: ``,
  },
  {
    name: "budget_yields_to_nobody",
    about: "one who has nothing left still yields to who has left",
    file: BUDGET,
    from: `      this.#tell(share, Infinity);`,
    to: ``,
  },
  {
    name: "budget_yields_for_ever",
    about: "nobody is told that no one waits any more",
    file: BUDGET,
    from: `    if (since === Infinity && this.#told === Infinity) return;`,
    to: `    if (since === Infinity) return;`,
  },
  {
    name: "budget_covered_yielded_to",
    about: "what is released goes to one whose permit comes back already",
    file: BUDGET,
    from: `(left -= wants) < 0)?.since`,
    to: `(left -= wants) < Infinity)?.since`,
  },
  {
    name: "budget_newest_idle_leaves",
    about: "what leaves is not what has been idle longest",
    file: BUDGET,
    from: `      if (idleSince >= earliest) continue;
      earliest = idleSince;`,
    to: `      if (idleSince === Infinity) continue;
      earliest = idleSince;`,
  },
  {
    name: "budget_asks_once",
    about: "a pool that had nothing idle is not asked again",
    file: BUDGET,
    from: `share.idleSince = Math.min(idleSince, since);`,
    to: `share.idleSince = idleSince;`,
  },
  {
    name: "budget_yields_each_release",
    about: "every release goes while one waits elsewhere",
    file: LINE,
    from: `    this.#yieldsTo = Infinity;
    this.#calm();`,
    to: `    this.#calm();`,
  },
  {
    name: "budget_destroyed_replaced_first",
    about: "what is destroyed is replaced for who came after one elsewhere",
    file: LINE,
    from:
      `    if (this.#yieldsTo < this.#waiting.oldest && !isKept) this.#permits--;`,
    to: ``,
  },
  {
    name: "budget_minimum_not_replaced",
    about: "what is destroyed is not replaced though it is of the minimum",
    file: LINE,
    from: `    const isKept = this.#existing < this.#stock;`,
    to: `    const isKept = false;`,
  },
  {
    name: "budget_older_not_replaced_for",
    about: "what is destroyed is not replaced for who came before all others",
    file: LINE,
    from: `if (this.#yieldsTo < this.#waiting.oldest && !isKept)`,
    to: `if (this.#yieldsTo < Infinity && !isKept)`,
  },
  {
    name: "budget_yielded_replaced",
    about: "what has yielded is replaced before the budget is told",
    file: LINE,
    from: `    this.yielded++;
    this.#permits--;`,
    to: `    this.yielded++;`,
  },
  {
    name: "checked_kept_from_others",
    about: "what was checked stays for who waits, whoever else is to have it",
    file: LINE,
    from: `    entry.checkedAt = now;
    if (this.#leaves(entry, now)) return;`,
    to: `    entry.checkedAt = now;
    if (this.isWorn(entry, now)) return this.#settle(entry, now);`,
  },
  {
    name: "budget_yields_to_level",
    about: "one who came at the same time elsewhere is first",
    file: LINE,
    from: `this.#yieldsTo < since &&`,
    to: `this.#yieldsTo <= since &&`,
  },
  {
    name: "budget_yields_minimum",
    about: "what is released goes though it is of the minimum",
    file: LINE,
    from: `this.#yieldsTo < since && this.#existing > this.#stock`,
    to: `this.#yieldsTo < since`,
  },
  {
    name: "budget_lets_minimum_go",
    about: "what is idle goes though it is of the minimum",
    file: LINE,
    from: `    if (this.#existing <= this.#stock) return undefined;
    let longest`,
    to: `    let longest`,
  },
  {
    name: "budget_stock_keeps",
    about: "what is not kept any more goes to nobody",
    file: LINE,
    from: `    this.#yieldIdle();
    this.resume();`,
    to: `    this.resume();`,
  },
  {
    name: "budget_pause_keeps",
    about: "what a pause kept for one who has left goes to nobody",
    file: LINE,
    from: `      if (this.#pauses > 0) this.#yieldIdle();
`,
    to: "",
  },
  {
    name: "budget_unpause_keeps",
    about: "what a pause kept beyond those who wait goes to nobody",
    file: LINE,
    from: `    this.#serve(now);
    this.#yieldIdle();`,
    to: `    this.#serve(now);`,
  },
  {
    name: "budget_warm_keeps",
    about: "what a warm that is given up had made goes to nobody",
    file: STOCKING,
    from: `        warming.fail(signal!.reason);
        this.#parts.play();`,
    to: `        warming.fail(signal!.reason);`,
  },
  // What a line lacks.
  {
    name: "budget_minimum_asks",
    about: "while one waits others part with things for the minimum",
    file: LINE,
    from: `(this.#isShort ? this.#owed - this.#idle : this.#wanted)`,
    to: `this.#wanted`,
  },
  {
    name: "budget_minimum_in_line",
    about: "a create for the minimum is wanted since the first one waits",
    file: LINE,
    from:
      `return this.#isShort ? this.#waiting.sinceAt(this.coming) : Infinity;`,
    to: `return this.#waiting.sinceAt(this.coming);`,
  },
  {
    name: "budget_gate_ignored",
    about: "creates that maxCreating holds back want permits",
    file: LINE,
    from: `      this.#gate.places,
      (this`,
    to: `      (this`,
  },
  {
    name: "budget_pause_wants",
    about: "a pool that is paused wants permits",
    file: LINE,
    from: `    if (this.#pauses > 0) return 0;
    const lacking`,
    to: `    const lacking`,
  },
  {
    name: "budget_without_permit",
    about: "a create begins without a permit",
    file: LINE,
    from: `      this.occupied < this.#permits &&
      this.#creating`,
    to: `      this.#creating`,
  },
  // Keys.
  {
    name: "keyed_never_drops",
    about: "a key of which nothing is left is kept",
    file: KEYED,
    from: `          if (permits === 0 && isEmpty(pool)) drop();`,
    to: ``,
  },
  {
    name: "keyed_refused_stays",
    about: "a key that was refused at once is kept",
    file: KEYED,
    from: `    // It may be refused at once.
    drop();`,
    to: ``,
  },
  {
    name: "keyed_drops_at_once",
    about: "a key is dropped in the middle of an acquire",
    file: KEYED,
    from: `if (permits === 0 && isEmpty(pool)) drop();`,
    to: `if (permits === 0) this.#drop(key, pool);`,
  },
  {
    name: "keyed_old_drops_new",
    about: "the pool that a key had drops the one it has",
    file: KEYED,
    from: `this.#pools.get(key) !== pool || !isEmpty(pool)`,
    to: `!isEmpty(pool)`,
  },
  {
    name: "keyed_drops_what_waits",
    about: "a key is dropped while somebody waits",
    file: KEYED,
    from: `this.#pools.get(key) !== pool || !isEmpty(pool)`,
    to: `this.#pools.get(key) !== pool`,
  },
  {
    name: "keyed_dropped_not_closed",
    about: "the pool of a key that is dropped stays open",
    file: KEYED,
    from: `    void pool.close();`,
    to: ``,
  },
  {
    name: "keyed_makes_while_closing",
    about: "a key asked for by what a close destroys gets a pool",
    file: KEYED,
    from: `this.#isClosed ? this.#none : this.#make(key)`,
    to: `this.#closing ? this.#none : this.#make(key)`,
  },
  {
    name: "keyed_close_unchecked",
    about: "bad options of a close close it",
    file: KEYED,
    from: `      checkClose(signal, serve);
`,
    to: ``,
  },
  {
    name: "keyed_close_waits",
    about: "the signal of a close is not passed on",
    file: KEYED,
    from: `pool.close({ signal, serve })`,
    to: `pool.close({ serve })`,
  },
  {
    name: "keyed_close_hides_error",
    about: "what destroys fail with is not told of",
    file: KEYED,
    from: `  if (errors.length === 1) throw errors[0];`,
    to: `  if (errors.length < 3) return;`,
  },
  {
    name: "keyed_one_key_takes_all",
    about: "maxPerKey is not heeded",
    file: KEYED,
    from: `this.#maxPerKey = Math.min(maxPerKey, max)`,
    to: `this.#maxPerKey = max`,
  },
  {
    name: "keyed_retry_read_again",
    about: "what createRetry holds is read for each key",
    file: KEYED,
    from: `const retry = createRetry && { ...createRetry };`,
    to: `const retry = createRetry;`,
  },
  {
    name: "keyed_try_makes",
    about: "a tryAcquire of an unknown key makes a pool",
    file: KEYED,
    from: `(this.#pools.get(key) ?? this.#none).tryAcquire(options)`,
    to: `this.#of(key).tryAcquire(options)`,
  },
  {
    name: "keyed_takes_minimum",
    about: "a minimum for each key is taken",
    file: KEYED,
    from: `if (value !== undefined) check.mistake`,
    to: `if (value === null) check.mistake`,
  },
  {
    name: "keyed_creates_for_another",
    about: "what is created is for no key",
    file: KEYED,
    from: `create(key, context)`,
    to: `create(undefined as K, context)`,
  },

  {
    name: "keyed_forgets_an_outage",
    about: "a key whose creates fail is created for at each acquire",
    file: KEYED,
    from: `line!.outage !== undefined`,
    to: `line === undefined`,
  },
  {
    name: "keyed_forgets_what_was_lost",
    about: "a key that has lost what it had rejects as if none had ever worked",
    file: KEYED,
    from: `        this.#ends.set(pool, context.reason);\n`,
    to: ``,
  },
  {
    name: "keyed_end_outlives_a_create",
    about: "a key that had an idle one evicted forgets that its creates fail",
    file: KEYED,
    from: `        this.#ends.delete(pool);\n`,
    to: ``,
  },
  {
    name: "keyed_remembers_all",
    about: "all keys that ever had trouble are kept",
    file: KEYED,
    from: `this.#troubled.size <= REMEMBERED`,
    to: `this.#troubled.size > 0`,
  },
  {
    name: "keyed_remembers_the_healthy",
    about: "a key that was evicted as idle is kept",
    file: KEYED,
    from: `return TROUBLES.includes(end)`,
    to: `return true`,
  },
  {
    name: "keyed_shows_what_it_remembers",
    about: "keys that have nothing are among those that are counted",
    file: KEYED,
    from: `      if (isZero(counts)) continue;\n`,
    to: ``,
  },
  {
    name: "keyed_tells_of_what_it_remembers",
    about: "the outage of a key that has nothing is that of the whole",
    file: KEYED,
    from: `.filter((it) => !isEmpty(it))`,
    to: ``,
  },
  {
    name: "keyed_destroy_unchecked",
    about: "a destroy that is no function is taken",
    file: KEYED,
    from: `    if (shared.destroy !== undefined) {`,
    to: `    if (shared.destroy === null) {`,
  },

  // Keys that are watched as one pool.
  {
    name: "keyed_key_closes_the_whole",
    about: "the end of a key is told as that of the whole",
    file: KEYED_OBSERVERS,
    from: `        if (name === "closed") return undefined;
`,
    to: ``,
  },
  {
    name: "keyed_close_untold_to_late_ones",
    about:
      "who begins to observe the whole after its end waits for it for ever",
    file: KEYED_OBSERVERS,
    from: `    if (this.#closed !== undefined) seat.closed(this.#closed);
`,
    to: ``,
  },
  {
    name: "keyed_close_untold",
    about: "the end of the whole is not told",
    file: KEYED,
    from: `
        .finally(() => this.#observers.closed(this.name))`,
    to: ``,
  },
  {
    name: "keyed_late_key_unheard",
    about: "an observer hears of no key that comes later",
    file: KEYED,
    from: `    this.#observers.hear(pool);
`,
    to: ``,
  },
  {
    name: "keyed_ids_of_each",
    about: "ids are those of the pool of a key",
    file: KEYED_OBSERVERS,
    from: `      return { ...event, id };`,
    to: `      return event;`,
  },
  {
    name: "keyed_ids_mixed",
    about: "creates and destroys share their ids",
    file: KEYED_OBSERVERS,
    from: `name.startsWith("create") ? known.create : known.destroy`,
    to: `known.create`,
  },
  {
    name: "keyed_pending_of_each",
    about: "how many are pending is told of one key",
    file: KEYED_OBSERVERS,
    from: `pending: this.#pending };`,
    to: `pending: now };`,
  },
  {
    name: "keyed_pending_from_none",
    about: "those who were pending before are not counted",
    file: KEYED_OBSERVERS,
    from: `    this.#pending += pending;
`,
    to: ``,
  },
  {
    name: "keyed_pending_counted_unasked",
    about: "who is pending is counted where nobody asks",
    file: KEYED_OBSERVERS,
    from:
      `        if (name === "pendingChanged" && !observer[name]) return undefined;
`,
    to: ``,
  },
  {
    name: "keyed_observer_without_this",
    about: "the methods of an observer are called on nothing",
    file: KEYED_OBSERVERS,
    from: `return observer[name]?.(own as never);`,
    to: `const tell = observer[name];
          return tell?.(own as never);`,
  },
  {
    name: "keyed_observed_twice",
    about: "an observer that is added twice is told twice",
    file: KEYED_OBSERVERS,
    from: `    const known = this.#seats.get(observer);
`,
    to: `    const known: ObserverSeat<T> | undefined = undefined;
`,
  },
  {
    name: "keyed_observed_for_ever",
    about: "an observer that was taken away still hears",
    file: KEYED_OBSERVERS,
    from: `      seat.end();
`,
    to: ``,
  },
  {
    name: "keyed_gone_hears_late",
    about: "an observer that was taken away hears of dropped keys",
    file: KEYED_OBSERVERS,
    from: `          if (this.times === 0) return;
`,
    to: ``,
  },
  {
    name: "keyed_closed_throws",
    about: "what an observer of the end throws is thrown",
    file: KEYED_OBSERVERS,
    from: `    const tell = async () => await this.#observer.closed?.({ pool });
    // What it throws, or rejects with, is dropped.
    tell().catch(() => {});
`,
    to: `    this.#observer.closed?.({ pool });
`,
  },
  {
    name: "keyed_details_of_one",
    about: "the details are those of the first key",
    file: KEYED,
    from: `merged(details, this.#max)`,
    to: `details[0] ?? merged(details, this.#max)`,
  },
  {
    name: "keyed_waits_unsorted",
    about: "the waits of keys are not in order",
    file: KEYED_DETAILS,
    from: `      .sort((a, b) => b - a).slice(0, WAITS)`,
    to: `      .slice(0, WAITS)`,
  },
  {
    name: "keyed_holders_unsorted",
    about: "the holders of keys are not in order",
    file: KEYED_DETAILS,
    from: `      .sort((a, b) => b.age - a.age).slice(0, HOLDERS)`,
    to: `      .slice(0, HOLDERS)`,
  },
  {
    name: "keyed_outage_of_any",
    about: "the outage is not that which has lasted longest",
    file: KEYED_DETAILS,
    from: `
    .sort((a, b) => b.outage!.since - a.outage!.since)`,
    to: ``,
  },
  {
    name: "keyed_stuck_by_one",
    about: "none was released where one key has seen none",
    file: KEYED_DETAILS,
    from: `known.length === 0 || known.length < times.length`,
    to: `known.length === 0`,
  },
  {
    name: "budget_throws_through",
    about: "what a budget throws comes out of an acquire",
    file: "src/shell/budgeting.ts",
    from: `      this.#failed(error);`,
    to: `      this.#failed(error);
      throw error;`,
  },
  {
    name: "budget_error_swallowed",
    about: "what a budget throws is the cause of nothing",
    file: "src/shell/budgeting.ts",
    from: `      this.#failed(error);`,
    to: ``,
  },
  {
    name: "budget_lets_go_of_nothing",
    about: "a budget may ask for something idle where nothing is",
    file: "src/shell/budgeting.ts",
    from: `    if (this.idleSince === Infinity) return;
`,
    to: ``,
  },
  {
    name: "budget_join_unchecked",
    about: "a budget that cannot be joined is told of in the engine's words",
    file: "src/pool_options.ts",
    from:
      `  if (budget !== undefined) check.that("budget.join", budget.join, FUNCTION);
`,
    to: ``,
  },
  {
    name: "budget_not_named",
    about: "who waits for a permit is told that no resource exists",
    file: "src/shell/supply.ts",
    from: `      lacksPermit: line.lacking > 0,
`,
    to: ``,
  },
  {
    name: "budget_not_seen",
    about: "who looks at a pool is not told that it waits for a permit",
    file: "src/shell/details.ts",
    from: "lacksPermit: lacksPermit === true",
    to: "lacksPermit: false",
  },
  {
    name: "keyed_clock_unchecked",
    about: "a clock of a keyed pool that has no hands is taken",
    file: KEYED,
    from: `    this.#shared = { ...shared, createRetry: retry };`,
    to: `    this.#shared = {
      ...shared,
      createRetry: retry,
      clock: new Time(clock ?? new SystemClock()),
    };`,
  },
];
