import { beginning, type Position, Run } from "./run.ts";
import type { Scope } from "./scope.ts";
import type { StateGraph } from "./state_graph.ts";
import { PASTS } from "./subject.ts";
import type { TransitionTable } from "./transition_table.ts";

/** How many states a run looks through for something not replayed yet. */
const HORIZON = 48;

/** How often a choice not seen yet is tried for, by several ways and pasts. */
const TRIES = 2 * PASTS;

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
  readonly state: number;
  /** -1 if no event was needed for it. */
  readonly event: number;
  readonly observed: boolean;
  readonly report: string;
}

class Replayer {
  readonly #done: Uint8Array;
  readonly #seen: Uint8Array;
  /** Events of each state that are not done yet. */
  readonly #left: Int32Array;
  /** Where a pool was led that came to a state; the same leads there again. */
  readonly #positions: (Position | undefined)[];
  readonly #lengths: Int32Array;
  /** How often each outcome was tried for in vain. */
  readonly #tries: Uint8Array;
  readonly #disagreements = new Map<string, Disagreement>();
  #runs = 0;
  #steps = 0;
  #events = 0;
  #reached = 1;

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
    this.#lengths = new Int32Array(states);
    this.#positions = new Array(states);
    this.#positions[0] = beginning(scope, 0);
  }

  async replay(): Promise<Replay> {
    do await this.#doAll(); while (await this.#findChoices());
    const disagreements: string[] = [];
    for (const found of this.#disagreements.values()) {
      disagreements.push(await this.#shorten(found));
    }
    return {
      runs: this.#runs,
      steps: this.#steps,
      states: this.#reached,
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
        while (this.#left[state]! > 0) {
          const position = this.#positions[state];
          if (position === undefined) break;
          const left = this.#left[state];
          await this.#run(state, position, []);
          if (this.#left[state] === left) break;
        }
      }
    }
  }

  /** Tries for outcomes not seen yet; whether one led to a new state. */
  async #findChoices(): Promise<boolean> {
    const { graph } = this;
    const before = this.#reached;
    for (let o = 0; o < graph.transitions; o++) {
      const state = graph.source[o]!;
      const target = graph.target[o]!;
      if (this.#positions[state] === undefined) continue;
      while (this.#positions[target] === undefined && this.#tries[o]! < TRIES) {
        const from = beginning(this.scope, this.#tries[o]!++ % PASTS);
        const way = this.#wayTo(state, (outcome) => this.#seen[outcome] === 1);
        way.push(graph.event[o]!);
        await this.#run(0, from, way);
      }
    }
    return this.#reached > before;
  }

  /** One pool: on from a state, along `way`, then through what is not done. */
  async #run(state: number, from: Position, way: number[]): Promise<void> {
    const { graph } = this;
    const run = new Run(this.scope, this.table, this.#runs++ % 2 === 1);
    let length = this.#lengths[state]!;
    this.#steps += length;
    if (!await run.goTo(from)) return this.#disagree(run, state, -1);
    for (;;) {
      // Where the pool has chosen another way, the rest of this one is void.
      if (way.length > 0 && !this.#has(state, way[0]!)) way = [];
      const event = way.shift() ?? this.#next(state, way);
      if (event === undefined) return;
      const position = await run.step(event - graph.firstEvent[state]!);
      this.#steps++;
      length++;
      if (this.#done[event] === 0) {
        this.#done[event] = 1;
        this.#left[state]!--;
        this.#events++;
      }
      if (position === undefined) return this.#disagree(run, state, event);
      state = graph.ids.get(position.at.key)!;
      this.#arrive(event, state, position, length);
    }
  }

  #has(state: number, event: number): boolean {
    return event >= this.graph.firstEvent[state]! &&
      event < this.graph.firstEvent[state + 1]!;
  }

  #arrive(
    event: number,
    state: number,
    position: Position,
    length: number,
  ): void {
    let outcome = this.graph.firstOutcome[event]!;
    while (this.graph.target[outcome] !== state) outcome++;
    this.#seen[outcome] = 1;
    const known = this.#positions[state];
    if (known === undefined) this.#reached++;
    else if (this.#lengths[state]! <= length) return;
    this.#positions[state] = position;
    this.#lengths[state] = length;
  }

  /** Keeps the nearest of each kind: numbers make no difference. */
  #disagree(run: Run, state: number, event: number): void {
    const [fault] = run.report.split("\n", 1);
    const kind = fault!.replaceAll(/\d+| \(.*\)/g, "#");
    const known = this.#disagreements.get(kind);
    if (known !== undefined && known.state <= state) return;
    const { observed, report } = run;
    this.#disagreements.set(kind, { state, event, observed, report });
  }

  /** The report of the shortest way to a disagreement, if the pool takes it. */
  async #shorten(found: Disagreement): Promise<string> {
    const way = this.#wayTo(found.state, () => true);
    if (found.event >= 0) way.push(found.event);
    const run = new Run(this.scope, this.table, found.observed);
    let state = 0;
    for (const event of way) {
      if (!this.#has(state, event)) break;
      const position = await run.step(event - this.graph.firstEvent[state]!);
      if (position === undefined) return run.report;
      state = this.graph.ids.get(position.at.key)!;
    }
    return found.report;
  }

  /** A shortest way to a state by outcomes that will do, another each run. */
  #wayTo(state: number, willDo: (outcome: number) => boolean): number[] {
    const { graph } = this;
    const way: number[] = [];
    for (let at = state; at !== 0;) {
      const outcomes = graph.incoming
        .subarray(graph.firstIncoming[at], graph.firstIncoming[at + 1])
        .filter((outcome) => {
          const isNearer = graph.depth[graph.source[outcome]!]! + 1 ===
            graph.depth[at];
          return isNearer && willDo(outcome);
        });
      if (outcomes.length === 0) break;
      const outcome = outcomes[this.#runs * 31 % outcomes.length]!;
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
