import { Pool } from "tarn";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";
import { timeouts } from "../timeout.ts";

/** tarn; by default its acquires wait for 30 s. It has no "for ever". */
export function open(options: SubjectOptions): Subject<Resource> {
  const { max, server } = options;
  const pool = new Pool<Resource>({
    create: creator(options),
    destroy: server.destroy,
    min: 0,
    max,
    ...timeouts(options),
  });
  const settings = pool as unknown as { acquireTimeoutMillis: number };
  return {
    acquire: () => pool.acquire().promise,
    resource: (lease) => lease,
    release: (lease) => void pool.release(lease),
    acquireWithin: (timeout) => {
      settings.acquireTimeoutMillis = timeout;
      return pool.acquire().promise;
    },
    begin: () => {
      const operation = pool.acquire();
      return { promise: operation.promise, cancel: () => operation.abort() };
    },
  };
}
