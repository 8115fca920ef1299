import type { Creation } from "../core/creation.ts";
import type { DestroyReason } from "../core/destroy_reason.ts";
import type { Effects } from "../core/effects.ts";
import type { Entry } from "../core/entry.ts";
import type { Waiter } from "../core/waiter.ts";

/** Places a note takes: the effect's name and its arguments. */
const WIDTH = 3;

/** Effects that are committed and not yet run, in the order of their commits. */
export class Tape<T> implements Effects<T> {
  readonly #notes: unknown[] = [];
  #at = 0;

  /** Where the next note will be; 0 if there is none. */
  get end(): number {
    return this.#notes.length;
  }

  deliver(waiter: Waiter, entry: Entry<T>): void {
    this.#notes.push("deliver", waiter, entry);
  }

  validate(waiter: Waiter, entry: Entry<T>): void {
    this.#notes.push("validate", waiter, entry);
  }

  reject(waiter: Waiter, error: unknown): void {
    this.#notes.push("reject", waiter, error);
  }

  create(creation: Creation): void {
    this.#notes.push("create", creation, undefined);
  }

  destroy(entry: Entry<T>, reason: DestroyReason): void {
    this.#notes.push("destroy", entry, reason);
  }

  closed(): void {
    this.#notes.push("closed", undefined, undefined);
  }

  /**
   * Runs the notes, in a loop, never by recursion: what user code causes
   * meanwhile comes after. Gives whether all are run: without `isInside` it
   * stops at a call that belongs into the context of the pool.
   */
  play(effects: Effects<T>, isInside: boolean): boolean {
    const notes = this.#notes;
    while (this.#at < notes.length) {
      const at = this.#at;
      const name = notes[at] as keyof Effects<T>;
      if (!isInside && (name === "create" || name === "destroy")) return false;
      const a = notes[at + 1];
      const b = notes[at + 2];
      // Nothing that is settled stays reachable.
      notes[at + 1] = notes[at + 2] = undefined;
      this.#at = at + WIDTH;
      switch (name) {
        case "deliver":
          effects.deliver(a as Waiter, b as Entry<T>);
          break;
        case "validate":
          effects.validate(a as Waiter, b as Entry<T>);
          break;
        case "reject":
          effects.reject(a as Waiter, b);
          break;
        case "create":
          effects.create(a as Creation);
          break;
        case "destroy":
          effects.destroy(a as Entry<T>, b as DestroyReason);
          break;
        case "closed":
          effects.closed();
      }
    }
    notes.length = this.#at = 0;
    return true;
  }
}
