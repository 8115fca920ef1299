import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** Who waits, in line. */
interface Waiter {
  resolve: (lease: Lease) => void;
  next: Waiter | undefined;
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
    return new Promise((resolve) => {
      const waiter: Waiter = { resolve, next: undefined };
      if (this.#tail === undefined) this.#head = waiter;
      else this.#tail.next = waiter;
      this.#tail = waiter;
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
    waiter.resolve(new Lease(resource, this));
  }

  async #first(): Promise<Lease> {
    return new Lease(await this.#create(), this);
  }
}

export function open(options: SubjectOptions): Subject<Lease> {
  const { max, server, createDelay } = options;
  const create = createDelay === undefined ? server.create : creator(options);
  const pool = new LeaseHandOff(max, create);
  return {
    acquire: () => pool.acquire(),
    tryAcquire: () => pool.tryAcquire(),
    use: (fn) => pool.use(fn),
    resource: (lease) => lease.value,
    release: (lease) => lease.release(),
  };
}
