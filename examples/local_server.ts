/**
 * A server for as long as it is in scope: on 127.0.0.1 only, at a free port, and
 * with all it needs in one temporary folder that goes when it goes.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

/** The user that runs the server; nothing where that is who we are. */
type Account = { uid?: number; gid?: number };

/** Where a server lives. */
export interface Place {
  readonly folder: string;
  readonly account: Account;
  readonly port: number;
}

/** A program, its parameters, and what it writes once it is ready. */
export interface Program {
  readonly path: string;
  readonly parameters: readonly string[];
  readonly ready: string;
}

export const run = promisify(execFile);

/** How long a server may take to stop before it is made to, in milliseconds. */
const STOP_TIMEOUT = 5_000;

export abstract class LocalServer implements AsyncDisposable {
  readonly #place: Place;
  readonly #lifeline: ChildProcess;
  #process: ChildProcess | undefined;

  /** `pidFile` is where in the folder it says which process it is. */
  protected constructor(place: Place, pidFile: string) {
    this.#place = place;
    this.#lifeline = tie(place.folder, pidFile);
  }

  get port(): number {
    return this.#place.port;
  }

  protected get folder(): string {
    return this.#place.folder;
  }

  protected abstract program(): Program;

  /** Starts the server, again after `stop`; settles when it takes connections. */
  async start(): Promise<void> {
    const { path, parameters, ready } = this.program();
    const child = this.spawn(path, ...parameters);
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(lastError(log))));
      listen(child, (text) => {
        log += text;
        if (log.includes(ready)) resolve();
      });
    });
    // From here on its log is only thrown away, lest the pipe fill up.
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.removeAllListeners("data").resume();
    }
  }

  /** Stops the server: without ceremony, or by force, which leaves a mess. */
  async stop(signal: "SIGQUIT" | "SIGKILL" = "SIGQUIT"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode) {
      return;
    }
    // By its number: on Deno 2.9 a `ChildProcess` passes on its first signal only.
    const force = () => process.kill(child.pid!, "SIGKILL");
    const timer = setTimeout(force, STOP_TIMEOUT);
    child.kill(signal);
    await once(child, "exit");
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifeline.kill("SIGKILL");
    await this.stop();
    const { folder } = this;
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Gives all in the folder to the user that runs the server. */
  protected async own(): Promise<void> {
    const { uid, gid } = this.#place.account;
    if (uid === undefined) return;
    await run("chown", ["-R", `${uid}:${gid}`, this.folder]);
  }

  /** Runs a program to its end; `signal` breaks that off. */
  protected async run(
    signal: AbortSignal,
    path: string,
    ...parameters: string[]
  ): Promise<void> {
    const child = this.spawn(path, ...parameters);
    let log = "";
    listen(child, (text) => log += text);
    const [code] = await once(child, "close", { signal });
    if (code !== 0) throw new Error(lastError(log));
  }

  protected spawn(path: string, ...parameters: string[]): ChildProcess {
    return this.#process = spawn(path, parameters, {
      ...this.#place.account,
      cwd: this.folder,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C in the terminal is for us to hear; then we stop the server.
      detached: true,
    });
  }
}

/** Where a new server can live; many do not run as root. */
export async function findPlace(prefix: string): Promise<Place> {
  const account = await findAccount();
  const port = await findPort();
  const folder = await mkdtemp(join(await findTemporary(account), prefix));
  return { folder, account, port };
}

/**
 * Stops the server and removes its folder if this process dies without having
 * done so: a shell waits for the end of a pipe that only we hold open.
 */
function tie(folder: string, pidFile: string): ChildProcess {
  const script = `cat
    pid=$(head -n 1 "$1/$2") && kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.1; done
    until rm -rf "$1"; do sleep 0.1; done`;
  const child = spawn("sh", ["-c", script, "sh", folder, pidFile], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Where there is no shell, we do without.
  child.on("error", () => {});
  child.unref();
  return child;
}

/** Every system has a `nobody`. */
async function findAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) =>
      Number((await run("id", [flag, "nobody"])).stdout)
    ),
  );
  return { uid: uid!, gid: gid! };
}

/** A folder for temporary files in which that user can reach its own. */
async function findTemporary({ uid }: Account): Promise<string> {
  const open = async (folder: string): Promise<boolean> =>
    ((await stat(folder)).mode & 0o001) !== 0 &&
    (folder === dirname(folder) || await open(dirname(folder)));
  const folder = await realpath(tmpdir());
  return uid === undefined || await open(folder) ? folder : "/tmp";
}

async function findPort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Calls with all that a program writes. */
function listen(child: ChildProcess, heard: (text: string) => void): void {
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk) => heard(String(chunk)));
  }
}

/** What a failed program said last, in one line. */
function lastError(log: string): string {
  const error = /(?:FATAL|error|\[ERROR\]):?\s+/;
  const lines = log.split("\n").filter((line) => error.test(line));
  return lines.at(-1)?.replace(/^.*(?:FATAL|error|\[ERROR\]):?\s*/, "") ??
    (log.trim() || "no reason given");
}
