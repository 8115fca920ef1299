import { assert, assertThrows } from "@std/assert";
import { test } from "../test.ts";
import {
  exploreThreads,
  SMALL_THREAD_SCOPES,
  ThreadFault,
  type ThreadScope,
  type Wrong,
} from "./threads.ts";

for (const scope of SMALL_THREAD_SCOPES) {
  test(`no interleaving breaks a rule: ${scope.name}`, () => {
    const { states } = exploreThreads(scope);
    assert(states > 1_000);
  });
}

const [, , stalls, three] = SMALL_THREAD_SCOPES as [
  ThreadScope,
  ThreadScope,
  ThreadScope,
  ThreadScope,
];

/** What a thread does wrong, in a scope in which that breaks a rule. */
const WRONG: [string, Wrong, ThreadScope, RegExp][] = [
  [
    "effects that come before the swap",
    { actsBefore: true },
    three,
    /resources with 1 permit/,
  ],
  [
    "a step that is not computed anew",
    { keepsStep: true },
    three,
    /resources with 1 permit/,
  ],
  [
    "a life that is the same again",
    {
      distort: (swap) =>
        swap.effect.kind === "ended" ? { ...swap, to: 0 } : swap,
    },
    stalls,
    /nobody knows of the permit/,
  ],
  [
    "a slot that is free in the same way again",
    {
      distort: (swap) =>
        swap.effect.kind === "gaveBack" ? { ...swap, to: 0 } : swap,
    },
    three,
    /is overtaken/,
  ],
  [
    "one for whom a permit is set aside and who is not rung",
    {
      distort: (swap) =>
        swap.effect.kind === "assigned"
          ? { ...swap, effect: { kind: "left" } }
          : swap,
    },
    three,
    /nobody knows of the permit/,
  ],
];

for (const [fault, wrong, scope, rule] of WRONG) {
  test(`the interleavings of threads show ${fault}`, () => {
    const error = assertThrows(() => exploreThreads(scope, wrong), ThreadFault);
    assert(rule.test(error.message), error.message);
    assert(error.message.includes("\n  1. "), error.message);
  });
}
