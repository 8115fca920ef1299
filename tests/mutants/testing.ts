import type { Mutant } from "./mutant.ts";

const CLOCK = "src/testing/virtual_clock.ts";
const ENTRY = "src/testing/mod.ts";

export const TESTING: readonly Mutant[] = [
  {
    name: "testing_next_unsettled",
    about: "next looks for a timer before promises have settled",
    file: CLOCK,
    from: `    await settle();
    const timer`,
    to: `    const timer`,
  },
  {
    name: "testing_next_back",
    about: "what is overdue moves the clock back",
    file: CLOCK,
    from: `await this.advance(Math.max(timer.time - this.#now, 0));`,
    to: `await this.advance(timer.time - this.#now);`,
  },
  {
    name: "testing_next_never_ends",
    about: "next says that there was a timer where there was none",
    file: CLOCK,
    from: `if (timer === undefined) return false;`,
    to: `if (timer === undefined) return true;`,
  },
  {
    name: "testing_leases_counted_late",
    about: "leases are counted when the close has taken them back",
    file: ENTRY,
    from: `before[index]!;`,
    to: `look(pool);`,
  },
  {
    name: "testing_takes_care_for_leases",
    about: "what is validated or reset is said to be leased",
    file: ENTRY,
    from: `used - checking - resetting,`,
    to: `used,`,
  },
  {
    name: "testing_waits_for_leases",
    about: "finding leaks waits for what is out",
    file: ENTRY,
    from: `signal: AbortSignal.abort() })`,
    to: `signal: new AbortController().signal })`,
  },
  {
    name: "testing_close_fails_unheard",
    about: "what a close fails with is dropped",
    file: ENTRY,
    from: `  await Promise.all(closing.filter((close) => ended.has(close)));
`,
    to: ``,
  },
  {
    name: "testing_late_failure_unhandled",
    about: "a close that fails after the test is an unhandled rejection",
    file: ENTRY,
    from: `  for (const close of closing) close.catch(() => {});
`,
    to: ``,
  },
  {
    name: "testing_limits_are_leaks",
    about: "the limit of a destroy that hangs counts as a timer left behind",
    file: ENTRY,
    from: `ended.size < pools.length ? 0 : clock.timers;`,
    to: `clock.timers;`,
  },
  {
    name: "testing_clock_moved_by_nothing",
    about: "a clock that is moved by NaN shows that from then on",
    file: CLOCK,
    from: `    CHECK.that("ms", ms, SPAN);
`,
    to: ``,
  },
  {
    name: "testing_clock_not_set_back",
    about: "a clock cannot be set back",
    file: CLOCK,
    from: `CHECK.that("ms", ms, FINITE)`,
    to: `CHECK.that("ms", ms, SPAN)`,
  },
];
