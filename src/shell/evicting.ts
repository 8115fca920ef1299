import type { Entry } from "../core/entry.ts";
import type { Aged } from "../pool_options.ts";
import type { Eviction } from "./eviction.ts";
import type { Parts } from "./parts.ts";
import type { Supply } from "./supply.ts";

/** Says what is to be retired; user code. */
type Predicate<T> = (resource: T, context: Aged) => boolean;

/** Retires what a predicate says, now or spread over some time. */
export class Evicting<T> {
  readonly #parts: Parts<T>;
  readonly #eviction: Eviction<T>;
  readonly #supply: Supply<T>;

  constructor(parts: Parts<T>, eviction: Eviction<T>, supply: Supply<T>) {
    this.#parts = parts;
    this.#eviction = eviction;
    this.#supply = supply;
  }

  /** Gives how many it retires of those that are idle or used. */
  evict(predicate: Predicate<T>, within: number): number {
    const now = this.#parts.time.now();
    const { stripes } = this.#parts.partition;
    const found = stripes.flatMap((stripe) => [...stripe.entries()])
      .filter((entry) => predicate(entry.resource, aged(entry, now)));
    // The predicate may have called the pool.
    const matches = found.filter(isIn);
    matches.forEach((entry, i) => {
      this.#retire(entry, now + within * i / matches.length, now);
    });
    for (const birth of this.#supply.inFlight()) {
      birth.asks.push((entry) => this.#ask(entry, predicate));
    }
    this.#parts.play();
    return matches.length;
  }

  /** Retires all. */
  clear(): void {
    for (const line of this.#parts.partition.lines) line.clear();
    this.#parts.play();
  }

  /** Asks of one that was in flight. */
  #ask(entry: Entry<T>, predicate: Predicate<T>): void {
    // An `evict` before, or who was told of it, may have had it destroyed.
    if (!isIn(entry)) return;
    const now = this.#parts.time.now();
    let isMatch = true;
    try {
      isMatch = predicate(entry.resource, aged(entry, now));
    } catch {
      // Nobody is there to hear of it: the resource is not kept.
    }
    if (isMatch) this.#retire(entry, now, now);
  }

  #retire(entry: Entry<T>, at: number, now: number): void {
    const line = this.#parts.partition.lineOf(entry.stripe);
    if (at <= now) return line.retire(entry, "evict");
    line.shorten(entry, at, "evict");
    this.#eviction.expect(at);
  }
}

function aged<T>({ releasedAt, bornAt, uses }: Entry<T>, now: number): Aged {
  return { idle: now - releasedAt, age: now - bornAt, uses };
}

function isIn<T>({ place }: Entry<T>): boolean {
  return place === "idle" || place === "used";
}
