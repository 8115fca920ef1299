import { assertEquals } from "@std/assert";
import type { PoolObserver } from "../mod.ts";
import type { Leases } from "../src/drop_in/leases.ts";
import {
  createPool as createGeneric,
  type Pool as GenericPool,
} from "../src/generic_pool/mod.ts";
import { inspect, type Snapshot } from "../src/inspect/mod.ts";
import { type Meter, otelObserver } from "../src/otel/mod.ts";
import { Pool as PgPool } from "../src/pg/mod.ts";
import { Pool as SequelizePool } from "../src/sequelize_pool/mod.ts";
import { Pool as TarnPool } from "../src/tarn/mod.ts";
import { settled } from "./fixture.ts";
import { fakes } from "./mysql2_driver.ts";
import { FakeServer } from "./pg_client.ts";
import { test } from "./test.ts";

/** A drop-in with a connection that is idle, one in use, and how it ends. */
interface Watched {
  readonly leases: Leases<unknown>;
  use(): Promise<() => unknown>;
  end(): Promise<unknown>;
}

const factory = {
  create: () => Promise.resolve({}),
  destroy: () => {},
  validate: () => true,
};

const DROP_INS: Record<string, (name?: string) => Watched> = {
  pg(name) {
    const { Client } = new FakeServer();
    const pool = new PgPool({ max: 2, name }, Client);
    return {
      leases: pool.leases,
      use: async () => (await pool.connect()).release,
      end: () => pool.end(),
    };
  },
  mysql2(name) {
    const { pool } = fakes({ connectionLimit: 2 }, name ? { name } : {});
    return {
      leases: pool.leases,
      async use() {
        const connection = await pool.promise().getConnection();
        return () => connection.release();
      },
      end: () => pool.promise().end(),
    };
  },
  tarn(name) {
    const ours = name ? { name } : {};
    const pool = new TarnPool({ ...factory, min: 0, max: 2 }, ours);
    return {
      leases: pool.leases,
      async use() {
        const resource = await pool.acquire().promise;
        return () => pool.release(resource);
      },
      end: () => pool.destroy(),
    };
  },
  "generic-pool"(name) {
    const pool = createGeneric(factory, { max: 2 }, name ? { name } : {});
    return drained(pool);
  },
  "sequelize-pool"(name) {
    const pool = new SequelizePool<object>({
      ...factory,
      name,
      min: 0,
      max: 2,
    });
    return drained(pool);
  },
};

/** Of those whose calls are named as those of generic-pool. */
function drained(pool: GenericPool<object> | SequelizePool<object>): Watched {
  return {
    leases: pool.leases,
    async use() {
      const resource = await pool.acquire();
      return () => pool.release(resource);
    },
    end: () => pool.drain(),
  };
}

/** What was recorded, and what each series is as it is collected. */
function telemetry() {
  const recorded: string[] = [];
  let collect: Parameters<Meter["addBatchObservableCallback"]>[0];
  const meter: Meter = {
    createCounter: () => ({ add: () => {} }),
    createHistogram: (name) => ({
      record: (_, attributes) =>
        recorded.push(
          `${name} ${attributes["db.client.connection.pool.name"]}`,
        ),
    }),
    createObservableUpDownCounter: (name) => ({ name }),
    addBatchObservableCallback: (callback) => void (collect = callback),
  };
  const series = () => {
    const seen: Record<string, number> = {};
    collect({
      observe(observable, value, attributes) {
        const { name } = observable as { name: string };
        seen[[name, ...Object.values(attributes)].join(" ")] = value;
      },
    });
    return seen;
  };
  return { observer: otelObserver(meter), recorded, series };
}

for (const [kind, make] of Object.entries(DROP_INS)) {
  test(`${kind}: the pool beneath has a name, and can be watched`, async () => {
    assertEquals(make().leases.name, kind);
    const { leases, use, end } = make("orders");
    assertEquals([leases.name, leases.min], ["orders", 0]);
    const heard: string[] = [];
    const hear = (name: string) => ({ pool }: { pool: string }) =>
      void heard.push(`${name} ${pool}`);
    const observer: PoolObserver<unknown> = {
      created: hear("created"),
      acquired: hear("acquired"),
      released: hear("released"),
      closed: hear("closed"),
    };
    const observing = leases.observe(observer);
    const { observer: otel, recorded, series } = telemetry();
    otel.watch(leases);
    using handler = inspect([leases], { authorize: "anyone" });

    const release = await use();
    const count = "db.client.connection.count orders";
    assertEquals(series()[`${count} used`], 1);
    await release();
    await settled();
    assertEquals(series()[`${count} idle`], 1);
    assertEquals(
      heard,
      ["created", "acquired", "released"].map((name) => `${name} orders`),
    );
    const times = ["create", "wait", "use"];
    assertEquals(
      recorded,
      times.map((name) => `db.client.connection.${name}_time orders`),
    );
    const stats = await handler(new Request("http://localhost/stats"));
    const { pools: [shown] }: Snapshot = await stats.json();
    assertEquals([shown!.name, shown!.idle, shown!.creates.made], [
      "orders",
      1,
      1,
    ]);

    observing[Symbol.dispose]();
    await end();
    await settled();
    assertEquals(heard.length, 3);
    assertEquals(series()[`${count} idle`], 0);
    assertEquals(series(), {});
  });
}
