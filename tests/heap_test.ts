import { assertEquals, assertStrictEquals } from "@std/assert";
import { Heap, type HeapNode } from "../src/core/heap.ts";
import { dice } from "./fixture.ts";
import { test } from "./test.ts";

test("a heap gives the least key first", () => {
  const heap = new Heap<string>();
  assertStrictEquals(heap.first, undefined);
  const nodes = [3, 1, 4, 1, 5].map((key) => heap.add(key, `at ${key}`));
  assertEquals(heap.first, "at 1");
  heap.remove(nodes[1]!);
  assertEquals(heap.first, "at 1");
  heap.remove(nodes[3]!);
  assertEquals(heap.first, "at 3");
});

test("a heap has its order whatever comes and goes, wherever from", () => {
  const random = dice(1_000);
  const heap = new Heap<number>();
  const present: HeapNode<number>[] = [];
  for (let i = 0; i < 3_000; i++) {
    if (random() < 550) {
      const key = random();
      present.push(heap.add(key, key));
    } else {
      const [node] = present.splice(random() % (present.length || 1), 1);
      if (node !== undefined) heap.remove(node);
    }
    const least = Math.min(...present.map(({ key }) => key));
    assertStrictEquals(heap.first ?? Infinity, least);
  }
});

test("a heap from which any were taken out gives the others in order", () => {
  const random = dice(1_000);
  for (let round = 0; round < 30; round++) {
    const heap = new Heap<number>();
    const present = Array.from({ length: 60 }, () => {
      const key = random();
      return heap.add(key, key);
    });
    for (let i = 0; i < 20; i++) {
      heap.remove(present.splice(random() % present.length, 1)[0]!);
    }
    const keys = present.map(({ key }) => key).sort((a, b) => a - b);
    for (const key of keys) {
      assertStrictEquals(heap.first, key);
      heap.remove(present.find(({ index }) => index === 0)!);
    }
  }
});
