import { difference, type Provenance } from "./agreement.ts";
import type { Event } from "./event.ts";
import { inWords, numbered } from "./explorer.ts";
import type { Scope } from "./scope.ts";
import { type Keyed, keyed } from "./state_key.ts";
import { Subject } from "./subject.ts";
import type { TransitionTable } from "./transition_table.ts";
import { apply, events, start, type WorldStep } from "./world.ts";

/** One pool and the model of it, side by side. */
export class Run {
  /** Why they differ, once they do. */
  fault = "";
  readonly #subject: Subject;
  readonly #known = new Map<number, Provenance>();
  readonly #trace: [Event, WorldStep][] = [];
  #at: Keyed;

  constructor(
    readonly scope: Scope,
    readonly table: TransitionTable,
    /** Whether the pool has an observer. */
    readonly observed: boolean,
  ) {
    this.#at = keyed(start(scope));
    this.#subject = new Subject(scope, observed);
  }

  /** Does the `index`th event; the key of the state after, if both agree. */
  async step(index: number): Promise<string | undefined> {
    const { world } = this.#at;
    const event = events(this.scope, world)[index]!;
    const steps = apply(this.table, world, event);
    const ids: number[] = [];
    const woken: number[] = [];
    // The steps permitted differ in stripes, not in these.
    for (const effect of steps[0]!.effects) {
      if (effect.kind === "Create") ids.push(effect.id);
      if (effect.kind === "Wake") woken.push(effect.waiter.client);
    }
    await this.#subject.perform(event, ids, woken);
    if (this.#follow(event, steps) === undefined) return this.#at.key;
    await this.#subject.linger();
    const fault = this.#follow(event, steps);
    if (fault === undefined) return this.#at.key;
    this.fault = fault;
    this.#trace.push([event, steps[0]!]);
  }

  /** Goes the way the pool chose, if it is permitted; else says why not. */
  #follow(event: Event, steps: readonly WorldStep[]): string | undefined {
    let fault: string | undefined;
    for (const step of steps) {
      const other = difference(
        this.#subject,
        event,
        step,
        this.#known,
        this.observed,
      );
      fault ??= other;
      if (other !== undefined) continue;
      this.#learn(step);
      this.#trace.push([event, step]);
      this.#at = keyed(step.world);
      return undefined;
    }
    return fault;
  }

  #learn({ effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.kind === "Create") {
        this.#known.set(effect.id, { stripe: effect.stripe, reason: "" });
      }
      if (effect.kind === "Destroy") {
        const { stripe } = this.#known.get(effect.resource)!;
        this.#known.set(effect.resource, { stripe, reason: effect.reason });
      }
    }
  }

  /** What differs and how it came about, the model's effects in words. */
  report(): string {
    const how = this.observed ? " (with an observer)" : "";
    const trace = this.#trace.map(([event, step]) => inWords(event, step));
    return `${this.fault}${how}\n${numbered(trace)}`;
  }
}
