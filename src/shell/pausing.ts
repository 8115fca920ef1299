import { removeListener } from "./listener.ts";
import type { Parts } from "./parts.ts";
import type { Supply } from "./supply.ts";

/** A `pause` that waits for what is used. */
interface Wait {
  end(settle: () => void): void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Holds back what is idle and what would be created, for a while. */
export class Pausing<T> {
  readonly #parts: Parts<T>;
  readonly #supply: Supply<T>;
  readonly #waits = new Set<Wait>();
  /** What a pause of a closed pool rejects with. */
  #closed: unknown = undefined;

  constructor(parts: Parts<T>, supply: Supply<T>) {
    this.#parts = parts;
    this.#supply = supply;
  }

  pause(signal: AbortSignal | undefined): Promise<AsyncDisposable> {
    let isPaused = true;
    const resume = () => {
      if (!isPaused) return;
      isPaused = false;
      const now = this.#parts.time.now();
      for (const line of this.#parts.partition.lines) {
        line.unpause(now);
        this.#supply.look(line, now);
        this.#parts.follow(line);
      }
    };
    const pause = {
      [Symbol.asyncDispose]: () => Promise.resolve(resume()),
    };
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (!signal!.aborted) return;
        wait.end(() => {
          reject(signal!.reason);
          resume();
        });
      };
      const wait: Wait = {
        resolve: () => resolve(pause),
        reject,
        end: (settle) => {
          if (!this.#waits.delete(wait)) return;
          if (signal !== undefined) removeListener(signal, onAbort);
          settle();
        },
      };
      signal?.addEventListener("abort", onAbort);
      this.#waits.add(wait);
      // Taking the listener may have closed the pool.
      if (this.#closed !== undefined) return this.close(this.#closed);
      for (const line of this.#parts.partition.lines) line.pause();
      // Taking the listener may have aborted it.
      if (signal !== undefined) onAbort();
      this.#parts.play();
    });
  }

  /** Nothing of a line is used any more. */
  paused(): void {
    const { lines } = this.#parts.partition;
    if (lines.some(({ used }) => used > 0)) return;
    for (const { end, resolve } of this.#waits) end(resolve);
  }

  /** The pool closes, which ends every pause. */
  close(error: unknown): void {
    this.#closed = error;
    for (const { end, reject } of this.#waits) end(() => reject(error));
    const now = this.#parts.time.now();
    for (const line of this.#parts.partition.lines) {
      while (line.isPaused) line.unpause(now);
      this.#supply.look(line, now);
      this.#parts.follow(line);
    }
  }
}
