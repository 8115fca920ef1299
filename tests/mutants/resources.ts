import type { Mutant } from "./mutant.ts";

const ACQUIRING = "src/shell/acquiring.ts";
const LINE = "src/core/line.ts";
const RESETTING = "src/shell/resetting.ts";

/** Of what becomes of a resource that is lost, reset, or back at its place. */
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
    name: "lost_leased_at_once",
    about: "tryAcquire leases what is lost while it evicts",
    file: ACQUIRING,
    from: "const { isLost } = entry;",
    to: "const isLost = false;",
  },
  {
    name: "distrust_of_newer",
    about: "what was idle for less time is distrusted, too",
    file: LINE,
    from: "!isOut && entry.releasedAt <= time",
    to: "!isOut",
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
    name: "lifetime_as_uses",
    about: "one that outlives its life in use leaves as used enough",
    file: LINE,
    from: "isUsedUp ? entry.reason : entry.fate",
    to: "entry.reason",
  },
  {
    name: "reset_not_told",
    about: "a reset does not know that the use failed",
    file: ACQUIRING,
    from: "else releaseFailed(lease);",
    to: "else lease.release();",
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
    name: "reset_not_a_check",
    about: "a reset does not count as a use",
    file: LINE,
    from: `    entry.releasedAt = now;
    if ((++`,
    to: `    if ((++`,
  },
  {
    name: "passed_without_end",
    about: "what goes back to its place keeps an old end",
    file: LINE,
    from: "entry.endsAt = idleEnd < entry.diesAt ? idleEnd : entry.diesAt;",
    to: "if (!isBack) entry.endsAt = Math.min(idleEnd, entry.diesAt);",
  },
];
