import { Pool } from "sequelize-pool";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";
import { timeouts } from "../timeout.ts";

/** sequelize-pool; by default its acquires wait for 30 s. */
export function open(options: SubjectOptions): Subject<Resource> {
  const { max, server } = options;
  const pool = new Pool<Resource>({
    create: creator(options),
    destroy: server.destroy,
    validate: () => true,
    min: 0,
    max,
    ...timeouts(options),
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
