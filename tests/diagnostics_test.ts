import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { diagnosticsObserver } from "../src/diagnostics/mod.ts";
import { watchLeaks } from "../src/leaks/mod.ts";
import { fixture, leaseOf, settled, watch } from "./fixture.ts";
import { test } from "./test.ts";

type Message = { pool: string };

const EVENTS = [
  ...["createBegan", "created", "createFailed", "destroyBegan", "destroyed"],
  ...["outageBegan", "outageEnded", "acquired", "acquireFailed", "released"],
  ...["detached", "idled", "pendingChanged", "leaked", "closed"],
];

/** Hears of some events, until it is disposed of. */
function hearing(
  events: string[],
  hear: (event: string, message: Message) => void,
): Disposable {
  const ends = events.map((event) => {
    const listener = (message: unknown) => hear(event, message as Message);
    subscribe(`lease.pool.${event}`, listener);
    return () => unsubscribe(`lease.pool.${event}`, listener);
  });
  return { [Symbol.dispose]: () => ends.forEach((end) => end()) };
}

test("diagnostics: every event has a channel, whose messages name their pool", async () => {
  const heard: Record<string, string> = {};
  using _ = hearing(EVENTS, (event, { pool }) => heard[event] = pool);
  const { pool, clock, factory } = fixture({
    name: "db",
    observer: diagnosticsObserver(),
    createRetry: { delay: 10 },
    leaks: watchLeaks({ after: 50 }),
  });
  factory.manual.add("create");
  const waiter = watch(pool.acquire());
  watch(pool.acquire({ timeout: 5 }));
  await clock.advance(5);
  factory.failCreate(new Error("refused"));
  watch(pool.acquire());
  await settled();
  const served = watch(pool.acquire());
  await clock.advance(20);
  factory.finishCreate();
  await settled();
  assertEquals(waiter.settled, true);
  await clock.advance(60);
  leaseOf(served).release();
  (await pool.acquire()).detach();
  const next = watch(pool.acquire());
  await settled();
  factory.finishCreate();
  await settled();
  leaseOf(next).release();
  await pool.close();
  assertEquals(Object.keys(heard).sort(), EVENTS.toSorted());
  assertEquals(new Set(Object.values(heard)), new Set(["db"]));
});

test("diagnostics: who subscribes later hears what comes then, in the context of the act", async () => {
  const { pool } = fixture({ observer: diagnosticsObserver() });
  await pool.use(() => {});
  const requests = new AsyncLocalStorage<string>();
  const heard: unknown[] = [];
  {
    using _ = hearing(["acquired", "released"], (event, message) => {
      heard.push([event, message, requests.getStore()]);
    });
    await requests.run("7", () => pool.use(() => {}));
  }
  await pool.use(() => {});
  const of = { pool: "pool", resource: { id: 1 }, stripe: 0 };
  assertEquals(heard, [
    ["acquired", { ...of, wait: 0 }, "7"],
    ["released", { ...of, use: 0 }, "7"],
  ]);
});

test("diagnostics: where the runtime has no channels nothing is published", async () => {
  const { process } = globalThis as { process?: unknown };
  Reflect.deleteProperty(globalThis, "process");
  try {
    assertEquals(diagnosticsObserver(), {});
    Object.assign(globalThis, { process: {} });
    assertEquals(diagnosticsObserver(), {});
  } finally {
    Object.defineProperty(globalThis, "process", {
      ...{ value: process, writable: true, configurable: true },
      enumerable: false,
    });
  }
  const { pool } = fixture({ observer: diagnosticsObserver() });
  await pool.use(() => {});
});
