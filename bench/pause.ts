import process from "node:process";
import { setImmediate } from "node:timers";

/** Milliseconds on a processor: what all took, and the longest without a turn. */
export interface Span {
  time: number;
  pause: number;
}

/**
 * Lets the event loop turn until `done`, with `step` called in each turn, and
 * measures it. The longest time that one turn took is how long any other event
 * had to wait. Fails after `limit` milliseconds.
 */
export async function turns(
  done: () => boolean,
  limit: number,
  step: () => void = () => {},
): Promise<Span> {
  const start = performance.now();
  const span = { time: 0, pause: 0 };
  while (!done()) {
    if (performance.now() - start > limit) {
      throw new Error(`not done after ${limit / 1_000} s`);
    }
    const usage = process.cpuUsage();
    step();
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const { user, system } = process.cpuUsage(usage);
    const turn = (user + system) / 1e3;
    span.time += turn;
    span.pause = Math.max(span.pause, turn);
  }
  return span;
}
