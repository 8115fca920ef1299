import type { Entry } from "../core/entry.ts";
import type { PoolObserver, Told } from "../pool_observer.ts";
import { occupy, type Seat } from "../seat.ts";
import { isThenable } from "./user_call.ts";

interface ObserverSeat<T> extends Seat {
  readonly observer: PoolObserver<T>;
  readonly asksPending: boolean;
}

/** Tells the observers, if there are any; what they throw is dropped. */
export class Events<T> {
  readonly #pool: string;
  /** Replaced when one comes or goes: who is told of an event stays. */
  #seats: readonly ObserverSeat<T>[] = [];

  constructor(pool: string) {
    this.#pool = pool;
  }

  get isObserved(): boolean {
    return this.#seats.length > 0;
  }

  /** Whether anybody is to hear how many acquires are pending. */
  get asksPending(): boolean {
    return this.#seats.some(({ asksPending }) => asksPending);
  }

  /**
   * One that hears it already does not hear it twice. Gives what ends it, and
   * calls `ended` then.
   */
  add(observer: PoolObserver<T>, ended: () => void): Disposable {
    const asksPending = observer.pendingChanged !== undefined;
    const known = this.#seats.find((seat) => seat.observer === observer);
    const seat = known ?? { observer, asksPending, times: 0 };
    if (known === undefined) this.#seats = [...this.#seats, seat];
    return occupy(seat, () => {
      this.#seats = this.#seats.filter((other) => other !== seat);
      ended();
    });
  }

  acquired({ resource, stripe }: Entry<T>, wait: number): void {
    const pool = this.#pool;
    this.#tell("acquired", { pool, resource, stripe, wait });
  }

  released({ resource, stripe }: Entry<T>, use: number): void {
    const pool = this.#pool;
    this.#tell("released", { pool, resource, stripe, use });
  }

  detached(entry: Entry<T>, now: number): void {
    const { resource, stripe, bornAt, usedAt, uses } = entry;
    const [age, use] = [now - bornAt, now - usedAt];
    this.tell("detached", { resource, stripe, age, uses, use });
  }

  /** One that comes after the end is told of it alone. */
  closed(observer: PoolObserver<T>): void {
    tell(observer, "closed", { pool: this.#pool });
  }

  /** Something has been given back or made: whether it went idle is told. */
  rested({ resource, stripe, place }: Entry<T>): void {
    if (place !== "idle") return;
    const pool = this.#pool;
    this.#tell("idled", { pool, resource, stripe });
  }

  tell<K extends keyof PoolObserver<T>>(name: K, event: Told<T, K>): void {
    if (this.isObserved) this.#tell(name, { pool: this.#pool, ...event });
  }

  /** Each gets an event of its own, which it may change. */
  #tell(name: keyof PoolObserver<T>, event: object): void {
    const seats = this.#seats;
    for (const { observer, times } of seats) {
      // One told before may have taken it away.
      if (times === 0) continue;
      tell(observer, name, seats.length === 1 ? event : { ...event });
    }
  }
}

function tell<T>(
  observer: PoolObserver<T>,
  name: keyof PoolObserver<T>,
  event: object,
): void {
  try {
    const result: unknown = observer[name]?.(event as never);
    if (isThenable(result)) Promise.resolve(result).catch(() => {});
  } catch {
    // An observer only watches.
  }
}
