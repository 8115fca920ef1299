import { assertEquals, assertStrictEquals } from "@std/assert";
import { Stripe } from "../src/stripe.ts";
import type { Effects } from "../src/stripe_effect.ts";
import { StripeSets } from "../src/stripe_set.ts";
import { Line, Waiter } from "../src/waiter_queue.ts";
import { test } from "./test.ts";

function stripe(max: number): Stripe<string> {
  const lessor = { release() {}, destroy() {} };
  const sets = new StripeSets<Stripe<string>>();
  return new Stripe<string>(0, max, new Line(false), sets, lessor);
}

function waiter(order: number): Waiter {
  return new Waiter(order, -1, 0, Infinity);
}

/** The effects of a transition, by kind. */
function kinds(effects: Effects<string>): string[] {
  const names: string[] = [];
  for (let effect = effects; effect !== undefined; effect = effect.next) {
    names.push(effect.kind);
  }
  return names;
}

/** spare, idle, used, creating, destroying. */
function slots(s: Stripe<string>): number[] {
  const { idle, used, creating, destroying } = s.stats();
  return [s.spare, idle, used, creating, destroying];
}

test("taking from a stripe with nothing idle changes nothing", () => {
  const s = stripe(2);
  assertStrictEquals(s.take(), undefined);
  assertEquals(slots(s), [2, 0, 0, 0, 0]);
});

test("every transition is committed when it returns and only intends its effects", () => {
  const s = stripe(1);
  assertEquals(kinds(s.wait(waiter(0))), ["create"]);
  assertEquals(slots(s), [0, 0, 0, 1, 0]);
  assertEquals(kinds(s.wait(waiter(1))), []);
  assertEquals(kinds(s.created("first", 0, 10)), ["deliver"]);
  assertEquals(slots(s), [0, 0, 1, 0, 0]);
  assertEquals(s.line.pending, 1);
});

test("a resource created for nobody is idle and stamped in the same commit", () => {
  const s = stripe(1);
  const gone = waiter(0);
  s.wait(gone);
  s.line.waiting.remove(gone);
  assertEquals(kinds(s.created("first", 0, 10)), []);
  assertEquals(slots(s), [0, 1, 0, 0, 0]);
  assertEquals([s.newest?.idleSince, s.newest?.used], [10, false]);
});

test("a failed create frees its slot for the next waiter in the same commit", () => {
  const s = stripe(1);
  s.wait(waiter(0));
  s.wait(waiter(1));
  assertEquals(kinds(s.createFailed("no")), ["reject", "create"]);
  assertEquals(slots(s), [0, 0, 0, 1, 0]);
  assertEquals(kinds(s.createFailed("no")), ["reject"]);
  assertEquals(slots(s), [1, 0, 0, 0, 0]);
});

test("a sweep moves what has expired to destroying and leaves the rest", () => {
  const s = stripe(2);
  for (const [order, now] of [[0, 0], [1, 5]] as const) {
    const gone = waiter(order);
    s.wait(gone);
    s.line.waiting.remove(gone);
    s.created(`at ${now}`, 0, now);
  }
  assertEquals(kinds(s.sweep(10, 10)), []);
  assertEquals(kinds(s.sweep(11, 10)), ["destroy"]);
  assertEquals(slots(s), [0, 1, 0, 0, 1]);
  assertEquals(kinds(s.destroyed()), []);
  assertEquals(slots(s), [1, 1, 0, 0, 0]);
  assertEquals(s.oldest?.resource, "at 5");
});

test("closing rejects a line once and destroys what is idle", () => {
  const s = stripe(2);
  const gone = waiter(0);
  s.wait(gone);
  s.line.waiting.remove(gone);
  s.created("first", 0, 0);
  s.wait(waiter(1));
  s.wait(waiter(2));
  assertEquals(kinds(s.close("closed")), ["destroy", "reject", "reject"]);
  assertEquals(kinds(s.close("closed")), []);
  assertEquals(slots(s), [0, 0, 0, 1, 1]);
});
