import type { Figure, Job } from "./question.ts";
import type { Sample } from "./runner.ts";
import { median, type Spread, spread } from "./statistic.ts";

/** What one question has found on all runtimes. */
export class Results {
  readonly samples: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.samples = samples;
  }

  /** A figure of a job over the rounds, if it was measured at all. */
  spread(job: Job, runtime: string, figure: string): Spread | undefined {
    const values = [...this.#rounds(job, runtime, figure).values()];
    return values.length === 0 ? undefined : spread(values);
  }

  /** The median of the ratios of two jobs, each within one round. */
  ratio(
    job: Job,
    floor: Job,
    runtime: string,
    figure: string,
  ): number | undefined {
    const floors = this.#rounds(floor, runtime, figure);
    const ratios: number[] = [];
    for (const [round, value] of this.#rounds(job, runtime, figure)) {
      const base = floors.get(round);
      if (base !== undefined && base > 0) ratios.push(value / base);
    }
    return ratios.length === 0 ? undefined : median(ratios);
  }

  /**
   * The ratio of the best rounds of two jobs, so turned that less is better:
   * what else runs on the machine only ever makes a round worse.
   */
  best(
    job: Job,
    floor: Job,
    runtime: string,
    { name, more }: Figure,
  ): number | undefined {
    const found = this.spread(job, runtime, name);
    const base = this.spread(floor, runtime, name);
    if (found === undefined || base === undefined) return undefined;
    return more ? base.max / found.max : found.min / base.min;
  }

  /** Whether a job has run, with or without success. */
  has(job: Job, runtime: string): boolean {
    return this.#of(job, runtime).length > 0;
  }

  /** Why a job has no figure in some round. */
  failure(job: Job, runtime: string): string | undefined {
    return this.#of(job, runtime).find(({ failure }) => failure !== undefined)
      ?.failure;
  }

  #of(job: Job, runtime: string): Sample[] {
    return this.samples.filter((sample) =>
      sample.case === job.case && sample.subject === job.subject &&
      sample.runtime === runtime
    );
  }

  #rounds(job: Job, runtime: string, figure: string): Map<number, number> {
    const rounds = new Map<number, number>();
    for (const { round, figures } of this.#of(job, runtime)) {
      const value = figures?.[figure];
      if (value !== undefined) rounds.set(round, value);
    }
    return rounds;
  }
}
