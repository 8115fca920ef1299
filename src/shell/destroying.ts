import type { DestroyReason } from "../core/destroy_reason.ts";
import { Entry } from "../core/entry.ts";
import type { DestroyContext } from "../pool_options.ts";
import type { Closing } from "./closing.ts";
import { LazySignal } from "./lazy_signal.ts";
import type { Parts } from "./parts.ts";
import type { Supply } from "./supply.ts";

/** What a failed `destroy` failed with. */
interface Failure {
  readonly error: unknown;
}

class DestroyCall extends LazySignal implements DestroyContext {
  readonly reason: DestroyReason;

  constructor(reason: DestroyReason) {
    super();
    this.reason = reason;
  }
}

/** Calls `destroy`. */
export class Destroying<T> {
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;
  readonly #supply: Supply<T>;
  /** How many calls have begun. */
  #begun = 0;

  constructor(parts: Parts<T>, closing: Closing<T>, supply: Supply<T>) {
    this.#parts = parts;
    this.#closing = closing;
    this.#supply = supply;
  }

  /** Ends an entry that has left its stripe; its slot is vacated after. */
  begin(entry: Entry<T>, reason: DestroyReason): void {
    const { stripe } = entry;
    const line = this.#parts.partition.lineOf(stripe);
    if (reason === "idle") this.#supply.evicted(line);
    this.#call(entry, reason, (failure, isLate) => {
      if (failure !== undefined && !isLate) {
        this.#closing.destroyFailed(failure.error);
      }
      // The slot of a lost one may have been vacated before.
      if (entry.place !== "destroying") return;
      line.destroyed(entry);
      this.#supply.look(line, this.#parts.now());
    });
    if (reason === "lost") this.#vacate(entry);
  }

  /** Ends what came too late to have a slot: nobody waits for it. */
  late(resource: T, stripe: number): void {
    const now = this.#parts.now();
    const entry = new Entry(resource, stripe, now, 0, Infinity);
    this.#call(entry, "late", () => {});
  }

  /** A farewell to the dead holds a slot for the usual time of a create. */
  #vacate(entry: Entry<T>): void {
    const { partition, calls } = this.#parts;
    const line = partition.lineOf(entry.stripe);
    const usual = this.#supply.usual(line);
    if (usual === undefined || entry.place !== "destroying") return;
    calls.begin({
      name: "destroy",
      stripe: entry.stripe,
      limit: usual,
      call: () => new Promise<never>(() => {}),
      done: () => {},
      failed: () => {
        if (entry.place !== "destroying") return;
        line.destroyed(entry);
        this.#supply.look(line, this.#parts.now());
        this.#parts.play();
      },
    });
  }

  #call(
    entry: Entry<T>,
    reason: DestroyReason,
    over: (failure: Failure | undefined, isLate: boolean) => void,
  ): void {
    const { settings, calls, events } = this.#parts;
    const { resource, stripe, bornAt, usedAt, uses, error } = entry;
    const began = this.#parts.now();
    const call = new DestroyCall(reason);
    const isHeld = reason === "lease" || reason === "leaked";
    const about = {
      ...{ id: this.#begun++, resource, stripe, reason },
      ...{ age: began - bornAt, uses },
      ...isHeld && { use: began - usedAt },
    };
    const because = error === undefined ? {} : { error };
    events.tell("destroyBegan", { ...about, ...because });
    const ended = (failure: Failure | undefined, isLate: boolean) => {
      over(failure, isLate);
      const duration = this.#parts.now() - began;
      events.tell("destroyed", { ...about, duration, ...failure });
      if (isLate) call.abort(failure!.error);
      this.#parts.play();
    };
    calls.begin({
      name: "destroy",
      stripe,
      limit: reason === "late" ? Infinity : settings.destroyTimeout,
      call: () => settings.destroy(resource, call),
      done: () => ended(undefined, false),
      failed: (error, isLate) => ended({ error }, isLate),
    });
  }
}
