/** A pool of connections to PostgreSQL, as the scenes see it. */

export interface Settings {
  url: string;
  max: number;
  /** How long a request waits for a connection, in milliseconds. */
  patience: number;
  /**
   * Whether a connection is asked before it is used again, where the pool can,
   * and a query without an answer fails after `SILENCE`.
   */
  wary: boolean;
}

/** How long a wary contender waits for an answer, in milliseconds. */
export const SILENCE = 1_000;

/** Runs one statement on a connection of the pool, in the pool's own way. */
export type Ask = (text: string) => Promise<unknown>;

/** What the files of subjects/ export. */
export interface ContenderModule {
  open(settings: Settings): Ask;
}
