import { Sema } from "async-sema";
import type { Resource, Subject, SubjectOptions } from "../subject.ts";

/** async-sema: a semaphore whose tokens are resources; it never destroys one. */
export function open({ max, server }: SubjectOptions): Subject<Resource> {
  const sema = new Sema(max, { initFn: server.create, capacity: 1_000 });
  return {
    acquire: () => sema.acquire(),
    tryAcquire: () => sema.tryAcquire(),
    resource: (lease) => lease,
    release: (lease) => sema.release(lease),
  };
}
