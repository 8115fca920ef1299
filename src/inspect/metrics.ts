import type { PoolDetails } from "../pool_stats.ts";
import type { Books } from "./books.ts";
import type { Histogram } from "./histogram.ts";

/** What `/metrics` shows of a pool. */
export interface Measured {
  readonly name: string;
  readonly details: PoolDetails;
  readonly books: Books;
}

type Labels = Record<string, string | number>;

/** A sample: what comes after the name of its family, its labels, its value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly unit?: "seconds";
  samples(pool: Measured): Sample[];
}

/** Upper bounds of the buckets, in ms: powers of 2, as in our own. */
const BOUNDS = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096]
  .concat([16_384, 65_536]);

const FAMILIES: readonly Family[] = [
  {
    name: "lease_pool_resources",
    type: "gauge",
    help: "Slots of a pool by what is in them.",
    samples: ({ details }) =>
      details.stripes.flatMap((counts, stripe) =>
        (["idle", "used", "creating", "destroying"] as const).map((state) =>
          ["", { stripe, state }, counts[state]] as const
        )
      ),
  },
  {
    name: "lease_pool_max_resources",
    type: "gauge",
    help: "Slots that a pool has.",
    samples: ({ details }) => [["", {}, details.max]],
  },
  {
    name: "lease_pool_overdue_creates",
    type: "gauge",
    help: "Creates in flight that take too long to be counted on.",
    samples: ({ details }) => [["", {}, sum(details.lines, "overdue")]],
  },
  {
    name: "lease_pool_pending_acquires",
    type: "gauge",
    help: "Acquires that have not settled.",
    samples: ({ details }) => [["", {}, details.pending]],
  },
  {
    name: "lease_pool_oldest_wait_seconds",
    type: "gauge",
    unit: "seconds",
    help: "For how long the acquire has waited that waits longest.",
    samples: ({ details: { lines } }) => [
      [
        "",
        {},
        seconds(Math.max(0, ...lines.map(({ waits }) => waits[0] ?? 0))),
      ],
    ],
  },
  {
    name: "lease_pool_oldest_hold_seconds",
    type: "gauge",
    unit: "seconds",
    help: "For how long the lease has been held that is held longest.",
    samples: ({ details: { lines } }) => {
      const ages = lines.map(({ holders: [first] }) => first?.age ?? 0);
      return [["", {}, seconds(Math.max(0, ...ages))]];
    },
  },
  {
    name: "lease_pool_outages",
    type: "gauge",
    help: "Lines for which creates fail now.",
    samples: ({ details: { lines } }) => [
      ["", {}, lines.filter(({ outage }) => outage !== undefined).length],
    ],
  },
  {
    name: "lease_pool_creates",
    type: "counter",
    help: "Creates that have ended.",
    samples: ({ books }) => [
      ["_total", { result: "made" }, books.created],
      ["_total", { result: "failed" }, books.createsFailed],
    ],
  },
  {
    name: "lease_pool_destroys",
    type: "counter",
    help: "Resources that were destroyed.",
    samples: ({ books }) =>
      [...books.destroyed].map(([reason, n]) => ["_total", { reason }, n]),
  },
  {
    name: "lease_pool_detaches",
    type: "counter",
    help: "Resources that have left the pool with their holders.",
    samples: ({ books }) => [["_total", {}, books.detached]],
  },
  {
    name: "lease_pool_acquires",
    type: "counter",
    help: "Acquires that have settled.",
    samples: ({ books }) => [
      ["_total", { result: "served" }, books.served],
      ...[...books.failures].map(([result, n]) =>
        ["_total", { result }, n] as const
      ),
    ],
  },
  {
    name: "lease_pool_leaks",
    type: "counter",
    help: "Leases that were held for too long, or forgotten.",
    samples: ({ books }) => [["_total", {}, books.leaked]],
  },
  durations("lease_pool_wait_seconds", "How long acquires waited.", "waits"),
  durations("lease_pool_use_seconds", "How long leases were held.", "uses"),
  durations("lease_pool_create_seconds", "How long creates took.", "creates"),
];

/** The types of the two texts. */
export const OPEN_METRICS =
  "application/openmetrics-text; version=1.0.0; charset=utf-8";
export const PLAIN = "text/plain; version=0.0.4; charset=utf-8";

/**
 * All that is measured of these pools, as OpenMetrics has it, or in the plain
 * text that was before it.
 */
export function metrics(pools: readonly Measured[], type: string): string {
  const isOpen = type === OPEN_METRICS;
  const lines = FAMILIES.flatMap((family) => {
    const { type, unit, help } = family;
    // There a counter is called as its samples are.
    const suffix = !isOpen && type === "counter" ? "_total" : "";
    const name = `${family.name}${suffix}`;
    return [
      `# TYPE ${name} ${type}`,
      ...isOpen && unit !== undefined ? [`# UNIT ${name} ${unit}`] : [],
      `# HELP ${name} ${help}`,
      ...pools.flatMap((pool) => samplesOf(family, pool)),
    ];
  });
  return `${lines.join("\n")}\n${isOpen ? "# EOF\n" : ""}`;
}

function samplesOf({ name, samples }: Family, pool: Measured): string[] {
  return samples(pool).map(([suffix, labels, value]) =>
    `${name}${suffix}${shown({ pool: pool.name, ...labels })} ${value}`
  );
}

function durations(
  name: string,
  help: string,
  which: "waits" | "uses" | "creates",
): Family {
  const samples = ({ books }: Measured): Sample[] => {
    const histogram: Histogram = books[which];
    return [
      ...BOUNDS.map((ms): Sample => [
        "_bucket",
        { le: seconds(ms) },
        histogram.upTo(ms),
      ]),
      ["_bucket", { le: "+Inf" }, histogram.upTo()],
      ["_sum", {}, seconds(histogram.sum)],
      ["_count", {}, histogram.upTo()],
    ];
  };
  return { name, type: "histogram", unit: "seconds", help, samples };
}

function seconds(ms: number): number {
  return ms / 1_000;
}

function sum<K extends string>(items: Record<K, number>[], name: K): number {
  return items.reduce((total, item) => total + item[name], 0);
}

/** Labels, their values escaped. */
function shown(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const text = String(value).replaceAll("\\", "\\\\")
      .replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${text}"`;
  });
  return `{${pairs.join(",")}}`;
}
