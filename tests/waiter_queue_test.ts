import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Line, Waiter, WaiterQueue } from "../src/waiter_queue.ts";
import { test } from "./test.ts";

function waiters(count: number): Waiter[] {
  return Array.from({ length: count }, (_, i) => new Waiter(i, -1, 0, 0));
}

/** The orders in a queue, which is empty after. */
function drained(queue: WaiterQueue): number[] {
  const orders: number[] = [];
  for (let waiter; (waiter = queue.shift()) !== undefined;) {
    orders.push(waiter.order);
  }
  return orders;
}

test("a queue gives its waiters first in, first out", () => {
  const queue = new WaiterQueue();
  for (const waiter of waiters(5)) queue.push(waiter);
  assertEquals(queue.length, 5);
  assertEquals(drained(queue), [0, 1, 2, 3, 4]);
  assertEquals(queue.length, 0);
  assertStrictEquals(queue.shift(), undefined);
});

test("a waiter knows its queue while it is in one, and nothing of it after", () => {
  const queue = new WaiterQueue();
  const [first, second, third] = waiters(3);
  for (const waiter of [first!, second!, third!]) queue.push(waiter);
  assertStrictEquals(second!.queue, queue);
  queue.remove(second!);
  assertEquals([second!.queue, second!.next, second!.previous], [
    undefined,
    undefined,
    undefined,
  ]);
  assertStrictEquals(first!.next, third);
  assertStrictEquals(third!.previous, first);
});

test("any waiter can leave: the head, the tail, one between, the only one", () => {
  for (const leaver of [0, 1, 2]) {
    const queue = new WaiterQueue();
    const all = waiters(3);
    for (const waiter of all) queue.push(waiter);
    queue.remove(all[leaver]!);
    assertEquals(queue.length, 2);
    assertEquals(drained(queue), [0, 1, 2].filter((i) => i !== leaver));
    queue.push(all[leaver]!);
    queue.remove(all[leaver]!);
    assertEquals(drained(queue), []);
  }
});

test("an inserted waiter stands before all who came later", () => {
  const orders = [3, 0, 4, 2, 1];
  const queue = new WaiterQueue();
  const all = waiters(5);
  for (const order of orders) queue.insert(all[order]!);
  assertEquals(queue.length, 5);
  assertEquals(drained(queue), [0, 1, 2, 3, 4]);
});

test("a line's pending are those who wait and those whose resource is validated", () => {
  const line = new Line(true);
  const [first, second, third] = waiters(3);
  line.waiting.push(first!);
  line.waiting.push(second!);
  line.validating.push(third!);
  assertEquals(line.pending, 3);
});

test("waking a waiter that has no promise is a bug", () => {
  const [waiter] = waiters(1);
  assertThrows(() => waiter!.wake(undefined), Error, "bug:");
});
