/** What a newcomer finds in its line. Durations are ms. */
export interface Queue {
  /** Its place, from 1. */
  readonly place: number;
  /** Creates in flight that are counted on. */
  readonly coming: number;
  readonly used: number;
  /** The usual time of a create, if one is known, and of a use. */
  readonly createTime: number | undefined;
  readonly useTime: number;
}

/**
 * When a line that could wait for what is used grows instead. As in the problem
 * of ski rental: waits too short to be worth a create add up, and buy one when
 * they would have paid for it. It has no parameter.
 */
export class Growth {
  /** The waits that have not bought a create yet. */
  #credit = 0;

  /** How many creates the newcomer adds, and the wait it is charged. */
  joined(queue: Queue): { creates: number; wait: number } {
    const { place, coming, used, createTime, useTime } = queue;
    if (used === 0 || createTime === undefined) return { creates: 1, wait: 0 };
    // While no use has ended, its time is `Infinity`: times 0 it were NaN.
    const wait = place > coming ? useTime * (place - coming) / used : 0;
    if (wait >= createTime) return { creates: 1, wait: 0 };
    const credit = this.#credit + wait;
    const creates = Math.floor(credit / createTime);
    this.#credit = credit - creates * createTime;
    return { creates, wait };
  }

  /** One leaves unserved: what it was charged was not waited. */
  left(wait: number): void {
    this.#credit = Math.max(0, this.#credit - wait);
  }

  /** A resource was idle for too long: there are enough. */
  reset(): void {
    this.#credit = 0;
  }
}
