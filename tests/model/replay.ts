import { Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import type { StateGraph } from "./state_graph.ts";
import type { TransitionTable } from "./transition_table.ts";

/** How many states a run looks through for something not replayed yet. */
const HORIZON = 128;

/** How often, and by how many ways, a choice not seen yet is waited for. */
const TRIES = 4;

/** More events than any way through a graph has. */
const LONGEST_WAY = 200;

/** What a replay came to. */
export interface Replay {
  /** Pools made, and events done to them in all. */
  runs: number;
  steps: number;
  /** States the pools were led to, and how many of their events were done. */
  states: number;
  events: number;
  /** Outcomes of these events that were seen: the pool may choose among them. */
  transitions: number;
  /** One report for each kind of disagreement. */
  disagreements: string[];
}

/** Does every event of the graph to a real pool, and compares. */
export async function replay(
  scope: Scope,
  table: TransitionTable,
  graph: StateGraph,
): Promise<Replay> {
  return await new Replayer(scope, table, graph).replay();
}

interface Disagreement {
  readonly event: number;
  readonly report: string;
}

class Replayer {
  readonly #done: Uint8Array;
  readonly #seen: Uint8Array;
  /** Events of each state that are not done yet. */
  readonly #left: Int32Array;
  readonly #reached: Uint8Array;
  /** How often each outcome was tried for in vain. */
  readonly #tries: Uint8Array;
  /** The outcome by which each state was first reached. */
  readonly #via: Int32Array;
  readonly #disagreements = new Map<string, Disagreement>();
  #runs = 0;
  #steps = 0;
  #events = 0;

  constructor(
    readonly scope: Scope,
    readonly table: TransitionTable,
    readonly graph: StateGraph,
  ) {
    const { states, firstEvent } = graph;
    this.#done = new Uint8Array(graph.events);
    this.#seen = new Uint8Array(graph.transitions);
    this.#tries = new Uint8Array(graph.transitions);
    this.#left = Int32Array.from(
      { length: states },
      (_, state) => firstEvent[state + 1]! - firstEvent[state]!,
    );
    this.#via = new Int32Array(states).fill(-1);
    this.#reached = new Uint8Array(states);
    this.#reached[0] = 1;
  }

  async replay(): Promise<Replay> {
    do await this.#doAll(); while (await this.#findChoices());
    const disagreements: string[] = [];
    for (const { event, report } of this.#disagreements.values()) {
      disagreements.push(await this.#shorten(event) ?? report);
    }
    return {
      runs: this.#runs,
      steps: this.#steps,
      states: sum(this.#reached),
      events: this.#events,
      transitions: sum(this.#seen),
      disagreements,
    };
  }

  /** Does every event of every state that was reached, or is meanwhile. */
  async #doAll(): Promise<void> {
    for (let before = -1; this.#events > before;) {
      before = this.#events;
      for (let state = 0; state < this.graph.states; state++) {
        let misses = 0;
        while (this.#reached[state] === 1 && this.#left[state]! > 0) {
          const left = this.#left[state]!;
          await this.#run(this.#wayTo(state, misses > 0));
          if (this.#left[state] === left && ++misses > TRIES) break;
        }
      }
    }
  }

  /** Tries for outcomes not seen yet; whether one led to a new state. */
  async #findChoices(): Promise<boolean> {
    const { graph } = this;
    const before = sum(this.#reached);
    for (let o = 0; o < graph.transitions; o++) {
      const state = graph.source[o]!;
      const target = graph.target[o]!;
      if (this.#reached[state] === 0) continue;
      while (this.#reached[target] === 0 && this.#tries[o]! < TRIES) {
        this.#tries[o]!++;
        await this.#run([...this.#wayTo(state, true), graph.event[o]!]);
      }
    }
    return sum(this.#reached) > before;
  }

  /** One pool: along `way`, then on through what is not done yet. */
  async #run(way: number[]): Promise<void> {
    const { graph } = this;
    const run = new Run(this.scope, this.table, this.#runs++ % 2 === 1);
    for (let state = 0;;) {
      // Where the pool has chosen another way, the rest of this one is void.
      if (way.length > 0 && !this.#has(state, way[0]!)) way = [];
      const event = way.shift() ?? this.#next(state, way);
      if (event === undefined) return;
      const key = await run.step(event - graph.firstEvent[state]!);
      this.#steps++;
      if (this.#done[event] === 0) {
        this.#done[event] = 1;
        this.#left[state]!--;
        this.#events++;
      }
      if (key === undefined) return this.#disagree(event, run);
      state = this.#arrive(event, graph.ids.get(key)!);
    }
  }

  #has(state: number, event: number): boolean {
    return event >= this.graph.firstEvent[state]! &&
      event < this.graph.firstEvent[state + 1]!;
  }

  #arrive(event: number, target: number): number {
    let outcome = this.graph.firstOutcome[event]!;
    while (this.graph.target[outcome] !== target) outcome++;
    this.#seen[outcome] = 1;
    if (this.#reached[target] === 0) {
      this.#reached[target] = 1;
      this.#via[target] = outcome;
    }
    return target;
  }

  /** Keeps the nearest of each kind: numbers make no difference. */
  #disagree(event: number, run: Run): void {
    const kind = run.fault.replaceAll(/\d+/g, "#");
    const known = this.#disagreements.get(kind);
    if (known !== undefined && known.event <= event) return;
    this.#disagreements.set(kind, { event, report: run.report() });
  }

  /** The report of the shortest way to a disagreement, if it takes no more. */
  async #shorten(event: number): Promise<string | undefined> {
    const state = this.graph.source[this.graph.firstOutcome[event]!]!;
    for (const observed of [false, true]) {
      const run = new Run(this.scope, this.table, observed);
      let at = 0;
      for (const next of [...this.#wayTo(state, false), event]) {
        if (!this.#has(at, next)) break;
        const key = await run.step(next - this.graph.firstEvent[at]!);
        if (key === undefined) return run.report();
        at = this.graph.ids.get(key)!;
      }
    }
  }

  /** Events that have led, or may lead, to a state; `other`: not as ever. */
  #wayTo(state: number, other: boolean): number[] {
    const { graph } = this;
    const way: number[] = [];
    for (let at = state; at !== 0 && way.length < LONGEST_WAY;) {
      const ways: number[] = [];
      const end = graph.firstIncoming[at + 1]!;
      for (let i = graph.firstIncoming[at]!; i < end; i++) {
        const outcome = graph.incoming[i]!;
        if (this.#seen[outcome] === 0) continue;
        const from = graph.source[outcome]!;
        if (graph.depth[from]! < graph.depth[at]!) ways.push(outcome);
      }
      const chosen = other ? this.#runs * 31 % Math.max(ways.length, 1) : 0;
      const outcome = ways[chosen] ?? this.#via[at]!;
      way.unshift(graph.event[outcome]!);
      at = graph.source[outcome]!;
    }
    return way;
  }

  /** An event to do in `state`; `way` gets those to be done after it. */
  #next(state: number, way: number[]): number | undefined {
    if (this.#left[state]! > 0) {
      return this.#done.indexOf(0, this.graph.firstEvent[state]!);
    }
    for (const event of this.#search(state)) way.push(event);
    return way.shift();
  }

  /** The shortest way to a state with something left, if one is near. */
  #search(from: number): number[] {
    const { graph } = this;
    const found = [from];
    const via = new Map([[from, -1]]);
    for (const state of found) {
      if (this.#left[state]! > 0) {
        const way: number[] = [];
        for (let at = state; at !== from;) {
          const outcome = via.get(at)!;
          way.unshift(graph.event[outcome]!);
          at = graph.source[outcome]!;
        }
        return way;
      }
      if (found.length > HORIZON) continue;
      const end = graph.firstOutcome[graph.firstEvent[state + 1]!]!;
      for (
        let o = graph.firstOutcome[graph.firstEvent[state]!]!;
        o < end;
        o++
      ) {
        const target = graph.target[o]!;
        if (via.has(target)) continue;
        via.set(target, o);
        found.push(target);
      }
    }
    return [];
  }
}

function sum(numbers: Uint8Array): number {
  return numbers.reduce((total, n) => total + n, 0);
}
