/**
 * A pending acquire: the seed's `Waiter`. It is in one queue until it settles
 * and in none after: leaving is what settles it, so it settles once.
 */
export class Waiter {
  /** The queue it is in; `undefined` once settled. */
  queue: WaiterQueue | undefined = undefined;
  next: Waiter | undefined = undefined;
  previous: Waiter | undefined = undefined;
  /** Neighbours in a `DeadlineList`; both or neither are set. */
  later: Waiter | undefined = undefined;
  sooner: Waiter | undefined = undefined;
  /** The signal that can cancel it. */
  signal: AbortSignal | undefined = undefined;
  /** Settles the caller's promise; called once, by the effect of leaving. */
  wake: (result: unknown) => void = unset;

  /** Its place: arrivals of one line ascend. */
  readonly order: number;
  /** Number of its home stripe, or -1. */
  readonly home: number;
  /** When it came, in milliseconds of the clock. */
  readonly since: number;
  /** How long it waits, in milliseconds. */
  readonly timeout: number;

  constructor(order: number, home: number, since: number, timeout: number) {
    this.order = order;
    this.home = home;
    this.since = since;
    this.timeout = timeout;
  }
}

function unset(): never {
  throw new Error("bug: a waiter was woken before it had a promise");
}

/** A FIFO of waiters; every operation but `insert` is O(1), memory and all. */
export class WaiterQueue {
  /** Invariant: how many waiters have this as their `queue`. */
  length = 0;
  private head: Waiter | undefined = undefined;
  private tail: Waiter | undefined = undefined;

  push(waiter: Waiter): void {
    this.link(this.tail, waiter, undefined);
  }

  /** Puts a waiter back at its old place, before all who came later. */
  insert(waiter: Waiter): void {
    let next = this.head;
    while (next !== undefined && next.order < waiter.order) next = next.next;
    this.link(next === undefined ? this.tail : next.previous, waiter, next);
  }

  shift(): Waiter | undefined {
    const head = this.head;
    if (head !== undefined) this.remove(head);
    return head;
  }

  /** Takes out a waiter that is in this queue. */
  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    waiter.queue = waiter.previous = waiter.next = undefined;
    this.length--;
  }

  private link(
    previous: Waiter | undefined,
    waiter: Waiter,
    next: Waiter | undefined,
  ): void {
    waiter.queue = this;
    waiter.previous = previous;
    waiter.next = next;
    if (previous === undefined) this.head = waiter;
    else previous.next = waiter;
    if (next === undefined) this.tail = waiter;
    else next.previous = waiter;
    this.length++;
  }
}

/** Waiters in order of arrival, and what the demand rule needs to know. */
export class Line {
  /** Waiters to be offered the next resource, by `order`. */
  readonly waiting: WaiterQueue = new WaiterQueue();
  /** Waiters whose resource is under `validate`. */
  readonly validating: WaiterQueue = new WaiterQueue();
  /** Creates in flight for this line, over all stripes that serve it. */
  creating = 0;
  /** The `order` of the next arrival. */
  arrivals = 0;

  /** Whether a resource is validated before each reuse. */
  readonly validates: boolean;

  constructor(validates: boolean) {
    this.validates = validates;
  }

  get pending(): number {
    return this.waiting.length + this.validating.length;
  }
}
