/** Makes, ends and checks resources. */
export interface Factory<T> {
  /** Makes a resource. */
  create: () => T | PromiseLike<T>;
  /** Ends a resource. */
  destroy: (resource: NoInfer<T>) => unknown;
  /** Whether a resource can be used; needed by `testOnBorrow`. */
  validate?:
    | ((resource: NoInfer<T>) => boolean | PromiseLike<boolean>)
    | undefined;
}

/** Options of `createPool`; those of other names are ignored. */
export interface Options {
  /** The most resources at one time. Default 1. */
  max?: number | undefined;
  /** How many resources are kept. Default 0. */
  min?: number | undefined;
  /** How many acquires may wait. Default: any number. */
  maxWaitingClients?: number | undefined;
  /** Whether `validate` is asked before an acquire. Default `false`. */
  testOnBorrow?: boolean | undefined;
  /** Milliseconds an acquire waits. Default: for ever. */
  acquireTimeoutMillis?: number | undefined;
  /**
   * Milliseconds `destroy` may take, after which its slot is vacated. Default
   * 5 000.
   */
  destroyTimeoutMillis?: number | undefined;
  /** Whether all idle resources are used in turn. Default `true`. */
  fifo?: boolean | undefined;
  /**
   * How many priorities there are, 0 being the highest. Default 1. They are
   * a head start of up to 3 s, so that nobody waits for ever.
   */
  priorityRange?: number | undefined;
  /** Whether the minimum is made at once. Default `true`. */
  autostart?: boolean | undefined;
  /** Every how many milliseconds idle resources are looked at. Default: never. */
  evictionRunIntervalMillis?: number | undefined;
  /** How many of them are destroyed each time at most. Default 3. */
  numTestsPerEvictionRun?: number | undefined;
  /**
   * Milliseconds after which an idle resource is destroyed if more than the
   * minimum are idle. Default -1: never.
   */
  softIdleTimeoutMillis?: number | undefined;
  /**
   * Milliseconds after which an idle resource is destroyed; another is made if
   * the minimum lacks it. Default 30 000.
   */
  idleTimeoutMillis?: number | undefined;
  /** Which promises are given. Default: the native ones. */
  Promise?: PromiseConstructorLike | undefined;
}

/** With their defaults; of one that is `undefined` there is none. */
export interface Settings {
  readonly max: number;
  readonly min: number;
  readonly maxWaitingClients: number;
  readonly testOnBorrow: boolean;
  readonly acquireTimeoutMillis: number;
  readonly destroyTimeoutMillis: number;
  readonly fifo: boolean;
  readonly priorityRange: number;
  readonly autostart: boolean;
  readonly evictionRunIntervalMillis: number;
  readonly numTestsPerEvictionRun: number;
  readonly softIdleTimeoutMillis: number;
  readonly idleTimeoutMillis: number;
  readonly Promise: PromiseConstructorLike;
}

/**
 * Reads the options as generic-pool does: numbers from strings, too, and what
 * makes no sense as if it were absent.
 *
 * @throws {TypeError} if a function of the factory is missing
 */
export function settle<T>(factory: Factory<T>, options: Options): Settings {
  const { testOnBorrow, fifo, autostart } = options;
  for (const name of ["create", "destroy", "validate"] as const) {
    const isOptional = name === "validate" && testOnBorrow !== true;
    const value = factory[name];
    if (typeof value === "function") continue;
    if (isOptional && value === undefined) continue;
    throw new TypeError(`factory.${name} must be a function`);
  }
  const max = Math.max(whole(options.max) ?? 1, 1);
  return {
    max,
    min: Math.min(Math.max(whole(options.min) ?? 0, 0), max),
    maxWaitingClients: whole(options.maxWaitingClients) ?? Infinity,
    testOnBorrow: testOnBorrow === true,
    acquireTimeoutMillis: whole(options.acquireTimeoutMillis) || Infinity,
    destroyTimeoutMillis: whole(options.destroyTimeoutMillis) || 5_000,
    fifo: fifo !== false,
    priorityRange: options.priorityRange || 1,
    autostart: autostart !== false,
    evictionRunIntervalMillis: options.evictionRunIntervalMillis || 0,
    numTestsPerEvictionRun: options.numTestsPerEvictionRun || 3,
    softIdleTimeoutMillis: options.softIdleTimeoutMillis || -1,
    idleTimeoutMillis: options.idleTimeoutMillis || 30_000,
    Promise: options.Promise ?? Promise,
  };
}

function whole(value: unknown): number | undefined {
  const number = Number.parseInt(String(value), 10);
  return Number.isNaN(number) ? undefined : number;
}
