import type { Creation } from "../core/creation.ts";
import type { Birth } from "./birth.ts";
import type { Closing } from "./closing.ts";
import type { Destroying } from "./destroying.ts";
import type { Parts } from "./parts.ts";
import type { Supply } from "./supply.ts";

/** Calls `create`, and hears what is lost. */
export class Creating<T> {
  readonly #parts: Parts<T>;
  readonly #closing: Closing<T>;
  readonly #supply: Supply<T>;
  readonly #destroying: Destroying<T>;

  constructor(
    parts: Parts<T>,
    closing: Closing<T>,
    supply: Supply<T>,
    destroying: Destroying<T>,
  ) {
    this.#parts = parts;
    this.#closing = closing;
    this.#supply = supply;
    this.#destroying = destroying;
  }

  begin(creation: Creation): void {
    const { settings, calls, refusals, partition } = this.#parts;
    const { stripe } = creation;
    const supply = this.#supply;
    const began = this.#parts.now();
    const birth = supply.begin(creation, began);
    this.#parts.events.tell("createBegan", { id: birth.number, stripe });
    if (this.#closing.hasBegun) {
      return supply.failed(birth, refusals.closed(stripe));
    }
    supply.look(partition.lineOf(stripe), began);
    const { controller } = birth;
    const { signal } = controller;
    const lost = (error?: unknown) => this.#lost(birth, error);
    calls.begin<T>({
      name: "create",
      stripe,
      limit: settings.createTimeout,
      call: () => settings.create({ signal, lost, stripe }),
      done: (resource) => supply.succeeded(birth, resource),
      failed: (error, isLate) => {
        if (isLate) controller.abort(error);
        supply.failed(birth, error);
      },
      abandoned: () => {
        const error = refusals.closed(stripe);
        supply.failed(birth, error);
        controller.abort(error);
      },
      late: (resource) => this.#destroying.late(resource, stripe),
    });
  }

  #lost(birth: Birth<T>, error: unknown): void {
    const { partition } = this.#parts;
    const { creation, controller, entry } = birth;
    const line = partition.lineOf(creation.stripe);
    const now = this.#parts.now();
    if (entry !== undefined) {
      const { place, releasedAt } = entry;
      entry.error ??= error;
      line.lost(entry, now);
      if (place === "idle" && line.used === 0) {
        line.distrust(releasedAt, now, "lost");
      }
    } else {
      if (birth.isOver || creation.isLost) return;
      const loss = error ?? new Error("The resource was lost while created");
      this.#supply.lose(birth, loss);
      try {
        controller.abort(loss);
      } catch {
        // A reason that a runtime cannot take is told without.
        controller.abort();
      }
    }
    this.#supply.look(line, now);
    this.#parts.play();
  }
}
