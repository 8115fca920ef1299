/**
 * An HTTP server of four threads, each with a pool of its own, and one maximum
 * over all: clients ask for six seconds, or until SIGINT, and in the middle a
 * thread is terminated, whose permits the others get.
 *
 * `deno task workers` runs it; the file is the program of the threads as well.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "@lease/pool";
import { type Invitation, SharedBudget } from "@lease/pool/threads";

const THREADS = 4;
/** Sessions that the server behind allows. */
const MAX = 6;
const CLIENTS = 24;
const SECONDS = 6;

/** What a thread is told: whom to share with, and where to count its sessions. */
interface Order {
  readonly invitation: Invitation;
  readonly sessions: Int32Array;
  readonly thread: number;
}

/** What of a worker's global scope is used. */
interface Scope {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(port: number): void;
}

/** Serves; a session is dear to make, and used by one request at a time. */
function serve({ invitation, sessions, thread }: Order, scope: Scope): void {
  const pool = new Pool({
    create: async () => {
      const number = Atomics.add(sessions, thread, 1);
      await delay(50);
      return { name: `session ${number} of thread ${thread}` };
    },
    destroy: () => void Atomics.sub(sessions, thread, 1),
    max: MAX,
    budget: new SharedBudget(invitation),
  });
  const onListen = ({ port }: { port: number }) => scope.postMessage(port);
  Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen },
    ({ signal }) =>
      pool.use(async ({ name }) => {
        await delay(20);
        return new Response(name);
      }, { signal }),
  );
}

interface Thread {
  readonly invitation: Invitation;
  readonly worker: Worker;
  readonly port: number;
}

async function start(order: Order): Promise<Thread> {
  const worker = new Worker(import.meta.url, { type: "module" });
  const port = await new Promise<number>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(order, [order.invitation.port]);
  });
  return { invitation: order.invitation, worker, port };
}

async function main(): Promise<void> {
  using budget = new SharedBudget({ max: MAX });
  const sessions = new Int32Array(new SharedArrayBuffer(4 * THREADS));
  const threads = await Promise.all(
    Array.from(
      { length: THREADS },
      (_, thread) => start({ invitation: budget.invite(), sessions, thread }),
    ),
  );
  const end = new AbortController();
  process.once("SIGINT", () => end.abort());
  let answers = 0;
  let failures = 0;
  const ask = async () => {
    while (!end.signal.aborted) {
      const { port } = threads[Math.floor(Math.random() * threads.length)]!;
      const response = await fetch(`http://127.0.0.1:${port}/`)
        .catch(() => undefined);
      await response?.text().catch(() => {});
      if (response?.ok) answers++;
      else failures++;
    }
  };
  const clients = Array.from({ length: CLIENTS }, ask);
  for (let second = 1; second <= SECONDS && !end.signal.aborted; second++) {
    await delay(1_000, undefined, { signal: end.signal }).catch(() => {});
    const open = [...sessions];
    const sum = open.reduce((sum, n) => sum + n);
    console.log(
      `${second} s: ${answers} answers, ${failures} failures, ` +
        `${sum} sessions of ${MAX}: ${open.join(" + ")}`,
    );
    assert.ok(sum <= MAX);
    if (second !== SECONDS / 2) continue;
    const { worker, invitation } = threads.pop()!;
    worker.terminate();
    budget.ended(invitation);
    // Its sessions have ended with it.
    sessions[THREADS - 1] = 0;
    console.log(`    thread ${THREADS - 1} is terminated`);
  }
  end.abort();
  await Promise.all(clients);
  for (const { worker } of threads) worker.terminate();
}

if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data }) => serve(data, scope);
} else await main();
