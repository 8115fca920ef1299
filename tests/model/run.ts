import { difference, type Provenance } from "./agreement.ts";
import type { Event } from "./event.ts";
import { inWords, numbered } from "./explorer.ts";
import type { Scope } from "./scope.ts";
import { type Keyed, keyed } from "./state_key.ts";
import { Subject } from "./subject.ts";
import type { TransitionTable } from "./transition_table.ts";
import { apply, events, start, type WorldStep } from "./world.ts";

/** A place in the story of a pool: the event that led there, and from where. */
export interface Position {
  readonly at: Keyed;
  /** What the pool had been through when the story began; see `Subject`. */
  readonly past: number;
  readonly last: {
    readonly from: Position;
    readonly event: Event;
    readonly effects: WorldStep["effects"];
  } | undefined;
}

/** Where every story begins. */
export function beginning(scope: Scope, past: number): Position {
  return { at: keyed(start(scope)), past, last: undefined };
}

/** One pool and the model of it, side by side. */
export class Run {
  /** What differs and how it came about, once something does. */
  report = "";
  readonly #subject: Subject;
  readonly #known = new Map<number, Provenance>();
  #position: Position;

  constructor(
    readonly scope: Scope,
    readonly table: TransitionTable,
    /** Whether the pool has an observer. */
    readonly observed: boolean,
  ) {
    this.#position = beginning(scope, 0);
    this.#subject = new Subject(scope, observed);
  }

  /**
   * Brings a new pool to a position. As it was compared on the way when
   * another pool was led there, it is compared at the end only.
   */
  async goTo(position: Position): Promise<boolean> {
    const story = storyOf(position);
    await this.#subject.liveThrough(position.past);
    for (const { event, effects } of story) {
      await this.#perform(event, effects);
      this.#learn(effects);
    }
    this.#position = position;
    const last = story.at(-1);
    if (last === undefined) return true;
    const step = { world: position.at.world, effects: last.effects };
    const fault = this.#compare(last.event, step);
    if (fault !== undefined) this.#tell(`the second time, ${fault}`);
    return fault === undefined;
  }

  /** Does the `index`th event; where it leads, if pool and model agree. */
  async step(index: number): Promise<Position | undefined> {
    const { world } = this.#position.at;
    const event = events(this.scope, world)[index]!;
    const steps = apply(this.table, world, event);
    await this.#perform(event, steps[0]!.effects);
    const fault = this.#follow(event, steps);
    if (fault === undefined) return this.#position;
    await this.#subject.linger();
    const late = this.#follow(event, steps);
    if (late === undefined) return this.#position;
    this.#position = this.#after(event, steps[0]!);
    this.#tell(late);
  }

  /** The steps permitted differ in stripes, not in the numbers given here. */
  async #perform(event: Event, effects: WorldStep["effects"]): Promise<void> {
    const ids: number[] = [];
    const woken: number[] = [];
    for (const effect of effects) {
      if (effect.kind === "Create") ids.push(effect.id);
      if (effect.kind === "Wake") woken.push(effect.waiter.client);
    }
    await this.#subject.perform(event, ids, woken);
  }

  /** Goes the way the pool chose, if it is permitted; else says why not. */
  #follow(event: Event, steps: readonly WorldStep[]): string | undefined {
    let fault: string | undefined;
    for (const step of steps) {
      const other = this.#compare(event, step);
      fault ??= other;
      if (other !== undefined) continue;
      this.#learn(step.effects);
      this.#position = this.#after(event, step);
      return undefined;
    }
    return fault;
  }

  #compare(event: Event, step: WorldStep): string | undefined {
    const { observed } = this;
    return difference(this.#subject, event, step, this.#known, observed);
  }

  #after(event: Event, step: WorldStep): Position {
    const last = { from: this.#position, event, effects: step.effects };
    return { at: keyed(step.world), past: this.#position.past, last };
  }

  #learn(effects: WorldStep["effects"]): void {
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

  #tell(fault: string): void {
    const observer = this.observed ? " (with an observer)" : "";
    const { past } = this.#position;
    const how = observer + (past > 0 ? ` (after past ${past})` : "");
    const story = storyOf(this.#position)
      .map(({ event, effects }) => inWords(event, effects));
    this.report = `${fault}${how}\n${numbered(story)}`;
  }
}

function storyOf(position: Position): NonNullable<Position["last"]>[] {
  const story: NonNullable<Position["last"]>[] = [];
  for (let { last } = position; last !== undefined; last = last.from.last) {
    story.push(last);
  }
  return story.reverse();
}
