import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Creation } from "../src/core/creation.ts";
import type { Effects } from "../src/core/effects.ts";
import type { Entry } from "../src/core/entry.ts";
import { Gate } from "../src/core/gate.ts";
import { Line } from "../src/core/line.ts";
import { StripeSets } from "../src/core/stripe_set.ts";
import { Waiter } from "../src/core/waiter.ts";
import { test } from "./test.ts";

/** Effects that are noted and kept. */
class Notes implements Effects<string> {
  readonly creations: Creation[] = [];
  readonly validated: Entry<string>[] = [];
  readonly delivered: Entry<string>[] = [];
  readonly leaving: Entry<string>[] = [];
  #names: string[] = [];

  deliver(waiter: Waiter, entry: Entry<string>): void {
    this.#names.push(`deliver ${waiter.order}`);
    this.delivered.push(entry);
  }

  validate(waiter: Waiter, entry: Entry<string>): void {
    this.#names.push(`validate ${waiter.order}`);
    this.validated.push(entry);
  }

  reject(waiter: Waiter, error: unknown): void {
    this.#names.push(`reject ${waiter.order} ${error}`);
  }

  create(creation: Creation): void {
    this.#names.push("create");
    this.creations.push(creation);
  }

  destroy(entry: Entry<string>, reason: string): void {
    this.#names.push(`destroy ${entry.resource} ${reason}`);
    this.leaving.push(entry);
  }

  shed(waiter: Waiter): void {
    this.#names.push(`shed ${waiter.order}`);
  }

  paused(): void {
    this.#names.push("paused");
  }

  closed(): void {
    this.#names.push("closed");
  }

  /** What was noted since the last call. */
  since(): string[] {
    const names = this.#names;
    this.#names = [];
    return names;
  }
}

/** A line over these shares, whose entries stay idle for 5 ms. */
function lined(shares: number[], validates = false) {
  const notes = new Notes();
  const sets = new StripeSets<Line<string>["stripes"][number]>();
  const validateAfter = validates ? 0 : Infinity;
  const rules = { validateAfter, idleTimeout: 5, maxUses: Infinity };
  const gate = new Gate(Infinity);
  const line = new Line<string>(0, shares, rules, sets, gate, notes);
  for (const stripe of line.stripes.toReversed()) sets.addSpare(stripe);
  const join = (home = -1) => {
    const waiter = new Waiter(line.arrive(), home, 0);
    line.join(waiter, 1);
    return waiter;
  };
  /** Makes one new for each of these times, idle since then. */
  const rest = (...times: number[]) => {
    for (const waiter of times.map(() => join())) line.cancel(waiter, "left");
    for (const now of times) {
      line.created(notes.creations.shift()!, `at ${now}`, now, Infinity);
    }
    notes.since();
  };
  return { line, notes, join, rest };
}

/** spare, idle, used, creating, destroying; of the line and of its stripes. */
function slots(line: Line<string>): number[] {
  const { spare, idle, used, creating, destroying } = line.stats();
  const sums = [0, 0, 0, 0, 0];
  for (const stripe of line.stripes) {
    const each = Object.values(stripe.slots());
    each.forEach((count, i) => sums[i]! += count);
  }
  assertEquals(sums, [spare, idle, used, creating, destroying]);
  return sums;
}

test("taking from a line with nothing idle changes nothing", () => {
  const { line, notes } = lined([2]);
  assertStrictEquals(line.take(-1, 0), undefined);
  assertEquals(slots(line), [2, 0, 0, 0, 0]);
  assertEquals(notes.since(), []);
});

test("every transition is committed when it returns and only intends its effects", () => {
  const { line, notes, join } = lined([1]);
  const first = join();
  assertEquals(notes.since(), ["create"]);
  assertEquals(slots(line), [0, 0, 0, 1, 0]);
  join();
  assertEquals(notes.since(), []);
  line.created(notes.creations[0]!, "a", 10, Infinity);
  assertEquals(notes.since(), ["deliver 0"]);
  assertStrictEquals(first.at, undefined);
  assertEquals(slots(line), [0, 0, 1, 0, 0]);
  assertEquals([line.waiting, line.pending], [1, 1]);
});

test("a resource created for nobody is idle and stamped in the same commit", () => {
  const { line, notes, join } = lined([1]);
  line.cancel(join(), "left");
  line.created(notes.creations[0]!, "a", 10, Infinity);
  assertEquals(notes.since(), ["create", "reject 0 left"]);
  assertEquals(slots(line), [0, 1, 0, 0, 0]);
  assertEquals(line.stripes[0]!.newest?.endsAt, 15);
});

