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
  let changes = 0;
  const change = () =>
    Deno.writeTextFile(
      main,
      `import "${MODULE.pathname}"; // ${++changes}\nsetInterval(() => {}, 1_000);\n`,
    );
  await change();
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args: [...args, main],
    env: { PORT: census.port },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await until(() => census.come === WARM);
    for (let n = 1; n <= RELOADS; n++) {
      const due = census.come + WARM;
      let last = -Infinity;
      await until(async () => {
        // A watcher that has just begun can miss a change.
        if (performance.now() - last > 2_000) {
          last = performance.now();
          await change();
        }
        return census.come >= due;
      });
    }
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
assert.ok(Math.min(hot, watched) >= (RELOADS + 1) * WARM);
console.log(
  `${hot} and ${watched} connections opened, ${WARM} are left of them`,
);
