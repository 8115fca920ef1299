/**
 * `deno task soak --minutes K`: the pool on the real clock for a long time,
 * with heap, timers and listeners measured. Needs `--expose-gc`.
 *
 * @module
 */

/// <reference path="../async.d.ts" />

import { delay } from "@std/async/delay";
import { AcquireTimeoutError, type Lease, Pool } from "../../mod.ts";
import { PLAIN } from "../fixture.ts";
import { Random } from "./random.ts";
import { type Line, regress } from "./regression.ts";

/** What a run is meant to reach, given the minutes. */
const GOAL = 50_000_000;
/** Callers that acquire all the time, and how many resources they share. */
const CALLERS = 64;
const MAX = 16;
/** Acquires of a caller between two turns of the event loop. */
const PER_TURN = 250;
const SAMPLES = 60;
/** The share of the samples that counts as warm-up. */
const WARM_UP = 0.25;
/** Bytes of heap per million acquires that a run may grow by. */
const HEAP_BOUND = 20_000;
/** Timers and listeners per million acquires that a run may grow by. */
const HANDLE_BOUND = 0.01;
/** A slope counts when it is over its bound by this many standard errors. */
const SIGNIFICANCE = 3;

declare const gc: (() => void) | undefined;

interface Sample {
  acquires: number;
  heap: number;
  handles: number;
}

/** Timers and listeners that are out, as the runtime was asked for them. */
class Handles {
  timers = 0;
  listeners = 0;

  readonly clock = {
    now: () => performance.now(),
    setTimeout: (callback: () => void, delay: number): unknown => {
      const handle = { id: 0, ref() {}, unref() {} };
      this.timers++;
      handle.id = +setTimeout(() => {
        handle.id = 0;
        this.timers--;
        callback();
      }, delay);
      handle.ref = () => Deno.refTimer(handle.id);
      handle.unref = () => Deno.unrefTimer(handle.id);
      return handle;
    },
    clearTimeout: (handle: unknown) => {
      const timer = handle as { id: number };
      if (timer.id === 0) return;
      this.timers--;
      clearTimeout(timer.id);
      timer.id = 0;
    },
  };

  /** A signal that lives as long as the run. */
  signal(): AbortSignal {
    const { signal } = new AbortController();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      this.listeners++;
      addEventListener.apply(signal, args as never);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      this.listeners--;
      removeEventListener.apply(signal, args as never);
    };
    return signal;
  }
}

/** The reason of all aborts: making one takes longer than an acquire. */
const CANCELLED = new Error("cancelled");

/** One long run: callers, and what they count. */
class Soak {
  acquires = 0;
  served = 0;
  cancelled = 0;
  failed = 0;
  timedOut = 0;
  created = 0;
  destroyed = 0;
  /** Leases that are out. */
  out = 0;
  stopped = false;
  readonly handles: Handles = new Handles();
  #next: Promise<void> | undefined = undefined;
  readonly #random = new Random(1);
  readonly #long: AbortSignal = this.handles.signal();
  readonly pool: Pool<{ id: number }> = new Pool({
    max: MAX,
    ...PLAIN,
    stripes: 4,
    idleTimeout: 1_000,
    acquireTimeout: 10_000,
    clock: this.handles.clock,
    create: () => {
      if (this.#random.chance(2)) throw new Error("create");
      return { id: this.created++ };
    },
    destroy: async () => {
      await undefined;
      this.destroyed++;
      if (this.#random.chance(2)) throw new Error("destroy");
    },
    validate: () => !this.#random.chance(0.1),
  });

  async call(): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      if (turn % PER_TURN === 0) await this.#turn();
      this.acquires++;
      try {
        await this.#once();
      } catch (error) {
        if (error instanceof AcquireTimeoutError) this.timedOut++;
        else if (error === CANCELLED) this.cancelled++;
        else this.failed++;
      }
    }
  }

