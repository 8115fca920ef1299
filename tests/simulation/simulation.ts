import { PoolClosedError } from "../../mod.ts";
import { draws } from "../../src/policy/jitter.ts";
import { glance, inspect } from "./inspection.ts";
import {
  inWords,
  type Op,
  type Plans,
  type Scenario,
  type Step,
} from "./scenario.ts";
import type { Tally } from "./tally.ts";
import { type Calls, World } from "./world.ts";

/** Ticks in a row without user code after which nothing moves any more. */
const QUIET_TICKS = 7;
/** Ticks after which it never will. */
const MAX_TICKS = 5_000;
/** Timers of one step after which they set each other without end. */
const MAX_TIMERS = 20_000;
/** Rounds in which everything has to settle once nothing fails any more. */
const MAX_ROUNDS = 300;

/** How a scenario went. */
export interface Result {
  /** Ops performed and timers fired; the rules were checked after each. */
  steps: number;
  /** The rule that was broken. */
  violation: string | undefined;
  /** The calls of callbacks before each step that was begun. */
  marks: readonly Calls[];
  /** Callbacks that did not just succeed at once. */
  plans: Plans;
}

/** Runs a scenario to its end, or to the first violation. */
export async function simulate(
  scenario: Scenario,
  tally: Tally,
  trace?: (line: string) => void,
): Promise<Result> {
  const { random } = draws;
  try {
    const simulation = new Simulation(new World(scenario, tally, trace));
    return await simulation.run();
  } finally {
    draws.random = random;
  }
}

class Simulation {
  #steps = 0;
  /** The id of its own last acquire. */
  #id = 0;
  readonly #marks: Calls[] = [];

  constructor(readonly world: World) {}

  async run(): Promise<Result> {
    const { world } = this;
    const { config, steps } = world.scenario;
    if (config.stripes > 16) world.tally.hit("pool: over 16 stripes");
    if (config.isolated) world.tally.hit("pool: isolated stripes");
    try {
      for (const step of steps) {
        if (this.#broken) break;
        this.#marks.push({ ...world.calls });
        const passing = this.#step(step);
        if (passing !== undefined) await passing;
      }
      if (!this.#broken) await this.#end();
    } catch (error) {
      world.ledger.fail(`something was thrown: ${error}`);
    }
    return {
      steps: this.#steps,
      violation: world.ledger.violation,
      marks: this.#marks,
      plans: world.planned,
    };
  }

  get #broken(): boolean {
    return this.world.ledger.violation !== undefined;
  }

  /** Returns nothing where no tick is to pass before the next step. */
  #step({ op, ticks }: Step): Promise<void> | undefined {
    const { world } = this;
    world.trace?.(`${this.#marks.length}. ${inWords(op)}`);
    this.#steps++;
    if (op.do === "advance") return this.#advance(op.ms);
    if (op.do === "jump") return this.#jump(op.ms);
    if (op.do === "skew") return this.#skew(op);
    world.perform(op);
    if (ticks === Infinity) return this.#settle();
    if (ticks > 0) return this.#pass(ticks);
    if (op.do === "acquire") world.tally.hit("acquire: in a burst");
    this.#glance();
    return undefined;
  }

