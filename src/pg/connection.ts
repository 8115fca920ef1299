import type { Lease } from "../lease.ts";
import type { PgClient, PgInternals } from "./client.ts";

/** One client of a pool, and what is known of its session. */
export class Connection<C extends PgClient> {
  readonly client: C;
  readonly #inside: PgInternals;
  /** Of who has it. */
  lease: Lease<C> | undefined = undefined;
  /** Whether only the pool would tell that it has failed. */
  isUnheard = true;
  /** What the server said of transactions when it was last ready for a query. */
  #status: string | undefined = undefined;
  #isOpen = false;
  #ending: Promise<void> | undefined = undefined;
  /** Called when nothing is sent or waited for any more. */
  #quiet: () => void = () => {};

  constructor(client: C, lost: (error?: unknown) => void) {
    const inside = client as unknown as PgInternals;
    this.client = client;
    this.#inside = inside;
    const ended = (error?: unknown) => {
      this.#quiet();
      // What fails before is told to who opens it.
      if (this.#isOpen) lost(error);
    };
    inside.on("error", ended);
    inside.on("end", () => ended());
    inside.on("drain", () => this.#quiet());
    // Before the client's own, so that it is known when a callback releases.
    inside.connection?.on?.("readyForQuery", ({ status }) => {
      this.#status = status;
    });
  }

  /** Rejects with what the client says. */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.client.connect((error) => error ? reject(error) : resolve());
      // A native client may be there before it calls back.
      if (this.#inside.isConnected?.() === true) resolve();
    });
    this.#isOpen = true;
  }

  /** Whether it can be used again. */
  get isFit(): boolean {
    const { _queryable, _ending } = this.#inside;
    return _queryable !== false && _ending !== true;
  }

  /** Whether no query runs or waits. */
  get isQuiet(): boolean {
    const { readyForQuery, _queryQueue } = this.#inside;
    return readyForQuery !== false && !_queryQueue?.length;
  }

  /** Whether nothing has to be done before the next can have it. */
  get isClean(): boolean {
    return this.isQuiet && !this.isInTransaction;
  }

  /** Whether a transaction is open, failed ones included. */
  get isInTransaction(): boolean {
    return this.#status === "T" || this.#status === "E";
  }

  /** Resolves when no query runs or waits, and when it is lost. */
  async settle(): Promise<void> {
    if (this.isQuiet) return;
    await new Promise<void>((resolve) => this.#quiet = resolve);
  }

  /** Runs a query without values. */
  async query(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.client.query(text, (error) => error ? reject(error) : resolve())
    );
  }

  /** Keeps the process alive, or does not. */
  ref(): void {
    this.#inside.ref?.();
  }

  unref(): void {
    this.#inside.unref?.();
  }

  /** Ends it, once; settles when it has ended. */
  end(): Promise<void> {
    // What it says of its end is no news.
    this.#isOpen = false;
    this.#ending ??= new Promise((resolve) =>
      this.#inside.end(() => resolve())
    );
    return this.#ending;
  }

  /** Ends it without farewell. */
  breakOff(): void {
    const { stream } = this.#inside.connection ?? {};
    if (stream?.destroy !== undefined) return stream.destroy();
    // A native client that is ended while it connects throws when it is there.
    if (this.#inside.isConnected?.() === false) return;
    // There is nothing else to be done, so nobody is told.
    this.end().catch(() => {});
  }
}
