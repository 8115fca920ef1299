/** How one test ended. */
export interface TestCase {
  name: string;
  result: "passed" | "failed" | "skipped";
}

/** How many tests ended how. */
export type Report = Record<TestCase["result"], number>;

const ATTRIBUTES = String.raw`((?:\s+[\w:]+="[^"]*")*)`;
const TEST_CASE = new RegExp(
  String.raw`<testcase${ATTRIBUTES}\s*(?:/>|>([^]*?)</testcase>)`,
  "g",
);

/** The tests of a JUnit report, which every runner here can write. */
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
export function report(tests: TestCase[], faults: string[] = []): Report {
  const all = tests.length > 0 ? faults : [...faults, "No test ran"];
  for (const fault of all) console.error(`error: ${fault}`);
  const total = { passed: 0, failed: all.length, skipped: 0 };
  for (const { result } of tests) total[result]++;
  return total;
}

/** Runs one after the other, and prints the totals as the last line. */
export async function conclude(
  runs: Iterable<() => Promise<Report>>,
): Promise<never> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    const { passed, failed, skipped } = await run().catch((error) => {
      console.error(error);
      return { passed: 0, failed: 1, skipped: 0 };
    });
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  const { passed, failed, skipped } = total;
  const rest = skipped > 0 ? `, ${skipped} skipped` : "";
  console.log(`${passed} passed, ${failed} failed${rest}`);
  Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
}
