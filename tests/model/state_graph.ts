/** A list of numbers that takes four bytes for each. */
class IntList {
  #items = new Int32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const grown = new Int32Array(this.#length * 2);
      grown.set(this.#items);
      this.#items = grown;
    }
    this.#items[this.#length++] = value;
  }

  take(): Int32Array {
    return this.#items.subarray(0, this.#length);
  }
}

/** What an explorer adds state by state, each with its events in order. */
export class StateGraphBuilder {
  readonly #ids = new Map<string, number>();
  readonly #parent = new IntList();
  readonly #parentEvent = new IntList();
  readonly #atRest = new IntList();
  readonly #firstEvent = new IntList();
  readonly #firstOutcome = new IntList();
  readonly #ends = new IntList();
  readonly #target = new IntList();

  find(key: string): number | undefined {
    return this.#ids.get(key);
  }

  /** Adds a state first reached from `parent` by its `event`th event. */
  addState(key: string, parent: number, event: number, rest: boolean): number {
    const id = this.#ids.size;
    this.#ids.set(key, id);
    this.#parent.push(parent);
    this.#parentEvent.push(event);
    this.#atRest.push(rest ? 1 : 0);
    return id;
  }

  /** From now on events are those of the next state. */
  beginState(): void {
    this.#firstEvent.push(this.#firstOutcome.length);
  }

  addEvent(ends: boolean): void {
    this.#firstOutcome.push(this.#target.length);
    this.#ends.push(ends ? 1 : 0);
  }

  addOutcome(target: number): void {
    this.#target.push(target);
  }

  /** The way to a state, as the states on it. */
  path(state: number): number[] {
    const path = [state];
    const parents = this.#parent.take();
    while (path[0] !== 0) path.unshift(parents[path[0]!]!);
    return path;
  }

  parentEvent(state: number): number {
    return this.#parentEvent.take()[state]!;
  }

  build(): StateGraph {
    this.#firstEvent.push(this.#firstOutcome.length);
    this.#firstOutcome.push(this.#target.length);
    return new StateGraph(
      this.#ids,
      this.#firstEvent.take(),
      this.#firstOutcome.take(),
      this.#target.take(),
      this.#ends.take(),
      this.#atRest.take(),
      this.#parent.take(),
    );
  }
}

/**
 * Every reachable state, numbered in order of discovery; 0 is the first. A
 * state has a range of events, an event a range of outcomes, and each outcome
 * leads to a state.
 */
export class StateGraph {
  /** The state and event of each outcome. */
  readonly source: Int32Array;
  readonly event: Int32Array;
  /** Outcomes by the state they lead to: a range of `incoming` for each. */
  readonly firstIncoming: Int32Array;
  readonly incoming: Int32Array;
  /** The length of the shortest way to each state. */
  readonly depth: Int32Array;

  constructor(
    readonly ids: ReadonlyMap<string, number>,
    readonly firstEvent: Int32Array,
    readonly firstOutcome: Int32Array,
    readonly target: Int32Array,
    /** Whether an event ends something begun. */
    readonly ends: Int32Array,
    /** Whether nothing is under way in a state. */
    readonly atRest: Int32Array,
    parent: Int32Array,
  ) {
    this.source = new Int32Array(target.length);
    this.event = new Int32Array(target.length);
    this.firstIncoming = new Int32Array(this.states + 1);
    this.incoming = new Int32Array(target.length);
    this.depth = new Int32Array(this.states);
    for (let state = 0; state < this.states; state++) {
      if (state > 0) this.depth[state] = this.depth[parent[state]!]! + 1;
      for (let e = firstEvent[state]!; e < firstEvent[state + 1]!; e++) {
        for (let o = firstOutcome[e]!; o < firstOutcome[e + 1]!; o++) {
          this.source[o] = state;
          this.event[o] = e;
          this.firstIncoming[target[o]! + 1]!++;
        }
      }
    }
    for (let state = 0; state < this.states; state++) {
      this.firstIncoming[state + 1]! += this.firstIncoming[state]!;
    }
    const next = this.firstIncoming.slice();
    target.forEach((state, o) => this.incoming[next[state]!++] = o);
  }

  get states(): number {
    return this.ids.size;
  }

  get events(): number {
    return this.ends.length;
  }

  get transitions(): number {
    return this.target.length;
  }
}
