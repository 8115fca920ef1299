import { assertEquals } from "@std/assert";
import type { Clock } from "../mod.ts";
import { Alarm } from "../src/shell/alarm.ts";
import { Context } from "../src/shell/context.ts";
import { Time } from "../src/time.ts";
import { settled } from "./fixture.ts";
import { test } from "./test.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** An alarm whose rings and failures are kept. */
function alarmed(
  { clock = new VirtualClock(), holds = false }: {
    clock?: Clock;
    holds?: boolean;
  } = {},
) {
  const context = new Context();
  const rings: number[] = [];
  const failures: unknown[] = [];
  const ringer = {
    ring: (now: number) => void rings.push(now),
    fail: (error: unknown) => void failures.push(error),
  };
  const alarm = new Alarm(new Time(clock), context, ringer, holds);
  return { alarm, context, rings, failures };
}

/** A virtual clock whose longer timers fire this much later, or earlier. */
class SkewedClock extends VirtualClock {
  constructor(readonly skew: number) {
    super();
  }

  override setTimeout(callback: () => void, delay: number) {
    const skew = delay > 20 || this.skew > 0 ? this.skew : 0;
    return super.setTimeout(callback, delay + skew);
  }
}

test("an alarm rings once, at its due time", async () => {
  const clock = new VirtualClock();
  const { alarm, rings } = alarmed({ clock });
  alarm.set(100);
  await clock.advance(99);
  assertEquals(rings, []);
  await clock.advance(10_000);
  assertEquals([rings, clock.timers, clock.armed], [[100], 0, 1]);
});

test("an alarm is set in the context of the pool, a microtask later", async () => {
  const clock = new VirtualClock();
  const { alarm, context, rings } = alarmed({ clock });
  alarm.set(100);
  assertEquals(clock.timers, 0);
  await settled();
  assertEquals(clock.timers, 1);
  context.enter(true, () => alarm.set(50));
  assertEquals([clock.timers, clock.armed], [1, 2], "inside it at once");
  await clock.advance(50);
  assertEquals(rings, [50]);
});

test("an alarm that is cleared before it could be set sets nothing", async () => {
  const clock = new VirtualClock();
  const { alarm } = alarmed({ clock });
  alarm.set(100);
  alarm.clear();
  await settled();
  assertEquals(clock.armed, 0);
  alarm.set(100);
  await settled();
  alarm.clear();
  assertEquals(clock.timers, 0);
});

test("an earlier due time moves the timer, a later one waits for it", async () => {
  const clock = new VirtualClock();
  const { alarm, rings } = alarmed({ clock });
  alarm.set(100);
  await settled();
  alarm.advance(200);
  await settled();
  assertEquals(clock.armed, 1);
  alarm.advance(50);
  await settled();
  assertEquals([clock.timers, clock.armed], [1, 2]);
  alarm.set(80);
  await clock.advance(79);
  assertEquals(rings, []);
  await clock.advance(1);
  assertEquals([rings, clock.timers], [[80], 0]);
});

test("an alarm holds the process only if it is to, and from then on", async () => {
  const clock = new VirtualClock();
  const holding = alarmed({ clock, holds: true });
  holding.alarm.set(Infinity);
  await settled();
  assertEquals(clock.referenced, 1);
  holding.alarm.clear();
  const { alarm, rings } = alarmed({ clock });
  alarm.set(100);
  await settled();
  assertEquals([clock.timers, clock.referenced], [1, 0]);
  alarm.hold();
  assertEquals([clock.timers, clock.referenced], [1, 1]);
  await clock.advance(100);
  alarm.advance(200);
  await settled();
  assertEquals([rings, clock.referenced], [[100], 1]);
});

test("an alarm with nothing due holds the process when it is told to", async () => {
  const clock = new VirtualClock();
  const { alarm, rings } = alarmed({ clock });
  alarm.hold();
  await settled();
  assertEquals([clock.timers, clock.referenced], [1, 1]);
  await clock.advance(2 ** 31 - 1);
  assertEquals([clock.timers, clock.referenced], [1, 1], "and goes on to");
  assertEquals(rings, []);
});

test("a timer that fires early is set again, and rings not before its time", async () => {
  const clock = new SkewedClock(-15);
  const { alarm, rings } = alarmed({ clock });
  alarm.set(100);
  await clock.advance(99);
  assertEquals(rings, []);
  await clock.advance(1);
  assertEquals([rings, clock.timers], [[100], 0]);
});

test("a timer that fires early again and again is believed where the clock stands still", async () => {
  const clock = new VirtualClock();
  const standing = {
    now: () => 0,
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm, rings } = alarmed({ clock: standing });
  alarm.set(100);
  await clock.advance(99);
  assertEquals(rings, []);
  await clock.advance(1);
  assertEquals([rings, clock.timers], [[100], 0]);
  assertEquals(clock.armed < 10, true, "in a few steps");
});

test("a clock that moves on by microseconds as fake timers fire stands still", async () => {
  const clock = new VirtualClock();
  let now = 0;
  const crawling = {
    now: () => now += 0.01,
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm, rings } = alarmed({ clock: crawling });
  alarm.set(100);
  await clock.advance(101);
  assertEquals([rings.length, clock.timers], [1, 0]);
});

