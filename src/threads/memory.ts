import {
  type Effect,
  MAX,
  type Read,
  type Shape,
  type Swap,
  THREADS,
  wordsOf,
} from "./step.ts";

/** New memory for threads to share. */
export function allocate(shape: Shape): Int32Array {
  const bytes = wordsOf(shape) * Int32Array.BYTES_PER_ELEMENT;
  const words = new Int32Array(new SharedArrayBuffer(bytes));
  words[MAX] = shape.max;
  words[THREADS] = shape.threads;
  return words;
}

/** The words of memory that another thread has made; nothing for what is none. */
export function wordsIn(memory: unknown): Int32Array | undefined {
  if (!(memory instanceof SharedArrayBuffer)) return undefined;
  const words = new Int32Array(memory, 0, memory.byteLength >> 2);
  return wordsOf(shapeOf(words)) === words.length ? words : undefined;
}

/** What memory that another thread has made was made for. */
export function shapeOf(words: Int32Array): Shape {
  return { max: words[MAX]!, threads: words[THREADS]! };
}

/**
 * Reads, computes the next state, and compares and swaps, until the state is
 * still the one that was read, or there is nothing to swap: only then may the
 * caller act.
 */
export function swap(
  words: Int32Array,
  step: (read: Read) => Swap | undefined,
): Effect | undefined {
  const read: Read = (at) => Atomics.load(words, at);
  for (;;) {
    const next = step(read);
    if (next === undefined) return undefined;
    const { at, from, to, effect } = next;
    if (Atomics.compareExchange(words, at, from, to) === from) return effect;
  }
}
