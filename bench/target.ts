/** The targets of this project, and whether a run has met them. */
import { ONCE } from "./bundle_bench.ts";
import { digits } from "./label.ts";
import type { Job } from "./question.ts";
import type { Results } from "./results.ts";
import { align } from "./table.ts";

/** The results of a run, by question. */
export type Run = ReadonlyMap<string, Results>;

interface Target {
  text: string;
  /** The question it needs. */
  question: string;
  limit: number;
  /** Whether the limit is the least; else it is the most. */
  atLeast?: boolean;
  /**
   * What a profile found to limit it, on all runtimes or by the name of each;
   * shown for those that miss it.
   */
  cause?: string | Readonly<Record<string, string>>;
  /** What is held against the limit. */
  figure(results: Results, runtime: string): number | undefined;
}

/** The resource pools among the subjects; async-sema is a semaphore. */
const POOLS = [
  "generic_pool",
  "tarn",
  "lightning_pool",
  "sequelize_pool",
  "pg_pool",
  "effect",
];

const ours = (name: string): Job => ({ case: name, subject: "ours" });

/** The ratio of ours to another subject in the same case. */
function against(subject: string, name: string, figure: string) {
  return (results: Results, runtime: string): number | undefined =>
    results.ratio(ours(name), { case: name, subject }, runtime, figure);
}

/** How many times better ours is than the best of the pools. */
function lead(name: string, figure: string, more = false) {
  return (results: Results, runtime: string): number | undefined => {
    const ratios = POOLS.map((subject) => {
      const pool = { case: name, subject };
      return more
        ? results.ratio(ours(name), pool, runtime, figure)
        : results.ratio(pool, ours(name), runtime, figure);
    }).filter((ratio) => ratio !== undefined);
    return ratios.length === 0 ? undefined : Math.min(...ratios);
  };
}

/** Our share of the best of the pools, where less is better. */
function share(name: string, figure: string) {
  const leadOf = lead(name, figure);
  return (results: Results, runtime: string): number | undefined => {
    const found = leadOf(results, runtime);
    return found === undefined ? undefined : 1 / found;
  };
}

function median(name: string, figure: string) {
  return (results: Results, runtime: string): number | undefined =>
    results.spread(ours(name), runtime, figure)?.median;
}

function onPostgres(figure: string) {
  const name = "one query each time";
  return (results: Results, runtime: string): number | undefined =>
    results.ratio(
      { case: name, subject: "postgres_ours" },
      { case: name, subject: "postgres_pg_pool" },
      runtime,
      figure,
    );
}

const UNOBSERVED: Job = {
  case: "cut out of the source",
  subject: "unobserved",
};

/* What results/profile.txt shows, by runtime. */
const ACQUIRE_PROFILE = {
  node: "garbage collection takes 24 %, microtasks 21 %, acquire 15 %",
  deno: "acquire takes 21 %, the loop that awaits 20 %, the clock 8 %",
  bun: "acquire takes 42 %, release 25 %, the loop that awaits 18 %",
};

const TRY_PROFILE = {
  node: "taking the newest takes 33 %, release 20 %, the clock 7 %",
  deno: "taking the newest takes 38 %, release 20 %, the clock 12 %",
  bun: "the clock takes 52 %, release 23 %, making the lease 9 %",
};

const CONTENDED_PROFILE = {
  node: "microtasks take 13 %, deliver 12 %, garbage collection 11 %",
  deno: "deliver takes 11 %, the deadlines 9 %, garbage collection 6 %",
  bun: "the tasks take 21 %, making waiters and promises 27 %, their end 11 %",
};

const ABORT_PROFILE = {
  node: "taking the listeners off takes 21 %, the event 11 %",
  deno: "taking the listeners off takes 13 %, garbage collection 8 %",
  bun: "abort itself takes 16 %, taking the listeners off 18 %",
};

const TIMEOUT_PROFILE = {
  node: "garbage collection takes 27 % to 38 %, making the errors 7 % to 9 %",
  deno:
    "making the errors takes 38 % to 41 %, as an Error costs 2 µs with or " +
    "without a stack; garbage collection 22 % to 38 %",
  bun: "making the errors takes 11 % to 16 %, 35 % to 44 % is the look at " +
    "turns in which nothing is done, which is not counted",
};

/* By the same profilers, run by hand as it needs a server. */
const POSTGRES_PROFILE = {
  deno: "writing to sockets takes 57 %, garbage collection 8 %, the driver " +
    "8 %, the pool 5 %; both pools serve in order, so waits go by the rate",
  bun: "writing to sockets takes 88 %, the driver 3 %, the pool 2 %; both " +
    "pools serve in order, so waits go by the rate",
};

