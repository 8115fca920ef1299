/** How a `create` tells what it has made, if it returns nothing. */
export type Callback<T> = (error: Error | null, resource?: T) => void;

/** Options of tarn's `Pool`; one of any other name is refused. */
export interface PoolOptions<T> {
  /** Makes a resource; returns it, or a promise of it, or calls back. */
  create: (callback: Callback<T>) => T | PromiseLike<T> | void;
  /** Ends a resource. */
  destroy: (resource: NoInfer<T>) => unknown;
  /** How many idle resources are kept, used ones counted. */
  min: number;
  /** The most resources at one time. */
  max: number;
  /** Milliseconds an acquire waits. Default 30 000. */
  acquireTimeoutMillis?: number | undefined;
  /** Milliseconds `create` may take. Default 30 000. */
  createTimeoutMillis?: number | undefined;
  /** Milliseconds `destroy` may take. Default 5 000. */
  destroyTimeoutMillis?: number | undefined;
  /** Milliseconds after which an idle resource is destroyed. Default 30 000. */
  idleTimeoutMillis?: number | undefined;
  /** Milliseconds between two tries of a `create` that fails. Default 200. */
  createRetryIntervalMillis?: number | undefined;
  /** Every how many milliseconds idle resources are looked at. Default 1 000. */
  reapIntervalMillis?: number | undefined;
  /** Is told what went wrong where nobody else is. */
  log?: ((message: string, level: "warn") => unknown) | undefined;
  /** Whether a resource can be used; asked before every acquire. */
  validate?:
    | ((resource: NoInfer<T>) => boolean | PromiseLike<boolean>)
    | undefined;
  /**
   * Whether a failed create rejects the first acquire that waits, instead of
   * being tried again until it times out. Default `false`.
   */
  propagateCreateError?: boolean | undefined;
}

/** With their defaults. */
export type PoolSettings<T> =
  & {
    readonly [K in Exclude<keyof PoolOptions<T>, "validate">]-?: Exclude<
      PoolOptions<T>[K],
      undefined
    >;
  }
  & { readonly validate: PoolOptions<T>["validate"] };

const TIMES = {
  acquireTimeoutMillis: 30_000,
  createTimeoutMillis: 30_000,
  destroyTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  reapIntervalMillis: 1_000,
  createRetryIntervalMillis: 200,
};

/**
 * Checks the options in the order, and with the words, of tarn.
 *
 * @throws {Error} if one is missing, wrong or not known
 */
export function settle<T>(options: PoolOptions<T>): PoolSettings<T> {
  const { create, destroy, min, max, log, validate, propagateCreateError } =
    options;
  for (const [name, value] of Object.entries({ create, destroy })) {
    if (!value) fail(`opt.${name} function most be provided`);
  }
  if (!isInteger(min) || min < 0) fail("opt.min must be an integer >= 0");
  if (!isInteger(max) || max <= 0) fail("opt.max must be an integer > 0");
  if (min > max) fail("opt.max is smaller than opt.min");
  const times = { ...TIMES };
  for (const name of Object.keys(TIMES) as (keyof typeof TIMES)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!isInteger(value) || value <= 0) {
      fail(`invalid opt.${name} ${JSON.stringify(value)}`);
    }
    times[name] = value;
  }
  const settings: PoolSettings<T> = {
    ...{ create, destroy, min, max, ...times },
    log: log ?? (() => {}),
    validate: typeof validate === "function" ? validate : undefined,
    propagateCreateError: Boolean(propagateCreateError),
  };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(settings, name)) fail(`unsupported option opt.${name}`);
  }
  return settings;
}

/** As tarn has it, `Infinity` is one. */
function isInteger(value: number): boolean {
  return typeof value === "number" && value === Math.round(value);
}

function fail(message: string): never {
  throw new Error(`Tarn: ${message}`);
}
