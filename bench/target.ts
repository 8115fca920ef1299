/** The targets of this project, and whether a run has met them. */
import { SIGNAL, VALIDATE } from "./acquire_bench.ts";
import { ONCE } from "./bundle_bench.ts";
import { IDLE } from "./idle_policy_bench.ts";
import { digits } from "./label.ts";
import type { Job } from "./question.ts";
import type { Results } from "./results.ts";
import { type Profiles, title } from "./shares.ts";
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
  /** The case of its question whose profile shows what limits it. */
  profile?: string;
  /** What no profile says of what limits it; like that shown where it is missed. */
  note?: string;
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

const ON_POSTGRES = "one query each time";

function onPostgres(figure: string, subject = "postgres_ours") {
  return (results: Results, runtime: string): number | undefined =>
    results.ratio(
      { case: ON_POSTGRES, subject },
      { case: ON_POSTGRES, subject: "postgres_pg_pool" },
      runtime,
      figure,
    );
}

const UNOBSERVED: Job = {
  case: "cut out of the source",
  subject: "unobserved",
};

const TARGETS: readonly Target[] = [
  {
    text: "acquire + release, of the minimal hand-off",
    profile: "acquire",
    question: "acquire",
    limit: 2,
    figure: against("hand_off", "acquire", "time"),
  },
  {
    text: "acquire + release, of the minimal hand-off with a lease",
    profile: "acquire",
    question: "acquire",
    limit: 1.5,
    figure: against("lease_hand_off", "acquire", "time"),
  },
  {
    text: "acquire + release, times as fast as the best npm pool",
    profile: "acquire",
    note: "effect, in one fiber, can take less than 4 times the minimal " +
      "hand-off with a lease",
    question: "acquire",
    limit: 4,
    atLeast: true,
    figure: lead("acquire", "time"),
  },
  {
    text: "tryAcquire + release, of an await",
    profile: "tryAcquire",
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
  ...Object.entries({ signal: SIGNAL, validate: VALIDATE }).map(
    ([what, name]): Target => ({
      text: `acquire + release with a ${what}, of our bare one`,
      profile: name,
      question: "acquire",
      limit: 2,
      figure: (results, runtime) =>
        results.ratio(ours(name), ours("acquire"), runtime, "time"),
    }),
  ),
  {
    text: "1 000 tasks over 10, of the rate of the minimal hand-off",
    profile: "1 000 over 10",
    question: "contended",
    limit: 0.6,
    atLeast: true,
    figure: against("lease_hand_off", "1 000 over 10", "rate"),
  },
  {
    text: "1 000 tasks over 10, times the rate of the best npm pool",
    profile: "1 000 over 10",
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
    note: "addEventListener alone, of one function for all, holds 296 B on " +
      "node and 576 B on deno",
    question: "memory",
    limit: 0.5,
    figure: share("with its own signal", "heap"),
  },
  ...["abort", "timeout"].flatMap(
    (way): Target[] => [
      {
        text: `half of 1 000 000 by ${way}, times that of 100 000`,
        profile: `1 000 000 by ${way}`,
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
        profile: `100 000 by ${way}`,
        note: "cpuUsage and turns measure; what they take where nothing is " +
          "done does not count",
        question: "cancel",
        limit: 0.5,
        figure: share(`100 000 by ${way}`, "time"),
      },
      {
        text: `half of 1 000 000 by ${way}, longest pause in ms`,
        profile: `1 000 000 by ${way}`,
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
  ...["1 key", "100 keys"].map((name): Target => ({
    text: `acquire + release of a KeyedPool, ${name}, of a plain pool`,
    question: "keyed",
    limit: 1.5,
    figure: median(name, "ratio"),
  })),
  ...IDLE.map((name): Target => ({
    text: `acquire + release ${name}, of a bare pool`,
    question: "idle_policy",
    limit: 1.05,
    figure: median(name, "ratio"),
  })),
  {
    text: "mod.ts minified and compressed, bytes",
    question: "bundle",
    limit: 7_600,
    figure: (results) => results.spread(ours("mod.ts"), ONCE, "gzip")?.median,
  },
  {
    text: "queries on PostgreSQL, of the rate of pg-pool",
    profile: ON_POSTGRES,
    question: "postgres",
    limit: 1,
    atLeast: true,
    figure: onPostgres("rate"),
  },
  {
    text: "wait p99 on PostgreSQL, of pg-pool",
    profile: ON_POSTGRES,
    note: "both pools serve in order, so waits go by the rate",
    question: "postgres",
    limit: 0.9,
    figure: onPostgres("wait p99"),
  },
  {
    text: "the same of @lease/pool/pg: queries",
    profile: ON_POSTGRES,
    question: "postgres",
    limit: 1,
    atLeast: true,
    figure: onPostgres("rate", "postgres_pg_ours"),
  },
  {
    text: "the same of @lease/pool/pg: wait p99",
    profile: ON_POSTGRES,
    note: "both pools serve in order, so waits go by the rate",
    question: "postgres",
    limit: 0.9,
    figure: onPostgres("wait p99", "postgres_pg_ours"),
  },
];

/** What the profiles and the note say of a target on some runtimes. */
function causes(
  { question, profile, note }: Target,
  runtimes: readonly string[],
  profiles: Profiles,
): string[] {
  const shares = profiles.get(title(question, profile ?? ""));
  const lines = runtimes.map((runtime) =>
    `  ${runtime}: ${shares?.get(runtime) ?? "not profiled"}`
  );
  return note === undefined ? lines : [...lines, `  ${note}`];
}

/** Each target, what was found on each runtime, and whether that meets it. */
export function verdicts(
  run: Run,
  runtimes: readonly string[],
  profiles: Profiles,
): string {
  const rows: string[][] = [];
  const limits: string[] = [];
  for (const target of TARGETS) {
    const { text, limit, atLeast, figure } = target;
    const results = run.get(target.question);
    if (results === undefined) continue;
    const cells = runtimes.map((runtime) => {
      const found = figure(results, runtime);
      if (found === undefined) return "–";
      const met = atLeast ? found >= limit : found <= limit;
      return `${digits(found)} ${met ? "met" : "MISSED"}`;
    });
    rows.push([text, `${atLeast ? "≥" : "≤"} ${limit}`, ...cells]);
    const missed = runtimes.filter((_, i) => cells[i]!.endsWith("MISSED"));
    if (missed.length > 0) {
      limits.push(text, ...causes(target, missed, profiles));
    }
  }
  if (rows.length === 0) return "";
  const parts = [align([["Target", "", ...runtimes], ...rows])];
  if (limits.length > 0) {
    parts.push(
      "What limits those missed (results/profile.txt)",
      limits.join("\n"),
    );
  }
  return `${parts.join("\n\n")}\n`;
}
