import type { Mutant } from "./mutant.ts";

const PRECEDENCE = "src/core/precedence.ts";
const LINE = "src/core/line.ts";
const STRIPE = "src/core/stripe.ts";
const PARTITION = "src/core/partition.ts";
const SUPPLY = "src/shell/supply.ts";
const SOURCE = "src/shell/source.ts";
const STOCKING = "src/shell/stocking.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const PAUSING = "src/shell/pausing.ts";
const EVICTING = "src/shell/evicting.ts";
const RESETTING = "src/shell/resetting.ts";
const LEASE = "src/lease.ts";
const POOL = "src/pool.ts";
const OPTIONS = "src/pool_options.ts";
const ACQUIRING = "src/shell/acquiring.ts";

export const PRESSURE: readonly Mutant[] = [
  // Priority.
  {
    name: "no_head_start",
    about: "a priority changes nothing",
    file: PRECEDENCE,
    from: `HEAD_START * (a.priority - b.priority)`,
    to: `0 * (a.priority - b.priority)`,
  },
  {
    name: "head_start_of_two_seconds",
    about: "a step of priority is a head start of 2 s",
    file: PRECEDENCE,
    from: `HEAD_START * (a.priority - b.priority)`,
    to: `2 * HEAD_START * (a.priority - b.priority)`,
  },
  {
    name: "priority_first_always",
    about: "a priority overtakes those who came long before",
    file: PRECEDENCE,
    from: `(a.priority - b.priority) - (a.since - b.since)`,
    to: `(a.priority - b.priority)`,
  },
  {
    name: "level_with_priority_first",
    about: "of two that are level the one with a priority is first",
    file: PRECEDENCE,
    from: `lead > 0 || lead === 0 && a.order < b.order`,
    to: `lead >= 0`,
  },
  {
    name: "back_without_priority",
    about: "a taker sent back loses its priority",
    file: PRECEDENCE,
    from: `    this.#queue(waiter.priority).putBack(waiter);`,
    to: `    waiter.at = undefined;
    Object.assign(waiter, { priority: 0 });
    this.#queue(waiter.priority).putBack(waiter);`,
  },
  {
    name: "priorities_counted_on",
    about: "one with a priority who leaves is counted on",
    file: PRECEDENCE,
    from: `    this.#queues[waiter.priority]!.remove(waiter);
    this.length--;`,
    to: `    this.#queues[waiter.priority]!.remove(waiter);
    if (waiter.priority === 0) this.length--;`,
  },
  {
    name: "failure_rejects_later_priority",
    about:
      "a failed create rejects one with a priority that came after it began",
    file: PRECEDENCE,
    from: ` || head.order >= order`,
    to: "",
  },
  {
    name: "priorities_owed_nothing",
    about: "those with a priority are owed no create",
    file: PRECEDENCE,
    from: `    for (const queue of this.#queues) {
      const found`,
    to: `    for (const queue of this.#queues.slice(0, 1)) {
      const found`,
  },
  {
    name: "use_without_priority",
    about: "a use has no priority",
    file: POOL,
    from: `        priority ?? 0,
        isFatal,`,
    to: `        0,
        isFatal,`,
  },
  {
    name: "taker_without_priority",
    about: "one that has taken what proves bad loses its priority",
    file: ACQUIRING,
    from: "Pending<T>(order, preferred, now, timeout, priority);",
    to: "Pending<T>(order, preferred, now, timeout, 0);",
  },
  {
    name: "taker_comes_after_its_validate",
    about:
      "who is acquired for while it validates is before one that has taken",
    file: ACQUIRING,
    from: "Pending<T>(order, preferred, now, timeout, priority);",
    to: "Pending<T>(line.arrive(), preferred, now, timeout, priority);",
  },

  // Size.
  {
    name: "resize_owes_nothing",
    about: "used resources are kept that are too many",
    file: LINE,
    from: `    this.#owes = this.stripes.some(({ spare }) => spare < 0);
    this.#calm();
    for`,
    to: `    this.#owes = false;
    this.#calm();
    for`,
  },
  {
    name: "resize_evicts_newest",
    about: "a smaller pool evicts the newest first",
    file: LINE,
    from: `this.#evict(stripe.oldest, "resize")`,
    to: `this.#evict(stripe.newest!, "resize")`,
  },
  {
    name: "resize_evicts_all",
    about: "a smaller pool evicts all that is idle",
    file: LINE,
    from: `while (stripe.owes && stripe.oldest`,
    to: `while (stripe.spare < 0 && stripe.oldest`,
  },
  {
    name: "resize_creates_nothing",
    about: "a larger pool creates nothing for those who wait",
    file: LINE,
    from: `    this.resume();
  }

  /** Nothing is handed out`,
    to: `  }

  /** Nothing is handed out`,
  },
  {
    name: "resize_debt_of_others",
    about: "what one stripe owes is not spare in another",
    file: LINE,
    from: `this.#spare += Math.max(0, stripe.spare);`,
    to: `this.#spare += stripe.spare;`,
  },
  {
    name: "resize_paid_by_others",
    about: "what one stripe owes is paid by another",
    file: LINE,
    from: `if (this.#owes && this.#stripe(entry).owes) {`,
    to: `if (this.#owes) {`,
  },
  {
    name: "vacated_pays_nothing",
    about: "a vacated slot is spare although slots are owed",
    file: LINE,
    from: `    if (spare > 0) this.#spare++;
    else {`,
    to: `    this.#spare++;
    if (spare <= 0) {`,
  },
  {
    name: "resize_paid_twice",
    about: "what is being destroyed does not count for what is owed",
    file: STRIPE,
    from: `return this.spare + this.#destroying < 0;`,
    to: `return this.spare < 0;`,
  },
  {
    name: "resize_not_in_set",
    about: "a stripe that has grown is not found",
    file: STRIPE,
    from: `    this.spare += slots;
    if (this.spare > 0) this.#sets.addSpare(this);`,
    to: `    this.spare += slots;`,
  },
  {
    name: "resize_keeps_shares",
    about: "the size changes for the first stripe alone",
    file: PARTITION,
    from: `const shares = split(max, this.stripes.length);
    if`,
    to: `const shares = split(max, this.stripes.length);
    shares.fill(this.stripes.at(-1)!.max, 1);
    if`,
  },
  {
    name: "resize_without_look",
    about: "a larger pool is not looked at for those it owes nothing yet",
    file: LOCAL_POOL,
    from:
      `    for (const line of this.partition.lines) this.#supply.look(line, now);
    this.play();`,
    to: `    void now;
    this.play();`,
  },
  {
    name: "warm_not_content",
    about: "a warm waits for more than there is room for",
    file: STOCKING,
    from: `    this.#stock();
    this.created();
  }`,
    to: `    this.#stock();
  }`,
  },
  {
    name: "warm_of_no_room",
    about: "a warm waits for more than the pool can hold",
    file: STOCKING,
    from: `Math.min(resources, max)`,
    to: `resources`,
  },
  {
    name: "resize_below_stripes",
    about: "a pool is made smaller than it has stripes",
    file: OPTIONS,
    from: `  if (max < stripes) {`,
    to: `  if (max < 0) {`,
  },

  // Pause.
  {
    name: "pause_hands_over",
    about: "a released one is handed over in a pause",
    file: LINE,
    from: `this.#waiting.length === 0 || this.#pauses > 0) return`,
    to: `this.#waiting.length === 0) return`,
  },
  {
    name: "pause_takes",
    about: "a newcomer takes what is idle in a pause",
    file: LINE,
    from: `const isHeld = this.#waiting.length > 0 || this.#pauses > 0;`,
    to: `const isHeld = this.#waiting.length > 0;`,
  },
  {
    name: "pause_creates",
    about: "something is created in a pause",
    file: LINE,
    from: `      this.#pauses === 0 &&
      this.#yieldsTo`,
    to: `      this.#yieldsTo`,
  },
  {
    name: "pause_lets_in",
    about: "who could have a create but for a pause is let in",
    file: LINE,
    from: `this.#spare > 0 && this.#pauses === 0 &&`,
    to: `this.#spare > 0 &&`,
  },
  {
    name: "first_pause_ends_all",
    about: "the first of several pauses that ends, ends them all",
    file: LINE,
    from: `--this.#pauses > 0) return;`,
    to: `(this.#pauses = 0) > 0) return;`,
  },
  {
    name: "pause_ends_in_silence",
    about: "those who wait are not served when a pause ends",
    file: LINE,
    from: `    this.resumedAt = now;
    this.#serve(now);`,
    to: `    this.resumedAt = now;`,
  },
  {
    name: "pause_ends_without_idle",
    about: "what is idle is not handed over when a pause ends",
    file: LINE,
    from: `    this.resumedAt = now;
    this.#serve(now);`,
    to: `    this.resumedAt = now;
    this.resume();`,
  },
  {
    name: "quiet_from_the_start",
    about: "a pause where nothing is used never begins",
    file: LINE,
    from: `    this.resumedAt = Infinity;
    this.#quieten();`,
    to: `    this.resumedAt = Infinity;`,
  },
  {
    name: "quiet_at_rest",
    about: "the release of the last one begins no pause",
    file: LINE,
    from: `    this.#rest(entry, isBack);
    this.#quieten();`,
    to: `    this.#rest(entry, isBack);`,
  },
  {
    name: "quiet_at_destroy",
    about: "the destruction of the last one begins no pause",
    file: LINE,
    from: `    this.owe(this.#owed + 1);
    this.#quieten();
  }

  /** A used entry leaves for good`,
    to: `    this.owe(this.#owed + 1);
  }

  /** A used entry leaves for good`,
  },
  {
    name: "quiet_at_detach",
    about: "the detaching of the last one begins no pause",
    file: LINE,
    from: `    this.#quieten();
  }

  /** The life of`,
    to: `  }

  /** The life of`,
  },
  {
    name: "quiet_line_is_enough",
    about: "a pause begins when one line is quiet",
    file: PAUSING,
    from: `    if (lines.some(({ used }) => used > 0)) return;
`,
    to: `    void lines;
`,
  },
  {
    name: "check_in_a_pause",
    about: "a check in the background begins in a pause",
    file: LINE,
    from: `    if (this.#pauses > 0) return undefined;
    let least`,
    to: `    let least`,
  },
  {
    name: "no_check_after_a_pause",
    about: "after a pause nothing is checked in the background",
    file: PAUSING,
    from: `        this.#parts.follow(line);`,
    to: `        this.#parts.play();`,
  },
  {
    name: "aborted_pause_goes_on",
    about: "a pause whose signal aborts is not ended",
    file: PAUSING,
    from: `          reject(signal!.reason);
          resume();`,
    to: `          reject(signal!.reason);`,
  },
  {
    name: "pause_ends_twice",
    about: "a pause that has ended ends another",
    file: PAUSING,
    from: `      if (!isPaused) return;
`,
    to: "",
  },
  {
    name: "pause_keeps_listener",
    about: "a pause that has begun still listens to its signal",
    file: PAUSING,
    from: `          if (signal !== undefined) removeListener(signal, onAbort);
`,
    to: ``,
  },
  {
    name: "pause_misses_abort",
    about: "a signal that aborts as it is listened to is not heard",
    file: PAUSING,
    from: `      if (signal !== undefined) onAbort();
`,
    to: "",
  },
  {
    name: "closed_pool_paused",
    about: "a closed pool is paused",
    file: "src/shell/pausing.ts",
    from:
      `      if (this.#closed !== undefined) return this.close(this.#closed);
`,
    to: ``,
  },
  {
    name: "close_forgets_pause",
    about: "a pause that waits does not hear of a close",
    file: LOCAL_POOL,
    from: `    this.pausing.close(error);
`,
    to: ``,
  },
  {
    name: "pause_counts_as_cold",
    about: "each who comes in a pause is owed a create, whatever is idle",
    file: SUPPLY,
    from: "line.isPaused ? line.existing : line.used",
    to: "line.used",
  },
  {
    name: "pause_wait_counts",
    about: "what was waited in a pause is owed creates",
    file: SOURCE,
    from: "    if (now < least) return least;\n",
    to: "",
  },
  {
    name: "pause_ends_unseen",
    about: "after a pause those who wait for long are owed nothing",
    file: PAUSING,
    from: "        this.#supply.look(line, now);\n",
    to: "",
  },

  // Evict.
  {
    name: "evict_asks_the_destroyed",
    about: "one in flight is asked about though an evict before has ended it",
    file: EVICTING,
    from: "    if (!isIn(entry)) return;\n",
    to: "",
  },
  {
    name: "evict_skips_used",
    about: "used resources are not evicted",
    file: EVICTING,
    from: `.filter((entry) => predicate(entry.resource, aged(entry, now)));`,
    to: `.filter((entry) =>
        entry.place === "idle" && predicate(entry.resource, aged(entry, now))
      );`,
  },
  {
    name: "evict_at_once",
    about: "all are evicted at once",
    file: EVICTING,
    from: `now + within * i / matches.length`,
    to: `now`,
  },
  {
    name: "evict_from_the_end",
    about: "the first one is not evicted at once",
    file: EVICTING,
    from: `within * i / matches`,
    to: `within * (i + 1) / matches`,
  },
  {
    name: "evict_spreads_over_all",
    about: "those that match are spread over the others, too",
    file: EVICTING,
    from: `/ matches.length`,
    to: `/ stripes.flatMap((stripe) => [...stripe.entries()]).length`,
  },
  {
    name: "evict_counts_the_gone",
    about: "one that the predicate had evicted is counted",
    file: EVICTING,
    from: `found.filter(isIn)`,
    to: `found`,
  },
  {
    name: "evict_not_in_flight",
    about: "one in flight is not asked about",
    file: EVICTING,
    from: `      birth.asks.push((entry) => this.#ask(entry, predicate));`,
    to: `      void birth;`,
  },
  {
    name: "evict_trusts_a_throw",
    about: "one that a predicate throws of is kept",
    file: EVICTING,
    from: `let isMatch = true;`,
    to: `let isMatch = false;`,
  },
  {
    name: "evict_not_expected",
    about: "nothing is evicted later unless something else is due",
    file: EVICTING,
    from: `    this.#eviction.expect(at);
`,
    to: "",
  },
  {
    name: "evict_prolongs",
    about: "a later eviction takes the place of an earlier one",
    file: LINE,
    from: `    if (diesAt >= entry.diesAt) return;
`,
    to: "",
  },
  {
    name: "evict_leaves_idle_end",
    about: "one whose time has passed is taken until a timer comes",
    file: LINE,
    from: `    entry.endsAt = Math.min(entry.endsAt, diesAt);
    entry.fate`,
    to: `    entry.fate`,
  },
  {
    name: "evict_as_lifetime",
    about: "one evicted later is said to have been too old",
    file: LINE,
    from: `    entry.fate = fate;
`,
    to: "",
  },
  {
    name: "evict_keeps_old_end",
    about: "the old end of a life that was shortened stays",
    file: LINE,
    from: `    if (diesAt >= entry.diesAt) return;
    this.#forget(entry);`,
    to: `    if (diesAt >= entry.diesAt) return;`,
  },

  // Idle order and leases.
  {
    name: "idle_order_ignored",
    about: "the newest idle resource is taken always",
    file: "src/shell/line_rules.ts",
    from: `oldestFirst: idleOrder === "oldest",`,
    to: `oldestFirst: false,`,
  },
  {
    name: "oldest_by_default",
    about: "the oldest idle resource is taken by default",
    file: OPTIONS,
    from: `idleOrder: { is: ORDER, default: "newest" }`,
    to: `idleOrder: { is: ORDER, default: "oldest" }`,
  },
  {
    name: "detach_vacates_late",
    about:
      "one who waits takes the slot of a detached one before it is counted",
    file: LINE,
    from: `    this.#vacated(stripe);
    this.owe(this.#owed + 1);`,
    to: `    this.owe(this.#owed + 1);
    this.#vacated(stripe);`,
  },
  {
    name: "detach_owes_nothing",
    about: "one who waits is not owed a create for what is detached",
    file: LINE,
    from: `    this.#vacated(stripe);
    this.owe(this.#owed + 1);`,
    to: `    this.#vacated(stripe);`,
  },
  {
    name: "detach_is_no_turn",
    about: "none was released, although one was detached",
    file: LINE,
    from: `    const stripe = this.#stripe(entry);
    this.#turned = this.#arrivals;`,
    to: `    const stripe = this.#stripe(entry);`,
  },
  {
    name: "detach_watches_life",
    about: "the life of a detached resource is watched on",
    file: LINE,
    from: `    this.#forget(entry);
    stripe.part`,
    to: `    stripe.part`,
  },
  {
    name: "detach_without_effects",
    about: "what a detach causes waits for the next act",
    file: LOCAL_POOL,
    from: `    this.events.detached(entry, now);
    this.play();`,
    to: `    this.events.detached(entry, now);`,
  },
  {
    name: "detach_keeps_lease",
    about: "a lease is not spent by detach",
    file: LEASE,
    from: `    this.#entry = undefined;
    this.#lessor.detach(entry);`,
    to: `    this.#lessor.detach(entry);`,
  },
  {
    name: "detached_is_reset",
    about: "a detached resource is reset",
    file: RESETTING,
    from: `    this.#lessor.detach(entry);`,
    to: `    this.release(entry, false);`,
  },
  {
    name: "lease_counts_itself",
    about: "a lease counts itself among those before it",
    file: LEASE,
    from: `this.#held("uses").uses - 1`,
    to: `this.#held("uses").uses`,
  },
  {
    name: "lease_age_since_release",
    about: "the age of a lease is the time since its resource was released",
    file: LEASE,
    from: `this.#held("age").bornAt`,
    to: `this.#held("age").releasedAt`,
  },

  // Permits, and ends that were moved.
  {
    name: "create_without_permit",
    about: "something is created without a permit",
    file: LINE,
    from: `      this.occupied < this.#permits &&
`,
    to: "",
  },
  {
    name: "permit_given_back_early",
    about: "what is being destroyed needs no permit",
    file: LINE,
    from: "this.occupied < this.#permits",
    to: "this.#existing + this.#creating < this.#permits",
  },
  {
    name: "permit_without_look",
    about: "a permit that comes late begins no create",
    file: LINE,
    from: `    this.#permits = resources;
    this.resume();`,
    to: "    this.#permits = resources;",
  },
  {
    name: "permits_wanted_in_a_pause",
    about: "permits are asked for in a pause",
    file: LINE,
    from: `    if (this.#pauses > 0) return 0;
`,
    to: "",
  },
  {
    name: "yields_stock",
    about: "what is to be kept yields",
    file: LINE,
    from: " && this.#existing > this.#stock;",
    to: ";",
  },
  {
    name: "yields_for_ever",
    about: "every release yields, not the next alone",
    file: LINE,
    from: `    this.#yieldsTo = Infinity;
    this.#calm();`,
    to: `    this.#calm();`,
  },
  {
    name: "yields_uncounted",
    about: "what has yielded is not told",
    file: LINE,
    from: `    this.yielded++;
`,
    to: "",
  },
  {
    name: "yields_before_all_have_left",
    about: "what was kept for who is shed then does not yield",
    file: LINE,
    from: `    if (this.shed !== undefined && this.#leaves(entry, now)) return;
`,
    to: "",
  },
  {
    name: "closed_pause_ends",
    about: "a pause that ends after close is one too many",
    file: LINE,
    from: "this.#pauses === 0 || --this",
    to: "--this",
  },
  {
    name: "close_keeps_pause",
    about: "a close ends no pause",
    file: LINE,
    from: "this.#stock = this.#pauses = 0;",
    to: "this.#stock = 0;",
  },
  {
    name: "swept_as_lifetime",
    about: "one evicted later and swept is said to have been too old",
    file: LINE,
    from: "this.retire(first, first.fate);",
    to: `this.retire(first, "lifetime");`,
  },
  {
    name: "taken_as_lifetime",
    about: "one evicted later and met idle is said to have been too old",
    file: LINE,
    from: "if (now > entry.diesAt) return entry.fate;",
    to: `if (now > entry.diesAt) return "lifetime";`,
  },
  {
    name: "released_as_lifetime",
    about: "one evicted later and then released is said to have been too old",
    file: LINE,
    from: "isUsedUp ? entry.reason : entry.fate",
    to: `isUsedUp ? entry.reason : "lifetime"`,
  },
  {
    name: "shed_owed",
    about: "those who are shed stay owed a create",
    file: LINE,
    from: `    const waiter = this.#waiting.shift();
    this.#settleDebt();`,
    to: `    const waiter = this.#waiting.shift();
    if (this.shed === undefined) this.#settleDebt();`,
  },
  {
    name: "next_wait_of_one_priority",
    about: "when the next has waited long is known of one priority alone",
    file: PRECEDENCE,
    from: "next = Math.min(next, found.next);",
    to: "next = found.next;",
  },
  {
    name: "oldest_of_one_priority",
    about: "who has waited longest is looked for in one priority alone",
    file: PRECEDENCE,
    from: "oldest = Math.min(oldest, first.since);",
    to: "oldest = first.since;",
  },
  {
    name: "oldest_first_takes_newest",
    about: "the newest is taken where the oldest is asked for",
    file: LINE,
    from: `this.#order === undefined ? stripe.newest! : stripe.oldest!`,
    to: `stripe.newest!`,
  },
  {
    name: "oldest_first_within_a_stripe",
    about: "where the oldest is asked for, one stripe serves alone",
    file: LINE,
    from: `    if (this.#order === undefined) return this.#sets.withIdle();`,
    to: `    if (1 > 0) return this.#sets.withIdle();`,
  },
  {
    name: "oldest_first_within_a_line",
    about: "where the oldest is asked for, one isolated stripe serves alone",
    file: PARTITION,
    from: `    if (this.#order === undefined) return this.#sets.withIdle();`,
    to: `    if (1 > 0) return this.#sets.withIdle();`,
  },
  {
    name: "oldest_first_checked_is_last",
    about: "one that was checked in the background is taken last",
    file: "src/core/idle_order.ts",
    from: `before.releasedAt > entry.releasedAt`,
    to: `before.releasedAt > Infinity`,
  },
];
