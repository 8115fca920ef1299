import { type Lease, Pool, type PoolStats } from "../../mod.ts";
import { LocalBudget } from "../../src/budget/mod.ts";
import { draws } from "../../src/policy/jitter.ts";
import { Random } from "./random.ts";
import { StepClock } from "./step_clock.ts";
import { Tally } from "./tally.ts";

/** What is drawn here is of numbers of its own. */
const BUDGET_STREAM = 7_000;
const CALL_STREAM = 8_000;
const DRAW_STREAM = 9_000;
/** Ticks in a row without user code after which nothing moves any more. */
const QUIET_TICKS = 8;
/** Rounds in which everybody has to be served once nothing fails any more. */
const MAX_ROUNDS = 400;
const LIMIT = 100;

/** Several pools on few permits. */
interface Config {
  permits: number;
  pools: readonly {
    max: number;
    min: number;
    stripes: number;
    isolated: boolean;
    growth: "measured" | "eager";
    retries: boolean;
    idleTimeout: number;
    resets: boolean;
  }[];
  /** Percent of the callbacks that do something else than succeed at once. */
  roughness: number;
}

type Op =
  | { do: "acquire"; timeout: number; hold: number }
  | { do: "release" | "destroy" | "detach"; id: number }
  | { do: "lose"; id: number }
  | { do: "clear" | "evict" | "pause" | "unpause" | "warm" }
  | { do: "resize"; max: number }
  | { do: "close"; isAborted: boolean }
  | { do: "advance"; ms: number };

/** An op for one of the pools. */
type Step = Op & { pool: number };

export interface BudgetScenario {
  seed: number;
  config: Config;
  steps: readonly Step[];
}

export function generateBudget(seed: number): BudgetScenario {
  const random = new Random(seed, BUDGET_STREAM);
  const permits = 1 + random.below(3);
  const config = makeConfig(random, permits);
  const steps = Array.from(
    { length: random.pick([10, 40, 120]) },
    () => makeStep(random, config),
  );
  return { seed, config, steps };
}

function makeConfig(random: Random, permits: number): Config {
  const pools = Array.from({ length: 2 + random.below(2) }, (_, i) => {
    const max = 1 + random.below(4);
    const stripes = random.chance(70) ? 1 : 1 + random.below(max);
    // Else the others would starve, as they are told.
    const min = i === 0 && random.chance(30)
      ? Math.min(max, random.below(permits))
      : 0;
    return {
      ...{ max, min, stripes, isolated: random.chance(30) },
      growth: random.pick(["measured", "eager"] as const),
      retries: random.chance(70),
      idleTimeout: random.pick([5, 1_000, Infinity]),
      resets: random.chance(20),
    };
  });
  return { permits, pools, roughness: random.pick([0, 20, 60]) };
}

function makeStep(random: Random, { pools }: Config): Step {
  const pool = random.below(pools.length);
  return { ...makeOp(random, pools[pool]!.stripes), pool };
}

function makeOp(random: Random, stripes: number): Op {
  const draw = random.below(1_000);
  const id = random.below(40);
  if (draw < 450) {
    return {
      do: "acquire",
      timeout: random.pick([Infinity, Infinity, 3, 50]),
      hold: random.pick([0, 1, 5, 50, Infinity]),
    };
  }
  if (draw < 600) return { do: "release", id };
  if (draw < 640) return { do: "destroy", id };
  if (draw < 660) return { do: "detach", id };
  if (draw < 690) return { do: "lose", id };
  if (draw < 710) return { do: "clear" };
  if (draw < 730) return { do: "evict" };
  if (draw < 750) return { do: "pause" };
  if (draw < 770) return { do: "unpause" };
  if (draw < 810) return { do: "warm" };
  if (draw < 835) return { do: "resize", max: stripes + random.below(5) };
  if (draw < 840) return { do: "close", isAborted: random.chance(30) };
  return { do: "advance", ms: random.pick([1, 2, 10, 60, 300]) };
}

/** One that was made. */
interface Resource {
  readonly pool: number;
  readonly lost: (error?: unknown) => void;
}

/** A destroy that has not answered. */
interface Farewell {
  readonly since: number;
  readonly isLost: boolean;
}

