import { inWords } from "./effect.ts";
import { type Event, eventInWords, events, isEnd } from "./event.ts";
import { stateFault, stepFault } from "./invariant.ts";
import { Liveness } from "./liveness.ts";
import { Machine } from "./machine.ts";
import type { Scope } from "./scope.ts";
import { difference } from "./snapshot.ts";
import { keyOf } from "./state_key.ts";
import { type Step, TransitionTable } from "./transition_table.ts";
import { copy, isAtRest, start, type World } from "./world.ts";

/** What was seen of a scope. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
}

/** A rule is broken; the message ends with the shortest way there, in words. */
export class Violation extends Error {}

/**
 * Visits every reachable state of a scope, breadth first. In each it checks
 * every rule, and brings a real machine there for each transition, to compare
 * effects and state.
 */
export function explore(
  scope: Scope,
  Table: typeof TransitionTable = TransitionTable,
): Exploration {
  return new Explorer(scope, Table).explore();
}

class Explorer implements Exploration {
  transitions = 0;
  readonly #scope: Scope;
  readonly #Table: typeof TransitionTable;
  readonly #ids = new Map<string, number>();
  readonly #frontier: (World | undefined)[] = [];
  /** The state that each was first reached from, and how. */
  readonly #parents: number[] = [];
  readonly #events: (Event | undefined)[] = [];
  readonly #liveness = new Liveness();

  constructor(scope: Scope, Table: typeof TransitionTable) {
    this.#scope = scope;
    this.#Table = Table;
  }

  get states(): number {
    return this.#ids.size;
  }

  explore(): this {
    this.#add(start(this.#scope), -1, undefined);
    for (let state = 0; state < this.#frontier.length; state++) {
      const world = this.#frontier[state]!;
      // Worlds would fill the memory.
      this.#frontier[state] = undefined;
      this.#visit(state, world);
    }
    const fault = this.#liveness.fault();
    if (fault !== undefined) throw this.#violation(fault.fault, fault.state);
    return this;
  }

  #visit(state: number, world: World): void {
    const way = this.#wayTo(state);
    const ends: number[] = [];
    for (const event of events(this.#scope, world)) {
      this.transitions++;
      const step = this.#step(world, event);
      const known = this.states;
      const target = this.#add(step.world, state, event);
      const fault = stepFault(this.#scope, world, event, step) ??
        (target === known ? stateFault(this.#scope, step.world) : undefined) ??
        this.#disagreement(way, event, step);
      if (fault !== undefined) throw this.#violation(fault, state, event);
      if (isEnd(event, world, step.effects)) ends.push(target);
    }
    this.#liveness.add(ends, isAtRest(world));
  }

  #step(world: World, event: Event): TransitionTable {
    const table = new this.#Table(this.#scope, copy(world));
    table.perform(event);
    return table;
  }

  /** Does to a new machine all that led to a state, and then the event. */
  #disagreement(way: readonly Event[], event: Event, due: Step) {
    try {
      const machine = new Machine(this.#scope);
      for (const event of way) machine.perform(event);
      machine.perform(event);
      machine.poke();
      const { effects } = machine;
      return JSON.stringify(effects) === JSON.stringify(due.effects)
        ? difference(machine, due.world)
        : `the machine does: ${inWords(effects)}`;
    } catch (error) {
      return `the machine throws: ${error}`;
    }
  }

  #add(world: World, parent: number, event: Event | undefined): number {
    const key = keyOf(this.#scope, world);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(key, id);
    this.#frontier.push(world);
    this.#parents.push(parent);
    this.#events.push(event);
    return id;
  }

  #wayTo(state: number): Event[] {
    const way: Event[] = [];
    for (let at = state; at > 0; at = this.#parents[at]!) {
      way.push(this.#events[at]!);
    }
    return way.reverse();
  }

  #violation(fault: string, state: number, event?: Event): Violation {
    const way = this.#wayTo(state);
    if (event !== undefined) way.push(event);
    let world = start(this.#scope);
    const lines = way.map((event, i) => {
      const step = this.#step(world, event);
      world = step.world;
      return `  ${i + 1}. ${eventInWords(event)} → ${inWords(step.effects)}`;
    });
    return new Violation(
      `${this.#scope.name}: ${fault}\n${lines.join("\n")}`,
    );
  }
}
