import type { DestroyReason } from "../core/destroy_reason.ts";
import type { Entry } from "../core/entry.ts";
import type { Closing } from "./closing.ts";
import type { Parts } from "./parts.ts";

/** What a failed `destroy` failed with. */
interface Failure {
  readonly error: unknown;
}

/** Calls `destroy`. */
export class Destroying<T> {
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;

  constructor(parts: Parts<T>, closing: Closing<T>) {
    this.#parts = parts;
    this.#closing = closing;
  }

  /** Ends an entry that has left its stripe; its slot is vacated after. */
  begin(entry: Entry<T>, reason: DestroyReason): void {
    const { settings, partition } = this.#parts;
    const { resource, stripe } = entry;
    const limit = settings.destroyTimeout;
    this.#call(resource, stripe, reason, limit, (failure, isLate) => {
      if (failure !== undefined && !isLate) {
        this.#closing.destroyFailed(failure.error);
      }
      partition.lineOf(stripe).destroyed(entry);
    });
  }

  /** Ends what came too late to have a slot: nobody waits for it. */
  late(resource: T, stripe: number): void {
    this.#call(resource, stripe, "late", Infinity, () => {});
  }

  #call(
    resource: T,
    stripe: number,
    reason: DestroyReason,
    limit: number,
    over: (failure: Failure | undefined, isLate: boolean) => void,
  ): void {
    const { settings, calls, events } = this.#parts;
    const began = this.#parts.now();
    const ended = (failure: Failure | undefined, isLate: boolean) => {
      over(failure, isLate);
      const duration = this.#parts.now() - began;
      const event = { resource, stripe, reason, duration };
      events.tell("destroyed", { ...event, ...failure });
      this.#parts.play();
    };
    calls.begin({
      name: "destroy",
      stripe,
      limit,
      call: () => settings.destroy(resource),
      done: () => ended(undefined, false),
      failed: (error, isLate) => ended({ error }, isLate),
    });
  }
}
