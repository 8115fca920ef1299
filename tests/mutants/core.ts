import type { Mutant } from "./mutant.ts";

const LINE = "src/core/line.ts";
const STRIPE = "src/core/stripe.ts";
const STRIPE_SET = "src/core/stripe_set.ts";
const WAITER_QUEUE = "src/core/waiter_queue.ts";
const PARTITION = "src/core/partition.ts";
const HEAP = "src/core/heap.ts";
const ENTRY = "src/core/entry.ts";
const GATE = "src/core/gate.ts";

export const CORE: readonly Mutant[] = [
  // Slots.
  {
    name: "spare_on_release",
    about: "a release to idle counts a slot as spare",
    file: LINE,
    from: `    this.#idle++;
    this.#order?.add(entry);`,
    to: `    this.#idle++;
    this.#spare++;
    this.#order?.add(entry);`,
  },
  {
    name: "no_spare_on_destroy",
    about: "a vacated slot is not spare",
    file: LINE,
    from: `    if (spare > 0) this.#spare++;
    else {`,
    to: `    if (spare <= 0) {`,
  },
  {
    name: "destroy_does_not_free",
    about: "a destroy that has settled does not vacate its slot",
    file: LINE,
    from: `    stripe.gone(entry);
    this.#destroying--;
    this.#vacated(stripe);`,
    to: `    void stripe;`,
  },
  {
    name: "sweep_without_destroying",
    about: "what is evicted is not counted as destroying",
    file: LINE,
    from: `    this.destroy(entry, reason);
  }

  #retire`,
    to: `    this.destroy(entry, reason);
    this.#destroying--;
  }

  #retire`,
  },
  {
    name: "used_not_counted_down",
    about: "a destroyed resource counts as used",
    file: STRIPE,
    from: `    this.#entries.delete(entry);
    this.#destroying++;`,
    to: `    this.#destroying++;`,
  },
  {
    name: "returned_to_another_stripe",
    about: "a resource returns to another stripe than its own",
    file: LINE,
    from: "    else stripe.rest(entry);",
    to: "    else this.stripes.at(-1)!.rest(entry);",
  },
  {
    name: "remainder_lost",
    about: "the remainder of the split is lost",
    file: PARTITION,
    from: `i < more ? least + 1 : least`,
    to: `i < more ? least : least`,
  },
  {
    name: "idle_not_counted_down",
    about: "an evicted resource counts as idle",
    file: LINE,
    from: `    this.#wake(entry);
    this.destroy(entry, reason);`,
    to: `    this.#wake(entry);
    this.#idle++;
    this.destroy(entry, reason);`,
  },
  {
    name: "creating_not_counted_down",
    about: "a create that failed counts as in flight",
    file: LINE,
    from: `    this.#ended(creation);
    if (isTold)`,
    to: "    if (isTold)",
  },
  {
    name: "pending_without_takers",
    about: "those who wait for a verdict are not pending",
    file: LINE,
    from: `return this.#waiting.length + this.#validating;`,
    to: `return this.#waiting.length;`,
  },

  // Who is served.
  {
    name: "failure_wakes_nobody",
    about: "a failed create rejects nobody",
    file: LINE,
    from: `    if (isTold) this.rejectFirst(creation.order, error);
`,
    to: "",
  },
  {
    name: "failure_rejects_all",
    about: "a failed create rejects all that wait",
    file: LINE,
    from: "    if (isTold) this.rejectFirst(",
    to: "    if (isTold) this.reject(",
  },
  {
    name: "cancel_after_settle_orphans",
    about: "a good verdict whose taker has gone loses the resource",
    file: LINE,
    from: `    if (taker !== undefined) return this.#deliver(taker, entry, now);
    entry.releasedAt = now;
    this.#settle(entry, now);`,
    to: "    if (taker !== undefined) return this.#deliver(taker, entry, now);",
  },
  {
    name: "cancel_settles_twice",
    about: "cancelling a waiter that is settled rejects it",
    file: LINE,
    from: `    if (at === undefined) return;
    if (at instanceof Entry) this.#dismiss(at);
    else {`,
    to: `    if (at instanceof Entry) this.#dismiss(at);
    else if (at !== undefined) {`,
  },
  {
    name: "newcomer_takes_freed_slot",
    about: "a vacated slot is spare although somebody waits for it",
    file: LINE,
    from: `    this.#demand(id);`,
    to: `    void id;`,
  },
  {
    name: "newcomer_takes_first",
    about: "a newcomer takes although others wait",
    file: LINE,
    from: `const isHeld = this.#waiting.length > 0 || this.#pauses > 0;`,
    to: `const isHeld = this.#pauses > 0;`,
  },
  {
    name: "fifo_idle",
    about: "the oldest idle resource is taken",
    file: LINE,
    from: `this.#order === undefined ? stripe.newest! : stripe.oldest!`,
    to: `stripe.oldest!`,
  },
  {
    name: "lifo_waiters",
    about: "the waiter that came last is served first",
    file: WAITER_QUEUE,
    from: `    const first = this.#back.first ?? this.#head;`,
    to: `    const first = this.#back.first ?? this.#tail;`,
  },
  {
    name: "insert_at_tail",
    about: "a taker of an invalid resource goes to the tail of the line",
    file: WAITER_QUEUE,
    from: `    waiter.at = this.#back.add(waiter.order, waiter);
    this.length++;`,
    to: `    this.push(waiter);`,
  },
  {
    name: "insert_before_earlier",
    about: "a taker of an invalid resource goes before those who came earlier",
    file: WAITER_QUEUE,
    from: `this.#back.add(waiter.order, waiter)`,
    to: `this.#back.add(-waiter.order, waiter)`,
  },
  {
    name: "put_back_behind_newcomers",
    about: "those who came later are served before those put back",
    file: WAITER_QUEUE,
    from: `    const first = this.#back.first ?? this.#head;`,
    to: `    const first = this.#head ?? this.#back.first;`,
  },
  {
    name: "length_not_counted",
    about: "a waiter that leaves is counted on",
    file: WAITER_QUEUE,
    from: `    waiter.at = undefined;
    this.length--;`,
    to: `    waiter.at = undefined;`,
  },
  {
    name: "unlinked_waiter_keeps_neighbours",
    about: "a waiter that has left keeps others reachable",
    file: WAITER_QUEUE,
    from: `    waiter.previous = waiter.next = undefined;`,
    to: ``,
  },
  {
    name: "heap_does_not_sink",
    about: "the heap is out of order after one was taken out",
    file: HEAP,
    from: `    this.#sink(last);`,
    to: ``,
  },
  {
    name: "heap_does_not_rise",
    about: "what replaces one taken out of the heap does not rise",
    file: HEAP,
    from: `    this.#rise(last);
    this.#sink(last);`,
    to: `    this.#sink(last);`,
  },
  {
    name: "send_back_loses_taker",
    about: "the taker of an invalid resource is not put back into the line",
    file: LINE,
    from: `    if (taker !== undefined) this.#waiting.putBack(taker);`,
    to: `    void taker;`,
  },
  {
    name: "taker_waits_for_destroy",
    about: "a taker sent back gets no create where another slot is spare",
    file: LINE,
    from: `    this.#demand(this.#waiting.first?.home ?? -1);`,
    to: ``,
  },
  {
    name: "taker_again_takes_nothing",
    about: "a taker sent back is not offered what is idle",
    file: LINE,
    from: `    while (this.#idle > 0) {
      const waiter`,
    to: `    while (this.#idle < 0) {
      const waiter`,
  },

  // Creates.
  {
    name: "demand_counts_no_creates",
    about: "a create for every waiter, whatever is in flight",
    file: LINE,
    from: "      this.coming < this.#wanted &&",
    to: "      this.#wanted > 0 &&",
  },
  {
    name: "demand_counts_no_idle",
    about: "a create for a waiter whom something idle is to serve",
    file: LINE,
    from: "Math.max(this.#owed - this.#idle, lacking)",
    to: "Math.max(this.#owed, lacking)",
  },
  {
    name: "freed_counts_no_creates",
    about: "a vacated slot creates for waiters that have a create in flight",
    file: LINE,
    from: `    if (spare > 0) this.#spare++;
    else {`,
    to: `    if (spare > 0 && this.#waiting.length > 0) {
      const creation = new Creation(id, this.#arrivals);
      this.#creating++;
      this.#stripe({ stripe: id }).reserve(creation);
      this.#effects.create(creation);
    } else if (spare > 0) this.#spare++;
    else {`,
  },
  {
    name: "home_not_filled_first",
    about: "a create for an affinity goes to any stripe",
    file: LINE,
    from: `      const stripe = preferred !== undefined && preferred.spare > 0
        ? preferred`,
    to: `      const stripe = this.#only !== undefined
        ? this.#only`,
  },
  {
    name: "home_full_still_created",
    about: "a create for an affinity goes to its stripe although that is full",
    file: LINE,
    from: `preferred !== undefined && preferred.spare > 0`,
    to: `preferred !== undefined`,
  },

  // Validating.
  {
    name: "not_validated_when_handed_over",
    about: "a resource handed over is not validated",
    file: LINE,
    from: 'if (entry.place !== "used" || !this.isSuspect(entry, now)) {',
    to: 'if (entry.place !== "used" || waiter.order > 0) {',
  },
  {
    name: "orphan_stamped_zero",
    about: "a good verdict without its taker stamps the resource with 0",
    file: LINE,
    from: `    if (taker !== undefined) return this.#deliver(taker, entry, now);
    entry.releasedAt = now;`,
    to: `    if (taker !== undefined) return this.#deliver(taker, entry, now);
    entry.releasedAt = 0;`,
  },

  // Idle resources.
  {
    name: "timeout_not_strict",
    about: "what is as old as idleTimeout does not survive a sweep",
    file: LINE,
    from: "const isKept = now <= entry.endsAt",
    to: "const isKept = now < entry.endsAt",
  },
  {
    name: "calm_in_a_pause",
    about: "a release in a pause does not tell that nothing is used",
    file: LINE,
    from: `    this.#pauses++;
    this.#calm();`,
    to: `    this.#pauses++;`,
  },
  {
    name: "calm_though_slots_are_owed",
    about: "after a shrink what is released stays",
    file: LINE,
    from: `(({ spare }) => spare < 0);
    this.#calm();
    for`,
    to: `(({ spare }) => spare < 0);
    for`,
  },
  {
    name: "calm_though_it_yields",
    about: "nothing released goes for others of the budget",
    file: LINE,
    from: `    this.#yieldsTo = time;
    this.#calm();`,
    to: `    this.#yieldsTo = time;`,
  },
  {
    name: "calm_though_it_sheds",
    about: "a release sheds nobody",
    file: LINE,
    from: `    this.#isCalm = this.shed === undefined;`,
    to: `    this.#isCalm = true;`,
  },
  {
    name: "every_use_is_sampled",
    about: "each use is learnt from for ever",
    file: LINE,
    from: `    this.#unsampled = 7;`,
    to: ``,
  },
  {
    name: "first_uses_are_not_sampled",
    about: "of the first uses only one in eight is learnt from",
    file: LINE,
    from: `  #unsampled = 0;`,
    to: `  #unsampled = 7;`,
  },
  {
    name: "expired_is_taken",
    about: "a take does not look at the age",
    file: LINE,
    from: `now > entry.endsAt && this.#evictEnded(stripe, entry, now)`,
    to: `false`,
  },
  {
    name: "take_age_strict",
    about: "what is as old as idleTimeout is not taken",
    file: LINE,
    from: `now > entry.endsAt && this.#evictEnded(stripe, entry, now)`,
    to: `now >= entry.endsAt && this.#evictEnded(stripe, entry, now + 1)`,
  },
  {
    name: "take_evicts_newest_first",
    about: "a take that finds all expired evicts the newest first",
    file: LINE,
    from: `this.#evict(reason === "idle" ? stripe.oldest! : entry, reason);`,
    to: "this.#evict(entry, reason);",
  },
  {
    name: "evicted_newest_first",
    about: "what is cleared is destroyed newest first",
    file: LINE,
    from:
      `      while (stripe.oldest !== undefined) this.#evict(stripe.oldest, reason);`,
    to:
      `      while (stripe.newest !== undefined) this.#evict(stripe.newest, reason);`,
  },
  {
    name: "sweep_due_of_first_stripe",
    about: "the next sweep is due when the first stripe says",
    file: LINE,
    from:
      "      if (endsAt >= now) this.#earliest = Math.min(this.#earliest, endsAt);",
    to:
      "      if (endsAt >= now && this.#sweptTo === 0) this.#earliest = endsAt;",
  },
  {
    name: "sweep_keeps_earliest",
    about: "a sweep goes by the earliest end that the one before saw",
    file: LINE,
    from: `    this.#earliest = Infinity;
    return Math.min(earliest,`,
    to: "    return Math.min(earliest,",
  },
  {
    name: "sweep_without_limit",
    about: "a sweep looks at everything in one turn",
    file: LINE,
    from: `    for (; this.#sweptTo < this.stripes.length; left--) {
      if (left <= 0) return undefined;`,
    to: "    for (; this.#sweptTo < this.stripes.length; left--) {",
  },

  // Stripes.
  {
    name: "isolated_takes_elsewhere",
    about: "an isolated stripe is served by others",
    file: PARTITION,
    from: `    if (home >= 0) return this.lines[home]!.take(home, now);`,
    to: ``,
  },
  {
    name: "only_stripe_ignores_isolated",
    about: "the shortcut for an only line forgets that there may be others",
    file: PARTITION,
    from: `this.lines.length === 1 ? this.lines[0] : undefined`,
    to: `this.lines[0]`,
  },
  {
    name: "isolated_idle_overtakes",
    about: "a newcomer looks for ever at what is idle where others wait",
    file: PARTITION,
    from:
      `      if (entry !== undefined || stripe.newest !== undefined) return entry;`,
    to: `      if (entry !== undefined) return entry;`,
  },
  {
    name: "isolated_waits_in_first_line",
    about: "who names no stripe waits always in the same full line",
    file: PARTITION,
    from: `this.stripes[this.#turn++ % this.stripes.length]!`,
    to: `this.stripes[0]!`,
  },
  {
    name: "home_ignored",
    about: "affinity does not prefer the home stripe",
    file: LINE,
    from: `    if (preferred?.newest !== undefined) return preferred;`,
    to: `    if (this.#only?.newest !== undefined) return preferred;`,
  },
  {
    name: "hash_unstable",
    about: "the home of a negative affinity is no stripe of its own",
    file: PARTITION,
    from: `stripe < 0 ? stripe + n : stripe`,
    to: `Math.max(stripe, 0)`,
  },
  {
    name: "affinity_truncated",
    about: "an affinity is cut towards zero",
    file: PARTITION,
    from: `Math.floor(affinity) % n`,
    to: `Math.trunc(affinity) % n`,
  },
  {
    name: "set_forgets_member",
    about: "a stripe that has something idle again is not found again",
    file: STRIPE_SET,
    from: `      stripe.inIdle = false;
`,
    to: ``,
  },
  {
    name: "spare_set_forgets_member",
    about: "a stripe that has a spare slot again is not found again",
    file: STRIPE_SET,
    from: `      stripe.inSpare = false;
`,
    to: ``,
  },
  {
    name: "last_stripe_filled_first",
    about: "the last stripe is the first to be filled",
    file: PARTITION,
    from: `for (let i = shape.stripes; i-- > 0;) {`,
    to: `for (let i = 0; i < shape.stripes; i++) {`,
  },

  // Retiring and closing.
  {
    name: "retire_forgets_used",
    about: "clear does not retire what is used",
    file: STRIPE,
    from: `      if (entry.place === "used") entry.retire(reason);`,
    to: `      void entry;`,
  },
  {
    name: "retire_forgets_creations",
    about: "clear does not retire what is being created",
    file: STRIPE,
    from:
      `    for (const creation of this.#creations) creation.retired ??= reason;`,
    to: ``,
  },
  {
    name: "last_reason_stays",
    about: "a close overwrites the reason of what clear has retired",
    file: ENTRY,
    from: "    if (this.maxUses > 0) this.reason = reason;",
    to: "    this.reason = reason;",
  },
  {
    name: "close_keeps_waiters",
    about: "close rejects nobody who waits in line",
    file: LINE,
    from: `    for (let waiter; (waiter = this.#waiting.first) !== undefined;) {
      this.cancel(waiter, errorOf(waiter));
    }`,
    to: ``,
  },
  {
    name: "close_keeps_takers",
    about: "close rejects nobody who waits for a verdict",
    file: LINE,
    from:
      `        if (taker !== undefined) this.cancel(taker, errorOf(taker));`,
    to: `        void taker;`,
  },
  {
    name: "close_settles_early",
    about: "close settles while something is out",
    file: LINE,
    from: `    if (this.#isClosed && this.#isEmpty) this`,
    to: `    if (this.#isClosed) this`,
  },
  {
    name: "close_of_nothing_never_settles",
    about: "the close of a line that has nothing does not settle",
    file: LINE,
    from: `    this.#retire("close");
    if (this.#isEmpty) this.#effects.closed();`,
    to: `    this.#retire("close");`,
  },
  {
    name: "abandon_keeps_used",
    about: "an aborted close waits for leases",
    file: LINE,
    from:
      `      for (const entry of stripe.entries()) this.destroy(entry, "close");`,
    to: `      void stripe;`,
  },

  // What is wanted, and allowed.
  {
    name: "allowance_off_by_one",
    about: "one create more than is allowed is in flight",
    file: LINE,
    from: `this.#creating < this.#allowance &&
      this.coming`,
    to: `this.#creating <= this.#allowance &&
      this.coming`,
  },
  {
    name: "allowance_counts_coming",
    about: "an overdue create takes no place of the allowance",
    file: LINE,
    from: `this.#creating < this.#allowance &&
      this.coming`,
    to: `this.coming < this.#allowance &&
      this.coming`,
  },
  {
    name: "overdue_is_counted_on",
    about: "a create that is overdue is counted on",
    file: LINE,
    from: "return this.#creating - this.#overdue;",
    to: "return this.#creating;",
  },
  {
    name: "overdue_twice",
    about: "a create that is overdue and then lost is given up on twice",
    file: LINE,
    from: `    if (creation.isOverdue) return;
`,
    to: "",
  },
  {
    name: "overdue_stays",
    about: "a create that ends is overdue for ever",
    file: LINE,
    from: `    if (creation.isOverdue) this.#overdue--;
`,
    to: "",
  },
  {
    name: "idle_serves_the_stock_alone",
    about: "one who waits is owed a create beside what is idle",
    file: LINE,
    from: "Math.max(this.#owed - this.#idle, lacking)",
    to: "Math.max(this.#owed, lacking)",
  },
  {
    name: "stock_and_debt_add_up",
    about: "creates for the stock come beside those for who waits",
    file: LINE,
    from: "return Math.max(this.#owed - this.#idle, lacking);",
    to: "return Math.max(this.#owed - this.#idle, 0) + Math.max(lacking, 0);",
  },
  {
    name: "stock_of_idle",
    about: "the stock is of idle resources",
    file: LINE,
    from: "const lacking = this.#stock - this.existing;",
    to: "const lacking = this.#stock - this.#idle;",
  },
  {
    name: "stock_expires",
    about: "what is to be kept is evicted as idle",
    file: LINE,
    from: "now <= entry.endsAt || this.existing <= this.#stock",
    to: "now <= entry.endsAt",
  },
  {
    name: "stock_keeps_one_more",
    about: "one more than the stock is never evicted",
    file: LINE,
    from: "this.existing <= this.#stock;",
    to: "this.existing - 1 <= this.#stock;",
  },
  {
    name: "closed_keeps_stock",
    about: "a line that closes refills its stock",
    file: LINE,
    from: `    this.#stock = this.#pauses = 0;`,
    to: `    this.#pauses = 0;`,
  },
  {
    name: "success_pays_nothing",
    about: "a create that succeeded for one who waits leaves it owed",
    file: LINE,
    from: `      this.#owed = Math.min(this.#owed, Math.max(owed - 1, 0));
`,
    to: `      void owed;
`,
  },
  {
    name: "debt_without_waiters",
    about: "more creates are owed than wait",
    file: LINE,
    from:
      "    if (this.#owed > this.#waiting.length) this.#owed = this.#waiting.length;",
    to: "    void this.#waiting;",
  },
  {
    name: "nothing_owed_for_what_leaves",
    about: "one who waits is owed nothing for what leaves",
    file: LINE,
    from: `    this.#effects.destroy(entry, reason);
    this.owe(this.#owed + 1);`,
    to: `    this.#effects.destroy(entry, reason);
    this.resume();`,
  },
  {
    name: "success_begins_nothing",
    about: "a create that ended within an allowance leaves its place",
    file: LINE,
    from: `    this.resume();
    this.#gate.leave();`,
    to: "    this.#gate.leave();",
  },
  {
    name: "told_of_an_older_create",
    about: "a failed create rejects one who came after it began",
    file: LINE,
    from: `const first = this.#waiting.firstBefore(order);`,
    to: `const first = this.#waiting.firstBefore(order + 1);`,
  },
  {
    name: "rejects_latecomers",
    about: "a failure rejects one who came after it",
    file: LINE,
    from: `(waiter = this.#waiting.firstBefore(order)) !== undefined;`,
    to: `(waiter = this.#waiting.firstBefore(order + 1)) !== undefined;`,
  },
  {
    name: "gate_forgets_refused",
    about: "a line that the gate refused is not run",
    file: GATE,
    from: `    this.#refused.add(visitor);
`,
    to: "",
  },
  {
    name: "gate_lets_all_in",
    about: "all that were refused go in when a place comes free",
    file: GATE,
    from: `    this.#free--;
`,
    to: `    this.#free -= Number(this.#refused.size === 0);
`,
  },
  {
    name: "gate_kept",
    about: "a failed create keeps its place in the gate",
    file: LINE,
    from: `    this.#vacated(stripe);
    this.#gate.leave();`,
    to: "    this.#vacated(stripe);",
  },
  {
    name: "clear_retires_refill",
    about: "a clear retires the creates that refill the stock",
    file: LINE,
    from: `    for (const stripe of this.stripes) stripe.retire(reason);
    for (const stripe of this.stripes) {
      while (stripe.oldest !== undefined) this.#evict(stripe.oldest, reason);
    }`,
    to: `    for (const stripe of this.stripes) {
      while (stripe.oldest !== undefined) this.#evict(stripe.oldest, reason);
      stripe.retire(reason);
    }`,
  },

  // Lives, losses and looks.
  {
    name: "handed_back_to_tail",
    about: "one handed back waits at the tail",
    file: LINE,
    from: `    this.#waiting.putBack(waiter);
    this.destroy`,
    to: `    this.#waiting.push(waiter);
    this.destroy`,
  },
  {
    name: "worn_one_use_late",
    about: "a resource has one use more than maxUses",
    file: LINE,
    from: "entry.uses >= entry.maxUses || now",
    to: "entry.uses > entry.maxUses || now",
  },
  {
    name: "dead_is_released",
    about: "a resource released after its life is idle",
    file: LINE,
    from: "entry.uses >= entry.maxUses || now > entry.diesAt",
    to: "entry.uses >= entry.maxUses",
  },
  {
    name: "dead_is_taken",
    about: "an idle resource is taken after its life",
    file: LINE,
    from: `    if (now > entry.diesAt) return entry.fate;
`,
    to: "",
  },
  {
    name: "life_told_twice",
    about: "what was told that its life has ended is told again",
    file: LINE,
    from: `      this.retire(first, first.fate);
      this.#forget(first);`,
    to: `      this.retire(first, first.fate);
      if (first.place !== "used") this.#forget(first);
      else break;`,
  },
  {
    name: "passed_is_stamped",
    about: "one whose taker left before it was validated counts as released",
    file: LINE,
    from: `  pass(entry: Entry<T>, now: number): void {
    this.#settle(entry, now, true);`,
    to: `  pass(entry: Entry<T>, now: number): void {
    entry.releasedAt = now;
    this.#settle(entry, now);`,
  },
  {
    name: "passed_is_newest",
    about: "one whose taker left goes before what was released later",
    file: LINE,
    from: "    if (isBack) stripe.restAgain(entry);",
    to: "    if (isBack) stripe.rest(entry);",
  },
  {
    name: "checked_serves_nobody",
    about: "one found good is idle although somebody waits",
    file: LINE,
    from: `    if (waiter !== undefined) this.#deliver(waiter, entry, now);
    else this.#settle(entry, now, true);`,
    to: `    if (waiter !== undefined) this.#rest(entry, true);
    else this.#settle(entry, now, true);`,
  },
  {
    name: "check_not_noted",
    about: "a good check does not count",
    file: LINE,
    from: `    entry.checkedAt = now;
`,
    to: "",
  },
  {
    name: "looks_at_newest",
    about: "the one checked last is looked at",
    file: LINE,
    from: "        if (time >= earliest) continue;",
    to: "        if (time > earliest) continue;",
  },
  {
    name: "trust_by_release_alone",
    about: "what was checked is validated as if it was not",
    file: "src/core/entry.ts",
    from: "return Math.max(this.releasedAt, this.checkedAt);",
    to: "return this.releasedAt;",
  },
  {
    name: "distrusts_what_is_out",
    about: "what is leased is distrusted as if it were idle",
    file: LINE,
    from: `const isOut = entry.place === "used" && entry.taker === undefined;`,
    to: `const isOut = entry.place === "used";`,
  },
  {
    name: "distrust_serves_one_by_one",
    about: "takers of what is distrusted are served before all are back",
    file: LINE,
    from: `        this.sendBack(entry);
        this.destroy(entry, reason);
      }`,
    to: `        this.invalid(entry, now, reason);
      }`,
  },
];