/** A pool, and who waits for it or holds something of it. */
interface Member {
  readonly pool: Pool<Resource>;
  readonly held: Set<Lease<Resource>>;
  readonly pauses: AsyncDisposable[];
  readonly live: Set<Resource>;
  /** Acquires that have not settled. */
  waiting: number;
  calls: number;
  isClosed: boolean;
  isAborted: boolean;
}

/** Pools that share a budget, their callers and their callbacks. */
class BudgetWorld {
  readonly clock = new StepClock();
  readonly budget: LocalBudget;
  readonly members: readonly Member[];
  violation: string | undefined = undefined;
  steps = 0;
  activity = 0;
  /** Whether nothing fails any more, and nobody holds on to anything. */
  isCalm = false;
  /** Whether nothing is under way any more that may fail. */
  isSound = false;
  readonly #creates = new Set<AbortSignal>();
  readonly #destroys = new Set<Farewell>();
  #depth = 0;

  constructor(
    readonly scenario: BudgetScenario,
    readonly tally: Tally,
    readonly trace?: (line: string) => void,
  ) {
    const { config, seed } = scenario;
    const random = new Random(seed, DRAW_STREAM);
    draws.random = () => random.real();
    this.budget = new LocalBudget(config.permits);
    this.members = config.pools.map((_, i) => this.#join(i));
  }

  #join(i: number): Member {
    const { retries, resets, ...options } = this.scenario.config.pools[i]!;
    const pool = new Pool<Resource>({
      ...options,
      ...{ createTimeout: LIMIT, destroyTimeout: LIMIT },
      ...{ acquireTimeout: Infinity, clock: this.clock, budget: this.budget },
      createRetry: retries && { delay: 1, maxDelay: 20 },
      create: ({ signal, lost }) => this.#create(i, signal, lost),
      destroy: (resource, { reason }) => this.#destroy(resource, reason),
      ...resets && { reset: () => {} },
    });
    return {
      ...{ pool, held: new Set(), pauses: [], live: new Set() },
      ...{ waiting: 0, calls: 0, isClosed: false, isAborted: false },
    };
  }

  fail(rule: string): void {
    this.violation ??= rule;
  }

  /** No more than permitted, by what the pools say and by what there is. */
  check(): void {
    this.activity++;
    const { permits } = this.scenario.config;
    const counted = this.members
      .reduce((sum, { pool }) => sum + taken(pool.stats()), 0);
    if (counted > permits) this.fail(`Budget: ${counted} of ${permits}`);
    if (this.members.some(({ isAborted }) => isAborted)) return;
    let there = 0;
    for (const { live } of this.members) there += live.size;
    for (const { aborted } of this.#creates) if (!aborted) there++;
    for (const { since, isLost } of this.#destroys) {
      if (!isLost && this.clock.fired < since + LIMIT) there++;
    }
    if (there > permits) this.fail(`Budget: ${there} are there of ${permits}`);
  }

  perform(step: Step): void {
    this.activity++;
    const member = this.members[step.pool]!;
    const { pool, held, pauses } = member;
    switch (step.do) {
      case "acquire":
        return this.#acquire(member, step.timeout, step.hold);
      case "release":
      case "destroy":
      case "detach": {
        const lease = [...held][step.id % held.size];
        if (lease !== undefined) this.#end(member, lease, step.do);
        return;
      }
      case "lose":
        return this.#lose(member, step.id);
      case "clear":
        return pool.clear();
      case "evict":
        pool.evict(() => true);
        return;
      case "pause":
        pool.pause().then((pause) => {
          this.activity++;
          if (this.isCalm) pause[Symbol.asyncDispose]();
          else pauses.push(pause);
        }, () => this.activity++);
        return;
      case "unpause":
        for (const pause of pauses.splice(0)) pause[Symbol.asyncDispose]();
        return;
      case "warm":
        pool.warm(1).then(() => this.activity++, () => this.activity++);
        return;
      case "resize":
        return pool.resize(step.max);
      case "close":
        return this.close(member, step.isAborted);
      case "advance":
        throw new Error("bug: only the driver lets time pass");
    }
  }

  #acquire(member: Member, timeout: number, hold: number): void {
    const { pool, held } = member;
    member.waiting++;
    pool.acquire({ timeout }).then((lease) => {
      this.check();
      member.waiting--;
      this.trace?.(`   one is served by pool ${lease.value.pool}`);
      held.add(lease);
      if (hold === 0 || this.isCalm) this.#end(member, lease, "release");
      else if (hold !== Infinity) {
        this.clock.schedule(() => this.#end(member, lease, "release"), hold);
      }
    }, (error) => {
      this.activity++;
      member.waiting--;
      if (this.isSound) this.fail(`Budget: one is rejected: ${error}`);
    });
    const { pending, max } = pool.stats();
    const isHeldBack = pending > 0 && taken(pool.stats()) < max;
    if (isHeldBack) this.tally.hit("budget: one waits for a permit");
  }

  #end(
    { held, live }: Member,
    lease: Lease<Resource>,
    how: "release" | "destroy" | "detach",
  ): void {
    this.activity++;
    if (!held.delete(lease)) return;
    if (how !== "detach") return lease[how]();
    if (lease.toJSON().state === "ended") return;
    this.tally.hit("budget: one is detached");
    live.delete(lease.value);
    lease.detach();
  }

