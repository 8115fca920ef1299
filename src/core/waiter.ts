/** A pending acquire, as the line sees it. */
export class Waiter {
  /**
   * Where it waits: in a queue, put back into it by a heap's node, or for the
   * verdict on an entry. Invariant: `undefined` once it has settled, which is
   * what makes it settle once.
   */
  at: object | undefined = undefined;
  /** Neighbours in the queue. */
  next: Waiter | undefined = undefined;
  previous: Waiter | undefined = undefined;

  /** Its place: arrivals of one line ascend. */
  readonly order: number;
  /** The number of the stripe it prefers, or -1. */
  readonly home: number;
  /** When it came, in ms of the clock. */
  readonly since: number;

  constructor(order: number, home: number, since: number) {
    this.order = order;
    this.home = home;
    this.since = since;
  }
}
