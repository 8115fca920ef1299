import { AsyncLocalStorage } from "node:async_hooks";
import type { Lease } from "../lease.ts";

/** A lease that a task has asked for. */
export class Hold {
  readonly pool: object;
  /** Weak, as what a task has forgotten is to be collected. */
  #lease: WeakRef<Lease<unknown>> | undefined;

  constructor(pool: object, lease?: Lease<unknown>) {
    this.pool = pool;
    if (lease !== undefined) this.begin(lease);
  }

  begin(lease: Lease<unknown>): void {
    this.#lease = new WeakRef(lease);
  }

  /** Whether it has begun, and has not ended. */
  get isOut(): boolean {
    return this.#lease?.deref()?.toJSON().state === "held";
  }
}

/** What a task has asked for; never changed, as other tasks go on from it. */
type Holds = readonly Hold[];

const tasks = new AsyncLocalStorage<Holds>();

/** Whether what runs is part of a task. */
export function isInTask(): boolean {
  return tasks.getStore() !== undefined;
}

/**
 * What the task that runs holds. What is still on its way is not among it: the
 * caller has not waited for it, and so is another task, begun beside it.
 */
export function held(): Holds {
  return (tasks.getStore() ?? []).filter(({ isOut }) => isOut);
}

/** Runs `fn` as a task that holds this. */
export function run<R>(holds: Holds, fn: () => R): R {
  return tasks.run(holds, fn);
}

/**
 * The rest of what runs now holds this, once it has begun, and so does what it
 * awaits from here on; also, if it is called by others that do not await it, what
 * these do next. So it is for within a task only, which ends that.
 */
export function enter(holds: Holds): void {
  try {
    tasks.enterWith(holds);
  } catch {
    // Workers cannot: the lease is not seen.
  }
}
