// Which async context each piece of user code runs in: no request's but that of
// the one it is for. Every case runs in a pool built in a store of its own and
// in one built outside of any, observed and not.
import { assertEquals } from "@std/assert";
import { Pool, type PoolObserver } from "../../../mod.ts";
import { conclude, runCase } from "./cases.ts";
import { by, CASES, type ContextCase, Diary } from "./context_cases.ts";

const EVENTS = [
  "created",
  "createFailed",
  "destroyed",
  "acquired",
  "acquireFailed",
  "released",
] as const;

/** What is called where, for a pool that was built in `home`. */
async function check(
  { calls, options, run }: ContextCase,
  home: string,
  isObserved: boolean,
): Promise<void> {
  const diary = new Diary();
  const observer: PoolObserver<object> = {};
  for (const event of EVENTS) observer[event] = () => diary.note(event);
  const build = () =>
    new Pool<object>({
      create: () => {
        diary.note("create");
        return Promise.resolve({});
      },
      destroy: () => diary.note("destroy"),
      max: 1,
      ...isObserved ? { observer } : {},
      ...options?.(diary),
    });
  const pool = home === "none" ? build() : by(home, build);
  await run(pool, diary);
  const seen = diary.entries.toSorted();
  const expected = calls
    .filter((call) =>
      isObserved || !EVENTS.some((e) => call.startsWith(`${e} `))
    )
    .map((call) => call.replace(/ in pool$/, ` in ${home}`));
  const where = `built in ${home}, ${isObserved ? "" : "not "}observed`;
  assertEquals(seen, expected.toSorted(), where);
}

for (const contextCase of CASES) {
  await runCase(`context of ${contextCase.name}`, async () => {
    for (const home of ["pool", "none"]) {
      for (const isObserved of [true, false]) {
        await check(contextCase, home, isObserved);
      }
    }
  });
}
conclude();
