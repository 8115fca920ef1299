import process from "node:process";
import { setImmediate } from "node:timers";

/** Milliseconds. */
export interface Span {
  /** On a processor, by all threads of the process. */
  time: number;
  /**
   * The longest turn: the lesser of its time on the wall, which counts other
   * programs on the machine, and its time on a processor, which counts threads
   * that collect garbage beside. What the process itself stops the event loop
   * for is no longer than either.
   */
  pause: number;
}

/**
 * Lets the event loop turn until nothing is `left` to do, with `step` called in
 * each turn, and measures the turns in which something was done: in the others
 * it does no more than look. The longest turn is how long any other event had
 * to wait. Fails after `limit` milliseconds.
 */
export async function turns(
  left: () => number,
  limit: number,
  step: () => void = () => {},
): Promise<Span> {
  const start = performance.now();
  const span = { time: 0, pause: 0 };
  for (let before = left(); before > 0;) {
    if (performance.now() - start > limit) {
      throw new Error(`not done after ${limit / 1_000} s`);
    }
    const begin = performance.now();
    const usage = process.cpuUsage();
    step();
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const { user, system } = process.cpuUsage(usage);
    const wall = performance.now() - begin;
    const after = left();
    if (after === before) continue;
    before = after;
    const cpu = (user + system) / 1e3;
    span.time += cpu;
    span.pause = Math.max(span.pause, Math.min(wall, cpu));
  }
  return span;
}
