/** How much a message matters. */
export type LogLevel = "verbose" | "info" | "warn" | "error";

/** Is told what the pool does. */
export type FactoryLogger = (message: string, level: LogLevel) => void;

/** Options of sequelize-pool's `Pool`. */
export interface FactoryOptions<T> {
  /** Names the pool in messages. */
  name?: string | undefined;
  /** Makes a resource. */
  create: () => PromiseLike<T>;
  /** Ends a resource. */
  destroy: (resource: NoInfer<T>) => unknown;
  /** Whether a resource can be used again. */
  validate: (resource: NoInfer<T>) => boolean;
  /** The most resources at one time. */
  max: number;
  /** How many resources are kept, from the first acquire on. */
  min: number;
  /** How often a resource is used; 0 is without end, as is the default. */
  maxUses?: number | undefined;
  /** Milliseconds after which an idle resource is destroyed. Default 30 000. */
  idleTimeoutMillis?: number | null | undefined;
  /** Milliseconds an acquire waits, and a create may take. Default 30 000. */
  acquireTimeoutMillis?: number | null | undefined;
  /** The least milliseconds that a resource is idle. Default 1 000. */
  reapIntervalMillis?: number | null | undefined;
  /** Whether, or how, to log. Default `false`. */
  log?: FactoryLogger | boolean | undefined;
}

/**
 * Checks the options in the order, and with the words, of sequelize-pool.
 *
 * @throws {Error} if one is missing or wrong
 */
export function check<T>(options: FactoryOptions<T>): void {
  const { min, max, maxUses = 0 } = options;
  for (const name of ["create", "destroy", "validate"] as const) {
    if (!options[name]) throw new Error(`${name} function is required`);
  }
  if (!(Number.isInteger(min) && min >= 0)) {
    throw new Error("min must be an integer >= 0");
  }
  if (!(max === Infinity || Number.isInteger(max) && max > 0)) {
    throw new Error("max must be an integer > 0");
  }
  if (min > max) throw new Error("max is smaller than min");
  if (!(maxUses === Infinity || Number.isInteger(maxUses) && maxUses >= 0)) {
    throw new Error("maxUses must be an integer >= 0");
  }
}

/** A time in ms; `NaN`, like `null`, is none. */
export function time(
  value: number | null | undefined,
  otherwise: number,
): number {
  return value == null || Number.isNaN(value) ? otherwise : value;
}
