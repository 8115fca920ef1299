import type { Entry } from "../core/entry.ts";
import type { Lessor } from "../lease.ts";
import type { PoolClosedError } from "../pool_error.ts";
import type { ResetContext } from "../pool_options.ts";
import type { Context, Task } from "./context.ts";
import { LazySignal } from "./lazy_signal.ts";
import type { Parts } from "./parts.ts";

class ResetCall extends LazySignal implements ResetContext {
  readonly failed: boolean;

  constructor(failed: boolean) {
    super();
    this.failed = failed;
  }
}

/** Stands in front of the pool and resets what is released to it. */
export class Resetting<T> implements Lessor<T>, Task {
  readonly #parts: Parts<T>;
  readonly #context: Context;
  readonly #lessor: Lessor<T>;
  /** Those to be reset in the context of the pool. */
  #released: { entry: Entry<T>; failed: boolean }[] = [];

  constructor(parts: Parts<T>, context: Context, lessor: Lessor<T>) {
    this.#parts = parts;
    this.#context = context;
    this.#lessor = lessor;
  }

  release(entry: Entry<T>, failed: boolean): void {
    // An aborted close took it back.
    if (entry.place !== "used") return;
    const { events, partition } = this.#parts;
    const line = partition.lineOf(entry.stripe);
    line.useEnded();
    line.tend(entry, "reset");
    if (events.isObserved) {
      events.released(entry, this.#parts.now() - entry.usedAt);
    }
    this.#released.push({ entry, failed });
    this.#context.do(this);
  }

  destroy(entry: Entry<T>): void {
    this.#lessor.destroy(entry);
  }

  detach(entry: Entry<T>): void {
    this.#lessor.detach(entry);
  }

  now(): number {
    return this.#lessor.now();
  }

  closed(entry: Entry<T>): PoolClosedError {
    return this.#lessor.closed(entry);
  }

  inContext(): void {
    const released = this.#released;
    this.#released = [];
    for (const { entry, failed } of released) this.#reset(entry, failed);
  }

  #reset(entry: Entry<T>, failed: boolean): void {
    const { settings, calls, partition } = this.#parts;
    const line = partition.lineOf(entry.stripe);
    const release = () => {
      line.tend(entry);
      this.#lessor.release(entry, failed);
    };
    // As everything is in a pool that closes.
    if (line.isWorn(entry, this.#parts.now())) return release();
    const call = new ResetCall(failed);
    calls.begin({
      name: "reset",
      stripe: entry.stripe,
      limit: settings.resetTimeout,
      call: () => settings.reset!(entry.resource, call),
      done: release,
      failed: (error, isLate) => {
        entry.error ??= error;
        line.destroy(entry, "reset");
        if (isLate) call.abort(error);
        this.#parts.play();
      },
      abandoned: () => call.abort(this.#parts.refusals.closed(entry.stripe)),
    });
  }
}
