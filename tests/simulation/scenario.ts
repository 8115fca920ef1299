import type { Hazard } from "./hazards.ts";

/** The options of the pool under simulation, and how rough its world is. */
export interface Config {
  max: number;
  stripes: number;
  isolated: boolean;
  maxPending: number;
  acquireTimeout: number;
  idleTimeout: number;
  createTimeout: number;
  destroyTimeout: number;
  validateTimeout: number;
  validates: boolean;
  observes: boolean;
  isFatal: "absent" | "never" | "throws";
  growth: "measured" | "eager";
  createRetry: { delay: number; maxDelay: number } | false;
  maxCreating: number;
  min: number;
  maxLifetime: number;
  maxUses: number;
  validateAfter: number;
  keepalive: number;
  resets: boolean;
  resetTimeout: number;
  /** How many resources the server has places for. */
  places: number;
  /** What the priorities of acquires are drawn from; 0: none has one. */
  urgency: number;
  idleOrder: "newest" | "oldest";
  /** Percent of those whose turn it is that have to leave. */
  sheds: number;
  /** Whether the pool is changed while it runs. */
  changes: boolean;
  /** Percent of the callbacks that do something else than succeed at once. */
  roughness: number;
  hazards: readonly Hazard[];
}

/** How a lease ends: by its holder's hand, or by what `use` makes of a throw. */
export type Ending = "release" | "destroy" | "dispose" | "throw";

/** For what `lost` is called: for some that are there, or one that is not. */
export type Lost =
  | "idle"
  | "held"
  | "resting"
  | "all"
  | "creating"
  | "gone";

/** One thing done to the pool or its world. Leases go by the id of their acquire. */
export type Op =
  | AcquireOp
  | TryAcquireOp
  | { do: "release" | "destroy" | "die"; id: number }
  | { do: "abort"; signal: number }
  | { do: "advance" | "jump"; ms: number }
  | { do: "skew"; how: "back" | "still" | "on" | "right"; ms: number }
  | { do: "dispatch"; signal: number }
  | { do: "lose"; what: Lost; id: number }
  | { do: "outage"; isDown: boolean }
  | { do: "warm"; n: number; signal: number | undefined }
  | ChangeOp
  | { do: "clear" }
  | { do: "close"; signal: number | "aborted" | undefined };

/** A change of the pool while it runs. */
export type ChangeOp =
  | { do: "resize"; max: number }
  /** Ends after so many ms; Infinity: until something ends it. */
  | { do: "pause"; signal: number | undefined; hold: number }
  | { do: "unpause" }
  /** Those whose id is `rule` modulo 3, or all. */
  | { do: "evict"; rule: number | "all"; within: number }
  | { do: "detach"; id: number };

/** In what a signal does when it gets a listener: that signal, or some lease. */
export const OWN = -1;

export interface AcquireOp {
  do: "acquire" | "use";
  id: number;
  signal: number | undefined;
  timeout: number | undefined;
  affinity: string | number | undefined;
  /** Milliseconds until the lease ends; Infinity: until something ends it. */
  hold: number;
  ending: Ending;
  /** The `isFatal` of a `use`. */
  isFatal: "absent" | "always" | "never" | "throws";
  /** Acquired while the lease is held. */
  nested: AcquireOp | undefined;
}

export interface TryAcquireOp {
  do: "tryAcquire";
  id: number;
  affinity: string | number | undefined;
  hold: number;
  ending: Ending;
}

/** An op, and how many microtask ticks pass until the next. */
export interface Step {
  op: Op;
  /** Infinity: until nothing moves. */
  ticks: number;
}

/** The code of the user that the pool calls. */
export const ROLES = [
  "create",
  "destroy",
  "validate",
  "observer",
  "signal",
  "reading",
  "timer",
  "reset",
  "predicate",
  "judge",
] as const;

/** Which callback of the user a plan is for. */
export type Role = typeof ROLES[number];

