/** A value of a version. */
export interface Versioned {
  /** Empty where nothing has been written. */
  readonly value: string;
  /** Another for each value that was ever written. */
  readonly version: string;
}

/**
 * Where the members of a fleet keep their one value: a store that never forgets
 * what it has confirmed. Its calls may be on their way for as long as they like.
 */
export interface Ledger {
  /** The value and its version, as of some time after the call. */
  read(): Promise<Versioned>;
  /**
   * Writes a value if the version is still that: the new version then, or
   * `undefined` where another was faster.
   */
  swap(version: string, value: string): Promise<string | undefined>;
  /**
   * Calls back with the version whenever another has been written. It may miss
   * some. What it gives ends it, and with it all else that the ledger has opened.
   */
  watch(changed: (version: string) => void): () => Promise<void>;
}