test("a failed create frees its slot for the next waiter in the same commit", () => {
  const { line, notes, join } = lined([1]);
  join();
  join();
  line.createFailed(notes.creations[0]!, "no", true);
  assertEquals(notes.since(), ["create", "reject 0 no", "create"]);
  assertEquals(slots(line), [0, 0, 0, 1, 0]);
  line.createFailed(notes.creations[1]!, "no", true);
  assertEquals(notes.since(), ["reject 1 no"]);
  assertEquals(slots(line), [1, 0, 0, 0, 0]);
});

test("a sweep moves what has expired to destroying and leaves the rest", () => {
  const { line, notes, rest } = lined([2]);
  rest(0, 5);
  assertEquals(line.expire(5, 10), 5, "as old as it may be");
  assertEquals(notes.since(), []);
  assertEquals(line.expire(6, 10), 10);
  assertEquals(notes.since(), ["destroy at 0 idle"]);
  assertEquals(slots(line), [0, 1, 0, 0, 1]);
  line.destroyed(notes.leaving[0]!);
  assertEquals(slots(line), [1, 1, 0, 0, 0]);
  assertEquals(line.stripes[0]!.oldest?.resource, "at 5");
  assertEquals(line.expire(11, 10), Infinity);
});

test("a sweep that looks at a few goes on where it was", () => {
  const { line, notes, rest } = lined([1, 1, 1]);
  rest(0, 1, 2);
  const left = Array.from({ length: 4 }, () => line.expire(6, 1));
  assertEquals(left, [undefined, undefined, undefined, 6]);
  assertEquals(notes.since(), ["destroy at 0 idle"]);
});

test("closing rejects a line in order and destroys what is idle", () => {
  const { line, notes, join, rest } = lined([2]);
  rest(0);
  join();
  join();
  notes.since();
  line.close(() => "closed");
  assertEquals(notes.since(), [
    "reject 1 closed",
    "reject 2 closed",
    "destroy at 0 close",
  ]);
  assertEquals(slots(line), [0, 0, 0, 1, 1]);
  line.createFailed(notes.creations.pop()!, "no", true);
  line.destroyed(notes.leaving[0]!);
  assertEquals(notes.since(), ["closed"], "once, after the last");
  assertEquals(slots(line), [2, 0, 0, 0, 0]);
});

test("closing a line with nothing out says so at once", () => {
  const { line, notes } = lined([3]);
  line.close(() => "closed");
  assertEquals(notes.since(), ["closed"]);
});

test("a line that has closed makes nothing for its stock", () => {
  const { line, notes } = lined([1]);
  line.stock(1);
  const entry = line.created(notes.creations.shift()!, "a", 0, Infinity);
  notes.since();
  line.close(() => "closed");
  assertEquals(notes.since(), ["destroy a close"]);
  line.destroyed(entry);
  assertEquals(notes.since(), ["closed"]);
});

test("a create that serves one who waits pays what it was owed", () => {
  const { line, notes, join } = lined([2]);
  join();
  const waiter = new Waiter(line.arrive(), -1, 0);
  line.join(waiter, 0);
  assertEquals(notes.since(), ["create"]);
  line.created(notes.creations.shift()!, "a", 0, Infinity);
  assertEquals(notes.since(), ["deliver 0"]);
  assertEquals([line.owed, line.waiting], [0, 1]);
});

test("what comes back for one who is gone is stamped then, not when it was taken", () => {
  const { line, notes, join } = lined([1], true);
  const [held, taker] = [join(), join()];
  line.created(notes.creations[0]!, "a", 0, Infinity);
  assertStrictEquals(held.at, undefined);
  const entry = notes.delivered[0]!;
  line.release(entry, 0);
  assertEquals([line.waiting, line.pending], [0, 1]);
  line.cancel(taker, "left");
  assertEquals(line.pending, 0);
  line.valid(entry, 100);
  assertEquals([entry.place, entry.endsAt], ["idle", 105]);
  assertEquals(notes.since(), [
    "create",
    "deliver 0",
    "validate 1",
    "reject 1 left",
  ]);
});