  /** The same for all who wait for it, so that they go on together. */
  #turn(): Promise<void> {
    return this.#next ??= delay(0).then(() => {
      this.#next = undefined;
    });
  }

  async #once(): Promise<void> {
    const draw = this.#random.below(1000);
    if (draw < 100) return await this.#cancelled();
    const lease = draw < 400
      ? await this.pool.acquire({ signal: this.#long })
      : draw < 500
      ? await this.pool.acquire({ affinity: draw, timeout: 5_000 })
      : await this.pool.acquire();
    this.#hold(lease);
    // So that others have to wait.
    for (let tick = draw % 4; tick > 0; tick--) await undefined;
    if (draw === 999) lease.destroy();
    lease.release();
    this.out--;
  }

  #hold(lease: Lease<{ id: number }>): void {
    if (lease.value === undefined) throw new Error("no resource");
    this.served++;
    this.out++;
  }

  /** Aborted right away: served if that was at once, else rejected. */
  async #cancelled(): Promise<void> {
    const controller = new AbortController();
    const acquiring = this.pool.acquire({ signal: controller.signal });
    controller.abort(CANCELLED);
    using lease = await acquiring;
    this.#hold(lease);
    this.out--;
  }

  async sample(): Promise<Sample> {
    await delay(0);
    gc!();
    await delay(0);
    gc!();
    const { timers, listeners } = this.handles;
    return {
      acquires: this.acquires,
      heap: Deno.memoryUsage().heapUsed,
      handles: timers + listeners,
    };
  }
}

/** Prints a slope, and whether it is over its bound beyond doubt. */
function judge(name: string, line: Line, bound: number): boolean {
  const { slope, error } = line;
  const grows = slope - SIGNIFICANCE * error > bound;
  console.log(
    `${name}: slope ${slope.toPrecision(3)} ± ${error.toPrecision(3)} ` +
      `per million acquires, bound ${bound}: ${grows ? "GROWS" : "flat"}`,
  );
  return grows;
}

function grows(samples: readonly Sample[]): boolean {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const x = warm.map(({ acquires }) => acquires / 1_000_000);
  const heap = regress(x, warm.map(({ heap }) => heap));
  const handles = regress(x, warm.map(({ handles }) => handles));
  const first = judge("heap, bytes", heap, HEAP_BOUND);
  const second = judge("timers and listeners", handles, HANDLE_BOUND);
  return first || second;
}

/** What got lost, once all callers have come home and the pool is closed. */
async function lost(soak: Soak): Promise<number> {
  await soak.pool.close().catch(() => {});
  const { acquires, served, cancelled, failed, timedOut, out, handles } = soak;
  const { idle, used, creating, destroying, pending } = soak.pool.stats();
  console.log(
    `${acquires} acquires (goal ${GOAL}): ${served} served, ${cancelled} ` +
      `cancelled, ${failed} failed, ${timedOut} timed out; ${soak.created} resources created, ` +
      `${soak.destroyed} destroyed`,
  );
  return (acquires - served - cancelled - failed - timedOut) + out + timedOut +
    (soak.created - soak.destroyed) + handles.timers + handles.listeners +
    idle + used + creating + destroying + pending;
}

async function main(args: readonly string[]): Promise<number> {
  const minutes = Number(args[args.indexOf("--minutes") + 1] ?? 2);
  if (typeof gc !== "function" || !(minutes > 0)) {
    console.error("usage: soak --minutes K, with --v8-flags=--expose-gc");
    return 2;
  }
  const soak = new Soak();
  const callers = Array.from({ length: CALLERS }, () => soak.call());
  const samples: Sample[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await delay(minutes * 60_000 / SAMPLES);
    samples.push(await soak.sample());
  }
  soak.stopped = true;
  await Promise.all(callers);
  const isGrowing = grows(samples);
  const missing = await lost(soak);
  console.log(`${missing} lost`);
  return isGrowing || missing !== 0 ? 1 : 0;
}

Deno.exit(await main(Deno.args));
