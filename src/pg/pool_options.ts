import type { Clock } from "../clock.ts";
import type { PoolObserver } from "../pool_observer.ts";
import type { Retry } from "../pool_options.ts";
import type { PgClient } from "./client.ts";

/** Makes clients: `pg.Client`, or one like it. */
// deno-lint-ignore no-explicit-any -- each has its own options
export type ClientClass<C extends PgClient> = new (...options: any[]) => C;

/**
 * Options of a `Pool`: those of pg-pool, and a few of ours. All are given to each
 * client as well, so those of the client are given here.
 */
export interface PgPoolOptions<C extends PgClient> {
  /** What makes clients. Needed, unless it is given as the second argument. */
  Client?: ClientClass<C> | undefined;
  /** The most clients at one time. Default 10. */
  max?: number | undefined;
  /** As `max`, if that is not given. */
  poolSize?: number | undefined;
  /** How many clients are kept although they are idle. Default 0. */
  min?: number | undefined;
  /**
   * Milliseconds after which an idle client is ended; 0 and `null` are never.
   * Default 10 000.
   */
  idleTimeoutMillis?: number | null | undefined;
  /**
   * Milliseconds that a `connect` or `query` waits for a client, and that a client
   * may take to connect; 0 is no limit. Default 0.
   */
  connectionTimeoutMillis?: number | undefined;
  /** How often a client is lent. Default `Infinity`. */
  maxUses?: number | undefined;
  /**
   * Seconds after which a client is not lent again, each draws 75 to 100 % of it;
   * 0 is no limit. Default 0.
   */
  maxLifetimeSeconds?: number | undefined;
  /** Whether idle clients let the process end. Default `false`. */
  allowExitOnIdle?: boolean | undefined;
  /** Called with each new client, and waited for, before it is lent. */
  onConnect?: ((client: C) => unknown) | undefined;
  /** As `onConnect`, with a callback. */
  verify?:
    | ((client: C, callback: (error?: unknown) => void) => void)
    | undefined;
  /** Is told in words what the pool does. */
  log?: ((message: string) => void) | undefined;
  /** The class of the promises that are returned. Default: the global one. */
  Promise?: PromiseConstructorLike | undefined;

  /**
   * Whether a client that is released is made as new, with one more query, before
   * anybody gets it: what `DISCARD ALL` does, but for prepared statements, which
   * the client remembers. Default `false`: an open transaction is rolled back, and
   * nothing else is done.
   */
  reset?: boolean | undefined;
  /**
   * How connects that fail are tried again while somebody waits, as of the pool
   * of `@lease/pool`: `{}` for its defaults. Then a server that restarts fails
   * nobody who has the patience. Default `false`, as in pg-pool: each connect that
   * fails rejects one who waits.
   */
  createRetry?: Retry | false | undefined;
  /** Is told what happens, with durations. */
  observer?: PoolObserver<C> | undefined;
  /** Names the pool in messages. Default `"pg"`. */
  name?: string | undefined;
  /** Where time comes from. Default: `performance.now()` and the global timers. */
  clock?: Clock | undefined;

  /** What the client takes. */
  // deno-lint-ignore no-explicit-any -- else no interface would do, as pg's
  [option: string]: any;
}

/** Options with their defaults; the others are there as they were given. */
export interface SettledOptions {
  /** The most clients at one time. */
  max: number;
  /** How many are kept although they are idle. */
  min: number;
  /** Milliseconds after which an idle one is ended; 0 is never. */
  idleTimeoutMillis: number;
  /** How often one is lent. */
  maxUses: number;
  /** Seconds after which one is not lent again; 0 is no limit. */
  maxLifetimeSeconds: number;
  /** Whether idle clients let the process end. */
  allowExitOnIdle: boolean;
  /** What the client takes, and the rest. */
  [option: string]: unknown;
}

/**
 * A copy with defaults, as pg-pool makes it: the password and the key are carried
 * over, but not shown when it is printed.
 */
export function settle<C extends PgClient>(
  options: PgPoolOptions<C>,
): PgPoolOptions<C> & SettledOptions {
  // As there, `null` is no limit.
  const { idleTimeoutMillis = 10_000 } = options;
  const settled: PgPoolOptions<C> & SettledOptions = {
    ...options,
    max: Number(options.max || options.poolSize || 10),
    min: Number(options.min || 0),
    idleTimeoutMillis: Number(idleTimeoutMillis),
    maxUses: Number(options.maxUses || Infinity),
    maxLifetimeSeconds: Number(options.maxLifetimeSeconds || 0),
    allowExitOnIdle: options.allowExitOnIdle || false,
  };
  if ("password" in options) hide(settled, "password", options["password"]);
  const ssl = options["ssl"];
  if (typeof ssl === "object" && ssl !== null && "key" in ssl && ssl.key) {
    settled["ssl"] = hide({ ...ssl }, "key", ssl.key);
  }
  return settled;
}

function hide<O extends object>(options: O, name: string, value: unknown): O {
  return Object.defineProperty(options, name, {
    value,
    enumerable: false,
    configurable: true,
    writable: true,
  });
}
