/// <reference path="./assert.d.ts" />
/// <reference path="./async.d.ts" />

/** A test where no test runner exists, kept for the page or worker to run. */
export interface CollectedTest {
  name: string;
  fn: () => void | Promise<void>;
}

/** Where collected tests are found: `globalThis.collectedTests`. */
interface CollectingGlobal {
  collectedTests?: CollectedTest[];
  process?: { versions?: { node?: string } };
}

const register = await registration();

/**
 * Registers a test with the runner of the runtime: Deno's with its leak
 * sanitizers, `node:test` on Node and Bun, a list anywhere else. Tests run one
 * after the other, and their names are unique over all files.
 */
export function test(name: string, fn: () => void | Promise<void>): void {
  register({ name, fn });
}

async function registration(): Promise<(test: CollectedTest) => void> {
  if ("Deno" in globalThis) {
    return ({ name, fn }) =>
      Deno.test({
        name,
        fn,
        sanitizeOps: true,
        sanitizeResources: true,
        sanitizeExit: true,
      });
  }
  const host = globalThis as CollectingGlobal;
  if (host.process?.versions?.node !== undefined) {
    const runner = await import("node:test");
    return ({ name, fn }) => void runner.test(name, () => fn());
  }
  const tests: CollectedTest[] = host.collectedTests ??= [];
  return (test) => tests.push(test);
}