  async #pass(ticks: number): Promise<void> {
    for (let tick = 0; tick < ticks; tick++) await undefined;
    this.#glance();
  }

  async #jump(ms: number): Promise<void> {
    // Else nobody could tell at which time the promises settled.
    await this.#settle();
    this.world.tally.hit("pool: frozen for hours");
    this.world.ledger.hasFrozen = true;
    this.world.clock.jump(ms);
  }

  async #skew({ how, ms }: Op & { do: "skew" }): Promise<void> {
    // As above.
    await this.#settle();
    const { seen, tally } = this.world;
    switch (how) {
      case "back":
        tally.hit("clock: steps back");
        return seen.stepBack(ms);
      case "still":
        tally.hit("clock: stands still");
        return seen.standStill();
      case "on":
        return seen.goOn();
      case "right":
        return seen.correct();
    }
  }

  #glance(): void {
    const { world } = this;
    glance(world, world.pool.stats());
  }

  /** Lets all promises settle, then compares the pool with the truth. */
  async #settle(): Promise<void> {
    const { world } = this;
    let seen = world.activity;
    let quiet = 0;
    for (let tick = 0; quiet < QUIET_TICKS; tick++) {
      await undefined;
      quiet = world.activity === seen ? quiet + 1 : 0;
      seen = world.activity;
      if (tick > MAX_TICKS) return world.ledger.fail("promises never settle");
    }
    world.quiet = true;
    if (world.clock.due(world.clock.fired) !== undefined) {
      return glance(world, world.pool.stats());
    }
    world.ledger.endEpoch();
    inspect(world, world.pool.stats());
  }

  async #advance(ms: number): Promise<void> {
    const { clock, ledger } = this.world;
    await this.#settle();
    const end = clock.now() + ms;
    let fired = 0;
    for (let timer; (timer = clock.due(end)) !== undefined;) {
      if (this.#broken) return;
      if (++fired > MAX_TIMERS) return ledger.fail("timers never end");
      this.#steps++;
      clock.fire(timer);
      await this.#settle();
    }
    clock.reach(end);
    await this.#settle();
  }

  /** Nothing fails any more: everything settles and nothing is left. */
  async #end(): Promise<void> {
    const { world } = this;
    const { ledger, config } = world;
    world.trace?.("From now on nothing fails.");
    if (config.hazards.length > 0) await this.#settle();
    world.calm = true;
    world.unpause();
    world.seen.correct();
    await this.#rest();
    if (!ledger.closing.began) {
      // Overdue timers fire: an idle one that is too old would be in the way.
      // An outage may last until the next try.
      const { createRetry } = config;
      await this.#advance(createRetry === false ? 1 : createRetry.maxDelay + 1);
      await this.#fill();
      await this.#rest();
      await this.#advance(1);
      if (config.idleTimeout !== Infinity) {
        await this.#advance(config.idleTimeout + 1);
        const { creates } = ledger;
        const least = creates.lines.map((_, line) => ledger.stock(line));
        const kept = creates.hasBegun ? least.reduce((a, b) => a + b) : 0;
        if (world.pool.stats().idle > kept) ledger.fail("idle ones are left");
      }
      world.perform({ do: "close", signal: undefined });
    }
    await this.#rest();
    if (!ledger.closing.settled) ledger.fail("S10: close never settles");
    world.payDebts(true);
    await this.#settle();
    this.#checkEnd();
    await world.pool.acquire().then(
      () => ledger.fail("S10: acquired after close"),
      (error) => {
        if (!(error instanceof PoolClosedError)) ledger.fail(`S10: ${error}`);
      },
    );
    world.endAgain();
    await this.#settle();
  }

  #checkEnd(): void {
    const { ledger, openUses } = this.world;
    if (openUses > 0) ledger.fail(`S3: ${openUses} uses never settle`);
    if (ledger.warmings.size > 0) ledger.fail("S3: a warm never settles");
    if (ledger.pauses.asked.length > 0) {
      ledger.fail("S3: a pause never settles");
    }
    for (const { id } of ledger.live) ledger.fail(`resource ${id} is leaked`);
  }

  /** Holders release and callbacks answer, until nobody waits. */
  async #rest(): Promise<void> {
    const { world } = this;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.#broken) return;
      world.endAll();
      await this.#settle();
      // The first rounds are for what comes by itself.
      if (round > 3) world.payDebts(false);
      const { used, creating, destroying, pending } = world.pool.stats();
      if (used + creating + destroying + pending === 0) return;
      // Without a timer a line is looked at when something happens in it.
      if (pending > 0 && world.seen.failures > 0) this.#acquireFromAll(1);
      await this.#advance(round < 10 ? 1 : 50);
    }
    world.ledger.fail(
      `liveness: nothing fails any more, and still not all settles: ` +
        JSON.stringify(world.pool.stats()),
    );
  }

  #acquire(stripe: number, timeout: number): void {
    this.world.perform({
      do: "acquire",
      id: --this.#id,
      signal: undefined,
      timeout,
      affinity: stripe,
      hold: Infinity,
      ending: "release",
      isFatal: "absent",
      nested: undefined,
    });
  }

  #acquireFromAll(timeout: number): void {
    const { stripes } = this.world.config;
    for (let i = 0; i < stripes; i++) this.#acquire(i, timeout);
  }

  /** All capacity is there: so many can be held at once. */
  async #fill(): Promise<void> {
    const { world } = this;
    const { config, ledger } = world;
    const { creates: { covers }, capacity } = ledger;
    world.holds = true;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      for (let stripe = 0; stripe < config.stripes; stripe++) {
        for (let lacks = ledger.lacking(stripe); lacks > 0; lacks--) {
          this.#acquire(stripe, Infinity);
          // The slot of one found invalid is spare after its destroy.
          await this.#settle();
        }
      }
      if (this.#broken || ledger.held.size === capacity.max) break;
      // Where growth is measured, one waits for as long as a create takes.
      if (covers > MAX_ROUNDS * 50) break;
      await this.#advance(50);
    }
    world.holds = false;
    if (ledger.held.size < capacity.max && covers <= MAX_ROUNDS * 50) {
      ledger.fail(`liveness: ${ledger.held.size} of ${capacity.max} to be had`);
    }
  }
}
