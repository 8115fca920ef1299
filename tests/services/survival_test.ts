/** What happens to connections of a real server, and that the pool survives it. */

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "@std/async/delay";
import type { PostgresSettings } from "../../examples/postgres_server.ts";
import type { Lease, PoolOptions } from "../../mod.ts";
import { watchLeaks } from "../../src/leaks/mod.ts";
import { until } from "../fixture.ts";
import { test } from "../test.ts";
import { type Client, failures, fill, SurvivalRig } from "./survival_rig.ts";

const SHORT = "select pg_sleep(0.002)";

function survives(
  name: string,
  happen: (rig: SurvivalRig) => Promise<void>,
  settings?: PostgresSettings,
): void {
  test(`services: ${name}`, async () => {
    await using rig = await SurvivalRig.create(settings);
    await happen(rig);
  });
}

/** The backend that serves a connection. */
async function backend(client: Client): Promise<number> {
  const { rows } = await client.query("select pg_backend_pid() as pid");
  return rows[0].pid;
}

survives("backends killed while idle serve nobody again", async (rig) => {
  const pool = rig.pool();
  await fill(pool, 10);
  const dead = await rig.pids();
  await rig.terminate(10);
  // The one request that may fail is the one that comes before this is heard.
  await until(() => pool.stats().idle === 0);
  for (let i = 0; i < 100; i++) {
    await using lease = await pool.acquire();
    assert(!dead.includes(await backend(lease.value)));
  }
});

survives("one dead connection of ten fails no request", async (rig) => {
  const pool = rig.pool();
  await fill(pool, 10);
  const before = await rig.pids();
  await rig.terminate(1);
  await until(() => rig.reasons.includes("lost"));
  const well = await rig.pids();
  const dead = before.filter((pid) => !well.includes(pid));
  for (let i = 0; i < 30; i++) assert(!dead.includes(await pool.use(backend)));
});

survives(
  "a client that dies idle leaves the counts, and its process alive",
  async (rig) => {
    const pool = rig.pool();
    await fill(pool, 1);
    await rig.terminate(1);
    await until(() => rig.reasons.length > 0);
    assertEquals(rig.reasons, ["lost"]);
    const { idle, used, creating, destroying } = pool.stats();
    assertEquals([idle, used, creating, destroying], [0, 0, 0, 0]);
    assertEquals(await rig.pids(), []);
  },
);

survives("who has patience outlasts a restart of the server", async (rig) => {
  const pool = rig.pool({ acquireTimeout: 20_000 });
  await fill(pool, 10);
  await rig.server.stop();
  await until(() => pool.stats().idle + pool.stats().destroying === 0);
  const { accepted } = rig.proxy;
  const failed = failures(pool, 500);
  await until(() => rig.proxy.accepted >= accepted + 10 + 3);
  await rig.server.start();
  assertEquals(await failed, []);
});

survives(
  "a server that is down sees five connects a second, once max have failed",
  async (rig) => {
    const pool = rig.pool({ max: 20 });
    await fill(pool, 20);
    await rig.server.stop();
    await until(() => pool.stats().idle === 0);
    const { accepted } = rig.proxy;
    const failed = failures(pool, 100);
    await delay(3_000);
    assertLessOrEqual(rig.proxy.accepted - accepted, 20 + 15);
    await rig.server.start();
    assertEquals(await failed, []);
  },
);

survives(
  "a pool that boots before its server fails at once, and seldom connects",
  async (rig) => {
    const pool = rig.pool();
    await rig.server.stop();
    const { accepted } = rig.proxy;
    let failed = 0;
    const end = performance.now() + 2_000;
    while (performance.now() < end) {
      failed += (await failures(pool, 1)).length;
      await delay(10);
    }
    assert(failed > 0);
    assertLessOrEqual(rig.proxy.accepted - accepted, 10);
    await rig.server.start();
    await until(async () => (await failures(pool, 1)).length === 0);
  },
);

// One connection more than five is that of the census.
const FIVE = { max_connections: 6, reserved_connections: 0 };
const ORDERS: Record<string, [number, number]> = {
  "as they come": [0, 0],
  "refusals first": [100, 0],
  "refusals last": [0, 100],
};
for (const [order, [success, refusal]] of Object.entries(ORDERS)) {
  survives(
    `a server that allows 5 serves a new pool of 10, ${order}`,
    async (rig) => {
      const pool = rig.pool({
        create: async ({ lost }) => {
          try {
            const client = await rig.connect(lost);
            await delay(success);
            return client;
          } catch (error) {
            await delay(refusal);
            throw error;
          }
        },
      });
      assertEquals(await failures(pool, 100, "select pg_sleep(0.01)"), []);
      assertEquals(await failures(pool, 100, "select pg_sleep(0.01)"), []);
    },
    FIVE,
  );
}

survives(
  "a create that fails after its waiter left takes no newcomer with it",
  async (rig) => {
    const failing = [400];
    const pool = rig.pool({
      create: ({ lost }) => rig.connect(lost, failing.shift()),
    });
    rig.proxy.hang(1);
    await assertRejects(() => pool.acquire({ timeout: 100 }));
    // The newcomer still waits for its own create when the first one fails.
    rig.proxy.delay = 500;
    assertEquals(await failures(pool, 1), []);
  },
);

survives("a create that hangs costs only who waited on it", async (rig) => {
  const pool = rig.pool();
  rig.proxy.hang(1);
  await assertRejects(() => pool.acquire({ timeout: 500 }));
  // The one that hangs is given up by itself only after 10 s.
  for (let i = 0; i < 5; i++) {
    (await pool.acquire({ timeout: 8_000 })).release();
  }
});

