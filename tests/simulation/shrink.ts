import { NO_POLICY } from "./generator.ts";
import { NO_PRESSURE } from "./pressure.ts";
import type { Config, Plan, Plans, Role, Scenario, Step } from "./scenario.ts";
import { type Result, simulate } from "./simulation.ts";
import { Tally } from "./tally.ts";
import type { Calls } from "./world.ts";

/** Runs after which the scenario is small enough. */
const MAX_RUNS = 3_000;

/** Plainer options, tried one by one. */
const PLAINER: readonly Partial<Config>[] = [
  { isolated: false, stripes: 1, max: 1 },
  { isolated: false, stripes: 1 },
  { isolated: false, stripes: 2, max: 2 },
  { isolated: false },
  { max: 2, stripes: 2 },
  { maxPending: Infinity },
  { acquireTimeout: Infinity },
  { idleTimeout: Infinity },
  { createTimeout: Infinity },
  { destroyTimeout: Infinity },
  { validateTimeout: Infinity },
  { validates: false },
  { observes: false },
  { isFatal: "absent" },
  NO_POLICY,
  NO_PRESSURE,
  ...Object.entries({ ...NO_POLICY, ...NO_PRESSURE }).map((option) =>
    Object.fromEntries([option])
  ),
  { hazards: [] },
];

/** The smallest scenario found that breaks a rule as this one does. */
export async function shrink(scenario: Scenario): Promise<Scenario> {
  const first = await simulate(scenario, new Tally());
  if (first.violation === undefined) return scenario;
  const shrinking = new Shrinking(scenario, first);
  await shrinking.run();
  return shrinking.best;
}

/** What happens in a scenario, in words. */
export async function tell(scenario: Scenario): Promise<string> {
  const lines = [`pool ${JSON.stringify(scenario.config, showInfinity)}`];
  const result = await simulate(
    scenario,
    new Tally(),
    (line) => lines.push(line),
  );
  lines.push(`=> ${result.violation ?? "no violation"}`);
  return lines.join("\n");
}

function showInfinity(_: string, value: unknown): unknown {
  return value === Infinity ? "Infinity" : value;
}

class Shrinking {
  #runs = 0;
  #last: Result;
  readonly #rule: string;

  constructor(public best: Scenario, first: Result) {
    this.#last = first;
    this.#rule = ruleOf(first);
  }

  async run(): Promise<void> {
    const { marks, plans } = this.#last;
    const steps = this.best.steps.slice(0, marks.length);
    await this.#try({ steps, plans });
    let before: Scenario;
    do {
      before = this.best;
      await this.#dropSteps();
      await this.#dropPlans();
      await this.#simplify();
      await this.#settleSteps();
    } while (this.best !== before && this.#runs < MAX_RUNS);
  }

  async #dropSteps(): Promise<void> {
    let size = Math.ceil(this.best.steps.length / 2);
    for (;; size = Math.ceil(size / 2)) {
      for (let at = this.best.steps.length - size; at > -size; at -= size) {
        await this.#dropRange(Math.max(at, 0), at + size);
      }
      if (size <= 1) return;
    }
  }

  /** Without the steps, the plans after them stay put or move with the calls. */
  async #dropRange(from: number, to: number): Promise<void> {
    const { steps, plans } = this.best;
    const { marks } = this.#last;
    const kept = steps.slice(0, from).concat(steps.slice(to));
    if (kept.length === steps.length) return;
    const [first, last] = [marks[from], marks[to]];
    if (plans !== undefined && first !== undefined && last !== undefined) {
      const moved = move(plans, first, last);
      if (await this.#try({ steps: kept, plans: moved })) return;
    }
    await this.#try({ steps: kept });
  }

  async #dropPlans(): Promise<void> {
    if (await this.#try({ plans: new Map() })) return;
    for (const key of [...this.best.plans?.keys() ?? []]) {
      const plans = new Map(this.best.plans);
      if (plans.delete(key)) await this.#try({ plans });
    }
  }

  async #simplify(): Promise<void> {
    for (const plainer of PLAINER) {
      const { config } = this.best;
      const next = { ...config, ...plainer };
      next.min = Math.min(next.min, next.max);
      if (JSON.stringify(next) === JSON.stringify(config)) continue;
      await this.#try({ config: next });
    }
  }

  /** Steps that wait for all promises are easier to follow. */
  async #settleSteps(): Promise<void> {
    for (let i = 0; i < this.best.steps.length; i++) {
      const { steps } = this.best;
      const step = steps[i]!;
      if (step.ticks === Infinity) continue;
      const settled: Step = { ...step, ticks: Infinity };
      await this.#try({ steps: steps.with(i, settled) });
    }
  }

  async #try(change: Partial<Scenario>): Promise<boolean> {
    if (this.#runs >= MAX_RUNS) return false;
    this.#runs++;
    const candidate = { ...this.best, ...change };
    const result = await simulate(candidate, new Tally());
    if (result.violation === undefined || ruleOf(result) !== this.#rule) {
      return false;
    }
    this.best = { ...candidate, plans: result.plans };
    this.#last = result;
    return true;
  }
}

/** The plans if the calls from `first` up to `last` are not made. */
function move(plans: Plans, first: Calls, last: Calls): Plans {
  const moved = new Map<`${Role} ${number}`, Plan>();
  for (const [key, plan] of plans) {
    const [name, number] = key.split(" ");
    const role = name as Role;
    const index = Number(number);
    if (index < first[role]) moved.set(key, plan);
    else if (index >= last[role]) {
      moved.set(`${role} ${index - last[role] + first[role]}`, plan);
    }
  }
  return moved;
}

/** The rule that was broken, without the numbers that shrinking changes. */
function ruleOf({ violation = "" }: Result): string {
  return violation.replace(/[#\d].*/, "");
}
