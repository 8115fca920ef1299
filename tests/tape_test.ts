import { assertEquals } from "@std/assert";
import { Creation } from "../src/core/creation.ts";
import type { Effects } from "../src/core/effects.ts";
import { Entry } from "../src/core/entry.ts";
import { Waiter } from "../src/core/waiter.ts";
import { Tape } from "../src/shell/tape.ts";
import { test } from "./test.ts";

/** Effects that are logged; `more` is done with each. */
function logging(log: unknown[][], more: () => void = () => {}) {
  const note = (name: string) => (...args: unknown[]) => {
    log.push([name, ...args]);
    more();
  };
  const effects: Effects<string> = {
    deliver: note("deliver"),
    validate: note("validate"),
    reject: note("reject"),
    create: note("create"),
    destroy: note("destroy"),
    closed: note("closed"),
  };
  return effects;
}

const waiter = new Waiter(0, -1, 0);
const entry = new Entry("a", 0, 0, Infinity, Infinity);
const creation = new Creation(0, 0);

test("a tape runs what is noted on it, in order, once", () => {
  const tape = new Tape<string>();
  const log: unknown[][] = [];
  const effects = logging(log);
  tape.deliver(waiter, entry);
  tape.validate(waiter, entry);
  tape.reject(waiter, "no");
  tape.create(creation);
  tape.destroy(entry, "idle");
  tape.closed();
  assertEquals([tape.end > 0, log.length], [true, 0]);
  assertEquals(tape.play(effects, true), true);
  assertEquals(log, [
    ["deliver", waiter, entry],
    ["validate", waiter, entry],
    ["reject", waiter, "no"],
    ["create", creation],
    ["destroy", entry, "idle"],
    ["closed"],
  ]);
  assertEquals([tape.end, tape.play(effects, true)], [0, true]);
  assertEquals(log.length, 6);
});

test("outside of the context a tape stops at a call of user code, and goes on there", () => {
  const tape = new Tape<string>();
  const log: unknown[][] = [];
  const effects = logging(log);
  tape.reject(waiter, "no");
  tape.create(creation);
  tape.reject(waiter, "neither");
  tape.destroy(entry, "idle");
  assertEquals(tape.play(effects, false), false);
  assertEquals(tape.play(effects, false), false);
  assertEquals(log.map(([name]) => name), ["reject"]);
  assertEquals(tape.play(effects, true), true);
  const names = ["reject", "create", "reject", "destroy"];
  assertEquals(log.map(([name]) => name), names);
});

test("what is noted while a tape runs comes after what was noted before", () => {
  const tape = new Tape<string>();
  const log: unknown[][] = [];
  const effects = logging(log, () => {
    if (log.length === 1) tape.closed();
  });
  tape.create(creation);
  tape.deliver(waiter, entry);
  assertEquals(tape.play(effects, true), true);
  assertEquals(log.map(([name]) => name), ["create", "deliver", "closed"]);
});
