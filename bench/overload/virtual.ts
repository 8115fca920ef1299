import { Pool } from "../../mod.ts";
import { codel } from "../../src/codel/mod.ts";
import { VirtualClock } from "../../tests/virtual_clock.ts";
import {
  arrivals,
  type Figures,
  figures,
  MAX,
  PATIENCE,
  put,
  type Take,
} from "./load.ts";

const DURATION = 60_000;

/** How long a use takes in the mean, in ms. */
const USE = 10;

/**
 * A minute of our pool on virtual time, the same in every run. Uses are drawn
 * from an exponential distribution. Where `isTold`, who has lost patience leaves
 * the line; else the pool does not hear of it.
 */
export async function simulate(
  sheds: boolean,
  isTold: boolean,
  load: number,
): Promise<Figures> {
  const clock = new VirtualClock();
  const pool = new Pool({
    create: () => ({}),
    max: MAX,
    clock,
    acquireTimeout: isTold ? PATIENCE : Infinity,
    shed: sheds ? codel() : undefined,
  });
  await pool.warm(MAX);
  const take: Take = async () => {
    const lease = await pool.acquire();
    return {
      use: (ms) => new Promise<void>((done) => clock.setTimeout(done, ms)),
      release: () => lease.release(),
    };
  };
  const capacity = MAX / USE;
  const drawn = arrivals(
    load * capacity,
    DURATION,
    (random) => -Math.log(random()) * USE,
  );
  const requests = put(take, drawn, clock);
  await clock.advance(DURATION);
  // Whoever waits now has waited in vain; those served go on.
  const closing = pool.close();
  await clock.advance(100 * USE);
  await closing;
  return figures(await requests, capacity, DURATION);
}
