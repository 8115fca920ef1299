import { advice } from "./option_name.ts";

/** What a value must be: its kind, and the range within the kind, in words. */
export interface Rule {
  readonly kind: string;
  readonly isKind: (value: unknown) => boolean;
  readonly range?: string;
  readonly holds?: (value: number) => boolean;
}

function typed(type: string): Rule {
  return {
    kind: type === "object" ? "an object" : `a ${type}`,
    isKind: (value) => typeof value === type && value !== null,
  };
}

export const FUNCTION: Rule = typed("function");
export const OBJECT: Rule = typed("object");
export const STRING: Rule = typed("string");
export const BOOLEAN: Rule = typed("boolean");
const NUMBER = typed("number");

export const FINITE: Rule = {
  ...NUMBER,
  range: "a finite number",
  holds: Number.isFinite,
};

/** At least one. */
export const COUNT: Rule = {
  ...NUMBER,
  range: "a positive integer",
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
};

/** As `COUNT`, or, if `Infinity`, any number. */
export const AMOUNT: Rule = {
  ...COUNT,
  holds: (value) => value === Infinity || COUNT.holds!(value),
};

/** The most of what there can be none of, or, if `Infinity`, any number. */
export const BOUND: Rule = {
  ...NUMBER,
  range: "a non-negative integer",
  holds: (value) => value === 0 || AMOUNT.holds!(value),
};

/** Milliseconds. NaN compares as false, so it is none. */
export const DURATION: Rule = {
  ...NUMBER,
  range: "a non-negative number of ms",
  holds: (value) => value >= 0,
};

/** Milliseconds that user code is given: none would be never to call it. */
export const LIMIT: Rule = {
  ...NUMBER,
  range: "a positive number of ms",
  holds: (value) => value > 0,
};

/** Milliseconds that pass. */
export const DELAY: Rule = {
  ...NUMBER,
  range: "a positive, finite number of ms",
  holds: (value) => value > 0 && value < Infinity,
};

export const GROWTH: Rule = {
  kind: '"measured" or "eager"',
  isKind: (value) => value === "measured" || value === "eager",
};

export const RETRY: Rule = {
  kind: "an object or false",
  isKind: (value) => value === false || OBJECT.isKind(value),
};

/** Checks what users pass; its errors name the act, option, rule and value. */
export class Check {
  readonly #act: string;

  constructor(act: string) {
    this.#act = act;
  }

  /**
   * @throws {TypeError} if the value is of the wrong type
   * @throws {RangeError} if it is out of range
   */
  that(name: string, value: unknown, rule: Rule): void {
    const { kind, isKind, range, holds } = rule;
    if (!isKind(value)) this.mistake(name, kind, value);
    if (holds?.(value as number) === false) this.fail(name, range!, value);
  }

  /**
   * Checks the names of options, and reads none of them.
   *
   * @throws {TypeError} if one is not known
   */
  names(options: object, known: readonly string[]): void {
    for (const name of Object.keys(options)) {
      if (known.includes(name)) continue;
      throw new TypeError(
        `${this.#act} as '${name}' is no option: ${advice(name, known)}`,
      );
    }
  }

  /**
   * Whether a signal has aborted. What is read of it is read once, as its
   * getters can be user code; what they throw is passed on.
   *
   * @throws {TypeError} if it is no signal
   */
  aborted(signal: AbortSignal): boolean {
    const { aborted, addEventListener } = Object(signal) as AbortSignal;
    if (
      typeof aborted !== "boolean" || typeof addEventListener !== "function"
    ) {
      this.mistake("signal", "an AbortSignal", signal);
    }
    return aborted;
  }

  fail(name: string, rule: string, value: unknown): never {
    throw new RangeError(this.#message(name, rule, value));
  }

  mistake(name: string, rule: string, value: unknown): never {
    throw new TypeError(this.#message(name, rule, value));
  }

  #message(name: string, rule: string, value: unknown): string {
    return `${this.#act} as '${name}' must be ${rule}: received ${show(value)}`;
  }
}

/** A value in a message; never calls code of its own. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (
    value === null || (typeof value !== "object" && typeof value !== "function")
  ) {
    return String(value);
  }
  return typeof value === "object" ? "an object" : "a function";
}
