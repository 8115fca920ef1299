import type { Creation } from "../core/creation.ts";
import type { Entry } from "../core/entry.ts";

/** A call of `create`, and then what it made. */
export class Birth<T> {
  readonly creation: Creation;
  /** When it began, in ms of the clock, and among the creates of its line. */
  readonly began: number;
  readonly moment: number;
  /** How many creates of the pool had begun before it. */
  readonly number: number;
  readonly controller: AbortController = new AbortController();
  /** Whether it has settled. */
  isOver = false;
  entry: Entry<T> | undefined = undefined;
  /** What `lost` was called with before it had settled. */
  loss: unknown = undefined;

  constructor(
    creation: Creation,
    began: number,
    moment: number,
    number: number,
  ) {
    this.creation = creation;
    this.began = began;
    this.moment = moment;
    this.number = number;
  }
}
