import { assertEquals, assertGreater } from "@std/assert";
import { delay } from "@std/async/delay";
import { until } from "../fixture.ts";
import { test } from "../test.ts";
import { FaultRig, type RigCounts, type RigOptions } from "./fault_rig.ts";

const results: Record<string, RigCounts & { seconds: number }> = {};

function fault(
  name: string,
  happen: (rig: FaultRig) => Promise<void>,
  options: RigOptions = {},
): void {
  test(`services: ${name}`, async () => {
    const start = performance.now();
    const counts = await FaultRig.run(happen, options);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    results[name] = { ...counts, seconds };
  });
}

fault("nothing goes wrong", async (rig) => {
  await rig.more("answered", 1_000);
  const { unanswered, rejected, created } = rig.counts;
  assertEquals({ unanswered, rejected, created }, {
    unanswered: 0,
    rejected: 0,
    created: 10,
  });
});

fault("server killed and restarted", async (rig) => {
  await rig.server.stop("SIGKILL");
  await rig.more("rejected", 40);
  // The backends outlive the server by a moment, and are in its way.
  await until(() => rig.server.start().then(() => true, () => false));
});

fault("server killed and restarted, twice in a row", async (rig) => {
  for (let i = 0; i < 2; i++) {
    await rig.server.stop("SIGKILL");
    await until(() => rig.server.start().then(() => true, () => false));
  }
});

fault("all backends terminated in use", async (rig) => {
  for (let i = 0; i < 3; i++) {
    await rig.terminate();
    await rig.more("destroyed", 10);
    await rig.whole();
  }
}, { stripes: 3 });

fault("all backends terminated while idle", async (rig) => {
  await rig.pause();
  await rig.terminate();
  rig.unpause();
  await rig.more("destroyed", 10);
});

fault("network stalls", async (rig) => {
  rig.proxy.stall();
  await rig.more("rejected", 60);
  assertGreater(rig.counts.unanswered, 0);
  rig.proxy.resume();
});

fault("network stalls for less than anybody waits", async (rig) => {
  const { unanswered } = rig.counts;
  rig.proxy.stall();
  await delay(200);
  rig.proxy.resume();
  await rig.whole();
  assertEquals(rig.counts.unanswered, unanswered);
});

fault("connections reset", async (rig) => {
  for (let i = 0; i < 3; i++) {
    assertEquals(rig.proxy.reset(), 10);
    await rig.more("destroyed", 10);
    await rig.whole();
  }
});

fault("connections half-closed to the client", async (rig) => {
  for (let i = 0; i < 3; i++) {
    assertEquals(rig.proxy.halfClose("client"), 10);
    await rig.more("destroyed", 10);
    await rig.whole();
  }
});

fault("connections half-closed to the server", async (rig) => {
  for (let i = 0; i < 3; i++) {
    assertEquals(rig.proxy.halfClose("server"), 10);
    await rig.more("destroyed", 10);
    await rig.whole();
  }
});

fault("server allows fewer connections than max", async (rig) => {
  await rig.more("answered", 500);
  assertEquals(rig.counts.rejected, 0);
  await rig.terminate();
  await rig.more("destroyed", 9);
}, { max: 20, reach: 9, settings: { max_connections: 10 } });

addEventListener("unload", () => console.table(results));
