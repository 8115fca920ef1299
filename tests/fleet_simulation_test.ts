import { assert, assertMatch, assertRejects } from "@std/assert";
import { Tenure } from "../src/fleet/tenure.ts";
import { type Phase, trial } from "./fleet_simulation/trial.ts";
import { test } from "./test.ts";

/** Fixed, so that a failure is one of the code. */
const PLAN = { seed: 20_261_130, members: 120, seconds: 5, churn: 1 };

async function phases(plan: Partial<typeof PLAN> = {}): Promise<Phase[]> {
  return await Array.fromAsync(trial({ ...PLAN, ...plan }));
}

test("fleet simulation: a hundred members are served, fairly and soon, while some die", async () => {
  const [join, enough, more, little, other, churn] = await phases() as [
    ...[Phase, Phase, Phase, Phase, Phase, Phase],
  ];
  const seen = (phase: Phase) => `seed ${PLAN.seed}: ${JSON.stringify(phase)}`;
  assert(join.use > 0.95, seen(join));
  for (const phase of [enough, little]) {
    // As many writes as leases ask for; of 120 members, 33 a second.
    assert(phase.swaps - phase.lost < 40, seen(phase));
    assert(phase.lost < 10 && phase.reads < 160, seen(phase));
    assert(phase.leastUse > 0.99, seen(phase));
    assert(phase.leastFairness > 0.98, seen(phase));
  }
  assert(more.seconds <= 3 && more.leastUse > 0.9, seen(more));
  assert(other.seconds <= 10, seen(other));
  assert(other.swaps - other.lost < 150, seen(other));
  assert(churn.swaps - churn.lost < 50 && churn.reads < 200, seen(churn));
  assert(churn.use > 0.85 && churn.leastFairness > 0.9, seen(churn));
  assert(churn.accounts < 150, seen(churn));
});

test("fleet simulation: the same seed does the same again", async () => {
  const plan = { members: 12, seconds: 1 };
  const [first, second, other] = [
    await phases(plan),
    await phases(plan),
    await phases({ ...plan, seed: 7 }),
  ].map((it) => JSON.stringify(it));
  assert(first === second && first !== other, first);
});

test("fleet simulation: a member that uses one more than the book says is found out", async () => {
  const { confirm } = Tenure.prototype;
  Tenure.prototype.confirm = function (proposal) {
    confirm.call(this, proposal);
    const { block } = this.standing;
    this.standing = { ...this.standing, block: block + 1 };
  };
  try {
    const error = await assertRejects(() => phases({ members: 12 }), Error);
    const { message } = error as Error;
    assertMatch(message, /^Seed 20261130, at \d.*: member-\d+-* has \d/);
  } finally {
    Tenure.prototype.confirm = confirm;
  }
});