  #lose({ live }: Member, id: number): void {
    const resource = [...live][id % live.size];
    resource?.lost();
  }

  close(member: Member, isAborted: boolean): void {
    if (member.isClosed) return;
    this.tally.hit("budget: a pool closes");
    member.isClosed = true;
    member.isAborted = isAborted;
    const signal = isAborted ? AbortSignal.abort() : undefined;
    member.pool.close({ signal })
      .then(() => this.activity++, () => this.activity++);
  }

  /** Ends every lease and pause. */
  endAll(): void {
    this.members.forEach((member, pool) => {
      this.perform({ do: "unpause", pool });
      for (const lease of member.held) this.#end(member, lease, "release");
    });
  }

  #create(
    i: number,
    signal: AbortSignal,
    lost: Resource["lost"],
  ): Promise<Resource> {
    const member = this.members[i]!;
    this.#creates.add(signal);
    this.trace?.(`   pool ${i} creates`);
    this.check();
    const random = this.#draw(i, member.calls++);
    return this.#answer(random, () => {
      this.#creates.delete(signal);
      if (signal.aborted) this.tally.hit("budget: a create comes late");
      if (random.chance(30) && !this.isCalm) throw new Error("create");
      const resource = { pool: i, lost };
      // What comes late is destroyed and does not count.
      if (!signal.aborted) member.live.add(resource);
      return resource;
    });
  }

  #destroy(resource: Resource, reason: string): Promise<void> {
    const member = this.members[resource.pool]!;
    if (reason === "budget") this.tally.hit("destroy: as budget");
    this.trace?.(`   one of pool ${resource.pool} is destroyed: ${reason}`);
    const isCounted = member.live.delete(resource);
    const call = { since: this.clock.now(), isLost: reason === "lost" };
    if (isCounted) this.#destroys.add(call);
    this.check();
    const random = this.#draw(resource.pool, member.calls++);
    return this.#answer(random, () => {
      this.#destroys.delete(call);
      if (random.chance(20) && !this.isCalm) throw new Error("destroy");
    });
  }

  #draw(pool: number, index: number): Random {
    return new Random(this.scenario.seed, CALL_STREAM + pool, index);
  }

  /** Answers at once or later; first it may call one of the pools. */
  async #answer<R>(random: Random, answer: () => R): Promise<R> {
    const { roughness } = this.scenario.config;
    const isRough = !this.isCalm && random.chance(roughness);
    if (isRough && random.chance(30) && this.#depth === 0) {
      this.#depth++;
      const step = makeStep(random, this.scenario.config);
      if (step.do !== "advance") {
        this.tally.hit("budget: a callback calls one of the pools");
        this.perform(step);
      }
      this.#depth--;
    }
    if (isRough && random.chance(50)) {
      const delay = random.pick([1, 5, 30, LIMIT, LIMIT * 3]);
      await new Promise<void>((resolve) => {
        this.clock.schedule(resolve, delay);
      });
    }
    this.activity++;
    return answer();
  }
}

/** How a scenario went. */
export interface BudgetResult {
  steps: number;
  violation: string | undefined;
}

