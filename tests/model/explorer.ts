import { describe, describeEffect, type Event, isEnd } from "./event.ts";
import { isAtRest, stateFault, stepFault } from "./invariant.ts";
import { findStuck } from "./liveness.ts";
import type { Scope } from "./scope.ts";
import type { StripeEffect } from "./stripe.ts";
import { type StateGraph, StateGraphBuilder } from "./state_graph.ts";
import { type Keyed, keyed } from "./state_key.ts";
import type { TransitionTable } from "./transition_table.ts";
import { apply, events, start, type World, type WorldStep } from "./world.ts";

/** A rule is broken; the message ends with the shortest way there, in words. */
export class Violation extends Error {}

/** Visits every reachable state, breadth first, and checks every rule in it. */
export function explore(scope: Scope, table: TransitionTable): StateGraph {
  return new Explorer(scope, table).explore();
}

class Explorer {
  readonly #graph = new StateGraphBuilder();
  readonly #frontier: (World | undefined)[] = [];

  constructor(readonly scope: Scope, readonly table: TransitionTable) {}

  explore(): StateGraph {
    this.#add(keyed(start(this.scope)), -1, -1);
    for (let state = 0; state < this.#frontier.length; state++) {
      const world = this.#frontier[state]!;
      // The graph needs only keys; worlds would fill the memory.
      this.#frontier[state] = undefined;
      this.#graph.beginState();
      for (const [i, event] of events(this.scope, world).entries()) {
        this.#visit(state, world, i, event);
      }
    }
    const graph = this.#graph.build();
    const stuck = findStuck(graph);
    if (stuck !== undefined) throw this.#violation(stuck.fault, stuck.state);
    return graph;
  }

  #visit(state: number, world: World, index: number, event: Event): void {
    this.#graph.addEvent(isEnd(event));
    const targets = new Set<number>();
    for (const step of apply(this.table, world, event)) {
      const fault = stepFault(world, event, step) ?? stateFault(step.world);
      if (fault !== undefined) throw this.#violation(fault, state, event, step);
      targets.add(this.#add(keyed(step.world), state, index));
    }
    for (const target of targets) this.#graph.addOutcome(target);
  }

  #add({ key, world }: Keyed, parent: number, event: number): number {
    const known = this.#graph.find(key);
    if (known !== undefined) return known;
    this.#frontier.push(world);
    return this.#graph.addState(key, parent, event, isAtRest(world));
  }

  #violation(
    fault: string,
    state: number,
    event?: Event,
    step?: WorldStep,
  ): Violation {
    const trace = this.#traceTo(state);
    if (event !== undefined) trace.push(inWords(event, step!.effects));
    return new Violation(`${this.scope.name}: ${fault}\n${numbered(trace)}`);
  }

  /** The shortest way to a state, an event and its effects a line. */
  #traceTo(state: number): string[] {
    let world = keyed(start(this.scope)).world;
    return this.#graph.path(state).slice(1).map((next) => {
      const index = this.#graph.parentEvent(next);
      const event = events(this.scope, world)[index]!;
      for (const step of apply(this.table, world, event)) {
        const arrived = keyed(step.world);
        if (this.#graph.find(arrived.key) !== next) continue;
        world = arrived.world;
        return inWords(event, step.effects);
      }
      throw new Error("model: a way leads elsewhere the second time");
    });
  }
}

/** An event and what comes of it. */
export function inWords(
  event: Event,
  effects: readonly StripeEffect[],
): string {
  const words = effects.map(describeEffect).join("; ");
  return `${describe(event)} → ${words || "nothing to do"}`;
}

export function numbered(lines: readonly string[]): string {
  return lines.map((line, i) => `  ${i + 1}. ${line}`).join("\n");
}
