import { type Clock, ref, setTimer, unref } from "./clock.ts";

/** A call of user code; just one of the callbacks is called, and once. */
export interface UserCall<R> {
  /** The option that holds the code, for the message of its time limit. */
  name: string;
  /** Milliseconds until it counts as failed. */
  limit: number;
  run: () => R | PromiseLike<R>;
  done: (result: R) => void;
  /** It threw, rejected, or passed its limit with this `TimeoutError`. */
  failed: (error: unknown, isLate: boolean) => void;
  /** The pool waits no longer. A call without this is waited for. */
  abandoned?: () => void;
  /** After `failed` or `abandoned`, a result came all the same. */
  late?: (result: R) => void;
}

interface CallInFlight {
  timer: unknown;
  readonly abandoned: (() => void) | undefined;
}

/** Runs user code that may throw, hang or come late. */
export class UserCalls {
  private readonly clock: Clock;
  /** Invariant: every call that is waited for. */
  private readonly calls = new Set<CallInFlight>();
  private keepsAlive = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Runs a call; one that does not return a promise is over at once. */
  run<R>(call: UserCall<R>): void {
    const inFlight = { timer: undefined, abandoned: call.abandoned };
    this.calls.add(inFlight);
    const done = (result: R) => {
      if (this.end(inFlight)) call.done(result);
      else call.late?.(result);
    };
    const failed = (error: unknown, isLate = false) => {
      if (this.end(inFlight)) call.failed(error, isLate);
    };
    let result: R | PromiseLike<R>;
    try {
      result = call.run();
      if (isThenable(result)) {
        this.limit(inFlight, call, this.clock.now() + call.limit, failed);
        Promise.resolve(result).then(done, (error) => failed(error));
        return;
      }
    } catch (error) {
      return failed(error);
    }
    done(result);
  }

  /**
   * From now on timers keep the process alive: while a `close` is awaited, it
   * has to see what the calls come to.
   */
  keepAlive(): void {
    this.keepsAlive = true;
    for (const { timer } of this.calls) ref(timer);
  }

  /** Waits no longer for the calls that can be abandoned. */
  abandon(): void {
    for (const call of [...this.calls]) {
      if (call.abandoned !== undefined && this.end(call)) call.abandoned();
    }
  }

  /** Timers may be early, and cannot be long enough: the deadline decides. */
  private limit<R>(
    inFlight: CallInFlight,
    call: UserCall<R>,
    deadline: number,
    failed: (error: unknown, isLate: boolean) => void,
  ): void {
    // It may have been abandoned by the very code that was called.
    if (deadline === Infinity || !this.calls.has(inFlight)) return;
    inFlight.timer = setTimer(this.clock, () => {
      if (this.clock.now() < deadline) {
        return this.limit(inFlight, call, deadline, failed);
      }
      const message = `'${call.name}' did not settle within ${call.limit} ms`;
      failed(new DOMException(message, "TimeoutError"), true);
    }, deadline - this.clock.now());
    if (!this.keepsAlive) unref(inFlight.timer);
  }

  /** Stops waiting for a call; `false` if that is over already. */
  private end(call: CallInFlight): boolean {
    if (!this.calls.delete(call)) return false;
    if (call.timer !== undefined) this.clock.clearTimeout(call.timer);
    return true;
  }
}

/** Whether `await` would wait for a value; throws if its `then` does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then ===
    "function";
}