const TARGETS: readonly Target[] = [
  {
    text: "acquire + release, of the minimal hand-off",
    question: "acquire",
    limit: 2,
    figure: against("hand_off", "acquire", "time"),
  },
  {
    text: "acquire + release, of the minimal hand-off with a lease",
    cause: ACQUIRE_PROFILE,
    question: "acquire",
    limit: 1.5,
    figure: against("lease_hand_off", "acquire", "time"),
  },
  {
    text: "acquire + release, times as fast as the best npm pool",
    cause: {
      ...ACQUIRE_PROFILE,
      bun: `${ACQUIRE_PROFILE.bun}; effect, in one fiber, takes less than 4 ` +
        "times the minimal hand-off with a lease",
    },
    question: "acquire",
    limit: 4,
    atLeast: true,
    figure: lead("acquire", "time"),
  },
  {
    text: "tryAcquire + release, of an await",
    cause: TRY_PROFILE,
    question: "acquire",
    limit: 1,
    figure: (results, runtime) =>
      results.ratio(
        ours("tryAcquire"),
        { case: "acquire", subject: "promise" },
        runtime,
        "time",
      ),
  },
  {
    text: "1 000 tasks over 10, of the rate of the minimal hand-off",
    cause: CONTENDED_PROFILE,
    question: "contended",
    limit: 0.6,
    atLeast: true,
    figure: against("lease_hand_off", "1 000 over 10", "rate"),
  },
  {
    text: "1 000 tasks over 10, times the rate of the best npm pool",
    cause: CONTENDED_PROFILE,
    question: "contended",
    limit: 2,
    atLeast: true,
    figure: lead("1 000 over 10", "rate", true),
  },
  {
    text: "heap of a bare waiter, bytes",
    question: "memory",
    limit: 300,
    figure: median("bare", "heap"),
  },
  {
    text: "heap of a waiter with a timeout, bytes",
    question: "memory",
    limit: 350,
    figure: median("with a timeout", "heap"),
  },
  {
    text: "heap of a waiter with its own signal, of the next best",
    cause: "addEventListener alone, of one function for all, holds 296 B on " +
      "node and 576 B on deno",
    question: "memory",
    limit: 0.5,
    figure: share("with its own signal", "heap"),
  },
  ...Object.entries({ abort: ABORT_PROFILE, timeout: TIMEOUT_PROFILE }).flatMap(
    ([way, cause]): Target[] => [
      {
        text: `half of 1 000 000 by ${way}, times that of 100 000`,
        cause,
        question: "cancel",
        limit: 12,
        figure: (results, runtime) =>
          results.ratio(
            ours(`1 000 000 by ${way}`),
            ours(`100 000 by ${way}`),
            runtime,
            "time",
          ),
      },
      {
        text: `half of 100 000 by ${way}, of the best npm pool`,
        cause,
        question: "cancel",
        limit: 0.5,
        figure: share(`100 000 by ${way}`, "time"),
      },
      {
        text: `half of 1 000 000 by ${way}, longest pause in ms`,
        cause,
        question: "cancel",
        limit: 50,
        figure: median(`1 000 000 by ${way}`, "pause"),
      },
    ],
  ),
  ...["", " with affinity"].map((way): Target => ({
    text: `acquire + release${way}, 1 000 stripes of 1`,
    question: "stripes",
    limit: 1.3,
    figure: (results, runtime) =>
      results.ratio(ours(`1000${way}`), ours(`1${way}`), runtime, "time"),
  })),
  {
    text: "acquire + release, an absent observer of none in the source",
    question: "observer",
    limit: 1.05,
    figure: (results, runtime) =>
      results.ratio(ours("absent"), UNOBSERVED, runtime, "time"),
  },
  {
    text: "mod.ts minified and compressed, bytes",
    cause: "local_pool.ts alone is 3.3 kB, stripe.ts 1.1 kB, pool_options.ts " +
      "1.1 kB; short names for all that is internal would save 0.5 kB",
    question: "bundle",
    limit: 5_000,
    figure: (results) => results.spread(ours("mod.ts"), ONCE, "gzip")?.median,
  },
  {
    text: "queries on PostgreSQL, of the rate of pg-pool",
    cause: POSTGRES_PROFILE,
    question: "postgres",
    limit: 1,
    atLeast: true,
    figure: onPostgres("rate"),
  },
  {
    text: "wait p99 on PostgreSQL, of pg-pool",
    cause: POSTGRES_PROFILE,
    question: "postgres",
    limit: 0.9,
    figure: onPostgres("wait p99"),
  },
];

/** A line for each cause, with those of the runtimes that have it. */
function reasons(
  cause: Target["cause"],
  runtimes: readonly string[],
): string[] {
  const groups = Map.groupBy(
    runtimes,
    (runtime) =>
      (typeof cause === "string" ? cause : cause?.[runtime]) ?? "not profiled",
  );
  return [...groups].map(([text, names]) => `  ${names.join(", ")}: ${text}`);
}

/** Each target, what was found on each runtime, and whether that meets it. */
export function verdicts(run: Run, runtimes: readonly string[]): string {
  const rows: string[][] = [];
  const causes: string[] = [];
  for (const { text, question, limit, atLeast, cause, figure } of TARGETS) {
    const results = run.get(question);
    if (results === undefined) continue;
    const cells = runtimes.map((runtime) => {
      const found = figure(results, runtime);
      if (found === undefined) return "–";
      const met = atLeast ? found >= limit : found <= limit;
      return `${digits(found)} ${met ? "met" : "MISSED"}`;
    });
    rows.push([text, `${atLeast ? "≥" : "≤"} ${limit}`, ...cells]);
    const missed = runtimes.filter((_, i) => cells[i]!.endsWith("MISSED"));
    if (missed.length > 0) causes.push(text, ...reasons(cause, missed));
  }
  if (rows.length === 0) return "";
  const table = align([["Target", "", ...runtimes], ...rows]);
  const limits = causes.length > 0 ? `\nWhat limits those missed\n` : "";
  return [table + "\n" + limits, ...causes].join("\n").trimEnd() + "\n";
}