test("the taker of an invalid resource waits at its old place", () => {
  const { line, notes, join } = lined([2], true);
  join();
  join();
  line.created(notes.creations[0]!, "a", 0, Infinity);
  line.created(notes.creations[1]!, "b", 0, Infinity);
  for (let i = 2; i < 5; i++) join();
  const [a, b] = notes.delivered;
  line.release(a!, 0);
  line.release(b!, 0);
  notes.since();
  line.invalid(notes.validated[1]!, 0, "invalid");
  line.invalid(notes.validated[0]!, 0, "invalid");
  assertEquals(notes.since(), ["destroy b invalid", "destroy a invalid"]);
  line.destroyed(a!);
  line.created(notes.creations[2]!, "c", 0, Infinity);
  line.destroyed(b!);
  line.created(notes.creations[3]!, "d", 0, Infinity);
  assertEquals(notes.since(), ["create", "deliver 2", "create", "deliver 3"]);
  assertEquals([line.waiting, line.pending], [1, 1]);
});

test("a taker that is sent back is in line before its entry is dealt with", () => {
  const { line, notes, join, rest } = lined([3], true);
  rest(0, 0);
  const [first, second] = [0, 1].map(() => {
    const taker = new Waiter(line.arrive(), -1, 0);
    line.judge(taker, line.take(-1, 0)!);
    return taker;
  });
  const [a, b] = [first!.at, second!.at] as Entry<string>[];
  line.valid(b!, 0);
  line.release(b!, 0);
  line.sendBack(a!);
  assertEquals([line.waiting, line.pending, line.idle], [1, 1, 1]);
  assertStrictEquals(line.take(-1, 0), undefined, "somebody waits");
  const newcomer = join();
  assertEquals(notes.since(), ["deliver 3"]);
  line.invalid(a!, 0, "invalid");
  const dealt = ["destroy at 0 invalid", "create", "validate 2"];
  assertEquals(notes.since(), dealt);
  assertEquals(newcomer.at !== undefined, true);
});

test("what is idle for a taker sent back needs no create", () => {
  const { line, notes, join, rest } = lined([4], true);
  rest(0, 0);
  const entry = line.take(-1, 0)!;
  line.judge(new Waiter(line.arrive(), -1, 0), entry);
  line.sendBack(entry);
  assertEquals([line.idle, line.waiting], [1, 1]);
  join();
  assertEquals(notes.since(), []);
  line.invalid(entry, 0, "invalid");
  const dealt = ["destroy at 0 invalid", "create", "validate 2"];
  assertEquals(notes.since(), dealt);
});

test("takers of what is distrusted are all back in line before one is served", () => {
  const { line, notes, rest } = lined([4], true);
  rest(0, 1);
  const [first, second] = [0, 1].map(() => {
    const taker = new Waiter(line.arrive(), -1, 0);
    line.judge(taker, line.take(-1, 2)!);
    return taker;
  });
  rest(5);
  line.distrust(1, 6, "invalid");
  const [validated] = notes.validated;
  assertEquals(validated?.resource, "at 5");
  assertStrictEquals(first!.at, validated);
  assertEquals([line.waiting, second!.at === undefined], [1, false]);
});

test("a create that has ended makes room for the next that is allowed", () => {
  const { line, notes, join } = lined([2]);
  line.allow(1);
  join();
  join();
  assertEquals(notes.since(), ["create"]);
  line.created(notes.creations.shift()!, "a", 0, Infinity);
  assertEquals(notes.since(), ["deliver 0", "create"]);
});

test("a line that grows creates for those who wait", () => {
  const { line, notes, join } = lined([1]);
  for (let i = 0; i < 3; i++) join();
  assertEquals(notes.since(), ["create"]);
  line.resize([3]);
  assertEquals(notes.since(), ["create", "create"]);
});

test("a take makes progress whatever the stamps", () => {
  const { line, notes, rest } = lined([3]);
  rest(100, 50, 0);
  assertStrictEquals(line.take(-1, 60), undefined);
  assertEquals(notes.since(), [
    "destroy at 100 idle",
    "destroy at 50 idle",
    "destroy at 0 idle",
  ]);
  assertEquals(slots(line), [0, 0, 0, 0, 3]);
});

test("a slot that is given back twice, or never was taken, is a bug", () => {
  const { line, notes, join } = lined([1]);
  join();
  const [creation] = notes.creations;
  line.created(creation!, "a", 0, Infinity);
  assertThrows(() => line.createFailed(creation!, "no", true), Error, "bug:");
  const [entry] = notes.delivered;
  assertThrows(() => line.destroyed(entry!), Error, "bug:");
  line.destroy(entry!, "lease");
  assertThrows(() => line.destroy(entry!, "lease"), Error, "bug:");
  line.destroyed(entry!);
  assertThrows(() => line.destroyed(entry!), Error, "bug:");
  const { stripes: [stripe] } = line;
  stripe!.reserve(new Creation(0, 0));
  assertThrows(() => stripe!.reserve(new Creation(0, 0)), Error, "bug:");
});

