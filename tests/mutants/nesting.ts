import type { Mutant } from "./mutant.ts";

const ENTRY = "src/nesting/mod.ts";
const FRONT = "src/nesting/front.ts";
const TASK = "src/nesting/task.ts";
const SENTENCE = "src/sentence.ts";

export const NESTING: readonly Mutant[] = [
  {
    name: "nesting_outside_of_tasks",
    about: "what acquires outside of a task marks whoever called it",
    file: FRONT,
    from: `    if (!isInTask()) return acquired;`,
    to: ``,
  },
  {
    name: "nesting_acquire_unseen",
    about: "the lease of an acquire is never held",
    file: FRONT,
    from: `    enter([...held(), hold]);`,
    to: ``,
  },
  {
    name: "nesting_use_inherits_later",
    about: "a use holds what was begun beside it",
    file: FRONT,
    from: `run([...holds, new Hold`,
    to: `run([...held(), new Hold`,
  },
  {
    name: "nesting_use_forgets",
    about: "a use within a use holds one lease only",
    file: FRONT,
    from: `run([...holds, new Hold`,
    to: `run([new Hold`,
  },
  {
    name: "nesting_pending_held",
    about: "a lease that is on its way is held already",
    file: TASK,
    from: `state === "held"`,
    to: `state !== "ended"`,
  },
  {
    name: "nesting_ended_held",
    about: "a lease that has ended is still held",
    file: TASK,
    from: `return this.#lease?.deref()?.toJSON().state === "held";`,
    to: `return this.#lease !== undefined;`,
  },
  {
    name: "nesting_keeps_lease",
    about: "a task keeps a lease that it has forgotten",
    file: TASK,
    from: `    this.#lease = new WeakRef(lease);`,
    to: `    this.#lease = { deref: () => lease } as WeakRef<Lease<unknown>>;`,
  },
  {
    name: "nesting_cannot_enter",
    about: "where no context can be entered, acquires fail",
    file: TASK,
    from: `  try {
    tasks.enterWith(holds);
  } catch {
    // Workers cannot: the lease is not seen.
  }`,
    to: `  tasks.enterWith(holds);`,
  },
  {
    name: "nesting_zero_timeout",
    about: "an acquire that does not wait is told of",
    file: FRONT,
    from: `timeout === 0 || isAborted`,
    to: `isAborted`,
  },
  {
    name: "nesting_aborted",
    about: "an acquire whose signal has aborted is told of",
    file: FRONT,
    from: `timeout === 0 || isAborted`,
    to: `timeout === 0`,
  },
  {
    name: "nesting_other_pools",
    about: "leases of other pools count",
    file: FRONT,
    from: `({ pool }) => pool === this.#pool`,
    to: `() => true`,
  },
  {
    name: "nesting_stack_of_pool",
    about: "where leaks are watched, too, a stack begins within the pool",
    file: FRONT,
    from: `new Trace(this[method], depth)`,
    to: `new Trace(this[method])`,
  },
  {
    name: "nesting_refusal_untold",
    about: "the observer does not hear of a refusal",
    file: FRONT,
    from: `    this.#pool.events.tell("acquireFailed", { error, wait: 0 });`,
    to: ``,
  },
  {
    name: "nesting_task_inherits",
    about: "a task of its own holds what its caller holds",
    file: ENTRY,
    from: `return run([], fn);`,
    to: `return fn();`,
  },
  {
    name: "nesting_warns_again",
    about: "the console warns at each nested acquire",
    file: ENTRY,
    from: `    places.add(place);`,
    to: ``,
  },
  {
    name: "nesting_listener_holds",
    about: "a listener that acquires is told of itself, without end",
    file: ENTRY,
    from: `run([], () => listener(error))`,
    to: `listener(error)`,
  },
  {
    name: "hint_without_line",
    about: "a timeout suspects holders where fewer wait than hold",
    file: SENTENCE,
    from: `held >= max && pending >= max && known`,
    to: `held >= max && known`,
  },
  {
    name: "hint_with_spare",
    about: "a timeout suspects holders where not all are used",
    file: SENTENCE,
    from: `held >= max && pending >= max && known`,
    to: `pending >= max && known`,
  },
  {
    name: "hint_after_release",
    about: "a timeout suspects holders where one was released",
    file: SENTENCE,
    from: `pending >= max && known.noneReleasedFor !== undefined &&
    "holders`,
    to: `pending >= max &&
    "holders`,
  },
];
