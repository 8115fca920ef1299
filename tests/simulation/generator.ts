import { type Hazard, HAZARDS, ON } from "./hazards.ts";
import { addChanges, changed, makePressure, planJudge } from "./pressure.ts";
import { Random } from "./random.ts";
import {
  type AcquireOp,
  type Config,
  type Ending,
  type Op,
  OWN,
  type Plan,
  type Role,
  ROLES,
  type Scenario,
  type Step,
} from "./scenario.ts";

const HOUR = 3_600_000;
const LIMITS = [1, 5, 20, 100, 1_000];
/** Ids of ops that plans hold start here, apart from those of steps. */
const PLAN_IDS = 1_000_000;
/** Hazards and policies draw from numbers of their own. */
const HAZARD_STREAM = 1_000;
const POLICY_STREAM = 2_000;

/** What a callback does when nothing goes wrong. */
export const PLAIN: Plan = {
  way: "at once",
  turn: "well",
  after: 0,
  heeds: false,
  act: undefined,
};

/** The scenario of a seed. */
export function generate(
  seed: number,
  hazards: readonly Hazard[] = ON,
): Scenario {
  const random = new Random(seed);
  const config = { ...makeConfig(random), ...makePressure(seed) };
  const steps: Step[] = [];
  const length = random.pick([20, 80, 200, 400]);
  while (steps.length < length) addSteps(steps, random, config);
  addEvents(steps, new Random(seed, POLICY_STREAM), config);
  config.hazards = HAZARDS.filter((hazard, kind) => {
    const random = new Random(seed, HAZARD_STREAM + kind);
    if (!random.chance(60) || !hazards.includes(hazard)) return false;
    addHazards(steps, random, hazard);
    return true;
  });
  addChanges(steps, seed, config);
  return { seed, config, steps, plans: undefined };
}

/**
 * What the `index`-th call of a callback does: drawn from the seed and the
 * index alone, so what other callbacks draw does not matter.
 */
export function plan(scenario: Scenario, role: Role, index: number): Plan {
  const { plans } = scenario;
  if (plans !== undefined) return plans.get(`${role} ${index}`) ?? PLAIN;
  switch (role) {
    case "signal":
      return planListener(scenario, index);
    case "reading":
    case "timer":
      return planClock(scenario, role, index);
    case "destroy":
      return planDestroy(scenario, index);
    case "judge":
      return planJudge(scenario, index);
    default:
      return planCall(scenario, role, index);
  }
}

function planCall(
  { config, seed }: Scenario,
  role: Exclude<Role, "signal" | "reading" | "timer" | "judge">,
  index: number,
): Plan {
  const number = ROLES.indexOf(role);
  const random = new Random(seed, number, index);
  if (!random.chance(config.roughness)) return PLAIN;
  const id = PLAN_IDS * (number + 1) + index;
  const act = random.chance(role === "observer" ? 60 : 20)
    ? changed(makeAct(random, config, id), seed, config, id)
    : undefined;
  const limit = {
    create: config.createTimeout,
    destroy: config.destroyTimeout,
    validate: config.validateTimeout,
    reset: config.resetTimeout,
    observer: Infinity,
    predicate: Infinity,
  }[role];
  return {
    way: random.pick([
      "at once",
      "by promise",
      "by thenable",
      "later",
      "later",
    ]),
    turn: random.pick(["well", "well", "fail", "lie"]),
    after: random.pick([
      1,
      2,
      5,
      10,
      30,
      limit,
      limit + 1,
      limit * 3,
      Infinity,
    ]),
    heeds: random.chance(50),
    act,
  };
}

/** Now and then a destroy closes the pool, and waits for nobody. */
function planDestroy(scenario: Scenario, index: number): Plan {
  const { config, seed } = scenario;
  const plan = planCall(scenario, "destroy", index);
  if (!config.hazards.includes("closes")) return plan;
  const kind = HAZARDS.indexOf("closes");
  const random = new Random(seed, HAZARD_STREAM + kind, index);
  if (!random.chance(3)) return plan;
  return { ...plan, act: { do: "close", signal: "aborted" } };
}

/** What a signal does before it takes a listener, or `later`: after. */
function planListener({ config, seed }: Scenario, index: number): Plan {
  if (!config.hazards.includes("listeners")) return PLAIN;
  const number = ROLES.indexOf("signal");
  const random = new Random(seed, number, index);
  if (!random.chance(40)) return PLAIN;
  const id = PLAN_IDS * (number + 1) + index;
  const acquire = { ...makeAcquire(random, config, id), signal: OWN };
  const act: Op = random.pick<Op>([
    { do: "abort", signal: OWN },
    { do: random.chance(70) ? "release" : "destroy", id: OWN },
    acquire,
    makeAct(random, config, id),
  ]);
  return { ...PLAIN, way: random.pick(["at once", "later"]), act };
}

