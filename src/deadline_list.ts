import { Waiter } from "./waiter_queue.ts";

/**
 * The deadlines of waiters, `Infinity` included. Adding is O(1) while they
 * ascend, as they do when all have the same timeout; others open further runs,
 * found by binary search, as in patience sorting. Removing is O(1).
 */
export class DeadlineList {
  /**
   * Circular lists, each through a sentinel whose deadline is -Infinity.
   * Invariant: deadlines ascend within a run.
   */
  private runs: Waiter[] = [];
  /** Invariant: how many waiters are in. */
  size = 0;

  add(waiter: Waiter): void {
    const deadline = waiter.since + waiter.timeout;
    const run = this.run(deadline);
    const last = run.sooner!;
    waiter.sooner = last;
    waiter.later = run;
    last.later = run.sooner = waiter;
    this.size++;
  }

  /** Takes a waiter out; `false` if it is not in. */
  remove(waiter: Waiter): boolean {
    const { sooner, later } = waiter;
    if (sooner === undefined || later === undefined) return false;
    sooner.later = later;
    later.sooner = sooner;
    waiter.sooner = waiter.later = undefined;
    this.size--;
    return true;
  }

  /** The earliest deadline, `Infinity` if there is none. */
  earliest(): number {
    let earliest = Infinity;
    for (const run of this.runs) {
      if (run.later !== run) {
        earliest = Math.min(earliest, deadlineOf(run.later!));
      }
    }
    return earliest;
  }

  /** Up to `limit` waiters whose deadline is at or before `now`; they stay in. */
  expired(now: number, limit: number): Waiter[] {
    const expired: Waiter[] = [];
    for (const run of this.runs) {
      let waiter = run.later!;
      while (
        waiter !== run && deadlineOf(waiter) <= now && expired.length < limit
      ) {
        expired.push(waiter);
        waiter = waiter.later!;
      }
    }
    this.runs = this.runs.filter((run) => run.later !== run);
    return expired;
  }

  /**
   * A run whose last deadline is not after `deadline`. Last deadlines descend
   * from run to run until waiters are removed; where the search then misses a
   * fitting run, a new one is as good.
   */
  private run(deadline: number): Waiter {
    const runs = this.runs;
    let low = 0;
    let high = runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (deadlineOf(runs[middle]!.sooner!) <= deadline) high = middle;
      else low = middle + 1;
    }
    const found = runs[low];
    if (found !== undefined) return found;
    const run = new Waiter(0, 0, -Infinity, 0);
    run.sooner = run.later = run;
    runs.push(run);
    return run;
  }
}

function deadlineOf(waiter: Waiter): number {
  return waiter.since + waiter.timeout;
}
