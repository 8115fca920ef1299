/// <reference path="../../tests/async.d.ts" />

/** What the clients of a pool ask, and what became of it. */

import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import type { Ask } from "./contender.ts";

export interface Load {
  /** Statements, asked in turn; `$n` stands for a number never used before. */
  texts: readonly string[];
  /** Clients, each of which asks again when it has its answer. */
  clients: number;
  /** How often each client asks, or for how many milliseconds. */
  times?: number;
  duration?: number;
  /** One client begins so many milliseconds after the other. */
  every?: number;
}

/** One request: when it was asked and when it ended, in ms of the epoch. */
export interface Request {
  asked: number;
  ended: number;
  /** Why there was no answer. */
  error?: string;
}

/** How much longer than its patience a request may wait for its answer. */
const GRACE = 250;

/** What PostgreSQL says where a unique key is there already: a good answer. */
const UNIQUE_VIOLATION = "23505";

/** Milliseconds of the epoch: the same on both sides of a pipe. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

let count = 0;

/** Puts a load on a pool; resolves when each request has ended. */
export async function put(
  ask: Ask,
  patience: number,
  { texts, clients, times = Infinity, duration = Infinity, every = 0 }: Load,
): Promise<Request[]> {
  const start = now();
  const requests: Request[] = [];
  const request = async (): Promise<void> => {
    const number = ++count;
    const text = texts[number % texts.length]!.replace("$n", `${number}`);
    const asked = now();
    const outcome: { error?: string } = {};
    try {
      await deadline(ask(text), patience + GRACE);
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      if (code !== UNIQUE_VIOLATION) outcome.error = message || `${code}`;
    }
    requests.push({ asked, ended: now(), ...outcome });
  };
  await Promise.all(Array.from({ length: clients }, async (_, i) => {
    const wait = start + i * every - now();
    if (wait > 0) await delay(wait);
    for (let n = 0; n < times && now() < start + duration; n++) await request();
  }));
  return requests;
}
