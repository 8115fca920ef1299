import type { Mutant } from "./mutant.ts";

const AUDIENCE = "src/inspect/audience.ts";
const BOOKS = "src/inspect/books.ts";
const HISTOGRAM = "src/inspect/histogram.ts";
const METRICS = "src/inspect/metrics.ts";
const MOD = "src/inspect/mod.ts";
const SNAPSHOT = "src/inspect/snapshot.ts";

export const INSPECT: readonly Mutant[] = [
  {
    name: "inspect_truthy_is_enough",
    about: "authorize lets in with whatever is not false",
    file: MOD,
    from: `if (answer !== true) return`,
    to: `if (!answer) return`,
  },
  {
    name: "inspect_promise_is_enough",
    about: "the promise of authorize is not waited for",
    file: MOD,
    from: `const answer = await authorize(request);
      if (answer instanceof Response) return answer;
      if (answer !== true)`,
    to: `const answer = authorize(request);
      if (answer instanceof Response) return answer;
      if (answer === false)`,
  },
  {
    name: "inspect_anyone_by_default",
    about: "whoever is not told about may look",
    file: MOD,
    from: `const { authorize, clock = new SystemClock() } = options;`,
    to: `const { authorize = "anyone", clock = new SystemClock() } = options;`,
  },
  {
    name: "inspect_any_method",
    about: "other methods than GET and HEAD are answered",
    file: MOD,
    from: `request.method !== "GET" && request.method !== "HEAD"`,
    to: `request.method === "POST"`,
  },
  {
    name: "inspect_head_listens",
    about: "a HEAD of the events takes a place",
    file: MOD,
    from: `const stream = isHead ? null : audience.listen();`,
    to: `const stream = audience.listen();`,
  },
  {
    name: "inspect_one_nonce",
    about: "the nonce is the same each time",
    file: MOD,
    from: `crypto.getRandomValues(new Uint8Array(16))`,
    to: `new Uint8Array(16)`,
  },
  {
    name: "inspect_inline_script",
    about: "the page runs scripts that got into it",
    file: MOD,
    from: "`script-src 'nonce-${nonce}'`,",
    to: "`script-src 'nonce-${nonce}' 'unsafe-inline'`,",
  },
  {
    name: "inspect_framed",
    about: "another site can frame what is answered",
    file: MOD,
    from:
      `  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",`,
    to: `  "Content-Security-Policy": "default-src 'none'",`,
  },
  {
    name: "inspect_kept",
    about: "caches keep what is answered",
    file: MOD,
    from: `"no-store"`,
    to: `"no-cache"`,
  },
  {
    name: "inspect_names_twice",
    about: "two pools of one name are one series",
    file: MOD,
    from: `for (; names.has(name); n++)`,
    to: `for (; n < 2; n++)`,
  },
  {
    name: "inspect_watches_on",
    about: "disposed of, it watches the pools still",
    file: MOD,
    from: `for (const { observing } of watched) observing[Symbol.dispose]();`,
    to: ``,
  },
  {
    name: "inspect_listens_on",
    about: "disposed of, it lets others listen",
    file: AUDIENCE,
    from: `this.#isOver || this.#listeners`,
    to: `this.#listeners`,
  },
  {
    name: "inspect_many_listen",
    about: "any number may listen",
    file: AUDIENCE,
    from: `const SEATS = 32;`,
    to: `const SEATS = Infinity;`,
  },
  {
    name: "inspect_slow_gathers",
    about: "a slow reader is told all, and it is kept for it",
    file: AUDIENCE,
    from: `controller.desiredSize! > 0`,
    to: `controller.desiredSize! > -Infinity`,
  },
  {
    name: "inspect_slow_stays",
    about: "one that reads nothing keeps its place",
    file: AUDIENCE,
    from: `now - readAt >= PATIENCE`,
    to: `now - readAt >= Infinity`,
  },
  {
    name: "inspect_fast_dropped",
    about: "one that reads all is dropped, too, in time",
    file: AUDIENCE,
    from: `        listener.readAt = now;
`,
    to: ``,
  },
  {
    name: "inspect_ticks_for_nobody",
    about: "when the last has left the timer stays",
    file: AUDIENCE,
    from: `    this.#clock.clearTimeout(listener.timer);
`,
    to: ``,
  },
  {
    name: "inspect_keeps_alive",
    about: "its timer keeps the process alive",
    file: AUDIENCE,
    from: `?.unref?.();`,
    to: `;`,
  },
  {
    name: "inspect_left_stays",
    about: "who has left keeps a place",
    file: AUDIENCE,
    from: `cancel: () => this.#leave(listener),`,
    to: `cancel: () => {},`,
  },
  {
    name: "inspect_any_code",
    about: "whatever an error calls its code becomes a name",
    file: BOOKS,
    from: `FAILURES.get(code) ?? "other"`,
    to: `FAILURES.get(code) ?? code`,
  },
  {
    name: "inspect_long_errors",
    about: "a long error is kept and shown whole",
    file: BOOKS,
    from: `cut(reason(error))`,
    to: `reason(error)`,
  },
  {
    name: "inspect_shows_cause",
    about: "what a create failed with is shown as it is",
    file: SNAPSHOT,
    from: `cause: cause === undefined ? undefined : cut(reason(cause)),`,
    to: `cause: cause as string,`,
  },
  {
    name: "inspect_first_word",
    about: "a pool is as its first line is",
    file: SNAPSHOT,
    from: `STATES.find((state) => shown.some((line) => line.state === state))!`,
    to: `shown[0]!.state`,
  },
  {
    name: "inspect_label_unescaped",
    about: "a quote in a name ends its label",
    file: METRICS,
    from: `.replaceAll('"', '\\\\"')`,
    to: ``,
  },
  {
    name: "inspect_label_of_lines",
    about: "a name of two lines begins a line",
    file: METRICS,
    from: `.replaceAll("\\n", "\\\\n")`,
    to: ``,
  },
  {
    name: "inspect_bucket_of_one_more",
    about: "what takes as long as a bound is above it",
    file: HISTOGRAM,
    from: `const place = Math.ceil((`,
    to: `const place = 1 + Math.floor((`,
  },
  {
    name: "inspect_remembers",
    about: "what was minutes ago is not forgotten",
    file: HISTOGRAM,
    from: `this.#slices[n % SLICES]!.fill(0);`,
    to: `n;`,
  },
  {
    name: "inspect_quantile_of_bound",
    about: "a quantile is the upper bound of its bucket",
    file: HISTOGRAM,
    from: `return 2 * low * high / (low + high);`,
    to: `return high;`,
  },
  {
    name: "inspect_state_for_each",
    about: "what listeners are told is made for each of them",
    file: "src/inspect/audience.ts",
    from: `Math.abs(now - this.#toldAt) >= FRESH;`,
    to: `true;`,
  },
  {
    name: "inspect_state_stands_still",
    about: "where the clock stands still listeners are told the same again",
    file: "src/inspect/audience.ts",
    from: `if (isOld || listener.told === this.#told) {`,
    to: `if (isOld) {`,
  },
  {
    name: "inspect_state_grows_old",
    about: "a state is told to others however old it is",
    file: "src/inspect/audience.ts",
    from: `const FRESH = PACE / 2;`,
    to: `const FRESH = Infinity;`,
  },
  {
    name: "details_of_all_waiters",
    about: "details tell of every waiter",
    file: "src/pool_stats.ts",
    from: `WAITS = 100`,
    to: `WAITS = 1e9`,
  },
  {
    name: "details_of_all_holders",
    about: "details tell of every holder",
    file: "src/pool_stats.ts",
    from: `HOLDERS = 10`,
    to: `HOLDERS = 1e9`,
  },
  {
    name: "details_without_put_back",
    about: "details leave out those who were put back",
    file: "src/core/waiter_queue.ts",
    from: `const some = this.#back.some(limit);`,
    to: `const some: Waiter[] = [];`,
  },
  {
    name: "diagnosis_names_all",
    about: "a healthy pool's sentence names who holds",
    file: "src/sentence.ts",
    from: `const isWrong = oldest?.isTold || pending > 0;`,
    to: `const isWrong = true;`,
  },
  {
    name: "inspect_detached_uncounted",
    about: "what is detached is not counted",
    file: BOOKS,
    from: `      this.detached++;
`,
    to: ``,
  },
  {
    name: "inspect_lost_timer_stays",
    about: "who has lost its timer, as a Worker's request, keeps its place",
    file: AUDIENCE,
    from: `now - listener.ranAt > SILENCE`,
    to: `now - listener.ranAt > Infinity`,
  },
  {
    name: "inspect_late_goes_on",
    about: "whose place was given away goes on",
    file: AUDIENCE,
    from: `isGone || !this.#listeners.has(listener)`,
    to: `isGone`,
  },
  {
    name: "inspect_tick_throws",
    about: "what fails while listeners are told is thrown where nobody catches",
    file: AUDIENCE,
    from: `      controller.error(error);`,
    to: `      throw error;`,
  },
  {
    name: "inspect_untold_stays",
    about: "who cannot be told keeps a place",
    file: AUDIENCE,
    from: `      this.#leave(listener);
      controller.error(error);`,
    to: `      controller.error(error);`,
  },
  {
    name: "inspect_trend_unordered",
    about: "the course of quantiles begins anywhere",
    file: HISTOGRAM,
    from: `this.#slice % SLICES + 1`,
    to: `0`,
  },
  {
    name: "inspect_trend_newest_first",
    about: "the newest of the course comes first",
    file: HISTOGRAM,
    from: `this.#slice % SLICES + 1`,
    to: `this.#slice % SLICES`,
  },
  {
    name: "inspect_closed_is_healthy",
    about: "a pool that has closed is shown as one that is well",
    file: BOOKS,
    from: `this.isClosed = true;`,
    to: ``,
  },
  {
    name: "inspect_halves_alike",
    about: "names of halves of characters are sent as the same",
    file: MOD,
    from: `.replace(/\\p{Surrogate}/gu, "\\ufffd")`,
    to: ``,
  },
  {
    name: "inspect_watches_before_it_checks",
    about: "a pool is watched although another is refused",
    file: MOD,
    from: `      check.that(\`pools[\${i}].\${name}\`, pool[name], FUNCTION);
`,
    to: ``,
  },
  {
    name: "inspect_left_is_told",
    about: "a timer that fires after its listener has left tells it",
    file: AUDIENCE,
    from: `    if (hasLeft) return;
`,
    to: ``,
  },
];
