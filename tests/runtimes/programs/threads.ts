// Eight threads under load, each with a pool on one budget, counted by memory
// that the budget knows nothing of; some are terminated in the middle of it.
// The file is the program of the threads as well.
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import {
  isMainThread,
  parentPort,
  Worker as NodeWorker,
} from "node:worker_threads";
import { Pool } from "../../../mod.ts";
import { type Invitation, SharedBudget } from "../../../src/threads/mod.ts";
import { dice, until } from "../../fixture.ts";
import { conclude, runCase } from "./cases.ts";

const THREADS = 8;
const CLIENTS = 3;
const USES = 12;
const ROUNDS = 200;

/** Milliseconds that nobody waits for, by far, unless a permit is lost. */
const LONG = 10_000;

/** What a thread is told. */
interface Order {
  readonly invitation: Invitation;
  readonly counts: Counts["words"];
  readonly max: number;
  /** Its number. */
  readonly thread: number;
  /** Uses of each of its clients. */
  readonly uses: number;
  /** Whether it is to be without `waitAsync`. */
  readonly isDeaf: boolean;
}

/** How many resources each thread has, and what was seen of all together. */
class Counts {
  readonly words: Int32Array<ArrayBufferLike>;

  constructor(
    words: Int32Array = new Int32Array(new SharedArrayBuffer(4 * 32)),
  ) {
    this.words = words;
  }

  /** One more or less; also the moment at which all are counted. */
  add(thread: number, change: number): void {
    Atomics.add(this.words, FIRST + thread, change);
    Atomics.add(this.words, CHANGES, 1);
    const live = this.live();
    for (;;) {
      const peak = Atomics.load(this.words, PEAK);
      if (live <= peak) return;
      if (Atomics.compareExchange(this.words, PEAK, peak, live) === peak) {
        return;
      }
    }
  }

  /** Of all threads but the terminated, at one moment. */
  live(): number {
    for (;;) {
      const changes = Atomics.load(this.words, CHANGES);
      let live = 0;
      for (let thread = 0; thread <= THREADS; thread++) {
        const isOver = Atomics.load(this.words, OVER) >> thread & 1;
        if (!isOver) live += Atomics.load(this.words, FIRST + thread);
      }
      if (Atomics.load(this.words, CHANGES) === changes) return live;
    }
  }

  /** What a thread has counts no more. */
  terminated(thread: number): void {
    Atomics.or(this.words, OVER, 1 << thread);
    Atomics.add(this.words, CHANGES, 1);
  }

  get peak(): number {
    return Atomics.load(this.words, PEAK);
  }

  /** How often something was created or destroyed. */
  get changes(): number {
    return Atomics.load(this.words, CHANGES);
  }
}

const [CHANGES, PEAK, OVER, FIRST] = [0, 1, 2, 3];

function poolOf(
  thread: number,
  { counts, max, budget }: {
    counts: Counts;
    max: number;
    budget: SharedBudget;
  },
): Pool<object> {
  const roll = dice(4);
  const some = () => new Promise((resolve) => setTimeout(resolve, roll()));
  return new Pool<object>({
    create: async () => {
      counts.add(thread, 1);
      await some();
      return {};
    },
    destroy: async () => {
      await some();
      counts.add(thread, -1);
    },
    max,
    budget,
    growth: "eager",
    acquireTimeout: LONG,
  });
}

/** Takes and returns permits as fast as it can, so that swaps do fail. */
function hurry(thread: number, budget: SharedBudget, counts: Counts): void {
  let held = 0;
  const seat = budget.join({
    idleSince: Infinity,
    letGo: () => {},
    grant: (permits) => {
      held += permits;
      counts.add(thread, permits);
    },
    yieldTo: () => {},
    failed: () => {},
  });
  for (let round = 0; round < ROUNDS; round++) {
    seat.want(1, 0);
    if (held === 0) seat.want(0, Infinity);
    else {
      counts.add(thread, -held);
      seat.giveBack(held);
      held = 0;
    }
  }
}

