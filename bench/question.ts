import type { Effort } from "./stopwatch.ts";
import type { DatabaseModule, SubjectModule } from "./subject.ts";

/** What a subject's file exports. */
export type Module = SubjectModule & DatabaseModule;

/** One process to start in every round, on every runtime. */
export interface Job {
  /** What is done, one of the question's cases. */
  case: string;
  /** A file of subjects/, without its ending. */
  subject: string;
  /** Whether a quick run leaves it out. */
  slow?: boolean;
}

/** What a process has measured, by name. */
export type Figures = Record<string, number>;

/** How a figure is shown. */
export interface Figure {
  name: string;
  unit: string;
  /** Whether more of it is better; else less is. */
  more?: boolean;
  /** Whether its plot needs a logarithmic scale. */
  logarithmic?: boolean;
}

/** What a process is told. */
export interface Order extends Job {
  question: string;
  effort: Effort;
  /** Where a database is, for questions that ask for one. */
  url?: string | undefined;
}

/** One file of this folder: what is asked, of whom, and how it is measured. */
export interface Question {
  /** The name of its file, without `_bench.ts`. */
  name: string;
  title: string;
  jobs: readonly Job[];
  figures: readonly Figure[];
  /** Whose figure, in the same runtime and round, is 1 in the ratios of a case. */
  floor(name: string): Job;
  /** Milliseconds after which a process is ended, and has no figures. */
  limit: number;
  /** How many rounds at most; for what hardly varies, or takes long. */
  rounds?: number;
  /** Whether the effort does not change it: no short round, one round if quick. */
  fixed?: boolean;
  /** Whether it needs a PostgreSQL server. */
  database?: boolean;
  /** Runs in a process of its own, with nothing but its subject loaded. */
  measure(order: Order, module: Module): Promise<Figures>;
}

/** Every case with every subject. */
export function jobs(
  cases: readonly string[],
  subjects: readonly string[],
  rest: Pick<Job, "slow"> = {},
): Job[] {
  return cases.flatMap((name) =>
    subjects.map((subject) => ({ case: name, subject, ...rest }))
  );
}
