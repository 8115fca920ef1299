/** A sample of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

const NAME = String.raw`[a-zA-Z_:][a-zA-Z0-9_:]*`;
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"`;
const NUMBER = String.raw`[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|Inf)`;
const META = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`, "s");
const SAMPLE = new RegExp(
  `^(${NAME})\\{((?:${LABEL})(?:,${LABEL})*)\\} (${NUMBER})$`,
  "s",
);

/** What each type of a family calls its samples. */
const SUFFIXES: Record<string, string[]> = {
  gauge: [""],
  counter: ["_total"],
  histogram: ["_bucket", "_sum", "_count"],
};

/**
 * Reads OpenMetrics 1.0 text as strictly as its grammar and rules are, so far as
 * we use them.
 *
 * @throws {Error} on the first line that is wrong
 */
export function openMetrics(text: string): Sample[] {
  if (!text.endsWith("\n# EOF\n")) throw new Error("It does not end with EOF");
  const samples: Sample[] = [];
  const families = new Map<string, string>();
  const series = new Set<string>();
  let family = "";
  for (const line of text.slice(0, -"# EOF\n".length - 1).split("\n")) {
    const [, kind, name, words] = line.match(META) ?? [];
    if (kind === "TYPE") {
      if (families.has(name!)) throw new Error(`${name} comes twice`);
      if (!(words! in SUFFIXES)) throw new Error(`No type: ${line}`);
      family = name!;
      families.set(family, words!);
    } else if (kind !== undefined) {
      if (name !== family) throw new Error(`Not of ${family}: ${line}`);
      if (kind === "UNIT" && !name.endsWith(`_${words}`)) {
        throw new Error(`Not in the name: ${line}`);
      }
    } else {
      const sample = read(line);
      const suffix = sample.name.slice(family.length);
      const isOwn = sample.name.startsWith(family) &&
        SUFFIXES[families.get(family)!]!.includes(suffix);
      if (!isOwn) throw new Error(`Not of ${family}: ${line}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      if (series.has(key)) throw new Error(`Twice: ${line}`);
      series.add(key);
      samples.push(sample);
    }
  }
  checkHistograms(samples, families);
  return samples;
}

function read(line: string): Sample {
  const [, name, pairs] = line.match(SAMPLE) ?? [];
  if (name === undefined) throw new Error(`No sample: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, key, value] of pairs!.matchAll(new RegExp(LABEL, "gs"))) {
    if (key! in labels) throw new Error(`A label comes twice: ${line}`);
    labels[key!] = value!.replace(
      /\\(.)/g,
      (_, letter) => letter === "n" ? "\n" : letter,
    );
  }
  const value = line.slice(line.lastIndexOf(" ") + 1);
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

/** Buckets ascend, in bound and count, and the last is all. */
function checkHistograms(
  samples: readonly Sample[],
  families: ReadonlyMap<string, string>,
): void {
  for (const [family, type] of families) {
    if (type !== "histogram") continue;
    let last = { le: -Infinity, value: 0 };
    for (const { name, labels, value } of samples) {
      if (name === `${family}_bucket`) {
        const le = Number(labels.le!.replace("Inf", "Infinity"));
        if (le <= last.le || value < last.value) {
          throw new Error(`${family} descends at ${labels.le}`);
        }
        last = { le, value };
      } else if (name === `${family}_count`) {
        if (last.le !== Infinity || last.value !== value) {
          throw new Error(`The buckets of ${family} are not its count`);
        }
        last = { le: -Infinity, value: 0 };
      }
    }
  }
}
