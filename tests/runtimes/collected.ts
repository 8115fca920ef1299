import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import type { CollectedTest } from "../test.ts";
import type { TestCase } from "./report.ts";

/** How long one test may take before it counts as failed. */
const DEADLINE = 60_000;

/** After this long the runtime has told of a rejection nobody handles. */
const SETTLING = 5;

/** Runs the tests that were collected, one after the other, and prints them. */
export async function runCollected(): Promise<TestCase[]> {
  const { collectedTests = [] } = globalThis as {
    collectedTests?: CollectedTest[];
  };
  const results: TestCase[] = [];
  for (const { name, fn } of collectedTests) {
    const error = await failure(fn);
    const result = error === undefined ? "passed" : "failed";
    console.log(`${name} ... ${result}`);
    if (error !== undefined) console.log(error);
    results.push({ name, result });
  }
  return results;
}

/** Why a test fails, rejections that nobody handles included. */
async function failure(fn: CollectedTest["fn"]): Promise<string | undefined> {
  const faults: unknown[] = [];
  const listen = (event: Event) => {
    const { reason, error } = event as PromiseRejectionEvent & ErrorEvent;
    faults.push(reason ?? error ?? event.type);
  };
  globalThis.addEventListener("unhandledrejection", listen);
  globalThis.addEventListener("error", listen);
  try {
    await deadline(Promise.try(fn), DEADLINE);
    await delay(SETTLING);
  } catch (error) {
    faults.push(error);
  } finally {
    globalThis.removeEventListener("unhandledrejection", listen);
    globalThis.removeEventListener("error", listen);
  }
  return faults.length === 0 ? undefined : faults.map(describe).join("\n");
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
