import type { Creation } from "../core/creation.ts";
import type { Closing } from "./closing.ts";
import type { Destroying } from "./destroying.ts";
import type { Parts } from "./parts.ts";

/** Calls `create`. */
export class Creating<T> {
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;
  readonly #destroying: Destroying<T>;

  constructor(
    parts: Parts<T>,
    closing: Closing<T>,
    destroying: Destroying<T>,
  ) {
    this.#parts = parts;
    this.#closing = closing;
    this.#destroying = destroying;
  }

  begin(creation: Creation): void {
    const { settings, calls } = this.#parts;
    const began = this.#parts.now();
    if (this.#closing.hasBegun) {
      const error = this.#parts.refusals.closed(creation.stripe);
      return this.#failed(creation, error, began);
    }
    const controller = new AbortController();
    calls.begin<T>({
      name: "create",
      stripe: creation.stripe,
      limit: settings.createTimeout,
      call: () => settings.create({ signal: controller.signal }),
      done: (resource) => this.#done(creation, resource, began),
      failed: (error, isLate) => {
        if (isLate) controller.abort(error);
        this.#failed(creation, error, began);
      },
      abandoned: () => {
        const error = this.#parts.refusals.closed(creation.stripe);
        this.#failed(creation, error, began);
        controller.abort(error);
      },
      late: (resource) => this.#destroying.late(resource, creation.stripe),
    });
  }

  #done(creation: Creation, resource: T, began: number): void {
    const { events, partition, refusals } = this.#parts;
    const { stripe } = creation;
    const line = partition.lineOf(stripe);
    const now = this.#parts.now();
    refusals.createWorks(line);
    line.created(creation, resource, now);
    events.tell("created", { resource, stripe, duration: now - began });
    this.#parts.follow(line);
  }

  #failed(creation: Creation, error: unknown, began: number): void {
    const { events, partition, refusals } = this.#parts;
    const { stripe } = creation;
    const line = partition.lineOf(stripe);
    refusals.createFailed(line, error);
    line.createFailed(creation, error);
    const duration = this.#parts.now() - began;
    events.tell("createFailed", { error, stripe, duration });
    this.#parts.play();
  }
}
