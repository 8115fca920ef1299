import type { Time } from "../time.ts";
import { Alarm, type Ringer } from "./alarm.ts";
import type { Context } from "./context.ts";

/** Something to be done in the background at a due time. */
export interface Chore {
  /** When to do it next; `Infinity` while there is nothing to do. */
  readonly due: number;
  /** The due time has come. */
  work(now: number): void;
  /** No timer could be set. */
  fail(error: unknown): void;
}

/** All chores of a pool, behind one timer that keeps no process alive. */
export class Agenda implements Ringer {
  readonly #alarm: Alarm;
  readonly #chores: Chore[] = [];
  #holds = false;

  constructor(time: Time, context: Context) {
    this.#alarm = new Alarm(time, context, this, false);
  }

  add(chore: Chore): void {
    this.#chores.push(chore);
  }

  /** A chore has become due earlier. */
  advance(due: number): void {
    if (this.#chores.length === 0) return;
    if (due !== Infinity || this.#holds) this.#alarm.advance(due);
  }

  /** From now on it keeps the process alive, chore or none. */
  hold(): void {
    this.#holds = true;
    this.#alarm.hold();
  }

  /** No chore is done any more. */
  stop(): void {
    this.#chores.length = 0;
    this.#alarm.clear();
  }

  ring(now: number): void {
    for (const chore of [...this.#chores]) {
      if (chore.due <= now) chore.work(now);
    }
    let due = Infinity;
    for (const chore of this.#chores) due = Math.min(due, chore.due);
    this.advance(due);
  }

  /** The latest first: what an earlier one sets off may concern the others. */
  fail(error: unknown): void {
    for (const chore of [...this.#chores].reverse()) chore.fail(error);
  }
}
