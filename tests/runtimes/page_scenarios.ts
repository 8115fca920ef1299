import { Pool } from "../../mod.ts";
import {
  inspect,
  type InspectedPool,
  type Inspector,
} from "../../src/inspect/mod.ts";
import { watchLeaks } from "../../src/leaks/mod.ts";
import { drawing } from "../drawing.ts";
import { dice, settled } from "../fixture.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** A pool that something has happened to, in a time of its own. */
export interface Scenario {
  readonly clock: VirtualClock;
  readonly pool: Pool<object>;
  /** Its page; events come in real time, and faster. */
  readonly handler: Inspector;
  /** What the server of its resources does. */
  readonly server: { error: Error | undefined };
  /** The word for it. */
  readonly state: string;
}

/** As calls of an app, whose stacks are shown without where this project is. */
async function exportReport(pool: Pool<object>): Promise<unknown> {
  return await pool.acquire();
}

async function sendDigest(pool: Pool<object>): Promise<unknown> {
  return await pool.acquire();
}

/** An order takes so many ms. */
async function placeOrder(
  { pool, clock }: Scenario,
  ms: number,
): Promise<void> {
  await pool.use(() => sleep(clock, ms)).catch(() => {});
}

const HERE = new URL("./", import.meta.url).href;

/** As the pool, but for that. */
function ofAnApp(pool: Pool<object>): InspectedPool {
  const short = (text: string | undefined) => text?.replaceAll(HERE, "app/");
  return {
    name: pool.name,
    observe: (observer) => pool.observe(observer),
    stats(options) {
      const details = pool.stats(options);
      for (const line of details.lines) {
        line.holders = line.holders.map(({ where, stack, ...holder }) => ({
          ...holder,
          where: short(where),
          stack: short(stack),
        }));
      }
      return details;
    },
  };
}

function scenario(
  state: string,
  options: { stripes?: number; max?: number; name?: string } = {},
  hasOwnTime = false,
): Scenario {
  const clock = new VirtualClock();
  const server: Scenario["server"] = { error: undefined };
  const pool = new Pool<object>({
    create: async () => {
      await sleep(clock, 18);
      if (server.error !== undefined) throw server.error;
      return {};
    },
    max: 10,
    name: "orders",
    growth: "eager",
    acquireTimeout: 120_000,
    leaks: watchLeaks({ after: 30_000 }),
    clock,
    ...options,
  });
  const handler = inspect([ofAnApp(pool)], {
    authorize: "anyone",
    clock: hasOwnTime ? clock : {
      now: () => clock.now(),
      setTimeout: (callback, delay) => setTimeout(callback, delay / 4),
      clearTimeout: (timer) => clearTimeout(timer as number),
    },
  });
  return { clock, pool, handler, server, state };
}

function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms));
}

/** Uses of a few ms, some of them long, one each so many ms. */
async function work(
  it: Scenario,
  uses: number,
  gap: number,
): Promise<void> {
  const roll = dice(100);
  for (let n = 0; n < uses; n++) {
    const length = 4 + roll() / 5 + (roll() < 4 ? 120 : 0);
    void placeOrder(it, length);
    await it.clock.advance(gap + roll() / 50);
  }
}

/** Some work, and enough slots for it. */
export async function healthy(): Promise<Scenario> {
  const it = scenario("healthy", { stripes: 2 });
  await work(it, 400, 3);
  return it;
}

/** All are used by something slow, and more come. */
export async function saturated(): Promise<Scenario> {
  const it = scenario("saturated");
  await work(it, 400, 3);
  await it.clock.advance(1_000);
  for (let n = 0; n < 46; n++) {
    void placeOrder(it, 90_000);
    await it.clock.advance(200);
  }
  return it;
}

/** Three minutes of some work; its events come in its own time. */
export async function history(): Promise<Scenario> {
  const it = scenario("saturated", {}, true);
  await orders(it, 180, 30);
  return it;
}

/** Each of so many seconds 20 orders, which take so many ms. */
export async function orders(
  it: Scenario,
  seconds: number,
  ms: number,
): Promise<void> {
  const roll = dice(100);
  for (let n = 0; n < 20 * seconds; n++) {
    void placeOrder(it, ms * (0.5 + roll() / 100));
    await it.clock.advance(50);
  }
}

/** What it connects to has gone. */
export async function outage(
  name = "orders",
  message = "connect ECONNREFUSED 127.0.0.1:5432",
): Promise<Scenario> {
  // When it is tried again is the same in every picture.
  using _draw = drawing(0.5);
  const it = scenario("outage", { name });
  await work(it, 400, 3);
  await it.clock.advance(1_000);
  it.pool.clear();
  it.server.error = new Error(message);
  for (let n = 0; n < 24; n++) {
    void placeOrder(it, 10);
    await it.clock.advance(350);
  }
  return it;
}

/** Three leases do not come back. */
export async function leaking(): Promise<Scenario> {
  const it = scenario("leaking");
  await work(it, 400, 4);
  for (const call of [exportReport, sendDigest, exportReport]) {
    kept.push(await call(it.pool));
    await it.clock.advance(4_000);
  }
  await it.clock.advance(26_000);
  await work(it, 60, 4);
  return it;
}

/** As many as anybody has, and more than anybody should. */
export async function huge(): Promise<Scenario> {
  const it = scenario("saturated", { max: 1_000, stripes: 4 });
  for (let n = 0; n < 101_000; n++) {
    void placeOrder(it, 60_000);
    if (n % 10_000 === 0) await it.clock.advance(100);
  }
  await settled();
  return it;
}

/** Else they would be collected. */
const kept: unknown[] = [];
