import { Random } from "./random.ts";
import type { ChangeOp, Config, Op, Plan, Scenario, Step } from "./scenario.ts";

/** What is drawn here is of numbers of its own. */
const PRESSURE_STREAM = 4_000;
const CHANGE_STREAM = 5_000;
const JUDGE_STREAM = 6_000;

/** A pool that is not under pressure. */
export const NO_PRESSURE = {
  urgency: 0,
  idleOrder: "newest" as Config["idleOrder"],
  sheds: 0,
  changes: false,
};

export function makePressure(seed: number): typeof NO_PRESSURE {
  const random = new Random(seed, PRESSURE_STREAM);
  if (random.chance(30)) return NO_PRESSURE;
  return {
    urgency: random.chance(40) ? 1 + random.below(2 ** 30) : 0,
    idleOrder: random.chance(30) ? "oldest" : "newest",
    sheds: random.chance(25) ? random.pick([5, 20, 60]) : 0,
    changes: random.chance(60),
  };
}

/** How urgent an acquire is. */
export function priority({ urgency }: Config, id: number): 0 | 1 | 2 | 3 {
  if (urgency === 0) return 0;
  return new Random(urgency, id).pick([0, 0, 1, 2, 3] as const);
}

/** Puts changes of the pool between the other steps. */
export function addChanges(steps: Step[], seed: number, config: Config): void {
  if (!config.changes) return;
  const random = new Random(seed, CHANGE_STREAM);
  for (let count = 1 + random.below(steps.length / 8); count > 0; count--) {
    const at = random.below(steps.length);
    const op = makeChange(random, config, at);
    steps.splice(at, 0, { op, ticks: random.pick([0, 1, Infinity]) });
    if (op.do !== "evict" || op.within === 0 || random.chance(50)) continue;
    // Long enough for all to have left.
    const rest: Op = { do: "advance", ms: op.within + 2 };
    steps.splice(at + 1, 0, { op: rest, ticks: Infinity });
  }
}

/** An op for a callback, or a change of the pool instead. */
export function changed(op: Op, seed: number, config: Config, id: number): Op {
  if (!config.changes) return op;
  const random = new Random(seed, CHANGE_STREAM, id);
  if (!random.chance(25)) return op;
  return makeChange(random, config, random.below(200));
}

/** Whether a judge has one leave, or throws; now and then it calls the pool. */
export function planJudge({ config, seed }: Scenario, index: number): Plan {
  const random = new Random(seed, JUDGE_STREAM, index);
  const turn = random.chance(config.sheds)
    ? "lie"
    : random.chance(5)
    ? "fail"
    : "well";
  const act = random.chance(10) ? makeIntrusion(random) : undefined;
  return { way: "at once", turn, after: 0, heeds: false, act };
}

/** What a judge does to the pool, which is amid a transition. */
function makeIntrusion(random: Random): Op {
  const id = random.below(200);
  return random.pick<Op>([
    { do: "release", id },
    { do: "destroy", id },
    { do: "detach", id },
    { do: "abort", signal: id % 40 },
    { do: "clear" },
  ]);
}

function makeChange(random: Random, config: Config, id: number): ChangeOp {
  const draw = random.below(100);
  if (draw < 30) {
    const { stripes, max } = config;
    return { do: "resize", max: stripes + random.below(2 * max) };
  }
  if (draw < 45) {
    const signal = random.chance(40)
      ? 4 * Math.floor((id % 400) / 40) + random.below(4)
      : undefined;
    const hold = random.pick([0, 1, 5, 20, 300, Infinity]);
    return { do: "pause", signal, hold };
  }
  if (draw < 60) return { do: "unpause" };
  if (draw < 80) {
    const rule = random.pick(["all", 0, 1, 2] as const);
    return { do: "evict", rule, within: random.pick([0, 0, 5, 20, 100]) };
  }
  return { do: "detach", id: Math.max(0, id - random.below(12)) };
}
