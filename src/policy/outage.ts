import { jitter } from "./jitter.ts";

/** How long to wait between probes, in ms. */
interface Backoff {
  readonly delay: number;
  readonly maxDelay: number;
}

/**
 * From a create that failed until one that began later succeeds: one probe per
 * delay, which doubles and is jittered. A server just back gets no burst
 * either: the allowance doubles from one with each success.
 */
export class Outage {
  readonly #delay: number;
  readonly #maxDelay: number;
  /** Creates that may be in flight, but for `nextAt`; doubled by success. */
  #allowance = Infinity;
  #backoff = 0;
  /** Numbers the begins and ends of creates. */
  #moment = 0;
  /** The moments of the latest success, and failure that counted. */
  #successAt = 0;
  #failureAt = 0;
  /** When it began; `undefined` while there is none. */
  since: number | undefined = undefined;
  /** Until then no create may begin. */
  nextAt = -Infinity;

  constructor({ delay, maxDelay }: Backoff) {
    this.#delay = delay;
    this.#maxDelay = maxDelay;
  }

  /** Whether no create has succeeded yet. */
  get isNew(): boolean {
    return this.#successAt === 0;
  }

  allowance(now: number): number {
    return now < this.nextAt ? 0 : this.#allowance;
  }

  /** The moment of a create that begins. */
  began(): number {
    return ++this.#moment;
  }

  /** A create succeeded; gives whether that ends the outage. */
  succeeded(began: number): boolean {
    this.#successAt = ++this.#moment;
    if (began < this.#failureAt) return false;
    this.#allowance *= 2;
    // Far above what any pool has in flight.
    if (this.#allowance > 1e6) this.#allowance = Infinity;
    this.nextAt = -Infinity;
    this.#backoff = 0;
    const isEnd = this.since !== undefined;
    this.since = undefined;
    return isEnd;
  }

  /**
   * A create failed, beside so many that are in flight; gives whether that begins
   * an outage. One that began before the latest success does not, as a server
   * that takes no more has not gone: its place is not tried again at once.
   */
  failed(began: number, now: number, inFlight: number): boolean {
    const moment = ++this.#moment;
    if (began < this.#successAt) {
      this.#allowance = Math.min(this.#allowance, Math.max(1, inFlight));
      return false;
    }
    this.#allowance = 1;
    // Those that fail together count once.
    if (began > this.#failureAt) {
      this.#failureAt = moment;
      this.#backoff = Math.min(
        this.#backoff * 2 || this.#delay,
        this.#maxDelay,
      );
      this.nextAt = now + jitter(this.#backoff);
    }
    if (this.since !== undefined) return false;
    this.since = now;
    return true;
  }
}
