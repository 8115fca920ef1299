/** Something that has to be done in the async context of the pool. */
export interface Task {
  inContext(): void;
}

/**
 * The async context that the pool was built in. By Web standards only promise
 * reactions keep the context they were registered in, so one async function,
 * begun when the pool is built, does what is not to be done in the context of
 * whichever request happens to set it off.
 */
export class Context {
  /** Whether what runs now runs in it. */
  isInside = false;
  #tasks: Task[] = [];
  /** Ends the pause of the loop. */
  #wake: () => void = () => {};

  constructor() {
    void this.#loop();
  }

  /** Does it now if this is the context, else a microtask later. */
  do(task: Task): void {
    if (this.isInside) return task.inContext();
    if (!this.#tasks.includes(task)) this.#tasks.push(task);
    this.#wake();
  }

  /** Runs `fn`, which is known to be in the context, or not to be. */
  enter<R>(isInside: boolean, fn: () => R): R {
    const before = this.isInside;
    this.isInside = isInside;
    try {
      return fn();
    } finally {
      this.isInside = before;
    }
  }

  async #loop(): Promise<never> {
    for (;;) {
      while (this.#tasks.length === 0) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const task of tasks) this.#do(task);
    }
  }

  #do(task: Task): void {
    try {
      this.enter(true, () => task.inContext());
    } catch (bug) {
      // Told as any unhandled error is, and the loop goes on.
      void Promise.reject(bug);
    }
  }
}
