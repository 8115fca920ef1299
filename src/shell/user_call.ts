import type { HeapNode } from "../core/heap.ts";
import { withoutStack } from "../pool_error.ts";
import type { Time } from "../time.ts";
import type { Agenda, Chore } from "./agenda.ts";
import type { Context } from "./context.ts";
import { DeadlineList, type Timed } from "./deadline_list.ts";

/** How many calls pass their limit in one turn of the event loop. */
const BATCH = 1_024;

/** A call of user code; of `done`, `failed` and `abandoned` one is called, once. */
export interface UserCall<R> {
  /** The option that holds the code. */
  readonly name: "create" | "validate" | "reset" | "destroy";
  /** The number of the stripe whose slot it takes. */
  readonly stripe: number;
  /** Milliseconds until it counts as failed. */
  readonly limit: number;
  call(): R | PromiseLike<R>;
  done(result: R): void;
  /** It threw, rejected, could not be limited, or passed its limit. */
  failed(error: unknown, isLate: boolean): void;
  /** The pool waits no longer. A call without this is waited for. */
  abandoned?(): void;
  /** After `failed` or `abandoned`, a result came all the same. */
  late?(result: R): void;
}

/** What is waited for, whatever its result. */
export type Call = Omit<UserCall<never>, "call" | "done" | "late">;

class CallInFlight implements Timed {
  readonly call: Call;
  readonly isInside: boolean;
  deadline = Infinity;
  later: Timed | HeapNode<Timed> | undefined = undefined;
  sooner: Timed | undefined = undefined;

  constructor(call: Call, isInside: boolean) {
    this.call = call;
    this.isInside = isInside;
  }
}

/** Runs user code that may throw, hang or come late. */
export class UserCalls implements Chore {
  readonly #time: Time;
  readonly #context: Context;
  readonly #agenda: Agenda;
  readonly #late: (call: Call, waited: number) => unknown;
  /** Invariant: every call that is waited for; those with a limit listed. */
  readonly #calls = new Set<CallInFlight>();
  readonly #deadlines = new DeadlineList<CallInFlight>();
  due = Infinity;

  /** `late` makes what a call fails with that passed its limit. */
  constructor(
    time: Time,
    context: Context,
    agenda: Agenda,
    late: (call: Call, waited: number) => unknown,
  ) {
    this.#time = time;
    this.#context = context;
    this.#agenda = agenda;
    this.#late = late;
    agenda.add(this);
  }

  /**
   * Begins a call; one that does not return a promise is over at once. What
   * comes of it later comes in the context of the pool if it began there.
   */
  begin<R>(call: UserCall<R>): void {
    const inFlight = new CallInFlight(call, this.#context.isInside);
    this.#calls.add(inFlight);
    const done = (result: R) => {
      if (this.#end(inFlight)) call.done(result);
      else call.late?.(result);
    };
    const failed = (error: unknown) => this.#failed(inFlight, error);
    let result: R | PromiseLike<R>;
    try {
      result = call.call();
      if (isThenable(result)) {
        const { isInside } = inFlight;
        Promise.resolve(result).then(
          (result) => this.#context.enter(isInside, () => done(result)),
          (error) => this.#context.enter(isInside, () => failed(error)),
        );
        return this.#limit(inFlight);
      }
    } catch (error) {
      return failed(error);
    }
    done(result);
  }

  /** Waits no longer for the calls that can be abandoned. */
  abandon(): void {
    for (const inFlight of [...this.#calls]) {
      const { call } = inFlight;
      if (call.abandoned !== undefined && this.#end(inFlight)) call.abandoned();
    }
  }

  work(now: number): void {
    // Calls that begin as these end may already seem to be over, where the
    // clock is behind its timers.
    const expired: CallInFlight[] = [];
    while (expired.length < BATCH) {
      const inFlight = this.#deadlines.expired(now);
      if (inFlight === undefined) break;
      expired.push(inFlight);
    }
    // Their counts are those from before any of them ended.
    const errors = withoutStack(() =>
      expired.map(({ call, deadline }) =>
        this.#late(call, now - deadline + call.limit)
      )
    );
    for (const [i, inFlight] of expired.entries()) {
      this.#failed(inFlight, errors[i], true);
    }
    this.due = this.#deadlines.earliest();
  }

  /** Without a timer nobody would see the limits pass. */
  fail(error: unknown): void {
    this.due = Infinity;
    for (
      let inFlight;
      (inFlight = this.#deadlines.expired(Infinity)) !== undefined;
    ) {
      this.#failed(inFlight, error, true);
    }
  }

  #limit(inFlight: CallInFlight): void {
    const { limit } = inFlight.call;
    if (limit === Infinity) return;
    inFlight.deadline = this.#time.now() + limit;
    // It may have been abandoned by the very code that was called.
    if (!this.#calls.has(inFlight)) return;
    this.#deadlines.add(inFlight);
    if (inFlight.deadline >= this.due) return;
    this.due = inFlight.deadline;
    this.#agenda.advance(this.due);
  }

  #failed(inFlight: CallInFlight, error: unknown, isLate = false): void {
    if (this.#end(inFlight)) inFlight.call.failed(error, isLate);
  }

  /** Stops waiting for a call; `false` if that is over already. */
  #end(inFlight: CallInFlight): boolean {
    if (!this.#calls.delete(inFlight)) return false;
    this.#deadlines.remove(inFlight);
    return true;
  }
}

/** Whether `await` would wait for a value; throws if its `then` does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then ===
    "function";
}
