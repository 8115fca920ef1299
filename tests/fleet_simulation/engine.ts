import type { Book } from "../../src/fleet/book.ts";
import type { Shelf } from "../../src/fleet/shelf.ts";
import type { Random } from "../simulation/random.ts";
import type { Timeline } from "./timeline.ts";

/** Milliseconds for which a message is on its way, at least and at most. */
const WAY = [0.25, 1] as const;

/** How often an engine was asked. */
export interface Load {
  reads: number;
  swaps: number;
  /** Of those, how many came too late. */
  lost: number;
  /** How many members were told of changes. */
  told: number;
}

/** The one value of a fleet, on a server some way off. */
export class Engine {
  readonly load: Load = { reads: 0, swaps: 0, lost: 0, told: 0 };
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #watchers = new Set<(version: string) => void>();
  /** Is given each book that is written. */
  readonly #judge: (book: Book) => void;
  #book: Book;
  #version = 0;

  constructor(
    timeline: Timeline,
    random: Random,
    max: number,
    judge: (book: Book) => void,
  ) {
    this.#timeline = timeline;
    this.#random = random;
    this.#judge = judge;
    this.#book = { max, writes: 0, members: new Map() };
  }

  get book(): Book {
    return this.#book;
  }

  /** The way of one member to it, which ends when it is killed. */
  connect(): Shelf & { kill(): void } {
    let isDead = false;
    let changed = (_: string) => {};
    // What was sent arrives; nobody hears the answer.
    const call = <R>(act: () => R) =>
      new Promise<R>((resolve) => {
        this.#timeline.after(this.#way(), () => {
          const answer = act();
          this.#timeline.after(this.#way(), () => {
            if (!isDead) resolve(answer);
          });
        });
      });
    return {
      read: () => call(() => this.#read()),
      swap: (version, book) => call(() => this.#swap(version, book)),
      watch: (listener) => {
        changed = listener;
        this.#watchers.add(changed);
        return () => Promise.resolve();
      },
      kill: () => {
        isDead = true;
        this.#watchers.delete(changed);
      },
    };
  }

  #way(): number {
    const [least, most] = WAY;
    return least + this.#random.real() * (most - least);
  }

  #read(): { book: Book; version: string } {
    this.load.reads++;
    return { book: this.#book, version: `${this.#version}` };
  }

  #swap(version: string, book: Book): string | undefined {
    this.load.swaps++;
    if (version !== `${this.#version}`) {
      this.load.lost++;
      return undefined;
    }
    this.#book = book;
    const next = `${++this.#version}`;
    this.#judge(book);
    this.#timeline.after(this.#way(), () => {
      this.load.told += this.#watchers.size;
      for (const changed of this.#watchers) changed(next);
    });
    return next;
  }
}
