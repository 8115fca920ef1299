import { createPool } from "generic-pool";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** generic-pool; by default its acquires wait for ever, and nothing is evicted. */
export function open(options: SubjectOptions): Subject<Resource> {
  const { max, server, acquireTimeout, idleTimeout } = options;
  const finite = acquireTimeout !== undefined && acquireTimeout < Infinity;
  const pool = createPool<Resource>({
    create: creator(options),
    destroy: (resource) => Promise.resolve(server.destroy(resource)),
  }, {
    max,
    ...finite && { acquireTimeoutMillis: acquireTimeout },
    ...idleTimeout !== undefined && {
      idleTimeoutMillis: idleTimeout,
      evictionRunIntervalMillis: 10,
      numTestsPerEvictionRun: max,
    },
  });
  const settings = (pool as unknown as {
    _config: { acquireTimeoutMillis: number };
  })._config;
  return {
    acquire: () => Promise.resolve(pool.acquire()),
    use: (fn) =>
      Promise.resolve(pool.use((resource) => Promise.resolve(fn(resource)))),
    resource: (lease) => lease,
    release: (lease) => void pool.release(lease),
    acquireWithin: (timeout) => {
      settings.acquireTimeoutMillis = timeout;
      return Promise.resolve(pool.acquire());
    },
  };
}
