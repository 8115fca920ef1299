import { assertEquals } from "@std/assert";
import type { Creation } from "../src/core/creation.ts";
import { home, Partition, split } from "../src/core/partition.ts";
import { Waiter } from "../src/core/waiter.ts";
import { test } from "./test.ts";

test("a split adds up to max and its shares differ by one at most, larger first", () => {
  for (let max = 1; max <= 40; max++) {
    for (let n = 1; n <= max; n++) {
      const shares = split(max, n);
      assertEquals(shares.length, n);
      assertEquals(shares.reduce((a, b) => a + b), max);
      assertEquals(shares, shares.toSorted((a, b) => b - a));
      assertEquals(shares[0]! - shares[n - 1]! <= 1, true);
    }
  }
});

test("the home of a string is its FNV-1a hash mod n, for ever", () => {
  assertEquals(home("", 1_000), 0x811c9dc5 % 1_000);
  assertEquals(home("a", 1_000), 0xe40c292c % 1_000);
  assertEquals(home("foobar", 1_000), 0xbf9cf968 % 1_000);
});

test("every affinity has its home within the stripes", () => {
  const affinities = [
    0,
    -0,
    -1,
    0.5,
    -0.5,
    1e308,
    -1e308,
    5e-324,
    "",
    "\u{1f600}",
  ];
  for (const affinity of affinities) {
    for (const n of [1, 2, 3, 7, 1_000]) {
      const stripe = home(affinity, n);
      assertEquals(Number.isInteger(stripe), true, `${affinity} of ${n}`);
      assertEquals(stripe >= 0 && stripe < n, true, `${affinity} of ${n}`);
    }
  }
});

test("a newcomer to isolated stripes is not served where a taker was sent back", () => {
  const creations: Creation[] = [];
  const ignore = () => {};
  const shape = {
    ...{ max: 4, stripes: 2 },
    ...{ isolated: true, maxCreating: Infinity },
  };
  const rules = { validateAfter: 0, idleTimeout: 5, maxUses: Infinity };
  const partition = new Partition<string>(shape, rules, {
    ...{ deliver: ignore, validate: ignore, reject: ignore },
    ...{ destroy: ignore, closed: ignore, shed: ignore, paused: ignore },
    create: (creation) => creations.push(creation),
  });
  const line = partition.lines[0]!;
  const waiters = [0, 1].map((order) => new Waiter(order, 0, 0));
  for (const waiter of waiters) line.join(waiter, 1);
  for (const waiter of waiters) line.cancel(waiter, "left");
  for (const creation of creations) line.created(creation, "a", 0, Infinity);
  const taken = partition.take(0, 0)!;
  line.judge(new Waiter(2, 0, 0), taken);
  line.sendBack(taken);
  assertEquals([line.idle, line.waiting], [1, 1]);
  const take = line.take.bind(line);
  let asked = 0;
  line.take = (home, now) => {
    assertEquals(++asked, 1, "it is asked for ever");
    return take(home, now);
  };
  assertEquals(partition.take(-1, 0), undefined);
});
