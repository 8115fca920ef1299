import type { Mutant } from "./mutant.ts";

const CHECK = "src/check.ts";
const LEASE = "src/lease.ts";
const OPTIONS = "src/pool_options.ts";
const POOL = "src/pool.ts";
const POOL_ERROR = "src/pool_error.ts";
const SYSTEM_CLOCK = "src/system_clock.ts";

/** Of what is outside of core and shell. */
export const POOL_MUTANTS: readonly Mutant[] = [
  // The lease.
  {
    name: "stale_release",
    about: "a stale release is accepted",
    file: LEASE,
    from: `    this.#entry = undefined;
    this.#lessor.release(entry, failed);`,
    to: "    this.#lessor.release(entry, failed);",
  },
  {
    name: "stale_destroy",
    about: "a lease can be released after its destroy",
    file: LEASE,
    from: `    this.#entry = undefined;
    this.#lessor.destroy(entry);`,
    to: `    this.#lessor.destroy(entry);`,
  },
  {
    name: "release_spends_late",
    about: "a lease is spent only after its release",
    file: LEASE,
    from: `    this.#entry = undefined;
    this.#lessor.release(entry, failed);`,
    to: `    this.#lessor.release(entry, failed);
    this.#entry = undefined;`,
  },
  {
    name: "destroy_spends_late",
    about: "a lease is spent only after its destroy",
    file: LEASE,
    from: `    this.#entry = undefined;
    this.#lessor.destroy(entry);`,
    to: `    this.#lessor.destroy(entry);
    this.#entry = undefined;`,
  },
  {
    name: "value_of_what_was_taken_back",
    about: "a lease that an aborted close ended still gives its value",
    file: LEASE,
    from: `    if (entry.place !== "used") throw this.#lessor.closed(entry);
`,
    to: ``,
  },
  {
    name: "dispose_destroys",
    about: "the end of a using destroys",
    file: LEASE,
    from: `  [Symbol.dispose](): void {
    this.release();`,
    to: `  [Symbol.dispose](): void {
    this.destroy();`,
  },

  // Options.
  {
    name: "nan_accepted",
    about: "NaN is a duration",
    file: CHECK,
    from: `holds: (value) => value >= 0,`,
    to: `holds: (value) => !(value < 0),`,
  },
  {
    name: "limit_of_nothing_accepted",
    about: "user code may be given 0 ms",
    file: CHECK,
    from: `holds: (value) => value > 0,`,
    to: `holds: (value) => value >= 0,`,
  },
  {
    name: "stripes_above_max",
    about: "more stripes than max are accepted",
    file: OPTIONS,
    from: "Object.entries({ stripes, min })",
    to: "Object.entries({ min })",
  },
  {
    name: "option_read_twice",
    about: "an option of the pool is read again after its check",
    file: OPTIONS,
    from: `isAbsent ? row.default : value;`,
    to: `isAbsent ? row.default : options[name];`,
  },
  {
    name: "acquire_option_read_twice",
    about: "an option of acquire is read again after its check",
    file: POOL,
    from: `      return this.#local.acquiring.acquire(
        this.#home(affinity),
        timeout ??`,
    to: `      return this.#local.acquiring.acquire(
        this.#home(affinity),
        options.timeout ??`,
  },
  {
    name: "use_option_read_twice",
    about: "an option of use is read again after its check",
    file: POOL,
    from: `        fn,
        this.#home(affinity),
        timeout ??`,
    to: `        fn,
        this.#home(affinity),
        options.timeout ??`,
  },
  {
    name: "try_acquire_option_read_twice",
    about: "an option of tryAcquire is read again after its check",
    file: POOL,
    from: `    return this.#local.acquiring.tryAcquire(this.#home(affinity));`,
    to:
      `    return this.#local.acquiring.tryAcquire(this.#home(options.affinity));`,
  },
  {
    name: "signal_read_twice",
    about: "a signal is asked again after its check whether it has aborted",
    file: CHECK,
    from: `    return aborted;`,
    to: `    return signal.aborted;`,
  },
  {
    name: "use_callback_unchecked",
    about: "use does not check its callback",
    file: POOL,
    from: `      checkUse(fn, isFatal);
`,
    to: "",
  },
  {
    name: "stack_limit_not_restored",
    about: "after a timeout errors have no stack any more",
    file: POOL_ERROR,
    from: `    Reflect.set(Error, "stackTraceLimit", limit);`,
    to: `    void limit;`,
  },

  // The default clock.
  {
    name: "reuse_never_ends",
    about: "the default clock reuses its reading until it is used up",
    file: SYSTEM_CLOCK,
    from: `this.setTimeout(this.stop, 0)`,
    to: `this.setTimeout(() => {}, 0)`,
  },
  {
    name: "reuse_without_guard",
    about: "the default clock has no timer that ends the reuse",
    file: SYSTEM_CLOCK,
    from: `    this.#guard = this.setTimeout(this.stop, 0);
    (this.#guard as { unref?: () => void }).unref?.();`,
    to: ``,
  },
  {
    name: "reuse_ends_late",
    about: "the default clock ends the reuse after half a second",
    file: SYSTEM_CLOCK,
    from: `this.setTimeout(this.stop, 0)`,
    to: `this.setTimeout(this.stop, 500)`,
  },
  {
    name: "reuse_longer",
    about: "the default clock reuses a reading 100 times as often",
    file: SYSTEM_CLOCK,
    from: `const REUSES = 2 * STREAK - 1;`,
    to: `const REUSES = 200 * STREAK - 1;`,
  },
  {
    name: "reuse_less_dense",
    about: "the default clock reuses readings that lie 10 times as far apart",
    file: SYSTEM_CLOCK,
    from: `const LAG = 0.5;`,
    to: `const LAG = 5;`,
  },
  {
    name: "guard_holds_process",
    about: "the timer that ends the reuse keeps the process alive",
    file: SYSTEM_CLOCK,
    from: `    (this.#guard as { unref?: () => void }).unref?.();`,
    to: ``,
  },
  {
    name: "never_reused",
    about: "the default clock reads the time for each act",
    file: SYSTEM_CLOCK,
    from: `    this.#reuses = REUSES;`,
    to: `    this.#reuses = 0;`,
  },

  // What options say of one another.
  {
    name: "use_not_counted",
    about: "a lease is no use",
    file: LEASE,
    from: `    entry.uses++;
`,
    to: "",
  },
  {
    name: "failed_use_released",
    about: "what a use failed with is not told when it is released",
    file: LEASE,
    from: "lease.#release(true)",
    to: "lease.#release(false)",
  },
  {
    name: "released_as_failed",
    about: "each release tells of a use that failed",
    file: LEASE,
    from: "    this.#release(false);",
    to: "    this.#release(true);",
  },
  {
    name: "held_until_released",
    about: "a lease shows as held after a close took it back",
    file: LEASE,
    from: `this.#entry?.place === "used" ? "held"`,
    to: `this.#entry !== undefined ? "held"`,
  },
  {
    name: "min_above_max",
    about: "a min above max is accepted",
    file: OPTIONS,
    from: "Object.entries({ stripes, min })",
    to: "Object.entries({ stripes })",
  },
  {
    name: "needs_nothing",
    about: "an option without the one it needs is accepted",
    file: OPTIONS,
    from: "if (row.needs !== undefined && values",
    to: `if (row.needs === "max" && values`,
  },
  {
    name: "long_delay_without_most",
    about: "a delay above 2 000 needs a maxDelay",
    file: OPTIONS,
    from: "maxDelay = Math.max(delay, 2_000)",
    to: "maxDelay = 2_000",
  },
  {
    name: "most_below_delay",
    about: "a maxDelay below delay is accepted",
    file: OPTIONS,
    from: "if (maxDelay < delay) {",
    to: "if (maxDelay < 0) {",
  },
  {
    name: "disposed_at_once",
    about: "Symbol.dispose comes before Symbol.asyncDispose",
    file: OPTIONS,
    from: "disposable[Symbol.asyncDispose] ?? disposable[Symbol.dispose]",
    to: "disposable[Symbol.dispose] ?? disposable[Symbol.asyncDispose]",
  },
  {
    name: "not_disposable_fails",
    about: "what has nothing to dispose of cannot be destroyed",
    file: OPTIONS,
    from: "end?.call(",
    to: "end!.call(",
  },
  {
    name: "warm_above_max",
    about: "a warm of more than max is accepted",
    file: OPTIONS,
    from: "if (n > max) warming",
    to: "if (n > max + 1) warming",
  },
  {
    name: "warm_of_min_alone",
    about: "without a minimum a warm waits for none",
    file: POOL,
    from: `n ?? Math.max(this.min, 1)`,
    to: `n ?? this.min`,
  },
  {
    name: "warm_of_one",
    about: "a warm does not look at the minimum",
    file: POOL,
    from: `n ?? Math.max(this.min, 1)`,
    to: `n ?? 1`,
  },
  {
    name: "aborted_warm_begins",
    about: "a warm whose signal has aborted creates",
    file: POOL,
    from: `      return isAborted
        ? Promise.reject(signal!.reason)
        : this.#local.warm(resources, signal);`,
    to: `      return isAborted && signal === undefined
        ? Promise.reject(signal!.reason)
        : this.#local.warm(resources, signal);`,
  },
];
