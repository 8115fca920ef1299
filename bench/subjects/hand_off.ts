import type { Resource, Subject, SubjectOptions } from "../subject.ts";

/** Who waits, in line. */
interface Waiter {
  resolve: (resource: Resource) => void;
  next: Waiter | undefined;
}

/** A floor: the least that hands resources from one holder to the next. */
class HandOff {
  readonly #create: () => Resource;
  readonly #idle: Resource[] = [];
  #spare: number;
  #head: Waiter | undefined = undefined;
  #tail: Waiter | undefined = undefined;

  constructor(max: number, create: () => Resource) {
    this.#spare = max;
    this.#create = create;
  }

  acquire(): Promise<Resource> {
    const resource = this.#idle.pop();
    if (resource !== undefined) return Promise.resolve(resource);
    if (this.#spare > 0) {
      this.#spare--;
      return Promise.resolve(this.#create());
    }
    return new Promise((resolve) => {
      const waiter: Waiter = { resolve, next: undefined };
      if (this.#tail === undefined) this.#head = waiter;
      else this.#tail.next = waiter;
      this.#tail = waiter;
    });
  }

  tryAcquire(): Resource | undefined {
    return this.#idle.pop();
  }

  release(resource: Resource): void {
    const waiter = this.#head;
    if (waiter === undefined) {
      this.#idle.push(resource);
      return;
    }
    this.#head = waiter.next;
    if (this.#head === undefined) this.#tail = undefined;
    waiter.resolve(resource);
  }
}

export function open({ max, server }: SubjectOptions): Subject<Resource> {
  const pool = new HandOff(max, server.create);
  return {
    acquire: () => pool.acquire(),
    tryAcquire: () => pool.tryAcquire(),
    resource: (lease) => lease,
    release: (lease) => pool.release(lease),
  };
}