survives(
  "idle connections that are half open cost one silence together",
  async (rig) => {
    let asked = 0;
    const pool = rig.pool({
      max: 20,
      validate: async (client) => {
        asked++;
        await client.query("select 1");
        return true;
      },
      validateTimeout: 300,
      destroyTimeout: 300,
    });
    await fill(pool, 6);
    const dead = await rig.pids();
    rig.proxy.freeze();
    assert(!dead.includes(await pool.use(backend)));
    assertEquals(asked, 1);
    assertEquals(pool.stats().idle, 1);
  },
);

survives(
  "50 short uses at once on 5 warm connections open few more",
  async (rig) => {
    const pool = rig.pool({ max: 50 });
    rig.proxy.delay = 500;
    await fill(pool, 5);
    for (let i = 0; i < 20; i++) await failures(pool, 5, SHORT);
    const { accepted } = rig.proxy;
    assertEquals(await failures(pool, 50, SHORT), []);
    // Three where nothing else runs; a slow machine makes longer uses of them.
    assertLessOrEqual(rig.proxy.accepted - accepted, 10);
  },
);

survives(
  "a transaction left open by a use that threw ends before the next holder",
  async (rig) => {
    const pool = rig.pool({ max: 1 });
    await pool.use((client) => client.query("create table t (n int)"));
    const before = await pool.use(backend);
    await assertRejects(
      () =>
        pool.use(async (client) => {
          await client.query("begin; insert into t values (1)");
          throw new Error("in the middle");
        }),
      "in the middle",
    );
    await pool.use(async (client) => {
      assertEquals(await backend(client), before);
      const { rows } = await client.query(
        "select pg_current_xact_id_if_assigned() as xact, (select count(*)::int from t) as n",
      );
      assertEquals(rows, [{ xact: null, n: 0 }]);
    });
  },
);

/** Options of a pool whose connections are wiped at each release. */
const WIPED: Partial<PoolOptions<Client>> = {
  max: 1,
  reset: (client) => client.query("discard all"),
};

survives(
  "a role and a search_path never reach the next holder",
  async (rig) => {
    const pool = rig.pool(WIPED);
    await pool.use((client) => client.query("create role other"));
    const state = async (client: Client) => {
      const { rows } = await client.query(
        "select pg_backend_pid() as pid, current_user as role, current_setting('search_path') as path",
      );
      return rows[0];
    };
    const fresh = await pool.use(state);
    {
      await using lease = await pool.acquire();
      await lease.value.query("set role other; set search_path to nowhere");
      const { role, path } = await state(lease.value);
      assertEquals({ role, path }, { role: "other", path: "nowhere" });
    }
    assertEquals(await pool.use(state), fresh);
  },
);

survives(
  "a connection that cannot be wiped serves nobody again",
  async (rig) => {
    const pool = rig.pool(WIPED);
    let left: number;
    {
      await using lease = await pool.acquire();
      left = await backend(lease.value);
      // What `using` cannot see: nothing is wiped in an open transaction.
      await lease.value.query("begin");
    }
    const next = await pool.use(backend);
    assert(next !== left);
    assertEquals(await rig.pids(), [next]);
    assertEquals(rig.reasons, ["reset"]);
  },
);

survives("unique violations in a use cost no connection", async (rig) => {
  const pool = rig.pool({ max: 5 });
  await pool.use((client) =>
    client.query("create table t (n int primary key); insert into t values (0)")
  );
  await fill(pool, 5);
  const pids = await rig.pids();
  const insert = (n: number) =>
    pool.use((client) => client.query("insert into t values ($1)", [n]));
  const results = await Promise.allSettled(
    Array.from({ length: 100 }, (_, i) => insert(i % 5 === 0 ? 0 : i)),
  );
  const failed = results.filter(({ status }) => status === "rejected");
  assertEquals(failed.length, 20);
  assertEquals(await rig.pids(), pids);
});

survives("a disposable connection needs no destroy", async (rig) => {
  const pool = rig.pool({
    max: 5,
    create: async ({ lost }) => {
      const client = await rig.connect(lost);
      return Object.assign(client, {
        [Symbol.asyncDispose]: () => client.end(),
      });
    },
    destroy: undefined,
  });
  for (let i = 0; i < 4; i++) {
    await fill(pool, 5);
    assertLessOrEqual((await rig.pids()).length, 5);
    pool.clear();
  }
  await pool.close();
  assertEquals(await rig.pids(), []);
});

survives(
  "one lease in fifty that is forgotten is named, with who has it",
  async (rig) => {
    const stacks: (string | undefined)[] = [];
    const pool = rig.pool({
      max: 2,
      leaks: watchLeaks({ after: 1_000 }),
      observer: { leaked: ({ stack }) => void stacks.push(stack) },
    });
    const kept: Lease<Client>[] = [];
    async function forgetful(): Promise<void> {
      kept.push(await pool.acquire());
    }
    for (let i = 0; i < 50; i++) {
      if (i === 20) await forgetful();
      else await pool.use((client) => client.query("select 1"));
    }
    await until(() => stacks.length > 0);
    assertEquals(stacks.length, 1);
    assertStringIncludes(stacks[0]!, "forgetful");
    using _other = await pool.acquire();
    const { message } = await assertRejects(
      () => pool.acquire({ timeout: 0 }),
      Error,
    );
    assertStringIncludes(message, "forgetful");
    for (const lease of kept) lease.release();
  },
);