/** What one call of a callback does. */
export interface Plan {
  /** When and how it answers. */
  way: "at once" | "by promise" | "by thenable" | "later";
  /** `fail` throws or rejects; `lie` is a wrong verdict. */
  turn: "well" | "fail" | "lie";
  /** For `later`: milliseconds; Infinity: never. */
  after: number;
  /** Whether a create gives up when its signal aborts. */
  heeds: boolean;
  /** What it does to the pool before it answers. */
  act: Op | undefined;
}

/** Plans by role and index, as `create 3`. */
export type Plans = ReadonlyMap<`${Role} ${number}`, Plan>;

/** A program for the simulation, as data: it can be replayed and made smaller. */
export interface Scenario {
  seed: number;
  config: Config;
  steps: readonly Step[];
  /**
   * What calls of callbacks do, by `create 3` and so on; those not in it
   * succeed at once. Undefined: as the seed has it.
   */
  plans: Plans | undefined;
}

/** An op in words. */
export function inWords(op: Op): string {
  switch (op.do) {
    case "acquire":
    case "use":
    case "tryAcquire":
      return acquireInWords(op);
    case "release":
    case "destroy":
      return `${op.do} lease ${op.id}`;
    case "die":
      return `the resource of lease ${op.id} dies`;
    case "abort":
      return `abort signal ${op.signal}`;
    case "advance":
      return `${op.ms} ms pass`;
    case "jump":
      return `the runtime is frozen for ${op.ms} ms`;
    case "skew":
      return skewInWords(op.how, op.ms);
    case "dispatch":
      return `an abort event on signal ${op.signal} without an abort`;
    case "lose":
      return `lost, what is ${op.what} (${op.id})`;
    case "outage":
      return op.isDown ? "from now on creates fail" : "the outage is over";
    case "warm":
      return `warm ${op.n}` +
        (op.signal === undefined ? "" : `, signal ${op.signal}`);
    case "resize":
      return `resize to ${op.max}`;
    case "pause":
      return "pause" +
        (op.signal === undefined ? "" : `, signal ${op.signal}`) +
        (op.hold === Infinity ? "" : `, for ${op.hold} ms`);
    case "unpause":
      return "the pauses end";
    case "evict":
      return op.rule === "all"
        ? `evict all within ${op.within} ms`
        : `evict those of ${op.rule} modulo 3 within ${op.within} ms`;
    case "detach":
      return `detach lease ${op.id}`;
    case "clear":
      return "clear";
    case "close":
      return op.signal === undefined ? "close" : `close, signal ${op.signal}`;
  }
}

function skewInWords(
  how: "back" | "still" | "on" | "right",
  ms: number,
): string {
  switch (how) {
    case "back":
      return `the clock steps back by ${ms} ms`;
    case "still":
      return "the clock stands still";
    case "on":
      return "the clock goes on from where it is";
    case "right":
      return "the clock is right again";
  }
}

function acquireInWords(op: AcquireOp | TryAcquireOp): string {
  const words = [`${op.do} ${op.id}`];
  if (op.affinity !== undefined) words.push(`affinity ${op.affinity}`);
  if (op.do !== "tryAcquire") {
    if (op.timeout !== undefined) words.push(`timeout ${op.timeout}`);
    if (op.signal !== undefined) words.push(`signal ${op.signal}`);
    if (op.isFatal !== "absent") words.push(`isFatal ${op.isFatal}`);
    if (op.nested !== undefined) {
      words.push(`holding it: ${inWords(op.nested)}`);
    }
  }
  words.push(
    op.hold === Infinity
      ? "hold on to it"
      : `after ${op.hold} ms ${op.ending} it`,
  );
  return words.join(", ");
}

/** A plan in words; empty where it is the plain one. */
export function planInWords(plan: Plan): string {
  const words: string[] = [];
  if (plan.act !== undefined) words.push(`first: ${inWords(plan.act)}`);
  if (plan.way === "later") {
    words.push(plan.after === Infinity ? "hangs" : `takes ${plan.after} ms`);
  } else if (plan.way !== "at once") words.push(`answers ${plan.way}`);
  if (plan.turn !== "well") words.push(`${plan.turn}s`);
  if (plan.heeds) words.push("heeds its signal");
  return words.join(", ");
}
