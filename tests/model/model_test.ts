import { assert, assertThrows } from "@std/assert";
import { Line } from "../../src/core/line.ts";
import { test } from "../test.ts";
import { explore, Violation } from "./explorer.ts";
import { type Scope, SMALL_SCOPES } from "./scope.ts";
import { TransitionTable } from "./transition_table.ts";

for (const scope of SMALL_SCOPES) {
  test(`model and machine agree: ${scope.name}`, () => {
    const { states } = explore(scope);
    assert(states > 1);
  });
}

const [scope, , , , creates, checks, isolated, ...pressure] = SMALL_SCOPES;
const [order, size, budget, life] = pressure;

/** A table that is wrong, by what is wrong with it, and the rule it breaks. */
const WRONG: [string, typeof TransitionTable, RegExp, Scope?][] = [
  [
    "destroyed gives one slot too many back",
    class extends TransitionTable {
      override destroyed(resource: number) {
        super.destroyed(resource);
        this.world.stripes[0]!.spare++;
      }
    },
    /S1: stripe 0 has 2 slots of 1/,
  ],
  [
    "a cancelled taker's resource is lost",
    class extends TransitionTable {
      override cancel(client: number, error: string) {
        super.cancel(client, error);
        const [stripe] = this.world.stripes;
        stripe!.used = stripe!.used.filter(({ holder }) =>
          holder !== undefined
        );
      }
    },
    /S1: |S2: /,
  ],
  [
    "a failed create wakes nobody",
    class extends TransitionTable {
      override demand(line: number, home: number) {
        if (this.effects[0]?.kind !== "reject") super.demand(line, home);
      }
    },
    /S5: a slot is spare while line 0 lacks a create/,
  ],
  [
    "waiters are served last come, first",
    class extends TransitionTable {
      override created(id: number, life: number) {
        this.world.queues[0]!.reverse();
        super.created(id, life);
        this.world.queues[0]!.reverse();
      }
    },
    /S4: client \d overtakes/,
  ],
  [
    "tryAcquire waits",
    class extends TransitionTable {
      override tryAcquire(event: Parameters<TransitionTable["acquire"]>[0]) {
        this.acquire(event);
      }
    },
    /S9: /,
  ],
  [
    "close forgets those in line",
    class extends TransitionTable {
      override close() {}
    },
    /S10: /,
  ],
  [
    "the verdict on a resource nobody waits for is forgotten",
    class extends TransitionTable {
      override valid(resource: number) {
        const used = this.world.stripes.flatMap(({ used }) => used)
          .find((it) => it.resource === resource);
        if (used?.taker !== undefined) super.valid(resource);
      }
    },
    /the machine|liveness: /,
  ],
  [
    "who has a priority is served last",
    class extends TransitionTable {
      override next(line: number) {
        this.world.queues[line]!.sort((a, b) => a.priority - b.priority);
        return super.next(line);
      }
    },
    /S4: client \d overtakes/,
    order!,
  ],
  [
    "what is owed stays idle",
    class extends TransitionTable {
      override resize(max: number) {
        const [stripe] = this.world.stripes;
        stripe!.spare += max - stripe!.capacity;
        stripe!.capacity = max;
      }
    },
    /S1: stripe 0 owes slots, and has something idle|S5: /,
    size!,
  ],
  [
    "a pause creates",
    class extends TransitionTable {
      override pause(line: number) {
        super.pause(line);
        const { terms } = this.world;
        terms[line] = { ...terms[line]!, pauses: 0 };
        this.resume(line);
      }
    },
    /a pause begins twice, or too early|S5: /,
    size!,
  ],
  [
    "a release yields whoever waits",
    class extends TransitionTable {
      override leavesBy(
        ...[stripe, used]: Parameters<
          TransitionTable["leavesBy"]
        >
      ) {
        const { queues } = this.world;
        const queue = queues[stripe.line]!;
        queues[stripe.line] = [];
        const reason = super.leavesBy(stripe, used);
        queues[stripe.line] = queue;
        return reason;
      }
    },
    /one yields to those who came later/,
    budget!,
  ],
];

for (const [fault, Wrong, rule, its = scope!] of WRONG) {
  test(`the explorer notices that ${fault}`, () => {
    const violation = assertThrows(() => explore(its, Wrong), Violation);
    assert(rule.test(violation.message), violation.message);
    assert(violation.message.includes("\n  1. "), violation.message);
  });
}

/** A machine that is wrong: what one of its verbs does not do. */
const VERBS = [
  "cancel",
  "clear",
  "createFailed",
  "destroyed",
  "expire",
  "invalid",
  "release",
  "sendBack",
  "valid",
] as const;

/** Those of the policies for creates, and of what ends resources. */
const CREATE_VERBS = [
  "allow",
  "stock",
  "owe",
  "giveUpOn",
  "reject",
  "rejectFirst",
] as const;

const END_VERBS = [
  "retire",
  "lost",
  "handBack",
  "distrust",
  "pass",
  "inspect",
  "inspected",
] as const;

/** Those under pressure. */
const SIZE_VERBS = [
  "resize",
  "pause",
  "unpause",
  "detach",
  "useEnded",
] as const;
const BUDGET_VERBS = ["permit", "letGo", "yieldTo"] as const;

const ALL_VERBS: [keyof Line<unknown>, Scope][] = [
  ...VERBS.map((verb): [typeof verb, Scope] => [verb, scope!]),
  ...CREATE_VERBS.map((verb): [typeof verb, Scope] => [verb, creates!]),
  ...END_VERBS.map((verb): [typeof verb, Scope] => [verb, checks!]),
  ...SIZE_VERBS.map((verb): [typeof verb, Scope] => [verb, size!]),
  ...BUDGET_VERBS.map((verb): [typeof verb, Scope] => [verb, budget!]),
  ["shorten", life!],
  ["resume", isolated!],
];

for (const [verb, scope] of ALL_VERBS) {
  test(`the replay notices a machine whose '${verb}' does nothing`, () => {
    const right = Line.prototype[verb];
    Object.assign(Line.prototype, { [verb]: () => undefined });
    try {
      const violation = assertThrows(() => explore(scope), Violation);
      assert(/the machine/.test(violation.message), violation.message);
    } finally {
      Object.assign(Line.prototype, { [verb]: right });
    }
  });
}