test("the life of what is detached is not watched, and its slot is spare", () => {
  const { line, notes, join } = lined([1]);
  join();
  const entry = line.created(notes.creations.shift()!, "a", 0, 100);
  assertEquals(line.expire(0, 10), 100);
  line.detach(entry);
  assertEquals(line.expire(0, 10), Infinity);
  assertEquals(entry.life, undefined);
  assertEquals(slots(line), [1, 0, 0, 0, 0]);
});

test("an end of life that is brought forward is watched instead of the old one", () => {
  const { line, notes, join } = lined([1]);
  join();
  const entry = line.created(notes.creations.shift()!, "a", 0, 100);
  line.shorten(entry, 50, "evict");
  assertEquals(line.expire(0, 10), 50);
  line.shorten(entry, 70, "evict");
  assertEquals(line.expire(0, 10), 50);
  assertEquals(line.expire(51, 10), Infinity, "both are seen to");
  line.release(entry, 52);
  assertEquals(notes.since().at(-1), "destroy a evict");
});

test("a pause is told of each time that the last use has ended", () => {
  const { line, notes, join } = lined([2]);
  join();
  join();
  const entries = ["a", "b"].map((name) =>
    line.created(notes.creations.shift()!, name, 0, Infinity)
  );
  notes.since();
  line.pause();
  line.release(entries[0]!, 1);
  assertEquals(notes.since(), []);
  line.release(entries[1]!, 2);
  assertEquals(notes.since(), ["paused"]);
  line.inspect(entries[0]!);
  line.inspected(entries[0]!, 3);
  assertEquals(notes.since(), ["paused"]);
  assertStrictEquals(line.take(-1, 3), undefined);
  line.unpause(3);
  assertStrictEquals(line.take(-1, 3), entries[1]);
});

test("how long a use takes is learnt from the first 64, then from one in eight", () => {
  const { line, rest } = lined([1]);
  rest(0);
  let now = 0;
  const use = (took: number) => {
    const entry = line.take(-1, now)!;
    now += took;
    line.release(entry, now);
    return line.useTime;
  };
  assertEquals(use(16), 16);
  assertEquals(use(8), 12, "it falls fast");
  assertEquals(use(20), 13, "and rises slowly");
  for (let uses = 3; uses < 64; uses++) use(0);
  const learnt = line.useTime;
  for (let uses = 1; uses < 8; uses++) assertEquals(use(80), learnt);
  assertEquals(use(80), learnt + (80 - learnt) / 8);
});

test("the longest use is found among those held, and looked for when it has ended", () => {
  const { line, rest } = lined([2, 2]);
  rest(0, 0, 0, 0);
  assertEquals(line.oldestUse(), Infinity);
  let looks = 0;
  for (const stripe of line.stripes) {
    const entries = stripe.entries();
    Object.assign(stripe, { entries: () => (looks++, entries) });
  }
  const [a, b, c] = [1, 2, 3].map((now) => line.take(-1, now)!);
  for (let i = 0; i < 3; i++) assertEquals(line.oldestUse(), 1);
  assertEquals(looks, 2);
  line.release(a!, 4);
  assertEquals(line.oldestUse(), 2);
  assertStrictEquals(line.take(a!.stripe, 5), a);
  line.tend(b!, "reset");
  line.tend(c!, "validate");
  assertEquals([line.oldestUse(), line.resetting, line.checking], [5, 1, 1]);
  line.release(a!, 6);
  assertStrictEquals(line.take(a!.stripe, 7), a);
  assertEquals(line.oldestUse(), 7, "it is another use");
  line.tend(b!);
  line.destroy(a!, "lease");
  assertEquals([line.oldestUse(), line.resetting, line.checking], [2, 0, 1]);
  line.detach(b!);
  looks = 0;
  assertEquals([line.oldestUse(), looks], [Infinity, 0], "nothing is held");
  line.destroy(c!, "invalid");
  const d = line.stripes.find(({ newest }) => newest !== undefined)!.newest!;
  line.inspect(d);
  line.tend(d, "validate");
  assertEquals([line.oldestUse(), line.checking, looks], [Infinity, 1, 0]);
  line.inspected(d, 9);
  assertEquals([line.oldestUse(), line.checking, looks], [Infinity, 0, 0]);
});
