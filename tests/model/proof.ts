import { explore } from "./explorer.ts";
import { replay } from "./replay.ts";
import type { Scope } from "./scope.ts";
import { TransitionTable } from "./transition_table.ts";
import { rulesOf } from "./world.ts";

/** What was shown of a scope, in words, and what spoke against it. */
export interface Proof {
  readonly report: string;
  readonly faults: string[];
}

/** Explores a scope and replays it on the real pool. */
export async function prove(scope: Scope): Promise<Proof> {
  const table = new TransitionTable(rulesOf(scope));
  const began = performance.now();
  let graph;
  try {
    graph = explore(scope, table);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { report: `${scope.name}\n  broken`, faults: [message] };
  }
  const explored = performance.now();
  const done = await replay(scope, table, graph);
  const replayed = performance.now();
  const lines = [
    scope.name,
    `explored ${graph.states} states, ${graph.events} events, ` +
    `${graph.transitions} transitions in ${seconds(began, explored)}`,
    `replayed ${done.events} events, ${done.transitions} transitions ` +
    `by ${done.runs} pools in ${done.steps} steps, ` +
    seconds(explored, replayed),
  ];
  const choices = graph.transitions - done.transitions;
  if (choices > 0 && done.disagreements.length === 0) {
    lines.push(
      `not replayed: ${choices} transitions, of choices between stripes that ` +
        `the pool never made, and ${graph.states - done.states} states ` +
        `(${graph.events - done.events} events) beyond them`,
    );
  }
  const faults = done.disagreements.map((report) => `${scope.name}: ${report}`);
  return { report: lines.join("\n  "), faults };
}

function seconds(from: number, to: number): string {
  return `${((to - from) / 1_000).toFixed(1)} s`;
}
