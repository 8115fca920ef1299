/** What each file of this folder exports for its peer: one `Peer`. */

/** A peer whose own suite is run with one of our entries in its place. */
export interface Peer {
  /** How the command line and the table call it, with the version. */
  readonly name: string;
  readonly version: string;
  /** The entry of ours that takes its place, as in `pg` for src/pg/mod.ts. */
  readonly entry: string;
  /** Why a test may fail, by a part of its title: a defect or a private field. */
  readonly reasons: Readonly<Record<string, string>>;
  /**
   * Installs what the suite needs, puts the bundle of the entry in place of the
   * peer's module, and runs the suite. `folder` holds the peers' repositories;
   * `bundle` is one file of CommonJS.
   */
  run(folder: URL, bundle: URL): Promise<Outcome>;
}

/** How a suite ended. */
export interface Outcome {
  readonly passed: number;
  readonly failed: readonly Failure[];
}

export interface Failure {
  /** The whole title, those of the groups around it included. */
  readonly title: string;
  readonly message: string;
}
