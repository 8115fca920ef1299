import type { Clock } from "../../src/clock.ts";
import { Heap, type HeapNode } from "../../src/core/heap.ts";

/** So many turns let everything settle that waits for no timer. */
const TURNS = 30;

interface Moment {
  readonly time: number;
  readonly act: () => void;
  /** Where it is, until it has come or was called off. */
  spot: HeapNode<Moment> | undefined;
}

/** Virtual time for very many timers. */
export class Timeline {
  #now = 0;
  readonly #heap = new Heap<Moment>();

  /** In ms. */
  get now(): number {
    return this.#now;
  }

  after(delay: number, act: () => void): Moment {
    const time = this.#now + delay;
    const moment: Moment = { time, act, spot: undefined };
    moment.spot = this.#heap.add(time, moment);
    return moment;
  }

  callOff(moment: Moment): void {
    if (moment.spot !== undefined) this.#heap.remove(moment.spot);
    moment.spot = undefined;
  }

  /** Moves on to a time, from moment to moment, each of which it lets settle. */
  async run(end: number): Promise<void> {
    for (let next; (next = this.#heap.first) !== undefined;) {
      if (next.time > end) break;
      this.callOff(next);
      this.#now = next.time;
      next.act();
      for (let turn = 0; turn < TURNS; turn++) await undefined;
    }
    this.#now = end;
  }
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
    if (handle !== undefined) this.#timeline.callOff(handle as Moment);
  }

  kill(): void {
    this.#isDead = true;
  }
}
