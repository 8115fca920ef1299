/**
 * Explores every scope of the model, and replays each of its transitions on the
 * real machine. With arguments: only the scopes whose name contains them all.
 *
 * - `scope.ts`: how large each world is, and what may happen in it
 * - `world.ts`, `event.ts`, `effect.ts`: what is, can happen, and is intended
 * - `transition_table.ts`: the transitions, as a program of its own
 * - `explorer.ts`: every reachable state, by `state_key.ts` each once
 * - `invariant.ts`, `liveness.ts`: what must hold in them
 * - `machine.ts`, `snapshot.ts`: the real `Line`, driven verb by verb and read
 * - `threads.ts`: the interleavings of threads on one budget, where asked for
 *
 * @module
 */
import { FAULTS, missingPairs, PRESSURES, SCOPES } from "./scope.ts";
import { exploreThreads, THREAD_SCOPES } from "./threads.ts";

const began = performance.now();
const chosen = [...SCOPES.keys()].filter((i) =>
  Deno.args.every((word) => SCOPES[i]!.name.includes(word))
);
const faults: string[] = [];

if (Deno.args.length === 0) {
  for (const all of [FAULTS, PRESSURES]) {
    const missing = missingPairs(all, SCOPES).map((it) => it.join(" with "));
    for (const pair of missing) faults.push(`no scope has ${pair}`);
    console.log(
      `${all.length} kinds of fault: ${all.join(", ")}\n` +
        `Each scope has the full product of those it has; pairs of these that ` +
        `no scope has: ${missing.length}`,
    );
  }
}
for (const { name, faults } of chosen.map((i) => SCOPES[i]!)) {
  const without = FAULTS.filter((fault) => !faults.has(fault));
  console.log(`${name}: without ${without.join(", ") || "none"}`);
}
console.log();

const queue = [...chosen];
await Promise.all(
  Array.from({ length: navigator.hardwareConcurrency }, () => proveNext()),
);

// Long: those that are small are in the suite.
const chosenThreads = Deno.args.length === 0
  ? []
  : THREAD_SCOPES.filter(({ name }) =>
    Deno.args.every((word) => name.includes(word))
  );
for (const scope of chosenThreads) {
  const start = performance.now();
  try {
    const { states, transitions } = exploreThreads(scope);
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(
      `${scope.name}: ${states} states, ${transitions} transitions of the ` +
        `real step, ${seconds} s`,
    );
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
}

const scopes = chosen.length + chosenThreads.length;
const total = ((performance.now() - began) / 1_000).toFixed(1);
if (faults.length > 0) {
  for (const fault of faults) console.error(`\n${fault}`);
  throw new Error(`${faults.length} faults found in ${total} s`);
}
console.log(`\nNothing to object to in ${scopes} scopes, ${total} s`);

/** What a worker says of a scope. */
interface Shown {
  report: string;
  fault?: string;
}

/** One worker takes scope after scope. */
async function proveNext(): Promise<void> {
  const url = new URL("./worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  for (let scope; (scope = queue.shift()) !== undefined;) {
    const { report, fault } = await new Promise<Shown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(scope);
    });
    console.log(report);
    if (fault !== undefined) faults.push(fault);
  }
  worker.terminate();
}
