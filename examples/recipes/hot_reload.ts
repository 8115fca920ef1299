/**
 * Modules that are loaded again while their process goes on. With `bun --hot`
 * globals stay and what a module had made does, too: so it keeps its pool in a
 * global and closes it when it is loaded next, as `parts/reloaded.ts` does.
 * `deno --watch` starts anew, and the sockets of before end with it.
 */

import assert from "node:assert/strict";
import { BUN, executable } from "../../tests/runtimes/runtime.ts";
import { until } from "./parts/until.ts";

const MODULE = new URL("./parts/reloaded.ts", import.meta.url);

/** How many connections the module opens each time. */
const WARM = 3;
const RELOADS = 4;

/** A server that counts who has come, and who is there. */
class Census implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  come = 0;
  here = 0;

  constructor() {
    void this.#accept();
  }

  get port(): string {
    return `${this.#listener.addr.port}`;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.come++;
      this.here++;
      // One that is killed resets its connections.
      conn.readable.pipeTo(new WritableStream()).catch(() => {})
        .finally(() => this.here--);
    }
  }
}

/** Lets a program load the module again and again, and counts with it. */
async function reload(...command: string[]): Promise<number> {
  using census = new Census();
  const folder = await Deno.makeTempDir();
  const main = `${folder}/main.ts`;
  const change = (n: number) =>
    Deno.writeTextFile(
      main,
      `import "${MODULE.pathname}"; // ${n}\nsetInterval(() => {}, 1_000);\n`,
    );
  await change(0);
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args: [...args, main],
    env: { PORT: census.port },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    for (let n = 1; n <= RELOADS; n++) {
      await until(() => census.come === n * WARM);
      await change(n);
    }
    await until(() => census.come === (RELOADS + 1) * WARM);
    await until(() => census.here === WARM);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
  return census.come;
}

const hot = await reload(await executable(BUN), "--hot", "--no-clear-screen");
const watched = await reload(Deno.execPath(), "run", "-A", "--watch");
assert.deepEqual([hot, watched], [15, 15]);
console.log(`loaded 5 times: ${hot} connections opened, 3 at a time`);
