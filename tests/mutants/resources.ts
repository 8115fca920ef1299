import type { Mutant } from "./mutant.ts";

const ACQUIRING = "src/shell/acquiring.ts";
const CREATING = "src/shell/creating.ts";
const DESTROYING = "src/shell/destroying.ts";
const ENTRY = "src/core/entry.ts";
const LINE = "src/core/line.ts";
const LOCAL_POOL = "src/shell/local_pool.ts";
const OPTIONS = "src/pool_options.ts";
const RESETTING = "src/shell/resetting.ts";
const SIGNAL = "src/shell/lazy_signal.ts";
const SUPPLY = "src/shell/supply.ts";
const VALIDATING = "src/shell/validating.ts";

/** Of what becomes of a resource: lost, disposed of, reset, judged after a use. */
export const RESOURCES: readonly Mutant[] = [
  {
    name: "lost_idle_stays",
    about: "an idle resource that is lost stays until it is taken",
    file: LINE,
    from: `    if (entry.place === "idle") this.#evict(entry, reason);
    else entry.retire(reason);`,
    to: "    entry.retire(reason);",
  },
  {
    name: "lost_used_again",
    about: "a used resource that is lost is used again",
    file: LINE,
    from: `    else entry.retire(reason);
`,
    to: "",
  },
  {
    name: "lost_under_validate",
    about: "the taker of one that is lost waits for the verdict",
    file: LINE,
    from: `    if (entry.taker !== undefined) this.invalid(entry, now, "lost");
    else this.retire`,
    to: "    this.retire",
  },
  {
    name: "lost_delivered",
    about: "what is lost on its way is delivered",
    file: ACQUIRING,
    from: "    if (entry.isLost) {",
    to: "    if (false) {",
  },
  {
    name: "lost_taker_untracked",
    about: "one whose resource was lost on its way hears no signal",
    file: ACQUIRING,
    from: "return this.#cancellation.track(waiter, signal);",
    to: "return;",
  },
  {
    name: "lost_taker_unserved",
    about: "one whose resource was lost on its way gets nothing idle",
    file: LINE,
    from: `    this.destroy(entry, entry.reason);
    this.#serve(now);`,
    to: "    this.destroy(entry, entry.reason);",
  },
  {
    name: "lost_told_as_invalid",
    about: "what is lost is destroyed for a bad verdict",
    file: LINE,
    from: `entry.isLost ? "lost" : reason`,
    to: "reason",
  },
  {
    name: "lost_believed",
    about: "a validate that loses its resource is believed",
    file: VALIDATING,
    from: "!entry.isLost && Boolean(verdict)",
    to: "Boolean(verdict)",
  },
  {
    name: "lost_leased_at_once",
    about: "tryAcquire leases what is lost while it evicts",
    file: ACQUIRING,
    from: "const { isLost } = entry;",
    to: "const isLost = false;",
  },
  {
    name: "lost_alone",
    about: "one that is lost is never distrusted of others",
    file: CREATING,
    from: `        line.distrust(releasedAt, now, "lost");
`,
    to: "",
  },
  {
    name: "lost_with_others",
    about: "one that is lost while others are used takes idle ones with it",
    file: CREATING,
    from: `place === "idle" && line.used === 0`,
    to: `place === "idle"`,
  },
  {
    name: "distrust_of_newer",
    about: "what was idle for less time is distrusted, too",
    file: LINE,
    from: "!isOut && entry.releasedAt <= time",
    to: "!isOut",
  },
  {
    name: "lost_create_goes_on",
    about: "a create that is lost is not aborted",
    file: CREATING,
    from: `      controller.abort(loss);
`,
    to: "",
  },
  {
    name: "lost_create_after",
    about: "a create that has failed is lost",
    file: CREATING,
    from: "if (birth.isOver || creation.isLost) return;",
    to: "if (creation.isLost) return;",
  },
  {
    name: "lost_create_twice",
    about: "a create is lost twice",
    file: CREATING,
    from: "if (birth.isOver || creation.isLost) return;",
    to: "if (birth.isOver) return;",
  },
  {
    name: "lost_create_counted_on",
    about: "a create that is lost is counted on",
    file: SUPPLY,
    from: `    line.giveUpOn(creation);
    if (begins)`,
    to: "    if (begins)",
  },
  {
    name: "lost_create_used",
    about: "what was lost while it was created is used",
    file: LINE,
    from: `if (creation.isLost) this.destroy(entry, "lost");
    else if`,
    to: "if",
  },
  {
    name: "lost_create_untold",
    about: "without retry, the loss of a create rejects nobody",
    file: SUPPLY,
    from: `        line.rejectFirst(creation.order, loss);
`,
    to: "",
  },
  {
    name: "lost_farewell_waits",
    about: "the farewell of a lost resource holds its slot until it ends",
    file: DESTROYING,
    from: `    if (reason === "lost") this.#vacate(entry);
`,
    to: "",
  },
  {
    name: "farewell_short",
    about: "every farewell holds its slot for the usual time of a create",
    file: DESTROYING,
    from: `if (reason === "lost") this.#vacate(entry);`,
    to: "this.#vacate(entry);",
  },
  {
    name: "farewell_vacates_twice",
    about: "the slot of a lost resource is vacated twice",
    file: DESTROYING,
    from: `        if (entry.place !== "destroying") return;
        line.destroyed`,
    to: "        line.destroyed",
  },
  {
    name: "retire_last_reason",
    about: "the last reason to retire an entry stays",
    file: ENTRY,
    from: "if (this.maxUses > 0) this.reason",
    to: "this.reason",
  },
  {
    name: "lifetime_as_uses",
    about: "one that outlives its life in use leaves as used enough",
    file: LINE,
    from: `entry.uses >= entry.maxUses ? entry.reason : "lifetime"`,
    to: "entry.reason",
  },
  {
    name: "destroy_not_aborted",
    about: "the signal of a destroy never aborts",
    file: DESTROYING,
    from: `      if (isLate) call.abort(failure!.error);
`,
    to: "",
  },
  {
    name: "destroy_late_limited",
    about: "the destroy of what came late is aborted",
    file: DESTROYING,
    from: `reason === "late" ? Infinity : settings`,
    to: "settings",
  },
  {
    name: "signal_read_late",
    about: "a signal that is read late does not know that it aborted",
    file: SIGNAL,
    from: `    if (this.#isAborted) controller.abort(this.#reason);
`,
    to: "",
  },
  {
    name: "dispose_first",
    about: "the dispose of a resource comes before its asyncDispose",
    file: OPTIONS,
    from: "disposable[Symbol.asyncDispose] ?? disposable[Symbol.dispose]",
    to: "disposable[Symbol.dispose] ?? disposable[Symbol.asyncDispose]",
  },
  {
    name: "dispose_not_awaited",
    about: "the asyncDispose of a resource is not waited for",
    file: OPTIONS,
    from: "return end?.call(disposable as never)",
    to: "end?.call(disposable as never)",
  },
  {
    name: "fatal_of_pool",
    about: "the isFatal of the pool decides before that of the call",
    file: ACQUIRING,
    from: "own ?? isFatal",
    to: "isFatal ?? own",
  },
  {
    name: "fatal_despite_reset",
    about: "what a use throws costs the resource although the pool has a reset",
    file: ACQUIRING,
    from: "return reset === undefined",
    to: "return true",
  },
  {
    name: "reset_not_told",
    about: "a reset does not know that the use failed",
    file: ACQUIRING,
    from: "else releaseFailed(lease);",
    to: "else lease.release();",
  },
  {
    name: "reset_at_once",
    about: "a release calls reset itself",
    file: RESETTING,
    from: "    this.#context.do(this);",
    to: "    this.inContext();",
  },
  {
    name: "reset_of_taken_back",
    about: "what an aborted close took back is released",
    file: RESETTING,
    from: `    if (entry.place !== "used") return;
`,
    to: "",
  },
  {
    name: "reset_of_worn",
    about: "what is not used again is reset",
    file: RESETTING,
    from: "if (line.isWorn(entry, this.#parts.now())) {",
    to: "if (false) {",
  },
  {
    name: "reset_failed_kept",
    about: "a resource whose reset failed is used again",
    file: RESETTING,
    from: `line.destroy(entry, "reset");`,
    to: "this.#lessor.release(entry, failed);",
  },
  {
    name: "reset_not_aborted",
    about: "a reset that is late is not aborted",
    file: RESETTING,
    from: `        if (isLate) call.abort(error);
`,
    to: "",
  },
  {
    name: "reset_not_abandoned",
    about: "an aborted close waits for resets",
    file: RESETTING,
    from:
      `      abandoned: () => call.abort(this.#parts.refusals.closed(entry.stripe)),
`,
    to: "",
  },
  {
    name: "reset_told_twice",
    about: "a release with a reset is told twice",
    file: LOCAL_POOL,
    from: "observer !== undefined && reset === undefined",
    to: "observer !== undefined",
  },
  {
    name: "reset_not_a_check",
    about: "a reset does not count as a use",
    file: LINE,
    from: `    entry.releasedAt = now;
    this.#settle(entry, now);
  }

  /** The verdict on an entry is good`,
    to: `    this.#settle(entry, now);
  }

  /** The verdict on an entry is good`,
  },
  {
    name: "passed_without_end",
    about: "what goes back to its place keeps an old end",
    file: LINE,
    from:
      `    entry.endsAt = Math.min(entry.releasedAt + idleTimeout, entry.diesAt);
    this.#idle++;
    if (isBack)`,
    to: `    if (!isBack) {
      entry.endsAt = Math.min(entry.releasedAt + idleTimeout, entry.diesAt);
    }
    this.#idle++;
    if (isBack)`,
  },
];
