// A request is over and the pool goes on in use by others: nothing of the pool
// keeps alive what the request kept in AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type AcquireOptions,
  type Lease,
  Pool,
  type PoolOptions,
} from "../../../mod.ts";
import { watchLeaks } from "../../../src/leaks/mod.ts";
import { until } from "../../fixture.ts";
import { conclude, runCase } from "./cases.ts";

/** As in a server, it lives as long as the process. */
const storage = new AsyncLocalStorage<object>();

const { gc, Bun } = globalThis as {
  gc?: () => void;
  Bun?: { gc(isSync: boolean): void };
};
const collect = gc ?? (() => Bun!.gc(true));

/** Runs `fn` in a store of its own. */
async function request(fn: () => unknown): Promise<WeakRef<object>> {
  const store = { body: new Uint8Array(1_000_000) };
  await storage.run(store, fn);
  return new WeakRef(store);
}

async function freed(store: WeakRef<object>): Promise<void> {
  await until(() => {
    collect();
    return store.deref() === undefined;
  }, { deadline: 2_000 });
}

/** Longer than a case takes: what is limited by it is not over. */
const LONG = 600_000;

/** In use for as long as the process lives. */
const pools: Pool<object>[] = [];

function newPool(options: Partial<PoolOptions<object>> = {}): Pool<object> {
  const pool = new Pool<object>({
    create: () => Promise.resolve({}),
    max: 1,
    idleTimeout: LONG,
    createTimeout: LONG,
    destroyTimeout: LONG,
    ...options,
  });
  pools.push(pool);
  return pool;
}

/** The store of a request that waits until `end`, with others behind it. */
async function waited(
  pool: Pool<object>,
  options: AcquireOptions,
  end: (lease: Lease<object>) => void,
): Promise<void> {
  const lease = await pool.acquire();
  const first = request(() =>
    pool.acquire(options).then((lease) => lease.release(), () => {})
  );
  const others = { timeout: LONG, signal: shared.signal };
  for (let n = 0; n < 2; n++) pool.acquire(others).catch(() => {});
  end(lease);
  await freed(await first);
}

/** Lives on. */
const shared = new AbortController();

function served(
  acquireOptions: AcquireOptions,
  options: Partial<PoolOptions<object>> = {},
): Promise<void> {
  return waited(newPool(options), acquireOptions, (lease) => lease.release());
}

const CASES: Record<string, () => Promise<void>> = {
  async "came first, while others go on"() {
    const pool = newPool({ idleTimeout: 30 });
    const store = await request(() => pool.use(() => {}));
    // Its traffic goes on to the end of the program.
    setInterval(() => pool.use(() => {}), 5);
    await freed(store);
  },
  async "set off the create of a resource that lives on"() {
    const create = () => ({ heartbeat: setInterval(() => {}, LONG) });
    const pool = newPool({ create });
    const store = await request(() => pool.use(() => {}));
    await pool.acquire();
    await freed(store);
  },
  async "set off a create that goes on when it has left"() {
    const pool = newPool({ create: () => new Promise<object>(() => {}) });
    await freed(
      await request(() => pool.acquire({ timeout: 20 }).catch(() => {})),
    );
  },
  async "set off a destroy that goes on"() {
    const pool = newPool({ destroy: () => new Promise<void>(() => {}) });
    await freed(
      await request(() => pool.acquire().then((lease) => lease.destroy())),
    );
  },
  "waited": () => served({}),
  "waited with a timeout": () => served({ timeout: LONG }),
  "waited with a signal that lives on": () => served({ signal: shared.signal }),
  "waited, and validated": () => served({}, { validate: () => true }),
  "waited, and was observed": () => served({}, { observer: {} }),
  "waited, and was watched": () => served({}, { leaks: watchLeaks() }),
  "waited in vain": () => waited(newPool(), { timeout: 20 }, () => {}),
  async "left it in a resource that is destroyed"() {
    const pool = newPool();
    await freed(
      await request(async () => {
        const lease = await pool.acquire();
        Object.assign(lease.value, { store: storage.getStore() });
        lease.destroy();
      }),
    );
  },
  async "was the last to wait before the close"() {
    const pool = newPool();
    const lease = await pool.acquire();
    const store = request(() => pool.acquire().catch(() => {}));
    const closed = pool.close();
    lease.release();
    await closed;
    await freed(await store);
  },
};

for (const [name, fn] of Object.entries(CASES)) {
  await runCase(`the store is freed of a request that ${name}`, fn);
}
conclude();
