import { assertEquals } from "@std/assert";
import { type Circumstance, diagnosis, sentence } from "../src/sentence.ts";
import { test } from "./test.ts";

/** The sentence for a line of ten with these counts, and what else is known. */
function said(
  counts: Partial<Circumstance["stats"]>,
  known: Omit<Circumstance, "stats"> = {},
): string {
  const none = {
    idle: 0,
    used: 0,
    creating: 0,
    destroying: 0,
    pending: 1,
  };
  return sentence({ stats: { ...none, max: 10, ...counts }, ...known });
}

/** An outage of ten seconds with this error. */
function failing(cause: unknown): string {
  return said({}, { outage: { since: 10_000 }, cause });
}

test("where all are used the sentence says since when, and how long none came back", () => {
  assertEquals(said({ used: 10 }), "all 10 are used");
  assertEquals(
    said({ used: 10 }, { oldestUse: 38_000, noneReleasedFor: 30_000 }),
    "all 10 are used, the oldest for 38 s; none was released for 30 s",
  );
  assertEquals(
    said({ used: 1, max: 1 }, { oldestUse: 38_000 }),
    "the only one is used, for 38 s",
  );
});

test("where a shrink left more than max the sentence counts them all", () => {
  assertEquals(said({ used: 12 }), "all 12 are used");
  assertEquals(
    said({ used: 2, destroying: 1, max: 1 }),
    "2 of 3 are used; 1 of 3 is being destroyed",
  );
});

test("where as many wait as could be served and none was released, holders may wait themselves", () => {
  const hint = "holders may be waiting for a second lease";
  const isHinted = (counts: Partial<Circumstance["stats"]>, none?: number) =>
    said(counts, { noneReleasedFor: none }).endsWith(`; ${hint}`);
  assertEquals(
    said({ used: 10, pending: 10 }, { noneReleasedFor: 30_000 }),
    `all 10 are used; none was released for 30 s; ${hint}`,
  );
  assertEquals(isHinted({ used: 12, pending: 11 }, 5), true);
  assertEquals(isHinted({ used: 10, pending: 9 }, 5), false);
  assertEquals(isHinted({ used: 9, pending: 10 }, 5), false);
  assertEquals(isHinted({ used: 10, pending: 10 }), false);
});

test("what is validated or reset is held by nobody", () => {
  const none = { noneReleasedFor: 5 };
  assertEquals(
    said({ used: 1, max: 1 }, { oldestUse: 5, checking: 1, ...none }),
    "the only one is being validated",
  );
  assertEquals(
    said({ used: 1, max: 1 }, { oldestUse: 5, resetting: 1, ...none }),
    "the only one is being reset",
  );
  assertEquals(
    said({ used: 10, pending: 10 }, { checking: 2, resetting: 3, ...none }),
    "5 of 10 are used; 2 of 10 are being validated; 3 of 10 are being reset; " +
      "none was released for 5 ms",
  );
});

test("where some are used the sentence says of how many", () => {
  assertEquals(said({ used: 1 }), "1 of 10 is used");
  assertEquals(said({ used: 2 }), "2 of 10 are used");
  assertEquals(
    said({ used: 1 }, { oldestUse: 5 }),
    "1 of 10 is used, for 5 ms",
  );
});

test("the sentence names the holders that are known instead of the oldest use", () => {
  const holders = [
    { age: 38_000, where: "app.ts:12" },
    { age: 7_000, where: undefined },
  ];
  assertEquals(
    said({ used: 10 }, { oldestUse: 38_000, holders }),
    "all 10 are used, the oldest for 38 s (acquired at app.ts:12), for 7 s",
  );
});

test("creates under way are counted, the overdue ones among them", () => {
  assertEquals(
    said({ creating: 1 }, { oldestCreate: 12_000, overdue: 0 }),
    "1 of 10 is being created, for 12 s",
  );
  assertEquals(
    said({ creating: 2 }, { oldestCreate: 12_000, overdue: 1 }),
    "2 of 10 are being created, 1 overdue, the oldest for 12 s",
  );
  assertEquals(said({ creating: 10 }), "all 10 are being created");
});

test("those being destroyed are counted", () => {
  assertEquals(said({ destroying: 1 }), "1 of 10 is being destroyed");
  assertEquals(said({ destroying: 3 }), "3 of 10 are being destroyed");
  assertEquals(
    said({ destroying: 1, max: 1 }),
    "the only one is being destroyed",
  );
});

test("what is idle and cannot be had at once is counted", () => {
  assertEquals(said({ idle: 1 }), "1 of 10 is idle");
  assertEquals(said({ idle: 10 }), "all 10 are idle");
});

test("where nothing exists the sentence says that", () => {
  assertEquals(said({}), "no resource exists");
  assertEquals(said({}, { noneReleasedFor: 5 }), "no resource exists");
});

