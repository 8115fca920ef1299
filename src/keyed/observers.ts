import type { Pool } from "../pool.ts";
import type { PoolObserver } from "../pool_observer.ts";
import { occupy, type Seat } from "../seat.ts";

type Name<T> = keyof PoolObserver<T>;

/** An observer, which hears of the pools of all keys as of one. */
class ObserverSeat<T> implements Seat {
  times = 0;
  readonly #observer: PoolObserver<T>;
  /** Invariant: of every key that has something. */
  readonly #ends = new Map<Pool<T>, Disposable>();
  #ids = 0;
  /** Over all keys, as was told last. */
  #pending = 0;

  constructor(observer: PoolObserver<T>) {
    this.#observer = observer;
  }

  hear(pool: Pool<T>): void {
    this.#ends.set(pool, pool.observe(this.#relay(pool)));
  }

  /** What comes late from the pool of a key that was dropped is still heard. */
  forget(pool: Pool<T>): void {
    this.#ends.delete(pool);
  }

  closed(pool: string): void {
    const tell = async () => await this.#observer.closed?.({ pool });
    // What it throws, or rejects with, is dropped.
    tell().catch(() => {});
  }

  end(): void {
    for (const end of this.#ends.values()) end[Symbol.dispose]();
  }

  /** In its place in a pool, which tells it, and contains what it throws. */
  #relay(pool: Pool<T>): PoolObserver<T> {
    const observer = this.#observer;
    const translated = this.#translator(pool.stats().pending);
    return new Proxy<PoolObserver<T>>({}, {
      get: (_, name: Name<T>) => {
        // The end of a key is not that of the whole.
        if (name === "closed") return undefined;
        if (name === "pendingChanged" && !observer[name]) return undefined;
        return (event: never) => {
          if (this.times === 0) return;
          const own = translated(name, event);
          return observer[name]?.(own as never);
        };
      },
    });
  }

  /** Makes an event of one pool an event of the whole. */
  #translator(pending: number): (name: Name<T>, event: object) => object {
    // Creates and destroys are counted apart.
    const known = { create: new Map(), destroy: new Map() };
    this.#pending += pending;
    return (name, event) => {
      if ("pending" in event) {
        const now = event.pending as number;
        this.#pending += now - pending;
        pending = now;
        return { ...event, pending: this.#pending };
      }
      if (!("id" in event)) return event;
      const ids = name.startsWith("create") ? known.create : known.destroy;
      const id = ids.get(event.id) ?? this.#ids++;
      if (name.endsWith("Began")) ids.set(event.id, id);
      else ids.delete(event.id);
      return { ...event, id };
    };
  }
}

/** Those who observe a keyed pool. */
export class Observers<T> {
  readonly #seats = new Map<PoolObserver<T>, ObserverSeat<T>>();
  /** The name of the whole, once that has closed. */
  #closed: string | undefined = undefined;

  /** One that hears these pools already does not hear them twice. */
  add(observer: PoolObserver<T>, pools: Iterable<Pool<T>>): Disposable {
    const known = this.#seats.get(observer);
    const seat = known ?? new ObserverSeat(observer);
    const end = occupy(seat, () => {
      this.#seats.delete(observer);
      seat.end();
    });
    if (known === undefined) {
      for (const pool of pools) seat.hear(pool);
      this.#seats.set(observer, seat);
    }
    if (this.#closed !== undefined) seat.closed(this.#closed);
    return end;
  }

  hear(pool: Pool<T>): void {
    for (const seat of this.#seats.values()) seat.hear(pool);
  }

  forget(pool: Pool<T>): void {
    for (const seat of this.#seats.values()) seat.forget(pool);
  }

  closed(pool: string): void {
    this.#closed = pool;
    for (const seat of [...this.#seats.values()]) seat.closed(pool);
  }
}
