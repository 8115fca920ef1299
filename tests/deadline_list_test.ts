import { assertEquals, assertStrictEquals } from "@std/assert";
import { DeadlineList } from "../src/deadline_list.ts";
import { Waiter } from "../src/waiter_queue.ts";
import { test } from "./test.ts";

/** Pseudo-random integers below `limit`, the same in every run. */
function dice(limit: number): () => number {
  let state = 1;
  return () => {
    state = Math.imul(state, 48_271) >>> 0;
    return (state >>> 8) % limit;
  };
}

const deadline = ({ since, timeout }: Waiter) => since + timeout;

test("an empty list has no earliest deadline", () => {
  assertEquals(new DeadlineList().earliest(), Infinity);
});

test("the earliest deadline is right whatever comes and goes", () => {
  const random = dice(1_000);
  const list = new DeadlineList();
  const present = new Set<Waiter>();
  for (let i = 0; i < 3_000; i++) {
    if (random() < 550) {
      const timeout = random() < 50 ? Infinity : random();
      const waiter = new Waiter(i, -1, i, timeout);
      list.add(waiter);
      present.add(waiter);
    } else {
      const [first] = [...present].slice(random() % (present.size || 1));
      if (first !== undefined) assertEquals(list.remove(first), true);
      present.delete(first!);
    }
    assertEquals(list.size, present.size);
    const earliest = Math.min(Infinity, ...[...present].map(deadline));
    assertStrictEquals(list.earliest(), earliest);
  }
});

test("a waiter that is not in the list, or no more, leaves it unharmed", () => {
  const list = new DeadlineList();
  const stranger = new Waiter(0, -1, 0, 5);
  assertEquals(list.remove(stranger), false);
  const waiter = new Waiter(1, -1, 0, 10);
  list.add(waiter);
  assertEquals(list.remove(waiter), true);
  assertEquals(list.remove(waiter), false);
  assertEquals([list.size, list.earliest()], [0, Infinity]);
});
