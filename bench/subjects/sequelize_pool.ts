import { Pool } from "sequelize-pool";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";
import { MAX_TIMEOUT } from "../timeout.ts";

/** sequelize-pool; by default its acquires wait for 30 s. */
export function open(options: SubjectOptions): Subject<Resource> {
  const { max, server, acquireTimeout, idleTimeout } = options;
  const pool = new Pool<Resource>({
    create: creator(options),
    destroy: server.destroy,
    validate: () => true,
    min: 0,
    max,
    ...acquireTimeout !== undefined && {
      acquireTimeoutMillis: Math.min(acquireTimeout, MAX_TIMEOUT),
    },
    ...idleTimeout !== undefined && {
      idleTimeoutMillis: idleTimeout,
      reapIntervalMillis: 10,
    },
  });
  const settings = pool as unknown as { acquireTimeoutMillis: number };
  return {
    acquire: () => pool.acquire(),
    resource: (lease) => lease,
    release: (lease) => pool.release(lease),
    acquireWithin: (timeout) => {
      settings.acquireTimeoutMillis = timeout;
      return pool.acquire();
    },
  };
}
