import {
  CANCELLED,
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** How many time out in one turn of the event loop, so that it never stops. */
const BATCH = 1_024;

/** Who waits, in line. */
interface Waiter {
  resolve: (lease: Lease) => void;
  next: Waiter | undefined;
  previous: Waiter | undefined;
}

/** What ends when its time has come. */
interface Deadline {
  at: number;
  expire: () => void;
  next: Deadline | undefined;
}

/**
 * Deadlines that are equally far away when they are set, and so in order:
 * behind one timer. Those that need not be kept any more stay until they pass.
 */
class Deadlines {
  readonly #timeout: number;
  #first: Deadline | undefined = undefined;
  #last: Deadline | undefined = undefined;

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  add(expire: () => void): void {
    const at = performance.now() + this.#timeout;
    const deadline: Deadline = { at, expire, next: undefined };
    if (this.#last !== undefined) this.#last.next = deadline;
    this.#last = deadline;
    if (this.#first === undefined) this.#wait(deadline);
  }

  #wait(first: Deadline): void {
    this.#first = first;
    setTimeout(this.#pass, first.at - performance.now());
  }

  readonly #pass = (): void => {
    const now = performance.now();
    let first = this.#first;
    for (let i = 0; i < BATCH && first !== undefined && first.at <= now; i++) {
      first.expire();
      first = first.next;
    }
    if (first !== undefined) this.#wait(first);
    else this.#first = this.#last = undefined;
  };
}

/** The right to one resource, spent once. */
export class Lease implements Disposable, AsyncDisposable {
  readonly value: Resource;
  readonly #pool: LeaseHandOff;
  #spent = false;

  constructor(value: Resource, pool: LeaseHandOff) {
    this.value = value;
    this.#pool = pool;
  }

  release(): void {
    if (this.#spent) return;
    this.#spent = true;
    this.#pool.release(this.value);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return undefined as unknown as Promise<void>;
  }
}

/** A floor: the minimal hand-off, of leases that can be spent only once. */
export class LeaseHandOff {
  readonly #create: () => Resource | Promise<Resource>;
  readonly #idle: Resource[] = [];
  readonly #deadlines = new Map<number, Deadlines>();
  #spare: number;
  #head: Waiter | undefined = undefined;
  #tail: Waiter | undefined = undefined;

  constructor(max: number, create: () => Resource | Promise<Resource>) {
    this.#spare = max;
    this.#create = create;
  }

  acquire(): Promise<Lease> {
    const resource = this.#idle.pop();
    if (resource !== undefined) {
      return Promise.resolve(new Lease(resource, this));
    }
    if (this.#spare > 0) {
      this.#spare--;
      return this.#first();
    }
    return new Promise((resolve) => void this.#append(resolve));
  }

  /** An acquire of an idle resource only if it is found to be valid. */
  acquireValid(validate: (resource: Resource) => boolean): Promise<Lease> {
    for (;;) {
      const resource = this.#idle.pop();
      if (resource === undefined) return this.acquire();
      if (validate(resource)) return Promise.resolve(new Lease(resource, this));
      this.#spare++;
    }
  }

  /** An acquire that this signal takes out of the line. */
  acquireWith(signal: AbortSignal): Promise<Lease> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#ready()) return this.acquire();
    return new Promise((resolve, reject) => {
      const waiter = this.#append((lease) => {
        signal.removeEventListener("abort", onAbort);
        resolve(lease);
      });
      const onAbort = () => {
        this.#unlink(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort);
    });
  }

  /** An acquire that is out of the line after this many milliseconds. */
  acquireWithin(timeout: number): Promise<Lease> {
    if (this.#ready()) return this.acquire();
    let deadlines = this.#deadlines.get(timeout);
    if (deadlines === undefined) {
      deadlines = new Deadlines(timeout);
      this.#deadlines.set(timeout, deadlines);
    }
    return new Promise((resolve, reject) => {
      let served = false;
      const waiter = this.#append((lease) => {
        served = true;
        resolve(lease);
      });
      deadlines.add(() => {
        if (served) return;
        this.#unlink(waiter);
        reject(new Error("timeout"));
      });
    });
  }

  tryAcquire(): Lease | undefined {
    const resource = this.#idle.pop();
    return resource === undefined ? undefined : new Lease(resource, this);
  }

  async use(fn: (resource: Resource) => number): Promise<number> {
    const lease = await this.acquire();
    try {
      return await fn(lease.value);
    } finally {
      lease.release();
    }
  }

  release(resource: Resource): void {
    const waiter = this.#head;
    if (waiter === undefined) {
      this.#idle.push(resource);
      return;
    }
    this.#head = waiter.next;
    if (this.#head === undefined) this.#tail = undefined;
    else this.#head.previous = undefined;
    waiter.resolve(new Lease(resource, this));
  }

  #ready(): boolean {
    return this.#idle.length > 0 || this.#spare > 0;
  }

  #append(resolve: (lease: Lease) => void): Waiter {
    const previous = this.#tail;
    const waiter: Waiter = { resolve, next: undefined, previous };
    if (previous === undefined) this.#head = waiter;
    else previous.next = waiter;
    this.#tail = waiter;
    return waiter;
  }

  #unlink({ next, previous }: Waiter): void {
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
  }

  async #first(): Promise<Lease> {
    return new Lease(await this.#create(), this);
  }
}

export function open(options: SubjectOptions): Subject<Lease> {
  const { max, server, createDelay, validate } = options;
  const create = createDelay === undefined ? server.create : creator(options);
  const pool = new LeaseHandOff(max, create);
  return {
    acquire: validate === undefined
      ? () => pool.acquire()
      : () => pool.acquireValid(validate),
    acquireWith: (signal) => pool.acquireWith(signal),
    tryAcquire: () => pool.tryAcquire(),
    use: (fn) => pool.use(fn),
    resource: (lease) => lease.value,
    release: (lease) => lease.release(),
    acquireWithin: (timeout) => pool.acquireWithin(timeout),
    begin: () => {
      const controller = new AbortController();
      const promise = pool.acquireWith(controller.signal);
      return { promise, cancel: () => controller.abort(CANCELLED) };
    },
  };
}
