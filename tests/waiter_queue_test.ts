import { assertEquals, assertStrictEquals } from "@std/assert";
import { Waiter } from "../src/core/waiter.ts";
import { WaiterQueue } from "../src/core/waiter_queue.ts";
import { dice } from "./fixture.ts";
import { test } from "./test.ts";

function waiters(count: number): Waiter[] {
  return Array.from({ length: count }, (_, i) => new Waiter(i, -1, i));
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

test("a waiter knows where it is while it is in one, and nothing of it after", () => {
  const queue = new WaiterQueue();
  const [first, second, third] = waiters(3);
  for (const waiter of [first!, second!, third!]) queue.push(waiter);
  assertStrictEquals(second!.at, queue);
  queue.remove(second!);
  assertEquals([second!.at, second!.next, second!.previous], [
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

test("one who is put back stands before all who came later", () => {
  const queue = new WaiterQueue();
  const all = waiters(7);
  for (const waiter of all) queue.push(waiter);
  for (let i = 0; i < 5; i++) queue.shift();
  for (const order of [3, 0, 4, 2, 1]) queue.putBack(all[order]!);
  assertEquals(queue.length, 7);
  assertStrictEquals(queue.first, all[0]);
  assertEquals(drained(queue), [0, 1, 2, 3, 4, 5, 6]);
  assertEquals(queue.length, 0);
});

test("one who is put back can leave from anywhere, and is put back again", () => {
  const queue = new WaiterQueue();
  const all = waiters(6);
  for (const waiter of all) queue.push(waiter);
  for (let i = 0; i < 5; i++) queue.shift();
  for (let i = 0; i < 5; i++) queue.putBack(all[i]!);
  queue.remove(all[2]!);
  assertStrictEquals(all[2]!.at, undefined);
  queue.remove(all[0]!);
  queue.putBack(all[2]!);
  assertEquals(queue.length, 5);
  assertEquals(drained(queue), [1, 2, 3, 4, 5]);
});

test("the order stays whoever is offered, put back, or leaves", () => {
  const random = dice(1_000);
  const queue = new WaiterQueue();
  const present = new Set<Waiter>();
  const offered = new Set<Waiter>();
  for (let i = 0; i < 3_000; i++) {
    const act = random() % 8;
    const [out] = [...offered].slice(random() % (offered.size || 1));
    const [left] = [...present].slice(random() % (present.size || 1));
    if (act < 4) {
      const waiter = new Waiter(i, -1, i);
      queue.push(waiter);
      present.add(waiter);
    } else if (act === 4 && out !== undefined) {
      queue.putBack(out);
      offered.delete(out);
      present.add(out);
    } else if (act === 5 && left !== undefined) {
      queue.remove(left);
      present.delete(left);
    } else if (act > 5) {
      const first = queue.shift();
      const orders = [...present].map(({ order }) => order);
      assertEquals(first?.order ?? Infinity, Math.min(...orders));
      if (first === undefined) continue;
      present.delete(first);
      offered.add(first);
    }
    assertEquals(queue.length, present.size);
  }
});

test("the one with so many before it is found, those put back together", () => {
  const queue = new WaiterQueue();
  const waiters = [0, 1, 2, 3].map((order) => new Waiter(order, -1, order));
  assertStrictEquals(queue.at(0), undefined);
  for (const waiter of waiters) queue.push(waiter);
  assertStrictEquals(queue.at(2), waiters[2]);
  assertStrictEquals(queue.at(9), waiters[3], "else the last");
  for (let i = 0; i < 2; i++) queue.shift();
  for (const waiter of waiters.slice(0, 2)) queue.putBack(waiter);
  assertStrictEquals(queue.at(1), waiters[0], "with the first put back");
  assertStrictEquals(queue.at(2), waiters[2]);
});