test("several states are all told, in one order", () => {
  assertEquals(
    said(
      { used: 4, creating: 3, destroying: 2, idle: 1 },
      { oldestUse: 1_000, oldestCreate: 2_000, noneReleasedFor: 500 },
    ),
    "4 of 10 are used, the oldest for 1 s; " +
      "3 of 10 are being created, the oldest for 2 s; " +
      "2 of 10 are being destroyed; 1 of 10 is idle; " +
      "none was released for 500 ms",
  );
});

test("in an outage the sentence begins with it, and when it is tried again", () => {
  const cause = Object.assign(new Error(""), { code: "ECONNREFUSED" });
  const outage = { since: 12_000, nextTry: 1_400 };
  assertEquals(
    said({}, { outage, cause }),
    "creates have failed for 12 s: ECONNREFUSED, next try in 1.4 s",
  );
  assertEquals(
    said({ used: 3, creating: 1 }, { outage: { since: 12_000 }, cause }),
    "creates have failed for 12 s: ECONNREFUSED; " +
      "3 of 10 are used; 1 of 10 is being created",
  );
});

test("an outage is not what is waited for where all are used", () => {
  const outage = { since: 12_000 };
  assertEquals(said({ used: 10 }, { outage }), "all 10 are used");
});

test("what creates fail with is told by its message, else its code, else its kind", () => {
  const why = (error: unknown) => failing(error).split("10 s: ")[1];
  assertEquals(why(new Error("refused")), "refused");
  const coded = Object.assign(new Error("refused"), { code: "E1" });
  assertEquals(why(coded), "refused");
  assertEquals(why({ code: "E1" }), "E1");
  assertEquals(why("refused"), '"refused"');
  assertEquals(why(null), "null");
  assertEquals(why({}), "an object");
});

test("an error whose message throws breaks no sentence", () => {
  const hostile = {
    get message(): string {
      throw new Error("boom");
    },
  };
  for (const error of [hostile, { message: Object.create(null) }]) {
    assertEquals(
      failing(error),
      "creates have failed for 10 s: an error that cannot be read",
    );
  }
});

test("times are told as people say them", () => {
  const told = (ms: number) =>
    said({}, { outage: { since: ms } }).match(/for (.*)/)![1];
  const times = [0, 0.4, 250, 999.4, 999.6, 1_000, 1_449, 9_949, 9_950, 38_499];
  assertEquals(times.map(told), [
    ...["0 ms", "0 ms", "250 ms", "999 ms", "1 s", "1 s"],
    ...["1.4 s", "9.9 s", "10 s", "38 s"],
  ]);
});

test("a diagnosis names who holds where one waits, or a lease may have leaked", () => {
  const told = (pending: number, isTold: boolean) =>
    diagnosis({
      ...{
        stats: {
          idle: 0,
          used: 1,
          creating: 0,
          destroying: 0,
          pending,
          max: 2,
        },
      },
      holders: [{ age: 1_000, where: "report (app.ts:12:9)", isTold }],
    });
  assertEquals(told(0, false), "nobody waits; 1 of 2 is used, for 1 s");
  assertEquals(
    told(1, false),
    "1 waits; 1 of 2 is used, for 1 s (acquired at report (app.ts:12:9))",
  );
  assertEquals(
    told(0, true),
    "a lease may have leaked; nobody waits; " +
      "1 of 2 is used, for 1 s (acquired at report (app.ts:12:9))",
  );
});

test("a diagnosis says first who waits, and since when", () => {
  const none = {
    idle: 0,
    used: 0,
    creating: 0,
    destroying: 0,
    pending: 0,
  };
  const said = (known: Circumstance) => diagnosis(known);
  assertEquals(
    said({ stats: { ...none, max: 10 } }),
    "nobody waits; no resource exists",
  );
  assertEquals(
    said({
      stats: { ...none, max: 10, used: 2, idle: 1 },
      holders: [{ age: 20 }, { age: 10 }],
    }),
    "nobody waits; 2 of 10 are used, the oldest for 20 ms; 1 of 10 is idle",
  );
  assertEquals(
    said({ stats: { ...none, max: 1, used: 1, pending: 1 }, waits: [3_000] }),
    "1 waits, the first for 3 s; the only one is used",
  );
  assertEquals(
    said({
      stats: { ...none, max: 10, used: 10, pending: 12 },
      waits: [30_000, 20_000],
      holders: [{ age: 38_000, where: "report (app.ts:12:9)" }],
      noneReleasedFor: 30_000,
    }),
    "12 wait, the first for 30 s; all 10 are used, " +
      "the oldest for 38 s (acquired at report (app.ts:12:9)); " +
      "none was released for 30 s; holders may be waiting for a second lease",
  );
  assertEquals(
    said({
      stats: { ...none, max: 10, pending: 2 },
      outage: { since: 10_000, nextTry: 900 },
      cause: new Error("refused"),
    }),
    "2 wait; creates have failed for 10 s: refused, next try in 900 ms",
  );
  assertEquals(
    said({ stats: { ...none, max: 10, pending: 2 }, isPaused: true }),
    "2 wait; the pool is paused",
  );
});
