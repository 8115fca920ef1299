/**
 * Child processes that answer line by line: slow to start, so they are kept, one
 * holder each. One that dies leaves the pool by itself; one that does not answer
 * is killed; each is replaced after 1 000 questions, lest it grow fat.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { Pool } from "@lease/pool";
import { until } from "./parts/until.ts";

const PROGRAM = new URL("./parts/shout.ts", import.meta.url).pathname;

class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(lost: () => void) {
    const args = ["run", "--quiet", PROGRAM];
    const stdio = ["pipe", "pipe", "inherit"] as const;
    this.#process = spawn(process.execPath, args, { stdio: [...stdio] });
    this.#process.on("error", lost).on("exit", lost);
    // A broken pipe: `exit` tells of it.
    this.#process.stdin!.on("error", () => {});
    const input = this.#process.stdout!;
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  /** Resolves when it has said that it is ready. */
  static async start(signal: AbortSignal, lost: () => void): Promise<Child> {
    const child = new Child(lost);
    signal.addEventListener("abort", () => child.#process.kill("SIGKILL"));
    await child.#next();
    return child;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async ask(question: string): Promise<string> {
    this.#process.stdin!.write(`${question}\n`);
    return await this.#next();
  }

  /** Politely first; when `signal` aborts, by force. */
  async end(signal: AbortSignal): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    // By its number: on Deno 2.9 the object passes on its first signal only.
    signal.addEventListener("abort", () => process.kill(this.pid, "SIGKILL"));
    this.#process.kill("SIGTERM");
    await once(this.#process, "exit");
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the child has ended");
    return value;
  }
}

const pids = new Set<number>();
const pool = new Pool<Child>({
  create: ({ signal, lost }) => Child.start(signal, lost),
  destroy: (child, { signal }) => child.end(signal),
  max: 2,
  maxUses: 1_000,
  observer: { created: ({ resource }) => pids.add(resource.pid) },
});

/** An answer within two seconds; a child that has none by then is destroyed. */
function ask(question: string): Promise<string> {
  return pool.use(async (child) => {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer")), 2_000);
    try {
      return await Promise.race([child.ask(question), promise]);
    } finally {
      clearTimeout(timer);
    }
  });
}

/** Whether a process is there. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// Twenty questions, two children.
const questions = Array.from({ length: 20 }, (_, n) => `question ${n}`);
const answers = await Promise.all(questions.map(ask));
assert.deepEqual(answers, questions.map((text) => text.toUpperCase()));
assert.ok(pids.size <= 2);

// One that is killed while idle is not handed out again.
await until(() => pool.stats().creating === 0);
for (const pid of pids) process.kill(pid, "SIGKILL");
await until(() => pool.stats().idle === 0);
assert.equal(await ask("still there?"), "STILL THERE?");

// One that hangs is killed, and the next answers.
await assert.rejects(ask("sleep"), /no answer/);
assert.equal(await ask("awake?"), "AWAKE?");

// No child outlives the pool.
await pool.close();
assert.deepEqual([...pids].filter(isAlive), []);
console.log(
  `${pids.size} children: killed, hung and replaced, and none is left`,
);
