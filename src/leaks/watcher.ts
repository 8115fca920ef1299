import { entryOf, type Lease, type Lessor } from "../lease.ts";
import type {
  Acquirer,
  Entry,
  LeaseWatcher,
  WatchedPool,
} from "../lease_watch.ts";
import type { PoolClosedError } from "../pool_error.ts";
import type { HolderDetails } from "../pool_stats.ts";
import { Front } from "./front.ts";
import type { Trace } from "../trace.ts";

/** How many holders an error names. */
const NAMED = 3;

/** A lease that is out. It must not lead to it, or nobody would collect it. */
interface Hold<T> {
  readonly entry: Entry<T>;
  readonly since: number;
  readonly trace: Trace | undefined;
  /** A close may tell of it once more. */
  isTold: boolean;
}

/** Keeps the books of the leases of one pool. */
export class Watcher<T> implements LeaseWatcher<T> {
  readonly #pool: WatchedPool<T>;
  readonly #lessor: Lessor<T>;
  readonly #after: number;
  readonly #sample: number;
  /** Invariant: every lease that is out, in the order they began. */
  readonly #holds = new Map<Entry<T>, Hold<T>>();
  /** Those that are still to be told of, in the same order. */
  #untold = new Set<Hold<T>>();
  readonly #registry = new FinalizationRegistry<Hold<T>>((hold) =>
    this.#collected(hold)
  );
  #closedAt = -Infinity;
  /** Invariant: not `Infinity` while one is untold. */
  due = Infinity;

  constructor(
    pool: WatchedPool<T>,
    lessor: Lessor<T>,
    after: number,
    sample: number,
  ) {
    this.#pool = pool;
    this.#lessor = lessor;
    this.#after = after;
    this.#sample = sample;
    pool.agenda.add(this);
  }

  inFront(acquirer: Acquirer<T>): Acquirer<T> {
    const begin = (lease: Lease<T>, trace?: Trace) => this.#begin(lease, trace);
    return new Front(acquirer, begin, this.#sample);
  }

  release(entry: Entry<T>, failed: boolean): void {
    this.#end(entry);
    this.#lessor.release(entry, failed);
  }

  destroy(entry: Entry<T>): void {
    this.#end(entry);
    this.#lessor.destroy(entry);
  }

  detach(entry: Entry<T>): void {
    this.#end(entry);
    this.#lessor.detach(entry);
  }

  now(): number {
    return this.#lessor.now();
  }

  closed(entry: Entry<T>): PoolClosedError {
    return this.#lessor.closed(entry);
  }

  /** Every lease that is out is told of, once more if it was. */
  closing(): void {
    this.#closedAt = this.#pool.time.now();
    this.#untold = new Set(this.#holds.values());
    const [first] = this.#untold;
    if (first !== undefined) this.#expect(first);
  }

  holders(
    isOf: (stripe: number) => boolean,
    now: number,
    limit = NAMED,
  ): HolderDetails[] | undefined {
    const holders: HolderDetails[] = [];
    for (const hold of this.#holds.values()) {
      const { entry, since, trace, isTold } = hold;
      if (entry.place !== "used" || !isOf(entry.stripe)) continue;
      const { place: where, words: stack } = trace ?? {};
      holders.push({ age: now - since, where, stack, isTold });
      if (holders.length === limit) break;
    }
    return holders.length > 0 ? holders : undefined;
  }

  work(now: number): void {
    this.due = Infinity;
    for (const hold of this.#untold) {
      if (now < this.#dueOf(hold)) return this.#expect(hold);
      this.#untold.delete(hold);
      // An aborted close may have taken it back.
      if (hold.entry.place === "used") this.#tell(hold, now);
    }
  }

  /** Without a timer nobody is told. */
  fail(): void {
    this.due = Infinity;
  }

  /** A lease is given out. */
  #begin(lease: Lease<T>, trace: Trace | undefined): void {
    const entry = entryOf(lease);
    const since = this.#pool.time.now();
    const hold = { entry, since, trace, isTold: false };
    this.#holds.set(entry, hold);
    this.#untold.add(hold);
    this.#registry.register(lease, hold, hold);
    if (this.due === Infinity) this.#expect(hold);
  }

  #dueOf({ since }: Hold<T>): number {
    return Math.max(since, this.#closedAt) + this.#after;
  }

  #expect(hold: Hold<T>): void {
    this.due = this.#dueOf(hold);
    this.#pool.agenda.advance(this.due);
  }

  #end(entry: Entry<T>): void {
    const hold = this.#holds.get(entry)!;
    this.#holds.delete(entry);
    this.#untold.delete(hold);
    this.#registry.unregister(hold);
  }

  /** Nobody can end the lease any more; its holder may still use the resource. */
  #collected(hold: Hold<T>): void {
    const { entry } = hold;
    const isNew = this.#untold.delete(hold) && entry.place === "used";
    this.#holds.delete(entry);
    this.#pool.destroy(entry, "leaked");
    if (isNew) this.#tell(hold, this.#pool.time.now());
  }

  #tell(hold: Hold<T>, now: number): void {
    const { entry, since, trace } = hold;
    hold.isTold = true;
    const { resource, stripe } = entry;
    const event = { resource, stripe, held: now - since, stack: trace?.words };
    this.#pool.events.tell("leaked", event);
  }
}
