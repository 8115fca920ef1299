import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import type { Clock } from "../mod.ts";
import { Time } from "../src/time.ts";
import { test } from "./test.ts";

/** A clock that reads, one after the other, what these give. */
function clockOf(readings: (() => unknown)[]): Clock {
  return {
    now: () => readings.shift()!() as number,
    setTimeout: () => 0,
    clearTimeout: () => {},
  };
}

test("time never goes back", () => {
  const readings = [5, 3, 7, -1e9, 7.5].map((reading) => () => reading);
  const time = new Time(clockOf(readings));
  assertEquals([1, 2, 3, 4, 5].map(() => time.now()), [5, 5, 7, 7, 7.5]);
});

test("a reading that is no finite number counts as the last, and is a fault", () => {
  for (const bad of [NaN, Infinity, -Infinity, undefined, "3", null, 3n]) {
    const time = new Time(clockOf([() => 5, () => bad, () => 6]));
    assertEquals([time.now(), time.fault], [5, undefined]);
    assertEquals(time.now(), 5);
    assertInstanceOf(time.fault, TypeError);
    assertEquals(
      time.fault.message,
      "Cannot tell the time as 'clock.now' must return a finite number: " +
        `received ${typeof bad === "number" ? bad : typeof bad}`,
    );
    assertEquals([time.now(), time.fault], [6, undefined]);
  }
});

test("a clock that throws makes no reading, and what it throws is the fault", () => {
  for (const error of [new Error("no clock"), undefined]) {
    const fail = () => {
      throw error;
    };
    const time = new Time(clockOf([fail, () => 4, fail]));
    assertEquals(time.now(), 0, "before the first reading");
    if (error === undefined) assertInstanceOf(time.fault, TypeError);
    else assertStrictEquals(time.fault, error);
    assertEquals([time.now(), time.fault], [4, undefined]);
    assertEquals(time.now(), 4);
  }
});

test("no delay is below zero or above what runtimes can wait for", () => {
  const delays: number[] = [];
  const time = new Time({
    now: () => 0,
    setTimeout: (_, delay) => delays.push(delay),
    clearTimeout: () => {},
  });
  for (const delay of [-1, 0, 2 ** 31 - 1, 2 ** 31, Infinity]) {
    time.setTimeout(() => {}, delay);
  }
  assertEquals(delays, [0, 0, 2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]);
});

test("a timer that cannot be cleared is let go", () => {
  const time = new Time({
    now: () => 0,
    setTimeout: () => 0,
    clearTimeout: () => {
      throw new Error("no such timer");
    },
  });
  time.clearTimeout(1);
  time.stop();
});
