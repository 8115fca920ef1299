/** How the tests of one runtime ended. */
export interface Report {
  passed: number;
  failed: number;
  skipped: number;
}

const ATTRIBUTES = String.raw`((?:\s+[\w:]+="[^"]*")*)`;
const TEST_CASE = new RegExp(
  String.raw`<testcase${ATTRIBUTES}\s*(?:/>|>([^]*?)</testcase>)`,
  "g",
);

/** One test of a JUnit report, which every runner here can write. */
export interface TestCase {
  name: string;
  result: "passed" | "failed" | "skipped";
}

/** The tests of a JUnit report. */
export function testCases(junit: string): TestCase[] {
  return [...junit.matchAll(TEST_CASE)].map(([, attributes, body = ""]) => ({
    name: attributes?.match(/\sname="([^"]*)"/)?.[1] ?? "",
    result: /<(failure|error)\b/.test(body)
      ? "failed"
      : /<skipped\b/.test(body)
      ? "skipped"
      : "passed",
  }));
}

/** Counts tests; what went wrong outside of them counts as failed, too. */
export function report(tests: TestCase[], faults: string[]): Report {
  const count = (result: TestCase["result"]) =>
    tests.filter((test) => test.result === result).length;
  const failed = count("failed");
  const all = [...faults];
  if (tests.length === 0) all.push("No test ran");
  for (const fault of all) console.error(`error: ${fault}`);
  return {
    passed: count("passed"),
    failed: failed + all.length,
    skipped: count("skipped"),
  };
}

/** Prints the totals as the last line and ends the process accordingly. */
export function conclude(reports: Report[]): never {
  const sum = (key: keyof Report) =>
    reports.reduce((total, each) => total + each[key], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  console.log(`${sum("passed")} passed, ${sum("failed")} failed${skipped}`);
  Deno.exit(sum("failed") > 0 || reports.length === 0 ? 1 : 0);
}
