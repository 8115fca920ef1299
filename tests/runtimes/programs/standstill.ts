// The thread is blocked, or the process frozen, past time limits, and meanwhile
// the answers arrive from another process: the timers are late, not they.
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { readSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { Pool } from "../../../mod.ts";
import { conclude, runCase } from "./cases.ts";

/** Less than the peer lets it stand still, and more than it takes to get there. */
const LIMIT = 250;

/** Stands still until the peer has this process go on. */
const HALTS = {
  block() {
    while (!canRead()) Atomics.wait(cell, 0, 0, 5);
  },
  freeze() {
    process.kill(process.pid, "SIGSTOP");
  },
};

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Whether there is input; Node gives an error instead of waiting for it. */
function canRead(): boolean {
  try {
    return readSync(0, new Uint8Array(1)) === 1;
  } catch {
    return false;
  }
}

async function open(): Promise<Socket> {
  const socket = connect(Number(process.argv[2]), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function ask(socket: Socket): Promise<void> {
  socket.write("ask\n");
  await once(socket, "data");
}

/** A resource that greets, as many servers do. */
async function create(): Promise<Socket> {
  const socket = await open();
  await ask(socket);
  return socket;
}

async function validate(socket: Socket): Promise<boolean> {
  await ask(socket);
  return true;
}

/** By outcome, what is limited. */
const LIMITED = {
  created: "a create",
  waited: "an acquire",
  validated: "a validate",
} as const;

/** By outcome, how a request comes. */
const ARRIVALS = { byTimer: "a timer", bySocket: "a socket" } as const;

type Order = keyof typeof HALTS;

/** What acts came to that the standstill fell into. */
interface Outcomes {
  created: PromiseSettledResult<unknown>;
  waited: PromiseSettledResult<unknown>;
  validated: PromiseSettledResult<unknown>;
  /** How many resources were destroyed as too late. */
  destroyed: number;
  /** The expired resource, if a request got it that came by either way. */
  byTimer: object | undefined;
  bySocket: object | undefined;
}

async function standStill(control: Socket, order: Order): Promise<Outcomes> {
  let destroyed = 0;
  const destroy = (socket: Socket) => {
    destroyed++;
    socket.destroy();
  };
  const options = { create, destroy, max: 1 };
  const creating = new Pool({ ...options, createTimeout: LIMIT });
  const waiting = new Pool(options);
  const limits = { validate, validateTimeout: LIMIT };
  const validating = new Pool({ ...options, ...limits });
  const idle = new Pool({ create: () => ({}), max: 1, idleTimeout: LIMIT });
  (await validating.acquire()).release();
  const socket = await open();

  control.write(`${order} 4\n`);
  await once(control, "data");
  const acquires = Promise.allSettled([
    creating.acquire(),
    waiting.acquire({ timeout: LIMIT }),
    validating.acquire(),
  ]);
  const answer = ask(socket);
  await once(control, "data");
  (await idle.acquire()).release();
  // In a burst a pool does not read the clock for each act.
  for (let n = 0; n < 10_000; n++) idle.tryAcquire()!.release();
  HALTS[order]();
  const timer = new Promise((resolve) => setTimeout(resolve, 0));
  const [byTimer, bySocket] = await Promise.all(
    [timer, answer].map((arrival) => arrival.then(() => idle.tryAcquire())),
  );
  const [created, waited, validated] = await acquires;
  return { created, waited, validated, destroyed, byTimer, bySocket };
}

const control = await open();
for (const order of ["block", "freeze"] as const) {
  const outcomes = await standStill(control, order);
  const state = order === "block" ? "blocked" : "frozen";
  const when = `after the process was ${state}`;
  for (const name of ["created", "waited", "validated"] as const) {
    await runCase(`${LIMITED[name]} is not judged late ${when}`, () => {
      const outcome = outcomes[name];
      if (outcome.status === "rejected") throw outcome.reason;
      assertEquals(outcomes.destroyed, 0);
    });
  }
  for (const name of ["byTimer", "bySocket"] as const) {
    await runCase(`${ARRIVALS[name]} is served nothing expired ${when}`, () => {
      assertEquals(outcomes[name], undefined);
    });
  }
}
conclude();
