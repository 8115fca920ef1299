import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "../test.ts";
import { explore, Violation } from "./explorer.ts";
import { prove } from "./proof.ts";
import { replay } from "./replay.ts";
import { SMALL_SCOPES } from "./scope.ts";
import {
  type Creation,
  type Lease,
  type Pool,
  type Stripe,
  type StripeStep,
  type Validation,
  type Waiter,
  withStripe,
} from "./stripe.ts";
import { type Rules, TransitionTable } from "./transition_table.ts";
import { rulesOf } from "./world.ts";

for (const scope of SMALL_SCOPES) {
  test(`model and pool agree: ${scope.name}`, async () => {
    const { faults } = await prove(scope);
    assertEquals(faults, []);
  });
}

const [scope] = SMALL_SCOPES;

/** A table that is wrong, by what is wrong with it, and the rule it breaks. */
const WRONG: [string, new (rules: Rules) => TransitionTable, RegExp][] = [
  [
    "release adds a slot",
    class extends TransitionTable {
      override release(pool: Pool, stripe: Stripe, lease: Lease) {
        return super.release(pool, stripe, lease)
          .map((step) => addSlots(step, stripe, 1));
      }
    },
    /S1: stripe 0 has 2 slots of 1/,
  ],
  [
    "destroyed gives no slot back",
    class extends TransitionTable {
      override destroyed(pool: Pool, stripe: Stripe, r: number, ok: boolean) {
        return super.destroyed(pool, stripe, r, ok)
          .map((step) => addSlots(step, stripe, -1));
      }
    },
    /S1: /,
  ],
  [
    "a failed create wakes nobody",
    class extends TransitionTable {
      override createFailed(pool: Pool, stripe: Stripe, creation: Creation) {
        const others = stripe.creating.filter((other) => other !== creation);
        const fields = { creating: others, spare: stripe.spare + 1 };
        return [{ pool: withStripe(pool, stripe.id, fields), effects: [] }];
      }
    },
    /S5: a slot is spare while line 0 lacks a create/,
  ],
  [
    "a cancelled taker's resource is lost",
    class extends TransitionTable {
      override cancel(pool: Pool, waiter: Waiter, reason: string) {
        return super.cancel(pool, waiter, reason).map((step) => ({
          ...step,
          pool: {
            ...step.pool,
            stripes: step.pool.stripes.map((stripe) => ({
              ...stripe,
              validating: [],
            })),
          },
        }));
      }
    },
    /S1: |S2: /,
  ],
  [
    "tryAcquire waits",
    class extends TransitionTable {
      override tryTake(pool: Pool, waiter: Waiter) {
        return this.take(pool, waiter);
      }
    },
    /S9: /,
  ],
  [
    "the timeout is reached at its own age",
    class extends TransitionTable {
      constructor(rules: Rules) {
        super({ ...rules, idleTimeout: rules.idleTimeout - 1 });
      }
    },
    /S8: evicted before/,
  ],
  [
    "waiters are served last come, first",
    class extends TransitionTable {
      override created(pool: Pool, stripe: Stripe, creation: Creation) {
        const queues = pool.queues.map((queue) => queue.toReversed());
        return super.created({ ...pool, queues }, stripe, creation)
          .map((step) => ({
            ...step,
            pool: {
              ...step.pool,
              queues: step.pool.queues.map((queue) => queue.toReversed()),
            },
          }));
      }
    },
    /S4: client \d overtakes/,
  ],
  [
    "close forgets those in line",
    class extends TransitionTable {
      override close(pool: Pool): StripeStep[] {
        return [{ pool: { ...pool, closed: true }, effects: [] }];
      }
    },
    /S10: /,
  ],
  [
    "the verdict on a resource nobody waits for is forgotten",
    class extends TransitionTable {
      override valid(
        pool: Pool,
        stripe: Stripe,
        validation: Validation,
        verdict: boolean,
      ) {
        return validation.taker === undefined
          ? [{ pool, effects: [] }]
          : super.valid(pool, stripe, validation, verdict);
      }
    },
    /liveness: /,
  ],
];

for (const [fault, Wrong, rule] of WRONG) {
  test(`the explorer notices that ${fault}`, () => {
    const wrong = new Wrong(rulesOf(scope!));
    const violation = assertThrows(() => explore(scope!, wrong), Violation);
    assert(rule.test(violation.message), violation.message);
    assert(violation.message.includes("\n  1. "), violation.message);
  });
}

test("the replay notices a pool that differs from the model", async () => {
  const wrong = new class extends TransitionTable {
    override created(pool: Pool, stripe: Stripe, creation: Creation) {
      const isIdle = pool.queues.every((queue) => queue.length === 0);
      const others = stripe.creating.filter((other) => other !== creation);
      return isIdle
        ? this.destroy(
          withStripe(pool, stripe.id, { creating: others }),
          { ...stripe, creating: others },
          { resource: creation.id, client: -1, retired: false },
        )
        : super.created(pool, stripe, creation);
    }
  }(rulesOf(scope!));
  const graph = explore(scope!, wrong);
  const { disagreements } = await replay(scope!, wrong, graph);
  assert(disagreements.length > 0);
  assert(disagreements[0]!.includes("\n  1. "), disagreements[0]);
});

function addSlots(step: StripeStep, { id }: Stripe, n: number): StripeStep {
  const { spare } = step.pool.stripes.find((stripe) => stripe.id === id)!;
  return { ...step, pool: withStripe(step.pool, id, { spare: spare + n }) };
}
