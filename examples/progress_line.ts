/** A line that tells how far a program has got. */

import process from "node:process";

// How often, in milliseconds, it changes in a terminal, and elsewhere is written.
const LIVE = 100;
const PLAIN = 1_000;

export class ProgressLine implements Disposable {
  readonly #live = process.stdout.isTTY === true;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(text: () => string) {
    const show = this.#live
      ? () =>
        process.stdout.write(
          `\r\x1b[K${text().slice(0, process.stdout.columns - 1)}`,
        )
      : () => console.log(text());
    this.#timer = setInterval(show, this.#live ? LIVE : PLAIN);
  }

  /** Writes a line above the one that changes. */
  note(text: string): void {
    console.log(this.#live ? `\r\x1b[K${text}` : text);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#live) process.stdout.write("\r\x1b[K");
  }
}