/** Runs a scenario to its end, or to the first violation. */
export async function simulateBudget(
  scenario: BudgetScenario,
  tally: Tally,
  trace?: (line: string) => void,
): Promise<BudgetResult> {
  const { random } = draws;
  try {
    const world = new BudgetWorld(scenario, tally, trace);
    try {
      await run(world);
    } catch (error) {
      world.fail(`something was thrown: ${error}`);
    }
    return world;
  } finally {
    draws.random = random;
  }
}

async function run(world: BudgetWorld): Promise<void> {
  for (const step of world.scenario.steps) {
    world.trace?.(JSON.stringify(step, infinity));
    world.steps++;
    if (step.do === "advance") await advance(world, step.ms);
    else world.perform(step);
    await settle(world);
    world.check();
    if (world.violation !== undefined) return;
  }
  world.trace?.("From now on nothing fails.");
  world.isCalm = true;
  await serveAll(world);
  await advance(world, 4 * LIMIT);
  world.isSound = true;
  world.members.forEach((_, pool) => {
    if (world.members[pool]!.isClosed) return;
    world.perform({ do: "acquire", timeout: Infinity, hold: 0, pool });
  });
  await serveAll(world);
  if (world.violation !== undefined) return;
  for (const member of world.members) world.close(member, false);
  await advance(world, 4 * LIMIT);
  await checkAllBack(world);
}

/** Nothing fails any more: everybody is served in the end. */
async function serveAll(world: BudgetWorld): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    world.endAll();
    await settle(world);
    world.check();
    if (world.violation !== undefined) return;
    if (world.members.every(({ waiting }) => waiting === 0)) return;
    await advance(world, round < 10 ? 1 : 20);
  }
  const stats = world.members.map(({ pool }) => pool.stats());
  world.fail(`Budget: not all are served: ${JSON.stringify(stats)}`);
}

/** All pools are closed: a new one can have all that is permitted. */
async function checkAllBack(world: BudgetWorld): Promise<void> {
  if (world.violation !== undefined) return;
  const { budget, clock, scenario: { config: { permits } } } = world;
  const create = () => ({});
  const pool = new Pool({ create, max: permits, clock, budget });
  for (let i = 0; i < permits; i++) {
    pool.acquire({ timeout: 1 }).catch(() => {});
  }
  await settle(world);
  const { used } = pool.stats();
  if (used < permits) world.fail(`Budget: ${permits - used} are lost`);
  await pool.close({ signal: AbortSignal.abort() });
}

async function settle(world: BudgetWorld): Promise<void> {
  let seen = world.activity;
  for (let quiet = 0; quiet < QUIET_TICKS;) {
    await undefined;
    quiet = world.activity === seen ? quiet + 1 : 0;
    seen = world.activity;
  }
}

async function advance(world: BudgetWorld, ms: number): Promise<void> {
  const { clock } = world;
  const end = clock.now() + ms;
  await settle(world);
  for (let timer; (timer = clock.due(end)) !== undefined;) {
    if (world.violation !== undefined) return;
    world.steps++;
    clock.fire(timer);
    await settle(world);
    world.check();
  }
  clock.reach(end);
  await settle(world);
}

/** The steps without which it would not fail as it does. */
export async function shrinkBudget(
  scenario: BudgetScenario,
): Promise<BudgetScenario> {
  const ruleOf = ({ violation = "" }: BudgetResult) =>
    violation.replace(/[\d{].*/, "");
  const run = async (steps: readonly Step[]) => {
    return ruleOf(await simulateBudget({ ...scenario, steps }, new Tally()));
  };
  let { steps } = scenario;
  const rule = await run(steps);
  for (let size = steps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = steps.length - size; at >= 0; at -= size) {
      const fewer = steps.toSpliced(at, size);
      if (await run(fewer) === rule) steps = fewer;
    }
  }
  return { ...scenario, steps };
}

/** What happens in a scenario, in words. */
export async function tellBudget(scenario: BudgetScenario): Promise<string> {
  const lines = [JSON.stringify(scenario.config, infinity)];
  const { violation } = await simulateBudget(
    scenario,
    new Tally(),
    (line) => lines.push(line),
  );
  return [...lines, `=> ${violation ?? "no violation"}`].join("\n");
}

function taken({ idle, used, creating, destroying }: PoolStats): number {
  return idle + used + creating + destroying;
}

function infinity(_: string, value: unknown): unknown {
  return value === Infinity ? "Infinity" : value;
}