/** What the thread of an order does, and the longest wait. */
async function work(order: Order): Promise<number> {
  const { invitation, thread, max, uses, isDeaf } = order;
  if (isDeaf) Object.assign(Atomics, { waitAsync: undefined });
  const budget = new SharedBudget(invitation);
  const counts = new Counts(order.counts);
  if (uses < Infinity) hurry(thread, budget, counts);
  const pool = poolOf(thread, { counts, max, budget });
  const roll = dice(4);
  let longest = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (let use = 0; use < uses; use++) {
      const start = performance.now();
      const lease = await pool.acquire();
      longest = Math.max(longest, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, roll()));
      lease.release();
      if (roll() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }));
  await pool.close();
  budget.close();
  return longest;
}

/** Answers the one order that comes, whichever kind of thread this is. */
function obey(): void {
  const scope = globalThis as unknown as {
    onmessage: unknown;
    postMessage(message: unknown): void;
  };
  const answer = async (order: Order) => {
    const outcome = await work(order).catch((error) => `${error.stack}`);
    if (parentPort !== null) parentPort.postMessage(outcome);
    else scope.postMessage(outcome);
  };
  if (parentPort !== null) parentPort.once("message", answer);
  else scope.onmessage = ({ data }: MessageEvent<Order>) => answer(data);
}

interface Thread {
  readonly outcome: Promise<number | string>;
  start(order: Order): void;
  terminate(): unknown;
}

/** Threads as the Web has them, which Node has not. */
function webThread(): Thread {
  const worker = new Worker(import.meta.url, { type: "module" });
  return {
    outcome: new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => resolve(event.message);
    }),
    start: (order) => worker.postMessage(order, [order.invitation.port]),
    terminate: () => worker.terminate(),
  };
}

function nodeThread(): Thread {
  const worker = new NodeWorker(new URL(import.meta.url));
  return {
    outcome: new Promise((resolve) => {
      worker.on("message", resolve);
      worker.on("error", (error) => resolve(`${error}`));
    }),
    start: (order) =>
      worker.postMessage(order, [order.invitation.port as never]),
    terminate: () => worker.terminate(),
  };
}

async function stress(
  start: () => Thread,
  max: number,
  options: { kills?: number; isDeaf?: boolean } = {},
): Promise<void> {
  const { kills = 0, isDeaf = false } = options;
  if (isDeaf) Object.assign(Atomics, { waitAsync: undefined });
  // Only a port can tell of an end within the time of a case.
  using budget = new SharedBudget({ max, silence: 60_000 });
  const counts = new Counts();
  const threads = Array.from({ length: THREADS }, (_, thread) => {
    const it = start();
    const uses = thread < kills ? Infinity : USES;
    const rest = { counts: counts.words, max, thread, uses, isDeaf };
    it.start({ invitation: budget.invite(), ...rest });
    return it;
  });
  try {
    if (kills > 0) await until(() => counts.changes > 100, { deadline: LONG });
    for (const [thread, it] of threads.slice(0, kills).entries()) {
      counts.terminated(thread);
      await it.terminate();
    }
    for (const { outcome } of threads.slice(kills)) {
      const longest = await outcome;
      if (typeof longest === "string") throw new Error(longest);
      assert(longest < LONG / 2, `one waited for ${longest} ms`);
    }
    // No permit is lost: all of them are to be had here.
    await using pool = poolOf(THREADS, { counts, max, budget });
    const leases = Array.from({ length: max }, () => pool.acquire());
    for (const lease of await Promise.all(leases)) lease.release();
    assertEquals(counts.live(), max);
    assertEquals(counts.peak, max);
  } finally {
    for (const it of threads) it.terminate();
  }
}

async function main(): Promise<never> {
  const kinds: [string, () => Thread][] = [["threads of Node", nodeThread]];
  if ("Worker" in globalThis && process.versions.node !== undefined) {
    kinds.push(["threads of the Web", webThread]);
  }
  for (const [kind, start] of kinds) {
    await runCase(`${kind} never have more than max`, () => stress(start, 2));
    await runCase(
      `${kind} that are terminated give their permits back`,
      () => stress(start, 4, { kills: 4 }),
    );
  }
  const [, start] = kinds.at(-1)!;
  await runCase(
    "threads without waitAsync share a budget",
    () => stress(start, 2, { kills: 2, isDeaf: true }),
  );
  return conclude();
}

const isThread = !isMainThread || "WorkerGlobalScope" in globalThis;
if (isThread) obey();
else await main();
