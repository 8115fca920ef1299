import type { SubjectOptions } from "./subject.ts";

/** The longest that a timer of a runtime can wait, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** The limits as tarn and sequelize-pool name them; they have no "for ever". */
export function timeouts({ acquireTimeout, idleTimeout }: SubjectOptions) {
  return {
    ...acquireTimeout !== undefined && {
      acquireTimeoutMillis: Math.min(acquireTimeout, MAX_TIMEOUT),
    },
    ...idleTimeout !== undefined && {
      idleTimeoutMillis: idleTimeout,
      reapIntervalMillis: 10,
    },
  };
}
