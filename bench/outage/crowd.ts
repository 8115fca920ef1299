import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Settings } from "./contender.ts";
import type { Load, Request } from "./load.ts";

/** The clients of one contender, in a process of their own. */
export class Crowd implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #loads = new Map<number, (requests: Request[]) => void>();
  readonly #ended: Promise<unknown>;
  #ids = 0;
  #connects = 0;
  /** Why there are no more answers: what the process last said. */
  #complaint: string | undefined;

  constructor(subject: string, settings: Settings) {
    const args = ["run", "-A", "--quiet", "--lock=bench/deno.lock"];
    args.push("bench/outage/client.ts", subject, JSON.stringify(settings));
    this.#process = spawn(Deno.execPath(), args, {
      cwd: new URL("../../", import.meta.url),
      stdio: "pipe",
    });
    this.#ended = once(this.#process, "close").then(() => {
      this.#complaint ??= "the process ended";
      for (const settle of this.#loads.values()) settle([]);
    });
    let log = "";
    this.#process.stderr!.on("data", (chunk) => {
      log = `${log}${chunk}`.slice(-10_000);
      this.#complaint = log.match(/[Ee]rror: (?!Uncaught)(.+)/)?.[1];
    });
    const lines = createInterface({ input: this.#process.stdout! });
    lines.on("line", (line) => {
      const { id, requests, connects } = JSON.parse(line);
      this.#connects = connects;
      this.#loads.get(id)?.(requests);
      this.#loads.delete(id);
    });
  }

  /** How many connects it had begun when its last load was settled. */
  get connects(): number {
    return this.#connects;
  }

  /** What ended the process, if something has. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /**
   * Puts a load on the pool; resolves when each request has ended, or with
   * none when the process has, or has said nothing until the limit.
   */
  put(load: Load, limit: number): Promise<Request[]> {
    const { promise, resolve } = Promise.withResolvers<Request[]>();
    const id = ++this.#ids;
    this.#loads.set(id, resolve);
    const timer = setTimeout(() => {
      this.#complaint = `nothing within ${limit / 1_000} s`;
      this.#process.kill("SIGKILL");
    }, limit);
    this.#process.stdin!.write(`${JSON.stringify({ id, load })}\n`);
    return promise.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}