/** Whether a reading or a timer fails, or is no number. */
function planClock(
  { config, seed }: Scenario,
  role: "reading" | "timer",
  index: number,
): Plan {
  if (!config.hazards.includes(`${role}s`)) return PLAIN;
  const random = new Random(seed, ROLES.indexOf(role), index);
  if (!random.chance(4)) return PLAIN;
  const turn = role === "timer" || random.chance(50) ? "fail" : "lie";
  return { ...PLAIN, turn };
}

function makeConfig(random: Random): Omit<Config, Pressure> {
  const shape = makeShape(random);
  const isPlain = random.chance(20);
  return { ...shape, ...isPlain ? NO_POLICY : makePolicies(random, shape.max) };
}

/** What `makePressure` draws. */
type Pressure = "urgency" | "idleOrder" | "sheds" | "changes";
type Policies = Pick<Config, keyof typeof NO_POLICY>;

/** A pool without policies. */
export const NO_POLICY = {
  growth: "eager" as Config["growth"],
  createRetry: false as Config["createRetry"],
  maxCreating: Infinity,
  min: 0,
  maxLifetime: Infinity,
  maxUses: Infinity,
  validateAfter: 0,
  keepalive: Infinity,
  resets: false,
  resetTimeout: Infinity,
  places: Infinity,
};

function makePolicies(random: Random, max: number): Policies {
  const delay = random.pick([1, 5, 20, 100]);
  const maxDelay = delay * random.pick([1, 2, 10]);
  return {
    growth: random.chance(60) ? "measured" : "eager",
    createRetry: random.chance(70) ? { delay, maxDelay } : false,
    maxCreating: random.pick([Infinity, Infinity, Infinity, 1, 2, 3]),
    min: random.chance(30) ? 1 + random.below(max) : 0,
    maxLifetime: random.pick([Infinity, Infinity, Infinity, 20, 300, 5_000]),
    maxUses: random.pick([Infinity, Infinity, Infinity, 1, 2, 5]),
    validateAfter: random.pick([0, 0, 1, 10, 100]),
    keepalive: random.pick([Infinity, Infinity, 10, 100, 1_000]),
    resets: random.chance(40),
    resetTimeout: random.pick([...LIMITS, Infinity]),
    places: random.chance(15) ? 1 + random.below(max) : Infinity,
  };
}

function makeShape(
  random: Random,
): Omit<Config, keyof Policies | Pressure> {
  const max = random.pick([1, 1, 2, 2, 3, 4, 5, 8, 40]);
  const stripes = random.chance(50) ? 1 : 1 + random.below(Math.min(max, 31));
  return {
    max,
    stripes,
    isolated: stripes > 1 && random.chance(40),
    maxPending: random.pick([Infinity, Infinity, Infinity, 0, 1, 3, 10]),
    acquireTimeout: random.pick([...LIMITS, Infinity, Infinity]),
    idleTimeout: random.pick([0, ...LIMITS, Infinity]),
    createTimeout: random.pick([...LIMITS, Infinity]),
    destroyTimeout: random.pick([...LIMITS, Infinity]),
    validateTimeout: random.pick([...LIMITS, Infinity]),
    validates: random.chance(50),
    observes: random.chance(75),
    isFatal: random.pick(["absent", "never", "throws"]),
    roughness: random.pick([0, 5, 20, 60, 80]),
    hazards: [],
  };
}

function addSteps(steps: Step[], random: Random, config: Config): void {
  const id = steps.length;
  if (random.chance(4)) {
    const burst = 2 + random.below(30);
    for (let i = 0; i < burst; i++) {
      steps.push({ op: makeAcquire(random, config, id + i), ticks: 0 });
    }
    return;
  }
  if (random.chance(2)) return addRace(steps, random, config);
  const op = makeOp(random, config, id);
  const ticks = random.chance(50) ? Infinity : random.below(5);
  steps.push({ op, ticks });
}

/** Acquires, and then releases and aborts of them in one tick. */
function addRace(steps: Step[], random: Random, config: Config): void {
  const first = steps.length;
  for (let id = first; id < first + 4; id++) {
    const acquire = makeAcquire(random, config, id);
    const op: Op = { ...acquire, signal: 1000 + id, hold: Infinity };
    steps.push({ op, ticks: random.pick([0, Infinity]) });
  }
  for (let i = 0; i < 8; i++) {
    const id = first + random.below(4);
    const op: Op = random.chance(50)
      ? { do: random.chance(80) ? "release" : "destroy", id }
      : { do: "abort", signal: 1000 + id };
    steps.push({ op, ticks: random.below(2) });
  }
}

function makeOp(random: Random, config: Config, id: number): Op {
  const draw = random.below(1000);
  if (draw < 330) return makeAcquire(random, config, id);
  if (draw < 400) return makeTryAcquire(random, id);
  if (draw < 560) return makeEnd(random, id);
  if (draw < 640) return { do: "abort", signal: makeSignal(random, id) };
  if (draw < 680) return { do: "die", id: earlier(random, id) };
  if (draw < 694) return { do: "clear" };
  if (draw < 697) return makeClose(random, id);
  if (draw < 708) return { do: "jump", ms: (1 + random.below(5)) * HOUR };
  const { idleTimeout, acquireTimeout, createTimeout } = config;
  const ms = random.pick([
    ...[1, 1, 1, 2, 2, 5, 10, 50],
    ...[idleTimeout, idleTimeout + 1, acquireTimeout, createTimeout]
      .filter((limit) => limit !== Infinity),
  ]);
  return { do: "advance", ms };
}

