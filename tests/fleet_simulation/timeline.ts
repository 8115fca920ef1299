import type { Clock } from "../../src/clock.ts";

/** So many turns let everything settle that waits for no timer. */
const TURNS = 30;

interface Moment {
  readonly time: number;
  readonly order: number;
  act: (() => void) | undefined;
}

/** Virtual time for very many timers: the next one is found in a heap. */
export class Timeline {
  #now = 0;
  #set = 0;
  readonly #heap: Moment[] = [];

  /** In ms. */
  get now(): number {
    return this.#now;
  }

  /** How many moments are to come, those that were called off among them. */
  get pending(): number {
    return this.#heap.length;
  }

  after(delay: number, act: () => void): Moment {
    const moment = { time: this.#now + delay, order: this.#set++, act };
    const heap = this.#heap;
    let at = heap.push(moment) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(moment, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = moment;
    return moment;
  }

  /** Moves on to a time, from moment to moment, each of which it lets settle. */
  async run(end: number): Promise<void> {
    while (this.#heap.length > 0 && this.#heap[0]!.time <= end) {
      const { time, act } = this.#take();
      if (act === undefined) continue;
      this.#now = time;
      act();
      for (let turn = 0; turn < TURNS; turn++) await undefined;
    }
    this.#now = end;
  }

  #take(): Moment {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop()!;
    if (heap.length === 0) return last;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const other = heap[child + 1];
      if (other !== undefined && isBefore(other, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first!;
  }
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** The clock of one machine: it goes at its own pace, until it is killed. */
export class MachineClock implements Clock {
  readonly #timeline: Timeline;
  readonly #pace: number;
  #isDead = false;

  constructor(timeline: Timeline, pace: number) {
    this.#timeline = timeline;
    this.#pace = pace;
  }

  now(): number {
    return this.#timeline.now * this.#pace;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    // Timers count whole milliseconds.
    return this.#timeline.after(Math.ceil(delay / this.#pace), () => {
      if (!this.#isDead) callback();
    });
  }

  clearTimeout(handle: unknown): void {
    if (handle !== undefined) (handle as Moment).act = undefined;
  }

  kill(): void {
    this.#isDead = true;
  }
}
