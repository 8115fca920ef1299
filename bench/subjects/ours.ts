import { type Lease, Pool } from "../../mod.ts";
import {
  CANCELLED,
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** `@lease/pool`, everything at its default that the question leaves open. */
export function open(options: SubjectOptions): Subject<Lease<Resource>> {
  const { max, server, ...rest } = options;
  const { acquireTimeout, idleTimeout, validate, stripes, observer } = rest;
  const pool = new Pool<Resource>({
    create: creator(options),
    destroy: server.destroy,
    max,
    acquireTimeout,
    idleTimeout,
    validate,
    stripes,
    observer,
  });
  return {
    acquire: () => pool.acquire(),
    tryAcquire: () => pool.tryAcquire(),
    use: (fn) => pool.use(fn),
    resource: (lease) => lease.value,
    release: (lease) => lease.release(),
    acquireWith: (signal) => pool.acquire({ signal }),
    acquireWithin: (timeout) => pool.acquire({ timeout }),
    begin: () => {
      const controller = new AbortController();
      const promise = pool.acquire({ signal: controller.signal });
      return { promise, cancel: () => controller.abort(CANCELLED) };
    },
    acquireNear: (affinity) => pool.acquire({ affinity }),
  };
}
