import { type Clock, ref, setTimer, unref } from "./clock.ts";

/** A call of user code; exactly one of `done` and `failed` is called, once. */
export interface UserCall<R> {
  /** The option that holds the code, for the message of its time limit. */
  name: string;
  /** Milliseconds until it counts as failed. */
  limit: number;
  run: () => R | PromiseLike<R>;
  done: (result: R) => void;
  failed: (error: unknown) => void;
  /** What becomes of a result that comes after its limit. */
  late?: (result: R) => void;
  /** Aborted at the limit, and where the call is abandoned. */
  controller?: AbortController;
  /** Whether an aborted `close` stops waiting for it. */
  abandonable: boolean;
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
    let result: R | PromiseLike<R>;
    let isPending: boolean;
    try {
      result = call.run();
      isPending = isThenable(result);
    } catch (error) {
      return call.failed(error);
    }
    if (isPending) this.wait(call, result as PromiseLike<R>);
    else call.done(result as R);
  }

  /**
   * From now on timers keep the process alive: while a `close` is awaited, it
   * has to see what the calls come to.
   */
  keepAlive(): void {
    this.keepsAlive = true;
    for (const { timer } of this.calls) ref(timer);
  }

  /** Waits no longer for calls that can be abandoned; returns their ends. */
  abandon(): (AbortController | undefined)[] {
    const controllers: (AbortController | undefined)[] = [];
    for (const call of this.calls) {
      if (!call.abandonable) continue;
      this.end(call);
      controllers.push(call.controller);
    }
    return controllers;
  }

  private wait<R>(call: UserCall<R>, result: PromiseLike<R>): void {
    const { name, limit, controller, abandonable } = call;
    const inFlight = { timer: undefined, controller, abandonable };
    this.calls.add(inFlight);
    const failed = (error: unknown) => {
      if (this.end(inFlight)) call.failed(error);
    };
    const done = (result: R) => {
      if (this.end(inFlight)) call.done(result);
      else call.late?.(result);
    };
    if (limit !== Infinity) {
      this.limit(inFlight, limit, () => {
        const message = `'${name}' did not settle within ${limit} ms`;
        const error = new DOMException(message, "TimeoutError");
        controller?.abort(error);
        failed(error);
      });
    }
    Promise.resolve(result).then(done, failed);
  }

  private limit(call: CallInFlight, limit: number, passed: () => void): void {
    call.timer = setTimer(this.clock, passed, limit);
    if (!this.keepsAlive) unref(call.timer);
  }

  /** Stops waiting for a call; `false` if that is over already. */
  private end(call: CallInFlight): boolean {
    if (!this.calls.delete(call)) return false;
    if (call.timer !== undefined) this.clock.clearTimeout(call.timer);
    return true;
  }
}

interface CallInFlight {
  timer: unknown;
  readonly controller: AbortController | undefined;
  readonly abandonable: boolean;
}

/** Whether `await` would wait for a value; throws if its `then` does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then ===
    "function";
}
