/// <reference path="../tests/async.d.ts" />

import { delay } from "@std/async/delay";
import type { PoolObserver } from "../mod.ts";

/** What the pools hold here. */
export class Resource {
  /** Set while somebody has it: two at a time would be a defect. */
  held = false;
  /** Added up by those who use it, so that no use can be optimised away. */
  readonly weight = 1;
}

/** Makes and ends the resources of a pool, and counts them. */
export class Server {
  created = 0;
  live = 0;
  peak = 0;

  readonly create = (): Resource => {
    this.created++;
    this.live++;
    if (this.live > this.peak) this.peak = this.live;
    return new Resource();
  };

  readonly destroy = (_resource: Resource): void => {
    this.live--;
  };
}

/** How a question wants its pool; what is left out stays each pool's default. */
export interface SubjectOptions {
  max: number;
  server: Server;
  /** Milliseconds that a create takes. Default: it resolves at once. */
  createDelay?: number;
  /** Milliseconds an acquire waits; `Infinity` switches the limit off. */
  acquireTimeout?: number;
  /** Milliseconds after which an idle resource is destroyed. */
  idleTimeout?: number;
  /** Whether an idle resource may be handed out; for ours and its floor. */
  validate?: (resource: Resource) => boolean;
  /** For ours alone. */
  stripes?: number;
  /** For ours alone. */
  observer?: PoolObserver<Resource>;
}

/** A pool of connections to a real PostgreSQL server. */
export interface Database<L = unknown> {
  acquire(): Promise<L>;
  /** Runs a query that gives one number, and returns that. */
  query(lease: L, text: string): Promise<number>;
  release(lease: L): void;
}

/** What the files of subjects/ for a database export. */
export interface DatabaseModule {
  open(url: string, max: number): Database;
}

/** Made once: an error for each abort would cost more than the pool. */
export const CANCELLED = new Error("cancelled");

/** An acquire that can be given up. */
export interface Pending<L> {
  promise: Promise<L>;
  cancel(): void;
}

/** A pool as the questions see it: the same few calls on every one. */
export interface Subject<L = unknown> {
  acquire(): Promise<L>;
  resource(lease: L): Resource;
  release(lease: L): void;
  tryAcquire?(): L | undefined;
  /** Acquires, runs `fn` and releases, in the pool's own way. */
  use?(fn: (resource: Resource) => number): Promise<number>;
  /** An acquire that this signal cancels. */
  acquireWith?(signal: AbortSignal): Promise<L>;
  /** An acquire that waits for this long, whatever the others do. */
  acquireWithin?(timeout: number): Promise<L>;
  /** An acquire that can be cancelled alone. */
  begin?(): Pending<L>;
  /** An acquire that prefers one stripe. */
  acquireNear?(affinity: string): Promise<L>;
  /** `sequence` of work.ts, where the pool has a cheaper way of its own. */
  sequence?(n: number): Promise<number>;
  /** `crowd` of work.ts, likewise. */
  crowd?(n: number): Promise<number>;
}

/** What the other files of subjects/ export. */
export interface SubjectModule {
  open(options: SubjectOptions): Subject | Promise<Subject>;
}

/** The create of a pool that must be given an asynchronous one. */
export function creator(
  { server, createDelay }: SubjectOptions,
): () => Promise<Resource> {
  if (createDelay === undefined) return () => Promise.resolve(server.create());
  return () => delay(createDelay).then(() => server.create());
}
