/**
 * What threads agree on: words that they share, and the pure step that says
 * which one of them a thread swaps next. Nothing is written here.
 *
 * A permit is a slot, whose word says who holds it, so no count can be wrong,
 * and a thread that has ended at whatever point holds nothing: its row has got
 * another life, which makes every word with the old one void at once.
 */

/** How many rows and slots there are. */
export interface Shape {
  readonly max: number;
  readonly threads: number;
}

/** What a thread knows of itself, besides the words. */
export interface Self {
  readonly row: number;
  /** The life of the row when it entered; another means that it has ended. */
  readonly life: number;
  /** How many permits it could use. */
  wants: number;
  /** Whether somebody waits for one of them. */
  starves: boolean;
  /** Slots it holds and is to give back. */
  readonly spent: number[];
  /** A number it has drawn and not used yet, or 0. */
  number: number;
}

/** What is to be done once a swap has succeeded. */
export type Effect =
  /** The thread holds the slot. */
  | { readonly kind: "granted"; readonly slot: number }
  /** A slot was set aside for the thread of a row, which is to be rung. */
  | { readonly kind: "assigned"; readonly row: number }
  | { readonly kind: "gaveBack" | "declined" | "queued" | "left" | "cleared" }
  /** There is a row more. */
  | { readonly kind: "widened" }
  | { readonly kind: "drawn"; readonly number: number }
  /** It has promised a permit to the thread of a row, or takes that back. */
  | { readonly kind: "answered"; readonly row: number }
  | { readonly kind: "unanswered"; readonly waits: boolean }
  | { readonly kind: "entered"; readonly row: number; readonly life: number }
  | { readonly kind: "ended" };

/** The next value of a word, if it still has the one that this was based on. */
export interface Swap {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly effect: Effect;
}

/** Reads a word. */
export type Read = (at: number) => number;

/**
 * The words before the rows: `NUMBERS` is the last number drawn, `ROWS` how many
 * rows have ever been in use, so that no more are looked at.
 */
export const MAX = 0;
export const THREADS = 1;
export const NUMBERS = 2;
export const ROWS = 4;
const HEADER = 16;

/**
 * The words of a row: odd `LIFE` while a thread has it; the number it waits by,
 * or 0; who has promised it a permit, as in a slot. The rest is told, not agreed
 * on: the invitation of its thread, its pulse, its bell, and whether that is of
 * no use. A row is as long as a line of a cache.
 */
export const LIFE = 0;
export const TICKET = 1;
export const ANSWER = 2;
export const GUEST = 3;
export const BEAT = 4;
export const BELL = 5;
export const DEAF = 6;
const ROW = 16;

/** A word of a slot: 0 or below if free, else life, row, and whether set aside. */
const ROW_BITS = 8;
const LIFE_MASK = 2 ** 21 - 1;
const NUMBER_MASK = 2 ** 30 - 1;

/** The most that a word holds. */
export const MAX_PERMITS = 2 ** 31 - 1;

/** The most rows. */
export const MAX_THREADS = 2 ** ROW_BITS;

/** How many words there are. */
export function wordsOf({ max, threads }: Shape): number {
  return HEADER + threads * ROW + max;
}

/** Where a word of a row is. */
export function wordAt(row: number, word: number): number {
  return HEADER + row * ROW + word;
}

/** Where the word of a slot is. */
export function slotAt({ threads }: Shape, slot: number): number {
  return HEADER + threads * ROW + slot;
}

function tag(row: number, life: number, isAside: boolean): number {
  return (life << ROW_BITS | row) << 1 | Number(isAside);
}

/** Whether a word names a thread that has not ended. */
function isValid(read: Read, word: number): boolean {
  const rest = word >> 1;
  const row = rest & (MAX_THREADS - 1);
  return word > 0 && read(wordAt(row, LIFE)) === rest >> ROW_BITS;
}

/** Whether one number was drawn before another; they begin anew some day. */
function precedes(a: number, b: number): boolean {
  return ((a - b) & NUMBER_MASK) > NUMBER_MASK >> 1;
}

/** The slots, as a thread sees them. */
interface Slots {
  /** One that can be had, and its word. */
  free: number;
  word: number;
  /** One that is set aside for the thread itself, or -1. */
  mine: number;
  /** The words, without the last bit, of those for whom one is set aside. */
  readonly aside: Set<number>;
}

function slots(read: Read, shape: Shape, own: number): Slots {
  const { max } = shape;
  const seen: Slots = { free: -1, word: 0, mine: -1, aside: new Set() };
  for (let slot = 0; slot < max; slot++) {
    const word = read(slotAt(shape, slot));
    if (word > 0 && (word & 1) === 0 && seen.free >= 0) continue;
    if (word === (own | 1)) seen.mine = slot;
    if (!isValid(read, word)) {
      if (seen.free < 0) [seen.free, seen.word] = [slot, word];
    } else if ((word & 1) === 1) seen.aside.add(word >> 1);
  }
  return seen;
}

/** One who waits, and for whom nothing is set aside. */
interface Waiting {
  readonly row: number;
  readonly life: number;
  readonly ticket: number;
}

