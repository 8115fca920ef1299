import { assertEquals, assertStrictEquals } from "@std/assert";
import { StripeSets } from "../src/core/stripe_set.ts";
import { test } from "./test.ts";

class Thing {
  newest: string | undefined = "something";
  spare = 1;
  inIdle = false;
  inSpare = false;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** Three things, and both sets with the calls and the property they go by. */
function things() {
  const all = [0, 1, 2].map((id) => new Thing(id));
  const sets = new StripeSets<Thing>();
  const both = [
    {
      add: (thing: Thing) => sets.addIdle(thing),
      pick: () => sets.withIdle(),
      give: (thing: Thing, has: boolean) => {
        thing.newest = has ? "something" : undefined;
      },
    },
    {
      add: (thing: Thing) => sets.addSpare(thing),
      pick: () => sets.withSpare(),
      give: (thing: Thing, has: boolean) => {
        thing.spare = has ? 1 : 0;
      },
    },
  ];
  return { all, both };
}

test("a set gives the member added last, as long as it has something", () => {
  const { all, both } = things();
  for (const { add, pick, give } of both) {
    assertStrictEquals(pick(), undefined);
    for (const thing of all) add(thing);
    assertStrictEquals(pick(), all[2]);
    assertStrictEquals(pick(), all[2]);
    give(all[2]!, false);
    assertStrictEquals(pick(), all[1]);
  }
});

test("a member that has nothing left is dropped, and can be added again", () => {
  const { all, both } = things();
  for (const { add, pick, give } of both) {
    add(all[0]!);
    give(all[0]!, false);
    assertStrictEquals(pick(), undefined);
    give(all[0]!, true);
    assertStrictEquals(pick(), undefined, "it was dropped");
    add(all[0]!);
    assertStrictEquals(pick(), all[0]);
  }
});

test("adding a member twice is adding it once", () => {
  const { all, both } = things();
  for (const { add, pick, give } of both) {
    add(all[0]!);
    add(all[1]!);
    add(all[0]!);
    assertEquals(pick()?.id, 1);
    give(all[1]!, false);
    give(all[0]!, false);
    assertStrictEquals(pick(), undefined);
  }
});
