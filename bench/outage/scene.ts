/// <reference path="../../tests/async.d.ts" />

/** What goes wrong in front of each contender, in the same way. */

import { delay } from "@std/async/delay";
import { median } from "../statistic.ts";
import type { Request } from "./load.ts";
import { ROLE, type Stage, type StageSettings } from "./stage.ts";

/** What a scene shows. */
export interface Play {
  requests: Request[];
  /** Figures of this scene alone, by name. */
  more?: Record<string, number>;
}

export interface Scene extends Partial<StageSettings> {
  name: string;
  /** What happens, in one line. */
  text: string;
  /** How many requests there are; those without an end have failed. */
  requests?: number;
  play(stage: Stage): Promise<Play>;
}

const MAX = 10;

/** How long a request waits for a connection, in milliseconds. */
const PATIENCE = 20_000;

/** What holds where a scene does not say otherwise. */
export const DEFAULTS: StageSettings = {
  max: MAX,
  patience: PATIENCE,
  wary: false,
  proxied: false,
};

const SHORT = ["select pg_sleep(0.002)"];

/** How soon after the server is back all who have patience are answered. */
const LATE = 2_500;

/** One request each 10 ms, for as long as that. */
function steady(duration: number) {
  return { texts: SHORT, clients: duration / 10, times: 1, every: 10 };
}

/** The server is down for as long as that, while there is a load. */
async function outage(
  stage: Stage,
  duration: number,
  load: Parameters<Stage["put"]>[0],
): Promise<Request[]> {
  stage.begin();
  const requests = stage.put(load);
  await delay(duration);
  await stage.server.start();
  await stage.end();
  return await requests;
}

const DOWN = 60_000;

export const SCENES: readonly Scene[] = [
  {
    name: "idle killed",
    text: "all 10 backends terminated while idle, then a request each 10 ms",
    requests: 200,
    play: async (stage) => {
      await stage.warm(MAX);
      stage.begin();
      await stage.administer(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where usename = '${ROLE}'`,
      );
      // Else who asks before any pool can know is left to chance.
      await delay(50);
      return { requests: await stage.put(steady(2_000)) };
    },
  },
  {
    name: "down 3 s",
    text: "500 clients ask in the first of 3 s without a server",
    requests: 500,
    play: async (stage) => {
      await stage.warm(MAX);
      // Ten uses run when it stops, and are left aside.
      void stage.put({
        texts: ["select pg_sleep(30)"],
        clients: MAX,
        times: 1,
      });
      await delay(200);
      await stage.server.stop();
      const load = { texts: SHORT, clients: 500, times: 1, every: 2 };
      return { requests: await outage(stage, 3_000, load) };
    },
  },
  {
    name: "down 60 s",
    text: "60 s without a server, a request each 10 ms with 20 s of patience",
    requests: DOWN / 10,
    play: async (stage) => {
      await stage.warm(MAX);
      await stage.server.stop();
      const requests = await outage(stage, DOWN, steady(DOWN));
      const back = stage.over!;
      const patient = requests.filter(({ asked }) =>
        asked + PATIENCE > back + LATE
      );
      const inTime = patient.filter(({ ended, error }) =>
        error === undefined && ended <= back + LATE
      );
      return {
        requests,
        more: { patient: patient.length, late: patient.length - inTime.length },
      };
    },
  },
  {
    name: "booted while down",
    text: "a new pool, 5 s without a server, a request each 10 ms",
    requests: 600,
    play: async (stage) => {
      await stage.warm(0);
      await stage.server.stop();
      return { requests: await outage(stage, 5_000, steady(6_000)) };
    },
  },
  {
    name: "half open",
    text: "10 idle connections fall silent, then a request each 10 ms",
    patience: 5_000,
    requests: 200,
    wary: true,
    proxied: true,
    play: async (stage) => {
      await stage.warm(MAX);
      stage.begin();
      stage.proxy.freeze();
      return { requests: await stage.put(steady(2_000)) };
    },
  },
  {
    name: "server allows 5",
    text: "100 uses of 10 ms at once on a new pool of 10, the server allows 5",
    requests: 100,
    play: async (stage) => {
      await stage.warm(0);
      await stage.administer(`alter role ${ROLE} connection limit 5`);
      stage.begin();
      const requests = await stage.put({
        texts: ["select pg_sleep(0.01)"],
        clients: 100,
        times: 1,
      });
      await stage.administer(`alter role ${ROLE} connection limit -1`);
      return { requests };
    },
  },
  {
    name: "spike",
    text: "50 uses of 2 ms at once on 5 warm connections, connects take 150 ms",
    requests: 50,
    max: 50,
    proxied: true,
    play: async (stage) => {
      stage.proxy.delay = 150;
      await stage.warm(5);
      await stage.put({ texts: SHORT, clients: 5, times: 50 });
      stage.begin();
      const load = { texts: SHORT, clients: 50, times: 1 };
      return { requests: await stage.put(load) };
    },
  },
  {
    name: "hung create",
    text: "the first connect hangs; 10 clients one after the other, 1 s each",
    patience: 1_000,
    requests: 10,
    proxied: true,
    play: async (stage) => {
      await stage.warm(0);
      stage.proxy.hang(1);
      stage.begin();
      const load = { texts: SHORT, clients: 1, times: 10 };
      return { requests: await stage.put(load) };
    },
  },
  {
    name: "violations",
    text:
      "10 clients insert, 15 times 0.1 s, each fifth time a key that is there",
    play: async (stage) => {
      await stage.warm(MAX);
      const insert = "insert into seen values ($n)";
      const again = "insert into seen values (0)";
      const clean = [insert];
      const mixed = [insert, insert, insert, insert, again];
      await insertions(stage, clean);
      stage.begin();
      const shares: number[] = [];
      const requests: Request[] = [];
      // In turn and short, so that what else the machine does hits both.
      for (let round = 0; round < 15; round++) {
        const without = await insertions(stage, clean);
        const some = await insertions(stage, mixed);
        shares.push(some.length / without.length);
        requests.push(...some);
      }
      await stage.administer("delete from seen where id > 0");
      return { requests, more: { share: median(shares) } };
    },
  },
];

function insertions(stage: Stage, texts: string[]): Promise<Request[]> {
  return stage.put({ texts, clients: MAX, duration: 100 });
}
