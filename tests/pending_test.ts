import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Pending } from "../src/shell/pending.ts";
import { settled, watch } from "./fixture.ts";
import { test } from "./test.ts";

function pending(): Pending<string> {
  return new Pending<string>(0, -1, 1_000, 50);
}

test("a pending acquire resolves with what it is given", async () => {
  const waiter = pending();
  const promise = waiter.promise();
  waiter.resolve("a lease");
  assertEquals(await promise, "a lease");
  assertEquals(waiter.deadline, 1_050);
});

test("a pending acquire rejects with any reason as it is", async () => {
  for (const reason of [new Error("no"), undefined, { then: 1 }]) {
    const waiter = pending();
    const outcome = watch(waiter.promise());
    waiter.reject(reason);
    await settled();
    assertEquals("error" in outcome, true);
    assertStrictEquals(outcome.error, reason);
  }
});

test("of two pending acquires each settles its own promise", async () => {
  const [first, second] = [pending(), pending()];
  const promises = [first.promise(), second.promise()];
  second.resolve(2);
  first.resolve(1);
  assertEquals(await Promise.all(promises), [1, 2]);
});

test("settling an acquire that has no promise is a bug", () => {
  assertThrows(() => pending().resolve("a lease"), Error, "bug:");
  assertThrows(() => pending().reject("no"), Error, "bug:");
});
