import { assertEquals } from "@std/assert";
import { Context } from "../src/shell/context.ts";
import { settled } from "./fixture.ts";
import { test } from "./test.ts";

/** A task that notes whether it runs inside. */
function noting(context: Context, log: string[], name: string) {
  return {
    inContext: () => {
      log.push(`${name} ${context.isInside ? "inside" : "outside"}`);
    },
  };
}

test("what is to be done in the context is done some microtasks later", async () => {
  const context = new Context();
  const log: string[] = [];
  const [a, b] = ["a", "b"].map((name) => noting(context, log, name));
  for (let round = 0; round < 3; round++) {
    context.do(a!);
    context.do(b!);
    context.do(a!);
    log.push("later");
    assertEquals(context.isInside, false);
    await settled();
  }
  const once = ["later", "a inside", "b inside"];
  assertEquals(log, [...once, ...once, ...once], "each once, in order");
});

test("what is asked for inside the context is done at once", async () => {
  const context = new Context();
  const log: string[] = [];
  const inner = noting(context, log, "inner");
  context.do({
    inContext: () => {
      context.do(inner);
      log.push("outer");
      context.enter(false, () => context.do(inner));
      log.push("left");
    },
  });
  await settled();
  assertEquals(log, ["inner inside", "outer", "left", "inner inside"]);
});

test("entering ends also by a throw", () => {
  const context = new Context();
  let thrown: unknown;
  try {
    context.enter(true, () => {
      throw context.isInside;
    });
  } catch (error) {
    thrown = error;
  }
  assertEquals([thrown, context.isInside], [true, false]);
});

test("a task that throws stops no other, and is told as an unhandled rejection", async () => {
  const context = new Context();
  const log: string[] = [];
  const told: unknown[] = [];
  const { reject } = Promise;
  Promise.reject = (error) => {
    told.push(error);
    return new Promise<never>(() => {});
  };
  try {
    context.do({
      inContext: () => {
        throw "bug";
      },
    });
    context.do(noting(context, log, "next"));
    await settled();
    context.do(noting(context, log, "later"));
    await settled();
  } finally {
    Promise.reject = reject;
  }
  assertEquals(told, ["bug"]);
  assertEquals(log, ["next inside", "later inside"]);
});
