import type { Waiter } from "./waiter_queue.ts";

/**
 * The waiters of one signal behind one listener, since adding a listener costs
 * time in proportion to those a signal has. The group is the listener.
 */
export class AbortGroup {
  /** Most signals have one waiter; a set is made for the second. */
  #first: Waiter | undefined = undefined;
  #rest: Set<Waiter> | undefined = undefined;

  constructor(
    readonly signal: AbortSignal,
    readonly cancel: (waiters: Waiter[], reason: unknown) => void,
  ) {
    signal.addEventListener("abort", this);
  }

  add(waiter: Waiter): void {
    if (this.#first === undefined) this.#first = waiter;
    else (this.#rest ??= new Set()).add(waiter);
  }

  /** Takes a waiter out; `true` if it was the last, which ends the group. */
  remove(waiter: Waiter): boolean {
    if (this.#first === waiter) this.#first = undefined;
    else this.#rest?.delete(waiter);
    if (this.#first !== undefined || this.#rest?.size) return false;
    this.signal.removeEventListener("abort", this);
    return true;
  }

  handleEvent(): void {
    const first = this.#first === undefined ? [] : [this.#first];
    this.cancel([...first, ...this.#rest ?? []], this.signal.reason);
  }
}
