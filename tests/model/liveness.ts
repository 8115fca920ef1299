import type { StateGraph } from "./state_graph.ts";

/** A state from which something that should happen cannot, or need not. */
export interface Stuck {
  readonly fault: string;
  readonly state: number;
}

/** The first state that breaks a liveness property, if any. */
export function findStuck(graph: StateGraph): Stuck | undefined {
  return findRestless(graph) ?? findUnsettled(graph);
}

/** From every state, one is reachable in which all slots are spare or idle. */
function findRestless(graph: StateGraph): Stuck | undefined {
  const reaches = graph.atRest.slice();
  const found: number[] = [];
  reaches.forEach((rests, state) => rests === 1 && found.push(state));
  for (let state; (state = found.pop()) !== undefined;) {
    const end = graph.firstIncoming[state + 1]!;
    for (let i = graph.firstIncoming[state]!; i < end; i++) {
      const before = graph.source[graph.incoming[i]!]!;
      if (reaches[before] === 1) continue;
      reaches[before] = 1;
      found.push(before);
    }
  }
  const state = reaches.indexOf(0);
  if (state >= 0) return { fault: "liveness: never at rest again", state };
}

/**
 * If holders release and creates, destroys and validates settle, all comes to
 * rest, in whatever order and with whatever result they do: the events that
 * end something never go round in a circle, and stop only at rest.
 */
function findUnsettled(graph: StateGraph): Stuck | undefined {
  const into = new Int32Array(graph.states);
  const last = new Uint8Array(graph.states).fill(1);
  for (let o = 0; o < graph.transitions; o++) {
    if (graph.ends[graph.event[o]!] === 0) continue;
    into[graph.target[o]!]!++;
    last[graph.source[o]!] = 0;
  }
  const ready: number[] = [];
  into.forEach((n, state) => n === 0 && ready.push(state));
  let seen = 0;
  for (let state; (state = ready.pop()) !== undefined; seen++) {
    if (last[state] === 1 && graph.atRest[state] === 0) {
      return { fault: "liveness: something never settles", state };
    }
    const end = graph.firstOutcome[graph.firstEvent[state + 1]!]!;
    for (let o = graph.firstOutcome[graph.firstEvent[state]!]!; o < end; o++) {
      if (graph.ends[graph.event[o]!] === 0) continue;
      if (--into[graph.target[o]!]! === 0) ready.push(graph.target[o]!);
    }
  }
  if (seen < graph.states) {
    const state = into.findIndex((n) => n > 0);
    return { fault: "liveness: settling goes round in a circle", state };
  }
}
