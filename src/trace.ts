/** A frame of the pool's own, which Bun may leave out. */
const METHOD = /^\s*at (?:\S+\.)?(?:acquire|tryAcquire|use) /;

/** The stack of a call of the pool, from its caller on. */
export class Trace {
  /**
   * Dear to put into words, which few need. Until then they may lead to whatever
   * the caller holds.
   */
  #frames: { stack?: unknown } | undefined = {};
  #words: string | undefined = undefined;
  readonly #depth: number;

  /** `front` is a method that `depth` of the pool's own have called. */
  constructor(front: unknown, depth = 1) {
    this.#depth = depth;
    attempt(() => capturing.captureStackTrace?.(this.#frames!, front));
  }

  /** As of an error, without its message; `undefined` where it cannot be had. */
  get words(): string | undefined {
    const frames = this.#frames;
    if (frames !== undefined) {
      this.#words = attempt(() => inWords(frames.stack, this.#depth));
      this.#frames = undefined;
    }
    return this.#words;
  }

  /** Where the call is, as in `handle (file:///app.ts:12:9)`. */
  get place(): string | undefined {
    return this.words?.match(/^\s*(?:at )?(.*)/)?.[1];
  }
}

/** Not in every engine yet. */
const capturing = Error as {
  captureStackTrace?: (frames: object, hidden: unknown) => void;
};

/** `Error.prepareStackTrace` is the user's. */
function attempt<R>(fn: () => R): R | undefined {
  try {
    return fn();
  } catch {
    return undefined;
  }
}

function inWords(stack: unknown, depth: number): string | undefined {
  if (typeof stack !== "string") return undefined;
  const lines = stack.split("\n").slice(1);
  for (let n = 0; n < depth && METHOD.test(lines[0] ?? ""); n++) lines.shift();
  return lines.join("\n") || undefined;
}
