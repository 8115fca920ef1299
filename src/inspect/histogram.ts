/** Into how many buckets each doubling is divided: 2 to OpenTelemetry's scale. */
const PER_OCTAVE = 8;

/** The least and the most that is told apart: 2^-7 ms is 8 µs, 2^24 ms 4.6 h. */
const LEAST = -7;
const MOST = 24;

const SIZE = (MOST - LEAST) * PER_OCTAVE + 1;

/** Five minutes in slices, of which the oldest makes room for a new one. */
const SLICES = 20;
const SLICE = 15_000;

/** A column of a picture: how many took longer than half of `upTo` ms, up to it. */
export interface Column {
  /** The longest it counts, in ms. */
  upTo: number;
  /** How many. */
  count: number;
}

/** What is shown of durations; ms, `undefined` where there are none. */
export interface Durations {
  /** How many. */
  count: number;
  /** What half of them were within. */
  p50: number | undefined;
  /** What 99 % of them were within. */
  p99: number | undefined;
  /** From the shortest to the longest. */
  columns: Column[];
  /** The same quantiles of each of 20 quarters of a minute, the oldest first. */
  trend: { p50: number | undefined; p99: number | undefined }[];
}

/**
 * Durations by OpenTelemetry's exponential scheme: bucket `i` holds what is
 * above 2^(i/8) ms, up to 2^((i+1)/8). Its memory is fixed: counts since ever,
 * and of each slice of the last minutes.
 */
export class Histogram {
  readonly #ever = new Float64Array(SIZE);
  readonly #slices = Array.from(
    { length: SLICES },
    () => new Uint32Array(SIZE),
  );
  /** The number of the slice that is written. */
  #slice = 0;
  /** In ms, since ever. */
  sum = 0;

  add(duration: number, now: number): void {
    const place = Math.ceil((Math.log2(duration) - LEAST) * PER_OCTAVE);
    const bucket = Math.min(Math.max(place, 0), SIZE - 1);
    this.#turnTo(now);
    this.#slices[this.#slice % SLICES]![bucket]!++;
    this.#ever[bucket]!++;
    this.sum += duration;
  }

  /** Of the last minutes. */
  recent(now: number): Durations {
    this.#turnTo(now);
    const counts = new Float64Array(SIZE);
    for (const slice of this.#slices) {
      for (let i = 0; i < SIZE; i++) counts[i]! += slice[i]!;
    }
    const oldest = this.#slice % SLICES + 1;
    return {
      count: total(counts),
      ...quantiles(counts),
      columns: columns(counts),
      trend: [...this.#slices.slice(oldest), ...this.#slices.slice(0, oldest)]
        .map(quantiles),
    };
  }

  /** How many took up to so many ms since ever, a power of 2; all by default. */
  upTo(ms = Infinity): number {
    const end = (Math.log2(ms) - LEAST) * PER_OCTAVE;
    return this.#ever.reduce((sum, n, i) => i <= end ? sum + n : sum, 0);
  }

  #turnTo(now: number): void {
    const slice = Math.floor(now / SLICE);
    const first = Math.max(this.#slice + 1, slice - SLICES + 1);
    for (let n = first; n <= slice; n++) this.#slices[n % SLICES]!.fill(0);
    this.#slice = Math.max(this.#slice, slice);
  }
}

/** The upper bound of a bucket, in ms. */
function bound(bucket: number): number {
  return 2 ** (bucket / PER_OCTAVE + LEAST);
}

type Counts = Float64Array | Uint32Array;

function total(counts: Counts): number {
  let sum = 0;
  for (const n of counts) sum += n;
  return sum;
}

function quantiles(counts: Counts): Durations["trend"][number] {
  const count = total(counts);
  if (count === 0) return { p50: undefined, p99: undefined };
  return {
    p50: quantile(counts, count, 0.5),
    p99: quantile(counts, count, 0.99),
  };
}

function quantile(counts: Counts, count: number, share: number): number {
  let left = Math.ceil(count * share);
  const bucket = counts.findIndex((n) => (left -= n) <= 0);
  const [low, high] = [bound(bucket - 1), bound(bucket)];
  // As wrong for the least in the bucket as for the most: by 4.34 % at most.
  return 2 * low * high / (low + high);
}

/** An octave each, from the first that has any to the last. */
function columns(counts: Float64Array): Column[] {
  const found: Column[] = [];
  for (let end = 0; end < SIZE; end += PER_OCTAVE) {
    const begin = Math.max(0, end - PER_OCTAVE + 1);
    const count = counts.subarray(begin, end + 1).reduce((a, b) => a + b, 0);
    found.push({ upTo: bound(end), count });
  }
  const isUsed = ({ count }: Column) => count > 0;
  const first = found.findIndex(isUsed);
  return first < 0 ? [] : found.slice(first, found.findLastIndex(isUsed) + 1);
}
