import { assertEquals, assertStrictEquals } from "@std/assert";
import { DeadlineList, type Timed } from "../src/shell/deadline_list.ts";
import { dice } from "./fixture.ts";
import { test } from "./test.ts";

/** What has a deadline and nothing else. */
class Item implements Timed {
  readonly deadline: number;
  later: Timed["later"] = undefined;
  sooner: Timed["sooner"] = undefined;

  constructor(deadline: number) {
    this.deadline = deadline;
  }
}

test("an empty list has no earliest deadline", () => {
  assertEquals(new DeadlineList<Item>().earliest(), Infinity);
});

test("the earliest deadline is right whatever comes and goes", () => {
  const random = dice(1_000);
  const list = new DeadlineList<Item>();
  const present = new Set<Item>();
  for (let i = 0; i < 3_000; i++) {
    if (random() < 550) {
      const timeout = random() < 50 ? Infinity : random();
      const item = new Item(i + timeout);
      list.add(item);
      present.add(item);
    } else {
      const [first] = [...present].slice(random() % (present.size || 1));
      if (first !== undefined) assertEquals(list.remove(first), true);
      present.delete(first!);
    }
    assertEquals(list.size, present.size);
    const earliest = Math.min(
      Infinity,
      ...[...present].map(({ deadline }) => deadline),
    );
    assertStrictEquals(list.earliest(), earliest);
  }
});

test("one that is not in the list, or no more, leaves it unharmed", () => {
  const list = new DeadlineList<Item>();
  const stranger = new Item(5);
  assertEquals(list.remove(stranger), false);
  const item = new Item(10);
  list.add(item);
  assertEquals(list.remove(item), true);
  assertEquals(list.remove(item), false);
  assertEquals([list.size, list.earliest()], [0, Infinity]);
});

test("deadlines expire in their order, and those without end never", () => {
  const list = new DeadlineList<Item>();
  for (const deadline of [10, 20, Infinity, 15, 20, 5, 30]) {
    list.add(new Item(deadline));
  }
  assertStrictEquals(list.expired(4), undefined);
  const expired: number[] = [];
  for (let item; (item = list.expired(20)) !== undefined;) {
    expired.push(item.deadline);
  }
  assertEquals(expired, [5, 10, 15, 20, 20]);
  assertEquals([list.size, list.earliest()], [2, 30]);
});
