/** What the clients of an overloaded pool ask, and what became of it. */

import { Random } from "../../tests/simulation/random.ts";
import type { Clock } from "../../mod.ts";
import { percentile } from "../statistic.ts";

/** How many resources each pool has. */
export const MAX = 10;

/** Who has no answer after so many ms does not need it any more. */
export const PATIENCE = 200;

/** How much comes, as shares of what can be done. */
export const LOADS = [0.5, 0.9, 1.1, 1.5, 3] as const;

/** A request that is to come, in ms from the begin, and how long it takes. */
export interface Arrival {
  readonly at: number;
  readonly use: number;
}

/** When a request had its resource and when it was done; or why it was not. */
export interface Request {
  readonly at: number;
  served?: number;
  ended?: number;
  error?: string;
}

/** What a pool lends: something that can be used for a time, and goes back. */
export interface Turn {
  use(ms: number): Promise<unknown>;
  release(): void;
}

/** Waits for its turn, in the way of the pool. */
export type Take = () => Promise<Turn>;

export interface Figures {
  /** Requests a second that came. */
  offered: number;
  /** Those done in time, in % of what can be done. */
  goodput: number;
  /** Those done in time, in % of those that were served. */
  useful: number;
  /** Refused by the pool before their patience ended, in % of all. */
  rejected: number;
  /** Those that gave up while they waited, in % of all. */
  left: number;
  /** The wait of those who were served, in ms. */
  p99: number;
}

/** Poisson arrivals, so many a ms, whose uses are drawn by `use`. */
export function arrivals(
  rate: number,
  duration: number,
  use: (random: () => number) => number,
): Arrival[] {
  const random = new Random(1);
  const drawn = () => (random.below(2 ** 30) + 1) / 2 ** 30;
  const found: Arrival[] = [];
  for (let at = 0; (at -= Math.log(drawn()) / rate) < duration;) {
    found.push({ at, use: use(drawn) });
  }
  return found;
}

/** Has all these requests come in their time; resolves when each has ended. */
export async function put(
  take: Take,
  arrivals: readonly Arrival[],
  clock: Pick<Clock, "now" | "setTimeout">,
): Promise<Request[]> {
  const begin = clock.now();
  const now = () => clock.now() - begin;
  const serve = async ({ at, use }: Arrival): Promise<Request> => {
    const request: Request = { at };
    try {
      const turn = await take();
      request.served = now();
      await turn.use(use);
      request.ended = now();
      turn.release();
    } catch (error) {
      const { code, name, message } = error as Error & { code?: string };
      request.error = code ?? (name === "Error" ? message : name);
    }
    return request;
  };
  const requests: Promise<Request>[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const next = (): void => {
    for (let arrival; (arrival = arrivals[requests.length]) !== undefined;) {
      const wait = arrival.at - now();
      if (wait > 0) return void clock.setTimeout(next, wait);
      requests.push(serve(arrival));
    }
    resolve();
  };
  next();
  await promise;
  return await Promise.all(requests);
}

/** What happened within this duration, where `capacity` a ms can be done. */
export function figures(
  requests: readonly Request[],
  capacity: number,
  duration: number,
): Figures {
  const all = requests.length;
  const count = (is: (request: Request) => boolean) =>
    requests.filter(is).length;
  const done = requests.filter(({ ended = Infinity }) => ended <= duration);
  const inTime = done.filter(({ at, ended }) => ended! - at <= PATIENCE).length;
  const waits = requests.filter(({ served }) => served !== undefined)
    .map(({ at, served }) => served! - at);
  const rejected = count(({ error }) => error === "OVERLOADED");
  const failed = count(({ error }) => error !== undefined);
  return {
    offered: 1_000 * all / duration,
    goodput: 100 * inTime / (capacity * duration),
    useful: 100 * inTime / done.length,
    rejected: 100 * rejected / all,
    left: 100 * (failed - rejected) / all,
    p99: percentile(waits, 0.99),
  };
}