/** Puts what happens to resources and their server between the other steps. */
function addEvents(steps: Step[], random: Random, config: Config): void {
  for (let count = random.below(1 + steps.length / 8); count > 0; count--) {
    const at = random.below(steps.length);
    const draw = random.below(100);
    const op: Op = draw < 60
      ? makeLoss(random)
      : draw < 70
      ? makeWarm(random, config, at)
      : { do: "outage", isDown: random.chance(40) };
    steps.splice(at, 0, { op, ticks: random.pick([0, 1, Infinity]) });
  }
}

function makeLoss(random: Random): Op {
  const what = random.pick(
    [
      "idle",
      "idle",
      "held",
      "held",
      "resting",
      "all",
      "creating",
      "gone",
    ] as const,
  );
  return { do: "lose", what, id: random.below(40) };
}

function makeWarm(random: Random, config: Config, id: number): Op {
  const signal = random.chance(40) ? makeSignal(random, id) : undefined;
  return { do: "warm", n: 1 + random.below(config.max), signal };
}

/** Puts the steps of a hazard, if it has any, between the others. */
function addHazards(steps: Step[], random: Random, hazard: Hazard): void {
  if (hazard !== "skew" && hazard !== "dispatch") return;
  const count = 1 + random.below(6);
  for (let i = 0; i < count; i++) {
    const at = random.below(steps.length);
    const op = hazard === "skew"
      ? makeSkew(random)
      : { do: "dispatch" as const, signal: makeSignal(random, at) };
    steps.splice(at, 0, { op, ticks: random.pick([0, 1, Infinity]) });
  }
}

function makeSkew(random: Random): Op {
  const how = random.pick(["back", "still", "still", "on", "right"] as const);
  return { do: "skew", how, ms: random.pick([1, 5, 50, 1_000, HOUR]) };
}

/** An op for a callback: no time passes inside. */
function makeAct(random: Random, config: Config, id: number): Op {
  // Acts refer to what recent steps did, and a plan knows no step.
  const recent = random.below(200);
  const draw = random.below(100);
  if (draw < 35) return makeAcquire(random, config, id);
  if (draw < 50) return makeTryAcquire(random, id);
  if (draw < 70) return makeEnd(random, recent);
  if (draw < 82) return { do: "abort", signal: makeSignal(random, recent) };
  if (draw < 88) return { do: "clear" };
  if (draw < 93) return makeLoss(random);
  if (draw < 94) return makeWarm(random, config, recent);
  if (draw < 98) return { do: "die", id: recent };
  return makeClose(random, recent);
}

function makeEnd(random: Random, id: number): Op {
  const how = random.chance(70) ? "release" : "destroy";
  return { do: how, id: earlier(random, id) };
}

function makeClose(random: Random, id: number): Op {
  const signal = random.chance(70) ? makeSignal(random, id) : undefined;
  return { do: "close", signal };
}

function makeAcquire(random: Random, config: Config, id: number): AcquireOp {
  const nests = random.chance(6);
  return {
    do: random.chance(15) ? "use" : "acquire",
    id,
    signal: random.chance(30) ? makeSignal(random, id, true) : undefined,
    timeout: random.pick([undefined, undefined, 0, 3, 20, 500, Infinity]),
    affinity: makeAffinity(random),
    hold: random.pick([0, 0, 1, 2, 3, 5, 10, 50, Infinity]),
    ending: makeEnding(random),
    isFatal: random.pick([
      ...["absent", "absent", "absent"] as const,
      ...["always", "never", "throws"] as const,
    ]),
    nested: nests ? makeAcquire(random, config, id + PLAN_IDS / 2) : undefined,
  };
}

function makeTryAcquire(random: Random, id: number): Op {
  return {
    do: "tryAcquire",
    id,
    affinity: makeAffinity(random),
    hold: random.pick([0, 1, 5, 20, Infinity]),
    ending: makeEnding(random),
  };
}

function makeAffinity(random: Random): string | number | undefined {
  if (random.chance(50)) return undefined;
  return random.chance(25)
    ? random.pick(["a", "b", "tenant"])
    : random.below(40);
}

function makeEnding(random: Random): Ending {
  return random.pick(["release", "release", "dispose", "destroy", "throw"]);
}

/** An acquire may have a signal of its own; four at a time are shared. */
function makeSignal(random: Random, id: number, fresh = false): number {
  if (random.chance(50)) return 1000 + (fresh ? id : earlier(random, id));
  return 4 * Math.floor((id % 400) / 40) + random.below(4);
}

/** The id of a recent step. */
function earlier(random: Random, id: number): number {
  return Math.max(0, id - 1 - random.below(random.pick([3, 12, 40])));
}
