import fc from "fast-check";
import { Pool } from "../../mod.ts";
import { PLAIN } from "../fixture.ts";
import { test } from "../test.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** Fixed, so that a failure is one of the code; fast-check prints it. */
const SEED = 20_260_101;
const RUNS = 800;

/** What one caller does: acquire, stay for some turns, end the lease. */
interface Caller {
  via: "acquire" | "use" | "tryAcquire";
  turns: number;
  ending: "release" | "destroy" | "both";
  /** Whether its signal aborts at some time. */
  aborts: boolean;
}

/** A program for one pool. Callbacks fail where their list says so. */
interface Program {
  max: number;
  stripes: number;
  callers: Caller[];
  creates: boolean[];
  destroys: boolean[];
  verdicts: ("yes" | "no" | "throws")[] | undefined;
  ends: "nothing" | "clear" | "close" | "abort";
}

const program: fc.Arbitrary<Program> = fc.record({
  max: fc.integer({ min: 1, max: 2 }),
  stripes: fc.integer({ min: 1, max: 2 }),
  callers: fc.array(
    fc.record({
      via: fc.constantFrom("acquire", "acquire", "use", "tryAcquire"),
      turns: fc.integer({ min: 0, max: 2 }),
      ending: fc.constantFrom("release", "release", "destroy", "both"),
      aborts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  creates: fc.array(fc.boolean(), { maxLength: 4 }),
  destroys: fc.array(fc.boolean(), { maxLength: 3 }),
  verdicts: fc.option(
    fc.array(fc.constantFrom("yes", "no", "throws"), { maxLength: 4 }),
    { nil: undefined },
  ),
  ends: fc.constantFrom("nothing", "clear", "close", "abort"),
});

/** Counts what the server of a program has, and who uses it. */
class Server {
  readonly alive: Set<object> = new Set();
  readonly used: Set<object> = new Set();
  #taken = 0;

  constructor(readonly max: number) {}

  open(): void {
    if (++this.#taken > this.max) throw new Error("more than max");
  }

  /** The place is free again. */
  shut(): void {
    this.#taken--;
  }

  use(resource: object): void {
    if (!this.alive.has(resource)) throw new Error("used after destroy");
    if (this.used.has(resource)) throw new Error("used by two");
    this.used.add(resource);
  }
}

/** Runs a program, each of its promises settling when the scheduler says so. */
class Run {
  readonly #server: Server;
  readonly #pool: Pool<object>;
  readonly #signals: AbortController[] = [];
  readonly #faults: unknown[] = [];

  constructor(
    readonly program: Program,
    readonly scheduler: fc.Scheduler,
    readonly clock: VirtualClock,
  ) {
    const { max, verdicts } = program;
    const creates = [...program.creates];
    const destroys = [...program.destroys];
    const answers = [...verdicts ?? []];
    this.#server = new Server(max);
    const turn = (name: string) => scheduler.schedule(Promise.resolve(), name);
    this.#pool = new Pool<object>({
      max,
      ...PLAIN,
      stripes: Math.min(program.stripes, max),
      acquireTimeout: Infinity,
      idleTimeout: Infinity,
      clock,
      create: async () => {
        this.#try(() => this.#server.open());
        const fails = creates.shift() ?? false;
        await turn("create");
        if (fails) {
          this.#server.shut();
          throw new Error("create");
        }
        const resource = {};
        this.#server.alive.add(resource);
        return resource;
      },
      destroy: async (resource) => {
        if (!this.#server.alive.delete(resource)) {
          this.#faults.push("destroyed twice");
        }
        const fails = destroys.shift() ?? false;
        await turn("destroy");
        this.#server.shut();
        if (fails) throw new Error("destroy");
      },
      ...verdicts && {
        validate: async () => {
          const answer = answers.shift() ?? "yes";
          await turn("validate");
          if (answer === "throws") throw new Error("validate");
          return answer === "yes";
        },
      },
    });
  }

  /** Throws if a rule is broken. */
  async check(): Promise<void> {
    const { scheduler, program } = this;
    const callers = program.callers.map((caller) => this.#call(caller));
    const aborts = this.#signals.map((controller) =>
      scheduler.schedule(Promise.resolve(), "abort")
        .then(() => controller.abort())
    );
    const end = scheduler.schedule(Promise.resolve(), program.ends)
      .then(() => this.#end());
    const closed = Promise.all([...callers, ...aborts, end])
      .then(() => this.#pool.close().catch(() => {}));
    await scheduler.waitFor(closed);
    const { idle, used, creating, destroying, pending } = this.#pool.stats();
    if (idle + used + creating + destroying + pending > 0) {
      this.#faults.push("stats are not zero after close");
    }
    await scheduler.waitIdle();
    if (this.#server.alive.size > 0) this.#faults.push("a resource is left");
    if (this.clock.timers > 0) this.#faults.push("a timer is left");
    if (this.#faults.length > 0) throw new Error(this.#faults.join("; "));
  }

  async #call({ via, turns, ending, aborts }: Caller): Promise<void> {
    const controller = new AbortController();
    if (aborts) this.#signals.push(controller);
    const { signal } = controller;
    const stay = async (resource: object) => {
      this.#try(() => this.#server.use(resource));
      for (let i = 0; i < turns; i++) {
        await this.scheduler.schedule(Promise.resolve(), "turn");
      }
      this.#server.used.delete(resource);
    };
    try {
      if (via === "use") return await this.#pool.use(stay, { signal });
      const lease = via === "acquire"
        ? await this.#pool.acquire({ signal })
        : this.#pool.tryAcquire();
      if (lease === undefined) return;
      await stay(lease.value);
      if (ending !== "destroy") lease.release();
      if (ending !== "release") lease.destroy();
    } catch {
      // Refused: that it settles is all that counts here.
    }
  }

  #end(): void {
    const { ends } = this.program;
    if (ends === "clear") this.#pool.clear();
    if (ends === "close") this.#pool.close().catch(() => {});
    if (ends !== "abort") return;
    // Whoever still holds a lease has lost it.
    this.#server.used.clear();
    this.#pool.close({ signal: AbortSignal.abort() }).catch(() => {});
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#faults.push(error);
    }
  }
}

test("interleaving: no order of promises breaks a rule", async () => {
  const property = fc.asyncProperty(
    program,
    fc.scheduler(),
    (program, scheduler) =>
      new Run(program, scheduler, new VirtualClock()).check(),
  );
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
});