test("what timers slept while the clock stood still counts until it moves", async () => {
  const clock = new VirtualClock();
  let now = 0;
  const standing = {
    now: () => now,
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm, rings } = alarmed({ clock: standing });
  const due = 2 ** 31 + 999;
  alarm.set(due);
  await clock.advance(2 ** 31 - 1);
  assertEquals([rings, clock.timers], [[], 1], "the rest is slept as well");
  now = 2 ** 31 - 1;
  await clock.advance(1_000);
  assertEquals([rings, clock.timers], [[], 1], "it moved: the rest is to come");
  now = due;
  await clock.advance(1_000);
  assertEquals(rings, [due]);
});

test("an alarm without a due time does not set timers without end on a clock that stands still", async () => {
  const clock = new VirtualClock();
  const standing = {
    now: () => 0,
    setTimeout: (callback: () => void) => clock.setTimeout(callback, 0),
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm, rings } = alarmed({ clock: standing, holds: true });
  alarm.set(Infinity);
  await clock.advance(1_000);
  assertEquals([rings, clock.timers], [[], 0]);
  assertEquals(clock.armed < 10, true, "but a few times");
  alarm.set(Infinity);
  await settled();
  assertEquals(clock.timers, 1);
});

test("a timer that fires late lets one turn of the event loop pass, and no more", async () => {
  for (const [late, armed] of [[5, 1], [6, 2], [50_000, 2]] as const) {
    const clock = new VirtualClock();
    const { alarm, rings } = alarmed({ clock });
    alarm.set(100);
    await settled();
    clock.jump(100 + late);
    await clock.advance(0);
    assertEquals([rings, clock.armed], [[100 + late], armed]);
  }
});

test("the turn that a late timer lets pass is one for each due time", async () => {
  const clock = new SkewedClock(20);
  const { alarm, rings } = alarmed({ clock });
  for (const due of [100, 300]) {
    const { armed } = clock;
    alarm.set(due);
    await clock.advance(200);
    assertEquals([rings.length, clock.armed - armed], [1, 2]);
    assertEquals(rings.pop(), due + 40);
  }
});

test("an alarm that is moved on while its late timer lets a turn pass rings then", async () => {
  const clock = new VirtualClock();
  const { alarm, rings } = alarmed({ clock });
  alarm.set(100);
  await settled();
  clock.jump(200);
  const fired = clock.advance(0);
  await Promise.resolve();
  alarm.set(1_000);
  await fired;
  assertEquals(rings, []);
  await clock.advance(800);
  assertEquals([rings, clock.timers], [[1_000], 0]);
});

test("a due time beyond 2^31 - 1 ms is waited for in full", async () => {
  const clock = new VirtualClock();
  const { alarm, rings } = alarmed({ clock });
  const due = 2 ** 33;
  alarm.set(due);
  await clock.advance(due - 1);
  assertEquals(rings, []);
  await clock.advance(1);
  assertEquals([rings, clock.timers], [[due], 0]);
});

test("a clock that sets no timer fails the alarm, which can be set again", async () => {
  const clock = new VirtualClock();
  let isBroken = true;
  const breaking = {
    now: () => clock.now(),
    setTimeout: (callback: () => void, delay: number) => {
      if (isBroken) throw "no timers";
      return clock.setTimeout(callback, delay);
    },
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm, rings, failures } = alarmed({ clock: breaking });
  alarm.set(100);
  await settled();
  assertEquals(failures, ["no timers"]);
  isBroken = false;
  alarm.advance(200);
  await clock.advance(200);
  assertEquals([rings, failures.length], [[200], 1]);
});

test("a clock that calls back at once is no endless loop and leaves nothing", async () => {
  let calls = 0;
  const hasty = {
    now: () => 0,
    setTimeout: (callback: () => void) => {
      calls++;
      callback();
      return 1;
    },
    clearTimeout: () => {},
  };
  const { alarm, rings } = alarmed({ clock: hasty });
  alarm.set(100);
  await settled();
  assertEquals(rings, [100]);
  assertEquals(calls < 10, true);
});

test("an alarm whose clock called back at once can clear the timer set then", async () => {
  const clock = new VirtualClock();
  let calls = 0;
  const hasty = {
    now: () => clock.now(),
    setTimeout: (callback: () => void, delay: number) => {
      if (++calls > 1) return clock.setTimeout(callback, delay);
      callback();
      return "over";
    },
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { alarm } = alarmed({ clock: hasty });
  alarm.set(100);
  await settled();
  assertEquals(clock.timers, 1);
  alarm.clear();
  assertEquals(clock.timers, 0);
});

test("a timer that cannot be cleared and fires all the same rings nothing", async () => {
  const clock = new VirtualClock();
  const stubborn = {
    now: () => clock.now(),
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: () => {},
  };
  const { alarm, rings } = alarmed({ clock: stubborn });
  alarm.set(100);
  await settled();
  alarm.clear();
  await clock.advance(200);
  assertEquals(rings, []);
});
