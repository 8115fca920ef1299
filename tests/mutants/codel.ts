import type { Mutant } from "./mutant.ts";

const DELAY = "src/codel/controlled_delay.ts";
const LINE = "src/core/line.ts";

export const CODEL: readonly Mutant[] = [
  {
    name: "codel_target_is_long",
    about: "a wait as long as the target counts as a long one",
    file: DELAY,
    from: `      this.#isSlow = this.#shortest > target;
      this.#shortest = Infinity`,
    to: `      this.#isSlow = this.#shortest >= target;
      this.#shortest = Infinity`,
  },
  {
    name: "codel_interval_fixed",
    about: "an interval does not begin anew with a short wait",
    file: DELAY,
    from: `if (isDecided || now`,
    to: `if (now`,
  },
  {
    name: "codel_ends_at_once",
    about: "one short wait ends the shedding before the interval is over",
    file: DELAY,
    from: `!this.#isSlow && this.#shortest`,
    to: `this.#shortest`,
  },
  {
    name: "codel_empty_unseen",
    about: "a moment with nobody waiting does not end the shedding",
    file: DELAY,
    from: `if (oldest > this.#asked)`,
    to: `if (false)`,
  },
  {
    name: "codel_empty_too_soon",
    about: "who comes when another is served counts as alone",
    file: DELAY,
    from: `oldest > this.#asked`,
    to: `oldest >= this.#asked`,
  },
  {
    name: "codel_sheds_the_short",
    about: "who has waited for just twice the target is shed",
    file: DELAY,
    from: `now - since > 2 * target`,
    to: `now - since >= 2 * target`,
  },
  {
    name: "codel_counts_the_shed",
    about: "the wait of one who is shed counts as one of the served",
    file: DELAY,
    from: `    if (this.#isSlow && now - since > 2 * target) return true;
    this.#shortest = Math.min(this.#shortest, now - oldest);
    return false;`,
    to: `    this.#shortest = Math.min(this.#shortest, now - since - target);
    return this.#isSlow && now - since > 2 * target;`,
  },
  {
    name: "codel_hidden_by_urgent",
    about: "the short waits of the urgent hide those of the others",
    file: DELAY,
    from: `now - oldest)`,
    to: `now - since)`,
  },
  {
    name: "shed_oldest_is_head",
    about: "a judge is told of the head alone, not of who has waited longest",
    file: LINE,
    from: `Math.min(since, this.#waiting.oldest)`,
    to: `since`,
  },
  {
    name: "shed_all_at_once",
    about: "a line of any length is shed in one turn",
    file: LINE,
    from: `waiter !== undefined && left > 0; left--`,
    to: `waiter !== undefined; left--`,
  },
  {
    name: "shed_closed_kept",
    about: "a resource rests in a pool that its judge has closed",
    file: LINE,
    from: `if (this.shed !== undefined && this.#leaves(entry, now)) return;`,
    to: ``,
  },
  {
    name: "shed_abandoned_rests",
    about: "a resource rests that was taken back while its line was judged",
    file: LINE,
    from: `if (entry.place !== "used") return true;`,
    to: ``,
  },
  {
    name: "shed_abandoned_validated",
    about: "a resource is validated that was taken back",
    file: LINE,
    from: `entry.place !== "used" || !this.isSuspect`,
    to: `!this.isSuspect`,
  },
  {
    name: "shed_judge_not_contained",
    about: "a judge that throws breaks the release",
    file: "src/shell/line_rules.ts",
    from: `(() => contained(shed.judge()))`,
    to: `(() => shed.judge())`,
  },
];