/** All of them, in order. */
function waiting(read: Read, aside: ReadonlySet<number>): Waiting[] {
  const all: Waiting[] = [];
  const rows = read(ROWS);
  for (let row = 0; row < rows; row++) {
    const ticket = read(wordAt(row, TICKET));
    if (ticket === 0) continue;
    const life = read(wordAt(row, LIFE));
    const isServed = aside.has(life << ROW_BITS | row);
    if (life % 2 === 1 && !isServed) all.push({ row, life, ticket });
  }
  return all.sort((a, b) => precedes(a.ticket, b.ticket) ? -1 : 1);
}

/**
 * What a thread does next: gives back, accepts what was set aside for it, takes
 * what is free and nobody waits for, sets aside what is free for who has waited
 * longest, gets in line; nothing if all is done, or if it has ended.
 */
export function step(read: Read, shape: Shape, self: Self): Swap | undefined {
  const { row, life, wants, starves, spent, number } = self;
  if (read(wordAt(row, LIFE)) !== life) return undefined;
  const own = tag(row, life, false);
  if (spent.length > 0) {
    const at = slotAt(shape, spent[0]!);
    if (number === 0) return draw(read);
    return { at, from: own, to: -number, effect: { kind: "gaveBack" } };
  }
  // Before the tickets: if it is swapped, it was free when they were read.
  const { free, word, mine, aside } = slots(read, shape, own);
  const place = wordAt(row, TICKET);
  const ticket = read(place);
  if (ticket !== 0 && (!starves || mine >= 0)) {
    return { at: place, from: ticket, to: 0, effect: { kind: "left" } };
  }
  if (mine >= 0) {
    const from = own | 1;
    const at = slotAt(shape, mine);
    if (wants > 0) {
      return { at, from, to: own, effect: { kind: "granted", slot: mine } };
    }
    if (number === 0) return draw(read);
    return { at, from, to: -number, effect: { kind: "declined" } };
  }
  if (free >= 0) {
    const [first] = waiting(read, aside);
    const at = slotAt(shape, free);
    if (first !== undefined) {
      const { row, life } = first;
      const effect = { kind: "assigned", row } as const;
      return { at, from: word, to: tag(row, life, true), effect };
    }
    const effect = { kind: "granted", slot: free } as const;
    if (wants > 0) return { at, from: word, to: own, effect };
  }
  return starves && ticket === 0 ? queue(read, row, number) : undefined;
}

/** The next number. */
function draw(read: Read): Swap {
  const from = read(NUMBERS);
  const number = from % NUMBER_MASK + 1;
  return { at: NUMBERS, from, to: number, effect: { kind: "drawn", number } };
}

function queue(read: Read, row: number, number: number): Swap {
  if (number === 0) return draw(read);
  const at = wordAt(row, ANSWER);
  const from = read(at);
  // It was for what it waited for before.
  if (from !== 0) return { at, from, to: 0, effect: { kind: "cleared" } };
  const place = wordAt(row, TICKET);
  return { at: place, from: 0, to: number, effect: { kind: "queued" } };
}

/** One who waits and was promised nothing, with what was read as its answer. */
export interface Ask {
  readonly row: number;
  readonly answer: number;
}

/** All of them, in order. */
export function asks(read: Read, shape: Shape): Ask[] {
  const { aside } = slots(read, shape, 0);
  return waiting(read, aside)
    .map(({ row }) => ({ row, answer: read(wordAt(row, ANSWER)) }))
    .filter(({ answer }) => !isValid(read, answer));
}

/** The thread promises the next permit to the first of them. */
export function answer(
  read: Read,
  shape: Shape,
  { row, life }: Self,
): Swap | undefined {
  const [first] = asks(read, shape);
  if (first === undefined) return undefined;
  const at = wordAt(first.row, ANSWER);
  const effect = { kind: "answered", row: first.row } as const;
  return { at, from: first.answer, to: tag(row, life, false), effect };
}

/** What it has promised to the thread of a row has come, to whomever. */
export function unanswer(
  read: Read,
  { row, life }: Self,
  promised: number,
): Swap | undefined {
  const at = wordAt(promised, ANSWER);
  const from = tag(row, life, false);
  if (read(at) !== from) return undefined;
  const waits = read(wordAt(promised, TICKET)) !== 0;
  return { at, from, to: 0, effect: { kind: "unanswered", waits } };
}

/** A thread takes a row that nobody has, or sees to it that there is one. */
export function enter(read: Read, { threads }: Shape): Swap | undefined {
  const rows = read(ROWS);
  for (let row = 0; row < rows; row++) {
    const at = wordAt(row, LIFE);
    const from = read(at);
    const life = from + 1 & LIFE_MASK;
    const effect = { kind: "entered", row, life } as const;
    if (from % 2 === 0) return { at, from, to: life, effect };
  }
  const effect = { kind: "widened" } as const;
  return rows < threads
    ? { at: ROWS, from: rows, to: rows + 1, effect }
    : undefined;
}

/** A life of a row is over, and all that it holds can be had. */
export function end(read: Read, row: number, life: number): Swap | undefined {
  const at = wordAt(row, LIFE);
  const effect = { kind: "ended" } as const;
  return read(at) === life
    ? { at, from: life, to: life + 1 & LIFE_MASK, effect }
    : undefined;
}
