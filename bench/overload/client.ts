/** The process of one contender: started by postgres.ts, never by hand. */

import { CONTENDERS } from "./contender.ts";
import { arrivals, MAX, put } from "./load.ts";

/** What a client is to do; without a rate, to find out how much can be done. */
export interface Order {
  readonly contender: string;
  readonly url: string;
  /** How long a use takes, in ms. */
  readonly use: number;
  readonly duration: number;
  /** Requests a ms that come. */
  readonly rate: number | undefined;
}

const order: Order = JSON.parse(Deno.args[0]!);
const { use, duration, rate } = order;
const take = CONTENDERS[order.contender]!(order.url);
// Connected before it begins.
const crowd = Array.from({ length: MAX }, () => ({ at: 0, use: 100 }));
await put(take, crowd, clock());
const result = rate === undefined
  ? await measure()
  : await put(take, arrivals(rate, duration, () => use), clock());
console.log(JSON.stringify(result));
// Pools and connections may keep the process alive.
Deno.exit();

/** How much is done a ms where nobody has to wait. */
async function measure(): Promise<number> {
  const end = performance.now() + duration;
  let done = 0;
  const client = async () => {
    for (; performance.now() < end; done++) {
      const turn = await take();
      await turn.use(use);
      turn.release();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: MAX }, client));
  return done / (performance.now() - start);
}

function clock() {
  return { now: () => performance.now(), setTimeout };
}
