import { type Book, decode, encode } from "./book.ts";
import type { Ledger } from "./ledger.ts";

/** Where books are: what a ledger is for text. */
export interface Shelf {
  /** The book and its version, as of some time after the call. */
  read(): Promise<{ book: Book; version: string }>;
  /** As that of a ledger. */
  swap(version: string, book: Book): Promise<string | undefined>;
  /** As that of a ledger. */
  watch: Ledger["watch"];
}

/** The books of a ledger, as text. */
export class WrittenShelf implements Shelf {
  readonly #ledger: Ledger;
  readonly #max: number;

  constructor(ledger: Ledger, max: number) {
    this.#ledger = ledger;
    this.#max = max;
  }

  async read(): Promise<{ book: Book; version: string }> {
    const { value, version } = await this.#ledger.read();
    return { book: decode(value, this.#max), version };
  }

  async swap(version: string, book: Book): Promise<string | undefined> {
    return await this.#ledger.swap(version, encode(book));
  }

  watch(changed: (version: string) => void): () => Promise<void> {
    return this.#ledger.watch(changed);
  }
}
