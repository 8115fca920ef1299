import type { Creation } from "../core/creation.ts";
import type { DestroyReason } from "../core/destroy_reason.ts";
import type { Effects } from "../core/effects.ts";
import type { Entry } from "../core/entry.ts";
import type { Waiter } from "../core/waiter.ts";

/** What a note says, its first argument and its second: three places. */
type Name = keyof Effects<unknown>;

/** More places than this are not kept for the notes to come. */
const KEPT = 3_000;

/** Effects that are committed and not yet run, in the order of their commits. */
export class Tape<T> implements Effects<T> {
  #notes: unknown[] = [];
  /** Invariant: the notes from `at` to `end` are not run yet. */
  #at = 0;
  #end = 0;

  /** Where the next note will be; 0 if none is left to run. */
  get end(): number {
    return this.#end;
  }

  deliver(waiter: Waiter, entry: Entry<T>): void {
    this.#note("deliver", waiter, entry);
  }

  validate(waiter: Waiter, entry: Entry<T>): void {
    this.#note("validate", waiter, entry);
  }

  reject(waiter: Waiter, error: unknown): void {
    this.#note("reject", waiter, error);
  }

  create(creation: Creation): void {
    this.#note("create", creation, undefined);
  }

  destroy(entry: Entry<T>, reason: DestroyReason): void {
    this.#note("destroy", entry, reason);
  }

  shed(waiter: Waiter): void {
    this.#note("shed", waiter, undefined);
  }

  paused(): void {
    this.#note("paused", undefined, undefined);
  }

  closed(): void {
    this.#note("closed", undefined, undefined);
  }

  /**
   * Runs the notes, in a loop, never by recursion: what user code causes
   * meanwhile comes after. Gives whether all are run: without `isInside` it
   * stops at a call that belongs into the context of the pool.
   */
  play(effects: Effects<T>, isInside: boolean): boolean {
    while (this.#at < this.#end) {
      const notes = this.#notes;
      const at = this.#at;
      const name = notes[at] as Name;
      if (!isInside && (name === "create" || name === "destroy")) return false;
      const a = notes[at + 1];
      const b = notes[at + 2];
      // Nothing that is settled stays reachable.
      notes[at + 1] = notes[at + 2] = undefined;
      this.#at = at + 3;
      if (this.#at === this.#end) this.#rewind();
      perform(effects, name, a, b);
    }
    return true;
  }

  #note(name: Name, a: unknown, b: unknown): void {
    const end = this.#end;
    this.#notes[end] = name;
    this.#notes[end + 1] = a;
    this.#notes[end + 2] = b;
    this.#end = end + 3;
  }

  #rewind(): void {
    this.#at = this.#end = 0;
    if (this.#notes.length > KEPT) this.#notes = [];
  }
}

function perform<T>(
  effects: Effects<T>,
  name: Name,
  a: unknown,
  b: unknown,
): void {
  switch (name) {
    case "deliver":
      return effects.deliver(a as Waiter, b as Entry<T>);
    case "validate":
      return effects.validate(a as Waiter, b as Entry<T>);
    case "reject":
      return effects.reject(a as Waiter, b);
    case "create":
      return effects.create(a as Creation);
    case "destroy":
      return effects.destroy(a as Entry<T>, b as DestroyReason);
    case "shed":
      return effects.shed(a as Waiter);
    case "paused":
      return effects.paused();
    case "closed":
      return effects.closed();
  }
}
