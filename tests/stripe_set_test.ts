import { assertEquals, assertStrictEquals } from "@std/assert";
import { StripeSet } from "../src/stripe_set.ts";
import { test } from "./test.ts";

/** A set of three things, each of which says itself whether it has something. */
function things() {
  const all = [0, 1, 2].map((id) => ({ id, has: true }));
  const set = new StripeSet<{ id: number; has: boolean }>(3, ({ has }) => has);
  return { all, set };
}

test("a set gives the member added last, as long as it has something", () => {
  const { all, set } = things();
  assertStrictEquals(set.pick(), undefined);
  for (const thing of all) set.add(thing);
  assertStrictEquals(set.pick(), all[2]);
  assertStrictEquals(set.pick(), all[2]);
  all[2]!.has = false;
  assertStrictEquals(set.pick(), all[1]);
});

test("a member that has nothing left is dropped, and can be added again", () => {
  const { all, set } = things();
  set.add(all[0]!);
  all[0]!.has = false;
  assertStrictEquals(set.pick(), undefined);
  all[0]!.has = true;
  assertStrictEquals(set.pick(), undefined, "it was dropped");
  set.add(all[0]!);
  assertStrictEquals(set.pick(), all[0]);
});

test("adding a member twice is adding it once", () => {
  const { all, set } = things();
  set.add(all[0]!);
  set.add(all[1]!);
  set.add(all[0]!);
  assertEquals(set.pick()?.id, 1);
  all[1]!.has = all[0]!.has = false;
  assertStrictEquals(set.pick(), undefined);
});
