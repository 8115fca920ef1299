import { Check, LIMIT, OBJECT } from "../check.ts";
import type { Ledger, Versioned } from "./ledger.ts";

/** What is needed of a store of Deno KV. */
export interface KvStore {
  /** Reads a value. */
  get(
    key: string[],
  ): Promise<{ value: unknown; versionstamp: string | null }>;
  /** Begins a write that depends on what was read. */
  atomic(): KvWrite;
  /** Tells of changes. */
  watch(keys: string[][]): ReadableStream<{ versionstamp: string | null }[]>;
}

/** What is needed of an atomic operation of Deno KV. */
export interface KvWrite {
  /** The write comes to nothing unless a value has this version. */
  check(check: { key: string[]; versionstamp: string | null }): KvWrite;
  /** Writes a value. */
  set(key: string[], value: unknown): KvWrite;
  /** Does it. */
  commit(): Promise<{ ok: boolean; versionstamp?: string }>;
}

/** Options of `denoKvLedger`. */
export interface DenoKvLedgerOptions {
  /** Where the value is. Default: `["lease", "fleet"]`. */
  key?: string[] | undefined;
  /**
   * Milliseconds after which it looks for changes, as the watch of a local file does
   * not see those of other processes. Default 250; `Infinity` on Deno Deploy, whose
   * watch sees all.
   */
  interval?: number | undefined;
}

/**
 * A ledger in Deno KV. A value there is 64 KiB at most: 800 members take 61 kB.
 * The store is the caller's, and stays open.
 *
 * @throws {TypeError} if an argument is of the wrong kind, or an option not known
 * @throws {RangeError} if `interval` is out of range
 *
 * @example
 * ```ts ignore
 * import { denoKvLedger, FleetBudget } from "@lease/pool/fleet";
 *
 * const { openKv } = Deno;
 * const kv = await openKv();
 * const budget = new FleetBudget({ ledger: denoKvLedger(kv), max: 20 });
 * ```
 */
export function denoKvLedger(
  kv: KvStore,
  options: DenoKvLedgerOptions = {},
): Ledger {
  const check = new Check("Cannot create ledger");
  check.that("kv", kv, OBJECT);
  check.that("options", options, OBJECT);
  check.names(options, ["key", "interval"]);
  const { key = ["lease", "fleet"], interval = 250 } = options;
  check.that("key", key, OBJECT);
  check.that("interval", interval, LIMIT);
  return new DenoKvLedger(kv, key, interval);
}

class DenoKvLedger implements Ledger {
  readonly #kv: KvStore;
  readonly #key: string[];
  readonly #interval: number;

  constructor(kv: KvStore, key: string[], interval: number) {
    this.#kv = kv;
    this.#key = key;
    this.#interval = interval;
  }

  async read(): Promise<Versioned> {
    const { value, versionstamp } = await this.#kv.get(this.#key);
    return { value: `${value ?? ""}`, version: versionstamp ?? "" };
  }

  async swap(version: string, value: string): Promise<string | undefined> {
    const key = this.#key;
    const versionstamp = version === "" ? null : version;
    try {
      const { versionstamp: next } = await this.#kv.atomic()
        .check({ key, versionstamp }).set(key, value).commit();
      return next;
    } catch (error) {
      // Another writes this very moment, and was faster.
      if (/database is locked/.test(`${error}`)) return undefined;
      throw error;
    }
  }

  watch(changed: (version: string) => void): () => Promise<void> {
    const reader = this.#kv.watch([this.#key]).getReader();
    let known: string | undefined;
    const see = (version: string) => {
      if (version !== known) changed(known = version);
    };
    // A look that fails is made up for by the next; members renew in any case.
    const look = () =>
      this.read().then(({ version }) => see(version), () => {});
    const timer = this.#interval === Infinity
      ? undefined
      : setInterval(look, this.#interval);
    const listen = async (): Promise<void> => {
      const { done, value } = await reader.read();
      if (done) return;
      see(value[0]?.versionstamp ?? "");
      await listen();
    };
    const listening = listen().catch(() => {});
    return async () => {
      clearInterval(timer);
      await reader.cancel();
      await listening;
    };
  }
}
