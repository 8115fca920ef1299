/** The least patience, in ms, and that while no create has succeeded. */
const LEAST = 250;
const FIRST = 1_000;

/** The weights of a newer sample in the mean and in the mean deviation. */
const GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;

/**
 * How long creates take, and how long one may before it is overdue: the mean
 * and four mean deviations, doubled by each that is, as TCP estimates when to
 * send again (RFC 6298). Durations are ms.
 */
export class Pace {
  /** The usual time of a create; `undefined` while none has succeeded. */
  usual: number | undefined = undefined;
  #deviation = 0;
  /** By how much those that were overdue since the last success stretch it. */
  #stretch = 1;

  get patience(): number {
    const { usual } = this;
    const least = usual === undefined
      ? FIRST
      : Math.max(LEAST, usual + 4 * this.#deviation);
    return least * this.#stretch;
  }

  succeeded(took: number): void {
    this.#stretch = 1;
    const { usual } = this;
    if (usual === undefined) {
      this.usual = took;
      this.#deviation = took / 2;
      return;
    }
    const error = took - usual;
    this.usual = usual + GAIN * error;
    this.#deviation += DEVIATION_GAIN * (Math.abs(error) - this.#deviation);
  }

  wasOverdue(): void {
    this.#stretch *= 2;
  }
}
