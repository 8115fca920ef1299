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

const [scope, , , , creates, checks, isolated] = SMALL_SCOPES;

/** A table that is wrong, by what is wrong with it, and the rule it breaks. */
const WRONG: [string, typeof TransitionTable, RegExp][] = [
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
];

for (const [fault, Wrong, rule] of WRONG) {
  test(`the explorer notices that ${fault}`, () => {
    const violation = assertThrows(() => explore(scope!, Wrong), Violation);
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

const ALL_VERBS: [keyof Line<unknown>, Scope][] = [
  ...VERBS.map((verb): [typeof verb, Scope] => [verb, scope!]),
  ...CREATE_VERBS.map((verb): [typeof verb, Scope] => [verb, creates!]),
  ...END_VERBS.map((verb): [typeof verb, Scope] => [verb, checks!]),
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
