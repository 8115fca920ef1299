import type { Mutant } from "./mutant.ts";

const CHECK = "src/check.ts";
const LINE = "src/core/line.ts";
const OPTION_NAME = "src/option_name.ts";
const OPTIONS = "src/pool_options.ts";
const REFUSALS = "src/shell/refusals.ts";
const SENTENCE = "src/sentence.ts";
const SUPPLY = "src/shell/supply.ts";
const USER_CALL = "src/shell/user_call.ts";

/** Of what users are told when something goes wrong. */
export const ERRORS: readonly Mutant[] = [
  {
    name: "one_wait",
    about: "a pool that is full with one says that 1 wait",
    file: REFUSALS,
    from: `pending === 1 ? "waits" : "wait"`,
    to: `"wait"`,
  },
  {
    name: "keyed_is_not_shown",
    about: "the console shows no counts of a keyed pool",
    file: "src/keyed/mod.ts",
    from: "inspectable(KeyedPool);\n",
    to: "",
  },
  {
    name: "retry_of_any_name",
    about: "a mistyped delay of a retry is not refused",
    file: OPTIONS,
    from: `  check.names(retry, ["delay", "maxDelay"]);\n`,
    to: "",
  },
  {
    name: "keyed_names_of_a_pool",
    about:
      "a mistyped option of a keyed pool is told the nearest one of a pool",
    file: "src/keyed/mod.ts",
    from: `[...OPTION_NAMES, "maxPerKey"]`,
    to: "Object.keys(options)",
  },
  {
    name: "close_shares_one_error",
    about: "all that a close rejects are told the wait of the first",
    file: REFUSALS,
    from: `if (last?.waited !== waited) {`,
    to: `if (last === undefined) {`,
  },
  {
    name: "close_shares_no_error",
    about: "a close makes an error for each who waits",
    file: REFUSALS,
    from: `if (last?.waited !== waited) {`,
    to: `if (last?.waited !== waited || waited >= 0) {`,
  },
  {
    name: "limit_keeps_the_last_failure",
    about: "a create that times out has the one before as its cause",
    file: REFUSALS,
    from: `{ poolName: this.#name, stats, waited: Math.round(took) }`,
    to: `{
        ...this.#details(this.#partition.lineOf(stripe)),
        stats,
        waited: Math.round(took),
      }`,
  },
  {
    name: "limit_counts_one_by_one",
    about: "calls that pass their limit at once are told different counts",
    file: USER_CALL,
    from: `this.#failed(inFlight, errors[i], true);`,
    to: `void errors[i];
      const error = this.#late(inFlight.call, inFlight.call.limit);
      this.#failed(inFlight, error, true);`,
  },
  {
    name: "validated_is_held",
    about: "what is being validated is said to be used, by holders that wait",
    file: SENTENCE,
    from: "used - checking - resetting",
    to: "used - resetting",
  },
  {
    name: "reset_is_held",
    about: "what is being reset is said to be used, by holders that wait",
    file: SENTENCE,
    from: "used - checking - resetting",
    to: "used - checking",
  },
  {
    name: "release_to_reset_is_no_turn",
    about: "none was released, although one was given to a reset",
    file: "src/shell/resetting.ts",
    from: "    line.useEnded();\n",
    to: "",
  },
  {
    name: "shares_of_max_after_a_shrink",
    about: "after a shrink one beside others is said to be the only one",
    file: SENTENCE,
    from: "Math.max(max, idle + used + creating + destroying)",
    to: "max",
  },
  {
    name: "full_counts_its_limit",
    about: "who is refused as full is told how many may wait, not how many do",
    file: REFUSALS,
    from: "const { pending } = details.stats;",
    to: "const pending = this.#partition.lines.length - 1;",
  },
  {
    name: "reset_that_ended_goes_on",
    about: "what was reset is said to be in its reset for ever",
    file: "src/shell/resetting.ts",
    from: "      line.tend(entry);\n",
    to: "",
  },
  {
    name: "verdict_that_came_goes_on",
    about: "what was validated is said to be under validate for ever",
    file: LINE,
    from: `  valid(entry: Entry<T>, now: number): void {
    this.tend(entry);
`,
    to: `  valid(entry: Entry<T>, now: number): void {
`,
  },
  {
    name: "reset_is_a_use",
    about: "the page says that what is being reset is used, as long as before",
    file: "src/shell/resetting.ts",
    from: `    line.tend(entry, "reset");
`,
    to: "",
  },
  {
    name: "check_without_a_taker_is_a_use",
    about: "what is validated is said to be used once nobody waits for it",
    file: "src/shell/validating.ts",
    from: `    if (entry.place === "used") line.tend(entry, "validate");
`,
    to: "",
  },
  {
    name: "destroyed_is_still_checked",
    about: "what is destroyed counts as validated or reset for ever",
    file: LINE,
    from: `    this.tend(entry);
    this.#stripe(entry).leave`,
    to: `    this.#stripe(entry).leave`,
  },
  {
    name: "background_check_goes_on",
    about: "what was validated in the background is said to be for ever",
    file: LINE,
    from: `  inspected(entry: Entry<T>, now: number): void {
    this.tend(entry);`,
    to: `  inspected(entry: Entry<T>, now: number): void {`,
  },
  {
    name: "longest_use_of_its_last",
    about: "what is used again counts as used since its use before",
    file: LINE,
    from: " || longest.usedAt !== this.#longestSince",
    to: "",
  },
  {
    name: "longest_use_sought_each_time",
    about: "who is refused has all resources looked at",
    file: LINE,
    from: "if (!longest?.isHeld || longest.usedAt !== this.#longestSince) ",
    to: "void longest;\n    ",
  },
  {
    name: "longest_use_of_nothing_sought",
    about: "who is refused has all stripes looked at where nothing is held",
    file: LINE,
    from:
      `    if (this.used === this.checking + this.resetting) return Infinity;
`,
    to: "",
  },
  {
    name: "closed_is_checked",
    about: "what a close took back is validated by the count",
    file: "src/shell/validating.ts",
    from: `    if (entry.place === "used") line.tend`,
    to: `    line.tend`,
  },
  {
    name: "page_counts_resets_as_used",
    about: "the page does not tell what is reset from what is used",
    file: "src/shell/details.ts",
    from: "    resetting,\n",
    to: "    resetting: 0 * resetting,\n",
  },
  {
    name: "page_counts_checks_as_used",
    about: "the page does not tell what is validated from what is used",
    file: "src/shell/details.ts",
    from: "    checking,\n",
    to: "    checking: 0 * checking,\n",
  },
  {
    name: "release_is_no_turn",
    about: "none was released, although one was handed on",
    file: LINE,
    from: `    this.#turned = this.#arrivals;
    if (isSound`,
    to: `    if (isSound`,
  },
  {
    name: "destroy_is_no_turn",
    about: "none was released, although one was destroyed by its holder",
    file: LINE,
    from: `    this.#turned = this.#arrivals;
    this.#forget(entry);
    this.tend(entry);`,
    to: `    this.#forget(entry);
    this.tend(entry);`,
  },
  {
    name: "counts_can_be_changed",
    about: "who is refused can change what others are told",
    file: REFUSALS,
    from: `stats: Object.freeze(stats),`,
    to: `stats,`,
  },
  {
    name: "outage_where_all_are_used",
    about: "failing creates are told to one who waits for a release",
    file: SENTENCE,
    from: `used < max && outage && `,
    to: `outage && `,
  },
  {
    name: "oldest_of_one",
    about: "the only one that is used is called the oldest",
    file: SENTENCE,
    from: `n > 1 && words.length === 1`,
    to: `words.length === 1`,
  },
  {
    name: "next_try_passed",
    about: "a try is told as the next that is under way",
    file: SUPPLY,
    from: `const nextTry = outage !== undefined && outage.nextAt > now`,
    to: `const nextTry = outage !== undefined`,
  },
  {
    name: "inherited_name",
    about: "a name that options inherit is refused",
    file: CHECK,
    from: `for (const name of Object.keys(options)) {`,
    to: `for (const name in options) {`,
  },
  {
    name: "unknown_option_of_acquire",
    about: "acquire takes options that it does not know",
    file: OPTIONS,
    from: `    acquiring.names(options, known);`,
    to: ``,
  },
  {
    name: "fatal_acquire",
    about: "acquire takes the isFatal of use",
    file: OPTIONS,
    from: `  known = ACQUIRE,`,
    to: `  known = USE,`,
  },
  {
    name: "farthest_name",
    about: "of two names that are as near the later is named",
    file: OPTION_NAME,
    from: `far(other) < far(best)`,
    to: `far(other) <= far(best)`,
  },
  {
    name: "case_counts",
    about: "a letter of the wrong case is as far as another letter",
    file: OPTION_NAME,
    from: `distance(name.toLowerCase(), other.toLowerCase())`,
    to: `distance(name, other)`,
  },
];
