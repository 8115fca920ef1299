import type { PoolObserver } from "../pool_observer.ts";

/** Made by `otelObserver`. It records what it is told; `watch` has it told. */
export interface OtelObserver extends PoolObserver<unknown> {
  /** Records all of a pool until it has closed, or this is disposed of. */
  watch(pool: WatchedPool): Disposable;
}

/** What is needed of a `Pool`. */
export interface WatchedPool {
  /** The option `name`. */
  readonly name: string;
  /** How many resources it keeps. */
  readonly min: number;
  /** Its counts, now. */
  stats(): { idle: number; used: number; pending: number; max: number };
  /** Has an observer told of what happens. */
  observe(observer: PoolObserver<unknown>): Disposable;
}

/** The values of attributes that are needed here. */
export type Attributes = Record<string, string | number>;

/** What an instrument is made with. */
export interface InstrumentOptions {
  /** What is measured, in words. */
  description: string;
  /** In what, as UCUM writes it. */
  unit: string;
  /** How a histogram should be cut. */
  advice?: { explicitBucketBoundaries: number[] };
}

/** A `Counter` of `@opentelemetry/api`. */
export interface Counter {
  /** Adds to the series of these attributes. */
  add(value: number, attributes: Attributes): void;
}

/** A `Histogram` of `@opentelemetry/api`. */
export interface Histogram {
  /** Records in the series of these attributes. */
  record(value: number, attributes: Attributes): void;
}

/** A `BatchObservableResult` of `@opentelemetry/api`. */
export interface BatchResult {
  /** Says what the series of these attributes is now. */
  observe(observable: object, value: number, attributes: Attributes): void;
}

/** A `Meter` of `@opentelemetry/api`: what `metrics.getMeter(name)` gives. */
export interface Meter {
  /** Makes a counter. */
  createCounter(name: string, options: InstrumentOptions): Counter;
  /** Makes a histogram. */
  createHistogram(name: string, options: InstrumentOptions): Histogram;
  /** Makes what is asked at each collection. */
  createObservableUpDownCounter(
    name: string,
    options: InstrumentOptions,
  ): object;
  /** Has the callback say what some observables are, at each collection. */
  addBatchObservableCallback(
    callback: (result: BatchResult) => void,
    observables: never[],
  ): void;
}

/** A `Span` of `@opentelemetry/api`. */
export interface Span {
  /** Notes that something happened while it was active. */
  addEvent(name: string, attributes: Attributes): unknown;
}

/** The `trace` of `@opentelemetry/api`. */
export interface Trace {
  /** The span in whose context this is called. */
  getActiveSpan(): Span | undefined;
}
