/**
 * Publishes what happens in pools on `node:diagnostics_channel`, for whoever
 * subscribes, such as the agents of those who monitor.
 *
 * ```ts
 * import { subscribe } from "node:diagnostics_channel";
 * import { Pool } from "@lease/pool";
 * import { diagnosticsObserver } from "@lease/pool/diagnostics";
 *
 * subscribe("lease.pool.acquired", (event) => {
 *   console.log(Object.keys(event as object).join());
 * });
 *
 * const observer = diagnosticsObserver();
 * await using pool = new Pool({ create: () => ({}), max: 1, observer });
 * await pool.use(() => {}); // pool,resource,stripe,wait
 * ```
 *
 * @module
 */

import type { PoolObserver } from "../pool_observer.ts";

/** A channel of `node:diagnostics_channel`. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/** What a runtime with built-ins offers to those who must also run elsewhere. */
interface Host {
  readonly process?: {
    getBuiltinModule?(
      name: "node:diagnostics_channel",
    ): { channel(name: string): Channel } | undefined;
  };
}

/** Every event of an observer. */
const EVENTS: Record<keyof PoolObserver<unknown>, true> = {
  createBegan: true,
  created: true,
  createFailed: true,
  destroyBegan: true,
  destroyed: true,
  outageBegan: true,
  outageEnded: true,
  acquired: true,
  acquireFailed: true,
  released: true,
  detached: true,
  idled: true,
  pendingChanged: true,
  leaked: true,
  closed: true,
};

/**
 * An observer for the option `observer` of pools, or for `pool.observe`. Each event
 * is published on the channel `lease.pool.` and its name, as in
 * `lease.pool.acquired`, if that has subscribers, in the async context it is told
 * in. What a subscriber throws is an uncaught exception, as on any channel.
 *
 * `node:diagnostics_channel` is loaded by this call, and only where
 * `process.getBuiltinModule` has it (Deno, Bun, Node 20.16); elsewhere nothing is
 * published.
 *
 * @example
 * ```ts
 * import { channel } from "node:diagnostics_channel";
 * import { Pool } from "@lease/pool";
 * import { diagnosticsObserver } from "@lease/pool/diagnostics";
 *
 * await using pool = new Pool({ create: () => ({}), max: 1 });
 * using _publishing = pool.observe(diagnosticsObserver());
 * channel("lease.pool.released").subscribe((event) => {
 *   console.log((event as { use: number }).use >= 0);
 * });
 * await pool.use(() => {}); // true
 * ```
 */
export function diagnosticsObserver(): PoolObserver<unknown> {
  const { process } = globalThis as Host;
  const module = process?.getBuiltinModule?.("node:diagnostics_channel");
  const observer: Record<string, (event: unknown) => void> = {};
  if (module === undefined) return observer;
  for (const name of Object.keys(EVENTS)) {
    const channel = module.channel(`lease.pool.${name}`);
    observer[name] = (event) => {
      if (channel.hasSubscribers) channel.publish(event);
    };
  }
  return observer;
}
