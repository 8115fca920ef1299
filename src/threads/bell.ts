import { BELL, DEAF, wordAt } from "./step.ts";

/** Wakes the thread of a row, if it listens. */
export function ring(words: Int32Array, row: number): void {
  const at = wordAt(row, BELL);
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
}

/**
 * Listens to the bell of a row. Not every runtime that has `waitAsync` settles
 * what it gives, so the bell is rung once to try: until then, or for ever, the
 * row is marked as deaf, and messages are sent to it as well.
 */
export class Bell {
  readonly #words: Int32Array;
  readonly #row: number;
  readonly #heard: () => void;
  #isStopped = false;

  constructor(words: Int32Array, row: number, heard: () => void) {
    this.#words = words;
    this.#row = row;
    this.#heard = heard;
    Atomics.store(words, wordAt(row, DEAF), 1);
    if (typeof Atomics.waitAsync !== "function") return;
    void this.#listen();
    ring(words, row);
  }

  /** Hears no more. */
  stop(): void {
    this.#isStopped = true;
    // What waits is to be freed.
    Atomics.notify(this.#words, wordAt(this.#row, BELL));
  }

  async #listen(): Promise<void> {
    const words = this.#words;
    const at = wordAt(this.#row, BELL);
    let rung = Atomics.load(words, at);
    for (;;) {
      const { async, value } = Atomics.waitAsync(words, at, rung);
      if (async) await value;
      if (this.#isStopped) return;
      if (async) Atomics.store(words, wordAt(this.#row, DEAF), 0);
      rung = Atomics.load(words, at);
      this.#heard();
    }
  }
}
