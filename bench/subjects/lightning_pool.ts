import { createPool } from "lightning-pool";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** lightning-pool; by default its acquires wait for ever, 1 000 at most. */
export function open(options: SubjectOptions): Subject<Resource> {
  const { max, server, acquireTimeout, idleTimeout } = options;
  const finite = acquireTimeout !== undefined && acquireTimeout < Infinity;
  const pool = createPool<Resource>({
    create: creator(options),
    destroy: server.destroy,
  }, {
    max,
    maxQueue: Number.MAX_SAFE_INTEGER,
    ...finite && { acquireTimeoutMillis: acquireTimeout },
    ...idleTimeout !== undefined && {
      idleTimeoutMillis: idleTimeout,
      houseKeepInterval: 10,
    },
  });
  return {
    acquire: () => pool.acquire(),
    resource: (lease) => lease,
    release: (lease) => pool.release(lease),
    acquireWithin: (timeout) => {
      pool.options.acquireTimeoutMillis = timeout;
      return pool.acquire();
    },
  };
}
