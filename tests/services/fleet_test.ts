import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { PostgresCensus } from "../../examples/postgres_census.ts";
import { PostgresServer } from "../../examples/postgres_server.ts";
import { until } from "../fixture.ts";
import { bundle } from "../runtimes/bundle.ts";
import { test } from "../test.ts";
import { ENGINES, type FleetEngine } from "./fleet_engine.ts";
import type { MemberTask } from "./fleet_member.ts";
import { linesOf } from "./lines.ts";

const MAX = 24;
const TTL = 3_000;
/** A clock that runs slow, and ones that run fast, all within the bound. */
const PACES: Record<number, number> = { 0: 1.02, 3: 0.98, 4: 1.02 };
/** Processes take long to start where others work, in ms. */
const DEADLINE = 60_000;

/** In one file, lest they wait for one another to look at all their packages. */
const program = await bundle(new URL("./fleet_member.ts", import.meta.url));
const RUN = ["run", "-A", "--unstable-kv", "--no-config", "--no-lock"];

/** A process of the fleet. */
class Member implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  served = 0;
  fence = 0;
  cutOffs = 0;

  constructor(task: MemberTask) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...RUN, program.pathname, JSON.stringify(task)],
      ...{ stdin: "null", stdout: "piped", stderr: "null" },
    }).spawn();
    this.#reading = this.#read();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    await this.#child.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.end();
  }

  async #read(): Promise<void> {
    for await (const line of linesOf(this.#child.stdout)) {
      const [word, number] = line.split(" ");
      if (word === "served") this.served = Number(number);
      if (word === "leased") this.fence = Number(number);
      if (word === "cutOff") this.cutOffs++;
    }
  }
}

/** How many processes share an engine. */
const PROCESSES = 20;
const KINDS: MemberTask["engine"][] = ["postgres", "redis", "kv"];

/** A fleet at work, and the count of the server that it uses. */
class Rig {
  readonly members: Member[];
  readonly #census: PostgresCensus;
  readonly #over = new AbortController();
  readonly #counting: Promise<void>;
  count = 0;

  constructor(census: PostgresCensus, members: Member[]) {
    this.#census = census;
    this.members = members;
    this.#counting = this.#count();
  }

  get peak(): number {
    return this.#census.peak;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#counting;
  }

  /** That each of these has been served from now on. */
  async served(members: Member[]): Promise<void> {
    const before = members.map(({ served }) => served);
    await until(
      () => members.every(({ served }, i) => served > before[i]! + 5),
      { deadline: DEADLINE },
    );
  }

  /** That so many connections are in use. */
  async reaches(count: number): Promise<void> {
    await until(() => this.count === count, { deadline: DEADLINE });
  }

  async #count(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.count = (await this.#census.pids()).length;
      await delay(10);
    }
  }
}

for (const engine of KINDS) {
  test(`services: fleet: ${PROCESSES} processes by ${engine}, the server never counts more than max`, async () => {
    await using server = await PostgresServer.create({ max_connections: 80 });
    await using store: FleetEngine = await ENGINES[engine]();
    await using ends = new AsyncDisposableStack();
    const url = new URL(server.url);
    // The server ends the sessions of one that stands still before the others
    // have what it had.
    url.searchParams.set("options", `-c idle_session_timeout=${TTL / 2}`);
    const members = Array.from({ length: PROCESSES }, (_, i) =>
      ends.use(
        new Member({
          ...{ engine, ledger: store.url, server: url.href, max: MAX },
          ...{
            ttl: TTL,
            floor: 0,
            clients: 60 / PROCESSES,
            pace: PACES[i] ?? 1,
          },
        }),
      ));
    const census = ends.use(
      await PostgresCensus.open(server.url, {
        name: "member",
        signal: AbortSignal.timeout(10_000),
      }),
    );
    const rig = new Rig(census, members);
    ends.defer(() => rig.stop());
    await rig.served(members);
    await rig.reaches(MAX);

    // Two die: the others have their shares after the ttl.
    const [first, second, ...others] = members;
    first!.kill("SIGKILL");
    second!.kill("SIGKILL");
    await until(() => rig.count < MAX, { deadline: DEADLINE });
    await rig.reaches(MAX);

    // One stands still: the others have its share; it comes back with a lease
    // of its own.
    const [third, ...rest] = others;
    const { fence } = third!;
    third!.kill("SIGSTOP");
    await delay(1.5 * TTL);
    await rig.reaches(MAX);
    third!.kill("SIGCONT");
    await until(() => third!.fence > fence, { deadline: DEADLINE });
    await rig.served(others);

    if (store.stop !== undefined) {
      await store.stop();
      await until(() => others.every(({ cutOffs }) => cutOffs > 0), {
        deadline: DEADLINE,
      });
      await rig.reaches(0);
      await store.start!();
      await rig.served(others);
      await rig.reaches(MAX);
    }
    for (const member of rest) member.kill("SIGTERM");
    await deadline(Promise.all(rest.map((member) => member.end())), DEADLINE);
    await rig.served([third!]);
    await rig.stop();
    assert(rig.peak <= MAX, `the server has counted ${rig.peak}`);
    assertEquals(rig.peak, MAX);
  });
}
