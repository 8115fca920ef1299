import { EventEmitter } from "node:events";
import PgPool from "pg-pool";
import {
  creator,
  type Resource,
  type Subject,
  type SubjectOptions,
} from "../subject.ts";

/** What pg-pool asks of the clients that it is given. */
interface Client {
  resource: Resource;
  release(): void;
}

/** pg-pool over a client without a database; its acquires wait for ever. */
export function open(options: SubjectOptions): Subject<Client> {
  const { max, server, acquireTimeout, idleTimeout } = options;
  const finite = acquireTimeout !== undefined && acquireTimeout < Infinity;
  const create = creator(options);
  class FakeClient extends EventEmitter {
    resource!: Resource;
    readonly _queryable = true;
    readonly _ending = false;

    connect(callback: (error?: unknown) => void): void {
      create().then((resource) => {
        this.resource = resource;
        callback();
      }, callback);
    }

    end(callback: () => void): void {
      server.destroy(this.resource);
      callback();
    }

    isConnected(): boolean {
      return this.resource !== undefined;
    }

    ref(): void {}

    unref(): void {}
  }
  const pool = new PgPool({
    Client: FakeClient,
    max,
    ...finite && { connectionTimeoutMillis: acquireTimeout },
    ...idleTimeout !== undefined && { idleTimeoutMillis: idleTimeout },
  });
  return {
    acquire: () => pool.connect(),
    resource: (lease) => lease.resource,
    release: (lease) => lease.release(),
    acquireWithin: (timeout) => {
      pool.options.connectionTimeoutMillis = timeout;
      return pool.connect();
    },
  };
}
